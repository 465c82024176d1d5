//! The measures on the STS-B dev set, with f32 weights: against NumPy's figures
//! (`tests/measures/reference.py`), and against the table of readouts in the facts we build on.

use std::sync::LazyLock;

use serde_json::Value;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::geometry::alignment::{POSITIVE_ABOVE, alignment};
use simcse_lab::geometry::cosine::mean_cosine;
use simcse_lab::geometry::given::Given;
use simcse_lab::geometry::study::Study;
use simcse_lab::geometry::uniformity::uniformity;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::lab::{Findings, Scored, Treatment};
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;

use crate::shared;

const HIDDEN: usize = 384;
const LAYERS: usize = 6;

/// The dev set, and its vectors in every layer.
struct Dev {
    gold: Vec<f32>,
    /// `[2 pairs, HIDDEN]` of each layer, by `[CLS]` and by the mean.
    rows: Vec<Vec<f32>>,
}

impl Dev {
    fn rows(&self, layer: usize, pooling: Pooling) -> &[f32] {
        &self.rows[2 * layer + usize::from(pooling == Pooling::Mean)]
    }

    /// First and second sentence of each pair lie side by side.
    fn given(&self) -> Given {
        let scored = |(pair, gold): (u32, &f32)| Scored {
            first: 2 * pair,
            second: 2 * pair + 1,
            gold: *gold,
        };
        let scored: Vec<Scored> = (0..).zip(&self.gold).map(scored).collect();
        let positive = scored.iter().filter(|pair| pair.gold > POSITIVE_ABOVE);
        let positives = positive.map(|pair| (pair.first, pair.second)).collect();
        Given { positives, scored }
    }
}

/// Computed once for all tests; `None` where the data or the weights are not here.
static DEV: LazyLock<Option<Dev>> = LazyLock::new(|| {
    let path = shared::data("stsb/dev.csv")?;
    let file = BertFile::read("reference", shared::reference_weights(BlockType::F32)?, None);
    let encoder = Encoder::load(Cpu::default(), &file.unwrap()).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
    let (mut ids, mut gold) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        for text in [&record[0], &record[1]] {
            ids.push(encoder.tokenise(text).unwrap().ids);
        }
        gold.push(record[2].parse().unwrap());
    }
    let mut rows = encoder.begin_layers(ids).unwrap();
    while pollster::block_on(encoder.step_layers(&mut rows)).unwrap() {}
    Some(Dev { gold, rows: rows.into_rows() })
});

fn near(what: &str, found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: {expected}"));
    let allowed = tolerance * expected.abs().max(1.0);
    assert!((found - expected).abs() <= allowed, "{what}: {found}, NumPy has {expected}");
}

fn compare(name: &str, found: &Findings, expected: &Value) {
    let single = [
        ("alignment", found.alignment.unwrap()),
        ("uniformity", found.shape.uniformity),
        ("mean_cosine", found.shape.mean_cosine),
        ("mean_cosine_error", found.mean_cosine_error.unwrap()),
        ("effective_rank", found.shape.effective_rank),
        ("sphere_share", f64::from(found.shape.sphere_share)),
        ("iso_score", found.iso_score.unwrap()),
        ("top_share", found.top_share),
        ("spearman", found.spearman.unwrap()),
    ];
    for (measure, found) in single {
        near(&format!("{name}, {measure}"), found, &expected[measure], 1e-5);
    }
    for (measure, found) in
        [("spectrum", &found.shape.spectrum), ("histogram", &found.shape.histogram)]
    {
        let expected = expected[measure].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            near(&format!("{name}, {measure}"), f64::from(*found), expected, 1e-5);
        }
    }
    let bands = expected["bands"].as_array().unwrap();
    assert_eq!(found.bands.len(), bands.len());
    for (found, expected) in found.bands.iter().zip(bands) {
        assert_eq!(Some(u64::from(found.pairs)), expected["pairs"].as_u64());
        near(&format!("{name}, band"), found.mean_cosine, &expected["mean_cosine"], 1e-5);
    }
    // A tenth neighbour that is as near as the eleventh but for rounding is either of them.
    let (found, expected) = (found.hubness.unwrap(), &expected["hubness"]);
    near(&format!("{name}, hubness"), found.skewness, &expected["skewness"], 2e-3);
    near(&format!("{name}, hub"), f64::from(found.named), &expected["named"], 0.02);
}

fn check_readout(pooling: Pooling, treatments: &[(&str, Treatment)]) {
    let Some(dev) = &*DEV else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/measures/stsb-dev.json");
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, treatment) in treatments {
        let rows = dev.rows(LAYERS, pooling).to_vec();
        let mut study = Study::new(*treatment, dev.given(), rows, HIDDEN);
        while study.step().unwrap() {}
        let name = format!("{}, {name}", pooling.name());
        compare(&name, &study.finish().findings, &figures[pooling.name()][name_of(*treatment)]);
    }
}

fn name_of(treatment: Treatment) -> String {
    match treatment {
        Treatment::AsTheyAre => "as-is".to_owned(),
        Treatment::Centred => "centred".to_owned(),
        Treatment::AllButTheTop { directions } => format!("abtt:{directions}"),
        Treatment::Whitened { keep: None } => "whitened".to_owned(),
        Treatment::Whitened { keep: Some(keep) } => format!("whitened:{keep}"),
    }
}

#[test]
fn what_is_found_of_the_mean_readout_equals_numpy() {
    check_readout(Pooling::Mean, &[]);
}
