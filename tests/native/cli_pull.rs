//! `simcse pull` against a stand-in of the Hub: what it makes, how it goes on, what it refuses; checkpoints of
//! real shapes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;

use crate::hub::shapes::Shape;
use crate::hub::{Faults, Hub};
use crate::intake::{NAMES, convert, read};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pull").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Puts a fixture on the hub.
fn put(hub: &Hub, name: &str) {
    let (papers, weights) = read(name);
    let repository = format!("somebody/{name}");
    for (path, text) in papers {
        hub.put(&repository, &path, text.into_bytes());
    }
    for (path, bytes) in weights {
        hub.put(&repository, &path, bytes);
    }
}

fn pull(hub: &Hub, repository: &str, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simcse"));
    command.arg("pull").arg(repository).arg("--out").arg(out).args(["--hub", &hub.url()]);
    command.env_remove("HF_TOKEN").args(more).output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_pulled_is_what_converts() {
    let (hub, folder) = (Hub::start().unwrap(), folder("same"));
    for name in NAMES {
        put(&hub, name);
        let out = folder.join(format!("{name}.gguf"));
        let output = pull(&hub, &format!("somebody/{name}"), &out, &["--type", "q4_0"]);
        assert!(output.status.success(), "{name}: {}", err(&output));
        let bytes = std::fs::read(&out).unwrap();
        let file = BertFile::read("x", bytes.clone(), None).unwrap();
        assert_eq!(file.config.licence.as_deref(), Some("cc0-1.0"));
        let source = file.config.source.clone().unwrap();
        assert!(source.contains(&format!("/somebody/{name}@0123456")), "{source}");
        // The same numbers as from disk; only the keys about the origin differ.
        let plain =
            BertFile::read("x", convert(name, BlockType::Q4_0, 999).unwrap(), None).unwrap();
        for (tensor, _, _) in plain.config.tensors() {
            let (a, b) = (file.tensor(&tensor).unwrap(), plain.tensor(&tensor).unwrap());
            assert!(a.bytes == b.bytes && a.block == b.block, "{name} {tensor}");
        }
        let again = folder.join("again.gguf");
        hub.faults(Faults { cut: Some((20_000, 3)), ..Faults::default() });
        let output = pull(&hub, &format!("somebody/{name}"), &again, &["--type", "q4_0"]);
        assert!(output.status.success(), "{name}: {}", err(&output));
        assert!(std::fs::read(&again).unwrap() == bytes, "{name}: other bytes over a broken line");
        hub.faults(Faults::default());
    }
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, NAMES.len() + 1, "something half-made was left");
}

#[test]
fn a_files_address_stands_for_what_lies_beside_it() {
    let (hub, folder) = (Hub::start().unwrap(), folder("address"));
    for name in ["distilbert", "sup-simcse-bert"] {
        put(&hub, name);
        let weights = read(name).1.remove(0).0;
        let out = folder.join(format!("{name}.gguf"));
        let url = format!("{}/somebody/{name}/blob/main/{weights}?download=true", hub.url());
        let output = pull(&hub, &url, &out, &["--type", "q4_0"]);
        assert!(output.status.success(), "{name}: {}", err(&output));
        let file = BertFile::read("x", std::fs::read(&out).unwrap(), None).unwrap();
        assert_eq!(file.config.name, name);
        let plain =
            BertFile::read("x", convert(name, BlockType::Q4_0, 999).unwrap(), None).unwrap();
        assert_eq!(file.config.pooling, plain.config.pooling);
        for (tensor, _, _) in plain.config.tensors() {
            assert!(
                file.tensor(&tensor).unwrap().bytes == plain.tensor(&tensor).unwrap().bytes,
                "{name} {tensor}"
            );
        }
    }
    let output = pull(&hub, &format!("{}/a/b/resolve/main/x.bin", hub.url()), &folder, &[]);
    assert!(err(&output).contains("is not there"), "{}", err(&output));
}

