//! Mathematics below the physics: vectors and matrices, the number trait that lets one formula serve
//! f64, dual numbers and SIMD lanes, special functions, counter-based noise and order-free sums.

mod dual;
pub mod fixed;
pub mod lanes;
mod mat3;
pub mod philox;
pub mod polynomial;
mod real;
pub mod special;
mod vec3;

pub use dual::Dual;
pub use mat3::Mat3;
pub use real::Real;
pub use vec3::Vec3;
