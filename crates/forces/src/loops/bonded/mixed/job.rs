//! The work on one block. Everything here is inlined into a function that is compiled for one instruction set.

use std::marker::PhantomData;

use amelo_core::coordinates::{CoordinateUnits, ShortFractions};
use amelo_core::{ForceError, NearestImage, System};
use amelo_math::fixed::MAX_FORCE;
use amelo_math::lanes::{Accumulator, Job, PACKET, Packet as Lanes, Room, Simd};
use amelo_math::{Mat3, Vec3};

use super::block::{Block, Group, Packet, PairConstants};
use super::lanes::{LaneGeometry, Vector, dot, pairs, plus};
use super::{ANGLE, BOND, COULOMB_14, DIHEDRAL, FormTables, IMPROPER, KEYS, VDW_14};
use crate::bonded::{AnyForm, BondedForm, FormVisitor};
use crate::loops::bonded::kernel::{Bend, Geometry, Stretch, Twist};
use crate::scaled_pairs::PlainPair;

/// Force units per kJ/mol/nm: their rounding, 8·10⁻⁶, is that of f32 for a force of 128.
const FORCE_SCALE: f64 = 65_536.0;

/// Force on an atom (kJ/mol/nm) from which an interaction is left to f64: three of them still fit 32 bits of such units.
const LARGEST_FORCE: f64 = 8192.0;

/// Energies by [`KEYS`] and the virial's parts, kJ/mol.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub energy: [f64; KEYS.len()],
    pub virial: [f64; 6],
}

impl Sums {
    pub fn add(&mut self, other: &Sums) {
        for (a, b) in self.energy.iter_mut().zip(other.energy) {
            *a += b;
        }
        for (a, b) in self.virial.iter_mut().zip(other.virial) {
            *a += b;
        }
    }
}

/// Coordinates and forces of a block's atoms while it is worked on: small enough to stay in the first caches from one
/// block to the next.
#[derive(Default)]
pub(super) struct Scratch {
    coordinates: Room<[i32; 4]>,
    forces: Room<Accumulator>,
}

/// Adds the forces on the block's own atoms to `on`; returns energies and virial, zero where not wanted.
pub(super) struct BlockJob<'a> {
    pub forms: &'a FormTables,
    pub block: &'a Block,
    pub scratch: &'a mut Scratch,
    pub system: &'a System,
    pub fractions: ShortFractions,
    pub units: CoordinateUnits,
    pub want: bool,
    pub on: &'a mut [Vec3],
}

impl Job for BlockJob<'_> {
    type Output = Result<Sums, ForceError>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        if self.want { self.sweep::<S::Packet, true>() } else { self.sweep::<S::Packet, false>() }
    }
}

impl BlockJob<'_> {
    #[inline(always)]
    fn sweep<L: Lanes, const WANT: bool>(self) -> Result<Sums, ForceError> {
        let BlockJob { forms, block, scratch, system, fractions, units, on, .. } = self;
        let Block { atoms, own, bonds, angles, dihedrals, impropers, pairs, kinds } = block;
        let Scratch { coordinates, forces } = scratch;
        for (at, atom) in coordinates.iter_mut().zip(atoms.iter()) {
            *at = fractions.at(system.positions[*atom as usize]);
        }
        forces[..atoms.len()].fill(Accumulator::default());
        let mut ground = Ground {
            atoms,
            positions: &system.positions,
            image: system.cell.nearest_image(),
            coordinates,
            units,
            forces,
            sums: LaneSums::ZERO,
        };
        ground.group::<_, Twist, L, 4, WANT>(&forms.dihedrals, dihedrals, DIHEDRAL)?;
        ground.group::<_, Twist, L, 4, WANT>(&forms.impropers, impropers, IMPROPER)?;
        ground.group::<_, Bend, L, 3, WANT>(&forms.angles, angles, ANGLE)?;
        ground.group::<_, Stretch, L, 2, WANT>(&forms.bonds, bonds, BOND)?;
        for ((packet, constants), kinds) in pairs.iter().zip(kinds) {
            ground.pairs::<L, WANT>(&units, packet, constants, (&forms.pairs, kinds))?;
        }
        let sums = if WANT { ground.sums.total() } else { Sums::default() };
        for (on, force) in on.iter_mut().zip(&forces[..*own]) {
            *on += Vec3::new(force.0[0] as f64, force.0[1] as f64, force.0[2] as f64) * (1.0 / FORCE_SCALE);
        }
        Ok(sums)
    }
}

/// Sums over the interactions that had the same lane.
struct LaneSums {
    energy: [[f64; PACKET]; KEYS.len()],
    virial: [[f64; PACKET]; 6],
}

impl LaneSums {
    const ZERO: Self = LaneSums { energy: [[0.0; PACKET]; KEYS.len()], virial: [[0.0; PACKET]; 6] };

