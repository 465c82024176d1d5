//! A sentence encoder: text to tokens to unit vectors.
//!
//! ```no_run
//! # async fn example(bytes: Vec<u8>) -> Result<(), simcse_lab::model::error::Error> {
//! use simcse_lab::backend::cpu::Cpu;
//! use simcse_lab::model::encoder::Encoder;
//! use simcse_lab::protocol::readout::{Pooling, Readout};
//! use simcse_lab::weights::bert::BertFile;
//!
//! let file = BertFile::read("model.gguf", bytes, None)?;
//! let encoder = Encoder::load(Cpu::default(), &file)?;
//! let tokens = [encoder.tokenise("A man is eating food.")?];
//! let rows = encoder.embed(&tokens, Readout::last(Pooling::Mean)).await?;
//! assert_eq!(rows.len(), encoder.config().hidden);
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use crate::backend::Backend;
use crate::files::base64;
use crate::model::bert::Bert;
use crate::model::embedding::Embedding;
use crate::model::error::Error;
use crate::model::layers::LayerRows;
use crate::model::pooling::Plan;
use crate::protocol::readout::Readout;
use crate::text::tokeniser::{Limits, Tokeniser, Tokens, WordPieces};
use crate::text::tokenizer_file::{Frame, byte_pairs, unigram};
use crate::weights::bert::{BertConfig, BertFile};
use crate::weights::merged::Merged;
use crate::weights::tokens::{Specials, Vocabulary};

/// What a text is to the model: some want other words before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    #[default]
    Compared,
    /// What is searched for.
    Query,
    /// What is searched in.
    Passage,
}

/// A model that is ready.
#[derive(Debug)]
pub struct Encoder<B: Backend> {
    backend: B,
    bert: Bert<B>,
    tokeniser: Arc<Tokeniser>,
    config: BertConfig,
}

impl<B: Backend> Encoder<B> {
    /// Makes a file's model ready; the file may be dropped afterwards.
    ///
    /// # Errors
    /// Where the tokeniser does not fit, weights are damaged, or memory is short.
    pub fn load(backend: B, file: &BertFile) -> Result<Self, Error> {
        Self::load_merged(backend, &Merged::plain(file))
    }

