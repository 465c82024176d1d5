//! A model with an adapter in it, tensor by tensor: only what the adapter touches is computed, as
//! `f32`, and only when it is asked for. The rest are views of the model's file.

use crate::weights::adapter::Change;
use crate::weights::adapter::Changes;
use crate::weights::adapter_file::AdapterMeta;
use crate::weights::bert::BertFile;
use crate::weights::bert::MLP_BIAS;
use crate::weights::bert::MLP_WEIGHT;
use crate::weights::bert::TensorView;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;

/// The most of an adapter that a model can have: half as much again as was trained.
pub const MAX_BLEND: f32 = 1.5;

static NOTHING: Changes = Changes::new();

/// A model with so much of an adapter: `W + blend (scale B A)`, `W + blend difference`. Tensors
/// that the adapter adds are there at any blend.
#[derive(Debug, Clone, Copy)]
pub struct Merged<'a> {
    file: &'a BertFile,
    changes: &'a Changes,
    blend: f32,
}

impl<'a> Merged<'a> {
    /// The model as it is.
    pub fn plain(file: &'a BertFile) -> Self {
        Self { file, changes: &NOTHING, blend: 0.0 }
    }

    /// The model with `blend` of the changes; `blend` is cut to 0 and [`MAX_BLEND`].
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for a change of a tensor that the model does not have or half an
    /// MLP, [`Error::TensorShape`] for one of another shape.
    pub fn new(file: &'a BertFile, changes: &'a Changes, blend: f32) -> Result<Self, Error> {
        for (name, change) in changes {
            check(file, name, change)?;
        }
        let added = [MLP_WEIGHT, MLP_BIAS].map(|name| changes.contains_key(name));
        if let (Some(name), false) = match added {
            [true, false] => (Some(MLP_BIAS), file.has_mlp()),
            [false, true] => (Some(MLP_WEIGHT), file.has_mlp()),
            _ => (None, false),
        } {
            return Err(Error::MissingTensor { name: name.to_owned() });
        }
        let blend = if blend.is_finite() { blend.clamp(0.0, MAX_BLEND) } else { 1.0 };
        Ok(Self { file, changes, blend })
    }

    /// The model without the adapter.
    pub fn file(&self) -> &'a BertFile {
        self.file
    }

    /// Whether any tensor whose name begins so differs from the model's own.
    pub fn touches(&self, prefix: &str) -> bool {
        let mut names = self.changes.range(prefix.to_owned()..).map(|(name, _)| name);
        self.blend != 0.0 && names.next().is_some_and(|name| name.starts_with(prefix))
    }

    /// Whether model or adapter brings the MLP over the first token.
    pub fn has_mlp(&self) -> bool {
        self.file.has_mlp() || self.changes.contains_key(MLP_WEIGHT)
    }

    /// A tensor by llama.cpp's name: `blk.0.attn_q.weight`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for a name that neither has, [`Error::NotFinite`] where the model's
    /// values are not finite, [`Error::Memory`] where there is no room.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'a>, Error> {
        self.tensor_as(name, |_| BlockType::F32)
    }

    /// As [`Merged::tensor`], to be run as fast as the model's own: what was computed from whole
    /// numbers (q8_0, q4_0) becomes q8_0 again.
    ///
    /// # Errors
    /// As [`Merged::tensor`].
    pub fn tensor_to_run(&self, name: &str) -> Result<Tensor<'a>, Error> {
        self.tensor_as(name, |own| match own {
            Some(own) if own.is_whole_numbers() => BlockType::Q8_0,
            _ => BlockType::F32,
        })
    }

    /// `block_of` chooses the format of what has to be computed, by the format of the model's own.
    fn tensor_as(
        &self,
        name: &str,
        block_of: impl Fn(Option<BlockType>) -> BlockType,
    ) -> Result<Tensor<'a>, Error> {
        let own = self.file.tensor(name);
        let Some((name, change)) = self.changes.get_key_value(name) else {
            return Ok(Tensor(Content::Stored(own?)));
        };
        let values = match change {
            Change::Added { values, .. } => values.clone(),
            _ if self.blend == 0.0 => return Ok(Tensor(Content::Stored(own?))),
            Change::LowRank { rank, inputs, a, b, scale, .. } => {
                let mut values = self.file.tensor(name)?.to_f32()?;
                add_low_rank(&mut values, a, b, *rank, *inputs, self.blend * scale);
                values
            }
            Change::Difference { difference, .. } => {
                let mut values = self.file.tensor(name)?.to_f32()?;
                add_scaled(&mut values, difference, self.blend);
                values
            }
        };
        let (rows, columns) = change.shape();
        let block = block_of(own.ok().map(|own| own.block));
        let mut bytes = Vec::new();
        block.encode(name, &values, &mut bytes)?;
        Ok(Tensor(Content::Made { name, rows, columns, block, bytes }))
    }
}

