//! `log.csv`: one line per report, names with units in the header. A line is written with one call of the system,
//! so that a killed process leaves whole lines; a line without its end is not read.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::IoError;
use crate::files::{Identity, read_text, write_atomic};
use crate::formats::registry::FormatInfo;

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "log",
    summary: "log.csv: energies, temperature, pressure, box; written and read",
    layout: "comma-separated, names with units in the header",
    limits: &[],
    citation: "RFC 4180",
};

/// Name of the log in a run directory.
pub const FILE_NAME: &str = "log.csv";

/// Writes a log. The first column is always `step`.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    file: File,
    identity: Identity,
    n_columns: usize,
}

impl LogWriter {
    /// Starts the log in `directory` with the columns `columns` after `step`, each a name with its unit such as
    /// `potential_energy [kJ/mol]`.
    ///
    /// # Errors
    /// [`IoError::Exists`] where there is a log; [`IoError::Refused`] where the system refuses;
    /// [`IoError::Mismatch`] for a name with a comma, quote or line break.
    pub fn create(directory: &Path, columns: &[String]) -> Result<Self, IoError> {
        let path = directory.join(FILE_NAME);
        if path.exists() {
            return Err(IoError::Exists { path });
        }
        if let Some(name) = columns.iter().find(|c| c.contains([',', '"', '\n', '\r'])) {
            return Err(IoError::Mismatch { path, found: format!("column name {name:?}") });
        }
        write_atomic(&path, header(columns).as_bytes())?;
        LogWriter::open(path, columns.len())
    }

    /// Goes on with the log in `directory` after a restart at `step`: rows beyond that step, and a torn last
    /// line, are removed. Starts a new log where there is none.
    ///
    /// # Errors
    /// [`IoError::Mismatch`] where the columns are not those of the existing log; else as [`LogWriter::create`].
    pub fn resume(directory: &Path, columns: &[String], step: u64) -> Result<Self, IoError> {
        let path = directory.join(FILE_NAME);
        if !path.exists() {
            return LogWriter::create(directory, columns);
        }
        let text = read_text(&path)?;
        let header = header(columns);
        let Some(rows) = text.strip_prefix(&header) else {
            let found = text.lines().next().unwrap_or_default();
            return Err(IoError::Mismatch { path, found: format!("columns {}; the file has {found}", header.trim()) });
        };
        let mut keep = header;
        for line in rows.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
            let at = line.split(',').next().and_then(|s| s.parse::<u64>().ok());
            if at.is_some_and(|at| at <= step) {
                keep.push_str(line);
            }
        }
        if keep != text {
            write_atomic(&path, keep.as_bytes())?;
        }
        LogWriter::open(path, columns.len())
    }

    fn open(path: PathBuf, n_columns: usize) -> Result<Self, IoError> {
        let file = OpenOptions::new().append(true).open(&path).map_err(|e| IoError::from_os("write", &path, &e))?;
        let identity = Identity::of(&path)?;
        Ok(LogWriter { path, file, identity, n_columns })
    }

    /// Writes the row of `step`: one value per column, in as many digits as tell it from its neighbours.
    ///
    /// # Errors
    /// [`IoError::Refused`] (full disk); [`IoError::Mismatch`] for another number of values.
    pub fn append(&mut self, step: u64, values: &[f64]) -> Result<(), IoError> {
        if values.len() != self.n_columns {
            let found = format!("{} values for {} columns", values.len(), self.n_columns);
            return Err(IoError::Mismatch { path: self.path.clone(), found });
        }
        let mut line = step.to_string();
        for value in values {
            line.push_str(&format!(",{value:?}"));
        }
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|e| IoError::from_os("write", &self.path, &e))
    }

    /// Waits until every row is on disk. To be called before each checkpoint.
    ///
    /// # Errors
    /// [`IoError::Vanished`] where the file is no longer what was opened; [`IoError::Refused`].
    pub fn flush(&mut self) -> Result<(), IoError> {
        self.file.sync_data().map_err(|e| IoError::from_os("write", &self.path, &e))?;
        self.identity.check()
    }
}

fn header(columns: &[String]) -> String {
    let mut header = String::from("step");
    for column in columns {
        header.push(',');
        header.push_str(column);
    }
    header + "\n"
}

/// A log as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct LogTable {
    /// Names with units, the first one `step`.
    pub columns: Vec<String>,
    /// \[n_rows\]\[n_columns\] values; the step is exact below 2⁵³.
    pub rows: Vec<Vec<f64>>,
}

impl LogTable {
    /// Values of the column whose name, with or without unit, is `name`.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let at = self.columns.iter().position(|c| c == name || c.split(" [").next() == Some(name))?;
        Some(self.rows.iter().map(|row| row[at]).collect())
    }
}

/// Reads a log; a last line without its end is left out.
///
/// # Errors
/// [`IoError::Refused`]; [`IoError::Damaged`] where a line has another number of cells or one that is no number.
pub fn read_log(path: &Path) -> Result<LogTable, IoError> {
    let text = read_text(path)?;
    let mut lines = text.split_inclusive('\n').filter_map(|l| l.strip_suffix('\n'));
    let columns: Vec<String> = lines.next().unwrap_or_default().split(',').map(str::to_string).collect();
    let mut rows = Vec::new();
    for (k, line) in lines.enumerate() {
        let row: Vec<f64> = line.split(',').map_while(|cell| cell.parse().ok()).collect();
        if row.len() != columns.len() || line.split(',').count() != columns.len() {
            return Err(IoError::Damaged {
                path: path.into(),
                found: format!("line {} is not {} numbers: {line:?}", k + 2, columns.len()),
                remedy: "remove that line, or resume the run from its checkpoint",
            });
        }
        rows.push(row);
    }
    Ok(LogTable { columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<String> {
        vec!["time [ps]".into(), "potential_energy [kJ/mol]".into()]
    }

    #[test]
    fn rows_come_back_bitwise() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = LogWriter::create(dir.path(), &columns()).unwrap();
        let values = [[0.1 + 0.2, -1.0e-300], [5e-324, f64::MAX], [f64::NEG_INFINITY, -0.0]];
        for (step, row) in values.iter().enumerate() {
            log.append(step as u64, row).unwrap();
        }
        log.flush().unwrap();
        let table = read_log(&dir.path().join(FILE_NAME)).unwrap();
        for (step, row) in values.iter().enumerate() {
            assert_eq!(table.rows[step][0], step as f64);
            assert_eq!(table.rows[step][1].to_bits(), row[0].to_bits());
            assert_eq!(table.rows[step][2].to_bits(), row[1].to_bits());
        }
        assert_eq!(table.column("potential_energy").unwrap()[1], f64::MAX);
    }

    #[test]
    fn a_resumed_log_drops_later_rows_and_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let mut log = LogWriter::create(dir.path(), &columns()).unwrap();
        for step in [0, 10, 20, 30] {
            log.append(step, &[step as f64, 1.0]).unwrap();
        }
        drop(log);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}40,4")).unwrap();
        assert_eq!(read_log(&path).unwrap().rows.len(), 4);
        let mut log = LogWriter::resume(dir.path(), &columns(), 20).unwrap();
        log.append(30, &[30.0, 1.0]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        assert!(matches!(LogWriter::resume(dir.path(), &columns()[..1], 20), Err(IoError::Mismatch { .. })));
        assert!(matches!(LogWriter::create(dir.path(), &columns()), Err(IoError::Exists { .. })));
    }
}
