//! Plots as SVG: labelled axes with units, error bands, a legend beside the plot, decades on logarithmic axes.
//!
//! Both kinds of axis are one linear coordinate with ticks of our own, a logarithmic one in log₁₀ of its values.

use amelo_analysis::{Curve, LogScale};
use amelo_math::special::{ln, pow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// One line of a plot.
#[derive(Clone, Debug)]
pub struct Line {
    /// Text in the legend.
    pub label: String,
    /// Abscissae.
    pub x: Vec<f64>,
    /// Ordinates; NaN leaves a gap.
    pub y: Vec<f64>,
    /// Half-widths of the 95 % intervals, drawn as a band.
    pub error: Option<Vec<f64>>,
    /// Which colour of the palette.
    pub colour: usize,
    /// Which dash: 0 is solid. Runs that are compared share colours and differ in dash.
    pub dash: usize,
}

/// A plot before it is drawn.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Text above the plot.
    pub title: String,
    /// Text below the abscissa, with its unit.
    pub x_label: String,
    /// Text beside the ordinate, with its unit.
    pub y_label: String,
    /// The lines.
    pub lines: Vec<Line>,
    /// Logarithmic axes.
    pub log: LogScale,
    /// A dashed horizontal line that the eye compares with, for example α = 1.
    pub guide: Option<f64>,
}

/// A plot that could not be drawn.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the plot \"{title}\" could not be drawn: {message}")]
pub struct PlotError {
    /// Its title.
    pub title: String,
    /// What the drawing library said.
    pub message: String,
}

/// Colours that people with any colour vision tell apart: six of M. Okabe, K. Ito, Color Universal Design (2008), then
/// a grey and a brown.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(140, 86, 75),
];

const INK: RGBColor = RGBColor(34, 40, 49);
const GRID: RGBColor = RGBColor(228, 231, 236);
const FAINT: RGBColor = RGBColor(243, 244, 247);
const HEIGHT: u32 = 400;
const PLOT_WIDTH: u32 = 600;

impl Plot {
    /// The plot of a curve; each series' label is prefixed by `run` where several runs are compared.
    pub fn of(curves: &[(Option<&str>, &Curve)]) -> Option<Plot> {
        let (_, first) = curves.first()?;
        let series_unit = first.series.first()?.unit.clone();
        let lines = curves.iter().enumerate().flat_map(|(dash, (run, curve))| {
            curve.series.iter().enumerate().map(move |(colour, s)| Line {
                colour,
                dash,
                label: run.map_or_else(|| s.name.clone(), |run| format!("{run}: {}", s.name)),
                x: curve.x.values.clone(),
                y: s.values.clone(),
                error: s.error.clone(),
            })
        });
        let title = &first.name;
        let capital = title.chars().next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
        Some(Plot {
            title: capital + title.chars().skip(1).collect::<String>().as_str(),
            x_label: axis_label(&first.x.name, &first.x.unit),
            y_label: axis_label(&first.symbol, &series_unit),
            lines: lines.collect(),
            log: first.log,
            guide: matches!(first.symbol.as_str(), "α(t)" | "g(r)" | "R(t)").then_some(1.0),
        })
    }

    /// The plot as an SVG document.
    pub fn svg(&self) -> Result<String, PlotError> {
        let mut svg = String::new();
        let longest = self.lines.iter().map(|l| l.label.chars().count()).max().unwrap_or(0) as u32;
        // Without a font at hand: 6.4 px per letter at 12 px is on the safe side for any sans-serif.
        let legend_width = (56 + longest * 32 / 5).clamp(150, 460);
        let height = HEIGHT.max(80 + 20 * self.lines.len() as u32);
        {
            let root = SVGBackend::with_string(&mut svg, (PLOT_WIDTH + legend_width, height)).into_drawing_area();
            self.draw(&root).map_err(|message| PlotError { title: self.title.clone(), message })?;
        }
        Ok(svg)
    }

