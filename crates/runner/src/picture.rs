//! Pictures of a structure as SVG: atoms as discs, far ones behind near ones and paler, those that nothing shows left
//! out, so that a page of ten thousand atoms stays small.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use amelo_core::System;
use amelo_math::Vec3;

/// Symbol, colour, van der Waals radius (nm). Colours: those of Jmol (jmol.sourceforge.net/jscolors). Radii: S. Alvarez,
/// Dalton Trans. 42, 8617 (2013), doi:10.1039/c3dt50599e.
const ELEMENTS: [(&str, [u8; 3], f64); 15] = [
    ("H", [255, 255, 255], 0.120),
    ("Li", [204, 128, 255], 0.212),
    ("C", [144, 144, 144], 0.177),
    ("N", [48, 80, 248], 0.166),
    ("O", [255, 13, 13], 0.150),
    ("F", [144, 224, 80], 0.146),
    ("Na", [171, 92, 242], 0.250),
    ("Al", [191, 166, 166], 0.225),
    ("Si", [240, 200, 160], 0.219),
    ("P", [255, 128, 0], 0.190),
    ("S", [255, 255, 48], 0.189),
    ("Cl", [31, 240, 31], 0.182),
    ("Ar", [128, 209, 227], 0.183),
    ("Ti", [191, 194, 199], 0.246),
    ("Zr", [148, 224, 224], 0.252),
];

/// Colour and radius (nm) of an element that is not in the table.
const OTHER: ([u8; 3], f64) = ([255, 105, 180], 0.2);
/// Drawn radius as a part of the van der Waals radius.
const DRAWN: f64 = 0.5;
/// Longest edge of the drawing (px), and room around it.
const LARGEST: f64 = 600.0;
const MARGIN: f64 = 14.0;
/// Width of the legend (px).
const LEGEND: f64 = 130.0;
/// Least pixels of an atom that must show.
const LEAST_SEEN: usize = 3;
/// Steps of paleness, and how pale the last is.
const PALE: (usize, f64) = (8, 0.6);

/// From where one looks. All three are unit vectors.
#[derive(Clone, Copy, Debug)]
struct View {
    right: Vec3,
    up: Vec3,
    /// Towards the eye.
    near: Vec3,
}

/// A drawing with the text below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What is seen.
    pub caption: String,
    /// The drawing.
    pub svg: String,
}

/// The structure from the side and from above, and the oxide alone where something covers it.
pub fn pictures(system: &System) -> Vec<Picture> {
    let [x, y, z] = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let side = View { right: x, up: z, near: -y };
    let above = View { right: x, up: y, near: z };
    let all: Vec<u32> = (0..system.n_atoms() as u32).collect();
    let picture = |caption: &str, atoms: &[u32], view| Picture {
        caption: format!("{caption}; {} atoms, drawn at half their van der Waals radii", atoms.len()),
        svg: svg(system, atoms, view),
    };
    let mut out = vec![
        picture("From the side: x to the right, z up, looking along y", &all, side),
        picture("From above: x to the right, y up, looking down z", &all, above),
    ];
    let oxide = system.topology.groups.get("oxide").filter(|oxide| oxide.len() < all.len() && !oxide.is_empty());
    out.extend(oxide.map(|oxide| picture("The upper face of the oxide, without what covers it", oxide, above)));
    out
}

/// A disc on the drawing.
struct Disc {
    centre: [f64; 2],
    depth: f64,
    radius: f64,
    colour: [u8; 3],
}

/// Colour and drawn radius (nm) of an element.
fn look(element: &str) -> ([u8; 3], f64) {
    let found = ELEMENTS.iter().find(|(symbol, ..)| *symbol == element);
    let (colour, radius) = found.map_or(OTHER, |(_, colour, radius)| (*colour, *radius));
    (colour, DRAWN * radius)
}

