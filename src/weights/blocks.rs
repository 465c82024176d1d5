//! Number formats of weight matrices: rows of blocks, to `f32` and back.
//!
//! Layouts and rounding follow ggml's reference quantisers (ggml-org/llama.cpp,
//! `ggml/src/ggml-quants.c`: `dequantize_row_*`, `quantize_row_q8_0_ref`, `quantize_row_q4_0_ref`);
//! the tests hold them to the bytes that gguf-py's `gguf.quants` gives.

use half::bf16;
use half::f16;

use crate::weights::error::Error;

/// A number format. A row is a whole number of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockType {
    F32,
    F16,
    Bf16,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
}

/// Number, name, values in a block, bytes of a block: `ggml.h` `enum ggml_type`,
/// `ggml-common.h` `block_*`.
const TABLE: [(BlockType, u32, &str, usize, usize); 13] = [
    (BlockType::F32, 0, "f32", 1, 4),
    (BlockType::F16, 1, "f16", 1, 2),
    (BlockType::Bf16, 30, "bf16", 1, 2),
    (BlockType::Q8_0, 8, "q8_0", 32, 34),
    (BlockType::Q4_0, 2, "q4_0", 32, 18),
    (BlockType::Q4_1, 3, "q4_1", 32, 20),
    (BlockType::Q5_0, 6, "q5_0", 32, 22),
    (BlockType::Q5_1, 7, "q5_1", 32, 24),
    (BlockType::Q2K, 10, "q2_k", 256, 84),
    (BlockType::Q3K, 11, "q3_k", 256, 110),
    (BlockType::Q4K, 12, "q4_k", 256, 144),
    (BlockType::Q5K, 13, "q5_k", 256, 176),
    (BlockType::Q6K, 14, "q6_k", 256, 210),
];

/// Names of ggml's types by number, for messages about those that are not supported.
const GGML_NAMES: [&str; 40] = [
    "f32",
    "f16",
    "q4_0",
    "q4_1",
    "q4_2",
    "q4_3",
    "q5_0",
    "q5_1",
    "q8_0",
    "q8_1",
    "q2_k",
    "q3_k",
    "q4_k",
    "q5_k",
    "q6_k",
    "q8_k",
    "iq2_xxs",
    "iq2_xs",
    "iq3_xxs",
    "iq1_s",
    "iq4_nl",
    "iq3_s",
    "iq2_s",
    "iq4_xs",
    "i8",
    "i16",
    "i32",
    "i64",
    "f64",
    "iq1_m",
    "bf16",
    "q4_0_4_4",
    "q4_0_4_8",
    "q4_0_8_8",
    "tq1_0",
    "tq2_0",
    "iq4_nl_4_4",
    "iq4_nl_4_8",
    "iq4_nl_8_8",
    "mxfp4",
];

/// What ggml calls the type of that number.
pub fn ggml_type_name(id: u32) -> String {
    let name = usize::try_from(id).ok().and_then(|id| GGML_NAMES.get(id));
    name.map_or_else(|| format!("number {id}"), |name| (*name).to_owned())
}

impl BlockType {
    /// The types that [`BlockType::encode`] writes.
    pub const WRITABLE: [Self; 5] = [Self::F32, Self::F16, Self::Bf16, Self::Q8_0, Self::Q4_0];

    fn entry(self) -> (BlockType, u32, &'static str, usize, usize) {
        // The table is in the order of the variants; a test holds it there.
        TABLE[self as usize]
    }

    /// The type of ggml's number.
    pub fn from_id(id: u32) -> Option<Self> {
        TABLE.iter().find(|entry| entry.1 == id).map(|entry| entry.0)
    }

