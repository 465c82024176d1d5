//! Maps on the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cli::{err, feed, folder, good, out, simcse, tiny_model};

/// Vectors of forty sentences.
fn rows(folder: &Path) -> PathBuf {
    let path = folder.join("e.npy");
    let (who, does) =
        (["boat", "bird", "baker", "river", "garden"], ["sings", "sleeps", "opens", "paints"]);
    let mut text = String::new();
    for number in 0..40 {
        let (who, does) = (who[number % 5], does[number / 5 % 4]);
        let end = if number < 20 { "near the stone" } else { "under a small green lantern" };
        text.push_str(&format!("the {who} {does} {end}\n"));
    }
    let mut command = simcse();
    command.args(["embed", "--model"]).arg(tiny_model()).arg("--out").arg(&path);
    assert!(feed(&mut command, &text).status.success());
    path
}

fn map(rows: &Path, extra: &[&str]) -> Command {
    let mut command = simcse();
    command.args(["map", "--json", "--rows"]).arg(rows).args(extra);
    command
}

#[test]
fn equal_seeds_write_equal_bytes_and_say_how_far_to_believe_them() {
    let folder = folder("map");
    let rows = rows(&folder);
    let path = folder.join("map.npy");
    let made = |extra: &[&str]| {
        let figures = out(&good(map(&rows, extra).arg("--out").arg(&path)));
        (fs::read(&path).unwrap(), serde_json::from_str::<Value>(&figures).unwrap())
    };
    for method in
        [&["--method", "pca"][..], &["--method", "tsne", "--steps", "300"], &["--method", "umap"]]
    {
        let (bytes, figures) = made(method);
        assert!(bytes == made(method).0, "{method:?}");
        assert_eq!(bytes.len(), 128 + 40 * 2 * 4);
        assert_eq!((&figures["rows"], &figures["judged"]), (&40.into(), &40.into()));
        assert_eq!(
            (&figures["neighbours"], &figures["exact_neighbours"]),
            (&15.into(), &true.into())
        );
        assert!(figures["trustworthiness"].as_f64().unwrap() > 0.75, "{method:?} {figures}");
        assert_eq!(figures["explained"].is_null(), method[1] != "pca");
        let other = made(&[method, &["--seed", "2"]].concat()).0;
        assert_eq!(other == bytes, method[1] == "pca", "{method:?}");
    }
    let before = fs::read(&path).unwrap();
    let start = path.to_str().unwrap();
    let (from, _) = made(&["--method", "tsne", "--steps", "300", "--start", start]);
    assert_ne!(from, before);
}

#[test]
fn what_cannot_be_mapped_is_named() {
    let folder = folder("map_bad");
    let rows = rows(&folder);
    let path = folder.join("cut.npy");
    let bytes = fs::read(&rows).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let said = |mut command: Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        err(&output)
    };
    assert!(said(map(&path, &[])).contains("cut.npy cannot be read"));
    assert!(said(map(&tiny_model(), &[])).contains("not a NumPy file"));
    let start = rows.to_str().unwrap();
    assert!(said(map(&rows, &["--start", start])).contains("wanted are [40, 2]"));
}
