//! The measures on the STS-B dev set: of the default weights against NumPy's figures
//! (`tests/measures/reference.py`), of f32 weights against the table of readouts in the facts we
//! build on.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::Value;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::geometry::alignment::POSITIVE_ABOVE;
use simcse_lab::geometry::cosine::mean_cosine;
use simcse_lab::geometry::given::Given;
use simcse_lab::geometry::study::Study;
use simcse_lab::geometry::uniformity::uniformity;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::lab::{Findings, Scored, Treatment};
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;

use crate::golden::default_weights;
use crate::shared;

const HIDDEN: usize = 384;
const LAYERS: usize = 6;

/// The dev set, and its vectors in every layer.
struct Dev {
    sentences: Vec<String>,
    gold: Vec<f32>,
    /// `[2 pairs, HIDDEN]` of each layer, by `[CLS]` and by the mean.
    rows: Vec<Vec<f32>>,
}

impl Dev {
    fn rows(&self, layer: usize, pooling: Pooling) -> &[f32] {
        &self.rows[2 * layer + usize::from(pooling == Pooling::Mean)]
    }

    /// The rows of different sentences.
    fn different(&self, rows: &[f32]) -> Vec<f32> {
        let mut seen = HashSet::new();
        let mine = self.sentences.iter().zip(rows.chunks_exact(HIDDEN));
        mine.filter(|(text, _)| seen.insert(*text)).flat_map(|(_, row)| row).copied().collect()
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

impl Dev {
    /// `None` where the data is not here.
    fn new(file: &BertFile) -> Option<Self> {
        let path = shared::data("stsb/dev.csv")?;
        let encoder = Encoder::load(Cpu::default(), file).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
        let (mut ids, mut sentences, mut gold) = (Vec::new(), Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.unwrap();
            for text in [&record[0], &record[1]] {
                ids.push(encoder.tokenise(text).unwrap().ids);
                sentences.push(text.to_owned());
            }
            gold.push(record[2].parse().unwrap());
        }
        let mut rows = encoder.begin_layers(ids).unwrap();
        while pollster::block_on(encoder.step_layers(&mut rows)).unwrap() {}
        Some(Self { sentences, gold, rows: rows.into_rows() })
    }
}

/// By the default weights, which give the same vectors on every machine.
static DEFAULT: LazyLock<Option<Dev>> = LazyLock::new(|| Dev::new(&default_weights()));

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
    let Some(dev) = &*DEFAULT else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/measures/stsb-dev.json");
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, treatment) in treatments {
        let rows = dev.rows(LAYERS, pooling).to_vec();
        let mut study = Study::new(*treatment, dev.given(), rows, HIDDEN);
        while study.step().unwrap() {}
        let expected = &figures[pooling.name()][name];
        compare(&format!("{}, {name}", pooling.name()), &study.finish().findings, expected);
    }
}

#[test]
fn what_is_found_of_the_mean_readout_equals_numpy() {
    let treatments = [
        ("as-is", Treatment::AsTheyAre),
        ("centred", Treatment::Centred),
        ("abtt:2", Treatment::AllButTheTop { directions: 2 }),
        ("whitened", Treatment::Whitened { keep: None }),
        ("whitened:64", Treatment::Whitened { keep: Some(64) }),
    ];
    check_readout(Pooling::Mean, &treatments);
}

#[test]
fn what_is_found_of_the_narrow_cls_readout_equals_numpy() {
    let treatments = [
        ("as-is", Treatment::AsTheyAre),
        ("abtt:2", Treatment::AllButTheTop { directions: 2 }),
        ("whitened", Treatment::Whitened { keep: None }),
    ];
    check_readout(Pooling::Cls, &treatments);
}

/// A line of the table: layer, pooling; Spearman x 100, alignment of pairs scored 4 and more,
/// uniformity and mean cosine.
type Line = (usize, Pooling, f64, f64, f64, f64);

const TABLE: [Line; 7] = [
    (6, Pooling::Mean, 86.72, 0.267, -3.853, 0.017),
    (6, Pooling::Cls, 79.73, 0.116, -1.746, 0.550),
    (5, Pooling::Mean, 76.25, 0.121, -1.696, 0.553),
    (4, Pooling::Mean, 66.84, 0.133, -1.796, 0.512),
    (3, Pooling::Mean, 63.03, 0.136, -1.758, 0.521),
    (1, Pooling::Mean, 67.12, 0.147, -1.481, 0.613),
    (5, Pooling::Cls, 57.95, 0.000, -0.003, 0.999),
];

/// Spearman and alignment agree to the last digit. Which sentences the two other columns are of is
/// not said: not of all (another line of the same facts has other values for the same readout), so
/// some of them. They agree as well as a sample of different sentences can be expected to.
#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "f32 takes ten minutes where the compiler does not vectorise"
)]
fn the_table_of_readouts_is_found_within_its_rounding() {
    let Some(weights) = shared::reference_weights(BlockType::F32) else { return };
    let Some(dev) = Dev::new(&BertFile::read("reference", weights, None).unwrap()) else { return };
    let mut given = dev.given();
    let positive = given.scored.iter().filter(|pair| pair.gold >= POSITIVE_ABOVE);
    given.positives = positive.map(|pair| (pair.first, pair.second)).collect();
    let mut misses = Vec::new();
    for (layer, pooling, correlation, alignment, uniform, cosine) in TABLE {
        let rows = dev.rows(layer, pooling);
        let different = dev.different(rows);
        let found = [
            (given.spearman(rows, HIDDEN).unwrap() * 100.0, correlation, 0.005_1),
            (given.alignment(rows, HIDDEN).unwrap(), alignment, 0.000_51),
            (uniformity(&different, HIDDEN).unwrap(), uniform, 0.01),
            (mean_cosine(&different, HIDDEN).unwrap(), cosine, 0.002_5),
        ];
        for (found, expected, allowed) in found {
            println!("layer {layer}, {}: {found:.5}, {expected}", pooling.name());
            if (found - expected).abs() > allowed {
                misses.push((layer, pooling, found, expected));
            }
        }
    }
    assert_eq!(misses, []);
}
