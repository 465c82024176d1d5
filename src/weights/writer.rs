//! Laying out a GGUF file, version 3, little-endian, tensors at multiples of 32 bytes.
//!
//! The same keys and tensors give the same bytes.

use crate::weights::blocks::BlockType;
use crate::weights::error::Error;
use crate::weights::gguf::DEFAULT_ALIGNMENT;
use crate::weights::gguf::MAGIC;
use crate::weights::metadata::Value;

/// A tensor to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorPlan {
    pub name: String,
    /// Innermost first: `[columns, rows]`, or one length.
    pub dimensions: Vec<u64>,
    pub block: BlockType,
}

impl TensorPlan {
    /// Bytes of its numbers.
    ///
    /// # Errors
    /// [`Error::BlockLength`] for rows that are no whole blocks.
    pub fn size_bytes(&self) -> Result<u64, Error> {
        let values = self.dimensions.iter().try_fold(1_u64, |all, length| all.checked_mul(*length));
        let values = values.unwrap_or(u64::MAX);
        self.block.bytes_for(values).ok_or_else(|| Error::BlockLength {
            block: self.block.name(),
            given: values as usize,
            bytes: 0,
        })
    }
}

/// What stands before the tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Up to the first tensor, padding included.
    pub bytes: Vec<u8>,
    /// Where each tensor begins, from the first one's begin.
    pub offsets: Vec<u64>,
    /// Of all tensors, padding included.
    pub data_bytes: u64,
}

/// The header of a file with these keys and tensors.
///
/// # Errors
/// [`Error::BlockLength`] for rows that are no whole blocks, [`Error::Memory`] for a size that no
/// machine has.
pub fn header(keys: &[(String, Value)], plans: &[TensorPlan]) -> Result<Header, Error> {
    let mut bytes = Vec::new();
    bytes.extend(MAGIC);
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend((plans.len() as u64).to_le_bytes());
    bytes.extend((keys.len() as u64).to_le_bytes());
    for (key, value) in keys {
        push_text(&mut bytes, key);
        push_value(&mut bytes, value);
    }
    let (mut offset, mut offsets) = (0_u64, Vec::with_capacity(plans.len()));
    for plan in plans {
        push_text(&mut bytes, &plan.name);
        bytes.extend((plan.dimensions.len() as u32).to_le_bytes());
        bytes.extend(plan.dimensions.iter().flat_map(|length| length.to_le_bytes()));
        bytes.extend(plan.block.id().to_le_bytes());
        bytes.extend(u64::to_le_bytes(offset));
        offsets.push(offset);
        offset = plan
            .size_bytes()?
            .checked_next_multiple_of(DEFAULT_ALIGNMENT)
            .and_then(|size| size.checked_add(offset))
            .ok_or(Error::Memory { needed_bytes: u64::MAX })?;
    }
    pad(&mut bytes);
    Ok(Header { bytes, offsets, data_bytes: offset })
}

/// The whole file. `encode` appends the bytes of the tensor of that plan; it is called once for
/// each, in order, so that only one tensor needs to be at hand at a time.
///
/// # Errors
/// What `encode` reports, [`Error::BlockLength`] where it appends another number of bytes than the
/// plan says, and [`Error::Memory`] where there is no room for the file.
pub fn write(
    keys: &[(String, Value)],
    plans: &[TensorPlan],
    mut encode: impl FnMut(&TensorPlan, &mut Vec<u8>) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let Header { bytes: mut out, data_bytes, .. } = header(keys, plans)?;
    out.try_reserve_exact(usize::try_from(data_bytes).unwrap_or(usize::MAX))
        .map_err(|_| Error::Memory { needed_bytes: data_bytes })?;
    for plan in plans {
        let size = plan.size_bytes()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::gguf::Gguf;
    use crate::weights::metadata::NumberKind;
    use crate::weights::metadata::Numbers;

    fn every_value() -> Vec<(String, Value)> {
        let numbers = Numbers { kind: NumberKind::U16, bytes: vec![1, 2, 3, 4] };
        let values = [
            Value::U8(200),
            Value::I8(-3),
            Value::U16(60_000),
            Value::I16(-30_000),
            Value::U32(4_000_000_000),
            Value::I32(-2_000_000_000),
            Value::F32(0.1),
            Value::Bool(true),
            Value::Text("naïve ▁ text".to_owned()),
            Value::U64(u64::MAX),
            Value::I64(i64::MIN),
            Value::F64(1e300),
            Value::Texts(["a", "", "▁b"].iter().collect()),
            Value::Numbers(numbers),
        ];
        values.into_iter().enumerate().map(|(i, value)| (format!("key{i:02}"), value)).collect()
    }

    fn plan(name: &str, dimensions: &[u64], block: BlockType) -> TensorPlan {
        TensorPlan { name: name.to_owned(), dimensions: dimensions.to_vec(), block }
    }

    #[test]
    fn what_is_written_is_read() {
        let plans = [plan("b", &[3], BlockType::F32), plan("a", &[32, 2], BlockType::Q8_0)];
        let fill = |plan: &TensorPlan, out: &mut Vec<u8>| {
            let size = plan.size_bytes()? as usize;
            out.extend(std::iter::repeat_n(plan.name.as_bytes()[0], size));
            Ok(())
        };
        let bytes = write(&every_value(), &plans, fill).unwrap();
        assert_eq!(bytes, write(&every_value(), &plans, fill).unwrap());
        let read = Gguf::read("x", &bytes).unwrap();
        assert_eq!(read.version, 3);
        assert_eq!(read.keys.into_iter().collect::<Vec<_>>(), every_value());
        for plan in &plans {
            let entry = &read.tensors[&plan.name];
            assert_eq!(entry.range.start % 32, 0);
            assert_eq!(entry.block, Some(plan.block));
            assert_eq!(entry.dimensions, plan.dimensions);
            let content = &bytes[entry.range.clone()];
            assert_eq!(content.len() as u64, plan.size_bytes().unwrap());
            assert!(content.iter().all(|byte| *byte == plan.name.as_bytes()[0]));
        }
    }

    #[test]
    fn a_tensor_of_another_size_than_planned_is_refused() {
        let plans = [plan("w", &[4], BlockType::F32)];
        let short = write(&[], &plans, |_, out| {
            out.extend([0; 12]);
            Ok(())
        });
        assert_eq!(short, Err(Error::BlockLength { block: "f32", given: 16, bytes: 12 }));
        let part = write(&[], &[plan("w", &[33], BlockType::Q8_0)], |_, _| Ok(()));
        assert!(matches!(part, Err(Error::BlockLength { .. })));
        let huge = [0, 1, 2].map(|_| plan("w", &[1 << 31, 1 << 31], BlockType::F16));
        assert!(matches!(write(&[], &huge, |_, _| Ok(())), Err(Error::Memory { .. })));
    }
}
