//! From the pairs of all types to one cut-off, one modifier, one Coulomb law: the engine has one of each.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, Coulomb, Modifier, Nonbonded, PairTable};

use super::data::Data;
use super::model::Model;
use super::pair_styles::Charge;
use super::pairs::Resolved;
use super::types::Kind;
use super::units::{LENGTH, Units};
use crate::formats::{ImportError, Place};

/// Cut-off (nm) where nothing interacts.
const DEFAULT_CUTOFF: f64 = 1.0;

/// Every pair of types, settings, and ε, σ of 1-4 pairs by pair of types where `lj/charmm` gives them.
pub(super) struct Interactions {
    pub table: PairTable,
    pub settings: Nonbonded,
    /// \[i × n_types + j\], from 0.
    pub lj14: Vec<Option<[f64; 2]>>,
}

pub(super) fn resolve(
    model: &mut Model,
    data: &Data,
    cell: &Cell,
    charges: &[f64],
    units: &Units,
) -> Result<Interactions, ImportError> {
    let n = data.types.counts[0];
    let mut charged = vec![0_usize; n];
    for (atom, q) in data.atoms.iter().zip(charges) {
        charged[atom.kind - 1] += usize::from(*q != 0.0);
    }
    let mut shared = Shared::default();
    let mut lj14 = vec![None; n * n];
    let (pairs, types) = (&model.pairs, &data.types);
    let style_place = pairs.place.clone().unwrap_or_else(|| data.place.clone());
    let table = PairTable::from_fn(n, |i, j| {
        let resolved = pairs.resolve(i + 1, j + 1, types)?;
        lj14[i * n + j] = resolved.lj14;
        lj14[j * n + i] = resolved.lj14;
        let charges_meet = if i == j { charged[i] > 1 } else { charged[i] > 0 && charged[j] > 0 };
        let names = [i, j].map(|t| types.name(Kind::Atom, t + 1)).join(" ");
        shared.take(&resolved, charges_meet, &names)?;
        Ok::<_, ImportError>(resolved.entry)
    })?;

    let coulomb_place = shared.coulomb.as_ref().map(|c| c.1.clone());
    let law = match shared.law(&style_place)? {
        Charge::Long if !model.kspace.is_on() => {
            let place = coulomb_place.unwrap_or(style_place);
            let found = "a coul/long style stands without kspace_style";
            return Err(ImportError::at(&place, "pair_style", found, "add kspace_style ewald or pppm"));
        }
        law => law,
    };
    let any_long = pairs.styles.iter().any(|s| s.charge == Charge::Long);
    if let Some(place) = model.kspace.place.as_ref().filter(|_| model.kspace.is_on() && !any_long) {
        let found = "kspace_style stands without a coul/long pair style";
        return Err(ImportError::at(place, "kspace_style", found, "use a coul/long style, or kspace_style none"));
    }
    let r_cut = shared.r_cut.as_ref().map_or_else(|| shared.fallback(pairs_cutoff(model), cell), |c| c.0);
    if r_cut > cell.half_width() {
        let place = shared.r_cut.as_ref().map_or(&data.place, |c| &c.1);
        return Err(ImportError::at(
            place,
            "pair_style",
            format!(
                "the cut-off of {:.6} Å is larger than half the smallest width of the box, {:.6} Å",
                r_cut / LENGTH,
                cell.half_width() / LENGTH
            ),
            "amelo counts the nearest image of each pair only: replicate the box in LAMMPS, or shorten the cut-off",
        ));
    }
    let coulomb = match law {
        Charge::None => Coulomb::None,
        Charge::Cut => Coulomb::Cutoff,
        Charge::Long => {
            let mut notes = Vec::new();
            let solver = model.kspace.resolve(charges, cell, r_cut, &mut notes)?;
            model.notes.extend(notes);
            solver.unwrap_or(Coulomb::None)
        }
    };
    if law != Charge::None {
        model.notes.push(format!(
            "Coulomb's constant is {COULOMB} kJ mol^-1 nm e^-2; that of LAMMPS in units {} differs by {:.1e} relative",
            units.name,
            units.coulomb_difference()
        ));
    } else if charges.iter().any(|q| *q != 0.0) {
        model.notes.push("there are charges, but no pair style lets them interact, as in LAMMPS".into());
    }
    let (modifier, dispersion_correction) = shared.cut_treatment(model)?;
    let slab = model.kspace.slab.as_ref().filter(|_| law == Charge::Long).map(|_| 2);
    let settings = Nonbonded { r_cut, modifier, dispersion_correction, coulomb, slab, precision: Default::default() };
    if dispersion_correction {
        note_tail(model, data, &table, &settings, cell);
    }
    Ok(Interactions { table, settings, lj14 })
}

/// Largest cut-off of the styles (nm).
fn pairs_cutoff(model: &Model) -> f64 {
    model.pairs.styles.iter().map(|s| s.cut_vdw.max(s.cut_coul)).fold(0.0, f64::max)
}

/// What all pairs of types must share.
#[derive(Default)]
struct Shared {
    r_cut: Option<(f64, Place)>,
    coulomb: Option<(Charge, Place)>,
    /// Types whose charges meet without Coulomb's law.
    silent: Option<String>,
    /// The styles' own switch, if they have one, and where they stand.
    switch: Option<(Option<Modifier>, Place)>,
}

