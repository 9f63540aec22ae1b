//! `kspace_style`, `kspace_modify`: from LAMMPS' accuracy to a splitting parameter, a mesh and an order.
//!
//! LAMMPS' accuracy is an RMS force error in units of the force between two unit charges 1 Å apart, 332.06 kcal/mol/Å in
//! `units real` (LAMMPS documentation, kspace_style). `ewald` becomes Ewald's sum at a tolerance of 1e-12, which is exact
//! beside any accuracy. `pppm` becomes smooth PME:
//!
//! - β is the smallest for which J. Kolafa's and J. W. Perram's estimate of the real-space error, 2 k_e Σq² exp(−β² r_c²) /
//!   √(N r_c V) (Mol. Simul. 9, 351 (1992), doi:10.1080/08927029208049126), is a third of the accuracy;
//! - B-splines of order 6 on a mesh of spacing h for which the error of the mesh, too, is a third of it. For charges
//!   without correlation that error grows like (βh)ᵖ with the order p, see [`MESH_ERROR`].
//!
//! What the script gives by `kspace_modify` (`gewald`, `mesh`, `order`) holds as it is.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, Coulomb};
use amelo_math::special;

use super::args::{Args, shown};
use super::pair_styles::plain_name;
use super::units::{LENGTH, Units};
use crate::formats::{ImportError, Place};

/// Tolerance of Ewald's sum that stands for any of LAMMPS' accuracies.
const EWALD_TOLERANCE: f64 = 1e-12;
/// Order of the B-splines where the script gives none.
const ORDER: usize = 6;
/// Most mesh points along an axis.
const MOST_POINTS: f64 = 1024.0;
/// Largest βh for which [`MESH_ERROR`] holds.
const LARGEST_STEP: f64 = 1.0;
/// For orders 3 to 7 bounds c, s of the RMS force error of smooth PME with the splines' analytic gradient: of other
/// charges k_e Σq² √(β/NV) c (βh)ᵖ, of a charge on itself k_e β² √(Σq⁴/N) s (βh)ᵖ. Largest values for 0.2 < βh < 1 of the
/// mean-square error as V. Ballenegger, J. J. Cerdà and C. Holm define it, J. Chem. Theory Comput. 8, 936 (2012),
/// doi:10.1021/ct2001792, summed numerically over a cubic mesh of 24³ points; tests hold the result against an
/// independent sum and against Ewald's.
const MESH_ERROR: [[f64; 2]; 5] = [[0.72, 0.09], [0.23, 0.15], [0.12, 0.043], [0.11, 0.038], [0.11, 0.034]];

/// Sum over waves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Ewald,
    Pppm,
}

/// Settings of the long-range solver.
#[derive(Clone, Debug, Default)]
pub(super) struct KSpace {
    method: Option<(Method, f64)>,
    /// Where `kspace_style` stands.
    pub place: Option<Place>,
    /// Absolute force error (kJ/mol/nm).
    force: Option<f64>,
    /// β (nm⁻¹).
    gewald: Option<f64>,
    mesh: Option<[usize; 3]>,
    order: Option<usize>,
    /// Factor on the height of the cell.
    pub slab: Option<(f64, Place)>,
}

impl KSpace {
    /// Whether there is a long-range solver.
    pub fn is_on(&self) -> bool {
        self.method.is_some()
    }

    /// The command `kspace_style`.
    pub fn set_style(&mut self, args: &Args) -> Result<(), ImportError> {
        let name = args.text(0, "the style")?;
        let method = match plain_name(name) {
            "none" => {
                args.count(1..=1, "kspace_style none")?;
                self.method = None;
                return Ok(());
            }
            "ewald" => Method::Ewald,
            "pppm" => Method::Pppm,
            _ => {
                return args.fail(
                    format!("kspace style \"{}\" has no counterpart here", shown(name)),
                    "use ewald, pppm or none",
                );
            }
        };
        args.count(2..=2, &format!("kspace_style {name} ACCURACY"))?;
        let accuracy = args.positive(1, "the accuracy")?;
        if !(1e-14..1.0).contains(&accuracy) {
            return args.fail(format!("the accuracy is {accuracy}"), "it lies between 1e-14 and 1, for example 1e-5");
        }
        self.method = Some((method, accuracy));
        self.place = Some(args.place.clone());
        Ok(())
    }