    fn draw(&self, root: &DrawingArea<SVGBackend, Shift>) -> Result<(), String> {
        let text = |e: DrawingAreaErrorKind<_>| e.to_string();
        root.fill(&WHITE).map_err(text)?;
        let (left, right) = root.split_horizontally(PLOT_WIDTH);
        let points = |axis: usize| self.extent(axis);
        let x = Ticks::new(points(0), self.log.x, 0.0);
        let y = Ticks::new(points(1), self.log.y, 0.06);
        let mut chart = ChartBuilder::on(&left)
            .caption(&self.title, ("sans-serif", 17, FontStyle::Bold, &INK))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(text)?;
        let font = |size: u32| ("sans-serif", size).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .axis_desc_style(font(14))
            .label_style(font(12))
            .axis_style(INK.stroke_width(1))
            .bold_line_style(GRID.stroke_width(1))
            .light_line_style(FAINT.stroke_width(1))
            .x_label_formatter(&|v| x.text(*v))
            .y_label_formatter(&|v| y.text(*v))
            .draw()
            .map_err(text)?;
        if let Some(level) = self.guide.map(|g| y.place(g)).filter(|v| y.contains(*v)) {
            let dash = DashedLineSeries::new([(x.low, level), (x.high, level)], 6, 4, INK.mix(0.5).stroke_width(1));
            chart.draw_series(dash).map_err(text)?;
        }
        for line in &self.lines {
            let colour = PALETTE[line.colour % PALETTE.len()];
            for band in line.bands(&x, &y) {
                chart.draw_series([Polygon::new(band, colour.mix(0.16))]).map_err(text)?;
            }
        }
        for line in &self.lines {
            let style = PALETTE[line.colour % PALETTE.len()].stroke_width(2);
            for stretch in line.stretches(&x, &y) {
                match stretch.as_slice() {
                    &[point] => chart.draw_series([Circle::new(point, 2, style.filled())]).map_err(text)?,
                    _ => match line.dashes() {
                        None => chart.draw_series(LineSeries::new(stretch, style)).map_err(text)?,
                        Some((on, off)) => {
                            chart.draw_series(DashedLineSeries::new(stretch, on, off, style)).map_err(text)?
                        }
                    },
                };
            }
        }
        for (k, line) in self.lines.iter().enumerate() {
            let (colour, row) = (PALETTE[line.colour % PALETTE.len()], 54 + 20 * k as i32);
            let swatch = Rectangle::new([(4, row - 6), (28, row + 6)], colour.mix(0.16).filled());
            right.draw(&swatch).map_err(text)?;
            let (ends, style) = ([(4, row), (28, row)], colour.stroke_width(2));
            match line.dashes() {
                None => right.draw(&PathElement::new(ends, style)).map_err(text)?,
                Some((on, off)) => right.draw(&DashedPathElement::new(ends, on, off, style)).map_err(text)?,
            }
            right.draw(&Text::new(line.label.clone(), (36, row - 6), font(12))).map_err(text)?;
        }
        if self.lines.iter().any(|l| l.error.is_some()) {
            let row = 60 + 20 * self.lines.len() as i32;
            let note =
                Text::new("bands: 95 % interval", (4, row - 6), ("sans-serif", 11).into_font().color(&INK.mix(0.6)));
            right.draw(&note).map_err(text)?;
        }
        root.present().map_err(text)
    }

    /// Smallest and largest value along an axis. Bands widen the ordinate, but a huge one does not flatten the lines.
    fn extent(&self, axis: usize) -> [f64; 2] {
        let log = if axis == 0 { self.log.x } else { self.log.y };
        let mut plain = [f64::INFINITY, f64::NEG_INFINITY];
        let mut banded = plain;
        let take = |bounds: &mut [f64; 2], v: f64| {
            if v.is_finite() && (!log || v > 0.0) {
                *bounds = [bounds[0].min(v), bounds[1].max(v)];
            }
        };
        for line in &self.lines {
            for k in 0..line.x.len() {
                let v = if axis == 0 { line.x[k] } else { line.y[k] };
                take(&mut plain, v);
                if let Some(error) = line.error.as_ref().filter(|_| axis == 1) {
                    take(&mut banded, v - error[k]);
                    take(&mut banded, v + error[k]);
                }
            }
        }
        if axis == 1 && !log {
            self.guide.into_iter().for_each(|g| take(&mut plain, g));
        }
        if plain[0] > plain[1] {
            return if log { [0.1, 1.0] } else { [0.0, 1.0] };
        }
        if log {
            return [plain[0].min(banded[0]).max(plain[0] / 3.0), plain[1].max(banded[1]).min(plain[1] * 3.0)];
        }
        let room = 0.6 * (plain[1] - plain[0]).max(1e-12 * plain[1].abs());
        [plain[0].min(banded[0].max(plain[0] - room)), plain[1].max(banded[1].min(plain[1] + room))]
    }
}

impl Line {
    /// Lengths of dash and gap (pixels) where the line is not solid.
    fn dashes(&self) -> Option<(u32, u32)> {
        const PATTERNS: [(u32, u32); 3] = [(7, 4), (2, 3), (12, 4)];
        (self.dash > 0).then(|| PATTERNS[(self.dash - 1) % PATTERNS.len()])
    }

