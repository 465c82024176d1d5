//! Sentences on their way to unit rows: tokenised a few at a time, then embedded layer by layer.

use web_time::{Duration, Instant};

use crate::backend::Backend;
use crate::model::embedding::Embedding;
use crate::model::encoder::{Encoder, Part};
use crate::model::error::Error;
use crate::protocol::event::TokenisedText;
use crate::protocol::readout::Readout;

/// Tokenising pauses after so long.
const SLICE: Duration = Duration::from_millis(10);

/// Sentences as they are given.
#[derive(Debug)]
enum Given {
    Texts(Vec<String>),
    /// Token ids, one list a sentence.
    Ids(Vec<Vec<u32>>),
}

/// Sentences on their way to rows.
#[derive(Debug)]
pub struct Rows<B: Backend> {
    given: Given,
    readout: Readout,
    /// Also keep word pieces and every token's unit row.
    with_tokens: bool,
    part: Part,
    work: Work<B>,
}

#[derive(Debug)]
struct Work<B: Backend> {
    ids: Vec<Vec<u32>>,
    pieces: Vec<TokenisedText>,
    truncated: Vec<u32>,
    next: usize,
    embedding: Option<Embedding<B>>,
    tokenise: Duration,
    run: Duration,
}

/// Rows of all sentences.
#[derive(Debug)]
pub struct Finished {
    pub hidden: usize,
    /// `[sentences, hidden]`, unit length.
    pub rows: Vec<f32>,
    /// One `[tokens, hidden]` a sentence, if asked for.
    pub token_rows: Vec<Vec<f32>>,
    /// One a sentence, if asked for.
    pub pieces: Vec<TokenisedText>,
    /// Positions of sentences that were cut.
    pub truncated: Vec<u32>,
    pub tokenise_ms: f64,
    pub run_ms: f64,
}

impl<B: Backend> Default for Work<B> {
    fn default() -> Self {
        let (ids, pieces, truncated, next) = Default::default();
        let (embedding, tokenise, run) = Default::default();
        Self { ids, pieces, truncated, next, embedding, tokenise, run }
    }
}

impl<B: Backend> Rows<B> {
    pub fn new(texts: Vec<String>, readout: Readout, with_tokens: bool) -> Self {
        let (given, part) = (Given::Texts(texts), Part::default());
        Self { given, readout, with_tokens, part, work: Work::default() }
    }

    /// The same, of texts that are something else to the model.
    pub fn of_part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// Sentences that were tokenised elsewhere.
    pub fn of_ids(ids: Vec<Vec<u32>>, readout: Readout, with_tokens: bool) -> Self {
        let (given, part) = (Given::Ids(ids), Part::default());
        Self { given, readout, with_tokens, part, work: Work::default() }
    }

    /// Forgets what was done, for a new model.
    pub fn restart(&mut self) {
        self.work = Work::default();
    }

    /// Whether anything was done.
    pub fn has_begun(&self) -> bool {
        self.work.next > 0 || self.work.embedding.is_some()
    }

    /// The sentences, for whoever keeps them; nothing is computed afterwards.
    pub fn take_texts(&mut self) -> Vec<String> {
        match &mut self.given {
            Given::Texts(texts) => std::mem::take(texts),
            Given::Ids(_) => Vec::new(),
        }
    }

    pub fn readout(&self) -> Readout {
        self.readout
    }

    pub fn total(&self) -> usize {
        match &self.given {
            Given::Texts(texts) => texts.len(),
            Given::Ids(ids) => ids.len(),
        }
    }

    /// Sentences whose rows are there.
    pub fn done(&self) -> usize {
        self.work.embedding.as_ref().map_or(0, Embedding::done)
    }

    /// What embeds the sentences, once they are tokenised.
    pub fn embedding(&self) -> Option<&Embedding<B>> {
        self.work.embedding.as_ref()
    }

    /// As [`Rows::embedding`].
    pub fn embedding_mut(&mut self) -> Option<&mut Embedding<B>> {
        self.work.embedding.as_mut()
    }

    /// Does a little; the rows once they are complete.
    pub async fn step(&mut self, encoder: &Encoder<B>) -> Result<Option<Finished>, Error> {
        let start = Instant::now();
        let Some(mut embedding) = self.work.embedding.take() else {
            self.tokenise(encoder, start)?;
            self.work.tokenise += start.elapsed();
            return Ok(None);
        };
        let more = encoder.step(&mut embedding).await?;
        self.work.run += start.elapsed();
        if more {
            self.work.embedding = Some(embedding);
            return Ok(None);
        }
        let (rows, token_rows) = embedding.into_rows();
        let work = std::mem::take(&mut self.work);
        Ok(Some(Finished {
            hidden: encoder.config().hidden,
            rows,
            token_rows,
            pieces: work.pieces,
            truncated: work.truncated,
            tokenise_ms: work.tokenise.as_secs_f64() * 1e3,
            run_ms: work.run.as_secs_f64() * 1e3,
        }))
    }

    fn tokenise(&mut self, encoder: &Encoder<B>, start: Instant) -> Result<(), Error> {
        let work = &mut self.work;
        let texts = match &self.given {
            Given::Texts(texts) => texts,
            Given::Ids(ids) => {
                let embedding = encoder.begin(ids.clone(), self.readout)?;
                work.embedding =
                    Some(if self.with_tokens { embedding.keep_token_rows() } else { embedding });
                return Ok(());
            }
        };
        while let Some(text) = texts.get(work.next) {
            let tokens = encoder.tokenise_as(text, self.part)?;
            if tokens.cut_from.is_some() {
                work.truncated.push(u32::try_from(work.next).unwrap_or(u32::MAX));
            }
            if self.with_tokens {
                let pieces = tokens.pieces;
                work.pieces.push(TokenisedText { pieces, cut_from: tokens.cut_from });
            }
            work.ids.push(tokens.ids);
            work.next += 1;
            if start.elapsed() > SLICE {
                break;
            }
        }
        if work.next >= texts.len() {
            let embedding = encoder.begin(std::mem::take(&mut work.ids), self.readout)?;
            work.embedding =
                Some(if self.with_tokens { embedding.keep_token_rows() } else { embedding });
        }
        Ok(())
    }
}
