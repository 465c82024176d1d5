//! Every chart against the drawing that was looked at and kept in `tests/snapshots/`.
//! `UPDATE_SNAPSHOTS=1 cargo test --test native charts` writes them anew; look at them before
//! committing.

use std::fs;
use std::path::Path;

use simcse_lab::chart::heat_map::{HeatMap, heat_map};
use simcse_lab::chart::ramp::{DARK, LIGHT};
use simcse_lab::chart::scale_bar::{ScaleBar, scale_bar};
use simcse_lab::chart::scatter::{Scatter, scatter};
use simcse_lab::chart::scene::Scene;

fn compare(name: &str, scene: &Scene) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let path = folder.join(format!("{name}.svg"));
    let drawn = scene.to_svg().replace("><", ">\n<");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        return fs::write(&path, drawn).map_err(|error| error.to_string());
    }
    let kept = fs::read_to_string(&path).map_err(|error| format!("{name}.svg: {error}"))?;
    let differs = kept.lines().zip(drawn.lines()).find(|(kept, drawn)| kept != drawn);
    match differs {
        Some((kept, drawn)) => Err(format!("{name}.svg\n  kept:  {kept}\n  drawn: {drawn}")),
        None if kept.lines().count() != drawn.lines().count() => {
            Err(format!("{name}.svg has another number of shapes"))
        }
        None => Ok(()),
    }
}

fn names(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn bar(cosine: Option<f32>, unrelated: Option<[f32; 3]>) -> ScaleBar {
    ScaleBar {
        cosine,
        unrelated,
        unrelated_label: "unrelated 0.06".into(),
        identical_label: "identical 1".into(),
        description: "66 % of the way".into(),
    }
}

#[test]
fn scale_bar_before_between_and_beyond() -> Result<(), String> {
    compare("scale_bar_empty", &scale_bar(&bar(None, None), 640.0, &LIGHT))?;
    let between = bar(Some(0.68), Some([-0.05, 0.06, 0.2]));
    compare("scale_bar_between", &scale_bar(&between, 640.0, &LIGHT))?;
    let below = bar(Some(-0.6), Some([-0.05, 0.06, 0.2]));
    compare("scale_bar_below", &scale_bar(&below, 320.0, &DARK))
}

#[test]
fn heat_map_of_words_and_of_a_dense_matrix() -> Result<(), String> {
    let (rows, columns) = (names(&["[CLS]", "bread"]), names(&["[CLS]", "loaves", "."]));
    let map = HeatMap {
        row_labels: &rows,
        column_labels: &columns,
        values: &[0.87, 0.1, 0.4, 0.47, 0.67, -0.2],
        floor: 0.0,
        pale_diagonal: false,
        marked: Some((1, 1)),
        description: "2 tokens with 3".into(),
    };
    compare("heat_map_tokens", &heat_map(&map, 420.0, &LIGHT))?;
    let many: Vec<String> = (1..=24).map(|place| format!("{place} a sentence")).collect();
    let values: Vec<f32> = (0..576).map(|cell| (cell % 24) as f32 / 23.0).collect();
    let dense = HeatMap {
        row_labels: &many,
        column_labels: &many,
        values: &values,
        floor: 0.06,
        pale_diagonal: true,
        marked: None,
        description: "24 x 24".into(),
    };
    compare("heat_map_dense", &heat_map(&dense, 360.0, &DARK))
}

#[test]
fn scatter_of_gold_scores() -> Result<(), String> {
    let data = Scatter {
        gold: &[0.0, 2.5, 5.0],
        cosines: &[-0.05, 0.4, 0.93],
        gold_label: "gold score".into(),
        cosine_label: "cosine".into(),
        description: "3 pairs".into(),
    };
    compare("scatter", &scatter(&data, (420.0, 260.0), &LIGHT))
}
