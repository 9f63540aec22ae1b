//! What the commands of a script have set so far.

use std::collections::BTreeMap;

use super::args::{Args, shown};
use super::bonded::Bonded;
use super::constraints::Shake;
use super::data::Data;
use super::kspace::KSpace;
use super::pairs::Pairs;
use super::special::Special;
use super::types::Kind;
use super::units::{METAL, REAL, Units};
use super::without_effect::{INTEGRATION_FIXES, Ignored, WITHOUT_EFFECT};
use crate::formats::{ImportError, Place};

/// Layout of the lines of Atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtomStyle {
    Full,
    Molecular,
    Charge,
}

impl AtomStyle {
    pub fn name(self) -> &'static str {
        match self {
            AtomStyle::Full => "full",
            AtomStyle::Molecular => "molecular",
            AtomStyle::Charge => "charge",
        }
    }
}

/// A model in the making.
#[derive(Debug)]
pub(super) struct Model {
    units: Option<Units>,
    atom_style: Option<AtomStyle>,
    /// Whether the box is open along z (`boundary p p f`), and where that stands.
    pub open_z: Option<Place>,
    pub pairs: Pairs,
    /// Bonds, angles, dihedrals, impropers.
    pub bonded: [Bonded; 4],
    pub special: Special,
    pub kspace: KSpace,
    pub data: Option<Data>,
    /// By the fix's name.
    pub shakes: BTreeMap<String, Shake>,
    pub notes: Vec<String>,
    pub ignored: Ignored,
    /// The first `run` or `minimize`.
    ran: Option<Place>,
}

impl Default for Model {
    fn default() -> Self {
        Model {
            units: None,
            atom_style: None,
            open_z: None,
            pairs: Pairs::default(),
            bonded: [Kind::Bond, Kind::Angle, Kind::Dihedral, Kind::Improper].map(Bonded::new),
            special: Special::default(),
            kspace: KSpace::default(),
            data: None,
            shakes: BTreeMap::new(),
            notes: Vec::new(),
            ignored: Ignored::default(),
            ran: None,
        }
    }
}

impl Model {
    /// The unit system; LAMMPS' default is lj.
    pub fn units(&self, place: &Place) -> Result<Units, ImportError> {
        self.units.ok_or_else(|| {
            ImportError::at(
                place,
                "units",
                "no units were set, which means lj",
                "write units real or units metal; reduced units have no counterpart here",
            )
        })
    }

    pub fn atom_style(&self, place: &Place) -> Result<AtomStyle, ImportError> {
        self.atom_style.ok_or_else(|| {
            ImportError::at(
                place,
                "atom_style",
                "no atom_style was set, which means atomic",
                "write atom_style full, molecular or charge",
            )
        })
    }