    fn total(&self) -> Sums {
        let mut sums = Sums::default();
        for (sum, lanes) in sums.energy.iter_mut().zip(&self.energy) {
            *sum = lanes.iter().sum();
        }
        for (sum, lanes) in sums.virial.iter_mut().zip(&self.virial) {
            *sum = lanes.iter().sum();
        }
        sums
    }
}

/// Where the interactions of a block act.
struct Ground<'a> {
    atoms: &'a [u32],
    positions: &'a [Vec3],
    image: NearestImage,
    coordinates: &'a Room<[i32; 4]>,
    units: CoordinateUnits,
    forces: &'a mut Room<Accumulator>,
    sums: LaneSums,
}

impl Ground<'_> {
    #[inline(always)]
    fn group<A: AnyForm, G: LaneGeometry<N>, L: Lanes, const N: usize, const WANT: bool>(
        &mut self,
        forms: &[A],
        group: &Group<N>,
        class: usize,
    ) -> Result<(), ForceError> {
        for (form, range) in &group.runs {
            let packets = &group.packets[range.clone()];
            forms[*form].visit(Run::<G, L, N, WANT> { ground: self, packets, class, marker: PhantomData })?;
        }
        Ok(())
    }

    /// Vectors from each atom of a packet to the next.
    #[inline(always)]
    fn steps<L: Lanes, const N: usize>(&self, units: &CoordinateUnits, packet: &Packet<N>) -> [Vector<L>; N] {
        let mut steps = [[L::splat(0.0); 3]; N];
        let mut last = L::gather(self.coordinates, &packet.at[0]);
        for m in 1..N {
            let next = L::gather(self.coordinates, &packet.at[m]);
            steps[m - 1] = units.to_cartesian([
                L::difference(next[0], last[0]),
                L::difference(next[1], last[1]),
                L::difference(next[2], last[2]),
            ]);
            last = next;
        }
        steps
    }

    /// Adds the forces of the lanes that are neither in `singular` nor too large, and their virial; returns the lanes.
    #[inline(always)]
    fn push<L: Lanes, const N: usize, const WANT: bool>(
        &mut self,
        packet: &Packet<N>,
        steps: &[Vector<L>; N],
        forces: &[Vector<L>; N],
        singular: u16,
    ) -> u16 {
        let mut size2 = dot(&forces[0], &forces[0]);
        for m in 1..N - 1 {
            size2 = size2 + dot(&forces[m], &forces[m]);
        }
        // Neither is a NaN below the bound.
        let sound = size2.below(L::splat(LARGEST_FORCE * LARGEST_FORCE)) & !singular & packet.valid;
        // The last atom gets what makes the sum zero.
        let mut rest = [L::none(); 3];
        for m in 0..N - 1 {
            let mut whole = rest;
            for axis in 0..3 {
                whole[axis] = (forces[m][axis].keep(sound) * L::splat(FORCE_SCALE)).whole();
                rest[axis] = L::minus(rest[axis], whole[axis]);
            }
            L::scatter(whole, &packet.at[m], self.forces);
        }
        L::scatter(rest, &packet.at[N - 1], self.forces);
        if WANT {
            // Positions relative to the first atom: forces add up to zero, so the origin does not matter.
            let mut from_first = steps[0];
            let mut virial = [L::splat(0.0); 6];
            for m in 1..N {
                for (part, &(a, b)) in virial.iter_mut().zip(&Mat3::SYMMETRIC) {
                    *part = from_first[a].mul_add(forces[m][b], *part);
                }
                from_first = plus(&from_first, &steps[m]);
            }
            for (sums, part) in self.sums.virial.iter_mut().zip(virial) {
                part.keep(sound & packet.counted).add_to(sums);
            }
        }
        sound
    }

    #[inline(always)]
    fn pairs<L: Lanes, const WANT: bool>(
        &mut self,
        units: &CoordinateUnits,
        packet: &Packet<2>,
        constants: &PairConstants,
        exact: (&[PlainPair], &[u32; PACKET]),
    ) -> Result<(), ForceError> {
        let steps: [Vector<L>; 2] = self.steps(units, packet);
        let (energies, forces) =
            pairs(&steps[0], [L::load(&constants.vdw[0]), L::load(&constants.vdw[1])], L::load(&constants.qq));
        let sound = self.push::<L, 2, WANT>(packet, &steps, &forces, 0);
        if WANT {
            energies[0].keep(sound & packet.counted).add_to(&mut self.sums.energy[VDW_14]);
            energies[1].keep(sound & packet.counted).add_to(&mut self.sums.energy[COULOMB_14]);
        }
        if sound != packet.valid { self.pairs_in_f64(packet, exact, packet.valid & !sound) } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn pairs_in_f64(
        &mut self,
        packet: &Packet<2>,
        (exact, kinds): (&[PlainPair], &[u32; PACKET]),
        lanes: u16,
    ) -> Result<(), ForceError> {
        for lane in (0..PACKET).filter(|lane| lanes >> lane & 1 == 1) {
            let [d, _] = self.exact_steps(packet, lane);
            let [vdw, coulomb] = exact[kinds[lane] as usize].eval(d.norm2());
            let on_j = d * (vdw.force_over_r + coulomb.force_over_r);
            let virial = self.push_one("pairs_14", packet, lane, &[d, Vec3::ZERO], &[-on_j, on_j])?;
            self.count(packet, lane, VDW_14, vdw.energy, virial);
            self.count(packet, lane, COULOMB_14, coulomb.energy, [0.0; 6]);
        }
        Ok(())
    }

    /// The interactions `lanes` of a packet as the reference has them.
    #[cold]
    #[inline(never)]
    fn in_f64<F: BondedForm, G: Geometry<N>, const N: usize>(
        &mut self,
        form: &F,
        packet: &Packet<N>,
        class: usize,
        lanes: u16,
    ) -> Result<(), ForceError> {
        for lane in (0..PACKET).filter(|lane| lanes >> lane & 1 == 1) {
            let steps = self.exact_steps(packet, lane);
            let (energy, forces) = G::evaluate(form, &steps);
            let virial = self.push_one(KEYS[class], packet, lane, &steps, &forces)?;
            self.count(packet, lane, class, energy, virial);
        }
        Ok(())
    }

    fn exact_steps<const N: usize>(&self, packet: &Packet<N>, lane: usize) -> [Vec3; N] {
        let at = |m: usize| self.positions[self.atoms[packet.at[m].of(lane)] as usize];
        let mut steps = [Vec3::ZERO; N];
        for m in 1..N {
            steps[m - 1] = self.image.of(at(m) - at(m - 1));
        }
        steps
    }

    /// Adds the forces of one interaction; returns its virial. Errors: a force that leaves the range of numbers.
    fn push_one<const N: usize>(
        &mut self,
        term: &'static str,
        packet: &Packet<N>,
        lane: usize,
        steps: &[Vec3; N],
        forces: &[Vec3; N],
    ) -> Result<[f64; 6], ForceError> {
        let (mut from_first, mut virial, mut rest) = (Vec3::ZERO, [0.0; 6], [0; 3]);
        for m in 0..N {
            let (place, size) = (packet.at[m].of(lane), forces[m].norm());
            if !size.is_finite() || size > MAX_FORCE {
                let [i, j] = [0, 1].map(|m| self.atoms[packet.at[m].of(lane)] as usize);
                return Err(ForceError::Overlap { term, i, j, r: steps[0].norm(), force: size });
            }
            for axis in 0..3 {
                // The last atom gets what makes the sum zero.
                let whole =
                    if m + 1 < N { (forces[m][axis] * FORCE_SCALE).round_ties_even() as i64 } else { rest[axis] };
                self.forces[place].0[axis] += whole;
                rest[axis] -= whole;
            }
            for (part, &(a, b)) in virial.iter_mut().zip(&Mat3::SYMMETRIC) {
                *part += from_first[a] * forces[m][b];
            }
            from_first += steps[m];
        }
        Ok(virial)
    }

    fn count<const N: usize>(&mut self, packet: &Packet<N>, lane: usize, key: usize, energy: f64, virial: [f64; 6]) {
        if packet.counted >> lane & 1 == 1 {
            self.sums.energy[key][lane] += energy;
            for (sum, part) in self.sums.virial.iter_mut().zip(virial) {
                sum[lane] += part;
            }
        }
    }
}

/// The packets of one form.
struct Run<'a, 'b, G, L, const N: usize, const WANT: bool> {
    ground: &'a mut Ground<'b>,
    packets: &'a [Packet<N>],
    class: usize,
    marker: PhantomData<(G, L)>,
}

impl<G: LaneGeometry<N>, L: Lanes, const N: usize, const WANT: bool> FormVisitor for Run<'_, '_, G, L, N, WANT> {
    type Output = Result<(), ForceError>;

    #[inline(always)]
    fn visit<F: BondedForm>(self, form: &F) -> Self::Output {
        let Run { ground, packets, class, .. } = self;
        // Of one's own, so that the compiler knows that no force is written over them.
        let (form, units) = (&{ *form }, ground.units);
        for packet in packets {
            let steps: [Vector<L>; N] = ground.steps(&units, packet);
            let eval = G::lanes(form, &steps);
            let sound = ground.push::<L, N, WANT>(packet, &steps, &eval.forces, eval.singular);
            if WANT {
                eval.energy.keep(sound & packet.counted).add_to(&mut ground.sums.energy[class]);
            }
            if sound != packet.valid {
                ground.in_f64::<F, G, N>(form, packet, class, packet.valid & !sound)?;
            }
        }
        Ok(())
    }
}
