//! The lanes of every instruction set against plain arithmetic.

use super::*;
use crate::philox::Noise;

/// Checks one tile type; `rounding` is that of its numbers.
#[inline(always)]
fn check<T: Tile>(isa: Isa, rounding: f64) {
    let noise = Noise::new(7, 7);
    let numbers = |stream: u64| -> [f64; WIDTH] {
        std::array::from_fn(|k| noise.normal3(k as u32, stream, 0).x * 3.0 + if stream == 2 { 9.0 } else { 0.0 })
    };
    let (a, b) = (numbers(1), numbers(2));
    let scalar = |v: &[f64; WIDTH]| v.map(T::Scalar::of);
    // Lane by lane: row r holds a[2 + r], column c holds b[c].
    let lanes = |f: &dyn Fn(f64, f64) -> f64, found: T, what: &str, slack: f64| {
        for row in 0..T::ROWS {
            for column in 0..WIDTH {
                let bit = 1 << (8 * row + column);
                let mask = T::splat(0.0).below(T::splat(1.0), bit);
                // All other lanes are zero, so that this one shows as the least or the largest.
                let kept = found.keep(mask);
                let value = if kept.least() < 0.0 { kept.least() } else { -(-kept).least() };
                let expected = f(a[2 + row], b[column]);
                let error = (value - expected).abs();
                assert!(
                    error <= slack * rounding * (1.0 + expected.abs()),
                    "{}, {what}: {value} and {expected}",
                    isa.name()
                );
            }
        }
    };
    let (x, y) = (T::rows(&scalar(&a), 2), T::columns(&scalar(&b)));
    lanes(&|a, b| a + b, x + y, "sum", 4.0);
    lanes(&|a, b| a - b, x - y, "difference", 4.0);
    lanes(&|a, b| a * b, x * y, "product", 8.0);
    lanes(&|a, b| a / b, x / y, "quotient", 8.0);
    lanes(&|a, _| -a, -x, "negative", 2.0);
    lanes(&|a, b| a * b + a, x.mul_add(y, x), "mul_add", 16.0);
    lanes(&|_, b| b / 1024.0, y.times_power(T::power_of_two(-10)), "times_power", 4.0);
    lanes(&|a, b| a - a * b, x.neg_mul_add(y, x), "neg_mul_add", 16.0);
    lanes(&|_, b| b.sqrt(), y.sqrt(), "sqrt", 4.0);
    lanes(&|_, b| 1.0 / b.sqrt(), y.rsqrt(), "rsqrt", 4.0);
    lanes(&|_, b| 1.0 / b, y.recip(), "recip", 4.0);
    lanes(&|a, _| crate::special::exp2(a), x.exp2(), "exp2", 16.0);
    lanes(&|a, b| crate::special::exp2(a - b), (x - y).exp2(), "exp2", 64.0);
    lanes(&|a, b| if a < b { a } else { b * 2.0 }, x.select_lt(y, x, y + y), "select", 4.0);
    lanes(&|_, b| crate::special::cos(b), y.cos(), "cos", 32.0);
    lanes(&|a, b| crate::special::atan2(a, b), x.atan2(y), "atan2", 8.0);
    assert_eq!(T::splat(-1300.0).exp2().value(), 0.0);
    lanes(&|a, b| a.abs().max(b.abs()), T::splat(0.0).max_modulus(x).max_modulus(-y), "max_modulus", 4.0);
    assert_eq!(T::scalar(T::Scalar::of(-2.5)).least(), -2.5);
    assert!(T::splat(1.0).keep(x.below(x + T::splat(1.0), !0)).least() == 1.0);
    assert!((-T::splat(1.0).keep(x.below(x, !0))).least() == 0.0);
    assert!(T::splat(5.0).min_where(x.below(x + T::splat(1.0), 2), T::splat(3.0)).least() == 3.0);
    assert!(T::splat(5.0).min_where(x.below(x + T::splat(1.0), 0), T::splat(3.0)).least() == 5.0);

    // Coordinates wrap: a tenth of the cell from 0.95 to 0.05.
    let fraction = |s: f64| T::Scalar::coordinate((s * 18_446_744_073_709_551_616.0) as u64);
    let d = T::separation(T::coordinates(&[fraction(0.95); WIDTH], 0), &[fraction(0.05); WIDTH]);
    assert!(
        (d.value() * T::Scalar::COORDINATE_UNIT + 0.1).abs() < rounding,
        "{}",
        d.value() * T::Scalar::COORDINATE_UNIT
    );

    // Tables of sixteen kinds, one for each row, and which kinds lie in the second sixteen.
    let table = |from: usize| -> [T::Scalar; 16] { std::array::from_fn(|k| T::Scalar::of((from + k) as f64)) };
    let kinds: [u32; WIDTH] = [3, 19, 0, 15, 16, 31, 7, 12];
    let mut noted = [0; 2 * WIDTH];
    for (column, kind) in kinds.iter().enumerate() {
        note_kind(&mut noted, column, *kind);
    }
    let found = T::lookup([&table(100), &table(200)], T::index(&noted));
    let replaced = found.replace(T::in_block(T::index(&noted), 1), T::splat(1.0));
    for row in 0..T::ROWS {
        for (column, kind) in kinds.iter().enumerate() {
            let mask = T::splat(0.0).below(T::splat(1.0), 1 << (8 * row + column));
            let expected = f64::from(kind % 16) + [100.0, 200.0][row];
            assert_eq!(-(-found.keep(mask)).least(), expected, "{}", isa.name());
            let expected = if *kind < 16 { expected } else { 1.0 };
            assert_eq!(-(-replaced.keep(mask)).least(), expected, "{}", isa.name());
        }
    }

    // Order-free sums, by rows and by columns.
    let whole = T::rows(&scalar(&[0.0, 0.0, 1000.0, -50.0, 0.0, 0.0, 0.0, 0.0]), 2)
        + T::columns(&scalar(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));
    let fixed = T::fixed_add(whole.to_fixed(), T::fixed_zero());
    let zero = <T::Scalar as Scalar>::Integer::default();
    let (mut rows, mut columns) = ([zero; WIDTH], [zero; WIDTH]);
    for _ in 0..2 {
        T::add_rows(fixed, &mut rows, 2);
        T::subtract_columns(fixed, &mut columns);
    }
    let [rows, columns] = [rows, columns].map(|of| of.map(Into::<i64>::into));
    let base = [1000, -50];
    for row in 0..T::ROWS {
        assert_eq!(rows[2 + row], 2 * (8 * base[row] + 36), "{}", isa.name());
    }
    for (column, found) in columns.iter().enumerate() {
        let expected: i64 = (0..T::ROWS).map(|row| base[row] + column as i64 + 1).sum();
        assert_eq!(*found, -2 * expected, "{}", isa.name());
    }
    let sum = T::sum_add(T::sum_add(T::sum_zero(), whole), T::splat(3e9));
    let three = 8 * T::ROWS as i64 * 3_000_000_000;
    assert_eq!(T::sum_total(sum), three + (0..T::ROWS).map(|row| 8 * base[row] + 36).sum::<i64>());
    let apart = T::rows(&scalar(&[0.5, 0.25, 8.0, 0.125, 0.0, 0.0, 0.0, 0.0]), 0) + T::columns(&scalar(&[2.0; WIDTH]));
    let next = T::splat(1.0) + T::columns(&scalar(&[4.0, 3.0, 2.0, 1.5, 9.0, 9.0, 9.0, 9.0]));
    let least = if T::ROWS == 1 { 2.5 } else { 2.25 };
    let of = |k: f64| [apart, next, -next, T::splat(k)];
    let found = T::least_of_each(&[of(7.0), of(8.0), of(9.0), of(10.0)]);
    assert_eq!(found[..12], [[least; 4], [2.5; 4], [-10.0; 4]].concat());
    assert_eq!(found[12..], [7.0, 8.0, 9.0, 10.0]);
}

