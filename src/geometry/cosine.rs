//! Cosines of unit rows: their mean, rectangles of their matrix.

use crate::math::rows::dot;
use crate::math::rows::row;
use crate::math::statistics::WIDTH_95;
use crate::protocol::request::Window;

/// Mean cosine of all distinct pairs of unit rows `[n, hidden]`, -1 to 1: the anisotropy of
/// Ethayarajh, EMNLP 2019 (arXiv 1909.00512), where the rows are unrelated sentences. (A disputed
/// measure: arXiv 2108.07344.) `None` with fewer than two rows.
///
/// (|sum of rows|^2 - sum of |row|^2) / (n (n - 1)), which needs no pair to be looked at.
pub fn mean_cosine(rows: &[f32], hidden: usize) -> Option<f64> {
    let count = rows.len().checked_div(hidden).filter(|count| *count >= 2)?;
    let mut sum = vec![0.0; hidden];
    let mut squares = 0.0;
    for row in rows.chunks_exact(hidden) {
        for (sum, value) in sum.iter_mut().zip(row) {
            let value = f64::from(*value);
            *sum += value;
            squares += value * value;
        }
    }
    let whole: f64 = sum.iter().map(|value| value * value).sum();
    let count = count as f64;
    Some((whole - squares) / (count * (count - 1.0)))
}

