//! Which part of a step takes how long.
//!
//! The libraries below `runner` know no clock. They mark their parts with `tracing` spans at level TRACE: `prepare`
//! and one `term` per force term (`amelo_core::TermSum`), one `propagator` per propagator (`amelo_dynamics::Integrator`),
//! `constraints`; the runner's own loop adds `step` and `output`. A [`Stopwatch`] is a subscriber that reads the clock
//! where a span begins and ends. Each instant belongs to the innermost span that is open on the integrating thread, so
//! that the parts add up to the whole. Where other threads whose spans are heard too are at work beside it (terms beside
//! those of long range; `segment`, and the `constraints` within), an instant is shared among all their innermost spans;
//! the integrating thread has a share where its own span works and does not wait. Where nobody listens a span is one
//! comparison.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// What `work` returns, and its wall time.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// Wall time per step (ms) by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Breakdown {
    /// Pairs within the cut-off: van der Waals and real-space Coulomb.
    pub pair: f64,
    /// Pair lists: the check whether they still hold, and their building.
    pub neighbor: f64,
    /// Bonds, angles, torsions, scaled (1-4) pairs.
    pub bonded: f64,
    /// Reciprocal space with its corrections (Ewald's sum too), slab correction.
    pub pme: f64,
    /// Distances held fixed.
    pub constraints: f64,
    /// Kicks, drifts, thermostat, barostat.
    pub integrate: f64,
    /// Observables, log and trajectory.
    pub output: f64,
    /// The rest: external terms, checks, the loop itself.
    pub other: f64,
}

impl Breakdown {
    /// Names and values, in the order of the fields.
    pub fn rows(&self) -> [(&'static str, f64); 8] {
        [
            ("pair", self.pair),
            ("neighbor", self.neighbor),
            ("bonded", self.bonded),
            ("pme", self.pme),
            ("constraints", self.constraints),
            ("integrate", self.integrate),
            ("output", self.output),
            ("other", self.other),
        ]
    }
}

/// The key of [`Breakdown`] that a span counts for; none where it only divides the part around it.
fn part(span: &str, name: &str) -> Option<&'static str> {
    Some(match (span, name) {
        ("prepare", _) => "neighbor",
        ("term", "nonbonded") => "pair",
        ("term", "bonded" | "pairs_14") => "bonded",
        ("term", "coulomb_reciprocal" | "slab_correction") => "pme",
        // The propagator that asks for forces: what it does itself is not integration.
        ("propagator", "evaluate") => "other",
        ("propagator", _) => "integrate",
        ("constraints", _) => "constraints",
        ("output", _) => "output",
        ("term" | "step", _) => "other",
        _ => return None,
    })
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Wall time per step (ms).
    pub ms_per_step: f64,
    /// The same of each tenth of the steps: how quiet the machine was.
    pub tenths_ms: Vec<f64>,
    /// Wall time per step (ms) by part.
    pub breakdown: Breakdown,
    /// The same by span, in the order in which they first ran; without what runs in spans inside.
    pub spans: Vec<(String, f64)>,
}

/// A subscriber that measures the steps `skip` + 1 to `skip` + `steps` of the thread that integrates.
pub struct Stopwatch {
    skip: u64,
    steps: u64,
    /// Who hears events meanwhile.
    events: Dispatch,
    /// The thread that integrates.
    thread: ThreadId,
    state: Mutex<State>,
}

/// A span by its name and its field `name`.
struct Row {
    span: &'static str,
    name: String,
    time: Duration,
}

#[derive(Default)]
struct State {
    /// Spans met so far; a span's place, counted from 1, is its `Id`.
    rows: Vec<Row>,
    /// Time by key of [`Breakdown`].
    parts: BTreeMap<&'static str, Duration>,
    /// Open spans of the integrating thread, each with the key that it counts for.
    open: Vec<(usize, &'static str)>,
    /// Up to here time has been given away.
    mark: Option<Instant>,
    /// Other threads: their open spans, and the instant up to which their time has been given away.
    others: Vec<(ThreadId, Vec<usize>, Instant)>,
    /// Time of other threads by span, not yet given away.
    beside: BTreeMap<usize, Duration>,
    steps_done: u64,
    began: Option<Instant>,
    ended: Option<Instant>,
    tenths: Vec<Instant>,
}

impl State {
    /// Gives the time since the last mark to the innermost open span of the integrating thread and to what other threads
    /// did meanwhile.
    fn advance(&mut self, now: Instant) {
        let running = self.began.is_some() && self.ended.is_none();
        for (_, open, mark) in &mut self.others {
            if let Some(row) = open.last() {
                *self.beside.entry(*row).or_default() += now - *mark;
            }
            *mark = now;
        }
        let beside = std::mem::take(&mut self.beside);
        let Some(mark) = self.mark.replace(now).filter(|_| running) else { return };
        let (row, key) = self.open.last().map_or((None, "other"), |&(row, key)| (Some(row), key));
        let interval = now - mark;
        let works =
            row.is_some_and(|row| matches!(self.rows[row].span, "prepare" | "term" | "segment" | "constraints"));
        let all = beside.values().sum::<Duration>() + if works { interval } else { Duration::ZERO };
        let mut left = interval;
        for (inner, time) in beside {
            let Some(own) = part(self.rows[inner].span, &self.rows[inner].name) else { continue };
            let share = interval.mul_f64(time.div_duration_f64(all)).min(left);
            *self.parts.entry(if key == "output" { key } else { own }).or_default() += share;
            self.rows[inner].time += share;
            left -= share;
        }
        *self.parts.entry(key).or_default() += left;
        if let Some(row) = row {
            self.rows[row].time += left;
        }
    }

