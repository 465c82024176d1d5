//! A BERT encoder in llama.cpp's GGUF layout: checked once, then handed out tensor by tensor.
//!
//! Keys and tensor names: ggml-org/llama.cpp, `gguf-py/gguf/constants.py` (`MODEL_ARCH.BERT`) and
//! `conversion/bert.py`. Post-norm BERT (arXiv 1810.04805) with absolute positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::Digest;
use sha2::Sha256;

use crate::protocol::readout::Pooling;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;
use crate::weights::gguf::Gguf;
use crate::weights::gguf::TensorEntry;
use crate::weights::metadata::Texts;
use crate::weights::tokens;
use crate::weights::tokens::SpecialIds;
use crate::weights::tokens::Vocabulary;

/// llama.cpp's name of the architecture: BERT itself, RoBERTa, XLM-R and DistilBERT.
pub const ARCHITECTURE: &str = "bert";
/// Our own name of the one that llama.cpp does not have: BERT with MPNet's relative attention bias.
pub const MPNET: &str = "mpnet";
/// Holds the whole `tokenizer.json`; it wins over llama.cpp's token list.
pub const TOKENIZER_JSON_KEY: &str = "tokenizer.huggingface.json";
/// Our own key: the pooling's name where llama.cpp has no number for it (`first-last`, `cls-mlp`).
pub const POOLING_NAME_KEY: &str = "simcse.pooling";
/// Where the weights are from: a repository's name, an address.
pub const SOURCE_KEY: &str = "general.source.url";
/// Our own keys: [`Prompts`].
pub const PROMPT_KEY: &str = "simcse.prompt";
pub const QUERY_PROMPT_KEY: &str = "simcse.prompt.query";
pub const PASSAGE_PROMPT_KEY: &str = "simcse.prompt.passage";

/// Above any BERT encoder there is (BERT-large has 24 layers of 1,024; XLM-R 250,002 tokens).
const MAX_LAYERS: u64 = 128;
const MAX_HIDDEN: u64 = 16_384;
const MAX_FEED_FORWARD: u64 = 65_536;
const MAX_TOKENS: u64 = 65_536;
const MAX_VOCABULARY: u64 = 1 << 21;
const MAX_TOKEN_TYPES: u64 = 1_024;
const MAX_BUCKETS: u64 = 1_024;

/// What BERT's original code adds to the variance, for files that do not say.
const DEFAULT_NORM_EPSILON: f64 = 1e-12;

/// What the model wants before a text; `None`: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompts {
    /// Before sentences that are compared with each other.
    pub plain: Option<String>,
    /// Before what is searched for.
    pub query: Option<String>,
    /// Before what is searched in.
    pub passage: Option<String>,
}

/// The encoder's sizes and habits.
#[derive(Debug, Clone, PartialEq)]
pub struct BertConfig {
    pub name: String,
    pub licence: Option<String>,
    /// Where it is from, where the file says it: a repository's name, an address.
    pub source: Option<String>,
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub feed_forward: usize,
    /// Rows of the position table: tokens of the longest sentence, `[CLS]` and `[SEP]` included.
    pub max_tokens: usize,
    /// Rows of the token table.
    pub vocabulary: usize,
    /// Rows of the table of token types; 0: the model has none.
    pub token_types: usize,
    /// Rows of MPNet's table of biases by the distance of two tokens; 0: the model has none.
    pub relative_buckets: usize,
    /// Added to the variance in every layer norm.
    pub norm_epsilon: f32,
    /// The readout that the file asks for.
    pub pooling: Pooling,
    pub prompts: Prompts,
}

