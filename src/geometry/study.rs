//! Everything that is measured of a corpus's vectors, as they are or treated, a little at a time.
//!
//! Up to 12,000 rows all pairs are looked at; of more a sample, whose error is told with it. Of 384
//! dimensions, 10,000 rows take some ten seconds in a browser, most of it for the pairs.

use crate::geometry::bands::bands;
use crate::geometry::cosine::{grid, mean_cosine_error};
use crate::geometry::given::Given;
use crate::geometry::hubness::{Asking, Nearest, hubness, neighbours};
use crate::geometry::isoscore::iso_score;
use crate::geometry::moments::Moments;
use crate::geometry::shape::gathered;
use crate::geometry::spectrum::top_share;
use crate::geometry::spread::{MOST_ROWS, Spread};
use crate::geometry::treatment::{Transform, least_rows};
use crate::math::ranks::spearman;
use crate::math::rows::row;
use crate::protocol::lab::{Findings, Treatment};
use crate::protocol::problem::Problem;
use crate::protocol::training::Shape;

/// Rows that are treated in a step; whitening takes some 40 ms for 384 dimensions.
const TREATED_ROWS: usize = 256;

/// A study on its way.
#[derive(Debug)]
pub struct Study {
    treatment: Treatment,
    given: Given,
    /// `[n, width]`; while they are being treated, the first ones are so already.
    rows: Vec<f32>,
    width: usize,
    transform: Option<Transform>,
    findings: Findings,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Begin,
    /// What the treatment is fitted on.
    Fit(Moments),
    /// So many rows are treated.
    Treat(usize),
    Pairs(Box<Spread>, Nearest),
    /// Neighbours, where not all pairs are looked at.
    Ask(Box<Spread>, Asking),
    Gather(Box<Spread>, Moments),
    Spectrum(Box<Spread>, Moments),
    Variance(Moments),
    Done,
}

/// What a study came to.
#[derive(Debug)]
pub struct Studied {
    pub findings: Findings,
    /// `[n]`, cosine of each row with the last one.
    pub with_last: Vec<f32>,
    /// `[n, width]`, unit length, treated.
    pub rows: Vec<f32>,
    pub width: usize,
    /// For rows that come later; `None` where nothing was done.
    pub transform: Option<Transform>,
}

impl Study {
    /// Of unit rows `[n, hidden]`, and what is given with them.
    pub fn new(treatment: Treatment, given: Given, rows: Vec<f32>, hidden: usize) -> Self {
        let (transform, findings, stage) = (None, Findings::default(), Stage::Begin);
        Self { treatment, given, rows, width: hidden, transform, findings, stage }
    }

