//! Making a GGUF file in llama.cpp's BERT layout from a Hugging Face checkpoint.
//!
//! Bytes to bytes, so that it runs in a page too. The same input gives the same bytes.

use safetensors::Dtype;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView as SafeTensor;
use serde::Deserialize;

use crate::protocol::readout::Pooling;
use crate::weights::adapter_file::BASE_SHA256_KEY;
use crate::weights::bert::ARCHITECTURE;
use crate::weights::bert::BertConfig;
use crate::weights::bert::BertFile;
use crate::weights::bert::MLP_BIAS;
use crate::weights::bert::MLP_WEIGHT;
use crate::weights::bert::POOLING_NAME_KEY;
use crate::weights::bert::TOKENIZER_JSON_KEY;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;
use crate::weights::gguf::ALIGNMENT_KEY;
use crate::weights::gguf::Gguf;
use crate::weights::merged::Merged;
use crate::weights::metadata::NumberKind;
use crate::weights::metadata::Numbers;
use crate::weights::metadata::Value;
use crate::weights::tokens;
use crate::weights::tokens::TokenList;
use crate::weights::writer;
use crate::weights::writer::TensorPlan;

/// A checkpoint and what is to be said of it.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoint<'a> {
    /// Bytes of `model.safetensors`.
    pub safetensors: &'a [u8],
    /// Text of `config.json`.
    pub config_json: &'a str,
    /// Text of `tokenizer.json`; it goes into the file whole.
    pub tokenizer_json: &'a str,
    /// The model's name, for people.
    pub name: &'a str,
    /// SPDX name, as `apache-2.0`.
    pub licence: Option<&'a str>,
    /// The readout the file asks for; see [`pooling_of`].
    pub pooling: Pooling,
}

/// The part of `config.json` that a BERT encoder needs.
#[derive(Debug, Deserialize)]
struct ConfigJson {
    model_type: Option<String>,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    hidden_size: u64,
    intermediate_size: u64,
    num_hidden_layers: u64,
    num_attention_heads: u64,
    max_position_embeddings: u64,
    type_vocab_size: u64,
    vocab_size: u64,
    #[serde(default = "default_norm_epsilon")]
    layer_norm_eps: f64,
}

fn default_norm_epsilon() -> f64 {
    1e-12
}

impl ConfigJson {
    fn read(text: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(text).map_err(|error| Error::Config {
            what: format!("{error}; take the checkpoint's own"),
        })?;
        let demand = |key: &str, found: &Option<String>, wanted: &str| match found {
            Some(found) if found != wanted => Err(Error::Config {
                what: format!("{key} is {found:?}; only {wanted:?} models can be converted"),
            }),
            _ => Ok(()),
        };
        demand("model_type", &config.model_type, "bert")?;
        demand("hidden_act", &config.hidden_act, "gelu")?;
        demand("position_embedding_type", &config.position_embedding_type, "absolute")?;
        Ok(config)
    }

    fn sizes(&self, checkpoint: &Checkpoint<'_>) -> Result<BertConfig, Error> {
        let size = |key: &str, found: u64| match usize::try_from(found) {
            Ok(found @ 1..=0x7fff_ffff) => Ok(found),
            _ => Err(Error::Config { what: format!("{key} is {found}; no BERT has that") }),
        };
        Ok(BertConfig {
            name: checkpoint.name.to_owned(),
            licence: checkpoint.licence.map(str::to_owned),
            layers: size("num_hidden_layers", self.num_hidden_layers)?,
            hidden: size("hidden_size", self.hidden_size)?,
            heads: size("num_attention_heads", self.num_attention_heads)?,
            feed_forward: size("intermediate_size", self.intermediate_size)?,
            max_tokens: size("max_position_embeddings", self.max_position_embeddings)?,
            vocabulary: size("vocab_size", self.vocab_size)?,
            token_types: size("type_vocab_size", self.type_vocab_size)?,
            norm_epsilon: self.layer_norm_eps as f32,
            pooling: checkpoint.pooling,
        })
    }
}