/// Half-width of the 95 % interval of [`mean_cosine`], were the unit rows `[n, hidden]` a sample of
/// many: 1.96 standard errors by the jackknife over rows, which counts that each row is in n - 1 of
/// the pairs (Efron & Stein, Annals of Statistics 1981). `None` with fewer than three rows.
///
/// With the sum s of all rows and q = sum of |row|^2, the mean without row i is
/// (|s - x_i|^2 - (q - |x_i|^2)) / ((n - 1) (n - 2)), so that no pair is looked at.
pub fn mean_cosine_error(rows: &[f32], hidden: usize) -> Option<f64> {
    let count = rows.len().checked_div(hidden).filter(|count| *count >= 3)?;
    let mut sum = vec![0.0; hidden];
    for row in rows.chunks_exact(hidden) {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    let whole: f64 = sum.iter().map(|value| value * value).sum();
    // What differs between the means: |s - x_i|^2 + |x_i|^2 = |s|^2 + 2 (|x_i|^2 - s.x_i).
    let without = |row: &[f32]| -> f64 {
        let wide = row.iter().map(|value| f64::from(*value)).zip(&sum);
        let (own, along) = wide.fold((0.0, 0.0), |(own, along), (value, sum)| {
            (own + value * value, along + value * sum)
        });
        whole + 2.0 * (own - along)
    };
    let values: Vec<f64> = rows.chunks_exact(hidden).map(without).collect();
    let count = count as f64;
    let middle = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    let error = (squares * (count - 1.0) / count).sqrt() / ((count - 1.0) * (count - 2.0));
    Some(WIDTH_95 * error)
}

/// Dot products of all rows of `first` with all rows of `second`: `[first rows, second rows]`.
pub fn grid(first: &[f32], second: &[f32], hidden: usize) -> Vec<f32> {
    let hidden = hidden.max(1);
    let lines = first.chunks_exact(hidden);
    lines.flat_map(|x| second.chunks_exact(hidden).map(move |y| dot(x, y))).collect()
}

/// A rectangle of the cosine matrix of unit rows: `[window.row_count, window.column_count]`.
/// `None` where it reaches outside the matrix.
pub fn window(rows: &[f32], hidden: usize, window: Window) -> Option<Vec<f32>> {
    let count = rows.len().checked_div(hidden)? as u64;
    let Window { row: top, row_count, column: left, column_count } = window;
    let inside = |start: u32, length: u32| u64::from(start) + u64::from(length) <= count;
    if !inside(top, row_count) || !inside(left, column_count) {
        return None;
    }
    let range = |start: u32, length: u32| start as usize..start as usize + length as usize;
    let cell = |i: usize, j: usize| dot(row(rows, hidden, i), row(rows, hidden, j));
    let lines = range(top, row_count);
    Some(lines.flat_map(|i| range(left, column_count).map(move |j| cell(i, j))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;
    use crate::math::rows::normalise;

    fn units(count: usize, hidden: usize) -> Vec<f32> {
        let mut rows: Vec<f32> =
            (0..count * hidden).map(|i| ((i * 7 + i * i) as f32 * 0.21).cos()).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    #[test]
    fn the_mean_equals_the_mean_over_all_pairs() {
        let (count, hidden) = (17, 5);
        let rows = units(count, hidden);
        let mut sum = 0.0;
        for i in 0..count {
            for j in i + 1..count {
                sum += f64::from(dot(row(&rows, hidden, i), row(&rows, hidden, j)));
            }
        }
        let expected = sum / (count * (count - 1) / 2) as f64;
        assert!((mean_cosine(&rows, hidden).unwrap() - expected).abs() < 1e-6);
        assert_eq!(mean_cosine(&rows[..hidden], hidden), None);
    }

    #[test]
    fn the_interval_is_that_of_a_jackknife() {
        for (count, hidden) in [(3, 4), (12, 5), (40, 3)] {
            let rows = units(count, hidden);
            let without: Vec<f64> = (0..count)
                .map(|left_out| {
                    let kept = rows.chunks_exact(hidden).enumerate();
                    let kept = kept.filter(|(place, _)| *place != left_out);
                    let kept: Vec<f32> = kept.flat_map(|(_, row)| row).copied().collect();
                    mean_cosine(&kept, hidden).unwrap()
                })
                .collect();
            let n = count as f64;
            let middle = without.iter().sum::<f64>() / n;
            let squares: f64 = without.iter().map(|mean| (mean - middle).powi(2)).sum();
            let expected = 1.96 * ((n - 1.0) / n * squares).sqrt();
            let found = mean_cosine_error(&rows, hidden).unwrap();
            assert!((found - expected).abs() < 1e-4 * expected, "{found} {expected}");
        }
        assert_eq!(mean_cosine_error(&units(2, 4), 4), None);
        assert_eq!(mean_cosine_error(&[], 0), None);
        assert!(mean_cosine_error(&[0.6, 0.8].repeat(9), 2).unwrap() < 1e-7);
    }

    #[test]
    fn the_interval_holds_what_a_larger_sample_would_find() {
        let mut rng = Rng::new(5);
        let mut cone = |count: usize| -> Vec<f32> {
            let values = (0..count * 6).map(|i| rng.normal() + if i % 6 == 0 { 2.0 } else { 0.0 });
            let mut rows: Vec<f32> = values.map(|value| value as f32).collect();
            rows.chunks_exact_mut(6).for_each(normalise);
            rows
        };
        let truth = mean_cosine(&cone(20_000), 6).unwrap();
        let mut misses = 0;
        for _ in 0..200 {
            let sample = cone(60);
            let off = (mean_cosine(&sample, 6).unwrap() - truth).abs();
            misses += usize::from(off > mean_cosine_error(&sample, 6).unwrap());
        }
        // Ten of two hundred are expected.
        assert!((3..=24).contains(&misses), "{misses}");
    }

    #[test]
    fn a_window_is_a_part_of_the_grid() {
        let (count, hidden) = (9, 4);
        let rows = units(count, hidden);
        let all = grid(&rows, &rows, hidden);
        let asked = Window { row: 2, row_count: 3, column: 5, column_count: 4 };
        let part = window(&rows, hidden, asked).unwrap();
        for i in 0..3 {
            for j in 0..4 {
                assert_eq!(part[i * 4 + j], all[(2 + i) * count + 5 + j]);
            }
        }
        assert!((all[0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_window_beyond_the_edge_is_refused() {
        let rows = units(3, 4);
        for (row, row_count) in [(0, 4), (3, 1), (u32::MAX, u32::MAX)] {
            let asked = Window { row, row_count, column: 0, column_count: 1 };
            assert_eq!(window(&rows, 4, asked), None);
        }
        let nothing = Window { row: 3, row_count: 0, column: 0, column_count: 0 };
        assert_eq!(window(&rows, 4, nothing), Some(Vec::new()));
    }
}
