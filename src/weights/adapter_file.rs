//! Adapter files: what a fine-tune changes, as GGUF.
//!
//! Low-rank changes are in llama.cpp's layout (ggml-org/llama.cpp, `convert_lora_to_gguf.py`,
//! `src/llama-adapter.cpp`): `general.type = "adapter"`, `adapter.type = "lora"`, for the tensor
//! NAME two tensors `NAME.lora_a` `[rank, inputs]` and `NAME.lora_b` `[outputs, rank]`, and one
//! `adapter.lora.alpha` for all: `W + alpha / rank B A`. A file with nothing else can be loaded by
//! llama.cpp. Files that hold more have `adapter.type = "simcse"` and besides
//!
//! - `NAME.difference`, `[rows, columns]` as the tensor: `W + factor D`, the factor of all being
//!   `simcse.difference.factor`, so that small differences keep their digits in small formats;
//! - `NAME.added`: a tensor that the model lacks (`cls.weight`, `cls.bias`).
//!
//! Our own keys say where it comes from: `simcse.base.sha256`, `simcse.base.name`,
//! `simcse.recipe` (TOML), `simcse.seed`, `simcse.pooling`, `simcse.best_pooling`,
//! `simcse.metrics.names`, `simcse.metrics.values`, `simcse.curve` (JSON).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::protocol::readout::Pooling;
use crate::protocol::training::AdapterSummary;
use crate::weights::adapter::Change;
use crate::weights::adapter::Changes;
use crate::weights::bert::ARCHITECTURE;
use crate::weights::bert::TensorView;
use crate::weights::bert::sha256;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;
use crate::weights::gguf::Gguf;
use crate::weights::gguf::TensorEntry;
use crate::weights::metadata::Texts;
use crate::weights::metadata::Value;
use crate::weights::writer;
use crate::weights::writer::TensorPlan;

/// What `general.type` says of an adapter.
pub const GENERAL_TYPE: &str = "adapter";
/// Lower-case hexadecimal SHA-256 of the file of the model that the adapter belongs to.
pub const BASE_SHA256_KEY: &str = "simcse.base.sha256";

const BASE_NAME_KEY: &str = "simcse.base.name";
const RECIPE_KEY: &str = "simcse.recipe";
const SEED_KEY: &str = "simcse.seed";
const POOLING_KEY: &str = "simcse.pooling";
const BEST_POOLING_KEY: &str = "simcse.best_pooling";
const METRIC_NAMES_KEY: &str = "simcse.metrics.names";
const METRIC_VALUES_KEY: &str = "simcse.metrics.values";
const CURVE_KEY: &str = "simcse.curve";
const FACTOR_KEY: &str = "simcse.difference.factor";
const ALPHA_KEY: &str = "adapter.lora.alpha";

const LORA_A: &str = ".lora_a";
const LORA_B: &str = ".lora_b";
const DIFFERENCE: &str = ".difference";
const ADDED: &str = ".added";

/// Beyond this a number of the header is damaged.
const MAX_FACTOR: f64 = 1e6;

/// Where an adapter comes from and what was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AdapterMeta {
    pub name: String,
    /// Of the model it belongs to.
    pub base_name: String,
    /// Lower-case hexadecimal. Empty where the file does not say: then only shapes are checked.
    pub base_sha256: String,
    /// TOML.
    pub recipe: String,
    pub seed: u64,
    /// The readout it was trained for.
    pub pooling: Option<Pooling>,
    /// The readout that scores best with it, where that was measured.
    pub best_pooling: Option<Pooling>,
    /// Name and value of what was measured, for the reader.
    pub metrics: Vec<(String, String)>,
    /// What was measured while training went on, as JSON; may be empty.
    pub curve: String,
    /// SPDX name.
    pub licence: Option<String>,
}

/// An adapter that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFile {
    pub meta: AdapterMeta,
    pub changes: Changes,
    /// Lower-case hexadecimal, of the whole file.
    pub sha256: String,
    pub size_bytes: u64,
}

impl AdapterFile {
    /// Reads and checks a file. `name` is the file's, for messages and where it gives none itself.
    ///
    /// # Errors
    /// [`Error::NotAdapter`] for another kind of GGUF file, else any [`Error`] of reading.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let header = adapter_header(name, bytes)?;
        let meta = read_meta(&header, name)?;
        let changes = read_changes(&header, bytes)?;
        Ok(Self { meta, changes, sha256: sha256(bytes), size_bytes: bytes.len() as u64 })
    }

    /// What the page is told of it.
    pub fn summary(&self) -> AdapterSummary {
        let parameters = self.changes.values().map(Change::parameters).sum();
        summary(self.meta.clone(), self.sha256.clone(), self.size_bytes, parameters)
    }
}

