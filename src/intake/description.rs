//! What a checkpoint's small files say: `config.json`, the tokeniser's, and those of
//! sentence-transformers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::intake::family::Family;
use crate::protocol::readout::Pooling;
use crate::text::tokenizer_file::Frame;
use crate::text::tokenizer_file::byte_pairs;
use crate::text::tokenizer_file::word_pieces;
use crate::weights::bert::BertConfig;
use crate::weights::bert::Prompts;
use crate::weights::error::Error;

/// Small files that are read where they are there, the needed ones first.
pub const SMALL_FILES: [&str; 11] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "modules.json",
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
];

/// Whether a small file says nothing new beside a `tokenizer.json`.
pub fn is_superfluous(path: &str, has_tokenizer: bool) -> bool {
    has_tokenizer && ["vocab.txt", "vocab.json", "merges.txt"].contains(&path)
}

/// A checkpoint's weights among the names of files in its folder, in their order: of the formats that
/// are there the safest, one file or all of a series.
pub fn weights_among<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
    let forms = [("model", ".safetensors"), ("pytorch_model", ".bin")];
    for (stem, ending) in forms {
        let middle = |name: &'a str| name.strip_prefix(stem)?.strip_suffix(ending);
        if let Some(single) = names.clone().find(|name| middle(name) == Some("")) {
            return vec![single];
        }
        let is_part = |name: &&'a str| {
            middle(name).is_some_and(|part| part.starts_with('-') && part.contains("-of-"))
        };
        let mut parts: Vec<_> = names.clone().filter(is_part).collect();
        if !parts.is_empty() {
            parts.sort_unstable();
            return parts;
        }
    }
    Vec::new()
}

/// The small files' texts by their paths.
pub type Papers = BTreeMap<String, String>;

/// What else is known of a checkpoint.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// The model's name, for people.
    pub name: String,
    /// SPDX name, as `apache-2.0`.
    pub licence: Option<String>,
    /// Where it is from: a repository's name, an address.
    pub source: Option<String>,
    /// The readout the file is to ask for, whatever its own files say.
    pub pooling: Option<Pooling>,
}

/// A checkpoint that can be converted.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    pub family: Family,
    pub config: BertConfig,
    /// Rows of the position table before the one of a sentence's first token.
    pub first_position: usize,
    pub tokenizer_json: String,
}

/// The part of `config.json` that an encoder needs; DistilBERT has other names for sizes.
#[derive(Debug, Deserialize)]
struct ConfigJson {
    model_type: Option<String>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    #[serde(alias = "dim")]
    hidden_size: u64,
    #[serde(alias = "hidden_dim")]
    intermediate_size: u64,
    #[serde(alias = "n_layers")]
    num_hidden_layers: u64,
    #[serde(alias = "n_heads")]
    num_attention_heads: u64,
    max_position_embeddings: u64,
    #[serde(default)]
    type_vocab_size: u64,
    vocab_size: u64,
    #[serde(default = "default_norm_epsilon")]
    layer_norm_eps: f64,
    pad_token_id: Option<u64>,
    #[serde(default = "default_buckets")]
    relative_attention_num_buckets: u64,
}

fn default_norm_epsilon() -> f64 {
    1e-12
}

/// Of MPNet's configuration.
fn default_buckets() -> u64 {
    32
}

/// RoBERTa's, where `config.json` does not say.
const ROBERTA_PADDING: u64 = 1;

fn bad(what: impl Into<String>) -> Error {
    Error::Config { what: what.into() }
}

impl ConfigJson {
    fn read(text: &str) -> Result<(Self, Family), Error> {
        let config: Self = serde_json::from_str(text)
            .map_err(|error| bad(format!("{error}; take the checkpoint's own")))?;
        let kind = config.model_type.as_deref().unwrap_or("bert");
        let family = Family::of(kind).ok_or_else(|| {
            bad(format!(
                "model_type is {kind:?}; BERT, RoBERTa, XLM-R, DistilBERT and MPNet can be converted"
            ))
        })?;
        let demand = |key: &str, found: &Option<String>, wanted: &str| match found {
            Some(found) if found != wanted => {
                Err(bad(format!("{key} is {found:?}; only {wanted:?} models can be converted")))
            }
            _ => Ok(()),
        };
        demand("hidden_act", &config.hidden_act, "gelu")?;
        demand("position_embedding_type", &config.position_embedding_type, "absolute")?;
        Ok((config, family))
    }

