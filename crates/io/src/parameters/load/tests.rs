//! Every way in which a parameter file can be wrong says where, what and what to do.

use super::*;
use amelo_core::ParameterInfo;
use amelo_core::quantity::Dimension;

const FORMS: &[FormInfo] = &[
    FormInfo {
        class: FormClass::Pair,
        name: "lennard_jones",
        summary: "",
        formula: "",
        parameters: &[
            ParameterInfo { name: "sigma", dimension: Dimension::LENGTH, doc: "" },
            ParameterInfo { name: "epsilon", dimension: Dimension::ENERGY, doc: "" },
        ],
        citation: "",
    },
    FormInfo {
        class: FormClass::Dihedral,
        name: "periodic",
        summary: "",
        formula: "",
        parameters: &[
            ParameterInfo { name: "phi0", dimension: Dimension::ANGLE, doc: "" },
            ParameterInfo { name: "k", dimension: Dimension::ENERGY, doc: "" },
            ParameterInfo { name: "n", dimension: Dimension::NONE, doc: "" },
        ],
        citation: "",
    },
];

const GOOD: &str = r#"title = "test"
mixing = "geometric"
source = "paper: table 1"
sources.other = "other paper, doi:1"
scaling."1-4" = { vdw = 0.5, coulomb = 0.8333 }

[types]
A = { element = "C", mass = "12.011 u", lennard_jones = { sigma = "3.5 Å", epsilon = "0.066 kcal/mol" } }
B = { element = "O", mass = "16 u", bonded = "A", source = "other: type 7" }

[[pair]]
types = ["A", "B"]
lennard_jones = { sigma = "0.3 nm", epsilon = "1 kJ/mol" }

[[pair]]
types = ["B", "B"]
none = true

[[dihedral]]
types = ["A", "*", "*", "A"]
periodic = [
  { phi0 = "180 deg", k = "1 kJ/mol", n = 1 },
  { phi0 = "0 deg", k = "2 kJ/mol", n = 3 },
]

[molecules.M]
atoms = [
  { name = "X", type = "A", charge = "0.5 e" },
  { name = "Y", type = "B", charge = "-0.5 e", bond = ["X", "1.5 Å"], groups = ["O"] },
]
bonds = [["X", "Y"]]

[salts.MM]
ions = { M = 2 }
"#;

fn read(text: &str) -> Result<ForceFieldData> {
    load_texts(&[("test", text)], FORMS)
}

#[test]
fn a_good_file_is_read_in_internal_units() {
    let data = read(GOOD).unwrap();
    let a = &data.types["A"];
    let lj = a.lennard_jones.as_ref().unwrap();
    assert!((lj.sigma - 0.35).abs() < 1e-15 && (lj.epsilon - 0.066 * 4.184).abs() < 1e-15);
    assert_eq!((a.source.as_str(), data.types["B"].source.as_str()), ("paper: table 1", "other paper, doi:1, type 7"));
    assert_eq!(data.pairs[1].potential, crate::parameters::PairPotential::None);
    let terms = &data.bonded[0].terms;
    assert_eq!((terms.len(), terms[1].parameters.as_slice()), (2, [0.0, 2.0, 3.0].as_slice()));
    let m = &data.molecules["M"];
    assert_eq!((m.scaling.one_four.coulomb, m.bonds.as_slice()), (0.8333, [[0, 1]].as_slice()));
    assert_eq!(m.groups["O"], [1]);
    assert_eq!(data.salts["MM"].ions, [("M".to_string(), 2)]);
    // SHA-256 of the text, by `sha256sum`.
    assert_eq!(read("title = \"x\"\n").unwrap().files[0].sha256, SHA_OF_TITLE_X);
}

const SHA_OF_TITLE_X: &str = "497e961e072bd3efaaad681e9f7e06b5c5f7a395aa62f3bd089eedf0f23aea07";

