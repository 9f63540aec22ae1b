//! Segments: consecutive atoms that share no constraint with the others, with their groups of constraints sorted by
//! kind. The unit of work of everything that moves atoms ([`crate::passes`]).

use std::ops::Range;

use amelo_core::{Constraint, NearestImage};
use amelo_math::lanes::{Isa, Job, Simd, dispatch};
use amelo_math::{Mat3, Vec3};

use super::Violation;
use super::general::{Group, Scratch};
use super::stars::{Star, Stars};

/// Atoms of a segment, more where constraints forbid to cut: some ten microseconds of work, so that a second thread
/// pays from two of them on.
const ATOMS: usize = 1024;

/// Atoms `atoms`, and the constraints among them.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// The atoms.
    pub atoms: Range<usize>,
    /// Whether any of them ever moves.
    pub moves: bool,
    single: Vec<Stars<1>>,
    double: Vec<Stars<2>>,
    triple: Vec<Stars<3>>,
    general: Vec<Group>,
    /// Instructions to use.
    isa: Isa,
}

impl Segment {
    /// Atoms 0 to `n_atoms` cut into segments. `groups` are the constraints of each group, no atom in two of them.
    pub fn partition(n_atoms: usize, groups: &[Vec<Constraint>], inverse_masses: &[f64]) -> Vec<Segment> {
        let extent = |group: &Vec<Constraint>| {
            let atoms = || group.iter().flat_map(|c| c.atoms);
            (atoms().min().unwrap_or(0) as usize, atoms().max().unwrap_or(0) as usize)
        };
        // One past the last atom of the group that begins here.
        let mut end = vec![0; n_atoms];
        for group in groups {
            let (first, last) = extent(group);
            end[first] = last + 1;
        }
        let mut bounds = vec![0];
        let mut open_to = 0;
        for atom in 0..n_atoms {
            if atom >= open_to && atom - bounds[bounds.len() - 1] >= ATOMS {
                bounds.push(atom);
            }
            open_to = open_to.max(end[atom]);
        }
        bounds.push(n_atoms);
        let mut parts = vec![Parts::default(); bounds.len() - 1];
        for group in groups {
            let place = bounds.partition_point(|&b| b <= extent(group).0) - 1;
            parts[place].take(group, bounds[place] as u32, inverse_masses);
        }
        let segment = |(bounds, parts): (&[usize], Parts)| Segment {
            atoms: bounds[0]..bounds[1],
            moves: inverse_masses[bounds[0]..bounds[1]].iter().any(|w| *w > 0.0),
            single: Stars::batches(&parts.single),
            double: Stars::batches(&parts.double),
            triple: Stars::batches(&parts.triple),
            general: parts.general,
            isa: Isa::current(),
        };
        bounds.windows(2).zip(parts).map(segment).filter(|s| !s.atoms.is_empty()).collect()
    }

    /// Takes from `vectors` (velocities or accelerations) what would change a constrained distance. All arrays are the
    /// segment's parts.
    pub fn project(&self, image: &NearestImage, positions: &[Vec3], vectors: &mut [Vec3]) {
        let _span = tracing::trace_span!("constraints").entered();
        dispatch(self.isa, Project { segment: self, image, positions, vectors });
    }

    /// Corrects `velocities`, so that a move by `time` (ps) times these from `positions` meets the constraints; of
    /// those that cannot be met, the one with the lowest atoms.
    pub fn constrain(
        &self,
        image: &NearestImage,
        positions: &[Vec3],
        velocities: &mut [Vec3],
        time: f64,
    ) -> Option<Violation> {
        let _span = tracing::trace_span!("constraints").entered();
        let failed = dispatch(self.isa, Constrain { segment: self, image, positions, velocities, time });
        failed.map(|v| Violation { atoms: v.atoms.map(|a| a + self.atoms.start as u32), ..v })
    }