/// What the page is told of an adapter, from its header alone: its numbers are not looked at.
/// `known_sha256` spares hashing.
///
/// # Errors
/// As [`AdapterFile::read`].
pub fn read_summary(
    name: &str,
    bytes: &[u8],
    known_sha256: Option<String>,
) -> Result<AdapterSummary, Error> {
    let header = adapter_header(name, bytes)?;
    let meta = read_meta(&header, name)?;
    let sizes = header.tensors.values().map(|entry| entry.dimensions.iter().product::<u64>());
    let sha256 = known_sha256.unwrap_or_else(|| sha256(bytes));
    Ok(summary(meta, sha256, bytes.len() as u64, sizes.sum()))
}

fn summary(meta: AdapterMeta, sha256: String, size_bytes: u64, parameters: u64) -> AdapterSummary {
    AdapterSummary {
        name: meta.name,
        sha256,
        size_bytes,
        base_sha256: meta.base_sha256,
        base_name: meta.base_name,
        recipe: meta.recipe,
        seed: meta.seed,
        pooling: meta.pooling,
        best_pooling: meta.best_pooling,
        metrics: meta.metrics,
        parameters,
        licence: meta.licence,
        model: None,
    }
}

/// A whole adapter file. Low-rank factors and added matrices become `f16`, differences of matrices
/// `q8_0` where their rows are whole blocks (else `f16`), vectors `f32`. The same input gives the
/// same bytes.
///
/// # Errors
/// [`Error::NotFinite`] where a number is none or does not fit its format, [`Error::BlockLength`]
/// where a change has not as many numbers as its shape says, [`Error::Damaged`] for a low-rank
/// change of the token table, which llama.cpp's layout has no place for.
pub fn write(changes: &Changes, meta: &AdapterMeta) -> Result<Vec<u8>, Error> {
    let (alpha, factor) = (shared_alpha(changes), shared_factor(changes));
    let mut parts = Vec::new();
    for (name, change) in changes {
        check_low_rank_name(name, change)?;
        parts.extend(split(name, change, alpha, factor));
    }
    let plans: Vec<_> = parts.iter().map(|part| part.plan.clone()).collect();
    let mut values = parts.iter().map(|part| &part.values);
    writer::write(&keys(changes, meta, alpha, factor), &plans, |plan, out| {
        let values = values.next().map_or(&[][..], |values| values);
        plan.block.encode(&plan.name, values, out)
    })
}

/// A tensor of the file.
struct Part<'a> {
    plan: TensorPlan,
    values: Cow<'a, [f32]>,
}

impl<'a> Part<'a> {
    fn new(name: String, rows: usize, columns: usize, values: Cow<'a, [f32]>) -> Self {
        let dimensions =
            if rows == 1 { vec![columns as u64] } else { vec![columns as u64, rows as u64] };
        let block = if rows == 1 { BlockType::F32 } else { BlockType::F16 };
        Self { plan: TensorPlan { name, dimensions, block }, values }
    }

    /// Two dimensions and `f16`, however few the rows are: llama.cpp looks at both.
    fn factor(name: String, rows: usize, columns: usize, values: Cow<'a, [f32]>) -> Self {
        let dimensions = vec![columns as u64, rows as u64];
        Self { plan: TensorPlan { name, dimensions, block: BlockType::F16 }, values }
    }
}

fn split<'a>(name: &str, change: &'a Change, alpha: f32, factor: f32) -> Vec<Part<'a>> {
    match change {
        Change::LowRank { rank, inputs, outputs, a, b, scale } => {
            // All low-rank changes of a file share alpha; what is left of the scale goes into B.
            let rest = scale * *rank as f32 / alpha;
            let b = scaled(b, rest);
            vec![
                Part::factor(format!("{name}{LORA_A}"), *rank, *inputs, Cow::Borrowed(a)),
                Part::factor(format!("{name}{LORA_B}"), *outputs, *rank, b),
            ]
        }
        Change::Difference { rows, columns, difference } => {
            let values = scaled(difference, 1.0 / factor);
            let mut part = Part::new(format!("{name}{DIFFERENCE}"), *rows, *columns, values);
            if *rows > 1 && columns.is_multiple_of(BlockType::Q8_0.block_values()) {
                part.plan.block = BlockType::Q8_0;
            }
            vec![part]
        }
        Change::Added { rows, columns, values } => {
            vec![Part::new(format!("{name}{ADDED}"), *rows, *columns, Cow::Borrowed(values))]
        }
    }
}

fn scaled(values: &[f32], by: f32) -> Cow<'_, [f32]> {
    if by == 1.0 {
        Cow::Borrowed(values)
    } else {
        Cow::Owned(values.iter().map(|value| value * by).collect())
    }
}