    /// The command `kspace_modify`.
    pub fn modify(&mut self, args: &Args, units: &Units, notes: &mut Vec<String>) -> Result<(), ImportError> {
        let mut k = 0;
        while k < args.len() {
            let key = args.words[k].as_str();
            let mut used = 2;
            match key {
                "gewald" => {
                    let g = args.not_negative(k + 1, "gewald")? / LENGTH;
                    self.gewald = (g > 0.0).then_some(g);
                }
                "mesh" => {
                    let mut mesh = [0; 3];
                    for (axis, points) in mesh.iter_mut().enumerate() {
                        *points = args.whole(k + 1 + axis, "a mesh dimension", 0..=4096)? as usize;
                    }
                    self.mesh = (mesh != [0; 3]).then_some(mesh);
                    used = 4;
                }
                "order" => self.order = Some(args.whole(k + 1, "the order", 3..=7)? as usize),
                "force" => self.force = Some(args.positive(k + 1, "the force error")? * units.energy / LENGTH),
                "slab" => {
                    let text = args.text(k + 1, "the slab factor")?;
                    if text == "nozforce" {
                        return args.fail("slab nozforce leaves forces out", "give a volume factor such as 3.0");
                    }
                    let factor = args.number(k + 1, "the slab factor")?;
                    if !(factor > 1.0 && factor <= 20.0) {
                        return args
                            .fail(format!("the slab factor is {factor}"), "it lies between 1 and 20; 3.0 is usual");
                    }
                    if factor < 2.0 {
                        notes.push(format!(
                            "{}: the slab factor is {factor}; LAMMPS warns below 2, where the box itself must hold vacuum",
                            args.place
                        ));
                    }
                    self.slab = Some((factor, args.place.clone()));
                }
                "compute" => {
                    if !args.yes_no(k + 1, "compute")? {
                        return args.fail("kspace_modify compute no leaves the sum over waves out", "leave it away");
                    }
                }
                "diff" | "overlap" | "minorder" | "cutoff/adjust" | "collective" | "fftbench" | "eigtol"
                | "gewald/disp" | "kmax/ewald" | "pressure/scalar" => {
                    used = if key == "kmax/ewald" { 4 } else { 2 };
                    args.text(k + used - 1, key)?;
                    notes.push(format!(
                        "{}: kspace_modify {key}: how LAMMPS gets its sum over waves; no effect here",
                        args.place
                    ));
                }
                other => {
                    return args.fail(
                        format!("\"{}\" is not read", shown(other)),
                        "use gewald, mesh, order, force, slab or compute yes",
                    );
                }
            }
            k += used;
        }
        Ok(())
    }

    /// The solver for charges in `cell` (with its vacuum, if any) at the cut-off `r_cut` (nm).
    /// None where the script has none. Errors: an accuracy beyond the reach of a mesh.
    pub fn resolve(
        &self,
        charges: &[f64],
        cell: &Cell,
        r_cut: f64,
        notes: &mut Vec<String>,
    ) -> Result<Option<Coulomb>, ImportError> {
        let Some(((method, accuracy), place)) = self.method.zip(self.place.as_ref()) else { return Ok(None) };
        let target = self.force.unwrap_or(accuracy * COULOMB / (LENGTH * LENGTH));
        if method == Method::Ewald {
            let beta = self.gewald.unwrap_or_else(|| special::ewald_beta(r_cut, EWALD_TOLERANCE));
            notes.push(format!(
                "{place}: kspace_style ewald {accuracy:e}: Ewald's sum with beta = {beta:.6} nm^-1 and waves down to \
                 {EWALD_TOLERANCE:e}, at least as accurate"
            ));
            return Ok(Some(Coulomb::Ewald { beta, tolerance: EWALD_TOLERANCE }));
        }
        let sum_q2: f64 = charges.iter().map(|q| q * q).sum();
        let n = charges.len().max(1) as f64;
        let beta = self.gewald.unwrap_or_else(|| {
            let amplitude = 2.0 * COULOMB * sum_q2 / (n * r_cut * cell.volume()).sqrt();
            let argument = special::ln((3.0 * amplitude / target).max(3.0));
            argument.sqrt() / r_cut
        });
        let order = self.order.unwrap_or(ORDER);
        let mesh = match self.mesh {
            Some(mesh) if mesh.iter().any(|n| *n < order) => {
                let found =
                    format!("the mesh {} x {} x {} is coarser than its order {order}", mesh[0], mesh[1], mesh[2]);
                return Err(ImportError::at(place, "kspace_modify", found, "give more points along each axis"));
            }
            Some(mesh) => mesh,
            None => {
                let [other, own] = MESH_ERROR[order - 3];
                let sum_q4: f64 = charges.iter().map(|q| q.powi(4)).sum();
                let other = COULOMB * sum_q2 * (beta / (n * cell.volume())).sqrt() * other;
                let own = COULOMB * beta * beta * (sum_q4 / n).sqrt() * own;
                let power = target / 3.0 / (other * other + own * own).sqrt().max(f64::MIN_POSITIVE);
                let step = special::pow(power.min(1.0), 1.0 / order as f64).min(LARGEST_STEP);
                let points = cell.vectors().rows.map(|v| (v.norm() * beta / step).ceil().max(2.0 * order as f64));
                if points.iter().any(|n| *n > MOST_POINTS) {
                    let found =
                        format!("the accuracy {accuracy:e} needs a mesh of more than {MOST_POINTS} points a side");
                    return Err(ImportError::at(place, "kspace_style", found, "use ewald, or give mesh and order"));
                }
                points.map(|n| smooth_from(n as usize))
            }
        };
        let given = |given: bool| if given { "as given" } else { "from the accuracy" };
        notes.push(format!(
            "{place}: kspace_style pppm {accuracy:e}: smooth PME with beta = {beta:.6} nm^-1 ({}), order {order} ({}), mesh \
             {} x {} x {} ({}); LAMMPS asks for an RMS force error of {target:.3e} kJ/mol/nm",
            given(self.gewald.is_some()),
            given(self.order.is_some()),
            mesh[0],
            mesh[1],
            mesh[2],
            given(self.mesh.is_some()),
        ));
        Ok(Some(Coulomb::Pme { beta, order, mesh }))
    }
}

/// The smallest number from `n` on without a prime factor above 5, for the FFT's sake.
fn smooth_from(n: usize) -> usize {
    let is_smooth = |mut n: usize| {
        for p in [2, 3, 5] {
            while n.is_multiple_of(p) {
                n /= p;
            }
        }
        n == 1
    };
    (n..).find(|&n| is_smooth(n)).unwrap_or(n)
}