    /// Virial (kJ/mol) of the constraint forces.
    pub fn virial(
        &self,
        image: &NearestImage,
        positions: &[Vec3],
        velocities: &[Vec3],
        forces: &[Vec3],
        timestep: f64,
    ) -> Mat3 {
        let _span = tracing::trace_span!("constraints").entered();
        let mut scratch = Scratch::default();
        let mut sum = Mat3::ZERO;
        self.single.iter().for_each(|s| sum += s.virial(image, positions, velocities, forces, timestep));
        self.double.iter().for_each(|s| sum += s.virial(image, positions, velocities, forces, timestep));
        self.triple.iter().for_each(|s| sum += s.virial(image, positions, velocities, forces, timestep));
        let mut general = |g: &Group| g.virial(image, positions, velocities, forces, timestep, &mut scratch);
        self.general.iter().for_each(|g| sum += general(g));
        sum
    }
}

/// [`Segment::project`], for one instruction set.
struct Project<'a> {
    segment: &'a Segment,
    image: &'a NearestImage,
    positions: &'a [Vec3],
    vectors: &'a mut [Vec3],
}

impl Job for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Project { segment, image, positions, vectors } = self;
        for stars in &segment.single {
            stars.project(image, positions, vectors);
        }
        for stars in &segment.double {
            stars.project(image, positions, vectors);
        }
        for stars in &segment.triple {
            stars.project(image, positions, vectors);
        }
        let mut scratch = Scratch::default();
        for group in &segment.general {
            group.project(image, positions, vectors, &mut scratch);
        }
    }
}

/// [`Segment::constrain`], for one instruction set.
struct Constrain<'a> {
    segment: &'a Segment,
    image: &'a NearestImage,
    positions: &'a [Vec3],
    velocities: &'a mut [Vec3],
    time: f64,
}

impl Job for Constrain<'_> {
    type Output = Option<Violation>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let Constrain { segment, image, positions, velocities, time } = self;
        let mut failed = None;
        for stars in &segment.single {
            failed = Violation::first(failed, stars.constrain(image, positions, velocities, time));
        }
        for stars in &segment.double {
            failed = Violation::first(failed, stars.constrain(image, positions, velocities, time));
        }
        for stars in &segment.triple {
            failed = Violation::first(failed, stars.constrain(image, positions, velocities, time));
        }
        let mut scratch = Scratch::default();
        for group in &segment.general {
            failed = Violation::first(failed, group.constrain(image, positions, velocities, time, &mut scratch));
        }
        failed
    }
}

/// The groups of one segment while they are sorted.
#[derive(Clone, Default)]
struct Parts {
    single: Vec<Star<1>>,
    double: Vec<Star<2>>,
    triple: Vec<Star<3>>,
    general: Vec<Group>,
}

impl Parts {
    fn take(&mut self, group: &[Constraint], first_atom: u32, inverse_masses: &[f64]) {
        let weight = |atom: u32| inverse_masses[(atom + first_atom) as usize];
        let local: Vec<([u32; 2], f64)> = group.iter().map(|c| (c.atoms.map(|a| a - first_atom), c.length)).collect();
        if let Some(s) = star(&local, weight) {
            self.single.push(s);
        } else if let Some(s) = star(&local, weight) {
            self.double.push(s);
        } else if let Some(s) = star(&local, weight) {
            self.triple.push(s);
        } else {
            self.general.push(Group::new(&local, weight));
        }
    }
}