/// That of the first low-rank change.
fn shared_alpha(changes: &Changes) -> f32 {
    let alphas = changes.values().filter_map(|change| match change {
        Change::LowRank { rank, scale, .. } => Some(scale * *rank as f32),
        Change::Difference { .. } | Change::Added { .. } => None,
    });
    alphas.into_iter().find(|alpha| alpha.is_normal()).unwrap_or(1.0)
}

/// A power of two near the largest difference: a block's scale is an `f16`, which holds nothing
/// below 6e-8, and a short fine-tune moves a weight by less than a hundredth of its size.
fn shared_factor(changes: &Changes) -> f32 {
    let differences = changes.values().filter_map(|change| match change {
        Change::Difference { difference, .. } => Some(difference),
        Change::LowRank { .. } | Change::Added { .. } => None,
    });
    let largest = differences.flatten().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let exponent = if largest.is_normal() { largest.log2().ceil() } else { 0.0 };
    exponent.clamp(-64.0, 16.0).exp2()
}

fn check_low_rank_name(name: &str, change: &Change) -> Result<(), Error> {
    if name == "token_embd.weight" && matches!(change, Change::LowRank { .. }) {
        let what = format!("{name} has a low-rank change, which only linear layers can have");
        return Err(Error::Damaged { what });
    }
    Ok(())
}

fn keys(changes: &Changes, meta: &AdapterMeta, alpha: f32, factor: f32) -> Vec<(String, Value)> {
    let text = |value: &str| Value::Text(value.to_owned());
    let is_low_rank = |change: &Change| matches!(change, Change::LowRank { .. });
    let kind = if changes.values().all(is_low_rank) { "lora" } else { "simcse" };
    let (names, values): (Vec<_>, Vec<_>) = meta.metrics.iter().cloned().unzip();
    let mut keys = vec![
        ("general.architecture", text(ARCHITECTURE)),
        ("general.type", text(GENERAL_TYPE)),
        ("general.name", text(&meta.name)),
    ];
    keys.extend(meta.licence.as_deref().map(|licence| ("general.license", text(licence))));
    keys.extend([
        ("general.base_model.count", Value::U32(1)),
        ("general.base_model.0.name", text(&meta.base_name)),
        ("adapter.type", text(kind)),
        (ALPHA_KEY, Value::F32(alpha)),
        (FACTOR_KEY, Value::F32(factor)),
        (BASE_NAME_KEY, text(&meta.base_name)),
        (BASE_SHA256_KEY, text(&meta.base_sha256)),
        (RECIPE_KEY, text(&meta.recipe)),
        (SEED_KEY, Value::U64(meta.seed)),
    ]);
    keys.extend(meta.pooling.map(|pooling| (POOLING_KEY, text(pooling.name()))));
    keys.extend(meta.best_pooling.map(|pooling| (BEST_POOLING_KEY, text(pooling.name()))));
    keys.extend([
        (METRIC_NAMES_KEY, Value::Texts(names.into_iter().collect())),
        (METRIC_VALUES_KEY, Value::Texts(values.into_iter().collect())),
        (CURVE_KEY, text(&meta.curve)),
    ]);
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn adapter_header(name: &str, bytes: &[u8]) -> Result<Gguf, Error> {
    let header = Gguf::read(name, bytes)?;
    if header.text("general.type")? != Some(GENERAL_TYPE) {
        return Err(Error::NotAdapter { name: name.to_owned() });
    }
    match header.text("general.architecture")? {
        Some(ARCHITECTURE) => {}
        Some(other) => return Err(Error::Architecture { found: other.to_owned() }),
        None => return Err(Error::MissingKey { key: "general.architecture".to_owned() }),
    }
    match header.text("adapter.type")? {
        Some("lora" | "simcse") => Ok(header),
        Some(other) => Err(Error::Damaged { what: format!("adapter.type is {other:?}") }),
        None => Err(Error::MissingKey { key: "adapter.type".to_owned() }),
    }
}

fn read_meta(header: &Gguf, file_name: &str) -> Result<AdapterMeta, Error> {
    let text = |key: &str| -> Result<String, Error> {
        Ok(header.text(key)?.unwrap_or_default().to_owned())
    };
    let pooling = |key: &str| -> Result<Option<Pooling>, Error> {
        Ok(header.text(key)?.and_then(Pooling::from_name))
    };
    let name = header.text("general.name")?.filter(|name| !name.trim().is_empty());
    let base_name = match header.text(BASE_NAME_KEY)? {
        Some(name) => name.to_owned(),
        None => text("general.base_model.0.name")?,
    };
    let texts = |key: &str| header.texts(key).map(|texts| texts.into_iter().flat_map(Texts::iter));
    let names = texts(METRIC_NAMES_KEY)?;
    let metrics = names.zip(texts(METRIC_VALUES_KEY)?);
    Ok(AdapterMeta {
        name: name.unwrap_or(file_name).to_owned(),
        base_name,
        base_sha256: text(BASE_SHA256_KEY)?.to_lowercase(),
        recipe: text(RECIPE_KEY)?,
        seed: header.natural(SEED_KEY)?.unwrap_or_default(),
        pooling: pooling(POOLING_KEY)?,
        best_pooling: pooling(BEST_POOLING_KEY)?,
        metrics: metrics.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        curve: text(CURVE_KEY)?,
        licence: header.text("general.license")?.map(str::to_owned),
    })
}

/// A number of the header that numbers are multiplied with.
fn factor(header: &Gguf, key: &str) -> Result<Option<f32>, Error> {
    match header.real(key)? {
        None => Ok(None),
        Some(found) if found.abs() <= MAX_FACTOR => Ok(Some(found as f32)),
        Some(found) => Err(Error::Damaged { what: format!("{key} is {found}") }),
    }
}

fn read_changes(header: &Gguf, bytes: &[u8]) -> Result<Changes, Error> {
    let source = Source { tensors: &header.tensors, bytes };
    // llama.cpp takes an alpha of 0 for a scale of 1.
    let alpha = factor(header, ALPHA_KEY)?.filter(|alpha| *alpha != 0.0);
    let factor = factor(header, FACTOR_KEY)?.unwrap_or(1.0);
    let mut changes = Changes::new();
    for name in header.tensors.keys() {
        let (target, change) = if let Some(target) = name.strip_suffix(LORA_A) {
            (target, source.low_rank(target, alpha)?)
        } else if let Some(target) = name.strip_suffix(DIFFERENCE) {
            (target, source.difference(name, factor)?)
        } else if let Some(target) = name.strip_suffix(ADDED) {
            let (rows, columns, values) = source.values(name)?;
            (target, Change::Added { rows, columns, values })
        } else if let Some(target) = name.strip_suffix(LORA_B) {
            source.entry(&format!("{target}{LORA_A}"))?;
            continue;
        } else {
            let what = format!("the tensor {name} is no part of an adapter");
            return Err(Error::Damaged { what });
        };
        check_low_rank_name(target, &change)?;
        match changes.entry(target.to_owned()) {
            Entry::Vacant(place) => place.insert(change),
            Entry::Occupied(_) => {
                let what = format!("the adapter changes {target} in two ways");
                return Err(Error::Damaged { what });
            }
        };
    }
    if changes.is_empty() {
        return Err(Error::Damaged { what: "the adapter changes nothing".to_owned() });
    }
    Ok(changes)
}

struct Source<'a> {
    tensors: &'a BTreeMap<String, TensorEntry>,
    bytes: &'a [u8],
}

