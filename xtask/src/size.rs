//! What a visitor downloads before any weights.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::shell::Outcome;

/// Wasm and JavaScript by when they are loaded, and how much there may be, gzipped. The first limit
/// is also what keeps the tensor library, some 300 kB of it, out of the worker. Searching corpora is 0.29 MB of it.
const PARTS: [Part; 4] = [
    Part { what: "that a first visit loads", limit_bytes: 2_430_000 },
    Part { what: "that training and dropout views load", limit_bytes: 1_600_000 },
    Part { what: "that the GPU's worker loads, where there is WebGPU", limit_bytes: 1_340_000 },
    Part { what: "that getting another model loads", limit_bytes: 300_000 },
];

struct Part {
    what: &'static str,
    limit_bytes: u64,
}

/// The part that a file belongs to.
fn part_of(name: &str) -> usize {
    match name {
        _ if name.starts_with("trainer-") => 1,
        _ if name.starts_with("gpu-") => 2,
        _ if name.starts_with("puller-") => 3,
        _ => 0,
    }
}

/// Prints a table a part and fails if a sum is over its limit.
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
    for (number, part) in PARTS.iter().enumerate() {
        part.check(rows.iter().filter(|row| part_of(&row.name) == number))?;
    }
    Ok(())
}

impl Part {
    fn check<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> Outcome<()> {
        let Self { what, limit_bytes } = self;
        println!("{:>12} {:>12}  wasm and js {what}", "bytes", "gzipped");
        let (mut plain_bytes, mut gzipped_bytes) = (0, 0);
        for row in rows {
            println!("{:>12} {:>12}  {}", row.plain_bytes, row.gzipped_bytes, row.name);
            plain_bytes += row.plain_bytes;
            gzipped_bytes += row.gzipped_bytes;
        }
        println!("{plain_bytes:>12} {gzipped_bytes:>12}  sum; the limit is {limit_bytes} gzipped");
        if gzipped_bytes > *limit_bytes {
            return Err(format!(
                "wasm and js {what} are {gzipped_bytes} bytes gzipped, over the limit of {limit_bytes}"
            ));
        }
        Ok(())
    }
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
    use super::{gzipped_len, part_of};

    #[test]
    fn what_is_loaded_later_is_counted_apart() {
        assert_eq!(part_of("trainer-1a_bg.wasm"), 1);
        assert_eq!(part_of("gpu-1a_bg.wasm"), 2);
        assert_eq!(part_of("puller-1a_bg.wasm"), 3);
        for name in ["worker-1a_bg.wasm", "page-1a_bg.wasm", "worker-boot-1a.js"] {
            assert_eq!(part_of(name), 0);
        }
    }

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