/// What stands in the good file, what stands there instead, and what the message then says: place and words.
#[test]
fn what_is_wrong_is_said_with_place_and_remedy() {
    for (old, new, place, words) in [
        ("title = \"test\"\n", "\n", "1:1", vec!["title", "missing"]),
        ("mixing = \"geometric\"", "mixing = \"arithmetic\"", "2:10", vec!["arithmetic", "lorentz-berthelot"]),
        ("mixing = \"geometric\"\n", "\n", "8:", vec!["mixing rule"]),
        ("source = \"paper: table 1\"\n", "\n", "8:5", vec!["no source"]),
        ("title", "titel", "1:1", vec!["unknown key \"titel\"", "title, source"]),
        ("[types]", "[types", "7:", vec!["]"]),
        ("element = \"C\"", "element = \"carbon\"", "8:17", vec!["element symbol"]),
        ("12.011 u", "12.011", "8:", vec!["12.011 has no unit", "\"12.011 u\""]),
        ("12.011 u", "12.011 nm", "8:", vec!["is not a mass"]),
        ("12.011 u", "-12 u", "8:", vec!["above zero"]),
        ("mass = \"16 u\"", "mass = 16", "9:", vec!["16 has no unit"]),
        ("\"3.5 Å\"", "\"3.5 Ångström\"", "8:", vec!["unknown unit", "nm, Å"]),
        ("types = [\"A\", \"B\"]", "types = [\"A\", \"C\"]", "12:15", vec!["no type \"C\"", "A, B"]),
        ("types = [\"A\", \"B\"]", "types = [\"A\"]", "12:9", vec!["1 members where 2"]),
        ("lennard_jones = { sigma = \"0.3 nm\", ", "lennard_jones = { ", "13:17", vec!["\"sigma\" is missing"]),
        (
            "lennard_jones = { sigma = \"0.3 nm\"",
            "lenard_jones = { sigma = \"0.3 nm\"",
            "13:1",
            vec!["lenard_jones", "lennard_jones"],
        ),
        ("none = true", "none = false", "15:", vec!["no functional form", "none = true"]),
        ("types = [\"B\", \"B\"]", "types = [\"B\", \"A\"]", "15:", vec!["already written", "override = true"]),
        ("n = 1 }", "n = 1, m = 2 }", "22:", vec!["unknown key \"m\"", "phi0, k, n"]),
        ("type = \"B\"", "type = \"D\"", "29:", vec!["no type \"D\""]),
        ("name = \"Y\"", "name = \"X\"", "29:", vec!["two atoms are named \"X\""]),
        (", bond = [\"X\", \"1.5 Å\"]", "", "29:", vec!["\"Y\" has no place"]),
        ("bonds = [[\"X\", \"Y\"]]", "bonds = [[\"X\", \"Z\"]]", "31:16", vec!["no atom \"Z\"", "X, Y"]),
        ("charge = \"0.5 e\"", "charge = 0.5", "28:", vec!["0.5 has no unit"]),
        ("ions = { M = 2 }", "ions = { M = \"two\" }", "34:", vec!["whole number"]),
        ("[salts.MM]", "[salts.M]", "33:", vec!["already taken"]),
    ] {
        assert!(GOOD.contains(old), "{old}");
        let error = read(&GOOD.replacen(old, new, 1)).expect_err(new);
        let at = error.location().unwrap_or_else(|| panic!("{error}"));
        let found = format!("{}:{}", at.line, at.column);
        assert!(found.starts_with(place), "{new:?}: at {found} instead of {place}: {error}");
        let message = error.to_string();
        assert!(words.iter().all(|w| message.contains(w)) && message.starts_with("test:"), "{new:?}: {message}");
        assert!(!error.remedy().is_empty());
    }
}

#[test]
fn files_of_one_family_may_repeat_a_type_but_not_change_it() {
    let types = "title = \"second\"\nmixing = \"geometric\"\nsource = \"s\"\n[types]\n";
    let same = "A = { element = \"C\", mass = \"12.011 u\", lennard_jones = { sigma = \"0.35 nm\", epsilon = \"0.066 kcal/mol\" } }";
    let both = |second: &str| load_texts(&[("test", GOOD), ("second", &format!("{types}{second}"))], FORMS);
    assert_eq!(both(same).unwrap().types.len(), 2);
    let message = both(&same.replace("0.35", "0.36")).unwrap_err().to_string();
    assert!(message.starts_with("second:5:") && message.contains("in test"), "{message}");
}

#[test]
fn another_file_gives_a_type_what_it_lacks() {
    let extend = |name: &str| {
        format!(
            "title = \"x\"\nmixing = \"geometric\"\nsource = \"s\"\n[extend]\n{name} = {{ lennard_jones = {{ sigma = \"0.3 nm\", epsilon = \"1 kJ/mol\" }} }}"
        )
    };
    // The order of the files does not matter.
    let data = load_texts(&[("x", &extend("B")), ("test", GOOD)], FORMS).unwrap();
    assert_eq!(data.types["B"].lennard_jones.as_ref().unwrap().file, "x");
    let message = load_texts(&[("x", &extend("A")), ("test", GOOD)], FORMS).unwrap_err().to_string();
    assert!(message.contains("already has Lennard-Jones parameters"), "{message}");
    let message = load_texts(&[("x", &extend("C")), ("test", GOOD)], FORMS).unwrap_err().to_string();
    assert!(message.contains("no type \"C\""), "{message}");
}

#[test]
fn the_first_folder_wins_and_built_in_files_come_last() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let builtin = [("here".to_string(), "title = \"built-in\"".to_string())];
    let search = || SearchPath::for_deck(first.path(), Some(second.path().as_os_str()), builtin.clone());
    let title = |name: &str| load(&[name.to_string()], &search(), FORMS).map(|d| d.files[0].title.clone());
    assert_eq!(title("here").unwrap(), "built-in");
    std::fs::write(second.path().join("here.toml"), "title = \"variable\"").unwrap();
    assert_eq!(title("here").unwrap(), "variable");
    std::fs::create_dir(first.path().join("potentials")).unwrap();
    std::fs::write(first.path().join("potentials/here.toml"), "title = \"below the deck\"").unwrap();
    assert_eq!(title("here").unwrap(), "below the deck");
    std::fs::write(first.path().join("here.toml"), "title = \"beside the deck\"").unwrap();
    assert_eq!(title("here.toml").unwrap(), "beside the deck");
    let error = title("nowhere").unwrap_err();
    assert!(matches!(&error, ParameterError::NotFound { searched, .. } if searched.len() == 3), "{error}");
    assert!(error.to_string().contains("here"), "{error}");
    std::fs::write(first.path().join("binary.toml"), [0xff, 0xfe]).unwrap();
    assert!(matches!(title("binary"), Err(ParameterError::Unreadable { .. })));
}
