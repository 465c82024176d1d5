//! `simcse embed`, `search` and `load` over files and databases that outgrow a browser.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use simcse_lab::math::rows::dot;

use crate::cli::{err, feed, folder, good, out, simcse, tiny_model, vectors};
use crate::files::python;
use crate::fixture::sentence;

/// A table of different sentences with names and topics.
fn table(rows: usize) -> String {
    let mut text = "name,topic,body\n".to_owned();
    for row in 0..rows {
        let words = format!("{} {}", sentence(2 + row % 9, row), sentence(3, row / 7 + 1));
        text.push_str(&format!("n{row},{},\"{words}, row \"\"{row}\"\"\"\n", ["a", "b"][row % 2]));
    }
    text
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn embed(file: &Path, out: &Path) -> Command {
    let mut command = simcse();
    command.args(["embed", "--chunk", "16", "--model"]).arg(tiny_model());
    command.arg("--out").arg(out).arg(file);
    command
}

#[test]
fn rows_of_all_kinds_of_files_are_embedded_alike() {
    let folder = folder("embed-kinds");
    let csv = written(&folder, "a.csv", &table(40));
    let text = table(40);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let bodies: Vec<String> = reader.records().map(|row| row.unwrap()[2].to_owned()).collect();
    let objects = bodies.iter().map(|body| json!({ "n": 1, "body": body }).to_string() + "\n");
    let jsonl = written(&folder, "a.jsonl", &objects.collect::<String>());
    let txt = written(&folder, "a.txt", &bodies.join("\n"));
    let of = |file: &Path, extra: &[&str]| {
        let path = folder.join("e.jsonl");
        good(embed(file, &path).args(extra));
        fs::read_to_string(path).unwrap()
    };
    let wanted = of(&txt, &[]);
    assert_eq!(vectors(&wanted).len(), 40);
    // The longest column of the first row, or the one that is named.
    assert_eq!(of(&csv, &[]), wanted);
    assert_eq!(of(&csv, &["--column", "body"]), wanted);
    assert_eq!(of(&jsonl, &["--threads", "1"]), wanted);
    assert_ne!(of(&csv, &["--column", "name"]), wanted);
    let output = embed(&csv, &folder.join("x.npy")).args(["--column", "none"]).output().unwrap();
    assert!(
        err(&output).contains("rows without text, embedded as empty ones: 40"),
        "{}",
        err(&output)
    );
    let output =
        embed(&csv, &folder.join("x.npy")).args(["--column", "none", "--strict"]).output().unwrap();
    assert!(!output.status.success() && err(&output).contains("row 1 has no text"));
    let broken = written(&folder, "b.jsonl", "{\"text\":\"a\"}\n{\"text\":\n");
    let output = embed(&broken, &folder.join("x.npy")).output().unwrap();
    assert!(err(&output).contains("line 2 cannot be read"), "{}", err(&output));
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_bytes() {
    let folder = folder("embed-resume");
    let csv = written(&folder, "a.csv", &table(6_000));
    for ending in ["npy", "parquet", "jsonl"] {
        let (whole, broken) =
            (folder.join(format!("whole.{ending}")), folder.join(format!("broken.{ending}")));
        good(&mut embed(&csv, &whole));
        let note = folder.join(format!("broken.{ending}.part.json"));
        let mut child = embed(&csv, &broken).args(["--threads", "1"]).spawn().unwrap();
        let begun = Instant::now();
        while !note.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing was written");
            thread::sleep(Duration::from_millis(2));
        }
        // No signal that it could answer.
        child.kill().unwrap();
        child.wait().unwrap();
        let done: Value = serde_json::from_slice(&fs::read(&note).unwrap()).unwrap();
        let rows = done["rows"].as_u64().unwrap();
        assert!(rows > 0 && rows < 6_000, "{rows}");
        // What the crash left behind the last chunk counts for nothing.
        let mut file = fs::OpenOptions::new().append(true).open(&broken).unwrap();
        file.write_all(b"torn").unwrap();
        let output = good(embed(&csv, &broken).arg("--resume"));
        assert!(err(&output).contains(&format!("goes on after {rows} rows")), "{}", err(&output));
        assert!(fs::read(&whole).unwrap() == fs::read(&broken).unwrap(), "{ending}");
        assert!(!note.exists());
    }
    // Another readout is no continuation.
    let npy = folder.join("other.npy");
    let mut child = embed(&csv, &npy).args(["--threads", "1"]).spawn().unwrap();
    while !folder.join("other.npy.part.json").exists() {
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = embed(&csv, &npy).args(["--resume", "--layer", "1"]).output().unwrap();
    assert!(err(&output).contains("another input, model or readout"), "{}", err(&output));
}

#[test]
fn another_engine_reads_our_parquet_and_we_read_its() {
    let Some(python) = python("pyarrow.parquet") else { return };
    let folder = folder("embed-parquet");
    let csv = written(&folder, "a.csv", &table(50));
    let parquet = folder.join("e.parquet");
    good(&mut embed(&csv, &parquet));
    let script = "
import json, sys
import pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
assert pq.ParquetFile(sys.argv[1]).num_row_groups == 4
rows = [{'text': text, 'embedding': vector} for text, vector in
        zip(table['sentence'].to_pylist(), table['embedding'].to_pylist())]
print('\\n'.join(json.dumps(row) for row in rows))
pq.write_table(table.select(['sentence']), sys.argv[2], compression='zstd')
";
    let (theirs, jsonl) = (folder.join("theirs.parquet"), folder.join("e.jsonl"));
    let read =
        Command::new(&python).args(["-c", script]).arg(&parquet).arg(&theirs).output().unwrap();
    assert!(read.status.success(), "{}", err(&read));
    good(&mut embed(&csv, &jsonl));
    let ours = fs::read_to_string(&jsonl).unwrap();
    assert_eq!(vectors(&out(&read)), vectors(&ours));
    let again = folder.join("again.jsonl");
    good(&mut embed(&theirs, &again));
    assert_eq!(fs::read_to_string(again).unwrap(), ours);
}

#[test]
fn a_model_that_wants_words_before_texts_gets_them() {
    let folder = folder("words-before");
    let checkpoint =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/bert-in-parts");
    // E5's prompts are known by its name.
    let made = |name: &str| {
        let out = folder.join(format!("{name}.gguf"));
        good(
            simcse()
                .arg("convert")
                .arg(&checkpoint)
                .args(["--type", "f16", "--name", name, "--out"])
                .arg(&out),
        );
        out
    };
    let (e5, plain) = (made("e5-small-v2"), made("some-bert"));
    let embed = |model: &Path, text: &str, more: &[&str]| {
        let mut command = simcse();
        let output = feed(command.args(["embed", "--model"]).arg(model).args(more), text);
        vectors(&out(&output)).remove(0)
    };
    let text = "a small lantern";
    let query = embed(&plain, &format!("query: {text}"), &[]);
    let passage = embed(&plain, &format!("passage: {text}"), &[]);
    assert_ne!(query, passage);
    assert_eq!(embed(&e5, text, &[]), query, "compared");
    assert_eq!(embed(&e5, text, &["--as", "query"]), query);
    assert_eq!(embed(&e5, text, &["--as", "passage"]), passage);
    let file = folder.join("one.txt");
    fs::write(&file, text).unwrap();
    let mut search = simcse();
    search.args(["search", "--json", "--model"]).arg(&e5).arg("--in").arg(&file).arg(text);
    let found: Value = serde_json::from_str(&out(&good(&mut search))).unwrap();
    let cosine = found["cosine"].as_f64().unwrap();
    let wanted = f64::from(dot(&query, &passage));
    assert!((cosine - wanted).abs() < 1e-5 && wanted < 0.99999, "{cosine}, not {wanted}");
}

#[test]
fn a_file_is_searched_exactly() {
    let folder = folder("search");
    let csv = written(&folder, "a.csv", &table(300));
    let find = |extra: &[&str]| {
        let mut command = simcse();
        command.args(["search", "--json", "--model"]).arg(tiny_model());
        command.args(["--column", "body", "--in"]).arg(&csv).args(extra).arg("the cat sat");
        out(&good(&mut command))
    };
    let hits: Vec<Value> =
        find(&["-k", "5"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let jsonl = folder.join("e.jsonl");
    good(embed(&csv, &jsonl).args(["--column", "body"]));
    let query = written(&folder, "q.txt", "the cat sat");
    let own = folder.join("q.jsonl");
    good(&mut embed(&query, &own));
    let own = vectors(&fs::read_to_string(own).unwrap()).remove(0);
    let dot = |row: &Vec<f32>| row.iter().zip(&own).map(|(a, b)| a * b).sum::<f32>();
    let mut all: Vec<f32> = vectors(&fs::read_to_string(jsonl).unwrap()).iter().map(dot).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    for (hit, wanted) in hits.iter().zip(&all) {
        assert!((hit["cosine"].as_f64().unwrap() as f32 - wanted).abs() < 1e-3, "{hit} {wanted}");
    }
    assert_eq!((hits.len(), &hits[0]["metadata"]["topic"]), (5, &hits[0]["metadata"]["topic"]));
    let named: Vec<Value> = find(&["-k", "1", "--id-column", "name"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(named[0]["id"].as_str().unwrap().starts_with('n'));
    let npy = folder.join("e.npy");
    good(embed(&csv, &npy).args(["--column", "body"]));
    assert_eq!(find(&["-k", "5", "--rows", npy.to_str().unwrap()]), find(&["-k", "5"]));
}

/// PostgreSQL with pgvector, as the `pgserver` package carries it.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(python: &Path, folder: &Path) -> Self {
        let script = "
import sys, pgserver
server = pgserver.get_server(sys.argv[1])
print(server.get_uri(), flush=True)
sys.stdin.read()
server.cleanup()
";
        let mut child = Command::new(python)
            .args(["-c", script])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("postgres"), "{address}");
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn postgres_is_filled_and_searched() {
    let Some(python) = python("pgserver") else { return };
    let folder = folder("load-postgres");
    // A socket's path must be short.
    let place = std::env::temp_dir().join(format!("simcse-pg-{}", std::process::id()));
    let server = Server::start(&python, &place);
    let csv = written(&folder, "a.csv", &table(300));
    let load = |extra: &[&str]| {
        let mut command = simcse();
        command.args(["load", "--chunk", "64", "--column", "body", "--model"]).arg(tiny_model());
        command.args(["--to", &server.address]).args(extra).arg(&csv);
        command
    };
    let output = good(load(&[]).args(["--id-column", "name"]));
    assert!(err(&output).contains("300 rows loaded"), "{}", err(&output));
    assert!(out(&output).contains("ORDER BY embedding <=>"), "{}", out(&output));
    let search = |extra: &[&str]| {
        let mut command = simcse();
        command.args(["search", "--json", "-k", "5", "--model"]).arg(tiny_model()).args(extra);
        command.arg("the cat sat");
        command
    };
    let hits = |output: String| -> Vec<Value> {
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let from = hits(out(&good(&mut search(&["--from", &server.address]))));
    let file = csv.to_str().unwrap();
    let exact = ["--in", file, "--column", "body", "--id-column", "name"];
    let exact = hits(out(&good(&mut search(&exact))));
    assert_eq!(from.len(), 5);
    for (found, wanted) in from.iter().zip(&exact) {
        let cosine = |hit: &Value| hit["cosine"].as_f64().unwrap();
        assert!((cosine(found) - cosine(wanted)).abs() < 1e-3, "{found} {wanted}");
    }
    assert_eq!(from[0]["metadata"]["topic"].as_str().map(str::len), Some(1));
    // It is there; the same rows again change nothing.
    let output = load(&[]).output().unwrap();
    assert!(err(&output).contains("is there already"), "{}", err(&output));
    good(load(&["--if-exists", "append"]).args(["--id-column", "name"]));
    let count = count(&python, &server.address);
    assert_eq!(count, "300 hnsw");
    let output = search(&["--from", &server.address, "--layer", "1"]).output().unwrap();
    assert!(err(&output).contains("another model or readout"), "{}", err(&output));
    good(load(&["--if-exists", "replace"]).args(["--table", "other_rows"]));
    let output = load(&["--table", "Bad Name"]).output().unwrap();
    assert!(err(&output).contains("no name for a table"), "{}", err(&output));
}

/// Rows, and the kind of index, as another client sees them.
fn count(python: &Path, address: &str) -> String {
    let script = "
import sys, pgserver
from urllib.parse import urlparse, parse_qs
folder = parse_qs(urlparse(sys.argv[1]).query)['host'][0]
server = pgserver.get_server(folder)
rows = server.psql('SELECT count(*) FROM passages;')
index = server.psql(\"SELECT indexdef FROM pg_indexes WHERE tablename = 'passages';\")
print(rows.split()[2], 'hnsw' if 'hnsw' in index else index)
";
    let output = Command::new(python).args(["-c", script, address]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    out(&output).trim().to_owned()
}

/// What a stand-in of Qdrant knows.
#[derive(Default)]
struct Shelf {
    size: Option<u64>,
    points: BTreeMap<u64, Value>,
    requests: Vec<String>,
    /// Requests that are told to come back later.
    busy: usize,
}

/// A stand-in of Qdrant's REST interface: collections and points, cosines by looking at all.
fn qdrant(shelf: Arc<Mutex<Shelf>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shelf = Arc::clone(&shelf);
            thread::spawn(move || serve(stream, &shelf));
        }
    });
    format!("qdrant+http://{address}/news")
}

fn serve(stream: TcpStream, shelf: &Mutex<Shelf>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = shelf.lock().unwrap().answer(&line, &body);
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", answer.len());
        writer.write_all((head + &answer).as_bytes()).unwrap();
    }
}

impl Shelf {
    fn answer(&mut self, line: &str, body: &Value) -> (u16, Value) {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        self.requests.push(format!("{method} {path}"));
        if self.busy > 0 {
            self.busy -= 1;
            return (429, json!({ "status": "busy" }));
        }
        match (method, path) {
            ("GET", "/collections/news/exists") => {
                (200, json!({ "result": { "exists": self.size.is_some() } }))
            }
            ("DELETE", "/collections/news") => {
                (self.size, self.points) = (None, BTreeMap::new());
                (200, json!({ "result": true }))
            }
            ("PUT", "/collections/news") => {
                assert_eq!(body["vectors"]["distance"], "Cosine");
                self.size = body["vectors"]["size"].as_u64();
                (200, json!({ "result": true }))
            }
            ("PUT", "/collections/news/points?wait=true") => {
                for point in body["points"].as_array().unwrap() {
                    let length = point["vector"].as_array().unwrap().len() as u64;
                    assert_eq!(Some(length), self.size);
                    self.points.insert(point["id"].as_u64().unwrap(), point.clone());
                }
                (200, json!({ "result": { "status": "completed" } }))
            }
            ("POST", "/collections/news/points/query") => (200, self.nearest(body)),
            _ => (404, json!({ "status": "not found" })),
        }
    }

    fn nearest(&self, body: &Value) -> Value {
        let numbers = |value: &Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect()
        };
        let query = numbers(&body["query"]);
        let score = |point: &Value| -> f64 {
            numbers(&point["vector"]).iter().zip(&query).map(|(a, b)| a * b).sum()
        };
        let mut all: Vec<Value> = self
            .points
            .values()
            .map(|point| json!({ "id": point["id"], "score": score(point), "payload": point["payload"] }))
            .collect();
        all.sort_by(|a, b| b["score"].as_f64().unwrap().total_cmp(&a["score"].as_f64().unwrap()));
        all.truncate(body["limit"].as_u64().unwrap() as usize);
        json!({ "result": { "points": all } })
    }
}

#[test]
fn qdrant_is_filled_and_searched_through_its_interface() {
    let folder = folder("load-qdrant");
    let csv = written(&folder, "a.csv", &table(300));
    let shelf = Arc::new(Mutex::new(Shelf { busy: 2, ..Shelf::default() }));
    let address = qdrant(Arc::clone(&shelf));
    let load = |extra: &[&str]| {
        let mut command = simcse();
        command.args(["load", "--chunk", "100", "--column", "body", "--model"]).arg(tiny_model());
        command.args(["--id-column", "name", "--to", &address]).args(extra).arg(&csv);
        command
    };
    good(&mut load(&[]));
    assert_eq!(shelf.lock().unwrap().points.len(), 300);
    let output = load(&[]).output().unwrap();
    assert!(err(&output).contains("is there already"), "{}", err(&output));
    good(&mut load(&["--if-exists", "append"]));
    assert_eq!(shelf.lock().unwrap().points.len(), 300);
    good(&mut load(&["--if-exists", "replace"]));
    let search = |extra: &[&str]| -> Vec<Value> {
        let mut command = simcse();
        command.args(["search", "--json", "-k", "5", "--model"]).arg(tiny_model());
        command.args(extra).arg("the cat sat");
        let text = out(&good(&mut command));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let found = search(&["--from", &address]);
    let file = csv.to_str().unwrap();
    let exact = search(&["--in", file, "--column", "body", "--id-column", "name"]);
    assert_eq!(found.len(), 5);
    for (found, wanted) in found.iter().zip(&exact) {
        let cosine = |hit: &Value| hit["cosine"].as_f64().unwrap();
        assert!((cosine(found) - cosine(wanted)).abs() < 1e-3, "{found} {wanted}");
        assert!(found["id"].as_str().unwrap().starts_with('n'));
    }
    // A server that stays away is named.
    let mut command = simcse();
    command.args(["load", "--model"]).arg(tiny_model());
    command.args(["--to", "qdrant+http://127.0.0.1:1/news"]).arg(&csv);
    let output = command.output().unwrap();
    assert!(err(&output).contains("Qdrant did not take it"), "{}", err(&output));
    let wrong = ["--to", "qdrant+https://example.org/news"];
    let output = load(&wrong).output().unwrap();
    assert!(!output.status.success());
}
