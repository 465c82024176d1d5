//! What a GGUF file in llama.cpp's BERT layout says of itself, and files made of files: in another
//! number format, with an adapter in it.
//!
//! Bytes to bytes, so that it runs in a page too. The same input gives the same bytes.

use crate::protocol::readout::Pooling;
use crate::weights::adapter_file::BASE_SHA256_KEY;
use crate::weights::bert::BertConfig;
use crate::weights::bert::BertFile;
use crate::weights::bert::PASSAGE_PROMPT_KEY;
use crate::weights::bert::POOLING_NAME_KEY;
use crate::weights::bert::PROMPT_KEY;
use crate::weights::bert::Prompts;
use crate::weights::bert::QUERY_PROMPT_KEY;
use crate::weights::bert::SOURCE_KEY;
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
use crate::weights::tokens::ListKind;
use crate::weights::tokens::TokenList;
use crate::weights::writer;
use crate::weights::writer::TensorPlan;

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
        let pooling_key = format!("{}.pooling_type", file.config.architecture());
        keys.insert(pooling_key, pooling_number(name.pooling));
        let named = [("general.name", text(name.name))].into_iter().chain(origin);
        let named = named.chain(pooling_name(name.pooling));
        keys.extend(named.map(|(key, value)| (key.to_owned(), value)));
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let shapes = file.config.all_tensors(merged.has_mlp());
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

/// How a tensor is stored in a file whose matrices have the format `block`: vectors and small tables
/// stay `f32`, as llama.cpp keeps them; a matrix whose rows are no whole blocks becomes `f16`.
pub fn plan(name: &str, rows: usize, columns: usize, block: BlockType) -> TensorPlan {
    let table = matches!(name, "position_embd.weight" | "token_types.weight" | "attn_rel_b.weight");
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

/// The metadata of an encoder's file.
///
/// # Errors
/// [`Error::Tokeniser`] where the `tokenizer.json` does not fit the model.
pub fn keys(
    config: &BertConfig,
    tokenizer_json: &str,
    block: BlockType,
) -> Result<Vec<(String, Value)>, Error> {
    let architecture = config.architecture();
    let mut keys = vec![
        ("general.architecture".to_owned(), text(architecture)),
        ("general.type".to_owned(), text("model")),
        ("general.name".to_owned(), text(&config.name)),
    ];
    let mut put = |key: &str, value: Value| keys.push((key.to_owned(), value));
    if let Some(licence) = &config.licence {
        put("general.license", text(licence));
    }
    if let Some(source) = &config.source {
        put(SOURCE_KEY, text(source));
    }
    put(FILE_TYPE_KEY, Value::U32(file_type(block)));
    put("general.quantization_version", Value::U32(2));
    let mut own = |key: &str, value: Value| put(&format!("{architecture}.{key}"), value);
    own("context_length", size(config.max_tokens));
    own("embedding_length", size(config.hidden));
    own("feed_forward_length", size(config.feed_forward));
    own("block_count", size(config.layers));
    own("vocab_size", size(config.vocabulary));
    own("attention.head_count", size(config.heads));
    own("attention.layer_norm_epsilon", Value::F32(config.norm_epsilon));
    own("attention.causal", Value::Bool(false));
    own("pooling_type", pooling_number(config.pooling));
    if config.relative_buckets > 0 {
        own("attention.relative_buckets_count", size(config.relative_buckets));
    }
    for (key, value) in
        tokeniser_keys(config, tokenizer_json)?.into_iter().chain(pooling_name(config.pooling))
    {
        put(key, value);
    }
    let Prompts { plain, query, passage } = &config.prompts;
    let prompts = [(PROMPT_KEY, plain), (QUERY_PROMPT_KEY, query), (PASSAGE_PROMPT_KEY, passage)];
    for (key, prompt) in prompts {
        if let Some(prompt) = prompt {
            put(key, text(prompt));
        }
    }
    Ok(keys)
}

/// Kinds of tokenisers, as llama.cpp calls them.
fn tokeniser_name(kind: ListKind) -> (&'static str, &'static str) {
    match kind {
        ListKind::WordPiece => ("bert", "default"),
        ListKind::BytePairs => ("gpt2", "gpt-2"),
        ListKind::Unigram => ("t5", "default"),
    }
}

fn tokeniser_keys(
    config: &BertConfig,
    tokenizer_json: &str,
) -> Result<Vec<(&'static str, Value)>, Error> {
    let list = TokenList::from_json(tokenizer_json, config.vocabulary)?;
    let special = |names: [&str; 2]| {
        let id = names.iter().find_map(|name| list.id(name));
        id.map(Value::U32).ok_or_else(|| Error::Tokeniser {
            detail: format!("tokenizer.json has no {} token", names.join(" or ")),
        })
    };
    let spelled = list.tokens.iter().zip(&list.types).map(|(token, kind)| match list.kind {
        ListKind::WordPiece => tokens::mark(token, *kind),
        ListKind::BytePairs | ListKind::Unigram => token.clone(),
    });
    let bytes = list.types.iter().flat_map(|kind| kind.to_le_bytes()).collect();
    let types = Numbers { kind: NumberKind::I32, bytes };
    let (model, pre) = tokeniser_name(list.kind);
    let (first, last) = (special(["[CLS]", "<s>"])?, special(["[SEP]", "</s>"])?);
    let mut keys = vec![
        ("tokenizer.ggml.model", text(model)),
        ("tokenizer.ggml.pre", text(pre)),
        ("tokenizer.ggml.token_type_count", size(config.token_types)),
        ("tokenizer.ggml.tokens", Value::Texts(spelled.collect())),
        ("tokenizer.ggml.token_type", Value::Numbers(types)),
        ("tokenizer.ggml.bos_token_id", first.clone()),
        ("tokenizer.ggml.eos_token_id", last.clone()),
        ("tokenizer.ggml.cls_token_id", first),
        ("tokenizer.ggml.seperator_token_id", last),
        ("tokenizer.ggml.unknown_token_id", special(["[UNK]", "<unk>"])?),
        ("tokenizer.ggml.padding_token_id", special(["[PAD]", "<pad>"])?),
        (TOKENIZER_JSON_KEY, text(tokenizer_json)),
    ];
    if !list.merges.is_empty() {
        keys.push(("tokenizer.ggml.merges", Value::Texts(list.merges.iter().collect())));
    }
    if !list.scores.is_empty() {
        let bytes = list.scores.iter().flat_map(|score| score.to_le_bytes()).collect();
        let scores = Numbers { kind: NumberKind::F32, bytes };
        keys.push(("tokenizer.ggml.scores", Value::Numbers(scores)));
    }
    if let Ok(mask) = special(["[MASK]", "<mask>"]) {
        keys.push(("tokenizer.ggml.mask_token_id", mask));
    }
    Ok(keys)
}