    /// The line cut at its gaps, in plot coordinates.
    fn stretches(&self, x: &Ticks, y: &Ticks) -> Vec<Vec<(f64, f64)>> {
        let point = |k: usize| (x.place(self.x[k]), y.place(self.y[k]));
        let points: Vec<(f64, f64)> = (0..self.x.len()).map(point).collect();
        let stretches = points.split(|(a, b)| !(a.is_finite() && b.is_finite()));
        stretches.filter(|s| !s.is_empty()).map(<[(f64, f64)]>::to_vec).collect()
    }

    /// The bands between lower and upper bound, clipped to the plot.
    fn bands(&self, x: &Ticks, y: &Ticks) -> Vec<Vec<(f64, f64)>> {
        let Some(error) = &self.error else { return vec![] };
        let bounds = |k: usize| {
            let (low, high) = (self.y[k] - error[k], self.y[k] + error[k]);
            // On a logarithmic axis a lower bound at or below zero is the bottom of the plot.
            let low = if y.log && low <= 0.0 { y.low } else { y.place(low) };
            (x.place(self.x[k]), low.clamp(y.low, y.high), y.place(high).clamp(y.low, y.high))
        };
        let all: Vec<(f64, f64, f64)> = (0..self.x.len()).map(bounds).collect();
        let stretches = all.split(|(a, low, high)| !(a.is_finite() && low.is_finite() && high.is_finite()));
        stretches
            .filter(|s| s.len() > 1)
            .map(|s| s.iter().map(|p| (p.0, p.1)).chain(s.iter().rev().map(|p| (p.0, p.2))).collect())
            .collect()
    }
}

/// `name [unit]`, the unit with raised exponents.
pub(crate) fn axis_label(name: &str, unit: &str) -> String {
    if unit == "1" { name.into() } else { format!("{name} [{}]", pretty_unit(unit)) }
}

/// `cm^2/s` as people write it: `cm²/s`.
pub(crate) fn pretty_unit(unit: &str) -> String {
    let mut out = String::new();
    let mut raised = false;
    for c in unit.chars() {
        match c {
            '^' => raised = true,
            '0'..='9' | '-' if raised => out.push(superscript(c)),
            _ => {
                raised = false;
                out.push(if c == '*' { ' ' } else { c });
            }
        }
    }
    out
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => char::from_u32('⁴' as u32 + (c as u32).saturating_sub('4' as u32)).unwrap_or(c),
    }
}

/// 10ⁿ with raised n.
pub(crate) fn power_of_ten(n: i32) -> String {
    format!("10{}", n.to_string().chars().map(superscript).collect::<String>())
}

/// An axis: its range and its ticks, in plot coordinates (log₁₀ where logarithmic).
#[derive(Clone, Debug)]
struct Ticks {
    log: bool,
    low: f64,
    high: f64,
    labelled: Vec<f64>,
    minor: Vec<f64>,
    decimals: usize,
    scientific: bool,
}

impl Ticks {
    /// An axis over `bounds`, with `margin` of its length to spare at either end.
    fn new([low, high]: [f64; 2], log: bool, margin: f64) -> Ticks {
        let (low, high) = if log { (log10(low), log10(high)) } else { (low, high) };
        let room = margin * (high - low) + if high > low { 0.0 } else { 0.5 * low.abs().max(0.2) };
        let (low, high) = (low - room, high + room);
        let mut ticks = Ticks { log, low, high, labelled: vec![], minor: vec![], decimals: 0, scientific: false };
        if log {
            ticks.decades()
        } else {
            ticks.even()
        }
        ticks
    }

    /// Labels at 1, 2 or 5 times a power of ten, about six of them.
    fn even(&mut self) {
        let rough = (self.high - self.low) / 6.0;
        let power = pow(10.0, log10(rough).floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough * 0.999).unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        self.labelled = (first..).map(|k| k as f64 * step).take_while(|v| *v <= self.high + 1e-9 * step).collect();
        self.minor = self.labelled.clone();
        self.decimals = (-log10(step) + 0.999).floor().max(0.0) as usize;
        let largest = self.low.abs().max(self.high.abs());
        self.scientific = largest >= 1e5 || step < 1e-4;
    }