/// Checks that an adapter belongs to a model. One that does not say where it belongs passes: its
/// shapes are checked by [`Merged::new`].
///
/// # Errors
/// [`Error::AdapterBase`] names both.
pub fn check_base(meta: &AdapterMeta, file: &BertFile) -> Result<(), Error> {
    if meta.base_sha256.is_empty() || meta.base_sha256 == file.sha256 {
        return Ok(());
    }
    Err(Error::AdapterBase {
        name: meta.name.clone(),
        expected: meta.base_sha256.clone(),
        expected_name: meta.base_name.clone(),
        found: file.sha256.as_str().into(),
        found_name: file.config.name.as_str().into(),
    })
}

/// A tensor of the file, or one that was computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a>(Content<'a>);

#[derive(Debug, Clone, PartialEq)]
enum Content<'a> {
    Stored(TensorView<'a>),
    Made { name: &'a str, rows: usize, columns: usize, block: BlockType, bytes: Vec<u8> },
}

impl Tensor<'_> {
    /// Its bytes and shape.
    pub fn view(&self) -> TensorView<'_> {
        match &self.0 {
            Content::Stored(view) => *view,
            Content::Made { name, rows, columns, block, bytes } => TensorView {
                name,
                rows: *rows,
                columns: *columns,
                block: *block,
                bytes,
                owner: None,
            },
        }
    }
}

fn check(file: &BertFile, name: &str, change: &Change) -> Result<(), Error> {
    let hidden = file.config.hidden;
    let expected = match (change, name) {
        (Change::Added { .. }, MLP_WEIGHT) => (hidden, hidden),
        (Change::Added { .. }, MLP_BIAS) => (1, hidden),
        (Change::Added { .. }, _) => {
            let what = format!("the adapter adds the tensor {name}, which no BERT encoder has");
            return Err(Error::Damaged { what });
        }
        (Change::LowRank { .. } | Change::Difference { .. }, _) => {
            let view = file.tensor(name)?;
            (view.rows, view.columns)
        }
    };
    let found = change.shape();
    if found != expected || !change.is_whole() {
        let both = |(rows, columns): (usize, usize)| vec![rows as u64, columns as u64];
        let (expected, found) = (both(expected), both(found));
        return Err(Error::TensorShape { name: name.to_owned(), expected, found });
    }
    Ok(())
}

fn add_scaled(values: &mut [f32], others: &[f32], factor: f32) {
    for (value, other) in values.iter_mut().zip(others) {
        *value += factor * other;
    }
}

/// `values + factor B A`: `[outputs, inputs]`, `a` is `[rank, inputs]`, `b` is `[outputs, rank]`.
/// Four rows of A at a time: a row of the sum is then read and written a fourth as often.
fn add_low_rank(values: &mut [f32], a: &[f32], b: &[f32], rank: usize, inputs: usize, factor: f32) {
    let (rank, inputs) = (rank.max(1), inputs.max(1));
    for (row, weights) in values.chunks_exact_mut(inputs).zip(b.chunks_exact(rank)) {
        let fours = a.chunks(4 * inputs).zip(weights.chunks(4));
        for (block, weights) in fours {
            if let [first, second, third, fourth] = *weights {
                let weights = [first, second, third, fourth].map(|weight| weight * factor);
                add_four(row, block, weights);
                continue;
            }
            for (other, weight) in block.chunks_exact(inputs).zip(weights) {
                add_scaled(row, other, factor * weight);
            }
        }
    }
}

/// `row + weights others`, `others` being four rows.
fn add_four(row: &mut [f32], others: &[f32], weights: [f32; 4]) {
    let (first, rest) = others.split_at(row.len());
    let (second, rest) = rest.split_at(row.len());
    let (third, fourth) = rest.split_at(row.len());
    let others = first.iter().zip(second).zip(third.iter().zip(fourth));
    for (value, ((first, second), (third, fourth))) in row.iter_mut().zip(others) {
        let low = weights[0] * first + weights[1] * second;
        *value += low + (weights[2] * third + weights[3] * fourth);
    }
}