    /// One command of a script, except those that change the reading itself (`include`, `variable`, `read_data`).
    pub fn command(&mut self, args: &Args) -> Result<(), ImportError> {
        let before_the_box = |what: &str| match &self.data {
            None => Ok(()),
            Some(_) => args.fail(format!("{what} cannot change once the box exists"), "move it before read_data"),
        };
        match args.name {
            "units" => {
                before_the_box("units")?;
                args.count(1..=1, "units real or units metal")?;
                self.units = Some(match args.words[0].as_str() {
                    "real" => REAL,
                    "metal" => METAL,
                    other => {
                        return args.fail(
                            format!("units {} are not read", shown(other)),
                            "use units real or units metal; units lj have no physical scale to convert by",
                        );
                    }
                });
            }
            "atom_style" => {
                before_the_box("atom_style")?;
                args.count(1..=1, "atom_style full, molecular or charge")?;
                self.atom_style = Some(match args.words[0].as_str() {
                    "full" => AtomStyle::Full,
                    "molecular" => AtomStyle::Molecular,
                    "charge" => AtomStyle::Charge,
                    other => {
                        return args.fail(
                            format!("atom style \"{}\" is not read", shown(other)),
                            "use full, molecular or charge",
                        );
                    }
                });
            }
            "dimension" => {
                if args.whole(0, "the dimension", 2..=3)? != 3 {
                    return args.fail("the system is two-dimensional", "amelo computes in three dimensions");
                }
            }
            "boundary" => {
                before_the_box("boundary")?;
                args.count(3..=3, "boundary p p p, or boundary p p f with a slab")?;
                let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
                self.open_z = match words[..] {
                    ["p" | "pp", "p" | "pp", "p" | "pp"] => None,
                    ["p" | "pp", "p" | "pp", "f" | "ff"] => Some(args.place.clone()),
                    _ => {
                        return args.fail(
                            format!("boundary {} is not represented here", args.line()),
                            "use p p p, or p p f with kspace_modify slab",
                        );
                    }
                };
            }
            "dielectric" => {
                let constant = args.number(0, "the dielectric constant")?;
                if constant != 1.0 {
                    return args.fail(format!("the dielectric constant is {constant}"), "only 1 is represented here");
                }
            }
            "mass" => {
                let data = self.data.as_mut().ok_or_else(|| no_box(args))?;
                args.count(2..=2, "mass TYPE MASS")?;
                let mass = args.positive(1, "the mass")?;
                for kind in data.types.range(args, 0, Kind::Atom)? {
                    data.masses[kind - 1] = Some(mass);
                }
            }
            "labelmap" => {
                let data = self.data.as_mut().ok_or_else(|| no_box(args))?;
                let Some(kind) = Kind::ALL.into_iter().find(|k| Some(k.name()) == args.word(0)) else {
                    return args.fail(format!("\"{}\" is not read", args.line()), "write labelmap atom 1 LABEL …");
                };
                for k in (1..args.len()).step_by(2) {
                    let most = data.types.counts[kind as usize].max(1) as i64;
                    let number = args.whole(k, "the type", 1..=most)? as usize;
                    let label = args.text(k + 1, "a label")?;
                    data.types.label(args, kind, number, label)?;
                }
            }
            "pair_style" => self.pairs.set_style(args, &mut self.notes)?,
            "pair_modify" => self.pairs.modify(args, &mut self.notes)?,
            "pair_coeff" => {
                let types = &self.data.as_ref().ok_or_else(|| no_box(args))?.types;
                let units = self.units(args.place)?;
                self.pairs.set_coefficient(args, types, &units)?;
            }
            "bond_style" => self.bonded[0].set_style(args, &mut self.notes)?,
            "angle_style" => self.bonded[1].set_style(args, &mut self.notes)?,
            "dihedral_style" => self.bonded[2].set_style(args, &mut self.notes)?,
            "improper_style" => self.bonded[3].set_style(args, &mut self.notes)?,
            name @ ("bond_coeff" | "angle_coeff" | "dihedral_coeff" | "improper_coeff") => {
                let units = self.units(args.place)?;
                let types = &self.data.as_ref().ok_or_else(|| no_box(args))?.types;
                let k =
                    ["bond_coeff", "angle_coeff", "dihedral_coeff", "improper_coeff"].iter().position(|n| *n == name);
                self.bonded[k.unwrap_or(0)].set_coefficients(args, types, &units)?;
            }
            "special_bonds" => self.special.set(args)?,
            "kspace_style" => self.kspace.set_style(args)?,
            "kspace_modify" => {
                let units = self.units(args.place)?;
                self.kspace.modify(args, &units, &mut self.notes)?;
            }
            "fix" => self.fix(args)?,
            "unfix" => {
                self.shakes.remove(args.text(0, "the fix's name")?);
                self.ignored.add(args);
            }
            "run" | "minimize" => {
                let data = self.data.is_some();
                if !data {
                    return Err(no_box(args));
                }
                self.ran.get_or_insert_with(|| args.place.clone());
                self.ignored.add(args);
            }
            name if WITHOUT_EFFECT.contains(&name) => self.ignored.add(args),
            "if" | "jump" | "label" | "next" | "python" | "shell" | "plugin" | "quit" => {
                return args.fail("scripts are read from top to bottom", "write out what this command would decide");
            }
            "create_box" | "create_atoms" | "delete_atoms" | "delete_bonds" | "displace_atoms" | "change_box"
            | "create_bonds" | "replicate" | "reset_atoms" | "set" | "read_restart" | "read_dump" | "molecule" => {
                return args.fail(
                    "it makes or changes atoms, which only read_data does here",
                    "let LAMMPS do it, write the result with write_data, and import that",
                );
            }
            _ => {
                return args.fail(
                    "the command is not known here",
                    "remove it where it does not matter for forces; what is read stands in docs/lammps-import.md",
                );
            }
        }
        let sets_the_model = !WITHOUT_EFFECT.contains(&args.name) && !matches!(args.name, "run" | "minimize" | "unfix");
        if let Some(ran) = self.ran.as_ref().filter(|_| sets_the_model && args.name != "fix") {
            self.notes.push(format!(
                "{}: {} follows the {} at {ran}: it holds for the configuration of the data file all the same",
                args.place, args.name, "run or minimize"
            ));
        }
        Ok(())
    }

    fn fix(&mut self, args: &Args) -> Result<(), ImportError> {
        let (name, group) = (args.text(0, "the fix's name")?, args.text(1, "the group")?);
        match args.text(2, "the style")? {
            "shake" | "rattle" => {
                if group != "all" {
                    return args.fail(
                        format!("the constraints are for the group \"{}\"", shown(group)),
                        "use group all; types select the bonds already",
                    );
                }
                let types = &self.data.as_ref().ok_or_else(|| no_box(args))?.types;
                let shake = Shake::new(args, types)?;
                self.shakes.insert(name.into(), shake);
                Ok(())
            }
            style if INTEGRATION_FIXES.contains(&super::pair_styles::plain_name(style)) => {
                self.ignored.add(&Args { name: &format!("fix {style}"), ..*args });
                Ok(())
            }
            style => args.fail(
                format!("fix {} may change the forces and has no counterpart here", shown(style)),
                "remove it where it does not matter for forces, or add its counterpart in the deck",
            ),
        }
    }
}

/// A command that needs the box.
pub(super) fn no_box(args: &Args) -> ImportError {
    args.error("it stands before read_data", "move it behind")
}