/// The part of sentence-transformers' `1_Pooling/config.json` that says the pooling.
#[derive(Debug, Deserialize)]
struct PoolingJson {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

/// The readout that a checkpoint's folder asks for: what `1_Pooling/config.json` says where it is
/// there; else the mean where `modules.json` shows a sentence-transformers folder; else CLS, which
/// is what SimCSE and plain BERT checkpoints are read by.
///
/// # Errors
/// [`Error::Config`] where the pooling file is damaged or names a pooling that we do not have.
pub fn pooling_of(pooling_json: Option<&str>, has_modules: bool) -> Result<Pooling, Error> {
    let Some(text) = pooling_json else {
        return Ok(if has_modules { Pooling::Mean } else { Pooling::Cls });
    };
    let remedy = "say --pooling mean, cls or first-last";
    let parsed: PoolingJson = serde_json::from_str(text).map_err(|error| Error::Config {
        what: format!("1_Pooling/config.json cannot be read ({error}); {remedy}"),
    })?;
    match (parsed.pooling_mode_mean_tokens, parsed.pooling_mode_cls_token) {
        (true, false) => Ok(Pooling::Mean),
        (false, true) => Ok(Pooling::Cls),
        _ => Err(Error::Config {
            what: format!("1_Pooling/config.json asks for neither mean nor CLS alone; {remedy}"),
        }),
    }
}

/// A GGUF file with the checkpoint's matrices in the format `block`.
///
/// Vectors and the tables of positions and token types stay `f32`, as llama.cpp keeps them; a
/// matrix whose rows are no whole blocks becomes `f16`. `progress` hears of tensors done and all.
///
/// # Errors
/// [`Error::Config`], [`Error::Safetensors`], [`Error::Tokeniser`], [`Error::MissingTensor`],
/// [`Error::TensorShape`], [`Error::TensorType`] or [`Error::NotFinite`] for a checkpoint that is no
/// complete BERT encoder.
pub fn convert(
    checkpoint: &Checkpoint<'_>,
    block: BlockType,
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<u8>, Error> {
    let config = ConfigJson::read(checkpoint.config_json)?.sizes(checkpoint)?;
    let source = SafeTensors::deserialize(checkpoint.safetensors)
        .map_err(|error| Error::Safetensors { detail: error.to_string() })?;
    if config.layers > source.len() {
        return Err(Error::MissingTensor { name: format!("blk.{}.attn_q.weight", source.len()) });
    }
    let shapes = config.tensors();
    let plans: Vec<_> =
        shapes.iter().map(|(name, rows, columns)| plan(name, *rows, *columns, block)).collect();
    // Before anything is sized by what config.json says, the tensors must bear it out.
    for plan in &plans {
        checkpoint_tensor(&source, plan)?;
    }
    let list = TokenList::from_json(checkpoint.tokenizer_json, config.vocabulary)?;
    let keys = keys(&config, &list, checkpoint.tokenizer_json, block)?;
    let mut done = 0;
    writer::write(&keys, &plans, |plan, out| {
        plan.block.encode(&plan.name, &checkpoint_values(&source, plan)?, out)?;
        done += 1;
        progress(done, plans.len());
        Ok(())
    })
}

/// The same model with its matrices in another format.
///
/// # Errors
/// As [`convert`] and [`BertFile::read`].
pub fn requantise(file: &BertFile, block: BlockType) -> Result<Vec<u8>, Error> {
    write_merged(&Merged::plain(file), block, None)
}

/// What a merged file says of itself.
#[derive(Debug, Clone, Copy)]
pub struct MergedName<'a> {
    pub name: &'a str,
    /// The readout the file asks for.
    pub pooling: Pooling,
    /// Lower-case hexadecimal, of the adapter's file.
    pub adapter_sha256: &'a str,
}

/// A model with its adapter in it as one plain file, with the matrices in the format `block`.
/// `name: None` leaves the model's keys as they are.
///
/// # Errors
/// As [`BertFile::read`] and [`Merged::tensor`].
pub fn write_merged(
    merged: &Merged<'_>,
    block: BlockType,
    name: Option<MergedName<'_>>,
) -> Result<Vec<u8>, Error> {
    let file = merged.file();
    let mut keys = Gguf::read(&file.config.name, file.bytes())?.keys;
    // The writer has an alignment of its own.
    keys.remove(ALIGNMENT_KEY);
    if let Some(value) = keys.get_mut(FILE_TYPE_KEY) {
        *value = Value::U32(file_type(block));
    }
    if let Some(name) = name {
        let origin = [(BASE_SHA256_KEY, file.sha256.as_str()), (ADAPTER_KEY, name.adapter_sha256)];
        let origin = origin.map(|(key, hash)| (key, text(hash)));
        keys.remove(POOLING_NAME_KEY);
        let named =
            [("general.name", text(name.name)), (POOLING_KEY, pooling_number(name.pooling))];
        let named = named.into_iter().chain(origin).chain(pooling_name(name.pooling));
        keys.extend(named.map(|(key, value)| (key.to_owned(), value)));
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let config = &file.config;
    let mut shapes = config.tensors();
    if merged.has_mlp() {
        shapes.push((MLP_WEIGHT.to_owned(), config.hidden, config.hidden));
        shapes.push((MLP_BIAS.to_owned(), 1, config.hidden));
    }
    let plans: Vec<_> =
        shapes.iter().map(|(name, rows, columns)| plan(name, *rows, *columns, block)).collect();
    writer::write(&keys, &plans, |plan, out| {
        let values = merged.tensor(&plan.name)?.view().to_f32()?;
        plan.block.encode(&plan.name, &values, out)
    })
}

/// `enum llama_pooling_type` of llama.cpp's `include/llama.h`. It has no number for first-last, nor
/// one for an MLP that gives a sentence's vector: to it these are mean and CLS.
fn pooling_number(pooling: Pooling) -> Value {
    Value::U32(match pooling {
        Pooling::Mean | Pooling::FirstLast => 1,
        Pooling::Cls | Pooling::ClsMlp => 2,
    })
}

/// Our own key, where llama.cpp's number does not say it all.
fn pooling_name(pooling: Pooling) -> Option<(&'static str, Value)> {
    matches!(pooling, Pooling::FirstLast | Pooling::ClsMlp)
        .then(|| (POOLING_NAME_KEY, text(pooling.name())))
}

/// Our own key: SHA-256 of the adapter that a merged file has in it.
const ADAPTER_KEY: &str = "simcse.adapter.sha256";
const FILE_TYPE_KEY: &str = "general.file_type";
const POOLING_KEY: &str = "bert.pooling_type";

/// `enum llama_ftype` of llama.cpp's `include/llama.h`.
fn file_type(block: BlockType) -> u32 {
    match block {
        BlockType::F32 => 0,
        BlockType::F16 => 1,
        BlockType::Q4_0 => 2,
        BlockType::Bf16 => 32,
        _ => 7,
    }
}

fn plan(name: &str, rows: usize, columns: usize, block: BlockType) -> TensorPlan {
    let table = matches!(name, "position_embd.weight" | "token_types.weight");
    let vector = rows == 1 && !table;
    let (rows, columns) = (rows as u64, columns as u64);
    let block = if vector || table {
        BlockType::F32
    } else if columns % block.block_values() as u64 != 0 {
        BlockType::F16
    } else {
        block
    };
    let dimensions = if vector { vec![columns] } else { vec![columns, rows] };
    TensorPlan { name: name.to_owned(), dimensions, block }
}

fn size(value: usize) -> Value {
    Value::U32(value as u32)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn keys(
    config: &BertConfig,
    list: &TokenList,
    tokenizer_json: &str,
    block: BlockType,
) -> Result<Vec<(String, Value)>, Error> {
    let mut keys = vec![
        ("general.architecture", text(ARCHITECTURE)),
        ("general.type", text("model")),
        ("general.name", text(&config.name)),
    ];
    keys.extend(config.licence.as_deref().map(|licence| ("general.license", text(licence))));
    keys.extend([
        (FILE_TYPE_KEY, Value::U32(file_type(block))),
        ("general.quantization_version", Value::U32(2)),
        ("bert.context_length", size(config.max_tokens)),
        ("bert.embedding_length", size(config.hidden)),
        ("bert.feed_forward_length", size(config.feed_forward)),
        ("bert.block_count", size(config.layers)),
        ("bert.vocab_size", size(config.vocabulary)),
        ("bert.attention.head_count", size(config.heads)),
        ("bert.attention.layer_norm_epsilon", Value::F32(config.norm_epsilon)),
        ("bert.attention.causal", Value::Bool(false)),
        (POOLING_KEY, pooling_number(config.pooling)),
    ]);
    keys.extend(tokeniser_keys(config, list, tokenizer_json)?);
    keys.extend(pooling_name(config.pooling));
    Ok(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn tokeniser_keys(
    config: &BertConfig,
    list: &TokenList,
    tokenizer_json: &str,
) -> Result<Vec<(&'static str, Value)>, Error> {
    let special = |token: &str| {
        list.id(token).map(Value::U32).ok_or_else(|| Error::Tokeniser {
            detail: format!("tokenizer.json has no {token} token"),
        })
    };
    let marked =
        list.tokens.iter().zip(&list.types).map(|(token, kind)| tokens::mark(token, *kind));
    let bytes = list.types.iter().flat_map(|kind| kind.to_le_bytes()).collect();
    let types = Numbers { kind: NumberKind::I32, bytes };
    let mut keys = vec![
        ("tokenizer.ggml.model", text("bert")),
        ("tokenizer.ggml.pre", text("default")),
        ("tokenizer.ggml.token_type_count", size(config.token_types)),
        ("tokenizer.ggml.tokens", Value::Texts(marked.collect())),
        ("tokenizer.ggml.token_type", Value::Numbers(types)),
        ("tokenizer.ggml.bos_token_id", special("[CLS]")?),
        ("tokenizer.ggml.eos_token_id", special("[SEP]")?),
        ("tokenizer.ggml.cls_token_id", special("[CLS]")?),
        ("tokenizer.ggml.seperator_token_id", special("[SEP]")?),
        ("tokenizer.ggml.unknown_token_id", special("[UNK]")?),
        ("tokenizer.ggml.padding_token_id", special("[PAD]")?),
        (TOKENIZER_JSON_KEY, text(tokenizer_json)),
    ];
    keys.extend(list.id("[MASK]").map(|mask| ("tokenizer.ggml.mask_token_id", Value::U32(mask))));
    Ok(keys)
}

/// Hugging Face's name of a tensor of llama.cpp's BERT (transformers, `modeling_bert.py`).
fn checkpoint_name(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    let path = match stem {
        "token_embd" => "embeddings.word_embeddings".to_owned(),
        "position_embd" => "embeddings.position_embeddings".to_owned(),
        "token_types" => "embeddings.token_type_embeddings".to_owned(),
        "token_embd_norm" => "embeddings.LayerNorm".to_owned(),
        _ => {
            let (layer, part) = stem.strip_prefix("blk.")?.split_once('.')?;
            let part = match part {
                "attn_q" => "attention.self.query",
                "attn_k" => "attention.self.key",
                "attn_v" => "attention.self.value",
                "attn_output" => "attention.output.dense",
                "attn_output_norm" => "attention.output.LayerNorm",
                "ffn_up" => "intermediate.dense",
                "ffn_down" => "output.dense",
                "layer_output_norm" => "output.LayerNorm",
                _ => return None,
            };
            format!("encoder.layer.{layer}.{part}")
        }
    };
    Some(format!("{path}.{ending}"))
}

/// The tensor under its Hugging Face name: with `bert.` before it or without, and with TensorFlow's
/// `gamma` and `beta` for the norms of old checkpoints.
fn find<'a>(source: &SafeTensors<'a>, name: &str) -> Option<SafeTensor<'a>> {
    let new = checkpoint_name(name)?;
    let old = new
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta");
    [new, old]
        .iter()
        .flat_map(|name| [name.clone(), format!("bert.{name}")])
        .find_map(|name| source.tensor(&name).ok())
}

/// The tensor that a plan asks for, with its number format.
fn checkpoint_tensor<'a>(
    source: &SafeTensors<'a>,
    plan: &TensorPlan,
) -> Result<(SafeTensor<'a>, BlockType), Error> {
    let readable = || checkpoint_name(&plan.name).unwrap_or_else(|| plan.name.clone());
    let tensor =
        find(source, &plan.name).ok_or_else(|| Error::MissingTensor { name: readable() })?;
    let expected: Vec<_> = plan.dimensions.iter().rev().copied().collect();
    let found: Vec<_> = tensor.shape().iter().map(|length| *length as u64).collect();
    if found != expected {
        return Err(Error::TensorShape { name: readable(), expected, found });
    }
    let block = match tensor.dtype() {
        Dtype::F32 => BlockType::F32,
        Dtype::F16 => BlockType::F16,
        Dtype::BF16 => BlockType::Bf16,
        other => {
            return Err(Error::TensorType { name: readable(), found: format!("{other:?}") });
        }
    };
    Ok((tensor, block))
}

fn checkpoint_values(source: &SafeTensors<'_>, plan: &TensorPlan) -> Result<Vec<f32>, Error> {
    let (tensor, block) = checkpoint_tensor(source, plan)?;
    let mut values = vec![0.0; tensor.shape().iter().product()];
    block.decode(tensor.data(), &mut values)?;
    Ok(values)
}