/// Part of the model that a tensor of a layer belongs to: name, rows, columns (`None`: a vector).
type LayerShape = (&'static str, usize, Option<usize>);

impl BertConfig {
    /// The name of the architecture in the file.
    pub fn architecture(&self) -> &'static str {
        if self.relative_buckets > 0 { MPNET } else { ARCHITECTURE }
    }

    /// As [`BertConfig::tensors`], with those of the MLP over the first token or without them.
    pub fn all_tensors(&self, with_mlp: bool) -> Vec<(String, usize, usize)> {
        let mut all = self.tensors();
        if with_mlp {
            all.push((MLP_WEIGHT.to_owned(), self.hidden, self.hidden));
            all.push((MLP_BIAS.to_owned(), 1, self.hidden));
        }
        all
    }

    /// Every tensor of the encoder with its `(rows, columns)`; vectors have one row.
    pub fn tensors(&self) -> Vec<(String, usize, usize)> {
        let mut all = vec![
            ("token_embd.weight".to_owned(), self.vocabulary, self.hidden),
            ("position_embd.weight".to_owned(), self.max_tokens, self.hidden),
        ];
        if self.token_types > 0 {
            all.push(("token_types.weight".to_owned(), self.token_types, self.hidden));
        }
        all.push(("token_embd_norm.weight".to_owned(), 1, self.hidden));
        all.push(("token_embd_norm.bias".to_owned(), 1, self.hidden));
        if self.relative_buckets > 0 {
            all.push((RELATIVE_BIAS.to_owned(), self.relative_buckets, self.heads));
        }
        let linears: [LayerShape; 8] = [
            ("attn_q", self.hidden, Some(self.hidden)),
            ("attn_k", self.hidden, Some(self.hidden)),
            ("attn_v", self.hidden, Some(self.hidden)),
            ("attn_output", self.hidden, Some(self.hidden)),
            ("attn_output_norm", self.hidden, None),
            ("ffn_up", self.feed_forward, Some(self.hidden)),
            ("ffn_down", self.hidden, Some(self.feed_forward)),
            ("layer_output_norm", self.hidden, None),
        ];
        for layer in 0..self.layers {
            for (part, outputs, inputs) in linears {
                let (rows, columns) = inputs.map_or((1, outputs), |inputs| (outputs, inputs));
                all.push((format!("blk.{layer}.{part}.weight"), rows, columns));
                all.push((format!("blk.{layer}.{part}.bias"), 1, outputs));
            }
        }
        all
    }
}

/// MPNet's biases, `[buckets, heads]`.
pub const RELATIVE_BIAS: &str = "attn_rel_b.weight";

/// Weights of the MLP over the first token, `tanh(W cls + b)`, `[hidden, hidden]`: llama.cpp's name
/// of the layer on top of `[CLS]` (`gguf-py/gguf/constants.py`, `MODEL_TENSOR.CLS`). Few encoders
/// have it.
pub const MLP_WEIGHT: &str = "cls.weight";
/// Its bias, `[hidden]`.
pub const MLP_BIAS: &str = "cls.bias";

/// A checked encoder file. It owns the file's bytes; tensors are views of them.
pub struct BertFile {
    pub config: BertConfig,
    pub vocabulary: Vocabulary,
    /// Lower-case hexadecimal, of the whole file.
    pub sha256: String,
    quantisation: BlockType,
    tensors: BTreeMap<String, TensorEntry>,
    /// Shared with whoever keeps a tensor as it stands in the file.
    bytes: Arc<Vec<u8>>,
}

impl BertFile {
    /// Reads and checks a file. `name_hint` names the model where the file does not;
    /// `known_sha256` spares hashing bytes that were hashed on their way in.
    ///
    /// # Errors
    /// Any [`Error`] of reading: afterwards every tensor is known to be there, in its shape and in
    /// a format that can be decoded. Values are checked when they are read.
    pub fn read(
        name_hint: &str,
        bytes: Vec<u8>,
        known_sha256: Option<String>,
    ) -> Result<Self, Error> {
        let mut header = Gguf::read(name_hint, &bytes)?;
        let tensors = std::mem::take(&mut header.tensors);
        let config = read_config(&header, &tensors, name_hint)?;
        let vocabulary = read_vocabulary(&header, config.vocabulary)?;
        let tensors = pick_tensors(tensors, &config)?;
        let quantisation = main_type(&tensors);
        let sha256 = known_sha256.unwrap_or_else(|| sha256(&bytes));
        Ok(Self { config, vocabulary, sha256, quantisation, tensors, bytes: Arc::new(bytes) })
    }

