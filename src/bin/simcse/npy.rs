//! Reads NumPy's file format (numpy, `doc/source/reference/generated/numpy.lib.format`); the library's
//! `files::npy` writes it.

use anyhow::Context;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads `[rows, columns]` of little-endian float32 or float64, row-major: the values and how many
/// columns.
///
/// # Errors
/// Where it is something else, or cut off.
pub fn read(bytes: &[u8]) -> anyhow::Result<(Vec<f32>, usize)> {
    let rest = bytes.strip_prefix(MAGIC).context("it is not a NumPy file")?;
    let ([major, _], rest) = rest.split_first_chunk().context("its header is cut off")?;
    let (length, rest) = if *major == 1 {
        let (length, rest) = rest.split_first_chunk().context("its header is cut off")?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk().context("its header is cut off")?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length).context("its header is cut off")?;
    let header = String::from_utf8_lossy(header);
    anyhow::ensure!(header.contains("'fortran_order': False"), "it is stored column by column");
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let shape: Vec<usize> = shape
        .map(|(shape, _)| shape.split(',').map_while(|side| side.trim().parse().ok()).collect())
        .context("it does not say its shape")?;
    let [rows, columns] = shape[..] else { anyhow::bail!("it is no table of rows and columns") };
    let values: Vec<f32> = if header.contains("'descr': '<f4'") {
        data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    } else if header.contains("'descr': '<f8'") {
        data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect()
    } else {
        anyhow::bail!("it holds other numbers than float32 and float64");
    };
    let wanted = rows.checked_mul(columns);
    anyhow::ensure!(wanted == Some(values.len()), "it holds {} numbers", values.len());
    Ok((values, columns))
}

#[cfg(test)]
mod tests {
    use simcse_lab::files::npy::write;

    #[test]
    fn what_was_written_is_read_and_other_things_are_refused() {
        let values = [1.0, -2.5, 0.0, 3.0, 4.0, 5.0];
        let mut bytes = Vec::new();
        write(&mut bytes, &values, 3).unwrap();
        assert_eq!(super::read(&bytes).unwrap(), (values.to_vec(), 3));
        for length in 0..bytes.len() {
            assert!(super::read(&bytes[..length]).is_err(), "{length}");
        }
        let other = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&bytes[10..74]).replace(from, to);
            let header = text.as_bytes().iter().take(64);
            bytes[..10].iter().chain(header).chain(&bytes[74..]).copied().collect::<Vec<_>>()
        };
        assert!(super::read(&other("(2, 3)", "(2, 3)")).is_ok());
        for (from, to) in
            [("(2, 3)", "(3, 3)"), ("(2, 3)", "(6,) "), ("<f4", "<i4"), ("False", "True ")]
        {
            assert!(super::read(&other(from, to)).is_err(), "{to}");
        }
    }
}