impl Shared {
    fn take(&mut self, pair: &Resolved, charges_meet: bool, names: &str) -> Result<(), ImportError> {
        let coulomb = pair.cut_coul.as_ref().filter(|_| charges_meet);
        for (cut, place) in pair.cut_vdw.iter().chain(coulomb) {
            match &self.r_cut {
                Some((first, at)) if (cut / first - 1.0).abs() > 1e-12 => {
                    return Err(ImportError::at(
                        place,
                        "pair_coeff",
                        format!(
                            "types {names} have a cut-off of {:.6} Å, others {:.6} Å ({at})",
                            cut / LENGTH,
                            first / LENGTH
                        ),
                        "amelo has one cut-off for van der Waals and Coulomb of all pairs: make them equal",
                    ));
                }
                Some(_) => {}
                None => self.r_cut = Some((*cut, place.clone())),
            }
        }
        match (&pair.cut_coul, &self.coulomb) {
            (Some((_, place)), Some((law, at))) if *law != pair.charge && charges_meet => {
                return Err(ImportError::at(
                    place,
                    "pair_coeff",
                    format!("types {names} mix truncated and long-range Coulomb ({at})"),
                    "use one of them for all pairs",
                ));
            }
            (Some((_, place)), None) if charges_meet => self.coulomb = Some((pair.charge, place.clone())),
            (None, _) if charges_meet => {
                self.silent.get_or_insert_with(|| names.into());
            }
            _ => {}
        }
        if let Some((_, place)) = &pair.cut_vdw {
            match &self.switch {
                Some((switch, at)) if *switch != pair.switch => {
                    return Err(ImportError::at(
                        place,
                        "pair_coeff",
                        format!("types {names} are switched unlike others ({at})"),
                        "amelo treats the cut-off of all pairs alike: use lj/charmm or lj/gromacs styles for all, or for none",
                    ));
                }
                _ => self.switch = Some((pair.switch, place.clone())),
            }
        }
        Ok(())
    }

    /// Coulomb's law between all charges. Errors: some charges feel it and others do not.
    fn law(&self, place: &Place) -> Result<Charge, ImportError> {
        match (&self.coulomb, &self.silent) {
            (None, _) => Ok(Charge::None),
            (Some((law, _)), None) => Ok(*law),
            (Some((_, at)), Some(names)) => Err(ImportError::at(
                place,
                "pair_style",
                format!("charges of types {names} do not interact, but others do ({at})"),
                "amelo lets all charges interact: use a coul style for all pairs, or hybrid/overlay with one on * *",
            )),
        }
    }

    /// A cut-off where nothing depends on it.
    fn fallback(&self, styles: f64, cell: &Cell) -> f64 {
        let wanted = if styles > 0.0 { styles } else { DEFAULT_CUTOFF };
        wanted.min(cell.half_width())
    }

    /// Modifier and tail. A switched potential is neither shifted nor has a tail in LAMMPS.
    fn cut_treatment(&self, model: &mut Model) -> Result<(Modifier, bool), ImportError> {
        let (shift, tail) = (model.pairs.shift.clone(), model.pairs.tail.clone());
        if let (Some(place), Some(_)) = (&shift, &tail) {
            let found = "shift yes and tail yes exclude each other, in LAMMPS too";
            return Err(ImportError::at(place, "pair_modify", found, "choose one"));
        }
        if let Some((Some(switch), _)) = self.switch {
            if let Some(place) = shift.or(tail) {
                model.notes.push(format!(
                    "{place}: pair_modify shift and tail have no effect on lj/charmm and lj/gromacs styles, in LAMMPS and here"
                ));
            }
            return Ok((switch, false));
        }
        let modifier = if shift.is_some() { Modifier::PotentialShift } else { Modifier::None };
        Ok((modifier, tail.is_some()))
    }
}

/// How much of LAMMPS' tail is repulsion, which the dispersion correction leaves out. For Lennard-Jones pairs
/// U = (2π/V) Σ_ab n_a n_b ∫ 4ε (σ/r)¹² r² dr, for Buckingham ones the same of A exp(−r/ρ); beyond r_c.
/// Source: LAMMPS documentation, pair_modify, after H. Sun, J. Phys. Chem. B 102, 7338 (1998).
fn note_tail(model: &mut Model, data: &Data, table: &PairTable, settings: &Nonbonded, cell: &Cell) {
    let mut count = vec![0.0; data.types.counts[0]];
    data.atoms.iter().for_each(|a| count[a.kind - 1] += 1.0);
    let rc = settings.r_cut;
    let mut energy = 0.0;
    for (i, j, entry) in table.iter() {
        let integral = match (entry.form.as_str(), &entry.parameters[..]) {
            ("lennard_jones", [sigma, epsilon]) => 4.0 * epsilon * sigma.powi(12) / (9.0 * rc.powi(9)),
            ("buckingham", [a, rho, _]) => {
                a * amelo_math::special::exp(-rc / rho) * rho * (rc * rc + 2.0 * rho * rc + 2.0 * rho * rho)
            }
            _ => 0.0,
        };
        energy += if i == j { 1.0 } else { 2.0 } * count[i] * count[j] * integral;
    }
    energy *= 2.0 * std::f64::consts::PI / cell.volume();
    let place = model.pairs.tail.as_ref().map_or_else(String::new, Place::to_string);
    model.notes.push(format!(
        "{place}: pair_modify tail yes: the dispersion tail -C6/r^6 is added; LAMMPS' tail has the repulsion too, \
         {energy:.6e} kJ/mol here"
    ));
}
