//! What a run tells while it goes on, and how it hears that it shall stop.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::RunnerError;

/// State of a stage.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Name of the stage.
    pub stage: String,
    /// Steps done in this stage.
    pub step: u64,
    /// Steps that the stage has.
    pub n_steps: u64,
    /// Simulated time (ps).
    pub time: f64,
    /// Speed so far; none for minimisations.
    pub ns_per_day: Option<f64>,
    /// Wall time until the end of the whole run at this speed (s).
    pub eta_seconds: Option<f64>,
    /// What else to show, for example the temperature.
    pub detail: String,
}

impl Progress {
    /// Speed and detail as one text.
    pub fn text(&self) -> String {
        match self.ns_per_day {
            Some(speed) => format!("{:.3} ps, {speed:.2} ns/day, {}", self.time, self.detail),
            None => self.detail.clone(),
        }
    }
}

/// A time to go as people say it.
pub fn eta_text(seconds: Option<f64>) -> String {
    match seconds {
        None => "?".into(),
        Some(s) if s < 60.0 => format!("{s:.0} s"),
        Some(s) if s < 3600.0 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), s % 60.0),
        Some(s) => format!("{:.0} h {:02.0} min", (s / 3600.0).floor(), (s % 3600.0) / 60.0),
    }
}

/// The other side of a run: a terminal, a test, nobody.
pub trait Monitor {
    /// One line.
    fn message(&self, text: &str);
    /// How far it is; called at most a few times per second.
    fn progress(&self, progress: &Progress);
    /// Whether the run shall write a checkpoint and stop.
    fn stop_requested(&self) -> bool;
}

/// Nobody listens.
pub struct Silent;

impl Monitor for Silent {
    fn message(&self, _: &str) {}
    fn progress(&self, _: &Progress) {}
    fn stop_requested(&self) -> bool {
        false
    }
}

/// `run.log` and the monitor together.
pub struct Reporter<'a> {
    monitor: &'a dyn Monitor,
    log: Option<Mutex<File>>,
    last_progress: Mutex<Instant>,
}

impl<'a> Reporter<'a> {
    /// Tells only the monitor.
    pub fn new(monitor: &'a dyn Monitor) -> Self {
        Reporter { monitor, log: None, last_progress: Mutex::new(Instant::now()) }
    }

    /// Writes to `path` too, behind what is there.
    pub fn with_log(mut self, path: &Path) -> Result<Self, RunnerError> {
        let file = File::options().create(true).append(true).open(path);
        self.log = Some(Mutex::new(file.map_err(|e| RunnerError::file(path, "write", &e))?));
        Ok(self)
    }

    /// One line for people and for `run.log`, there with the wall time.
    pub fn message(&self, text: &str) {
        self.record(text);
        self.monitor.message(text);
    }

    /// One line for `run.log` alone.
    pub fn record(&self, text: &str) {
        if let Some(log) = &self.log {
            let mut file = log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            // A log line that cannot be written must not end a run; the trajectory will report the full disk.
            let _ = writeln!(file, "{} {text}", utc(SystemTime::now()));
        }
    }

    /// Progress, at most five times per second except at the end of a stage.
    pub fn progress(&self, make: impl FnOnce() -> Progress, at_the_end: bool) {
        let mut last = self.last_progress.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if at_the_end || last.elapsed() > Duration::from_millis(200) {
            *last = Instant::now();
            self.monitor.progress(&make());
        }
    }

    /// Whether the run shall stop.
    pub fn stop_requested(&self) -> bool {
        self.monitor.stop_requested()
    }
}

/// A time as `2026-11-22T22:31:47Z`.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    // Days to civil date; H. Hinnant, "chrono-compatible low-level date algorithms", public domain.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_of_known_instants() {
        // date -u -d @N
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(1_795_386_707)), "2026-11-22T22:31:47Z");
    }
}