#[test]
fn gguf_files_are_taken_as_they_are() {
    let (hub, folder) = (Hub::start().unwrap(), folder("ready"));
    let wanted = crate::fixture::gguf(1);
    hub.put("somebody/ready", "small-Q8_0.gguf", wanted.clone());
    hub.put("somebody/ready", "small-F16.gguf", crate::fixture::gguf(2));
    hub.faults(Faults { cut: Some((3_000, 2)), ..Faults::default() });
    let address = format!("{}/somebody/ready/resolve/main/small-Q8_0.gguf", hub.url());
    for what in ["somebody/ready", &address] {
        let out = folder.join("m.gguf");
        let output = pull(&hub, what, &out, &[]);
        assert!(output.status.success(), "{what}: {}", err(&output));
        assert!(std::fs::read(&out).unwrap() == wanted, "{what}: other bytes");
        std::fs::remove_file(&out).unwrap();
    }
    let output = pull(&hub, "somebody/ready", &folder.join("m.gguf"), &["--type", "q4_0"]);
    assert!(err(&output).contains("take the address of one"), "{}", err(&output));
    hub.put("somebody/other", "m.gguf", b"GGUF, it says".to_vec());
    let output = pull(&hub, "somebody/other", &folder.join("m.gguf"), &[]);
    assert!(!output.status.success());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something was left");
}

#[test]
fn what_is_quantised_is_what_converts() {
    let folder = folder("quantize");
    let simcse = |words: &[&str], input: &Path, kind: &str, out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simcse"));
        command.args(words).arg(input).args(["--type", kind, "--out"]).arg(out);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?} {input:?} {kind}: {}", err(&output));
        std::fs::read(out).unwrap()
    };
    let encoders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders");
    for name in NAMES {
        let (checkpoint, fine) = (encoders.join(name), folder.join("f32.gguf"));
        simcse(&["convert"], &checkpoint, "f32", &fine);
        for kind in ["q8_0", "q4_0", "f16"] {
            let wanted = simcse(&["convert"], &checkpoint, kind, &folder.join("wanted.gguf"));
            let found = simcse(&["quantize"], &fine, kind, &folder.join("found.gguf"));
            let read = |bytes| BertFile::read("x", bytes, Some(String::new())).unwrap();
            let (found, wanted) = (read(found), read(wanted));
            // The keys' order is another one.
            assert_eq!(found.config, wanted.config, "{name} {kind}");
            assert_eq!(found.size_bytes(), wanted.size_bytes(), "{name} {kind}");
            for (tensor, _, _) in wanted.config.all_tensors(wanted.has_mlp()) {
                let [a, b] = [&found, &wanted].map(|file| file.tensor(&tensor).unwrap());
                assert!(a.bytes == b.bytes && a.block == b.block, "{name} {kind} {tensor}");
            }
        }
    }
}

#[test]
fn a_server_without_ranges_will_do() {
    let (hub, folder) = (Hub::start().unwrap(), folder("plain"));
    put(&hub, "sup-simcse-bert");
    hub.faults(Faults { no_ranges: true, ..Faults::default() });
    let output = pull(&hub, "somebody/sup-simcse-bert", &folder.join("m.gguf"), &[]);
    assert!(output.status.success(), "{}", err(&output));
}

#[test]
fn a_busy_hub_is_waited_for_and_refusals_are_said() {
    let (hub, folder) = (Hub::start().unwrap(), folder("refused"));
    put(&hub, "mpnet");
    let out = folder.join("m.gguf");
    hub.faults(Faults { status: Some((429, 2, 1)), ..Faults::default() });
    let output = pull(&hub, "somebody/mpnet", &out, &[]);
    assert!(output.status.success() && err(&output).contains("wait 1 seconds"), "{}", err(&output));
    hub.faults(Faults { status: Some((503, 1, 0)), ..Faults::default() });
    assert!(pull(&hub, "somebody/mpnet", &out, &[]).status.success());
    std::fs::remove_file(&out).unwrap();
    for (status, words) in
        [(401, "terms have to be agreed"), (404, "is not there"), (400, "HTTP 400")]
    {
        hub.faults(Faults { status: Some((status, 99, 0)), ..Faults::default() });
        let output = pull(&hub, "somebody/mpnet", &out, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(words), "{status}: {}", err(&output));
    }
    hub.faults(Faults::default());
    for (name, words) in [("nobody/nothing", "is not there"), ("no name", "names no model")] {
        let output = pull(&hub, name, &out, &[]);
        assert!(err(&output).contains(words), "{name}: {}", err(&output));
    }
    hub.put("somebody/empty", "config.json", b"{}".to_vec());
    let output = pull(&hub, "somebody/empty", &out, &[]);
    assert!(err(&output).contains("no weights"), "{}", err(&output));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something half-made was left");
}