    /// Does a little. `false` once all is done.
    ///
    /// # Errors
    /// [`Problem::TooFewExamples`] where there is too little to treat, [`Problem::Internal`] where
    /// a pair names a sentence that is not there or a score is not finite.
    pub fn step(&mut self) -> Result<bool, Problem> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Begin => {
                self.given.check(self.count())?;
                if self.treatment == Treatment::AsTheyAre {
                    self.pair()
                } else {
                    Stage::Fit(Moments::new(self.count(), self.width))
                }
            }
            Stage::Fit(moments) => self.fit(moments)?,
            Stage::Treat(done) => self.treat(done),
            Stage::Pairs(spread, nearest) => self.scan(spread, nearest),
            Stage::Ask(spread, mut asking) => {
                if asking.step(&self.rows, self.width) {
                    Stage::Ask(spread, asking)
                } else {
                    self.findings.hubness = asking.finish(self.count());
                    self.gather(spread)
                }
            }
            Stage::Gather(spread, mut moments) => {
                if moments.step(&self.rows) {
                    Stage::Gather(spread, moments)
                } else {
                    Stage::Spectrum(spread, moments)
                }
            }
            Stage::Spectrum(spread, moments) => {
                self.findings.shape = gathered(&self.rows, &spread, &moments);
                Stage::Variance(moments)
            }
            Stage::Variance(moments) => {
                let centred = moments.centred();
                self.findings.iso_score = iso_score(&moments, &centred);
                self.findings.top_share = top_share(&moments, &centred).unwrap_or_default();
                Stage::Done
            }
            Stage::Done => Stage::Done,
        };
        Ok(!matches!(self.stage, Stage::Done))
    }

    /// What was found.
    pub fn finish(self) -> Studied {
        let last = self.count().saturating_sub(1);
        let with_last = grid(&self.rows, row(&self.rows, self.width, last), self.width);
        let Self { findings, rows, width, transform, .. } = self;
        Studied { findings, with_last, rows, width, transform }
    }

    fn count(&self) -> usize {
        self.rows.len().checked_div(self.width).unwrap_or(0)
    }

    fn fit(&mut self, mut moments: Moments) -> Result<Stage, Problem> {
        if moments.step(&self.rows) {
            return Ok(Stage::Fit(moments));
        }
        let fitted = Transform::new(self.treatment, &moments, &self.rows);
        self.transform = Some(fitted.ok_or_else(|| {
            let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let needed = natural(least_rows(self.treatment));
            Problem::TooFewExamples { found: natural(self.count()), needed }
        })?);
        Ok(Stage::Treat(0))
    }

    /// Treats some more rows in their place: they only become shorter.
    fn treat(&mut self, done: usize) -> Stage {
        let (hidden, count) = (self.width, self.count());
        let Some(transform) = &self.transform else { return self.pair() };
        let end = (done + TREATED_ROWS).min(count);
        let rows = self.rows.get(done * hidden..end * hidden).unwrap_or_default();
        let treated = transform.apply(rows);
        let start = done * transform.width();
        if let Some(place) = self.rows.get_mut(start..start + treated.len()) {
            place.copy_from_slice(&treated);
        }
        if end < count {
            return Stage::Treat(end);
        }
        self.width = transform.width();
        self.rows.truncate(count * self.width);
        self.rows.shrink_to_fit();
        self.pair()
    }

    /// What is known from the pairs that are given, and the way to all pairs.
    fn pair(&mut self) -> Stage {
        let (rows, width) = (&self.rows, self.width);
        self.findings.alignment = self.given.alignment(rows, width);
        let (cosines, gold) = (self.given.cosines(rows, width), self.given.gold());
        self.findings.bands = bands(&cosines, &gold);
        self.findings.spearman = spearman(&cosines, &gold);
        self.findings.mean_cosine_error = mean_cosine_error(rows, width);
        let count = self.count();
        let lists = if count > MOST_ROWS { 0 } else { count };
        let spread = Spread::new(count, width, Shape::BINS);
        Stage::Pairs(Box::new(spread), Nearest::new(lists, neighbours(count)))
    }

    fn scan(&mut self, mut spread: Box<Spread>, mut nearest: Nearest) -> Stage {
        // Of a sample of pairs nobody's neighbours are known, and there are no lists.
        let more = spread.step(&self.rows, |i, j, cosine| {
            nearest.see(i, j, cosine);
            nearest.see(j, i, cosine);
        });
        if more {
            return Stage::Pairs(spread, nearest);
        }
        self.findings.pairs = spread.pairs();
        self.findings.uniformity_error = spread.error();
        let count = self.count();
        if count > MOST_ROWS {
            return Stage::Ask(spread, Asking::new(count));
        }
        self.findings.hubness = hubness(&nearest, count);
        self.gather(spread)
    }

    fn gather(&self, spread: Box<Spread>) -> Stage {
        Stage::Gather(spread, Moments::new(self.count(), self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::pairs::pair_count;
    use crate::geometry::shape::shape;
    use crate::math::rng::Rng;
    use crate::math::rows::normalise;
    use crate::protocol::lab::Scored;

    fn cone(count: usize, hidden: usize) -> Vec<f32> {
        let mut rng = Rng::new(11);
        let value =
            |i: usize| rng.normal() as f32 + if i.is_multiple_of(hidden) { 1.5 } else { 0.0 };
        let mut rows: Vec<f32> = (0..count * hidden).map(value).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    fn studied(treatment: Treatment, given: Given, rows: &[f32], hidden: usize) -> Studied {
        let mut study = Study::new(treatment, given, rows.to_vec(), hidden);
        while study.step().unwrap() {}
        study.finish()
    }

    #[test]
    fn findings_are_those_of_the_treated_rows() {
        let (count, hidden) = (300, 7);
        let rows = cone(count, hidden);
        let treatments = [
            Treatment::AsTheyAre,
            Treatment::Centred,
            Treatment::AllButTheTop { directions: 2 },
            Treatment::Whitened { keep: Some(4) },
        ];
        let scored = (0..30).map(|i| Scored { first: i, second: i + 40, gold: (i % 6) as f32 });
        let given = Given { positives: vec![(0, 9), (4, 299)], scored: scored.collect() };
        for treatment in treatments {
            let transform = Transform::fit(treatment, &rows, hidden).unwrap();
            let (treated, width) = (transform.apply(&rows), transform.width());
            let found = studied(treatment, given.clone(), &rows, hidden);
            assert_eq!((&found.rows, found.width), (&treated, width), "{treatment:?}");
            assert_eq!(found.transform.is_some(), treatment != Treatment::AsTheyAre);
            assert!(found.transform.is_none_or(|it| it == transform));
            let last = row(&treated, width, count - 1);
            assert_eq!(found.with_last, grid(&treated, last, width));
            let findings = found.findings;
            assert_eq!(findings.shape, shape(&treated, width));
            assert_eq!(findings.alignment, given.alignment(&treated, width));
            assert_eq!(findings.spearman, given.spearman(&treated, width));
            assert_eq!((findings.pairs, findings.uniformity_error), (pair_count(count), None));
            assert_eq!(findings.mean_cosine_error, mean_cosine_error(&treated, width));
            let moments = Moments::of(&treated, width);
            assert_eq!(findings.iso_score, iso_score(&moments, &moments.centred()));
            assert_eq!(Some(findings.top_share), top_share(&moments, &moments.centred()));
            let mut asking = Asking::new(count);
            while asking.step(&treated, width) {}
            assert_eq!(findings.hubness, asking.finish(count));
            let banded: u32 = findings.bands.iter().map(|band| band.pairs).sum();
            assert_eq!((findings.bands.len(), banded), (5, 30));
        }
    }

    #[test]
    fn what_is_sampled_says_so() {
        let count = MOST_ROWS + 1;
        let found = studied(Treatment::Centred, Given::default(), &cone(count, 3), 3).findings;
        assert!(found.pairs < pair_count(count) && found.uniformity_error.unwrap() > 0.0);
        let hubness = found.hubness.unwrap();
        assert_eq!((hubness.asked, hubness.neighbours), (8_332, 10));
        assert_eq!(found.shape.sphere.len(), count * 3);
        assert!(found.shape.mean_cosine.abs() < 0.1 && found.iso_score.is_some());
        assert!(found.bands.is_empty() && found.spearman.is_none() && found.alignment.is_none());
    }

    #[test]
    fn nothing_and_little_have_findings_too() {
        for count in [0, 1, 2, 3] {
            let found = studied(Treatment::AsTheyAre, Given::default(), &cone(count, 5), 5);
            assert_eq!(found.findings.shape, shape(&cone(count, 5), 5));
            assert_eq!(found.with_last.len(), count);
            assert_eq!(found.findings.hubness.is_some(), count >= 3);
            assert_eq!(found.findings.iso_score, None);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let study = |treatment, given, count| {
            let mut study = Study::new(treatment, given, cone(count, 5), 5);
            while study.step()? {}
            Ok::<_, Problem>(())
        };
        let whitened = Treatment::Whitened { keep: None };
        let few = Problem::TooFewExamples { found: 7, needed: 8 };
        assert_eq!(study(whitened, Given::default(), 7), Err(few));
        let given = Given { positives: vec![(0, 7)], ..Given::default() };
        assert!(matches!(study(Treatment::Centred, given, 7), Err(Problem::Internal { .. })));
    }
}