    /// Makes a model with an adapter in it ready.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub fn load_merged(backend: B, model: &Merged<'_>) -> Result<Self, Error> {
        let tokeniser = Arc::new(tokeniser(model.file())?);
        let mut bert = Bert::begin_loading(&backend, model, None)?;
        while bert.load_layer(&backend, model, None)? {}
        Ok(Self { backend, bert, tokeniser, config: model.file().config.clone() })
    }

    /// Begins to make an adapted copy of this encoder ready: `model` is this one's file with an
    /// adapter in it. [`Encoder::adapt_step`] goes on; until it is done the copy is of no use. The
    /// tokeniser, and what the adapter does not touch, are shared.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub fn adapt(&self, model: &Merged<'_>) -> Result<Self, Error>
    where
        B: Clone,
    {
        let backend = self.backend.clone();
        let bert = Bert::begin_loading(&backend, model, Some(&self.bert))?;
        let tokeniser = Arc::clone(&self.tokeniser);
        Ok(Self { backend, bert, tokeniser, config: self.config.clone() })
    }

    /// One more layer of the copy that [`Encoder::adapt`] began; `false` once it is ready.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub fn adapt_step(&self, model: &Merged<'_>, copy: &mut Self) -> Result<bool, Error> {
        copy.bert.load_layer(&copy.backend, model, Some(&self.bert))
    }

    /// The model's shape and habits.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// What computes.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The tokens of a text that is compared with others, cut at the model's limit.
    ///
    /// # Errors
    /// Where the file's tokeniser contradicts itself.
    pub fn tokenise(&self, text: &str) -> Result<Tokens, Error> {
        self.tokenise_as(text, Part::Compared)
    }

    /// The tokens of a text with what the model wants before it, as of E5 "query: ".
    ///
    /// # Errors
    /// As [`Encoder::tokenise`].
    pub fn tokenise_as(&self, text: &str, part: Part) -> Result<Tokens, Error> {
        let prompts = &self.config.prompts;
        let prompt = match part {
            Part::Compared => &prompts.plain,
            Part::Query => &prompts.query,
            Part::Passage => &prompts.passage,
        };
        Ok(match prompt {
            None => self.tokeniser.tokenise(text)?,
            Some(prompt) => self.tokeniser.tokenise(&format!("{prompt}{text}"))?,
        })
    }

    /// Begins to embed sentences, given as token ids; [`Encoder::step`] does the work.
    ///
    /// # Errors
    /// [`Error::Layer`] for a layer that the model does not have, [`Error::NoMlp`] for an MLP that
    /// it does not have, or where memory is short.
    pub fn begin(&self, sentences: Vec<Vec<u32>>, readout: Readout) -> Result<Embedding<B>, Error> {
        let plan = Plan::new(readout, self.config.layers)?;
        if plan.with_mlp && !self.bert.has_mlp() {
            return Err(Error::NoMlp);
        }
        Embedding::new(plan, self.config.hidden, sentences)
    }

    /// Does a little of what [`Encoder::begin`] began: one layer of one batch. `false` once
    /// everything is done.
    ///
    /// # Errors
    /// Where the backend fails or a row is not finite.
    pub async fn step(&self, embedding: &mut Embedding<B>) -> Result<bool, Error> {
        embedding.step(&self.backend, &self.bert).await
    }

    /// Begins to embed sentences, given as token ids, in every layer at once;
    /// [`Encoder::step_layers`] does the work.
    ///
    /// # Errors
    /// Where memory is short.
    pub fn begin_layers(&self, sentences: Vec<Vec<u32>>) -> Result<LayerRows<B>, Error> {
        LayerRows::new(self.config.layers, self.config.hidden, sentences)
    }

    /// As [`Encoder::step`], of what [`Encoder::begin_layers`] began.
    ///
    /// # Errors
    /// As [`Encoder::step`].
    pub async fn step_layers(&self, rows: &mut LayerRows<B>) -> Result<bool, Error> {
        rows.step(&self.backend, &self.bert).await
    }

    /// `[sentences, hidden]` unit rows, in the given order.
    ///
    /// # Errors
    /// Where the layer does not exist or the backend fails.
    pub async fn embed(&self, sentences: &[Tokens], readout: Readout) -> Result<Vec<f32>, Error> {
        let ids = sentences.iter().map(|tokens| tokens.ids.clone()).collect();
        let mut embedding = self.begin(ids, readout)?;
        while self.step(&mut embedding).await? {}
        Ok(embedding.into_rows().0)
    }

    /// `[tokens, hidden]` unit rows of one sentence's tokens, as the readout's layer has them
    /// (first-last: averaged with layer 1).
    ///
    /// # Errors
    /// Where the layer does not exist or the backend fails.
    pub async fn token_rows(&self, sentence: &Tokens, readout: Readout) -> Result<Vec<f32>, Error> {
        let mut embedding = self.begin(vec![sentence.ids.clone()], readout)?.keep_token_rows();
        while self.step(&mut embedding).await? {}
        Ok(embedding.into_rows().1.pop().unwrap_or_default())
    }
}

/// The tokeniser of a file's model.
///
/// # Errors
/// Where it does not fit the model.
pub fn tokeniser(file: &BertFile) -> Result<Tokeniser, Error> {
    let limits = Limits { max_tokens: file.config.max_tokens, vocabulary: file.config.vocabulary };
    Ok(match &file.vocabulary {
        Vocabulary::TokenizerJson(json) => Tokeniser::from_json(json, limits)?,
        Vocabulary::WordPiece { tokens, cls, sep, unknown, padding, lowercase } => {
            let pieces = WordPieces {
                tokens: tokens.clone(),
                cls: *cls,
                sep: *sep,
                unknown: *unknown,
                padding: *padding,
                lowercase: *lowercase,
            };
            Tokeniser::from_word_pieces(&pieces, limits)?
        }
        Vocabulary::BytePairs { tokens, merges, specials } => {
            let listed = tokens.iter().map(String::as_str).zip(0..);
            let merges = merges.iter().map(String::as_str);
            let json = byte_pairs(listed, merges, &frame(tokens, specials));
            Tokeniser::from_json(&json, limits)?
        }
        Vocabulary::Unigram { tokens, scores, charsmap, specials } => {
            let scored = tokens.iter().map(String::as_str).zip(scores.iter().copied());
            let scored = scored.map(|(token, score)| (token, f64::from(score)));
            let charsmap = (!charsmap.is_empty()).then(|| base64::encode(charsmap));
            let json = unigram(scored, charsmap.as_deref(), &frame(tokens, specials));
            Tokeniser::from_json(&json, limits)?
        }
    })
}

/// What stands around a sentence.
fn frame(tokens: &[String], specials: &Specials) -> Frame {
    let special = |id: u32| (tokens.get(id as usize).cloned().unwrap_or_default(), id);
    Frame {
        first: special(specials.first),
        last: special(specials.last),
        unknown: special(specials.unknown),
        padding: special(specials.padding),
        mask: specials.mask.map(special),
    }
}
