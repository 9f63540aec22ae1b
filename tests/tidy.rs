//! The house rules, checked: floors, documented paths, invariants of ARCHITECTURE.md. Each check is a function
//! from file contents to complaints, and is itself tested on a planted violation.

use std::collections::BTreeMap;
use std::path::Path;

/// Path from the repository's root → content, for every text file.
type Tree = BTreeMap<String, String>;

fn read_tree() -> Tree {
    fn walk(root: &Path, dir: &Path, tree: &mut Tree) {
        for entry in std::fs::read_dir(dir).expect("a readable directory").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | ".venv" | ".venv-peers" | ".tools")
                    && !name.ends_with(".run")
                {
                    walk(root, &path, tree);
                }
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let relative = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                tree.insert(relative, text);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tree = Tree::new();
    walk(root, root, &mut tree);
    tree
}

/// Rust source of library code: without comments, and without the unit tests at the foot of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    text.lines().map(|line| line.split("//").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// The floor table of ARCHITECTURE.md: crate → crates that it may use.
fn floors(tree: &Tree) -> BTreeMap<String, Vec<String>> {
    let page = &tree["ARCHITECTURE.md"];
    let rows = page.lines().skip_while(|l| *l != "| crate | may use |").skip(2).take_while(|l| l.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].to_string(), cells[1].split(',').map(|c| c.trim().to_string()).filter(|c| c != "—").collect())
    })
    .collect()
}

fn check_floors(tree: &Tree) -> Vec<String> {
    let floors = floors(tree);
    let mut complaints = Vec::new();
    for (path, text) in tree.iter().filter(|(p, _)| p.starts_with("crates/") && p.ends_with("Cargo.toml")) {
        let name = path.split('/').nth(1).unwrap_or_default();
        let Some(allowed) = floors.get(name) else {
            complaints.push(format!("{path}: crate `{name}` has no row in ARCHITECTURE.md's floor table"));
            continue;
        };
        let normal = text.split("[dependencies]").nth(1).unwrap_or_default();
        for line in normal.lines().take_while(|l| !l.starts_with('[')) {
            if let Some(used) = line.strip_prefix("amelo-").and_then(|rest| rest.split(['.', ' ', '=']).next())
                && !allowed.iter().any(|a| a == used)
            {
                complaints.push(format!("{path}: `{name}` must not depend on `{used}` (ARCHITECTURE.md, Floors)"));
            }
        }
    }
    complaints
}

/// Words that library code must not contain, the crates where they may stand, and the reason.
const FORBIDDEN: &[(&[&str], &[&str], &str)] = &[
    (&["println!", "print!(", "eprint!", "eprintln!", "env::args"], &["cli"], "only cli prints or reads argv"),
    (
        &["std::fs", "fs::File", "File::open", "File::create"],
        &["io", "runner", "cli"],
        "only io, runner and cli touch files",
    ),
    (&["unsafe ", "target_feature"], &["math"], "only math may be unsafe"),
    (&["Instant::now", "SystemTime::now"], &["runner", "cli"], "nothing below runner reads the clock"),
    (&["HashMap", "HashSet"], &[], "a hash map's order is not reproducible: use BTreeMap"),
    (&["todo!(", "unimplemented!(", "dbg!("], &[], "unfinished code"),
    (&["StdRng", "SmallRng", "thread_rng", "rand::rng()"], &[], "noise is a pure function of the seed: math::philox"),
];

fn check_words(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.iter().filter(|(p, _)| p.starts_with("crates/") && p.ends_with(".rs")) {
        let room = path.split('/').nth(1).unwrap_or_default();
        let is_library = path.split('/').nth(2) == Some("src") || room == "cli";
        if !is_library {
            continue;
        }
        let code = code(text);
        for (words, rooms, reason) in FORBIDDEN {
            for word in words.iter().filter(|_| !rooms.contains(&room)) {
                if let Some(line) = code.lines().position(|l| l.contains(word)) {
                    complaints.push(format!("{path}:{}: `{word}`: {reason}", line + 1));
                }
            }
        }
    }
    complaints
}

/// Paths in back-quotes with a slash in the pages that describe the tree.
fn check_paths(tree: &Tree) -> Vec<String> {
    let is_page = |p: &&String| {
        matches!(p.as_str(), "README.md" | "ARCHITECTURE.md") || (p.starts_with("docs/") && p.ends_with(".md"))
    };
    let mut complaints = Vec::new();
    for page in tree.keys().filter(is_page) {
        for quoted in tree[page].split('`').skip(1).step_by(2) {
            let first = quoted.split_whitespace().next().unwrap_or_default().trim_end_matches('/');
            let known = ["crates/", "inputs/", "potentials/", "tests/", "benches/", "scripts/", "docs/"];
            let is_path = known.iter().any(|k| first.starts_with(k)) && !first.contains(['*', '<', '{']);
            if is_path && !tree.keys().any(|p| p == first || p.starts_with(&format!("{first}/"))) {
                complaints.push(format!("{page}: `{first}` does not exist"));
            }
        }
    }
    complaints
}

/// A slow test must say that it belongs to the slow tier.
fn check_ignored_tests(tree: &Tree) -> Vec<String> {
    let marker = concat!("#[", "ignore");
    let mut complaints = Vec::new();
    for (path, text) in tree.iter().filter(|(p, _)| p.ends_with(".rs")) {
        for (n, line) in text.lines().enumerate() {
            if line.trim_start().starts_with(marker) && !line.contains("slow tier") {
                complaints.push(format!("{path}:{}: write #[ignore = \"slow tier: why\"]", n + 1));
            }
        }
    }
    complaints
}

fn assert_clean(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn planted(path: &str, text: &str) -> Tree {
    let mut tree = read_tree();
    tree.insert(path.into(), text.into());
    tree
}

#[test]
fn crates_depend_only_on_floors_below() {
    assert_clean(check_floors(&read_tree()));
}

#[test]
fn a_dependency_that_points_up_is_found() {
    let manifest = "[dependencies]\namelo-forces.workspace = true\n[dev-dependencies]\n";
    let tree = planted("crates/dynamics/Cargo.toml", manifest);
    assert!(check_floors(&tree).iter().any(|c| c.contains("`dynamics` must not depend on `forces`")));
    let tree = planted("crates/gpu/Cargo.toml", "[dependencies]\n");
    assert!(check_floors(&tree).iter().any(|c| c.contains("`gpu` has no row")));
}

#[test]
fn libraries_keep_the_invariants() {
    assert_clean(check_words(&read_tree()));
}

#[test]
fn every_forbidden_word_is_found() {
    for (words, _, _) in FORBIDDEN {
        for word in *words {
            let tree = planted("crates/analysis/src/planted.rs", &format!("fn f() {{ {word} }}"));
            assert!(check_words(&tree).iter().any(|c| c.contains("planted.rs:1")), "{word}");
        }
    }
}

#[test]
fn documented_paths_exist() {
    assert_clean(check_paths(&read_tree()));
}

#[test]
fn a_documented_path_that_is_gone_is_found() {
    let tree = planted("README.md", "See `crates/nowhere/src/lib.rs`.");
    assert!(check_paths(&tree).iter().any(|c| c.contains("crates/nowhere")));
}

#[test]
fn slow_tests_say_so() {
    assert_clean(check_ignored_tests(&read_tree()));
    let tree = planted("tests/planted.rs", concat!("#[", "ignore]\nfn f() {}"));
    assert_eq!(check_ignored_tests(&tree).len(), 1);
}
