//! What a visitor downloads before any weights.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::shell::Outcome;

/// All wasm and JavaScript of the site, gzipped.
const LIMIT_BYTES: u64 = 2_000_000;

/// Prints the table and fails if the sum is over the limit.
pub fn check(dist: &Path) -> Outcome<()> {
    let mut rows = Vec::new();
    collect(dist, "", &mut rows)?;
    if rows.is_empty() {
        return Err(format!(
            "{} holds neither wasm nor js; run `cargo xtask build`",
            dist.display()
        ));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.gzipped_bytes));
    println!("{:>12} {:>12}  wasm and js that the page loads", "bytes", "gzipped");
    for row in &rows {
        println!("{:>12} {:>12}  {}", row.plain_bytes, row.gzipped_bytes, row.name);
    }
    let plain_bytes: u64 = rows.iter().map(|row| row.plain_bytes).sum();
    let gzipped_bytes: u64 = rows.iter().map(|row| row.gzipped_bytes).sum();
    println!("{plain_bytes:>12} {gzipped_bytes:>12}  sum; the limit is {LIMIT_BYTES} gzipped");
    if gzipped_bytes > LIMIT_BYTES {
        return Err(format!(
            "wasm and js are {gzipped_bytes} bytes gzipped, over the limit of {LIMIT_BYTES}"
        ));
    }
    Ok(())
}

struct Row {
    name: String,
    plain_bytes: u64,
    gzipped_bytes: u64,
}

fn collect(folder: &Path, prefix: &str, rows: &mut Vec<Row>) -> Outcome<()> {
    let problem = |error| format!("cannot list {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), rows)?;
        } else if name.ends_with(".js") || name.ends_with(".wasm") {
            let content = fs::read(&path).map_err(problem)?;
            let gzipped_bytes = gzipped_len(&content).map_err(problem)?;
            rows.push(Row { name, plain_bytes: content.len() as u64, gzipped_bytes });
        }
    }
    Ok(())
}

fn gzipped_len(content: &[u8]) -> std::io::Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::gzipped_len;

    #[test]
    fn repetition_compresses_and_noise_does_not() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(10_000)
        .collect();
        assert!(gzipped_len(&[7; 10_000]).is_ok_and(|len| len < 200));
        assert!(gzipped_len(&noise).is_ok_and(|len| len > 9_900));
    }
}