    fn sizes(&self, family: Family, known: &Known) -> Result<(BertConfig, usize), Error> {
        let size = |key: &str, found: u64| match usize::try_from(found) {
            Ok(found @ 1..=0x7fff_ffff) => Ok(found),
            _ => Err(bad(format!("{key} is {found}; no encoder has that"))),
        };
        let first = family.first_position(self.pad_token_id.unwrap_or(ROBERTA_PADDING));
        let positions = self.max_position_embeddings.saturating_sub(first);
        let (types, buckets) = match family {
            Family::Bert | Family::Roberta => (size("type_vocab_size", self.type_vocab_size)?, 0),
            Family::DistilBert => (0, 0),
            Family::Mpnet => {
                let buckets = self.relative_attention_num_buckets;
                (0, size("relative_attention_num_buckets", buckets)?)
            }
        };
        let config = BertConfig {
            name: known.name.clone(),
            licence: known.licence.clone(),
            source: known.source.clone(),
            layers: size("num_hidden_layers", self.num_hidden_layers)?,
            hidden: size("hidden_size", self.hidden_size)?,
            heads: size("num_attention_heads", self.num_attention_heads)?,
            feed_forward: size("intermediate_size", self.intermediate_size)?,
            max_tokens: size("max_position_embeddings", positions)?,
            vocabulary: size("vocab_size", self.vocab_size)?,
            token_types: types,
            relative_buckets: buckets,
            norm_epsilon: self.layer_norm_eps as f32,
            pooling: Pooling::Cls,
            prompts: Prompts::default(),
        };
        Ok((config, size("pad_token_id", first + 1)? - 1))
    }
}

impl Description {
    /// Reads the small files.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Tokeniser`], for a model that cannot be converted.
    pub fn read(papers: &Papers, known: &Known) -> Result<Self, Error> {
        let config = papers.get("config.json").ok_or_else(|| {
            bad("it is not there; a checkpoint is config.json, a tokeniser and weights")
        })?;
        let (read, family) = ConfigJson::read(config)?;
        let (mut config, first_position) = read.sizes(family, known)?;
        config.pooling = match known.pooling {
            Some(pooling) => pooling,
            None => pooling(papers, &known.name)?,
        };
        config.prompts = prompts(papers, &known.name);
        let tokenizer_json = tokenizer_json(papers)?;
        Ok(Self { family, config, first_position, tokenizer_json })
    }
}

/// The part of sentence-transformers' `1_Pooling/config.json` that says the pooling.
#[derive(Debug, Deserialize)]
struct PoolingJson {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    /// Since sentence-transformers 5: `mean`, `cls`, ...
    pooling_mode: Option<String>,
}

/// A step of `modules.json`.
#[derive(Debug, Deserialize)]
struct ModuleJson {
    #[serde(rename = "type")]
    kind: String,
}

/// The readout that a checkpoint asks for: what `1_Pooling/config.json` says where it is there; else
/// the mean where `modules.json` shows a sentence-transformers folder; else the first token, as
/// SimCSE and plain BERT checkpoints are read. The supervised SimCSE models are read through their MLP,
/// the unsupervised ones without it (princeton-nlp/SimCSE, `simcse/tool.py`).
fn pooling(papers: &Papers, name: &str) -> Result<Pooling, Error> {
    let remedy = "choose a pooling yourself (--pooling): mean, cls or first-last";
    if let Some(text) = papers.get("modules.json") {
        let modules: Vec<ModuleJson> = serde_json::from_str(text)
            .map_err(|error| bad(format!("modules.json beside it cannot be read ({error})")))?;
        let other = modules.iter().map(|module| module.kind.rsplit('.').next().unwrap_or_default());
        let known = ["Transformer", "Pooling", "Normalize"];
        if let Some(other) = other.into_iter().find(|kind| !known.contains(kind)) {
            return Err(bad(format!(
                "the model ends with a {other} layer (modules.json), which does not run here"
            )));
        }
    }
    let Some(text) = papers.get("1_Pooling/config.json") else {
        let name = name.to_ascii_lowercase();
        return Ok(match name.contains("simcse") && !name.contains("unsup") {
            _ if papers.contains_key("modules.json") => Pooling::Mean,
            true => Pooling::ClsMlp,
            false => Pooling::Cls,
        });
    };
    let parsed: PoolingJson = serde_json::from_str(text).map_err(|error| {
        bad(format!("1_Pooling/config.json cannot be read ({error}); {remedy}"))
    })?;
    let modes = (parsed.pooling_mode_mean_tokens, parsed.pooling_mode_cls_token);
    match (modes, parsed.pooling_mode.as_deref()) {
        ((true, false), None) | (_, Some("mean")) => Ok(Pooling::Mean),
        ((false, true), None) | (_, Some("cls")) => Ok(Pooling::Cls),
        _ => {
            Err(bad(format!("1_Pooling/config.json asks for neither mean nor CLS alone; {remedy}")))
        }
    }
}

