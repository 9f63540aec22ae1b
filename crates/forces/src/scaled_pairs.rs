//! 1-4 pairs and the like: excluded from the pair loop, back here with a factor each.
//!
//! By default they are neither cut off nor modified. A pair with [`amelo_core::ScaledPair::cut`] is treated as LAMMPS
//! treats its `special_bonds`: within the cut-off the pair loop's modified potential times the factor; beyond it no van
//! der Waals and no truncated Coulomb, and with Ewald's sum the factor ends too, so that the waves' whole
//! q_i q_j erf(βr)/r, which the exclusion took out, comes back.

use std::collections::BTreeMap;
use std::ops::Range;

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, ForceTerm, Forces, Modifier, Nonbonded, PairTable, Request, System, Topology};
use amelo_math::Mat3;
use amelo_math::fixed::FixedVec3;
use amelo_math::lanes::{Isa, Job, Simd, dispatch};

use crate::coulomb::{RealSpace, plain};
use crate::loops::Sweep;
use crate::loops::batch::{Arrays, Lanes, WIDTH, ZERO, at, padded, total};
use crate::pair::{AnyPair, Distance, LennardJones, Modified, PairForms, PairPotential};
use crate::{ForcesError, PairEval};

/// Pairs per chunk: the unit of work, decided by the system.
const CHUNK: usize = 1024;

/// What pairs next to each other have in common.
#[derive(Clone, Copy, Debug)]
struct Kind {
    potential: Modified,
    /// The potential without its modifier.
    plain: AnyPair,
    /// Factor of the potential.
    vdw: f64,
    /// Whether the pair loop's cut-off and modifier hold.
    cut: bool,
}

/// A pair of Lennard-Jones and Coulomb, neither cut off nor modified, its factors in the constants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainPair {
    /// Those of [`LennardJones`].
    pub constants: [f64; 2],
    /// k_e q_i q_j (kJ mol⁻¹ nm).
    pub coulomb: f64,
}

/// Pairs of plain Lennard-Jones and Coulomb by their kinds.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlainPairs {
    /// Each different kind.
    pub kinds: Vec<PlainPair>,
    /// Index into `kinds`, and the two atoms.
    pub pairs: Vec<(u32, [u32; 2])>,
}

impl PlainPair {
    fn bits(&self) -> [u64; 3] {
        [self.constants[0], self.constants[1], self.coulomb].map(f64::to_bits)
    }

    /// Van der Waals and Coulomb at the squared distance `r2` (nm²).
    pub fn eval(&self, r2: f64) -> [PairEval<f64>; 2] {
        let at = Distance::of(r2);
        [LennardJones::eval(self.constants, &at), plain(self.coulomb, &at)]
    }
}

/// What governs a pair: index into the kinds, factor times q_i q_j, q_i q_j of the pair loop (e²).
type Resolved = (usize, [u32; 2], f64, f64);

/// The scaled pairs of a topology. Energies `vdw_14` and `coulomb_14`.
pub struct ScaledPairs {
    /// Those of one kind next to each other within a chunk.
    pairs: Vec<[u32; 2]>,
    /// \[n_pairs\] factor times q_i q_j (e²).
    coulomb: Vec<f64>,
    /// \[n_pairs\] q_i q_j (e²) of the pair loop.
    whole: Vec<f64>,
    kinds: Vec<Kind>,
    /// Index into `kinds`, and the part of `pairs` that is of that kind.
    runs: Vec<(usize, Range<usize>)>,
    /// The runs of each chunk.
    chunks: Vec<Range<usize>>,
    /// Cut-off (nm) and Coulomb law of the pair loop, for the pairs that it holds for.
    r_cut: f64,
    law: RealSpace,
    isa: Isa,
    sweep: Sweep,
}

impl ScaledPairs {
    const NAME: &'static str = "pairs_14";

    /// The scaled pairs of `topology`; each takes its own potential where it has one, else that of its types.
    /// `settings` concern only pairs that are cut off. Errors: a table of another number of types, a form or parameter
    /// that is refused, a switch distance not between 0 and the cut-off.
    pub fn new(topology: &Topology, table: &PairTable, settings: &Nonbonded) -> Result<Self, ForcesError> {
        let mut pairs = Vec::with_capacity(topology.scaled_pairs.len());
        let kinds = Self::resolve(topology, table, settings, |_, pair| pairs.push(pair))?;
        Ok(Self::of(kinds, pairs, settings))
    }

