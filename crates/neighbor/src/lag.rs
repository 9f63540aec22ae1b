//! Lags: how far beyond the cut-off the nearest pair of a tile was, in whole steps.

use crate::list::ROWS_PER_CLUSTER;

/// Relative error of a distance in f32, several times over.
pub(crate) const DISTANCE_ROUNDING: f64 = 1e-6;

/// Clusters whose tiles are measured together.
pub(crate) const FOUR: usize = 4;

/// Squared distance (nm²) of what is out of reach.
pub(crate) const FAR: f32 = 1e30;

/// The lag of what is out of reach.
pub(crate) const NONE: u32 = u16::MAX as u32;

/// How far beyond the cut-off a tile's nearest pair was when the list was built: r² − r_cut² in steps, to within one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LagSteps {
    r_cut: f32,
    r_cut2: f32,
    /// Steps per nm², rounded down and up; 0 without a buffer.
    least: f32,
    most: f32,
}

impl LagSteps {
    /// 65533 steps from `r_cut` to `reach` (nm).
    pub(crate) fn new(r_cut: f64, reach: f64) -> Self {
        let nm2 = (reach * reach - r_cut * r_cut) / f64::from(u16::MAX - 2);
        let per_nm2 = if nm2 > 0.0 { 1.0 / nm2 } else { 0.0 };
        LagSteps {
            r_cut: r_cut as f32,
            r_cut2: (r_cut * r_cut) as f32,
            least: (per_nm2 * (1.0 - 1e-5)) as f32,
            most: (per_nm2 * (1.0 + 1e-5)) as f32,
        }
    }

    /// Of squared distances (nm²).
    #[inline(always)]
    pub(crate) fn lags(&self, r2: &[f32; FOUR * ROWS_PER_CLUSTER]) -> [[u32; FOUR]; ROWS_PER_CLUSTER] {
        let mut lags = [[0; FOUR]; ROWS_PER_CLUSTER];
        for (lag, r2) in lags.as_flattened_mut().iter_mut().zip(r2) {
            let beyond = (r2 * (1.0 - 3.0 * DISTANCE_ROUNDING as f32) - self.r_cut2) * self.least + 0.5;
            // 1 and more for what is beyond the cut-off. The whole number stands in the last bits of its sum with 2²³; a
            // cast would ask for all kinds of numbers first, and the clamp of the library for not-a-number.
            let whole = if beyond > 0.0 { beyond } else { 0.0 };
            let whole = if whole < NONE as f32 { whole } else { NONE as f32 };
            *lag = (whole + 8_388_608.0).to_bits() & 0xffff;
        }
        lags
    }

    /// By how many steps the lag of a tile counts for less where atoms of one of its sides have come `nearer` (nm) to any
    /// other, those of both sides together at most `most` (nm); rounded up, so that both sides' steps may be added.
    ///
    /// (r_cut + x)² − r_cut² = (2 r_cut + x) x ≤ (2 r_cut + most) x.
    #[inline(always)]
    pub(crate) fn used_up(&self, nearer: f32, most: f32) -> u32 {
        // One more for the half that was added and one for the rounding of all this.
        let steps = (2.0 * self.r_cut + most) * self.most * (nearer + 1e-6) + 2.0;
        steps as u32 + 1
    }
}