/// The part of `config_sentence_transformers.json` that says what to put before texts.
#[derive(Debug, Default, Deserialize)]
struct PromptsJson {
    #[serde(default)]
    prompts: BTreeMap<String, String>,
    default_prompt_name: Option<String>,
}

/// What a model wants before texts. E5's files do not say it, its model card does (intfloat/e5-base-v2:
/// "query: " and "passage: ", and "query: " where there is no such difference).
fn prompts(papers: &Papers, name: &str) -> Prompts {
    let read = papers.get("config_sentence_transformers.json");
    let read: PromptsJson =
        read.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let of = |key: &str| read.prompts.get(key).filter(|prompt| !prompt.is_empty()).cloned();
    let passage = of("passage").or_else(|| of("document"));
    let plain = read.default_prompt_name.as_deref().and_then(of);
    let found = Prompts { plain, query: of("query"), passage };
    let name = name.to_ascii_lowercase();
    let is_e5 = name.split(['/', '-', '_']).any(|part| part == "e5");
    if found == Prompts::default() && is_e5 && !name.contains("instruct") {
        let (query, passage) = ("query: ".to_owned(), "passage: ".to_owned());
        return Prompts { plain: Some(query.clone()), query: Some(query), passage: Some(passage) };
    }
    found
}

/// The checkpoint's `tokenizer.json`, or the one that its older files stand for.
fn tokenizer_json(papers: &Papers) -> Result<String, Error> {
    if let Some(json) = papers.get("tokenizer.json") {
        return Ok(json.clone());
    }
    if let Some(list) = papers.get("vocab.txt") {
        return from_word_list(list, papers);
    }
    match (papers.get("vocab.json"), papers.get("merges.txt")) {
        (Some(vocabulary), Some(merges)) => from_byte_pairs(vocabulary, merges),
        _ => Err(Error::Tokeniser {
            detail:
                "the checkpoint has no tokenizer.json, vocab.txt, or vocab.json with merges.txt"
                    .to_owned(),
        }),
    }
}

/// A special token, under the first of its usual names that the vocabulary has.
fn special(names: &[&str], find: impl Fn(&str) -> Option<u32>) -> Result<(String, u32), Error> {
    let found = names.iter().find_map(|name| Some(((*name).to_owned(), find(name)?)));
    found.ok_or_else(|| Error::Tokeniser {
        detail: format!("the vocabulary has no {} token", names.join(" or ")),
    })
}

fn frame(find: impl Fn(&str) -> Option<u32>) -> Result<Frame, Error> {
    Ok(Frame {
        first: special(&["[CLS]", "<s>"], &find)?,
        last: special(&["[SEP]", "</s>"], &find)?,
        unknown: special(&["[UNK]", "<unk>"], &find)?,
        padding: special(&["[PAD]", "<pad>"], &find)?,
        mask: special(&["[MASK]", "<mask>"], &find).ok(),
    })
}

fn from_word_list(list: &str, papers: &Papers) -> Result<String, Error> {
    let tokens = || list.lines().map(|line| line.trim_end_matches('\r')).zip(0_u32..);
    let ids: BTreeMap<&str, u32> = tokens().collect();
    let frame = frame(|name| ids.get(name).copied())?;
    let said = papers.get("tokenizer_config.json");
    let said = said.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let said = said.and_then(|value| value.get("do_lower_case").and_then(Value::as_bool));
    // As for token lists in GGUF files: a cased vocabulary has capitals.
    let is_cased = tokens().any(|(token, _)| {
        !token.starts_with('[') && token.bytes().any(|byte| byte.is_ascii_uppercase())
    });
    Ok(word_pieces(tokens(), &frame, said.unwrap_or(!is_cased)))
}

fn from_byte_pairs(vocabulary: &str, merges: &str) -> Result<String, Error> {
    let ids: BTreeMap<String, u32> = serde_json::from_str(vocabulary).map_err(|error| {
        Error::Tokeniser { detail: format!("vocab.json cannot be read: {error}") }
    })?;
    let frame = frame(|name| ids.get(name).copied())?;
    let merges =
        merges.lines().filter(|line| !line.starts_with("#version") && !line.trim().is_empty());
    Ok(byte_pairs(ids.iter().map(|(token, id)| (token.as_str(), *id)), merges, &frame))
}