    /// A tensor by llama.cpp's name: `blk.0.attn_q.weight`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for a name that is not in [`BertConfig::tensors`], nor one of the
    /// MLP that the file has.
    pub fn tensor(&self, name: &str) -> Result<TensorView<'_>, Error> {
        let missing = || Error::MissingTensor { name: name.to_owned() };
        let (name, entry) = self.tensors.get_key_value(name).ok_or_else(missing)?;
        let (rows, columns) = rows_and_columns(&entry.dimensions);
        Ok(TensorView {
            name,
            rows: rows as usize,
            columns: columns as usize,
            block: entry.block.ok_or_else(missing)?,
            bytes: self.bytes.get(entry.range.clone()).ok_or_else(missing)?,
            owner: Some((&self.bytes, entry.range.start)),
        })
    }

    /// Whether the file brings the MLP that [`Pooling::ClsMlp`] needs.
    pub fn has_mlp(&self) -> bool {
        self.tensors.contains_key(MLP_WEIGHT)
    }

    /// Format of most of the weights of the layers' matrices.
    pub fn quantisation(&self) -> BlockType {
        self.quantisation
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of the file.
    pub fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Leaves out the bytes and the vocabulary, which would fill a message of millions of numbers.
impl std::fmt::Debug for BertFile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("BertFile")
            .field("config", &self.config)
            .field("sha256", &self.sha256)
            .field("size_bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A tensor of the file: `[rows, columns]`, row-major, a vector as one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorView<'a> {
    pub name: &'a str,
    pub rows: usize,
    pub columns: usize,
    pub block: BlockType,
    pub bytes: &'a [u8],
    /// The file that `bytes` are a part of, and where they begin in it: whoever keeps them can
    /// share it. `None` where they are on their own.
    pub owner: Option<(&'a Arc<Vec<u8>>, usize)>,
}

impl TensorView<'_> {
    /// All values, `[rows, columns]`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where a value is infinite or not a number, [`Error::Memory`] where
    /// there is no room for them.
    pub fn to_f32(&self) -> Result<Vec<f32>, Error> {
        let needed_bytes = self.rows as u64 * self.columns as u64 * size_of::<f32>() as u64;
        let no_room = Error::Memory { needed_bytes };
        let Some(count) = self.rows.checked_mul(self.columns) else { return Err(no_room) };
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| no_room)?;
        values.resize(count, 0.0);
        self.block.decode(self.bytes, &mut values)?;
        self.check_finite(&values)?;
        Ok(values)
    }

    /// One row into `out` of `columns` values.
    ///
    /// # Errors
    /// [`Error::Row`] for a row that is not there, [`Error::BlockLength`] where `out` has another
    /// length, [`Error::NotFinite`] where a value is infinite or not a number.
    pub fn row_into(&self, row: usize, out: &mut [f32]) -> Result<(), Error> {
        let row_bytes = self.bytes.len() / self.rows.max(1);
        let bytes = self
            .bytes
            .chunks_exact(row_bytes.max(1))
            .nth(row)
            .ok_or_else(|| Error::Row { name: self.name.to_owned(), row, rows: self.rows })?;
        self.block.decode(bytes, out)?;
        self.check_finite(out)
    }

    /// Looks at every value, keeping none.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where one is infinite or not a number.
    pub fn check(&self) -> Result<(), Error> {
        match self.block.scales_are_finite(self.bytes) {
            Some(true) => Ok(()),
            Some(false) => Err(Error::NotFinite { name: self.name.to_owned() }),
            None => {
                let mut row = vec![0.0; self.columns];
                (0..self.rows).try_for_each(|position| self.row_into(position, &mut row))
            }
        }
    }

    fn check_finite(&self, values: &[f32]) -> Result<(), Error> {
        // A sum of zeros stays zero: one pass without branches, which compiles to SIMD.
        let residue: f32 = values.iter().map(|value| value * 0.0).sum();
        if residue == 0.0 { Ok(()) } else { Err(Error::NotFinite { name: self.name.to_owned() }) }
    }
}

