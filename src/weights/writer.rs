//! Laying out a GGUF file, version 3, little-endian, tensors at multiples of 32 bytes.
//!
//! The same keys and tensors give the same bytes.

use crate::weights::blocks::BlockType;
use crate::weights::error::Error;
use crate::weights::gguf::DEFAULT_ALIGNMENT;
use crate::weights::gguf::MAGIC;
use crate::weights::gguf::Value;

/// A tensor to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorPlan {
    pub name: String,
    /// Innermost first: `[columns, rows]`, or one length.
    pub dimensions: Vec<u64>,
    pub block: BlockType,
}

impl TensorPlan {
    fn size_bytes(&self) -> Result<u64, Error> {
        let values = self.dimensions.iter().product::<u64>();
        self.block.bytes_for(values).ok_or_else(|| Error::BlockLength {
            block: self.block.name(),
            given: values as usize,
            bytes: 0,
        })
    }
}

/// The whole file. `encode` appends the bytes of the tensor of that plan; it is called once for
/// each, in order, so that only one tensor needs to be at hand at a time.
///
/// # Errors
/// What `encode` reports, and [`Error::BlockLength`] where it appends another number of bytes than
/// the plan says.
pub fn write(
    keys: &[(String, Value)],
    plans: &[TensorPlan],
    mut encode: impl FnMut(&TensorPlan, &mut Vec<u8>) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let sizes = plans.iter().map(TensorPlan::size_bytes).collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::new();
    out.extend(MAGIC);
    out.extend(3_u32.to_le_bytes());
    out.extend((plans.len() as u64).to_le_bytes());
    out.extend((keys.len() as u64).to_le_bytes());
    for (key, value) in keys {
        push_text(&mut out, key);
        push_value(&mut out, value);
    }
    let mut offset = 0;
    for (plan, size) in plans.iter().zip(&sizes) {
        push_text(&mut out, &plan.name);
        out.extend((plan.dimensions.len() as u32).to_le_bytes());
        out.extend(plan.dimensions.iter().flat_map(|length| length.to_le_bytes()));
        out.extend(plan.block.id().to_le_bytes());
        out.extend(u64::to_le_bytes(offset));
        offset += size.next_multiple_of(DEFAULT_ALIGNMENT);
    }
    pad(&mut out);
    out.reserve_exact(offset as usize);
    for (plan, size) in plans.iter().zip(sizes) {
        let start = out.len();
        encode(plan, &mut out)?;
        let bytes = out.len() - start;
        if bytes as u64 != size {
            let block = plan.block.name();
            return Err(Error::BlockLength { block, given: size as usize, bytes });
        }
        pad(&mut out);
    }
    Ok(out)
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(DEFAULT_ALIGNMENT as usize), 0);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn push_value(out: &mut Vec<u8>, value: &Value) {
    let mut put = |kind: u32, bytes: &[u8]| {
        out.extend(kind.to_le_bytes());
        out.extend(bytes);
    };
    match value {
        Value::U8(value) => put(0, &value.to_le_bytes()),
        Value::I8(value) => put(1, &value.to_le_bytes()),
        Value::U16(value) => put(2, &value.to_le_bytes()),
        Value::I16(value) => put(3, &value.to_le_bytes()),
        Value::U32(value) => put(4, &value.to_le_bytes()),
        Value::I32(value) => put(5, &value.to_le_bytes()),
        Value::F32(value) => put(6, &value.to_le_bytes()),
        Value::Bool(value) => put(7, &[u8::from(*value)]),
        Value::U64(value) => put(10, &value.to_le_bytes()),
        Value::I64(value) => put(11, &value.to_le_bytes()),
        Value::F64(value) => put(12, &value.to_le_bytes()),
        Value::Text(text) => {
            put(8, &[]);
            push_text(out, text);
        }
        Value::Texts(texts) => {
            put(9, &8_u32.to_le_bytes());
            out.extend((texts.len() as u64).to_le_bytes());
            for text in texts.iter() {
                push_text(out, text);
            }
        }
        Value::Numbers(numbers) => {
            put(9, &numbers.kind.id().to_le_bytes());
            out.extend((numbers.len() as u64).to_le_bytes());
            out.extend(&numbers.bytes);
        }
    }
}
