//! SHA-256 that can be put down and taken up again, as a broken download is: the `sha2` crate's
//! compression (FIPS 180-4), with the state in our hands.

use serde::{Deserialize, Serialize};
use sha2::compress256;
use sha2::digest::generic_array::GenericArray;

const BLOCK_BYTES: usize = 64;

/// The first state: FIPS 180-4, 5.3.3.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hash of what came so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    state: [u32; 8],
    length: u64,
    /// Less than a block.
    rest: Vec<u8>,
}

impl Default for Digest {
    fn default() -> Self {
        Self { state: START, length: 0, rest: Vec::new() }
    }
}

impl Digest {
    /// Takes more bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        if !self.rest.is_empty() {
            let missing = BLOCK_BYTES.saturating_sub(self.rest.len()).min(bytes.len());
            let (now, later) = bytes.split_at(missing);
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() < BLOCK_BYTES {
                return;
            }
            let block = std::mem::take(&mut self.rest);
            self.compress(&block);
        }
        let (whole, rest) = bytes.split_at(bytes.len() / BLOCK_BYTES * BLOCK_BYTES);
        self.compress(whole);
        self.rest.extend_from_slice(rest);
    }

    /// Lower-case hexadecimal.
    pub fn finish(mut self) -> String {
        let bits = self.length.wrapping_mul(8);
        let mut end = std::mem::take(&mut self.rest);
        end.push(0x80);
        let length = (end.len() + 8).next_multiple_of(BLOCK_BYTES);
        end.resize(length - 8, 0);
        end.extend(bits.to_be_bytes());
        self.compress(&end);
        self.state.iter().map(|word| format!("{word:08x}")).collect()
    }

    /// Whole blocks.
    fn compress(&mut self, bytes: &[u8]) {
        for block in bytes.as_chunks::<BLOCK_BYTES>().0 {
            compress256(&mut self.state, std::slice::from_ref(GenericArray::from_slice(block)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::bert::sha256;

    #[test]
    fn equals_the_library_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| ((i * i) >> 3) as u8).collect();
        for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000] {
            for part in [1, 7, 64, 100, 1000] {
                let mut digest = Digest::default();
                for bytes in bytes[..length].chunks(part) {
                    digest.update(bytes);
                    // Put down and taken up again.
                    digest =
                        serde_json::from_str(&serde_json::to_string(&digest).unwrap()).unwrap();
                }
                assert_eq!(digest.finish(), sha256(&bytes[..length]), "{length} by {part}");
            }
        }
    }
}