/// GGUF lists dimensions innermost first. Entries were checked to have one or two.
fn rows_and_columns(dimensions: &[u64]) -> (u64, u64) {
    match *dimensions {
        [columns, rows] => (rows, columns),
        [columns] => (1, columns),
        _ => (0, 0),
    }
}

fn read_config(
    header: &Gguf,
    tensors: &BTreeMap<String, TensorEntry>,
    name_hint: &str,
) -> Result<BertConfig, Error> {
    let architecture = header.text("general.architecture")?;
    let missing = || Error::MissingKey { key: "general.architecture".to_owned() };
    let architecture = architecture.ok_or_else(missing)?;
    if header.text("general.type")? == Some("adapter") {
        return Err(Error::IsAdapter { name: name_hint.to_owned() });
    }
    if ![ARCHITECTURE, MPNET].contains(&architecture) {
        return Err(Error::Architecture { found: architecture.to_owned() });
    }
    let of = Keys { header, architecture };
    if header.boolean(&of.key("attention.causal"))? == Some(true) {
        return Err(Error::Architecture { found: "causal (left to right) bert".to_owned() });
    }
    let hidden = of.size("embedding_length", MAX_HIDDEN)?;
    let heads = of.size("attention.head_count", MAX_HIDDEN)?;
    if hidden % heads != 0 {
        let what = format!("{heads} attention heads do not divide {hidden} dimensions");
        return Err(Error::Damaged { what });
    }
    let name = header.text("general.name")?.filter(|name| !name.trim().is_empty());
    let is_mpnet = architecture == MPNET;
    let buckets = is_mpnet.then(|| of.size("attention.relative_buckets_count", MAX_BUCKETS));
    let prompt =
        |key| -> Result<Option<String>, Error> { Ok(header.text(key)?.map(str::to_owned)) };
    Ok(BertConfig {
        name: name.unwrap_or(name_hint).to_owned(),
        licence: header.text("general.license")?.map(str::to_owned),
        source: header.text(SOURCE_KEY)?.map(str::to_owned),
        layers: of.size("block_count", MAX_LAYERS)?,
        hidden,
        heads,
        feed_forward: of.size("feed_forward_length", MAX_FEED_FORWARD)?,
        max_tokens: of.size("context_length", MAX_TOKENS)?,
        vocabulary: table_rows(header, tensors)?,
        token_types: token_types(header, tensors)?,
        relative_buckets: buckets.transpose()?.unwrap_or(0),
        norm_epsilon: norm_epsilon(&of)?,
        pooling: read_pooling(&of)?,
        prompts: Prompts {
            plain: prompt(PROMPT_KEY)?,
            query: prompt(QUERY_PROMPT_KEY)?,
            passage: prompt(PASSAGE_PROMPT_KEY)?,
        },
    })
}

/// The keys of an architecture.
struct Keys<'a> {
    header: &'a Gguf,
    architecture: &'a str,
}

impl Keys<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    /// A size that must be there, at least 1 and at most `limit`.
    fn size(&self, key: &str, limit: u64) -> Result<usize, Error> {
        let key = self.key(key);
        let found = self.header.natural(&key)?;
        let found = found.ok_or_else(|| Error::MissingKey { key: key.clone() })?;
        bounded(&key, found, limit)
    }
}

