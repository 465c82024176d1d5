//! A query of several parts: Rocchio's formula with weights 1, 1 and 1/2 (Rocchio 1971; Manning, Raghavan &
//! Schuetze, "Introduction to Information Retrieval", 9.1.1).

use crate::math::rows::normalise;

/// What is unlike counts this much less.
const UNLIKE: f32 = 0.5;

/// The unit sum of `also` less half the sum of `unlike`, all `[dimensions]`; `None` where nothing is left
/// of it.
pub fn blended(also: &[Vec<f32>], unlike: &[Vec<f32>]) -> Option<Vec<f32>> {
    let width = also.first()?.len();
    let mut sum = vec![0.0; width];
    let parts = also.iter().map(|row| (row, 1.0)).chain(unlike.iter().map(|row| (row, -UNLIKE)));
    for (row, weight) in parts {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += weight * value;
        }
    }
    let is_something = sum.iter().any(|value| value.abs() > 1e-6);
    normalise(&mut sum);
    is_something.then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::blended;

    #[test]
    fn parts_pull_and_push() {
        let (x, y) = (vec![1.0, 0.0], vec![0.0, 1.0]);
        assert_eq!(blended(std::slice::from_ref(&x), &[]), Some(x.clone()));
        let both = blended(&[x.clone(), y.clone()], &[]).unwrap();
        assert!((both[0] - 0.5_f32.sqrt()).abs() < 1e-6 && (both[1] - both[0]).abs() < 1e-6);
        let away = blended(std::slice::from_ref(&x), &[y]).unwrap();
        assert!((away[1] / away[0] + 0.5).abs() < 1e-6);
        assert_eq!(blended(std::slice::from_ref(&x), &[x.clone(), x.clone()]), None);
        assert_eq!(blended(&[], &[]), None);
    }
}
