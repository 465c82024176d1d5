//! Adapters on the command line: merging, measuring and embedding with one, looking into one.

use std::fs;
use std::path::{Path, PathBuf};

use simcse_lab::math::rows::dot;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::adapter::Changes;
use simcse_lab::weights::adapter_file::{AdapterMeta, write};
use simcse_lab::weights::bert::BertFile;

use crate::cli::{err, feed, folder, good, out, simcse, tiny_model, vectors};
use crate::fixture;

/// Sizes of the tiny model.
const HIDDEN: usize = 32;
const FEED_FORWARD: usize = 64;

/// An adapter for the tiny model, or for one of another hash.
fn adapter(path: &Path, base_sha256: Option<&str>) -> PathBuf {
    let base = BertFile::read("tiny", fs::read(tiny_model()).unwrap(), None).unwrap();
    let changes = Changes::from([
        ("blk.0.attn_v.weight".to_owned(), fixture::low_rank(4, HIDDEN, HIDDEN, 0.2, 1)),
        ("blk.1.ffn_up.weight".to_owned(), fixture::low_rank(6, HIDDEN, FEED_FORWARD, 0.2, 2)),
    ]);
    let meta = AdapterMeta {
        name: "tuned".to_owned(),
        base_name: "tiny-base".to_owned(),
        base_sha256: base_sha256.unwrap_or(&base.sha256).to_owned(),
        recipe: "temperature = 0.05\nsteps = 25\n".to_owned(),
        seed: 4711,
        pooling: Some(Pooling::Cls),
        best_pooling: Some(Pooling::Mean),
        metrics: vec![("STS-B dev, mean".to_owned(), "86.9".to_owned())],
        ..AdapterMeta::default()
    };
    fs::write(path, write(&changes, &meta).unwrap()).unwrap();
    path.to_owned()
}

fn row(model: &Path, extra: &[&str]) -> Vec<f32> {
    let mut command = simcse();
    command.args(["embed", "--model"]).arg(model).args(extra);
    vectors(&out(&feed(&mut command, "a bright lantern"))).remove(0)
}

#[test]
fn a_merged_file_is_the_model_with_its_adapter() {
    let folder = folder("merge");
    let adapter = adapter(&folder.join("a.gguf"), None);
    let adapter = adapter.to_str().unwrap();
    let merge = |extra: &[&str]| {
        let path = folder.join("merged.gguf");
        let mut command = simcse();
        command.args(["merge", "--model"]).arg(tiny_model()).args(["--adapter", adapter, "--out"]);
        let said = out(&good(command.arg(&path).args(extra)));
        (path, said)
    };
    let (merged, said) = merge(&["--type", "f32"]);
    assert!(said.contains("tuned") && said.contains("mean pooling"), "{said}");
    let with_adapter = row(&tiny_model(), &["--adapter", adapter]);
    // Merged into f32 it runs in f32, attached to q8_0 it runs in int8.
    assert!(dot(&row(&merged, &[]), &with_adapter) > 0.999);
    let (merged, _) = merge(&["--type", "q8_0"]);
    assert_eq!(row(&merged, &[]), with_adapter);
    let plain = row(&tiny_model(), &["--pooling", "mean"]);
    assert!(dot(&plain, &with_adapter) < 0.999);
    assert_eq!(row(&tiny_model(), &["--adapter", adapter, "--blend", "0"]), plain);
    let half = row(&tiny_model(), &["--adapter", adapter, "--blend", "0.5"]);
    assert!(dot(&plain, &half) > dot(&plain, &with_adapter));

    let told = ["--type", "q8_0", "--pooling", "cls", "--name", "mine", "--blend", "0.5"];
    let (merged, said) = merge(&told);
    assert!(said.contains("mine, q8_0, cls pooling"), "{said}");
    let first = fs::read(&merged).unwrap();
    assert_eq!(first, fs::read(merge(&told).0).unwrap());
    let info = out(&good(simcse().arg("info").arg(&merged)));
    for part in
        ["simcse.adapter.sha256", "simcse.base.sha256", "name: mine", "tokenizer.ggml.tokens"]
    {
        assert!(info.contains(part), "{part} is not in {info}");
    }
    let rounded = ["--adapter", adapter, "--blend", "0.5", "--pooling", "cls", "--type", "q8_0"];
    assert_eq!(row(&merged, &[]), row(&tiny_model(), &rounded));
}

#[test]
fn an_adapter_tells_where_it_comes_from() {
    let adapter = adapter(&folder("adapter-info").join("a.gguf"), None);
    let info = out(&good(simcse().arg("info").arg(&adapter)));
    let parts = [
        "name: tuned",
        "base: tiny-base",
        "seed: 4711",
        "trained readout: cls",
        "best readout: mean",
        "STS-B dev, mean: 86.9",
        "  steps = 25",
        "adapter.lora.alpha",
    ];
    for part in parts {
        assert!(info.contains(part), "{part} is not in {info}");
    }
}

#[test]
fn an_adapter_of_another_model_is_refused_by_both_names() {
    let folder = folder("adapter-base");
    let adapter = adapter(&folder.join("a.gguf"), Some(&"ab".repeat(32)));
    let mut sts = simcse();
    let pairs = folder.join("pairs.csv");
    fs::write(&pairs, "a,b,1\nc,d,2\n").unwrap();
    sts.args(["sts", "--model"]).arg(tiny_model()).arg("--adapter").arg(&adapter).arg(pairs);
    let mut merge = simcse();
    merge.args(["merge", "--type", "f16", "--model"]).arg(tiny_model());
    merge.arg("--adapter").arg(&adapter).arg("--out").arg(folder.join("never.gguf"));
    let base = BertFile::read("tiny", fs::read(tiny_model()).unwrap(), None).unwrap();
    for mut command in [sts, merge] {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        for part in ["tiny-base", &base.config.name, &base.sha256, &"ab".repeat(32)] {
            assert!(err(&output).contains(part), "{}", err(&output));
        }
    }
    assert!(!folder.join("never.gguf").exists());
}

#[test]
fn a_blend_out_of_range_and_one_without_an_adapter_are_not_understood() {
    let adapter = adapter(&folder("adapter-blend").join("a.gguf"), None);
    for wrong in ["-0.1", "1.6", "nan", "much"] {
        let mut command = simcse();
        command.args(["embed", "--model"]).arg(tiny_model()).arg("--adapter").arg(&adapter);
        let output = feed(command.arg(format!("--blend={wrong}")), "");
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    let mut command = simcse();
    let output = feed(command.args(["embed", "--blend", "1", "--model"]).arg(tiny_model()), "");
    assert_eq!(output.status.code(), Some(2));
}
