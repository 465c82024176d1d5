//! Two rankings made one: reciprocal rank fusion (Cormack, Clarke & Buettcher, SIGIR 2009). What stands at
//! rank `r` of a ranking counts `1 / (60 + r)`; the sums order the passages.

use std::collections::HashMap;

const K: f64 = 60.0;
/// Of each ranking so many passages count: what stands further down moves nothing that is shown.
pub const WINDOW: usize = 1_000;

/// Positions by the sum of what their ranks count, the greatest first, of equals the earlier.
pub fn fused(rankings: &[&[u32]], count: usize) -> Vec<u32> {
    let mut sums: HashMap<u32, f64> = HashMap::new();
    for ranking in rankings {
        for (rank, position) in (1..=WINDOW).zip(*ranking) {
            *sums.entry(*position).or_default() += 1.0 / (K + rank as f64);
        }
    }
    let mut all: Vec<(u32, f64)> = sums.into_iter().collect();
    all.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.into_iter().take(count).map(|(position, _)| position).collect()
}

#[cfg(test)]
mod tests {
    use super::fused;

    #[test]
    fn what_both_rankings_have_goes_first() {
        assert_eq!(fused(&[&[7, 3, 5], &[5, 9]], 9), [5, 7, 3, 9]);
        assert_eq!(fused(&[&[7, 3, 5], &[]], 2), [7, 3]);
        assert_eq!(fused(&[], 2), [0_u32; 0]);
        // 1/61 + 1/62 each: the earlier.
        assert_eq!(fused(&[&[2, 1], &[1, 2]], 2), [1, 2]);
    }
}
