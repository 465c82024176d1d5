//! Files for other programs, read by those programs, where they are here.

use std::path::{Path, PathBuf};
use std::process::Command;

use simcse_lab::files::write::pieces;
use simcse_lab::files::{Format, Table};

/// The Python that has what `imports` names; says so if there is none. `SIMCSE_PYTHON` names one.
pub fn python(imports: &str) -> Option<PathBuf> {
    let python = std::env::var_os("SIMCSE_PYTHON").map_or("python3".into(), PathBuf::from);
    let tried = Command::new(&python).arg("-c").arg(format!("import {imports}")).output();
    let found = tried.is_ok_and(|tried| tried.status.success());
    if !found {
        println!("skipped: no {imports}");
    }
    found.then_some(python)
}

fn judge(python: &Path, script: &str, file: &Path) {
    let output = Command::new(python).arg("-c").arg(script).arg(file).output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim() == "as it went in", "{said}{complained}");
}

/// Rows enough for several pages, some without a topic, some with what CSV would have to quote.
fn table() -> Table {
    let sentences: Vec<String> =
        (0..2_000).map(|row| format!("sentence {row}, \"一\"\n{}", "x".repeat(row))).collect();
    let topic = |row| if row % 5 == 1 { String::new() } else { format!("topic {}", row / 3) };
    Table {
        sentences: sentences.into(),
        topics: (0..2_000).map(topic).collect(),
        dimensions: 300,
        vectors: (0..600_000).map(|it| it as f32 * 0.25 - 3.0).collect(),
    }
}

fn written(format: Format, reader: &str) -> PathBuf {
    let name = format!("simcse-{reader}-{}{}", std::process::id(), format.ending());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, pieces(format, &table()).flatten().collect::<Vec<u8>>()).unwrap();
    path
}

const EXPECTED: &str = "
import sys
n, d = 2000, 300
sentences = ['sentence %d, \"一\"\\n%s' % (i, 'x' * i) for i in range(n)]
topics = [None if i % 5 == 1 else 'topic %d' % (i // 3) for i in range(n)]
vectors = [[k * 0.25 - 3 for k in range(i * d, i * d + d)] for i in range(n)]
";

#[test]
fn arrow_reads_our_parquet() {
    let Some(python) = python("pyarrow.parquet") else { return };
    let script = "
import pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
assert table.column_names == ['sentence', 'topic', 'embedding'], table.schema
assert table['sentence'].to_pylist() == sentences
assert table['topic'].to_pylist() == topics
assert table['embedding'].to_pylist() == vectors
print('as it went in')";
    let file = written(Format::Parquet, "arrow");
    judge(&python, &format!("{EXPECTED}{script}"), &file);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn duckdb_reads_our_parquet() {
    let Some(python) = python("duckdb") else { return };
    let script = "
import duckdb
rows = duckdb.connect().execute('select * from read_parquet(?)', [sys.argv[1]]).fetchall()
assert rows == list(zip(sentences, topics, vectors))
print('as it went in')";
    let file = written(Format::Parquet, "duckdb");
    judge(&python, &format!("{EXPECTED}{script}"), &file);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn numpy_reads_our_array() {
    let Some(python) = python("numpy") else { return };
    let script = "
import numpy
assert (numpy.load(sys.argv[1]) == numpy.array(vectors, dtype='float32')).all()
print('as it went in')";
    let file = written(Format::Npy, "numpy");
    judge(&python, &format!("{EXPECTED}{script}"), &file);
    std::fs::remove_file(file).unwrap();
}