impl<'a> Source<'a> {
    fn entry(&self, name: &str) -> Result<(&'a str, &'a TensorEntry), Error> {
        let found = self.tensors.get_key_value(name);
        let missing = || Error::MissingTensor { name: name.to_owned() };
        found.map(|(name, entry)| (name.as_str(), entry)).ok_or_else(missing)
    }

    /// Rows, columns and values of a tensor of one or two dimensions, none of them 0.
    fn values(&self, name: &str) -> Result<(usize, usize, Vec<f32>), Error> {
        let (name, entry) = self.entry(name)?;
        let (rows, columns) = match *entry.dimensions {
            [columns, rows] if columns > 0 && rows > 0 => (rows as usize, columns as usize),
            [columns] if columns > 0 => (1, columns as usize),
            _ => {
                let what = format!("the tensor {name} has the shape {:?}", entry.dimensions);
                return Err(Error::Damaged { what });
            }
        };
        let unknown = || Error::TensorType { name: name.to_owned(), found: entry.type_name() };
        let block = entry.block.ok_or_else(unknown)?;
        let missing = || Error::MissingTensor { name: name.to_owned() };
        let bytes = self.bytes.get(entry.range.clone()).ok_or_else(missing)?;
        let view = TensorView { name, rows, columns, block, bytes, owner: None };
        Ok((rows, columns, view.to_f32()?))
    }

    fn low_rank(&self, target: &str, alpha: Option<f32>) -> Result<Change, Error> {
        let name = format!("{target}{LORA_B}");
        let (rank, inputs, a) = self.values(&format!("{target}{LORA_A}"))?;
        let (outputs, columns, b) = self.values(&name)?;
        if columns != rank {
            let expected = vec![outputs as u64, rank as u64];
            let found = vec![outputs as u64, columns as u64];
            return Err(Error::TensorShape { name, expected, found });
        }
        let scale = alpha.map_or(1.0, |alpha| alpha / rank as f32);
        Ok(Change::LowRank { rank, inputs, outputs, a, b, scale })
    }

    fn difference(&self, name: &str, factor: f32) -> Result<Change, Error> {
        let (rows, columns, mut difference) = self.values(name)?;
        difference.iter_mut().for_each(|value| *value *= factor);
        Ok(Change::Difference { rows, columns, difference })
    }
}