    /// Labels at decades; at 1, 2, 5 where there are fewer than two decades; evenly where that leaves too few.
    fn decades(&mut self) {
        let span = self.high - self.low;
        let every = (span / 6.0).ceil().max(1.0) as i32;
        for n in self.low.floor() as i32..=self.high.ceil() as i32 {
            for m in 1..10 {
                let v = f64::from(n) + log10(f64::from(m));
                if self.contains(v) {
                    let label = if span < 2.0 { matches!(m, 1 | 2 | 5) } else { m == 1 && n.rem_euclid(every) == 0 };
                    if label {
                        self.labelled.push(v);
                    }
                    self.minor.push(v);
                }
            }
        }
        if self.labelled.len() < 3 {
            let values = Ticks::new([pow(10.0, self.low), pow(10.0, self.high)], false, 0.0);
            self.labelled = values.labelled.into_iter().filter(|v| *v > 0.0).map(log10).collect();
            self.minor.clone_from(&self.labelled);
        }
    }

    fn place(&self, value: f64) -> f64 {
        if !self.log {
            value
        } else if value > 0.0 {
            log10(value)
        } else {
            f64::NAN
        }
    }

    fn contains(&self, place: f64) -> bool {
        (self.low..=self.high).contains(&place)
    }

    fn text(&self, place: f64) -> String {
        if self.log {
            let n = place.floor() as i32;
            if (place - place.round()).abs() < 1e-9 && !(-2..=2).contains(&(place.round() as i32)) {
                return power_of_ten(place.round() as i32);
            }
            let value = pow(10.0, place);
            return if (-3..=3).contains(&n) {
                let text = format!("{value:.*}", (3 - n).max(0) as usize);
                if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
            } else {
                let mantissa = format!("{:.2}", value / pow(10.0, f64::from(n)));
                format!("{}·{}", mantissa.trim_end_matches('0').trim_end_matches('.'), power_of_ten(n))
            };
        }
        if self.scientific { format!("{place:.2e}") } else { format!("{place:.*}", self.decimals) }.replace('-', "−")
    }
}

impl Ranged for Ticks {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (value - self.low) / (self.high - self.low);
        from + (f64::from(to - from) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Plotters asks for few points first (the labelled ones), then for all the light ones.
        match hint.weight() {
            plotters::coord::ranged1d::KeyPointWeight::Bold => self.labelled.clone(),
            plotters::coord::ranged1d::KeyPointWeight::Any => self.minor.clone(),
        }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

fn log10(x: f64) -> f64 {
    ln(x) / std::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_ticks_read_like_print() {
        assert_eq!(pretty_unit("cm^2/s"), "cm²/s");
        assert_eq!(pretty_unit("nm^-3"), "nm⁻³");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
        let t = Ticks::new([0.013, 250.0], true, 0.0);
        let labels: Vec<String> = t.labelled.iter().map(|v| t.text(*v)).collect();
        assert_eq!(labels, ["0.1", "1", "10", "100"]);
        let t = Ticks::new([0.0415, 0.0523], true, 0.0);
        let labels: Vec<String> = t.labelled.iter().map(|v| t.text(*v)).collect();
        assert_eq!(labels, ["0.042", "0.044", "0.046", "0.048", "0.05", "0.052"]);
        let t = Ticks::new([0.0, 1.0], false, 0.0);
        let labels: Vec<String> = t.labelled.iter().map(|v| t.text(*v)).collect();
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn gaps_bands_and_labels_are_in_the_picture() {
        let line = Line {
            label: "PEO ether O".into(),
            x: vec![0.1, 0.2, 0.5, 1.0, 2.0],
            y: vec![0.01, 0.02, f64::NAN, 0.1, 0.2],
            error: Some(vec![0.001, 0.03, f64::NAN, 0.01, 0.02]),
            colour: 0,
            dash: 0,
        };
        let plot = Plot {
            title: "Mean squared displacement".into(),
            x_label: axis_label("lag time", "ps"),
            y_label: axis_label("g₁(t)", "nm^2"),
            lines: vec![line],
            log: LogScale { x: true, y: true },
            guide: None,
        };
        let svg = plot.svg().unwrap();
        assert_eq!(svg.matches("<polygon").count(), 2);
        for text in ["lag time [ps]", "g₁(t) [nm²]", "PEO ether O", "95 % interval", "Mean squared displacement"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn an_empty_plot_is_still_a_picture() {
        let empty = Line { label: "none".into(), x: vec![1.0], y: vec![f64::NAN], error: None, colour: 9, dash: 5 };
        for log in [false, true] {
            let plot = Plot {
                title: "t".into(),
                x_label: "x".into(),
                y_label: "y".into(),
                lines: vec![empty.clone()],
                log: LogScale { x: log, y: log },
                guide: Some(1.0),
            };
            assert!(plot.svg().unwrap().starts_with("<svg"));
        }
    }
}
