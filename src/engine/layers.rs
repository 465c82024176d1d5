//! All layers of some sentences, measured.

use web_time::{Duration, Instant};

use crate::backend::Backend;
use crate::geometry::cosine::mean_cosine;
use crate::geometry::given::Given;
use crate::geometry::spread::Spread;
use crate::model::encoder::Encoder;
use crate::model::error::Error;
use crate::model::layers::{LayerRows, POOLINGS};
use crate::protocol::lab::LayerMeasure;
use crate::protocol::problem::Problem;

/// Tokenising pauses after so long.
const SLICE: Duration = Duration::from_millis(10);

/// All layers of some sentences, on their way.
#[derive(Debug)]
pub struct Layers<B: Backend> {
    sentences: Vec<String>,
    given: Given,
    stage: Stage<B>,
}

#[derive(Debug)]
enum Stage<B: Backend> {
    /// The token ids so far.
    Tokenise(Vec<Vec<u32>>),
    Embed(LayerRows<B>),
    Measure(Measuring),
}

/// One readout after another.
#[derive(Debug)]
struct Measuring {
    hidden: usize,
    /// `[sentences, hidden]` each; emptied when measured.
    rows: Vec<Vec<f32>>,
    spread: Spread,
    found: Vec<LayerMeasure>,
}

impl<B: Backend> Layers<B> {
    pub fn new(sentences: Vec<String>, given: Given) -> Self {
        Self { sentences, given, stage: Stage::Tokenise(Vec::new()) }
    }

    /// Forgets what was done, for a new model.
    pub fn restart(&mut self) {
        self.stage = Stage::Tokenise(Vec::new());
    }

    pub fn total(&self) -> usize {
        self.sentences.len()
    }

    /// Sentences whose rows are there.
    pub fn done(&self) -> usize {
        match &self.stage {
            Stage::Tokenise(_) => 0,
            Stage::Embed(rows) => rows.done(),
            Stage::Measure(_) => self.total(),
        }
    }

    /// Does a little; the measures once all are there.
    ///
    /// # Errors
    /// [`Problem::Internal`] where a pair names a sentence that is not there, or what the model says.
    pub async fn step(
        &mut self,
        encoder: &Encoder<B>,
    ) -> Result<Option<Vec<LayerMeasure>>, Problem> {
        match &mut self.stage {
            Stage::Tokenise(ids) => {
                if ids.is_empty() {
                    self.given.check(self.sentences.len())?;
                }
                let next = tokenise(encoder, &self.sentences, ids);
                if let Some(rows) = next.map_err(|error| Problem::from(&error))? {
                    self.stage = Stage::Embed(rows);
                }
            }
            Stage::Embed(rows) => {
                let more = encoder.step_layers(rows).await;
                if !more.map_err(|error| Problem::from(&error))? {
                    let empty = Stage::Tokenise(Vec::new());
                    if let Stage::Embed(rows) = std::mem::replace(&mut self.stage, empty) {
                        let hidden = encoder.config().hidden;
                        self.stage = Stage::Measure(Measuring::new(rows.into_rows(), hidden));
                    }
                }
            }
            Stage::Measure(measuring) => {
                if !measuring.step(&self.given) {
                    return Ok(Some(std::mem::take(&mut measuring.found)));
                }
            }
        }
        Ok(None)
    }
}

/// Tokenises some more; once all are, what embeds them.
fn tokenise<B: Backend>(
    encoder: &Encoder<B>,
    sentences: &[String],
    ids: &mut Vec<Vec<u32>>,
) -> Result<Option<LayerRows<B>>, Error> {
    let start = Instant::now();
    while let Some(sentence) = sentences.get(ids.len()) {
        ids.push(encoder.tokenise(sentence)?.ids);
        if start.elapsed() > SLICE {
            return Ok(None);
        }
    }
    encoder.begin_layers(std::mem::take(ids)).map(Some)
}

impl Measuring {
    fn new(rows: Vec<Vec<f32>>, hidden: usize) -> Self {
        let count = rows.first().map_or(0, |rows| rows.len() / hidden.max(1));
        Self { hidden, rows, spread: Spread::new(count, hidden, 0), found: Vec::new() }
    }

    /// Looks at some more pairs of the readout that is being measured. `false` once all readouts are.
    fn step(&mut self, given: &Given) -> bool {
        let (number, hidden) = (self.found.len(), self.hidden);
        let Some(rows) = self.rows.get_mut(number) else { return false };
        if self.spread.step(rows, |_, _, _| {}) {
            return true;
        }
        let pooling = number % POOLINGS.len();
        self.found.push(LayerMeasure {
            layer: u16::try_from(number / POOLINGS.len()).unwrap_or(u16::MAX),
            pooling: POOLINGS[pooling],
            mean_cosine: mean_cosine(rows, hidden).unwrap_or_default(),
            uniformity: self.spread.uniformity().unwrap_or_default(),
            alignment: given.alignment(rows, hidden),
            spearman: given.spearman(rows, hidden),
        });
        self.spread = Spread::new(rows.len() / hidden.max(1), hidden, 0);
        *rows = Vec::new();
        self.found.len() < self.rows.len()
    }
}
