//! Oracles for the tests, none of which the engine uses: dual numbers, strain derivatives, random systems,
//! sums over all pairs and images.

pub use amelo_math::Dual;
