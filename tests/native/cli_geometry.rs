//! `simcse geometry` as a user runs it.

use std::fs;

use serde_json::Value;

use crate::cli::{err, feed, folder, good, out, simcse, tiny_model};

const PAIRS: &str = "\"a boat, small\",a small boat,4.8
the river sleeps,the river sings,3
a quiet garden,seven loud birds,0.5
the baker sings,the baker paints,4.5
never open,not near,1
the baker sings,the baker sings,5
";

fn geometry(extra: &[&str], file: &std::path::Path) -> Value {
    let mut command = simcse();
    command.args(["geometry", "--json", "--model"]).arg(tiny_model()).args(extra).arg(file);
    serde_json::from_str(&out(&good(&mut command))).unwrap()
}

fn near(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
}

#[test]
fn pairs_have_the_figures_of_sts_each_sentence_counted_once() {
    let folder = folder("geometry");
    let (all, distinct) = (folder.join("all.csv"), folder.join("distinct.csv"));
    fs::write(&all, PAIRS).unwrap();
    // Without the last pair, every sentence is there once.
    let (first, _) = PAIRS.rsplit_once("the baker sings,the baker").unwrap();
    fs::write(&distinct, first).unwrap();
    let figures = geometry(&[], &all);
    let mut command = simcse();
    command.args(["sts", "--json", "--model"]).arg(tiny_model()).arg(&distinct);
    let sts: Value = serde_json::from_str(&out(&good(&mut command))).unwrap();
    for measure in ["alignment", "uniformity", "mean_cosine"] {
        near(&figures[measure], &sts[measure]);
    }
    near(&geometry(&[], &distinct)["spearman"], &sts["spearman"]);
    assert_eq!(figures["sentences"], 10);
    assert_eq!(figures["repeated"], 2);
    assert_eq!(figures["pairs"], 45);
    assert_eq!(figures["uniformity_error"], Value::Null);
    assert_eq!(figures["iso_score"], Value::Null);
    let pairs: Vec<_> =
        figures["bands"].as_array().unwrap().iter().map(|it| &it["pairs"]).collect();
    assert_eq!(pairs, [1, 1, 0, 1, 3]);
    let hub = figures["hub"].as_str().unwrap();
    assert!(PAIRS.contains(hub));
}

#[test]
fn a_treatment_is_applied_and_named_wrongly_it_is_refused() {
    let folder = folder("geometry_treatments");
    let file = folder.join("pairs.csv");
    fs::write(&file, PAIRS).unwrap();
    let uniformity = |treatment: &str| {
        let figures = geometry(&["--treatment", treatment], &file);
        (figures["uniformity"].as_f64().unwrap(), figures["dimensions"].as_u64().unwrap())
    };
    let plain = uniformity("as-is");
    let centred = uniformity("centred");
    assert!(centred.0 < plain.0 - 0.1, "{plain:?} {centred:?}");
    assert_eq!(uniformity("abtt:0"), centred);
    assert_ne!(uniformity("abtt:1"), centred);
    assert_eq!((uniformity("whitened").1, uniformity("whitened:3").1), (2, 3));
    for wrong in ["round", "abtt", "abtt:x", "centred:1", "whitened:-1"] {
        let mut command = simcse();
        command.args(["geometry", "--treatment", wrong, "--model"]).arg(tiny_model()).arg(&file);
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn the_table_says_what_there_is_and_too_little_is_named() {
    let geometry = |extra: &[&str], text: &str| {
        let mut command = simcse();
        command.args(["geometry", "--model"]).arg(tiny_model()).args(extra);
        feed(&mut command, text)
    };
    let sentences = "a small boat\nthe river sings\na small boat\nseven loud birds\nnot near\n";
    let table = out(&geometry(&[], sentences));
    for line in [
        "sentences       4, and 1 repeated",
        "dimensions      32",
        "pairs           6",
        "alignment       -",
        "iso_score       -",
        "spearman        -",
        "among the 3 nearest of 3 of 4",
    ] {
        assert!(table.contains(line), "{line} is not in {table}");
    }
    assert!(table.contains(" +- ") && !table.contains("band"), "{table}");
    let table = out(&geometry(&[], &PAIRS.replace("\"a boat, small\"", "a boat")));
    assert!(table.contains("band 0 to 1     1 pairs, mean cosine"), "{table}");
    for (extra, text, reason) in [
        (&["--treatment", "whitened"][..], sentences, "4 sentences: this treatment needs 8"),
        (&[], "one\none\n", "fewer than two different sentences"),
    ] {
        let output = geometry(extra, text);
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(reason), "{}", err(&output));
    }
}