#[test]
fn numbers_are_packed_in_their_order() {
    struct Pack([u32; 2], u16);
    impl Job for Pack {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self) {
            let Pack([low, high], among) = self;
            let values: [u32; PACK] = std::array::from_fn(|k| 1000 + k as u32);
            // 0, 5, 10, 15, 4, … and two beyond the range of signed numbers.
            let mut keys: [u32; PACK] = std::array::from_fn(|k| (5 * k % 16) as u32);
            (keys[3], keys[12]) = (u32::MAX, 1 << 31);
            let mut into = [0; PACK];
            let n = S::pack(&values, &keys, [low, high], among, &mut into);
            let counts = |k: &usize| (low..=high).contains(&keys[*k]) && among >> k & 1 == 1;
            let expected: Vec<u32> = (0..PACK).filter(counts).map(|k| values[k]).collect();
            assert_eq!(into[..n], expected);
        }
    }
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        for among in [0, 1, 0x8000, 0xffff, 0x1234, 0xa5c3] {
            for range in [[0, u32::MAX], [0, 0], [1, 9], [3, 1 << 31], [9, 1]] {
                dispatch(isa, Pack(range, among));
            }
        }
    }
}

/// Values at the edges of what is promised, in every lane: whole numbers, sums, signs, not-a-number.
#[inline(always)]
fn check_edges<T: Tile>(isa: Isa) {
    let name = isa.name();
    let splat = |x: f64| T::scalar(T::Scalar::of(x));
    let (single, all) = (size_of::<T::Scalar>() == 4, !0);
    let wrapped = |x: i64| if single { i64::from(x as i32) } else { x };
    // Halves go to the even neighbour; forces up to the range of the whole numbers.
    let largest = if single { 2_147_483_520.0 } else { 2.0_f64.powi(50) };
    let halves = [0.5, -0.5, 1.5, -1.5, 2.5, 0.499_999, -0.0, 8_388_607.5, largest, -largest];
    for x in halves {
        let zero = <T::Scalar as Scalar>::Integer::default();
        let mut columns = [zero; WIDTH];
        T::subtract_columns(splat(x).to_fixed(), &mut columns);
        for found in columns.map(Into::<i64>::into) {
            // The sum over two rows may wrap around.
            assert_eq!(found, wrapped(-(T::ROWS as i64) * x.round_ties_even() as i64), "{name}: {x}");
        }
    }
    // Energies: small ones are not lost beside large ones; each in its own lane and all over again.
    for x in [0.5, 1.5, -2.5, 65_535.5, 65_536.0, 4_194_303.5, -98_765.0, 3.0 * 2.0_f64.powi(40), -(2.0_f64.powi(47))] {
        let mut sum = T::sum_zero();
        for _ in 0..3 {
            sum = T::sum_add(sum, splat(x));
            sum = T::sum_add(sum, splat(7.0));
        }
        let lanes = (8 * T::ROWS) as i64;
        assert_eq!(T::sum_total(sum), 3 * lanes * (x.round_ties_even() as i64 + 7), "{name}: {x}");
    }
    // Coordinates at both ends of the range, which wrap.
    let far = |s: f64| T::Scalar::coordinate((s * 18_446_744_073_709_551_616.0) as u64);
    for (a, b, expected) in
        [(0.0, 0.0, 0.0), (0.0, 0.5, -0.5), (0.25, 0.75, -0.5), (0.999, 0.001, -0.002), (0.3, 0.1, 0.2)]
    {
        let found = T::separation(T::coordinates(&[far(a); WIDTH], 3), &[far(b); WIDTH]);
        let found = [found.least(), -(-found).least()].map(|d| d * T::Scalar::COORDINATE_UNIT);
        assert!(found.iter().all(|d| (d - expected).abs() < 1e-6), "{name}: {a} − {b} is {found:?}");
    }
    // The difference of two changes its sign with their order, to the last bit.
    let noise = Noise::new(3, 9);
    for k in 0..200 {
        let [a, b] = noise.uniform2(k, 0, 0).map(far);
        let there = T::separation(T::coordinates(&[a; WIDTH], 0), &[b; WIDTH]);
        let back = T::separation(T::coordinates(&[b; WIDTH], 0), &[a; WIDTH]);
        assert_eq!(there.value(), -back.value(), "{name}");
        // Rounded once, as the language's own conversion does it.
        let exact = wrapped(Into::<i64>::into(a).wrapping_sub(Into::<i64>::into(b)));
        assert_eq!(there.value(), splat(exact as f64).value(), "{name}: {exact}");
    }
    // Not-a-number is below nothing, and what does not count is zero whatever it holds.
    let nan = splat(f64::NAN);
    assert_eq!(T::splat(1.0).keep(nan.below(splat(1.0), all)).least(), 0.0, "{name}");
    assert_eq!(nan.keep(splat(2.0).below(splat(1.0), all)).least(), 0.0, "{name}");
    assert_eq!(splat(f64::INFINITY).keep(splat(0.0).below(splat(1.0), 0)).least(), 0.0, "{name}");
    assert_eq!(T::splat(1.0).replace(nan.below(splat(1.0), all), nan).least(), 1.0, "{name}");
    for larger in [splat(0.0).max_modulus(nan).max_modulus(splat(1.0)), splat(1.0).max_modulus(-nan)] {
        assert_eq!(T::splat(1.0).keep(larger.below(splat(f64::INFINITY), all)).least(), 0.0, "{name}");
        assert!(larger.value().is_nan(), "{name}");
    }
    // The exponential over its whole range: powers of 2 between the halves, where the polynomial is worst, too.
    let [low, high] = if single { [-125, 126] } else { [-1021, 1022] };
    for k in 8 * low..=8 * high {
        let (found, expected) = (splat(f64::from(k) / 8.0).exp2().value(), libm::exp2(f64::from(k) / 8.0));
        let error = if single { 4e-7 } else { 2e-15 };
        assert!((found / expected - 1.0).abs() < error, "{name}: exp2({k}/8) is {found:e}");
    }
    assert_eq!(splat(f64::from(2 * low)).exp2().value(), 0.0, "{name}");
    // 1/√x over many orders of magnitude.
    for k in -100..=100 {
        let x = 1.37 * 10.0_f64.powf(0.25 * f64::from(k));
        let (found, expected) = (splat(x).rsqrt().value(), 1.0 / splat(x).value().sqrt());
        let rounding = if single { 2.0_f64.powi(-22) } else { 2.0_f64.powi(-51) };
        assert!((found / expected - 1.0).abs() < rounding, "{name}: 1/√{x:e} is {found:e}");
    }
}

struct Check(Isa);

impl Job for Check {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        check::<S::Double>(self.0, 2.3e-16);
        check::<S::Single>(self.0, 1.2e-7);
        check_edges::<S::Double>(self.0);
        check_edges::<S::Single>(self.0);
    }
}

#[test]
fn lanes_compute_what_their_numbers_do() {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        dispatch(isa, Check(isa));
    }
}

#[test]
fn a_set_is_chosen_by_its_name() {
    assert_eq!(Isa::from_name("avx2"), Some(Isa::Avx2));
    assert_eq!(Isa::from_name("sse9"), None);
    assert!(Isa::Portable.is_available() && Isa::best().is_available() && Isa::current().is_available());
}
