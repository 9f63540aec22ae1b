//! Degrees of freedom: N_dof = 3 N_mobile − N_constraints − N_conserved.

use amelo_core::Topology;
use serde::Serialize;

/// Degrees of freedom of the atoms that share one thermostat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupDof {
    /// Name of the group.
    pub name: String,
    /// Atoms that move.
    pub mobile: usize,
    /// Atoms that never move.
    pub frozen: usize,
    /// Constraints with at least one mobile atom.
    pub constraints: usize,
    /// Components of the momentum that are removed: 3, or 0 where anything breaks momentum.
    pub conserved: usize,
    /// 3 mobile − constraints − conserved.
    pub n_dof: usize,
}

/// Degrees of freedom per thermostat group (one group so far: all atoms) and why momentum counts or not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DofReport {
    /// The groups.
    pub groups: Vec<GroupDof>,
    /// Why 3 degrees of freedom were subtracted for the centre of mass, or not.
    pub centre_of_mass: &'static str,
}

impl DofReport {
    /// Counts. `momentum_conserved` is false where walls, tethers or external forces act.
    pub fn count(topology: &Topology, remove_com: bool, momentum_conserved: bool, thermostat_conserves: bool) -> Self {
        let frozen = topology.frozen.iter().filter(|&&f| f).count();
        let mobile = topology.n_atoms() - frozen;
        let is_frozen = |a: u32| topology.frozen.get(a as usize).copied().unwrap_or(false);
        let constraints = topology.constraints.iter().filter(|c| !c.atoms.iter().all(|&a| is_frozen(a))).count();
        let (centre_of_mass, conserved) = match () {
            _ if !remove_com => ("not removed: its motion counts", 0),
            _ if frozen > 0 => ("frozen atoms break momentum: it counts", 0),
            _ if !momentum_conserved => ("external forces break momentum: it counts", 0),
            _ if !thermostat_conserves => ("the thermostat breaks momentum: it counts", 0),
            _ if mobile == 0 => ("nothing moves", 0),
            _ => ("removed at every step: 3 degrees of freedom less", 3),
        };
        let n_dof = (3 * mobile).saturating_sub(constraints + conserved);
        let group = GroupDof { name: "all atoms".into(), mobile, frozen, constraints, conserved, n_dof };
        DofReport { groups: vec![group], centre_of_mass }
    }

    /// Degrees of freedom of all groups together.
    pub fn n_dof(&self) -> usize {
        self.groups.iter().map(|g| g.n_dof).sum()
    }

    /// Components of the momentum that are removed: 3 or 0.
    pub fn conserved(&self) -> usize {
        self.groups.iter().map(|g| g.conserved).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::Constraint;

    fn topology() -> Topology {
        Topology {
            type_of: vec![0; 4].into(),
            frozen: vec![false; 4],
            constraints: vec![Constraint { atoms: [0, 1], length: 0.1 }, Constraint { atoms: [2, 3], length: 0.1 }],
            ..Topology::default()
        }
    }

    #[test]
    fn momentum_counts_only_where_nothing_breaks_it() {
        let mut t = topology();
        assert_eq!(DofReport::count(&t, true, true, true).n_dof(), 12 - 2 - 3);
        assert_eq!(DofReport::count(&t, false, true, true).n_dof(), 12 - 2);
        assert_eq!(DofReport::count(&t, true, false, true).n_dof(), 12 - 2);
        assert_eq!(DofReport::count(&t, true, true, false).n_dof(), 12 - 2);
        // One constraint lies between frozen atoms only and takes nothing away.
        t.frozen = vec![false, false, true, true];
        assert_eq!(DofReport::count(&t, true, true, true).n_dof(), 6 - 1);
    }
}
