//! Element symbols by atomic number, or by name and mass.

/// \[Z − 1\] symbol and standard atomic weight (u), abridged, of hydrogen to uranium: T. Prohaska et al., Pure Appl. Chem.
/// 94, 573 (2022), doi:10.1515/pac-2019-0603; mass number of the longest-lived isotope where there is none.
#[rustfmt::skip]
const ELEMENTS: [(&str, f64); 92] = [
    ("H", 1.008), ("He", 4.0026), ("Li", 6.94), ("Be", 9.0122), ("B", 10.81), ("C", 12.011), ("N", 14.007),
    ("O", 15.999), ("F", 18.998), ("Ne", 20.18), ("Na", 22.99), ("Mg", 24.305), ("Al", 26.982), ("Si", 28.085),
    ("P", 30.974), ("S", 32.06), ("Cl", 35.45), ("Ar", 39.95), ("K", 39.098), ("Ca", 40.078), ("Sc", 44.956),
    ("Ti", 47.867), ("V", 50.942), ("Cr", 51.996), ("Mn", 54.938), ("Fe", 55.845), ("Co", 58.933), ("Ni", 58.693),
    ("Cu", 63.546), ("Zn", 65.38), ("Ga", 69.723), ("Ge", 72.63), ("As", 74.922), ("Se", 78.971), ("Br", 79.904),
    ("Kr", 83.798), ("Rb", 85.468), ("Sr", 87.62), ("Y", 88.906), ("Zr", 91.224), ("Nb", 92.906), ("Mo", 95.95),
    ("Tc", 97.0), ("Ru", 101.07), ("Rh", 102.91), ("Pd", 106.42), ("Ag", 107.87), ("Cd", 112.41), ("In", 114.82),
    ("Sn", 118.71), ("Sb", 121.76), ("Te", 127.6), ("I", 126.9), ("Xe", 131.29), ("Cs", 132.91), ("Ba", 137.33),
    ("La", 138.91), ("Ce", 140.12), ("Pr", 140.91), ("Nd", 144.24), ("Pm", 145.0), ("Sm", 150.36), ("Eu", 151.96),
    ("Gd", 157.25), ("Tb", 158.93), ("Dy", 162.5), ("Ho", 164.93), ("Er", 167.26), ("Tm", 168.93), ("Yb", 173.05),
    ("Lu", 174.97), ("Hf", 178.49), ("Ta", 180.95), ("W", 183.84), ("Re", 186.21), ("Os", 190.23), ("Ir", 192.22),
    ("Pt", 195.08), ("Au", 196.97), ("Hg", 200.59), ("Tl", 204.38), ("Pb", 207.2), ("Bi", 208.98), ("Po", 209.0),
    ("At", 210.0), ("Rn", 222.0), ("Fr", 223.0), ("Ra", 226.0), ("Ac", 227.0), ("Th", 232.04), ("Pa", 231.04),
    ("U", 238.03),
];

/// Symbol of the element with atomic number `z`, up to uranium.
pub(super) fn by_number(z: usize) -> Option<&'static str> {
    ELEMENTS.get(z.checked_sub(1)?).map(|(symbol, _)| *symbol)
}

/// Symbol of the element that `text` begins with, in any case: `Ti4+`, `O2-`, `TI1`; two letters before one.
pub fn by_symbol(text: &str) -> Option<&'static str> {
    let letters = text.chars().take_while(char::is_ascii_alphabetic).count();
    (1..=letters.min(2))
        .rev()
        .find_map(|n| ELEMENTS.iter().map(|(symbol, _)| *symbol).find(|symbol| symbol.eq_ignore_ascii_case(&text[..n])))
}

/// Symbol of the likely element of a type with this name and mass (u): one whose symbol begins the name and to which up
/// to four hydrogens may be added (united atoms; hydrogens made heavier), else the one of the nearest weight.
pub(super) fn guess(name: &str, mass: f64) -> &'static str {
    let name = name.to_lowercase();
    let begins = |symbol: &str| name.starts_with(&symbol.to_lowercase());
    let fits = |weight: f64| (-0.6..4.2).contains(&(mass - weight));
    let named = ELEMENTS.iter().filter(|(symbol, weight)| begins(symbol) && fits(*weight));
    let distance = |weight: f64| (weight - mass).abs();
    named
        .max_by_key(|(symbol, _)| symbol.len())
        .or_else(|| ELEMENTS.iter().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))))
        .map_or("H", |(symbol, _)| *symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_masses_find_their_element() {
        assert_eq!([1, 6, 8, 22, 92].map(by_number), [Some("H"), Some("C"), Some("O"), Some("Ti"), Some("U")]);
        assert_eq!((by_number(0), by_number(93)), (None, None));
        // Masses as force fields print them, under names that say nothing.
        let by_mass = |mass| guess("x", mass);
        assert_eq!([1.0, 12.011, 15.9994, 47.88, 6.941, 32.06].map(by_mass), ["H", "C", "O", "Ti", "Li", "S"]);
    }

    #[test]
    fn symbols_begin_labels() {
        let cases =
            [("Ti4+", Some("Ti")), ("O2-", Some("O")), ("TI1", Some("Ti")), ("OA3", Some("O")), ("o", Some("O"))];
        for (text, symbol) in cases.into_iter().chain([("", None), ("1Ti", None), ("Qx", None)]) {
            assert_eq!(by_symbol(text), symbol, "{text}");
        }
    }

    #[test]
    fn united_atoms_and_heavy_hydrogens_are_known_by_their_names() {
        let cases = [("CH2", 14.027, "C"), ("CH3", 15.035, "C"), ("CA", 12.011, "C"), ("Ca", 40.08, "Ca")];
        let more = [("HC", 4.032, "H"), ("CL", 35.45, "Cl"), ("opls_135", 12.011, "C"), ("ION", 22.99, "Na")];
        for (name, mass, symbol) in cases.into_iter().chain(more) {
            assert_eq!(guess(name, mass), symbol, "{name} {mass}");
        }
    }
}