fn bounded(what: &str, found: u64, limit: u64) -> Result<usize, Error> {
    if found == 0 {
        return Err(Error::Damaged { what: format!("{what} is 0") });
    }
    let absurd = || Error::Absurd { what: what.to_owned(), found, limit };
    if found > limit { Err(absurd()) } else { usize::try_from(found).map_err(|_| absurd()) }
}

/// Rows of the token table: as many as tokens are listed, or as the table itself has.
fn table_rows(header: &Gguf, tensors: &BTreeMap<String, TensorEntry>) -> Result<usize, Error> {
    const KEY: &str = "tokenizer.ggml.tokens";
    let listed = header.texts(KEY)?.map(|tokens| tokens.len() as u64);
    let rows = listed.or_else(|| rows_of(tensors, "token_embd.weight"));
    let name = "token_embd.weight".to_owned();
    bounded("the vocabulary", rows.ok_or(Error::MissingTensor { name })?, MAX_VOCABULARY)
}

fn token_types(header: &Gguf, tensors: &BTreeMap<String, TensorEntry>) -> Result<usize, Error> {
    let said = header.natural("tokenizer.ggml.token_type_count")?;
    let rows = said.or_else(|| rows_of(tensors, "token_types.weight"));
    match rows {
        // DistilBERT and MPNet have none.
        None | Some(0) => Ok(0),
        Some(rows) => bounded("the number of token types", rows, MAX_TOKEN_TYPES),
    }
}

fn rows_of(tensors: &BTreeMap<String, TensorEntry>, name: &str) -> Option<u64> {
    tensors.get(name).map(|entry| rows_and_columns(&entry.dimensions).0)
}

fn norm_epsilon(of: &Keys<'_>) -> Result<f32, Error> {
    let found = of.header.real(&of.key("attention.layer_norm_epsilon"))?;
    let found = found.unwrap_or(DEFAULT_NORM_EPSILON);
    if found > 0.0 && found < 1.0 {
        return Ok(found as f32);
    }
    Err(Error::Damaged { what: format!("the layer norm's epsilon is {found}") })
}

/// `enum llama_pooling_type` of llama.cpp's `include/llama.h`; 0 and no key leave the choice to
/// us: the mean.
fn read_pooling(of: &Keys<'_>) -> Result<Pooling, Error> {
    if let Some(pooling) = of.header.text(POOLING_NAME_KEY)?.and_then(Pooling::from_name) {
        return Ok(pooling);
    }
    match of.header.natural(&of.key("pooling_type"))? {
        None | Some(0 | 1) => Ok(Pooling::Mean),
        Some(2) => Ok(Pooling::Cls),
        Some(found) => Err(Error::Pooling { found }),
    }
}