#[test]
fn a_wrong_file_is_refused_and_nothing_is_left() {
    let (hub, folder) = (Hub::start().unwrap(), folder("wrong"));
    put(&hub, "distilbert");
    let (_, mut weights) = read("distilbert");
    // A pickle where safetensors belong; then a checkpoint of another shape.
    hub.put("somebody/distilbert", "model.safetensors", b"\x80\x02cposix\nsystem\n.".to_vec());
    let output = pull(&hub, "somebody/distilbert", &folder.join("m.gguf"), &[]);
    assert!(err(&output).contains("neither safetensors nor a PyTorch file"), "{}", err(&output));
    let half = weights[0].1.len() / 2;
    weights[0].1.truncate(half);
    hub.put("somebody/distilbert", "model.safetensors", weights.remove(0).1);
    let output = pull(&hub, "somebody/distilbert", &folder.join("m.gguf"), &[]);
    assert!(err(&output).contains("too early"), "{}", err(&output));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something half-made was left");
}

/// The peak of a child's memory, in bytes, looked at until it ends.
#[cfg(target_os = "linux")]
fn peak_of(mut child: std::process::Child) -> (u64, std::process::ExitStatus) {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let said = std::fs::read_to_string(&path).unwrap_or_default();
        let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0_u64) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            return (peak, status);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// BERT-base, 440 MB of weights, in both formats: what it takes to pull and quantise it.
#[cfg(target_os = "linux")]
#[test]
fn pulling_bert_base_takes_little_more_memory_than_its_quantised_size() {
    let (hub, folder) = (Hub::start().unwrap(), folder("peak"));
    for (shape, is_zip) in [(Shape::BertBase, false), (Shape::RobertaBase, true)] {
        let repository = format!("somebody/{}", shape.name());
        hub.put(&repository, "config.json", shape.config_json().into_bytes());
        hub.put(&repository, "vocab.txt", shape.vocabulary_txt().into_bytes());
        match is_zip {
            true => hub.put(&repository, "pytorch_model.bin", shape.pytorch()),
            false => hub.put(&repository, "model.safetensors", shape.safetensors()),
        }
        let out = folder.join("m.gguf");
        let mut command = Command::new(env!("CARGO_BIN_EXE_simcse"));
        command.arg("pull").arg(&repository).arg("--out").arg(&out).args(["--hub", &hub.url()]);
        let (peak, status) = peak_of(command.env_remove("HF_TOKEN").spawn().unwrap());
        assert!(status.success());
        let size = std::fs::metadata(&out).unwrap().len();
        println!("{}: {size} bytes, peak {peak} bytes", shape.name());
        assert!(size > 100_000_000 && peak > size, "{size} bytes, peak {peak}: not measured");
        assert!(peak <= size + 150_000_000, "{size} bytes, peak {peak}");
        // Stopped in the middle, the same command goes on.
        if is_zip {
            continue;
        }
        let whole = std::fs::read(&out).unwrap();
        let before = hub.sent().0;
        hub.faults(Faults { bytes_per_s: Some(150_000_000), ..Faults::default() });
        let mut command = Command::new(env!("CARGO_BIN_EXE_simcse"));
        command.arg("pull").arg(&repository).arg("--out").arg(&out).args(["--hub", &hub.url()]);
        let mut child = command.env_remove("HF_TOKEN").spawn().unwrap();
        let note = folder.join("m.gguf.part.json");
        while !note.is_file() || hub.sent().0 < before + 200_000_000 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        hub.faults(Faults::default());
        let broken_off = hub.sent().0;
        let output = pull(&hub, &repository, &out, &[]);
        assert!(output.status.success() && err(&output).contains("going on"), "{}", err(&output));
        let again = hub.sent().0 - broken_off;
        assert!(again < 300_000_000, "{again} bytes were sent again");
        assert!(std::fs::read(&out).unwrap() == whole, "other bytes after going on");
    }
}
