//! `simcse train` as a user runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::adapter_file::AdapterFile;

use crate::cli::{err, folder, good, out, simcse, tiny_model};

const PAIRS: &str = "a small boat,a boat,4.8
the river sleeps,the river sings,3
a quiet garden,seven loud birds,0.5
the baker sings,the baker paints,4.5
never open,not near,1
";

const RECIPE: &str = "
name = 'tiny'
licence = 'mit'
[dev]
path = 'dev.csv'
[[source]]
name = 'lines'
path = 'lines.txt'
kind = 'lines'
max_words = 6
[[source]]
name = 'triplets'
path = 'triplets.tsv'
kind = 'triplets'
[[stage]]
data.lines = {}
trained = { lora = { rank = 2, alpha = 2.0, linears = 'all' } }
learning_rate = 1e-2
batch = 4
steps = 4
measure_every = 2
[[stage]]
data.triplets.share = 1.0
data.lines.share = 1.0
trained = { lora = { rank = 2, alpha = 2.0, linears = 'all' } }
batch = 4
steps = 2
measure_every = 1
";

/// A folder with a recipe and its data.
fn workshop(name: &str) -> PathBuf {
    let folder = folder(name);
    fs::create_dir(folder.join("data")).unwrap();
    let lines = "the river sings\na small boat crosses\nthe baker paints\nnever open\n\
        a bright lantern\nthe quiet river\nseven birds\nnot near\na garden\n\
        a line of far more words than the six that are allowed\na garden\n";
    fs::write(folder.join("data/lines.txt"), lines).unwrap();
    let triplets = "premise\tentailment\tcontradiction\n\
        the river sleeps now\tthe river\ta loud garden\n\
        a boat crosses\tthe boat\tthe lantern\n\
        the baker sings\tthe baker\tseven birds\n";
    fs::write(folder.join("data/triplets.tsv"), triplets).unwrap();
    fs::write(folder.join("data/dev.csv"), PAIRS).unwrap();
    fs::write(folder.join("recipe.toml"), RECIPE).unwrap();
    folder
}

fn train(folder: &Path) -> Command {
    let mut command = simcse();
    command.arg("train").arg("--recipe").arg(folder.join("recipe.toml"));
    command.arg("--base").arg(tiny_model()).arg("--data").arg(folder.join("data"));
    command
}

fn lines(text: &str, event: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == event).collect()
}

#[test]
fn stages_run_one_after_another_and_the_best_checkpoint_is_written() {
    let folder = workshop("train");
    let path = folder.join("a.gguf");
    let run = || good(train(&folder).arg("--json").arg("--out").arg(&path));
    let output = run();
    let text = out(&output);
    let began = lines(&text, "began");
    // Of eleven lines four are in the dev set, one is too long, and one is there twice.
    assert_eq!(began[0]["outline"]["examples"], 5);
    assert_eq!(began[1]["outline"]["examples"], 4, "two of each: one triplet is in the dev set");
    let measured = lines(&text, "measured");
    let places: Vec<_> =
        measured.iter().map(|it| (it["stage"].as_u64(), it["step"].as_u64())).collect();
    let expected = [(0, 0), (0, 2), (0, 4), (1, 0), (1, 1), (1, 2)];
    assert_eq!(places, expected.map(|(stage, step)| (Some(stage), Some(step))));
    assert_eq!(lines(&text, "step").len(), 6);
    assert!(err(&output).contains("  best"), "{}", err(&output));

    let bytes = fs::read(&path).unwrap();
    let adapter = AdapterFile::read("a", &bytes).unwrap();
    assert_eq!((adapter.meta.name.as_str(), adapter.meta.recipe.as_str()), ("tiny", RECIPE));
    assert_eq!(
        (adapter.meta.licence.as_deref(), adapter.meta.pooling),
        (Some("mit"), Some(Pooling::Cls))
    );
    let curve: Vec<Value> = serde_json::from_str(&adapter.meta.curve).unwrap();
    assert_eq!(curve.len(), 6);
    run();
    assert_eq!(fs::read(&path).unwrap(), bytes, "equal recipes give equal bytes");

    let best = measured.iter().filter(|it| it["step"] != 0);
    let best = best.map(|it| it["spearman"].as_f64().unwrap()).fold(f64::MIN, f64::max);
    let sts = |adapter: &[&str]| {
        let mut command = simcse();
        command.args(["sts", "--json", "--pooling", "cls", "--model"]).arg(tiny_model());
        command.args(adapter).arg(folder.join("data/dev.csv"));
        serde_json::from_str::<Value>(&out(&good(&mut command))).unwrap()
    };
    let near = |figures: &Value, key: &str, expected: &Value, tolerance: f64| {
        let difference = figures[key].as_f64().unwrap() - expected.as_f64().unwrap();
        assert!(difference.abs() < tolerance, "{key}: {figures} {expected}");
    };
    let before = sts(&[]);
    for key in ["spearman", "alignment", "uniformity", "mean_cosine"] {
        // The trainer measures in f32, `sts` in int8, and a model of 32 dimensions feels that: its
        // uniformity is .0054 off, the others less than a third of that.
        near(&before, key, &measured[0][key], 1e-2);
    }
    near(&sts(&["--adapter", path.to_str().unwrap()]), "spearman", &best.into(), 0.1);
}

#[test]
fn settings_can_be_changed_and_what_is_wrong_is_named() {
    let folder = workshop("train_set");
    let set = |changes: &[&str]| {
        let mut command = train(&folder);
        changes.iter().for_each(|change| {
            command.arg("--set").arg(change);
        });
        command.arg("--json").output().unwrap()
    };
    let output = set(&["stage.0.steps=1", "stage.1.steps=1", "stage.1.data.lines.count=1"]);
    assert_eq!(lines(&out(&output), "step").len(), 2, "{}", err(&output));
    assert_eq!(lines(&out(&output), "began")[1]["outline"]["examples"], 3);
    let wrong = [
        (&["stage.0.stepss=1"][..], "stepss"),
        (&["stage.0.data={ novels = {} }"], "novels"),
        (&["source.0.path=gone.txt"], "gone.txt"),
        (&["stage.0.data.lines.count=1"], "at least 2"),
        (&["stage.0.readout=mean", "dev.readout=cls"], "dev.readout"),
        (&["stage.1.trained=everything"], "adapter"),
    ];
    for (changes, expected) in wrong {
        let output = set(changes);
        assert_eq!(output.status.code(), Some(1), "{changes:?}");
        assert!(err(&output).contains(expected), "{changes:?}: {}", err(&output));
    }
}

#[test]
fn a_floor_for_the_mean_readout_goes_before_the_score() {
    let folder = workshop("train_floor");
    let output = good(train(&folder).args(["--set", "dev.keep_mean_above=2"]));
    assert!(err(&output).contains("above the floor"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_the_best_so_far() {
    let folder = workshop("train_interrupted");
    let path = folder.join("a.gguf");
    let mut command = train(&folder);
    command.args(["--json", "--set", "stage.0.steps=1000000", "--out"]).arg(&path);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let measured = lines.by_ref().filter(|line| line.as_ref().unwrap().contains("measured"));
    assert_eq!(measured.take(3).count(), 3);
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    lines.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    assert!(AdapterFile::read("a", &fs::read(&path).unwrap()).is_ok());
}
