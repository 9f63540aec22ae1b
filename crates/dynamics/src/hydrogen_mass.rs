//! Hydrogen mass repartitioning: heavier hydrogens, lighter neighbours, the same molecules.
//!
//! With bonds to hydrogen held fixed the fastest motions left are the bending of H–X–Y and the turning of XHₙ; their
//! periods grow with the root of the hydrogen's mass. 3 u lets the time step grow from 2 to 4 fs. Masses do not enter
//! configurational averages, but they do enter dynamics: friction and diffusion shift by a few percent.
//! K. A. Feenstra, B. Hess, H. J. C. Berendsen, J. Comput. Chem. 20, 786 (1999),
//! doi:10.1002/(SICI)1096-987X(199906)20:8<786::AID-JCC5>3.0.CO;2-B; C. W. Hopkins, S. Le Grand, R. C. Walker,
//! A. E. Roitberg, J. Chem. Theory Comput. 11, 1864 (2015), doi:10.1021/ct5010406.

use amelo_core::Topology;

use crate::DynamicsError;

/// Gives every hydrogen of `topology` the mass `mass` (u), which the heavy atom that it is bonded to loses. Returns the
/// number of hydrogens. Nothing happens where they have it already.
///
/// Errors: a mass below a hydrogen's own; a hydrogen that is not bonded to exactly one other element's atom; a heavy
/// atom that would be left with less than `mass`.
pub fn repartition_hydrogen_mass(topology: &mut Topology, mass: f64) -> Result<usize, DynamicsError> {
    let refuse = |message: String| DynamicsError::Setting { key: "hydrogen_mass", message };
    if !(mass > 0.0 && mass.is_finite()) {
        return Err(refuse(format!("{mass} u must be positive")));
    }
    let is_hydrogen: Vec<bool> = (0..topology.n_atoms()).map(|a| topology.element(a) == "H").collect();
    let mut partner: Vec<Option<usize>> = vec![None; topology.n_atoms()];
    for [i, j] in topology.bonds.iter().map(|b| b.map(|a| a as usize)) {
        for (h, heavy) in [(i, j), (j, i)] {
            if !is_hydrogen[h] || is_hydrogen[heavy] {
                continue;
            }
            if partner[h].is_some_and(|known| known != heavy) {
                return Err(refuse(format!("hydrogen {h} is bonded to more than one heavy atom")));
            }
            partner[h] = Some(heavy);
        }
    }
    let mut masses = topology.masses.clone();
    for h in (0..masses.len()).filter(|&a| is_hydrogen[a]) {
        let Some(heavy) = partner[h] else {
            return Err(refuse(format!("hydrogen {h} is not bonded to a heavy atom that could give it mass")));
        };
        let moved = mass - topology.masses[h];
        if moved < 0.0 {
            return Err(refuse(format!("hydrogen {h} weighs {} u, more than {mass} u", topology.masses[h])));
        }
        masses[h] = mass;
        masses[heavy] -= moved;
    }
    if let Some(heavy) = partner.iter().flatten().find(|&&heavy| masses[heavy] < mass) {
        return Err(refuse(format!(
            "atom {heavy} ({}) would be left with {:.4} u, less than the {mass} u of its hydrogens",
            topology.element(*heavy),
            masses[*heavy]
        )));
    }
    topology.masses = masses;
    Ok(is_hydrogen.iter().filter(|h| **h).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::AtomType;

    /// Methanol, H₃C–O–H: C 0, H 1 to 3, O 4, H 5.
    fn methanol() -> Topology {
        Topology {
            types: ["C", "H", "O"].map(|e| AtomType { name: e.into(), element: e.into() }).to_vec(),
            type_of: vec![0, 1, 1, 1, 2, 1].into(),
            masses: vec![12.011, 1.008, 1.008, 1.008, 15.999, 1.008].into(),
            bonds: vec![[0, 1], [2, 0], [0, 3], [0, 4], [4, 5]].into(),
            ..Topology::default()
        }
    }

    #[test]
    fn a_molecule_keeps_its_mass_and_twice_is_once() {
        let mut t = methanol();
        assert_eq!(repartition_hydrogen_mass(&mut t, 3.0), Ok(4));
        for (found, expected) in t.masses.iter().zip([12.011 - 5.976, 3.0, 3.0, 3.0, 15.999 - 1.992, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{:?}", t.masses);
        }
        let total = |t: &Topology| t.masses.iter().sum::<f64>();
        assert!((total(&t) - total(&methanol())).abs() < 1e-12);
        let once = t.masses.clone();
        assert_eq!(repartition_hydrogen_mass(&mut t, 3.0), Ok(4));
        assert_eq!(t.masses, once);
    }

    #[test]
    fn what_cannot_give_is_named_and_nothing_changes() {
        let refused = |change: &dyn Fn(&mut Topology), mass: f64| {
            let mut t = methanol();
            change(&mut t);
            let before = t.masses.clone();
            let message = repartition_hydrogen_mass(&mut t, mass).unwrap_err().to_string();
            assert_eq!(t.masses, before);
            message
        };
        // 12.011 − 3 · 2.992 = 3.035.
        assert!(refused(&|_| (), 4.0).contains("atom 0 (C) would be left with 3.0350 u"));
        assert!(refused(&|_| (), 1.0).contains("hydrogen 1 weighs 1.008 u"));
        assert!(refused(&|_| (), f64::NAN).contains("positive"));
        assert!(refused(&|t| t.bonds.truncate(4), 3.0).contains("hydrogen 5 is not bonded"));
        assert!(refused(&|t| t.bonds.push([5, 0]), 3.0).contains("more than one"));
    }
}
