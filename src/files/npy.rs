//! NumPy's file format, version 1.0 (numpy, `doc/source/reference/generated/numpy.lib.format`).

use std::io;
use std::io::Write;

/// The header and its padding end at a multiple of this.
const ALIGNMENT: usize = 64;
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// Writes `[rows, columns]` of little-endian float32, row-major.
///
/// # Errors
/// Where `out` refuses.
pub fn write(out: &mut impl Write, values: &[f32], columns: usize) -> io::Result<()> {
    out.write_all(&header(values.len().checked_div(columns).unwrap_or(0), columns))?;
    for value in values {
        out.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

/// What stands before `[rows, columns]` of little-endian float32.
pub fn header(rows: usize, columns: usize) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    const PREFIX: usize = MAGIC.len() + size_of::<u16>();
    let whole = (PREFIX + header.len() + 1).next_multiple_of(ALIGNMENT);
    let spaces = whole - PREFIX - header.len() - 1;
    header.extend(std::iter::repeat_n(' ', spaces));
    header.push('\n');
    // Two numbers and some words stay far below 65,535 bytes.
    let length = (header.len() as u16).to_le_bytes();
    [MAGIC, &length, header.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_header_is_aligned_and_the_values_follow() {
        let mut bytes = Vec::new();
        super::write(&mut bytes, &[1.0, -2.5, 0.0, 3.0, 4.0, 5.0], 3).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + header) % 64, 0);
        let text = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
        assert!(text.contains("'shape': (2, 3)"), "{text}");
        assert!(text.ends_with('\n'));
        assert_eq!(bytes.len(), 10 + header + 24);
        assert_eq!(bytes[10 + header + 4..][..4], (-2.5_f32).to_le_bytes());
    }
}