    /// The type of that [`BlockType::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.2 == name).map(|entry| entry.0)
    }

    /// ggml's number.
    pub fn id(self) -> u32 {
        self.entry().1
    }

    /// Name in lower case: `q8_0`.
    pub fn name(self) -> &'static str {
        self.entry().2
    }

    /// Values in one block.
    pub fn block_values(self) -> usize {
        self.entry().3
    }

    /// Bytes of one block.
    pub fn block_bytes(self) -> usize {
        self.entry().4
    }

    /// Bytes of that many values, if they are whole blocks and the product fits.
    pub fn bytes_for(self, values: u64) -> Option<u64> {
        let block_values = self.block_values() as u64;
        values
            .is_multiple_of(block_values)
            .then(|| (values / block_values).checked_mul(self.block_bytes() as u64))
            .flatten()
    }

    /// Reads whole blocks into `out`.
    ///
    /// # Errors
    /// [`Error::BlockLength`] where `bytes` and `out` do not hold the same whole blocks.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) -> Result<(), Error> {
        self.check_length(out.len(), bytes.len())?;
        match self {
            Self::F32 => each(bytes, out, |block, values| *values = [f32::from_le_bytes(*block)]),
            Self::F16 => {
                each(bytes, out, |block, values| *values = [f16::from_le_bytes(*block).to_f32()])
            }
            Self::Bf16 => each(bytes, out, |block, values| {
                *values = [bf16::from_le_bytes(*block).to_f32()];
            }),
            Self::Q8_0 => each(bytes, out, decode_q8_0),
            Self::Q4_0 => each(bytes, out, decode_q4_0),
            Self::Q4_1 => each(bytes, out, decode_q4_1),
            Self::Q5_0 => each(bytes, out, decode_q5_0),
            Self::Q5_1 => each(bytes, out, decode_q5_1),
            Self::Q2K => each(bytes, out, decode_q2_k),
            Self::Q3K => each(bytes, out, decode_q3_k),
            Self::Q4K => each(bytes, out, decode_q4_k),
            Self::Q5K => each(bytes, out, decode_q5_k),
            Self::Q6K => each(bytes, out, decode_q6_k),
        }
        Ok(())
    }

    /// Appends `values` as whole blocks. `name` is the tensor's, for messages.
    ///
    /// # Errors
    /// [`Error::TensorType`] for a type that is only read, [`Error::BlockLength`] for a part of a
    /// block, [`Error::NotFinite`] where a value is not finite or does not fit the format.
    pub fn encode(self, name: &str, values: &[f32], out: &mut Vec<u8>) -> Result<(), Error> {
        let bytes = self.bytes_for(values.len() as u64).unwrap_or(0) as usize;
        self.check_length(values.len(), bytes)?;
        let not_finite = || Error::NotFinite { name: name.to_owned() };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(not_finite());
        }
        out.reserve(bytes);
        match self {
            Self::F32 => {
                let start = out.len();
                out.resize(start + bytes, 0);
                let places = out.split_at_mut(start).1.as_chunks_mut().0;
                places
                    .iter_mut()
                    .zip(values)
                    .for_each(|(place, value)| *place = value.to_le_bytes());
            }
            Self::F16 => {
                for value in values.iter().map(|value| f16::from_f32(*value)) {
                    if !value.is_finite() {
                        return Err(not_finite());
                    }
                    out.extend(value.to_le_bytes());
                }
            }
            Self::Bf16 => {
                for value in values.iter().map(|value| bf16::from_f32(*value)) {
                    if !value.is_finite() {
                        return Err(not_finite());
                    }
                    out.extend(value.to_le_bytes());
                }
            }
            Self::Q8_0 => {
                for block in values.as_chunks::<32>().0 {
                    out.extend(encode_q8_0(block).ok_or_else(not_finite)?);
                }
            }
            Self::Q4_0 => {
                for block in values.as_chunks::<32>().0 {
                    out.extend(encode_q4_0(block).ok_or_else(not_finite)?);
                }
            }
            _ => {
                return Err(Error::TensorType {
                    name: name.to_owned(),
                    found: self.name().to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether every value is a whole number from -128 to 127 times its block's scale, in blocks of
    /// 32: see [`BlockType::whole_numbers`].
    pub fn is_whole_numbers(self) -> bool {
        matches!(self, Self::Q8_0 | Self::Q4_0)
    }

    /// Whether all values are finite, where one sees that by the scales alone; `None` where one has
    /// to decode them.
    pub fn scales_are_finite(self, bytes: &[u8]) -> Option<bool> {
        if !self.is_whole_numbers() {
            return None;
        }
        // A half is not finite where all bits of its exponent are set; the high byte has them.
        let scales = bytes.chunks_exact(self.block_bytes()).filter_map(|block| block.get(1));
        Some(scales.fold(true, |finite, high| finite & (high & 0x7c != 0x7c)))
    }

    /// Hands the blocks of 32 values out as they stand in the file, scale and whole numbers, one
    /// after another. Nothing where [`BlockType::is_whole_numbers`] says no.
    pub fn whole_numbers(self, bytes: &[u8], mut take: impl FnMut(f32, &[i8; 32])) {
        match self {
            Self::Q8_0 => {
                for block in bytes.as_chunks::<34>().0 {
                    let codes = std::array::from_fn(|i| block[2 + i].cast_signed());
                    take(half_at(block, 0), &codes);
                }
            }
            Self::Q4_0 => {
                for block in bytes.as_chunks::<18>().0 {
                    let nibble = |i: usize| (block[2 + i % 16] >> (i / 16 * 4)) & 15;
                    take(half_at(block, 0), &std::array::from_fn(|i| nibble(i).cast_signed() - 8));
                }
            }
            _ => {}
        }
    }

    fn check_length(self, values: usize, bytes: usize) -> Result<(), Error> {
        if self.bytes_for(values as u64) == Some(bytes as u64) {
            Ok(())
        } else {
            Err(Error::BlockLength { block: self.name(), given: values, bytes })
        }
    }
}

/// Runs `decode` on every block; the lengths were checked.
fn each<const BYTES: usize, const VALUES: usize>(
    bytes: &[u8],
    out: &mut [f32],
    decode: impl Fn(&[u8; BYTES], &mut [f32; VALUES]),
) {
    let blocks = bytes.as_chunks::<BYTES>().0;
    for (block, values) in blocks.iter().zip(out.as_chunks_mut::<VALUES>().0) {
        decode(block, values);
    }
}

fn half_at<const BYTES: usize>(block: &[u8; BYTES], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// `d: f16, q: [i8; 32]`; value = d q.
fn decode_q8_0(block: &[u8; 34], values: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (value, code) in values.iter_mut().zip(&block[2..]) {
        *value = scale * f32::from(*code as i8);
    }
}

/// Four-bit code of value `i`: low nibbles hold the first half of the block.
fn nibble(codes: &[u8], i: usize) -> u8 {
    if i < 16 { codes[i] & 15 } else { codes[i - 16] >> 4 }
}

/// Fifth bit of value `i`, at its place: bit `i` of a little-endian word.
fn fifth_bit(word: &[u8], i: usize) -> u8 {
    (word[i / 8] >> (i % 8) & 1) << 4
}

/// `d: f16, q: [u4; 32]`; value = d (q - 8).
fn decode_q4_0(block: &[u8; 18], values: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (i, value) in values.iter_mut().enumerate() {
        *value = scale * (f32::from(nibble(&block[2..], i)) - 8.0);
    }
}

/// `d: f16, m: f16, q: [u4; 32]`; value = d q + m.
fn decode_q4_1(block: &[u8; 20], values: &mut [f32; 32]) {
    let (scale, low) = (half_at(block, 0), half_at(block, 2));
    for (i, value) in values.iter_mut().enumerate() {
        *value = scale * f32::from(nibble(&block[4..], i)) + low;
    }
}

/// `d: f16, high: [u1; 32], q: [u4; 32]`; value = d (q - 16).
fn decode_q5_0(block: &[u8; 22], values: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (i, value) in values.iter_mut().enumerate() {
        let code = nibble(&block[6..], i) | fifth_bit(&block[2..6], i);
        *value = scale * (f32::from(code) - 16.0);
    }
}

/// `d: f16, m: f16, high: [u1; 32], q: [u4; 32]`; value = d q + m.
fn decode_q5_1(block: &[u8; 24], values: &mut [f32; 32]) {
    let (scale, low) = (half_at(block, 0), half_at(block, 2));
    for (i, value) in values.iter_mut().enumerate() {
        let code = nibble(&block[8..], i) | fifth_bit(&block[4..8], i);
        *value = scale * f32::from(code) + low;
    }
}

/// Two-bit code of value `i` of 256: each run of 32 bytes holds 128 values, 32 a bit pair.
fn bit_pair(codes: &[u8], i: usize) -> u8 {
    codes[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3
}

/// One-bit code of value `i` of 256: bit i / 32 of byte i mod 32.
fn high_bit(codes: &[u8], i: usize) -> u8 {
    codes[i % 32] >> (i / 32) & 1
}

/// `scales: [u4 scale, u4 low; 16], q: [u2; 256], d: f16, dmin: f16`.
fn decode_q2_k(block: &[u8; 84], values: &mut [f32; 256]) {
    let (scale, low) = (half_at(block, 80), half_at(block, 82));
    for (i, value) in values.iter_mut().enumerate() {
        let packed = block[i / 16];
        let code = f32::from(bit_pair(&block[16..80], i));
        *value = scale * f32::from(packed & 15) * code - low * f32::from(packed >> 4);
    }
}

/// `high: [u1; 256], q: [u2; 256], scales: [u6; 16], d: f16`; value = d (s - 32) (q - 4 !high).
fn decode_q3_k(block: &[u8; 110], values: &mut [f32; 256]) {
    let scale = half_at(block, 108);
    let scales = &block[96..108];
    for (i, value) in values.iter_mut().enumerate() {
        let k = i / 16;
        let low_bits = scales[k % 8] >> (k / 8 * 4) & 15;
        let high_bits = scales[8 + k % 4] >> (k / 4 * 2) & 3;
        let group = scale * (f32::from(low_bits | high_bits << 4) - 32.0);
        let offset = if high_bit(&block[..32], i) == 0 { 4.0 } else { 0.0 };
        *value = group * (f32::from(bit_pair(&block[32..96], i)) - offset);
    }
}

/// Six-bit scale and minimum of group `k` of 8, packed in 12 bytes (`get_scale_min_k4`).
fn scale_and_low(packed: &[u8], k: usize) -> (f32, f32) {
    let (scale, low) = if k < 4 {
        (packed[k] & 63, packed[k + 4] & 63)
    } else {
        (packed[k + 4] & 15 | packed[k - 4] >> 2 & 0x30, packed[k + 4] >> 4 | packed[k] >> 2 & 0x30)
    };
    (f32::from(scale), f32::from(low))
}

/// Four-bit code of value `i` of 256: each run of 32 bytes holds 64 values.
fn long_nibble(codes: &[u8], i: usize) -> u8 {
    codes[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15
}

/// `d: f16, dmin: f16, scales: [u8; 12], q: [u4; 256]`; value = d s q - dmin m.
fn decode_q4_k(block: &[u8; 144], values: &mut [f32; 256]) {
    let (scale, low) = (half_at(block, 0), half_at(block, 2));
    for (i, value) in values.iter_mut().enumerate() {
        let (group_scale, group_low) = scale_and_low(&block[4..16], i / 32);
        let code = f32::from(long_nibble(&block[16..], i));
        *value = scale * group_scale * code - low * group_low;
    }
}

/// `d: f16, dmin: f16, scales: [u8; 12], high: [u1; 256], q: [u4; 256]`; value = d s q - dmin m.
fn decode_q5_k(block: &[u8; 176], values: &mut [f32; 256]) {
    let (scale, low) = (half_at(block, 0), half_at(block, 2));
    for (i, value) in values.iter_mut().enumerate() {
        let (group_scale, group_low) = scale_and_low(&block[4..16], i / 32);
        let code = long_nibble(&block[48..], i) | high_bit(&block[16..48], i) << 4;
        *value = scale * group_scale * f32::from(code) - low * group_low;
    }
}

/// `low: [u4; 256], high: [u2; 256], scales: [i8; 16], d: f16`; value = d s (q - 32).
fn decode_q6_k(block: &[u8; 210], values: &mut [f32; 256]) {
    let scale = half_at(block, 208);
    for (i, value) in values.iter_mut().enumerate() {
        let group = scale * f32::from(block[192 + i / 16] as i8);
        let low = block[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
        let code = low | bit_pair(&block[128..192], i) << 4;
        *value = group * (f32::from(code) - 32.0);
    }
}

/// `quantize_row_q8_0_ref`; `None` where the scale does not fit half precision.
fn encode_q8_0(values: &[f32; 32]) -> Option<[u8; 34]> {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut block = [0; 34];
    write_scale(&mut block, scale)?;
    for (code, value) in block[2..].iter_mut().zip(values) {
        // f32::round goes half away from zero, as C's roundf does.
        *code = (value * inverse).round() as i8 as u8;
    }
    Some(block)
}

/// `quantize_row_q4_0_ref`; `None` where the scale does not fit half precision.
fn encode_q4_0(values: &[f32; 32]) -> Option<[u8; 18]> {
    // The first value of largest magnitude, with its sign, becomes code 0 (-8).
    let extreme = values
        .iter()
        .fold(0.0_f32, |extreme, value| if value.abs() > extreme.abs() { *value } else { extreme });
    let scale = extreme / -8.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut block = [0; 18];
    write_scale(&mut block, scale)?;
    let code = |value: f32| ((value * inverse + 8.5) as u8).min(15);
    let (first, second) = values.split_at(16);
    for (byte, (low, high)) in block[2..].iter_mut().zip(first.iter().zip(second)) {
        *byte = code(*low) | code(*high) << 4;
    }
    Some(block)
}

fn write_scale<const BYTES: usize>(block: &mut [u8; BYTES], scale: f32) -> Option<()> {
    let scale = f16::from_f32(scale);
    block[..2].copy_from_slice(&scale.to_le_bytes());
    scale.is_finite().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (position, (block, id, name, ..)) in TABLE.into_iter().enumerate() {
            assert_eq!(block as usize, position);
            assert_eq!(BlockType::from_id(id), Some(block));
            assert_eq!(BlockType::from_name(name), Some(block));
            assert_eq!(ggml_type_name(id), name);
        }
        assert_eq!(BlockType::from_id(16), None);
        assert_eq!(ggml_type_name(4_000_000_000), "number 4000000000");
    }

    #[test]
    fn bytes_are_counted_in_whole_blocks() {
        assert_eq!(BlockType::Q8_0.bytes_for(64), Some(68));
        assert_eq!(BlockType::Q8_0.bytes_for(63), None);
        assert_eq!(BlockType::F32.bytes_for(u64::MAX), None);
        assert_eq!(BlockType::Q6K.bytes_for(0), Some(0));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let refused = Err(Error::BlockLength { block: "q8_0", given: 64, bytes: 34 });
        assert_eq!(BlockType::Q8_0.decode(&[0; 34], &mut [0.0; 64]), refused);
    }

    #[test]
    fn rounding_goes_half_away_from_zero() {
        // The scale is 1, so that codes are the rounded values themselves.
        let mut values = [0.0; 32];
        values[..5].copy_from_slice(&[127.0, 0.5, -0.5, 1.5, -2.5]);
        let block = encode_q8_0(&values).unwrap();
        assert_eq!(
            block[2..7].iter().map(|code| *code as i8).collect::<Vec<_>>(),
            [127, 1, -1, 2, -3]
        );
    }

    #[test]
    fn whole_numbers_times_the_scale_are_the_values() {
        let values: [f32; 64] = std::array::from_fn(|i| (i as f32 * 0.61).sin() * 2.0);
        for block in [BlockType::Q8_0, BlockType::Q4_0] {
            let mut bytes = Vec::new();
            block.encode("w", &values, &mut bytes).unwrap();
            let mut wanted = [0.0; 64];
            block.decode(&bytes, &mut wanted).unwrap();
            let mut found = Vec::new();
            block.whole_numbers(&bytes, |scale, codes| {
                found.extend(codes.iter().map(|code| scale * f32::from(*code)));
            });
            assert_eq!(found, wanted, "{}", block.name());
        }
        BlockType::F32.whole_numbers(&[0; 64], |_, _| panic!("f32 has no whole numbers"));
    }

    #[test]
    fn scales_that_are_not_finite_are_seen() {
        let mut bytes = Vec::new();
        BlockType::Q8_0.encode("w", &[60_000.0; 64], &mut bytes).unwrap();
        assert_eq!(BlockType::Q8_0.scales_are_finite(&bytes), Some(true));
        for scale in [f16::INFINITY, f16::NEG_INFINITY, f16::NAN] {
            let mut bytes = bytes.clone();
            bytes[34..36].copy_from_slice(&scale.to_le_bytes());
            assert_eq!(BlockType::Q8_0.scales_are_finite(&bytes), Some(false), "{scale}");
        }
        assert_eq!(BlockType::F32.scales_are_finite(&bytes), None);
    }

    #[test]
    fn the_extreme_of_a_q4_0_block_is_exact_whatever_its_sign() {
        for extreme in [4.0_f32, -4.0] {
            let mut values = [0.5; 32];
            values[9] = extreme;
            let mut bytes = Vec::new();
            BlockType::Q4_0.encode("w", &values, &mut bytes).unwrap();
            let mut back = [0.0; 32];
            BlockType::Q4_0.decode(&bytes, &mut back).unwrap();
            assert_eq!(back, values);
        }
    }
}