    /// The pairs of plain Lennard-Jones and Coulomb, and the others. Errors as of [`ScaledPairs::new`].
    pub(crate) fn split(
        topology: &Topology,
        table: &PairTable,
        settings: &Nonbonded,
    ) -> Result<(PlainPairs, Self), ForcesError> {
        let (mut plain, mut others) = (PlainPairs::default(), Vec::new());
        let mut known: BTreeMap<[u64; 3], u32> = BTreeMap::new();
        let kinds = Self::resolve(topology, table, settings, |kind, pair| {
            let (_, atoms, coulomb, _) = pair;
            match kind {
                Kind { plain: AnyPair::LennardJones(lj), vdw, cut: false, .. } => {
                    let constants = PlainPair { constants: lj.constants(*vdw), coulomb: COULOMB * coulomb };
                    let kind = *known.entry(constants.bits()).or_insert_with(|| {
                        plain.kinds.push(constants);
                        plain.kinds.len() as u32 - 1
                    });
                    plain.pairs.push((kind, atoms));
                }
                _ => others.push(pair),
            }
        })?;
        Ok((plain, Self::of(kinds, others, settings)))
    }

    /// Hands what governs each pair, with its kind, to `take`; returns all kinds.
    fn resolve(
        topology: &Topology,
        table: &PairTable,
        settings: &Nonbonded,
        mut take: impl FnMut(&Kind, Resolved),
    ) -> Result<Vec<Kind>, ForcesError> {
        let forms = PairForms::of(topology, table)?;
        let type_of = |a: u32| topology.type_of[a as usize] as usize;
        let charge = |a: u32| topology.charges[a as usize];
        let mut kinds: Vec<Kind> = Vec::new();
        // By the types or the override, the factor's bits, and whether the pair is cut off.
        let mut known: BTreeMap<([usize; 2], Option<u32>, u64, bool), usize> = BTreeMap::new();
        for p in topology.scaled_pairs.iter() {
            let [i, j] = p.atoms;
            let types = if p.pair_override.is_some() { [0; 2] } else { [type_of(i), type_of(j)] };
            let key = ([types[0].min(types[1]), types[0].max(types[1])], p.pair_override, p.vdw.to_bits(), p.cut);
            let kind = match known.get(&key) {
                Some(&kind) => kind,
                None => {
                    let plain = match p.pair_override {
                        None => *forms.get(types[0], types[1]),
                        Some(k) => {
                            let entry =
                                topology.pair_overrides.get(k as usize).ok_or_else(|| ForcesError::Mismatch {
                                    message: format!(
                                        "scaled pair of atoms {i} and {j} names override {k}, but there are {}",
                                        topology.pair_overrides.len()
                                    ),
                                })?;
                            AnyPair::new(&entry.form, &entry.parameters)?
                        }
                    };
                    let modifier = if p.cut { settings.modifier } else { Modifier::None };
                    let potential = Modified::new(plain, modifier, settings.r_cut)?;
                    kinds.push(Kind { potential, plain, vdw: p.vdw, cut: p.cut });
                    known.insert(key, kinds.len() - 1);
                    kinds.len() - 1
                }
            };
            let [qi, qj] = p.charges.unwrap_or([charge(i), charge(j)]);
            take(&kinds[kind], (kind, p.atoms, p.coulomb * qi * qj, charge(i) * charge(j)));
        }
        Ok(kinds)
    }

    fn of(kinds: Vec<Kind>, mut pairs: Vec<Resolved>, settings: &Nonbonded) -> Self {
        let (mut runs, mut chunks, mut done) = (Vec::new(), Vec::new(), 0);
        for chunk in pairs.chunks_mut(CHUNK) {
            let first = runs.len();
            chunk.sort_by_key(|(kind, ..)| *kind);
            for run in chunk.chunk_by(|a, b| a.0 == b.0) {
                runs.push((run[0].0, done..done + run.len()));
                done += run.len();
            }
            chunks.push(first..runs.len());
        }
        ScaledPairs {
            coulomb: pairs.iter().map(|p| p.2).collect(),
            whole: pairs.iter().map(|p| p.3).collect(),
            pairs: pairs.into_iter().map(|p| p.1).collect(),
            kinds,
            runs,
            chunks,
            r_cut: settings.r_cut,
            law: RealSpace::new(settings),
            isa: Isa::current(),
            sweep: Sweep::default(),
        }
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Van der Waals and Coulomb of a pair that is cut off, of charges with the product `whole` and, scaled,
    /// `coulomb` (e²), at the squared distance `r2` (nm²).
    fn eval_cut(&self, kind: &Kind, coulomb: f64, whole: f64, r2: f64) -> [PairEval<f64>; 2] {
        let beyond = r2 >= self.r_cut * self.r_cut;
        match self.law {
            RealSpace::None | RealSpace::Plain if beyond => [PairEval::zero(); 2],
            RealSpace::Ewald { .. } if beyond => {
                let (all, short) = (RealSpace::Plain.eval(whole, r2), self.law.eval(whole, r2));
                let waves =
                    PairEval { energy: all.energy - short.energy, force_over_r: all.force_over_r - short.force_over_r };
                [PairEval::zero(), waves]
            }
            RealSpace::None => [scaled(kind.vdw, kind.potential.eval(r2)), PairEval::zero()],
            _ => [scaled(kind.vdw, kind.potential.eval(r2)), RealSpace::Plain.eval(coulomb, r2)],
        }
    }
}

/// A potential times its factor.
#[inline(always)]
fn scaled(factor: f64, eval: PairEval<f64>) -> PairEval<f64> {
    PairEval { energy: factor * eval.energy, force_over_r: factor * eval.force_over_r }
}

/// What one chunk sums up.
#[derive(Default)]
struct Partial {
    vdw: f64,
    coulomb: f64,
    virial: Mat3,
    guarded: u64,
}

/// The work on one chunk, for one instruction set: adds to the forces, returns the sums.
struct Chunk<'a> {
    term: &'a ScaledPairs,
    chunk: usize,
    system: &'a System,
    virial: bool,
    forces: &'a mut [FixedVec3],
}

