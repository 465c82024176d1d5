//! The `simcse` program as a user runs it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;
use simcse_lab::math::rows::dot;

use crate::checkpoint;
use crate::gpu::gpu;
use crate::shared;

/// An empty folder of this test's own.
pub fn folder(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

pub fn simcse() -> Command {
    Command::new(env!("CARGO_BIN_EXE_simcse"))
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn good(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    output
}

/// Runs the command with a text on its standard input.
pub fn feed(command: &mut Command, text: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn tiny_model() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny_bert.gguf")
}

/// The vectors of JSON lines.
pub fn vectors(lines: &str) -> Vec<Vec<f32>> {
    let line = |line: &str| -> Vec<f32> {
        let line: Value = serde_json::from_str(line).unwrap();
        serde_json::from_value(line["embedding"].clone()).unwrap()
    };
    lines.lines().map(line).collect()
}

#[test]
fn help_has_examples_and_misuse_exits_with_2() {
    for command in
        ["convert", "info", "embed", "load", "search", "map", "sts", "geometry", "merge", "train"]
    {
        let help = out(&good(simcse().args([command, "--help"])));
        assert!(help.contains("Examples:") && help.contains(&format!("simcse {command} ")));
    }
    for wrong in [&["embed"][..], &["convert", "x", "--type", "q9"], &["fly"], &[]] {
        assert_eq!(simcse().args(wrong).output().unwrap().status.code(), Some(2), "{wrong:?}");
    }
}

fn write_checkpoint(folder: &std::path::Path) {
    fs::write(folder.join("model.safetensors"), checkpoint::safetensors("bert.")).unwrap();
    fs::write(folder.join("config.json"), checkpoint::config_json()).unwrap();
    fs::write(folder.join("tokenizer.json"), checkpoint::tokenizer_json()).unwrap();
}

#[test]
fn a_folder_and_its_weights_file_convert_to_the_same_bytes() {
    let folder = folder("convert");
    write_checkpoint(&folder);
    let convert = |input: PathBuf, extra: &[&str]| {
        let path = folder.join("out.gguf");
        let command = &mut simcse();
        command.arg("convert").arg(input).args(["--type", "q8_0", "--out"]).arg(&path).args(extra);
        good(command);
        (fs::read(&path).unwrap(), out(&good(simcse().arg("info").arg(&path))))
    };
    let (bytes, info) = convert(folder.clone(), &[]);
    assert_eq!(bytes, convert(folder.join("model.safetensors"), &[]).0);
    assert!(info.contains("name: convert") && info.contains("pooling: cls"), "{info}");
    assert!(info.contains("q8_0: 13 tensors") && info.contains("licence: not said"), "{info}");

    fs::write(folder.join("modules.json"), "[]").unwrap();
    assert!(convert(folder.clone(), &[]).1.contains("pooling: mean"));
    fs::create_dir(folder.join("1_Pooling")).unwrap();
    let pooling = folder.join("1_Pooling/config.json");
    fs::write(&pooling, r#"{"pooling_mode_cls_token": true}"#).unwrap();
    assert!(convert(folder.clone(), &[]).1.contains("pooling: cls"));
    let told = ["--pooling", "first-last", "--name", "mine", "--licence", "mit"];
    let (_, info) = convert(folder.clone(), &told);
    for line in ["pooling: first-last", "name: mine", "licence: mit"] {
        assert!(info.contains(line), "{info}");
    }

    fs::write(&pooling, r#"{"pooling_mode_max_tokens": true}"#).unwrap();
    let mut command = simcse();
    command.arg("convert").arg(&folder).args(["--type", "f32", "--out", "never.gguf"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("--pooling"), "{}", err(&output));
}

#[test]
fn what_is_missing_beside_the_weights_is_named() {
    let folder = folder("missing");
    for missing in ["tokenizer.json", "config.json", "model.safetensors"] {
        write_checkpoint(&folder);
        fs::remove_file(folder.join(missing)).unwrap();
        let mut command = simcse();
        command.arg("convert").arg(&folder).args(["--type", "f32", "--out", "never.gguf"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(missing), "{}", err(&output));
    }
}

#[test]
fn info_shows_the_header_and_fails_on_what_cannot_run() {
    let info = out(&good(simcse().arg("info").arg(tiny_model()).arg("--tensors")));
    for part in ["bert.block_count = 2", "60 texts", "blk.1.ffn_down.weight [64, 32] q8_0", "cls"] {
        assert!(info.contains(part), "{part} is not in {info}");
    }
    let folder = folder("info");
    let path = folder.join("half.gguf");
    let bytes = fs::read(tiny_model()).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let output = simcse().arg("info").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("download or copy it again"), "{}", err(&output));
}

#[test]
fn every_kind_of_input_gives_the_same_rows() {
    let folder = folder("embed");
    let sentences = ["a small boat crosses", "", "the quiet river sleeps and sings"];
    let text = sentences.join("\n");
    let lines = folder.join("in.txt");
    fs::write(&lines, &text).unwrap();
    let jsonl = folder.join("in.jsonl");
    let objects = sentences.map(|text| serde_json::json!({"id": 7, "text": text}).to_string());
    fs::write(&jsonl, objects.join("\n\n")).unwrap();
    let embed = || {
        let mut command = simcse();
        command.args(["embed", "--model"]).arg(tiny_model());
        command
    };
    let from_lines = out(&good(embed().arg(&lines)));
    assert_eq!(from_lines, out(&good(embed().arg(&jsonl))));
    assert_eq!(from_lines, out(&feed(&mut embed(), &text)));
    assert_eq!(from_lines, out(&feed(embed().args(["--jsonl", "-"]), &objects.join("\n"))));
    let rows = vectors(&from_lines);
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!(row.len(), 32);
        assert!((dot(row, row) - 1.0).abs() < 1e-5);
    }
    let npy = folder.join("e.npy");
    good(embed().arg("--out").arg(&npy).arg(&lines));
    let bytes = fs::read(&npy).unwrap();
    let values: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    assert!(bytes.starts_with(b"\x93NUMPY") && bytes.ends_with(&values));
    assert_eq!(bytes.len(), 128 + values.len());
}

#[test]
fn a_gpu_gives_the_same_rows_and_is_named() {
    if gpu().is_none() {
        return;
    }
    let embed = |backend: &str| {
        let mut command = simcse();
        command.args(["embed", "--backend", backend, "--model"]).arg(tiny_model());
        feed(&mut command, "a small boat crosses\nthe quiet river sleeps and sings")
    };
    let (cpu, gpu) = (embed("cpu"), embed("gpu"));
    assert!(err(&gpu).contains("on "), "{}", err(&gpu));
    for (a, b) in vectors(&out(&cpu)).iter().zip(vectors(&out(&gpu))) {
        assert!(dot(a, &b) > 0.9999, "{}", dot(a, &b));
    }
    assert_eq!(vectors(&out(&gpu)).len(), 2);
}

#[test]
fn readout_layer_and_format_change_the_rows() {
    let embed = |extra: &[&str]| {
        let mut command = simcse();
        command.args(["embed", "--model"]).arg(tiny_model()).args(extra);
        feed(&mut command, "a bright lantern")
    };
    let row = |extra: &[&str]| vectors(&out(&embed(extra))).remove(0);
    let default = row(&[]);
    assert_eq!(default, row(&["--pooling", "cls", "--layer", "2"]));
    assert_eq!(default, row(&["--type", "q8_0"]), "q8_0 of q8_0 is the same");
    for extra in [&["--pooling", "mean"][..], &["--layer", "1"], &["--pooling", "first-last"]] {
        assert!(dot(&default, &row(extra)) < 0.9999, "{extra:?}");
    }
    let rounded = dot(&default, &row(&["--type", "q4_0"]));
    assert!((0.8..0.99999).contains(&rounded), "{rounded}");
    let output = embed(&["--layer", "3"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("layer 3"), "{}", err(&output));
}

#[test]
fn cut_sentences_are_counted_and_bad_lines_named() {
    let mut command = simcse();
    command.args(["embed", "--model"]).arg(tiny_model());
    let output = feed(&mut command, &format!("{}\nshort\n", "river ".repeat(60)));
    assert!(err(&output).contains("limit of 24 tokens: 1"), "{}", err(&output));
    assert_eq!(vectors(&out(&output)).len(), 2);
    let output = feed(command.arg("--jsonl"), "{\"text\": \"a\"}\n{\"words\": 1}\n");
    assert!(err(&output).contains("the first is row 2"), "{}", err(&output));
    assert_eq!(vectors(&out(&output)).len(), 2);
    let output = feed(command.arg("--strict"), "{\"text\": \"a\"}\n{\"words\": 1}\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("row 2 has no text"), "{}", err(&output));
}

#[test]
fn nobody_reading_is_no_failure() {
    for arguments in [&["info", "--tensors"][..], &["embed", "--model"]] {
        let mut command = simcse();
        command.args(arguments).arg(tiny_model());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", err(&output));
        assert_eq!(err(&output), "");
    }
}

const PAIRS: &str = "\"a boat, small\",a small boat,4.8
the river sleeps,the river sings,3
a quiet garden,seven loud birds,0.5
the baker sings,the baker paints,4.5
never open,not near,1
";

#[test]
fn sts_prints_the_same_figures_with_and_without_a_header() {
    let folder = folder("sts");
    let sts = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        let mut command = simcse();
        command.args(["sts", "--json", "--model"]).arg(tiny_model()).arg(path);
        out(&good(&mut command))
    };
    let plain = sts("plain.csv", PAIRS);
    assert_eq!(plain, sts("headed.csv", &format!("sentence1,sentence2,score\n{PAIRS}")));
    assert_eq!(
        plain,
        sts(
            "tabbed.tsv",
            &PAIRS
                .replace("\"a boat, small\"", "a boat, small")
                .replace(",a small", "\ta small")
                .replace(",the", "\tthe")
                .replace(",seven", "\tseven")
                .replace(",not", "\tnot")
                .replace(",4.", "\t4.")
                .replace(",3", "\t3")
                .replace(",0", "\t0")
                .replace(",1", "\t1")
        )
    );
    let keys = ["spearman", "pearson", "alignment", "uniformity", "mean_cosine", "pairs"];
    let mut rest = plain.as_str();
    for key in keys {
        rest = rest.split_once(&format!("\"{key}\":")).unwrap().1;
    }
    let figures: Value = serde_json::from_str(&plain).unwrap();
    assert_eq!(figures["pairs"], 5);
    check_figures(&figures);
}

/// Works the figures out from what `embed` prints.
fn check_figures(figures: &Value) {
    let records: Vec<csv::StringRecord> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(PAIRS.as_bytes())
        .into_records()
        .collect::<Result<_, _>>()
        .unwrap();
    let sentences: Vec<&str> = records.iter().flat_map(|row| [&row[0], &row[1]]).collect();
    let mut command = simcse();
    command.args(["embed", "--model"]).arg(tiny_model());
    let rows = vectors(&out(&feed(&mut command, &sentences.join("\n"))));
    let distance = |i: usize, j: usize| -> f64 {
        rows[i].iter().zip(&rows[j]).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    };
    let near = |key: &str, expected: f64| {
        let found = figures[key].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-4, "{key}: {found}, expected {expected}");
    };
    // Pairs 1 and 4 are scored above 4.
    near("alignment", (distance(0, 1) + distance(6, 7)) / 2.0);
    let pairs: Vec<(usize, usize)> =
        (0..10).flat_map(|i| (i + 1..10).map(move |j| (i, j))).collect();
    let mean = |value: &dyn Fn(usize, usize) -> f64| {
        pairs.iter().map(|(i, j)| value(*i, *j)).sum::<f64>() / pairs.len() as f64
    };
    near("uniformity", mean(&|i, j| (-2.0 * distance(i, j)).exp()).ln());
    near("mean_cosine", mean(&|i, j| f64::from(dot(&rows[i], &rows[j]))));
}

#[test]
fn sts_without_scores_says_which_columns_it_wants() {
    let mut command = simcse();
    command.args(["sts", "--model"]).arg(tiny_model()).arg("-");
    let output = feed(&mut command, "one,two\nthree,four\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("sentence 1, sentence 2, score"), "{}", err(&output));
}

/// What the issue promises of the default weights, Spearman x 100 on the STS-B dev set.
fn check_default_weights(pooling: &str, promised: f64) {
    let Some(pairs) = shared::data("stsb/dev.csv") else { return };
    let model = "assets/models/all-MiniLM-L6-v2-q8_0.gguf";
    let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(model);
    let mut command = simcse();
    command.args(["sts", "--json", "--pooling", pooling, "--model"]).arg(model).arg(pairs);
    let figures: Value = serde_json::from_str(&out(&good(&mut command))).unwrap();
    assert_eq!(figures["pairs"], 1500);
    let found = figures["spearman"].as_f64().unwrap();
    assert!((found - promised).abs() <= 0.2, "{pooling}: {found}");
}

#[test]
fn the_default_weights_reach_their_mean_score() {
    check_default_weights("mean", 86.7);
}

#[test]
fn the_default_weights_reach_their_cls_score() {
    check_default_weights("cls", 79.7);
}
