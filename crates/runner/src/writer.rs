//! Files written on a thread of their own: integration goes on while HDF5 compresses and the disk works.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use amelo_core::Topology;
use amelo_io::h5md::{OwnedFrame, TrajectoryWriter};
use amelo_io::log::LogWriter;

use crate::error::RunnerError;

/// Orders that may wait: a row and a frame of the same step. Each frame that waits is a copy in memory.
const WAITING: usize = 2;

/// The files of a run that grow. While a [`Writer`] has them, it makes all calls of HDF5: the library does one at a
/// time whoever asks.
pub struct Files {
    /// Rows of the log.
    pub log: LogWriter,
    /// Frames, where a stage wants some.
    pub trajectory: Option<TrajectoryWriter>,
}

impl Files {
    /// A frame behind the others.
    pub fn append(&mut self, frame: &OwnedFrame, topology: &Topology) -> Result<(), RunnerError> {
        match &mut self.trajectory {
            Some(trajectory) => Ok(trajectory.append(&frame.as_frame(topology), &frame.observables)?),
            None => Ok(()),
        }
    }

    /// Everything recorded so far onto the disk.
    pub fn flush(&mut self) -> Result<(), RunnerError> {
        self.log.flush()?;
        if let Some(trajectory) = &mut self.trajectory {
            trajectory.flush()?;
        }
        Ok(())
    }

    fn close(mut self) -> Result<(), RunnerError> {
        self.log.flush()?;
        if let Some(trajectory) = self.trajectory.take() {
            trajectory.close()?;
        }
        Ok(())
    }
}

/// Something to write.
type Order = Box<dyn FnOnce(&mut Files) -> Result<(), RunnerError> + Send>;

/// Carries out orders one after another, on its own thread. After one that failed it carries out none.
pub struct Writer {
    /// None once it was closed.
    orders: Option<SyncSender<Order>>,
    /// None once its end was told.
    thread: Option<JoinHandle<Result<(), RunnerError>>>,
}

impl Writer {
    /// Takes `files` over.
    ///
    /// # Errors
    /// [`RunnerError::Files`] where the system gives no thread.
    pub fn new(files: Files) -> Result<Self, RunnerError> {
        let (orders, heard) = sync_channel(WAITING);
        let thread = thread::Builder::new().name("writer".into()).spawn(move || serve(files, heard)).map_err(|e| {
            RunnerError::Files {
                message: format!("cannot start the thread that writes the files: {e}"),
                help: "allow this user more threads (ulimit -u)".into(),
            }
        })?;
        Ok(Writer { orders: Some(orders), thread: Some(thread) })
    }

    /// Leaves an order; waits only where two wait already.
    ///
    /// # Errors
    /// What became of an earlier order that failed.
    pub fn order(
        &mut self,
        order: impl FnOnce(&mut Files) -> Result<(), RunnerError> + Send + 'static,
    ) -> Result<(), RunnerError> {
        match &self.orders {
            Some(orders) if orders.send(Box::new(order)).is_ok() => Ok(()),
            _ => self.ended_early(),
        }
    }

    /// Waits until every order is carried out.
    ///
    /// # Errors
    /// That of the first order that failed.
    pub fn wait(&mut self) -> Result<(), RunnerError> {
        let (done, heard) = sync_channel(1);
        self.order(move |_| {
            // That nobody listens any more is no failure of the files.
            let _ = done.send(());
            Ok(())
        })?;
        if heard.recv().is_ok() { Ok(()) } else { self.ended_early() }
    }

    /// Carries out what waits and closes the files.
    ///
    /// # Errors
    /// As [`Writer::wait`]; none where that error was told before.
    pub fn close(mut self) -> Result<(), RunnerError> {
        self.join()
    }

    /// The error for which the thread takes no orders any more.
    fn ended_early(&mut self) -> Result<(), RunnerError> {
        self.join()?;
        Err(RunnerError::Bug("an order for files that are closed".into()))
    }

    fn join(&mut self) -> Result<(), RunnerError> {
        self.orders = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    /// Nothing is lost that was ordered, whatever ended the run.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut files: Files, orders: Receiver<Order>) -> Result<(), RunnerError> {
    let served = orders.iter().try_for_each(|order| order(&mut files));
    // No order waits for one that will not be carried out.
    drop(orders);
    // Frames and rows up to here are good whatever happened.
    let closed = files.close();
    served.and(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(directory: &std::path::Path) -> Writer {
        let log = LogWriter::create(directory, &["value".into()]).unwrap();
        Writer::new(Files { log, trajectory: None }).unwrap()
    }

    fn row(writer: &mut Writer, step: u64) -> Result<(), RunnerError> {
        writer.order(move |files| Ok(files.log.append(step, &[0.5])?))
    }

    fn rows(directory: &std::path::Path) -> Vec<String> {
        let text = std::fs::read_to_string(directory.join(amelo_io::log::FILE_NAME)).unwrap();
        text.lines().skip(1).map(String::from).collect()
    }

    #[test]
    fn more_orders_than_may_wait_are_carried_out_in_turn() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(directory.path());
        for step in 0..100 {
            row(&mut writer, step).unwrap();
        }
        writer.wait().unwrap();
        let expected: Vec<String> = (0..100).map(|step| format!("{step},0.5")).collect();
        assert_eq!(rows(directory.path()), expected);
        row(&mut writer, 100).unwrap();
        drop(writer);
        assert_eq!(rows(directory.path()).len(), 101, "a row ordered before the end");
    }

    #[test]
    fn an_error_comes_back_with_its_exit_code_and_nothing_is_written_after_it() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(directory.path());
        row(&mut writer, 1).unwrap();
        writer.order(|files| Ok(files.log.append(2, &[0.5, 0.5])?)).unwrap();
        // It comes with one of the calls that follow; those that were quicker than the thread succeed.
        let error = (3..1000).find_map(|step| row(&mut writer, step).err()).expect("the thread has ended");
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().contains("2 values for 1 columns"), "{error}");
        assert_eq!(rows(directory.path()), ["1,0.5"]);
        assert!(writer.wait().is_err(), "not another time as if all were well");
    }

    #[test]
    fn waiting_tells_of_an_order_that_failed() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(directory.path());
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        writer.order(move |_| Err(RunnerError::file("log.csv".as_ref(), "write", &full))).unwrap();
        let error = writer.wait().expect_err("a full disk");
        assert!(error.exit_code() == 4 && error.to_string().starts_with("cannot write log.csv"), "{error}");
    }
}
