//! The directives of a topology: which exist, and where each may stand.

use super::topology::Progress;

/// A directive as this importer treats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Directive {
    Defaults,
    AtomTypes,
    BondTypes,
    ConstraintTypes,
    AngleTypes,
    DihedralTypes,
    PairTypes,
    NonbondParams,
    /// Parameters that only directives use which are refused where a molecule of the system has them.
    UnusedTypes,
    MoleculeType,
    Atoms,
    Bonds,
    Pairs,
    Angles,
    Dihedrals,
    Constraints,
    Settles,
    Exclusions,
    /// Known, but without counterpart in this engine: index into [`REFUSED`].
    Refused(usize),
    System,
    Molecules,
    Intermolecular,
}

/// Directives of a molecule without counterpart, with what to do instead.
pub(super) const REFUSED: [(&str, &str); 18] = [
    (
        "position_restraints",
        "leave the macro that asks for it undefined, and tether a group in the deck: \
         [dynamics] tethered = [{ group = \"…\", force_constant = \"1000 kJ/mol/nm^2\" }]",
    ),
    ("distance_restraints", RESTRAINT),
    ("dihedral_restraints", RESTRAINT),
    ("angle_restraints", RESTRAINT),
    ("angle_restraints_z", RESTRAINT),
    ("orientation_restraints", RESTRAINT),
    ("virtual_sites1", VIRTUAL),
    ("virtual_sites2", VIRTUAL),
    ("virtual_sites3", VIRTUAL),
    ("virtual_sites4", VIRTUAL),
    ("virtual_sitesn", VIRTUAL),
    ("pairs_nb", "write the pairs as [ pairs ] of function 2 and exclude them"),
    ("cmap", "take a force field without dihedral correction maps"),
    ("polarization", POLAR),
    ("water_polarization", POLAR),
    ("thole_polarization", POLAR),
    ("implicit_solvent", "take explicit solvent"),
    ("dummies", VIRTUAL),
];
const RESTRAINT: &str = "leave the macro that asks for it undefined: this engine has tethers, but no other restraints";
const VIRTUAL: &str = "take a model whose every site is an atom with a mass";
const POLAR: &str = "take a force field with fixed charges";

/// Names as messages print them, in the order of the enum.
const NAMES: [(&str, Directive); 22] = [
    ("defaults", Directive::Defaults),
    ("atomtypes", Directive::AtomTypes),
    ("bondtypes", Directive::BondTypes),
    ("constrainttypes", Directive::ConstraintTypes),
    ("angletypes", Directive::AngleTypes),
    ("dihedraltypes", Directive::DihedralTypes),
    ("pairtypes", Directive::PairTypes),
    ("nonbond_params", Directive::NonbondParams),
    ("cmaptypes", Directive::UnusedTypes),
    ("implicit_genborn_params", Directive::UnusedTypes),
    ("implicit_surface_params", Directive::UnusedTypes),
    ("moleculetype", Directive::MoleculeType),
    ("atoms", Directive::Atoms),
    ("bonds", Directive::Bonds),
    ("pairs", Directive::Pairs),
    ("angles", Directive::Angles),
    ("dihedrals", Directive::Dihedrals),
    ("constraints", Directive::Constraints),
    ("settles", Directive::Settles),
    ("exclusions", Directive::Exclusions),
    ("system", Directive::System),
    ("molecules", Directive::Molecules),
];

impl Directive {
    /// The directive of a name; case, `-` and `_` do not matter.
    pub fn of(name: &str) -> Option<Self> {
        let plain = |s: &str| s.replace(['-', '_'], "").to_lowercase();
        let wanted = plain(name);
        let refused = REFUSED.iter().position(|(n, _)| {
            plain(n) == wanted || (*n == "dummies" && wanted.len() == 8 && wanted.starts_with("dummies"))
        });
        if wanted == "intermolecularinteractions" {
            return Some(Directive::Intermolecular);
        }
        NAMES.iter().find(|(n, _)| plain(n) == wanted).map(|(_, d)| *d).or(refused.map(Directive::Refused))
    }

    /// `[ bonds ]`
    pub fn title(self) -> String {
        let name = match self {
            Directive::Refused(k) => REFUSED[k].0,
            Directive::Intermolecular => "intermolecular_interactions",
            _ => NAMES.iter().find(|(_, d)| *d == self).map_or("types", |(n, _)| n),
        };
        format!("[ {name} ]")
    }

    /// Why the directive may not stand where the reader has got to; the rules of the manual's section
    /// "Topology file".
    pub fn misplaced(self, progress: &Progress) -> Option<&'static str> {
        use Directive::*;
        match self {
            Defaults if progress.has_defaults => Some("a second [ defaults ]"),
            Defaults => None,
            _ if !progress.has_defaults => Some("it stands before [ defaults ]"),
            AtomTypes | BondTypes | ConstraintTypes | AngleTypes | DihedralTypes | PairTypes | NonbondParams
            | UnusedTypes
                if progress.has_molecule_type =>
            {
                Some("parameters of types stand behind a [ moleculetype ]")
            }
            BondTypes | ConstraintTypes | AngleTypes | DihedralTypes | PairTypes | NonbondParams | MoleculeType
                if !progress.has_atom_types =>
            {
                Some("it stands before [ atomtypes ]")
            }
            Atoms if !progress.has_molecule_type => Some("it stands before [ moleculetype ]"),
            Bonds | Pairs | Angles | Dihedrals | Constraints | Settles | Exclusions | Refused(_)
                if !progress.has_atoms =>
            {
                Some("it stands before the [ atoms ] of its molecule")
            }
            MoleculeType | Atoms | Bonds | Pairs | Angles | Dihedrals | Constraints | Settles | Exclusions
            | Refused(_)
                if progress.has_system =>
            {
                Some("it stands behind [ system ]")
            }
            System if !progress.has_molecule_type => Some("it stands before any [ moleculetype ]"),
            Molecules if !progress.has_system => Some("it stands before [ system ]"),
            _ => None,
        }
    }
}