fn read_vocabulary(header: &Gguf, rows: usize) -> Result<Vocabulary, Error> {
    if let Some(json) = header.text(TOKENIZER_JSON_KEY)? {
        tokens::check_ids(json, rows as u64)?;
        return Ok(Vocabulary::TokenizerJson(json.to_owned()));
    }
    let kind = header.text("tokenizer.ggml.model")?;
    let missing = || Error::Tokeniser { detail: "the file lists no tokens".to_owned() };
    let marked: &Texts = header.texts("tokenizer.ggml.tokens")?.ok_or_else(missing)?;
    let numbers = header.numbers("tokenizer.ggml.token_type")?;
    let types = numbers.and_then(|numbers| numbers.as_i32());
    let types: Vec<i32> = types.into_iter().flatten().collect();
    let either = |first: &str, second: &str| -> Result<Option<u64>, Error> {
        Ok(header.natural(first)?.or(header.natural(second)?))
    };
    let ids = SpecialIds {
        cls: either("tokenizer.ggml.cls_token_id", "tokenizer.ggml.bos_token_id")?,
        // The misspelling is the format's.
        sep: either("tokenizer.ggml.seperator_token_id", "tokenizer.ggml.eos_token_id")?,
        unknown: header.natural("tokenizer.ggml.unknown_token_id")?,
        padding: header.natural("tokenizer.ggml.padding_token_id")?,
    };
    let tokens = || -> Vec<String> { marked.iter().map(str::to_owned).collect() };
    match kind {
        Some("bert") => tokens::rebuild(marked, &types, ids),
        Some("gpt2") => {
            let missing = || Error::Tokeniser { detail: "the file lists no merges".to_owned() };
            let merges = header.texts("tokenizer.ggml.merges")?.ok_or_else(missing)?;
            let (tokens, merges) = (tokens(), merges.iter().map(str::to_owned).collect());
            let specials = tokens::specials(&tokens, ids)?;
            Ok(Vocabulary::BytePairs { tokens, merges, specials })
        }
        Some("t5") => {
            let missing = || Error::Tokeniser { detail: "the file lists no scores".to_owned() };
            let scores = header.numbers("tokenizer.ggml.scores")?.and_then(|it| it.as_f32());
            let scores: Vec<f32> = scores.ok_or_else(missing)?.collect();
            let tokens = tokens();
            if scores.len() != tokens.len() {
                return Err(missing());
            }
            let specials = tokens::specials(&tokens, ids)?;
            let charsmap = header.numbers("tokenizer.ggml.precompiled_charsmap")?;
            let charsmap = charsmap.map(|numbers| numbers.bytes.clone()).unwrap_or_default();
            Ok(Vocabulary::Unigram { tokens, scores, charsmap, specials })
        }
        Some(other) => {
            let detail = format!("the file's tokeniser is {other}; bert, gpt2 and t5 can be read");
            Err(Error::Tokeniser { detail })
        }
        None => Err(Error::Tokeniser { detail: "the file has no tokeniser".to_owned() }),
    }
}

/// The encoder's tensors, each checked, and the MLP's where both are there in their shape; others
/// in the file are left out.
fn pick_tensors(
    mut all: BTreeMap<String, TensorEntry>,
    config: &BertConfig,
) -> Result<BTreeMap<String, TensorEntry>, Error> {
    let mut picked = BTreeMap::new();
    for (name, rows, columns) in config.tensors() {
        let Some(entry) = all.remove(&name) else { return Err(Error::MissingTensor { name }) };
        let expected = [rows as u64, columns as u64];
        let (found_rows, found_columns) = rows_and_columns(&entry.dimensions);
        if expected != [found_rows, found_columns] {
            let found = entry.dimensions.iter().rev().copied().collect();
            return Err(Error::TensorShape { name, expected: expected.to_vec(), found });
        }
        if entry.block.is_none() {
            return Err(Error::TensorType { name, found: entry.type_name() });
        }
        picked.insert(name, entry);
    }
    let hidden = config.hidden as u64;
    let mlp = [(MLP_WEIGHT, (hidden, hidden)), (MLP_BIAS, (1, hidden))];
    let mlp = mlp.map(|(name, shape)| {
        let entry = all.remove(name)?;
        let fits = rows_and_columns(&entry.dimensions) == shape && entry.block.is_some();
        fits.then(|| (name.to_owned(), entry))
    });
    if let [Some(weight), Some(bias)] = mlp {
        picked.extend([weight, bias]);
    }
    Ok(picked)
}

/// The format that holds most bytes of the layers' matrices.
fn main_type(tensors: &BTreeMap<String, TensorEntry>) -> BlockType {
    let mut bytes_of = BTreeMap::new();
    for (name, entry) in tensors {
        if let Some(block) = entry.block.filter(|_| name.starts_with("blk.")) {
            *bytes_of.entry(block).or_insert(0) += entry.range.len();
        }
    }
    let most = bytes_of.into_iter().max_by_key(|(_, bytes)| *bytes);
    most.map_or(BlockType::F32, |(block, _)| block)
}