/// The group as N constraints that meet in one atom and nowhere else, if that is what it is.
fn star<const N: usize>(group: &[([u32; 2], f64)], weight: impl Fn(u32) -> f64) -> Option<Star<N>> {
    let group: &[([u32; 2], f64); N] = group.try_into().ok()?;
    let around = |hub: u32| {
        let mut ends = [0; N];
        for (end, (atoms, _)) in ends.iter_mut().zip(group) {
            *end = match *atoms {
                [a, b] if a == hub => b,
                [a, b] if b == hub => a,
                _ => return None,
            };
        }
        let distinct = (0..N).all(|k| !ends[..k].contains(&ends[k]));
        distinct.then_some(Star {
            hub,
            ends,
            hub_weight: weight(hub),
            end_weights: ends.map(&weight),
            lengths: group.map(|(_, length)| length),
        })
    };
    group[0].0.into_iter().find_map(around)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::Cell;
    use amelo_math::philox::Noise;

    /// Stars of one to three constraints in any order of their atoms, in one cell, perturbed.
    fn stars(n_ends: usize, n_groups: usize) -> (Vec<Vec<Constraint>>, Vec<f64>, Vec<Vec3>) {
        let noise = Noise::new(3, 77);
        let (mut groups, mut weights, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for g in 0..n_groups as u32 {
            let first = positions.len() as u32;
            let centre = Vec3::from(noise.normal3(g, 0, 0).to_array().map(|x| (x.abs() * 2.0) % 2.0));
            // The hub stands anywhere among its ends.
            let hub = first + g % (n_ends as u32 + 1);
            let mut constraints = Vec::new();
            for k in 0..=n_ends as u32 {
                let atom = first + k;
                if atom == hub {
                    // Every fifth hub is frozen.
                    weights.push(if g % 5 == 0 { 0.0 } else { 1.0 / 12.0 });
                    positions.push(centre);
                } else {
                    let length = 0.09 + 0.01 * f64::from(k);
                    let spread = Vec3::unit((k % 3) as usize) + noise.normal3(g, 1, k) * 0.2;
                    positions.push(centre + spread.normalized() * length);
                    weights.push(1.0);
                    constraints.push(Constraint { atoms: if k % 2 == 0 { [hub, atom] } else { [atom, hub] }, length });
                }
            }
            groups.push(constraints);
        }
        (groups, weights, positions)
    }

    /// The batches against the general solver of the same groups, one after the other.
    #[test]
    fn stars_are_groups_like_any_other() {
        let cell = Cell::orthorhombic(2.0, 2.1, 2.2).unwrap();
        let image = cell.nearest_image();
        let noise = Noise::new(4, 77);
        for n_ends in 1..=3 {
            let (groups, weights, positions) = stars(n_ends, 700);
            let random = |draw: u32, size: f64| -> Vec<Vec3> {
                (0..positions.len() as u32).map(|i| noise.normal3(i, 0, draw) * size).collect()
            };
            let segments = Segment::partition(positions.len(), &groups, &weights);
            assert!(segments.len() > 1 && segments.iter().all(|s| s.general.is_empty()), "{}", segments.len());
            let (velocities, forces) = (random(1, 1.5), random(2, 500.0));
            let (mut projected, mut constrained, mut virial) = (velocities.clone(), velocities.clone(), Mat3::ZERO);
            for s in &segments {
                let at = s.atoms.clone();
                s.project(&image, &positions[at.clone()], &mut projected[at.clone()]);
                assert_eq!(s.constrain(&image, &positions[at.clone()], &mut constrained[at.clone()], 0.002), None);
                virial += s.virial(&image, &positions[at.clone()], &velocities[at.clone()], &forces[at], 0.002);
            }
            let mut scratch = Scratch::default();
            let (mut expected, mut held, mut sum) = (velocities.clone(), velocities.clone(), Mat3::ZERO);
            for group in &groups {
                let local: Vec<_> = group.iter().map(|c| (c.atoms, c.length)).collect();
                let group = Group::new(&local, |a| weights[a as usize]);
                group.project(&image, &positions, &mut expected, &mut scratch);
                group.constrain(&image, &positions, &mut held, 0.002, &mut scratch).unwrap();
                sum += group.virial(&image, &positions, &velocities, &forces, 0.002, &mut scratch);
            }
            // Velocities of some nm/ps; both corrections end at a relative error of the lengths of 1e-13, that is
            // 1e-13 · 0.1 nm / 0.002 ps.
            let worst = |a: &[Vec3], b: &[Vec3]| a.iter().zip(b).map(|(a, b)| (*a - *b).norm()).fold(0.0, f64::max);
            assert!(worst(&projected, &expected) < 1e-13, "{n_ends}: {:e}", worst(&projected, &expected));
            assert!(worst(&constrained, &held) < 2e-11, "{n_ends}: {:e}", worst(&constrained, &held));
            assert!(worst(&velocities, &expected) > 0.1 && worst(&velocities, &held) > 0.1);
            assert!((virial - sum).max_abs() < 1e-12 * sum.max_abs(), "{n_ends}: {virial:?} {sum:?}");
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let image = Cell::orthorhombic(2.0, 2.1, 2.2).unwrap().nearest_image();
        let noise = Noise::new(5, 77);
        for n_ends in 1..=3 {
            let (groups, weights, positions) = stars(n_ends, 90);
            let random: Vec<Vec3> = (0..positions.len() as u32).map(|i| noise.normal3(i, 0, 0)).collect();
            let with = |isa: Isa| {
                let mut segments = Segment::partition(positions.len(), &groups, &weights);
                let [segment] = segments.as_mut_slice() else { panic!("one segment") };
                segment.isa = isa;
                let (mut projected, mut constrained) = (random.clone(), random.clone());
                segment.project(&image, &positions, &mut projected);
                assert_eq!(segment.constrain(&image, &positions, &mut constrained, 0.002), None);
                (projected, constrained)
            };
            let expected = with(Isa::Portable);
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                assert_eq!(with(isa), expected, "{n_ends} ends with {}", isa.name());
            }
        }
    }

    #[test]
    fn a_star_that_cannot_be_met_names_its_worst_constraint() {
        let (groups, weights, positions) = stars(3, 400);
        let segments = Segment::partition(positions.len(), &groups, &weights);
        let segment = &segments[1];
        let image = Cell::orthorhombic(2.0, 2.1, 2.2).unwrap().nearest_image();
        // An end of a later group in the second segment flies off at a right angle to its bond.
        let group = groups.iter().find(|g| g[0].atoms[0] as usize > segment.atoms.start + 500).unwrap();
        let c = group[1];
        let end = c.atoms.into_iter().find(|&a| weights[a as usize] == 1.0).unwrap();
        let d = image.of(positions[c.atoms[1] as usize] - positions[c.atoms[0] as usize]);
        let mut velocities = vec![Vec3::ZERO; positions.len()];
        velocities[end as usize] = d.cross(Vec3::new(0.3, 0.5, -0.7)).normalized() * 400.0;
        let at = segment.atoms.clone();
        let found = segment.constrain(&image, &positions[at.clone()], &mut velocities[at], 0.001).unwrap();
        let mut atoms = found.atoms;
        let mut expected = c.atoms;
        atoms.sort_unstable();
        expected.sort_unstable();
        assert_eq!((atoms, found.length), (expected, c.length));
        assert!(found.error() > 1e-3);
    }

    #[test]
    fn segments_never_cut_a_group() {
        let constraint = |a: u32, b: u32| Constraint { atoms: [a, b], length: 0.1 };
        // A long group, a triangle, a group of two equal constraints; and one that starts right after the long one.
        let groups = vec![
            vec![constraint(10, 1500), constraint(10, 700)],
            vec![constraint(1600, 1601), constraint(1601, 1602), constraint(1602, 1600)],
            vec![constraint(1501, 1502), constraint(1502, 1501)],
        ];
        let segments = Segment::partition(4000, &groups, &vec![1.0; 4000]);
        let bounds: Vec<_> = segments.iter().map(|s| s.atoms.clone()).collect();
        assert_eq!(bounds, [0..1501, 1501..2525, 2525..3549, 3549..4000]);
        assert_eq!((segments[0].double.len(), segments[1].general.len()), (1, 2));
    }
}
