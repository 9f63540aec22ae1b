//! What people see while a run goes on: a bar on a terminal, plain lines in a batch log.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use amelo_runner::progress::{Monitor, Progress, eta_text};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Global;

/// Library events (warnings and, with -v, more) as lines on stderr.
pub fn start_events(global: Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => tracing::Level::ERROR,
        (_, 0) => tracing::Level::WARN,
        (_, 1) => tracing::Level::INFO,
        (_, 2) => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .log_internal_errors(false)
        .init();
}

/// Writes a line to stderr. Where nobody reads it any more, as behind `2>&1 | head`, the work goes on unheard.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Interval of plain progress lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress of a run on stderr.
pub struct Terminal {
    quiet: bool,
    bar: Option<ProgressBar>,
    last_line: Mutex<Option<Instant>>,
    stop: Arc<AtomicBool>,
}

impl Terminal {
    /// A monitor that also hears SIGINT and SIGTERM.
    pub fn new(global: Global) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // The second signal of a kind ends the process at once, should the first not get through.
            let _ = signal_hook::flag::register_conditional_shutdown(signal, 75, Arc::clone(&stop));
            let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
        }
        let bar = (std::io::stderr().is_terminal() && !global.quiet).then(|| {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix:.bold} {bar:30} {pos}/{len} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Terminal { quiet: global.quiet, bar, last_line: Mutex::new(None), stop }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Monitor for Terminal {
    fn message(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn progress(&self, p: &Progress) {
        if self.quiet {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_length(p.n_steps);
            bar.set_position(p.step);
            bar.set_prefix(p.stage.clone());
            bar.set_message(p.text());
            return;
        }
        let mut last = self.last_line.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if last.is_none_or(|t| t.elapsed() >= LINE_EVERY) || p.step == p.n_steps {
            *last = Some(Instant::now());
            say(&format!("  {} {}/{} {} (ETA {})", p.stage, p.step, p.n_steps, p.text(), eta_text(p.eta_seconds)));
        }
    }

    fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
