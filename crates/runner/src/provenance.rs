//! What made a result: program, commit, processor, memory.

use amelo_math::lanes::Isa;

/// Version of amelo.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit that this binary was built from, or `unknown` outside a repository.
pub const COMMIT: &str = env!("AMELO_COMMIT");

/// Instruction-set path of the kernels: the best that the processor has, or what `AMELO_ISA` named.
pub fn instruction_set() -> &'static str {
    Isa::current().name()
}

/// Features of this processor that kernels may come to depend on.
pub fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let mut features = vec!["x86_64"];
        if is_x86_feature_detected!("avx2") {
            features.push("avx2");
        }
        if is_x86_feature_detected!("fma") {
            features.push("fma");
        }
        if is_x86_feature_detected!("avx512f") {
            features.push("avx512f");
        }
        features
    }
    #[cfg(not(target_arch = "x86_64"))]
    vec![std::env::consts::ARCH]
}

/// Largest resident memory of this process so far (bytes), where the system tells: Linux' `VmHWM`.
pub fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}