fn svg(system: &System, atoms: &[u32], view: View) -> String {
    let element = |i: u32| system.topology.types[system.topology.type_of[i as usize] as usize].element.as_str();
    let corners: Vec<Vec3> = (0..8)
        .map(|k| system.cell.to_cartesian(Vec3::new((k & 1) as f64, (k >> 1 & 1) as f64, (k >> 2) as f64)))
        .collect();
    let flat = |r: Vec3| [r.dot(view.right), r.dot(view.up)];
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    let mut widen = |[u, v]: [f64; 2], r: f64| {
        low = [low[0].min(u - r), low[1].min(v - r)];
        high = [high[0].max(u + r), high[1].max(v + r)];
    };
    corners.iter().for_each(|&c| widen(flat(c), 0.0));
    let seen = |i: u32| system.positions[i as usize].is_finite();
    for &i in atoms.iter().filter(|&&i| seen(i)) {
        widen(flat(system.positions[i as usize]), look(element(i)).1);
    }
    let scale = LARGEST / (high[0] - low[0]).max(high[1] - low[1]);
    let place = |[u, v]: [f64; 2]| [MARGIN + scale * (u - low[0]), MARGIN + scale * (high[1] - v)];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut discs: Vec<Disc> = vec![];
    for &i in atoms.iter().filter(|&&i| seen(i)) {
        let (colour, radius) = look(element(i));
        let r = system.positions[i as usize];
        *counts.entry(element(i)).or_default() += 1;
        discs.push(Disc { centre: place(flat(r)), depth: r.dot(view.near), radius: scale * radius, colour });
    }
    let drawing = [2.0 * MARGIN + scale * (high[0] - low[0]), 2.0 * MARGIN + scale * (high[1] - low[1])];
    let shown = visible(discs, drawing);
    let [width, height] = [drawing[0] + LEGEND, (drawing[1] + 30.0).max(60.0 + 22.0 * counts.len() as f64)];
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222831\">\n<g stroke=\"#222831\" stroke-width=\"0.4\">\n"
    );
    let depths = shown.iter().map(|d| d.depth);
    let (near, far) = (depths.clone().fold(f64::NEG_INFINITY, f64::max), depths.fold(f64::INFINITY, f64::min));
    // The nearest come first out of `visible`, and last onto the page.
    for disc in shown.iter().rev() {
        let step = (PALE.0 as f64 * (near - disc.depth) / (near - far).max(1e-9)).floor().min(PALE.0 as f64 - 1.0);
        let pale = PALE.1 * step / (PALE.0 - 1) as f64;
        let [r, g, b] = disc.colour.map(|c| (f64::from(c) + pale * (255.0 - f64::from(c))).round() as u8);
        let ([x, y], radius) = (disc.centre, disc.radius);
        let _ =
            writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>");
    }
    out.push_str("</g>\n<g stroke=\"#5b6472\" stroke-dasharray=\"4 3\">\n");
    for (a, b) in (0..8usize).flat_map(|a| [1, 2, 4].map(|bit| (a, a | bit))).filter(|(a, b)| a != b) {
        let ([x1, y1], [x2, y2]) = (place(flat(corners[a])), place(flat(corners[b])));
        if (x1 - x2).abs() + (y1 - y2).abs() > 0.5 {
            let _ = writeln!(out, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
        }
    }
    out.push_str("</g>\n");
    let bar = bar_length((high[0] - low[0]) / 4.0);
    let (x, y) = (MARGIN, drawing[1] + 8.0);
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"4\"/>\n<text x=\"{:.1}\" y=\"{:.1}\">{bar} nm</text>",
        scale * bar,
        x + scale * bar + 8.0,
        y + 7.0
    );
    for (k, (element, count)) in counts.iter().enumerate() {
        let (colour, _) = look(element);
        let [r, g, b] = colour;
        let (x, y) = (drawing[0] + 10.0, 30.0 + 22.0 * k as f64);
        let _ = writeln!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\" fill=\"#{r:02x}{g:02x}{b:02x}\" stroke=\"#222831\" stroke-width=\"0.6\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{element}: {count}</text>",
            x + 14.0,
            y + 4.0
        );
    }
    out.push_str("</svg>");
    out
}

/// The discs of which something shows, nearest first.
fn visible(mut discs: Vec<Disc>, [width, height]: [f64; 2]) -> Vec<Disc> {
    discs.sort_by(|a, b| b.depth.total_cmp(&a.depth));
    let (columns, rows) = (width.ceil() as usize + 1, height.ceil() as usize + 1);
    let mut covered = vec![false; columns * rows];
    discs.retain(|disc| {
        let [x, y] = disc.centre;
        let range = |c: f64, most: usize| {
            (c - disc.radius).floor().max(0.0) as usize..=((c + disc.radius).ceil() as usize).min(most - 1)
        };
        let mut seen = 0;
        for row in range(y, rows) {
            for column in range(x, columns) {
                let (dx, dy) = (column as f64 - x, row as f64 - y);
                if dx * dx + dy * dy <= disc.radius * disc.radius && !covered[row * columns + column] {
                    covered[row * columns + column] = true;
                    seen += 1;
                }
            }
        }
        seen >= LEAST_SEEN
    });
    discs
}

