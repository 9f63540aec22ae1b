//! Frames by number, as Python slices them: `A:B:S`, negative numbers from the end.

use crate::error::Problem;

/// `A:B:S`, each part optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    /// One number instead of a slice.
    single: bool,
}

impl Slice {
    /// `:`
    pub const ALL: Slice = Slice { start: None, stop: None, step: 1, single: false };
    /// `-1`
    pub const LAST: Slice = Slice { start: Some(-1), stop: None, step: 1, single: true };

    /// Reads `A:B:S`, `A:B`, or one number.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |what: &str| {
            Problem::new(format!("--frames {text}: {what}"))
                .help("write a slice as in Python: 0, -1, :, ::10, 100:200, -50:")
        };
        let parts: Vec<&str> = text.trim().split(':').map(str::trim).collect();
        let number = |part: &str| match part {
            "" => Ok(None),
            _ => part.parse::<i64>().map(Some).map_err(|_| wrong(&format!("\"{part}\" is not a whole number"))),
        };
        match parts.as_slice() {
            [""] => Err(wrong("it is empty")),
            [one] => Ok(Slice { start: number(one)?, stop: None, step: 1, single: true }),
            [start, stop, rest @ ..] if rest.len() < 2 => {
                let step = rest.first().map_or(Ok(None), |s| number(s))?.unwrap_or(1);
                if step == 0 {
                    return Err(wrong("the step is 0"));
                }
                Ok(Slice { start: number(start)?, stop: number(stop)?, step, single: false })
            }
            _ => Err(wrong("it has more than two colons")),
        }
    }

    /// The frames chosen of `n`, in the order asked for; at least one.
    pub fn of(self, n: usize) -> Result<Vec<usize>, Problem> {
        let none = |what: &str| {
            let range = if n == 0 { "there are none".into() } else { format!("there are frames 0 to {}", n - 1) };
            Problem::new(format!("--frames {what}")).help(range)
        };
        let length = n as i64;
        let from_end = |k: i64| if k < 0 { k.saturating_add(length) } else { k };
        if self.single {
            let k = from_end(self.start.unwrap_or(-1));
            return if (0..length).contains(&k) {
                Ok(vec![k as usize])
            } else {
                Err(none("names a frame that is not there"))
            };
        }
        let mut chosen = Vec::new();
        if self.step > 0 {
            let start = self.start.map_or(0, from_end).max(0);
            let stop = self.stop.map_or(length, from_end).min(length);
            let mut k = start;
            while k < stop {
                chosen.push(k as usize);
                k = k.saturating_add(self.step);
            }
        } else {
            let start = self.start.map_or(length - 1, from_end).min(length - 1);
            let stop = self.stop.map_or(-1, |k| from_end(k).max(-1));
            let mut k = start;
            while k > stop {
                chosen.push(k as usize);
                k = k.saturating_add(self.step);
            }
        }
        if chosen.is_empty() { Err(none("selects no frame")) } else { Ok(chosen) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python 3 answers for list(range(7))[slice].
    #[test]
    fn slices_are_those_of_python() {
        let cases: [(&str, &[usize]); 12] = [
            (":", &[0, 1, 2, 3, 4, 5, 6]),
            ("::3", &[0, 3, 6]),
            ("2:5", &[2, 3, 4]),
            ("-2:", &[5, 6]),
            (":-5", &[0, 1]),
            ("::-2", &[6, 4, 2, 0]),
            ("5:1:-2", &[5, 3]),
            ("-100:2", &[0, 1]),
            ("4:100", &[4, 5, 6]),
            ("1::100", &[1]),
            ("3", &[3]),
            ("-1", &[6]),
        ];
        for (text, expected) in cases {
            assert_eq!(Slice::parse(text).unwrap().of(7).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_selects_nothing_or_is_no_slice_is_refused() {
        for text in ["5:2", "7", "-8", "100:", "3:-100:1"] {
            assert!(Slice::parse(text).unwrap().of(7).is_err(), "{text}");
        }
        for text in ["", "a", "1:b", "::0", "1:2:3:4", "1.5", "9999999999999999999"] {
            assert!(Slice::parse(text).is_err(), "{text}");
        }
        assert!(Slice::ALL.of(0).is_err());
        assert_eq!(
            Slice::parse("-9223372036854775808:9223372036854775807:9223372036854775807").unwrap().of(3).unwrap(),
            [0]
        );
    }
}