impl Job for Chunk<'_> {
    type Output = Result<Partial, ForceError>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let Chunk { term, chunk, system, virial, forces } = self;
        let image = system.cell.nearest_image();
        let mut arrays = Arrays::ZERO;
        let mut sums = Lanewise { vdw: ZERO, coulomb: ZERO, virial: [[ZERO; 3]; 3] };
        let mut guarded = 0;
        for (kind, range) in &term.runs[term.chunks[chunk].clone()] {
            let kind = &term.kinds[*kind];
            for start in range.clone().step_by(WIDTH) {
                let batch = start..range.end.min(start + WIDTH);
                let pairs = &term.pairs[batch.clone()];
                arrays.load(pairs, &image, &system.positions);
                // The charges of the pairs that fill up the vectors are zero.
                let (mut coulomb, mut whole) = (ZERO, ZERO);
                coulomb[..pairs.len()].copy_from_slice(&term.coulomb[batch.clone()]);
                whole[..pairs.len()].copy_from_slice(&term.whole[batch]);
                let (n, factor) = (pairs.len(), kind.vdw);
                let uncut = |qq: f64, r2, vdw| [scaled(factor, vdw), RealSpace::Plain.eval(qq, r2)];
                match kind.plain {
                    _ if kind.cut => sums.add(&mut arrays, n, |l, r2| term.eval_cut(kind, coulomb[l], whole[l], r2)),
                    // The most frequent one has a loop of its own.
                    AnyPair::LennardJones(lj) => sums.add(&mut arrays, n, |l, r2| {
                        uncut(coulomb[l], r2, LennardJones::eval(lj.constants(1.0), &Distance::of(r2)))
                    }),
                    any => sums.add(&mut arrays, n, |l, r2| uncut(coulomb[l], r2, any.eval(r2))),
                }
                if virial {
                    arrays.add_virial(pairs.len(), &mut sums.virial);
                }
                let radius = kind.plain.guard_radius();
                if radius > 0.0 {
                    let inside = |l: &usize| at(&arrays.r[0], *l).norm2() < radius * radius;
                    guarded += (0..pairs.len()).filter(inside).count() as u64;
                }
                arrays.store(ScaledPairs::NAME, pairs, forces)?;
            }
        }
        Ok(Partial {
            vdw: sums.vdw.iter().sum(),
            coulomb: sums.coulomb.iter().sum(),
            virial: total(&sums.virial),
            guarded,
        })
    }
}

/// Sums over the pairs that had the same place in their batches.
struct Lanewise {
    vdw: Lanes,
    coulomb: Lanes,
    virial: [[Lanes; 3]; 3],
}

impl Lanewise {
    /// Forces and energies of `n` pairs; `eval` gives van der Waals and Coulomb of a place at a squared distance.
    #[inline(always)]
    fn add(&mut self, arrays: &mut Arrays<2>, n: usize, eval: impl Fn(usize, f64) -> [PairEval<f64>; 2]) {
        for l in padded(n) {
            let d = at(&arrays.r[0], l); // r_j − r_i
            let [vdw, coulomb] = eval(l, d.norm2());
            let on_j = d * (vdw.force_over_r + coulomb.force_over_r);
            self.vdw[l] += if l < n { vdw.energy } else { 0.0 };
            self.coulomb[l] += if l < n { coulomb.energy } else { 0.0 };
            arrays.put(l, [-on_j, on_j]);
        }
    }
}

impl ForceTerm for ScaledPairs {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        // The buffers are lent to the sweep, which the pairs do not need.
        let mut sweep = std::mem::take(&mut self.sweep);
        let (term, virial) = (&*self, want.virial);
        let partials = sweep.run(term.chunks.len(), &mut out.on, |chunk, forces| {
            dispatch(term.isa, Chunk { term, chunk, system, virial, forces })
        });
        self.sweep = sweep;
        let partials = partials?;
        let mut total = Partial::default();
        for p in partials {
            total.vdw += p.vdw;
            total.coulomb += p.coulomb;
            total.virial += p.virial;
            total.guarded += p.guarded;
        }
        if want.energy {
            out.energy.add("vdw_14", total.vdw);
            out.energy.add("coulomb_14", total.coulomb);
        }
        if want.virial {
            out.virial += total.virial;
        }
        if total.guarded > 0 {
            out.count("guard", total.guarded);
        }
        Ok(())
    }
}