/// 1, 2 or 5 times a power of ten, at most `most` (nm).
fn bar_length(most: f64) -> f64 {
    let nice = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];
    nice.into_iter().rfind(|b| *b <= most).unwrap_or(nice[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Cell, Topology};
    use std::sync::Arc;

    /// Atoms of the elements O and Ti.
    fn system(atoms: &[(u32, Vec3)]) -> System {
        let n = atoms.len();
        let topology = Topology {
            types: ["O", "Ti"].map(|e| AtomType { name: e.into(), element: e.into() }).to_vec(),
            type_of: atoms.iter().map(|(t, _)| *t).collect(),
            masses: vec![16.0; n].into(),
            charges: vec![0.0; n].into(),
            frozen: vec![false; n],
            ..Topology::default()
        };
        let cell = Cell::orthorhombic(2.0, 2.0, 4.0).unwrap();
        System::new(Arc::new(topology), cell, atoms.iter().map(|(_, r)| *r).collect())
    }

    /// Centres and colours of the drawn atoms, in the order of drawing.
    fn drawn(svg: &str) -> Vec<(f64, f64, String)> {
        let atoms = svg.split("</g>").next().unwrap_or_default();
        let value = |line: &str, key: &str| {
            let start = line.find(&format!(" {key}=\"")).map(|k| k + key.len() + 3).unwrap();
            line[start..].split('"').next().unwrap().to_string()
        };
        let number = |line: &str, key: &str| value(line, key).parse::<f64>().unwrap();
        let lines = atoms.lines().filter(|l| l.starts_with("<circle"));
        lines.map(|l| (number(l, "cx"), number(l, "cy"), value(l, "fill"))).collect()
    }

    #[test]
    fn near_atoms_are_drawn_over_far_ones_and_what_is_covered_is_left_out() {
        // Seen from the side (towards +y): a Ti at y = 0.5 before an O at y = 1.5, half aside; an O right behind the Ti.
        let near = Vec3::new(1.0, 0.5, 1.0);
        let s = system(&[
            (1, near),
            (0, near + Vec3::new(0.1, 1.0, 0.0)),
            (0, near + Vec3::new(0.0, 1.2, 0.0)),
            (0, Vec3::new(1.0, 0.5, 3.0)),
        ]);
        let pictures = pictures(&s);
        let side = drawn(&pictures[0].svg);
        assert_eq!(side.len(), 3, "{side:?}");
        // 4 nm are 600 px: 150 px per nm, z upwards.
        let ti = side.iter().position(|(_, _, colour)| colour == "#bfc2c7").expect("the near Ti in its own colour");
        let hidden_half =
            side.iter().position(|(x, ..)| (x - side[ti].0 - 15.0).abs() < 0.11).expect("0.1 nm to the right");
        assert!(hidden_half < ti, "{side:?}");
        assert_ne!(side[hidden_half].2, "#ff0d0d", "far atoms are paler");
        let upper = side.iter().find(|(_, y, _)| (side[ti].1 - y - 300.0).abs() < 0.11).expect("2 nm above");
        assert_eq!(upper.2, "#ff0d0d");
        // From above the Ti is wider than the O over it, and all four show.
        let above = drawn(&pictures[1].svg);
        assert_eq!((above.len(), above[3].2.as_str()), (4, "#ff0d0d"));
    }

    #[test]
    fn a_picture_has_legend_scale_bar_and_cell() {
        let s = system(&[(1, Vec3::new(1.0, 1.0, 1.0)), (0, Vec3::new(0.3, 1.0, 1.0)), (0, Vec3::new(1.7, 1.0, 1.0))]);
        let svg = &pictures(&s)[0].svg;
        assert!(svg.contains("Ti: 1") && svg.contains("O: 2"), "{svg}");
        // A quarter of 2 nm is 0.5 nm: 75 px at 150 px per nm.
        assert!(svg.contains("0.5 nm</text>") && svg.contains("width=\"75.0\""), "{svg}");
        assert_eq!(svg.matches("<line").count(), 8, "edges that are seen end on are none");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert_eq!(bar_length(0.9), 0.5);
    }

    #[test]
    fn ten_thousand_atoms_stay_small() {
        // 0.2 nm apart, as in a dense oxide.
        let place = |k: usize| Vec3::new((k % 20) as f64, (k / 20 % 20) as f64, (k / 400) as f64) * 0.2;
        let atoms: Vec<(u32, Vec3)> = (0..10_000).map(|k| (u32::from(k % 3 == 0), place(k))).collect();
        let size: usize = pictures(&system(&atoms)).iter().map(|p| p.svg.len()).sum();
        assert!(size < 700_000, "{size} bytes");
    }
}
