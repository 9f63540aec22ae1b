//! Where time goes, with spans that sleep.

use super::*;
use std::sync::Arc;
use tracing::trace_span;

fn wait(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn measured(skip: u64, steps: u64, mut step: impl FnMut(u64)) -> Option<Reading> {
    let watch = Arc::new(Stopwatch::new(skip, steps));
    tracing::subscriber::with_default(Arc::clone(&watch), || {
        for k in 1..=skip + steps {
            let _step = trace_span!("step").entered();
            step(k);
        }
    });
    watch.reading()
}

/// Sleeping takes at least as long as asked for, so lower bounds hold on any machine.
#[test]
fn time_goes_to_the_innermost_span_and_the_parts_add_up() {
    let reading = measured(1, 2, |_| {
        let _drift = trace_span!("propagator", name = "drift").entered();
        wait(2);
        trace_span!("constraints").in_scope(|| wait(4));
        trace_span!("propagator", name = "evaluate").in_scope(|| {
            trace_span!("prepare").in_scope(|| wait(6));
            trace_span!("term", name = "nonbonded").in_scope(|| wait(8));
            trace_span!("term", name = "coulomb_reciprocal").in_scope(|| {
                trace_span!("spread").in_scope(|| wait(3));
                trace_span!("gather").in_scope(|| wait(1));
            });
            trace_span!("term", name = "bonded").in_scope(|| wait(5));
        });
        trace_span!("output").in_scope(|| trace_span!("constraints").in_scope(|| wait(7)));
    })
    .expect("all steps ended");
    let expected = Breakdown {
        integrate: 2.0,
        constraints: 4.0,
        neighbor: 6.0,
        pair: 8.0,
        pme: 4.0,
        bonded: 5.0,
        output: 7.0,
        other: 0.0,
    };
    let sum: f64 = reading.breakdown.rows().iter().map(|r| r.1).sum();
    for ((name, found), (_, least)) in reading.breakdown.rows().into_iter().zip(expected.rows()) {
        assert!(found >= least, "{name}: {found} ms, at least {least}");
        // What else there is of the 36 ms belongs elsewhere.
        assert!(found <= sum - 36.0 + least + 1e-9, "{name}: {found} ms of {sum}");
    }
    assert!((sum - reading.ms_per_step).abs() < 1e-9 * sum, "{sum} {}", reading.ms_per_step);
    let spread = reading.spans.iter().find(|(name, _)| name == "spread").expect("a row of its own");
    assert!(spread.1 >= 3.0 && spread.1 < reading.breakdown.pme);
}

#[test]
fn time_of_waiting_for_other_threads_is_shared_as_they_spent_it() {
    let reading = measured(1, 2, |_| {
        let _kick = trace_span!("propagator", name = "kick").entered();
        let listener = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&listener, || {
                        let _segment = trace_span!("segment").entered();
                        wait(10);
                        trace_span!("constraints").in_scope(|| wait(30));
                    });
                });
            }
        });
    })
    .expect("all steps ended");
    let Breakdown { constraints, integrate, other, .. } = reading.breakdown;
    assert!(constraints + integrate >= 40.0, "{reading:?}");
    assert!((constraints + integrate + other - reading.ms_per_step).abs() < 1e-9 * reading.ms_per_step);
    // Three quarters, but for what sleeping takes longer than asked for.
    let share = constraints / (constraints + integrate);
    assert!((0.5..0.9).contains(&share), "{reading:?}");
}

#[test]
fn terms_side_by_side_share_the_time() {
    let reading = measured(1, 2, |_| {
        let _evaluate = trace_span!("propagator", name = "evaluate").entered();
        let listener = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&listener, || {
                    trace_span!("term", name = "nonbonded").in_scope(|| wait(60));
                });
            });
            trace_span!("term", name = "coulomb_reciprocal").in_scope(|| wait(20));
        });
    })
    .expect("all steps ended");
    // 20 ms for two, then 40 ms for the pairs alone.
    let Breakdown { pair, pme, .. } = reading.breakdown;
    assert!(pair + pme >= 60.0 - 1e-6, "{reading:?}");
    assert!((0.08..0.35).contains(&(pme / (pair + pme))), "{reading:?}");
}

#[test]
fn first_steps_do_not_count_and_tenths_cover_the_rest() {
    let reading = measured(2, 20, |k| wait(if k <= 2 { 50 } else { 1 })).expect("all steps ended");
    let mean = reading.tenths_ms.iter().sum::<f64>() / 10.0;
    assert_eq!(reading.tenths_ms.len(), 10);
    assert!((mean - reading.ms_per_step).abs() < 1e-9 * mean);
    assert!(reading.ms_per_step >= 1.0 && reading.tenths_ms.iter().all(|t| *t >= 1.0));
    // Had a slow one counted, the mean would be 3.4 ms.
    let least = reading.tenths_ms.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(least < 3.4, "{least}");
}

#[test]
fn nothing_is_told_before_the_end() {
    let watch = Arc::new(Stopwatch::new(1, 3));
    tracing::subscriber::with_default(Arc::clone(&watch), || {
        for _ in 0..3 {
            trace_span!("step").in_scope(|| {});
        }
    });
    assert_eq!(watch.reading(), None);
}