    /// A span begins (`Some`) or ends on another thread.
    fn beside(&mut self, thread: ThreadId, entered: Option<usize>, now: Instant) {
        let place = self.others.iter().position(|(id, ..)| *id == thread).unwrap_or_else(|| {
            self.others.push((thread, Vec::new(), now));
            self.others.len() - 1
        });
        let (_, open, mark) = &mut self.others[place];
        if let Some(row) = open.last() {
            *self.beside.entry(*row).or_default() += now - *mark;
        }
        *mark = now;
        match entered {
            Some(row) => open.push(row),
            None => drop(open.pop()),
        }
    }
}

impl Stopwatch {
    /// A stopwatch for `steps` steps after the first `skip`, both positive, of the calling thread. Events go on to the
    /// present subscriber.
    pub fn new(skip: u64, steps: u64) -> Self {
        let events = tracing::dispatcher::get_default(Dispatch::clone);
        Stopwatch { skip, steps, events, thread: thread::current().id(), state: Mutex::default() }
    }

    /// Steps in a tenth.
    fn tenth(&self) -> u64 {
        self.steps.div_ceil(10)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was measured; none before the last step has ended.
    pub fn reading(&self) -> Option<Reading> {
        let state = self.state();
        let (began, ended) = state.began.zip(state.ended)?;
        let per_step = |d: Duration, steps: u64| d.as_secs_f64() * 1e3 / steps as f64;
        let of = |key: &str| per_step(state.parts.get(key).copied().unwrap_or_default(), self.steps);
        let bounds: Vec<Instant> = std::iter::once(began).chain(state.tenths.iter().copied()).collect();
        let spans = state.rows.iter().map(|row| {
            let gap = if row.name.is_empty() { "" } else { " " };
            (format!("{}{gap}{}", row.span, row.name), per_step(row.time, self.steps))
        });
        Some(Reading {
            ms_per_step: per_step(ended - began, self.steps),
            tenths_ms: bounds.windows(2).map(|w| per_step(w[1] - w[0], self.tenth())).collect(),
            breakdown: Breakdown {
                pair: of("pair"),
                neighbor: of("neighbor"),
                bonded: of("bonded"),
                pme: of("pme"),
                constraints: of("constraints"),
                integrate: of("integrate"),
                output: of("output"),
                other: of("other"),
            },
            spans: spans.collect(),
        })
    }

    /// A step has ended.
    fn step_ended(&self, state: &mut State, now: Instant) {
        state.steps_done += 1;
        let timed = state.steps_done.saturating_sub(self.skip);
        if state.steps_done == self.skip {
            state.began = Some(now);
        } else if timed > 0 && timed <= self.steps {
            if timed.is_multiple_of(self.tenth()) {
                state.tenths.push(now);
            }
            if timed == self.steps {
                state.ended = Some(now);
            }
        }
    }
}

impl Subscriber for Stopwatch {
    fn enabled(&self, metadata: &Metadata) -> bool {
        if metadata.is_event() { self.events.enabled(metadata) } else { metadata.target().starts_with("amelo") }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn new_span(&self, attributes: &Attributes) -> Id {
        let mut name = Name::default();
        attributes.record(&mut name);
        let span = attributes.metadata().name();
        let rows = &mut self.state().rows;
        let row = rows.iter().position(|row| row.span == span && row.name == name.0).unwrap_or_else(|| {
            rows.push(Row { span, name: name.0.clone(), time: Duration::ZERO });
            rows.len() - 1
        });
        Id::from_u64(row as u64 + 1)
    }

    fn enter(&self, id: &Id) {
        let row = id.into_u64() as usize - 1;
        let thread = thread::current().id();
        let mut state = self.state();
        let now = Instant::now();
        if thread != self.thread {
            return state.beside(thread, Some(row), now);
        }
        state.advance(now);
        let around = state.open.last().map_or("other", |&(_, key)| key);
        // What output needs, such as the constraints' virial, is its own.
        let own = part(state.rows[row].span, &state.rows[row].name).filter(|_| around != "output");
        state.open.push((row, own.unwrap_or(around)));
    }

    fn exit(&self, _: &Id) {
        let thread = thread::current().id();
        let mut state = self.state();
        let now = Instant::now();
        if thread != self.thread {
            return state.beside(thread, None, now);
        }
        state.advance(now);
        if let Some((row, _)) = state.open.pop()
            && state.rows[row].span == "step"
        {
            self.step_ended(&mut state, now);
        }
    }

    fn event(&self, event: &Event) {
        self.events.event(event);
    }

    fn record(&self, _: &Id, _: &Record) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

/// The field `name` of a span.
#[derive(Default)]
struct Name(String);

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.0.push_str(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests;
