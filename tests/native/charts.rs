//! Every chart against the drawing that was looked at and kept in `tests/snapshots/`.
//! `UPDATE_SNAPSHOTS=1 cargo test --test native charts` writes them anew; look at them before
//! committing.

use std::fs;
use std::path::Path;

use simcse_lab::chart::heat_map::{HeatMap, heat_map};
use simcse_lab::chart::histogram::{Histogram, histogram};
use simcse_lab::chart::line::{Line, line};
use simcse_lab::chart::moves::{Move, Moves, moves};
use simcse_lab::chart::plane::{Plane, Spot, plane};
use simcse_lab::chart::plane_view::{Bounds, Frame, View};
use simcse_lab::chart::point_map::{self, Key, Name, Over};
use simcse_lab::chart::points::{Cloud, RAISED, SELECTED, WARNED};
use simcse_lab::chart::ramp::{DARK, LIGHT};
use simcse_lab::chart::scale_bar::{Hue, ScaleBar, scale_bar};
use simcse_lab::chart::scatter::{Scatter, scatter};
use simcse_lab::chart::scene::Scene;
use simcse_lab::chart::score_bar::{ScoreBar, score_bar};
use simcse_lab::chart::spectrum::{Spectrum, spectrum};

pub fn compare(name: &str, scene: &Scene) -> Result<(), String> {
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
        hue: Hue::Accent,
        other: None,
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
    compare("scale_bar_below", &scale_bar(&below, 320.0, &DARK))?;
    let both = ScaleBar { hue: Hue::After, other: Some((0.81, Hue::Before)), ..between };
    compare("scale_bar_both", &scale_bar(&both, 640.0, &LIGHT))
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

fn spot(uniformity: f64, alignment: f64, label: &str) -> Spot {
    Spot { uniformity, alignment, label: label.into() }
}

#[test]
fn plane_with_a_trail_and_with_an_undone_end() -> Result<(), String> {
    let trail = [
        spot(-1.75, 0.10, "start"),
        spot(-2.1, 0.13, "step 5"),
        spot(-2.35, 0.145, "step 10"),
        spot(-2.5, 0.152, "step 15"),
    ];
    let data = Plane {
        trail: &trail,
        now: 3,
        marked: None,
        uniformity_label: "uniformity, less is more evenly spread".into(),
        alignment_label: "alignment, less is closer".into(),
        corners: ["best", "collapse", "torn apart", "worst"].map(String::from),
        description: "from -1.75 to -2.50".into(),
    };
    compare("plane", &plane(&data, 520.0, &LIGHT))?;
    let undone = Plane { now: 1, marked: Some(2), ..data.clone() };
    compare("plane_undone", &plane(&undone, 340.0, &DARK))?;
    let empty = Plane { trail: &[], now: 0, ..data };
    compare("plane_empty", &plane(&empty, 340.0, &LIGHT))
}

#[test]
fn map_with_neighbours_names_and_a_query() -> Result<(), String> {
    // Three heaps.
    let spot = |place: u32| {
        let (heap, within) = (place % 3, place / 3);
        let [x, y] = [[0.0, 0.0], [6.0, 1.0], [2.0, 5.0]][heap as usize];
        [x + (within % 4) as f32 * 0.5, y + (within / 4) as f32 * 0.6]
    };
    let positions: Vec<f32> = (0..36).flat_map(spot).collect();
    let colours: Vec<u8> = (0..36).map(|place| (place % 3 + 1) as u8).collect();
    let mut flags = vec![0; 36];
    (flags[0], flags[3], flags[6], flags[35]) = (SELECTED, RAISED, RAISED, WARNED);
    let hues: Vec<[u8; 3]> =
        [[150; 3]].into_iter().chain((0..3).filter_map(|hue| LIGHT.category(hue))).collect();
    let cloud = Cloud {
        positions: &positions,
        colours: &colours,
        flags: &flags,
        palette: &hues,
        ranked: false,
        radius: 4.0,
        opacity: 0.9,
        paper: [0xfb, 0xfa, 0xf7],
        warning: [0xa3, 0x26, 0x2a],
        hub: [0; 3],
    };
    let frame = Frame { width: 480.0, height: 320.0, ratio: 1.0 };
    let bounds = Bounds::of(&positions).ok_or("no points")?;
    let view = View::fit(bounds, frame, 40.0);
    let name = |position: u32, text: &str| Name {
        position,
        text: text.into(),
        colour: LIGHT.category(position as usize % 3),
        is_long: false,
    };
    let over = Over {
        pinned: Some(0),
        neighbours: vec![3, 6, 9],
        names: vec![name(0, "The harbour froze."), name(1, "bread"), name(2, "music and concerts")],
        query: Some(([4.0, 3.0], "ships in winter".into())),
        ..Over::default()
    };
    let keys: Vec<Key> = ["sea", "bread", "music"]
        .iter()
        .zip(&hues[1..])
        .map(|(text, colour)| Key { colour: *colour, text: (*text).into() })
        .collect();
    let drawn = |over: &Over, keys: &[Key]| {
        point_map::scene(&cloud, over, (&view, frame), keys, "36 sentences".into(), &LIGHT)
    };
    compare("map", &drawn(&over, &keys))?;
    compare("map_plain", &drawn(&Over::default(), &[]))
}

#[test]
fn loss_over_steps() -> Result<(), String> {
    let points = [(1.0, 1.9), (2.0, 1.1), (3.0, 0.6), (4.0, 0.45), (5.0, 0.41)];
    let data = Line {
        points: &points,
        last_step: 25.0,
        chance: Some((64.0_f64.ln(), "guessing 4.16".into())),
        step_label: "step".into(),
        value_label: "loss, nats".into(),
        description: "from 1.90 to 0.41".into(),
    };
    compare("line", &line(&data, 420.0, &LIGHT))?;
    compare("line_empty", &line(&Line { points: &[], ..data }, 320.0, &DARK))
}

fn bell(middle: f32, width: f32) -> Vec<f32> {
    let shares: Vec<f32> = (0..80)
        .map(|place| (place as f32 + 0.5) / 40.0 - 1.0)
        .map(|cosine| (-((cosine - middle) / width).powi(2)).exp())
        .map(|share| if share < 1e-3 { 0.0 } else { share })
        .collect();
    let sum: f32 = shares.iter().sum();
    shares.iter().map(|share| share / sum).collect()
}

#[test]
fn histograms_of_cosines_before_and_now() -> Result<(), String> {
    let (before, now) = (bell(0.55, 0.1), bell(0.2, 0.18));
    let data = Histogram {
        before: &before,
        now: &now,
        before_label: "before .55".into(),
        now_label: "now .20".into(),
        cosine_label: "cosine".into(),
        share_label: "share of pairs".into(),
        description: "from .55 to .20".into(),
    };
    compare("histogram", &histogram(&data, 420.0, &LIGHT))?;
    compare("histogram_before", &histogram(&Histogram { now: &[], ..data }, 320.0, &DARK))
}

#[test]
fn spectra_before_and_now() -> Result<(), String> {
    let falls =
        |rate: f32| -> Vec<f32> { (0..64).map(|rank| (rank as f32 * -rate).exp()).collect() };
    let (before, now) = (falls(0.2), falls(0.05));
    let data = Spectrum {
        before: &before,
        now: &now,
        before_label: "before".into(),
        now_label: "now".into(),
        rank_label: "rank".into(),
        value_label: "singular value / largest".into(),
        description: "slower now".into(),
    };
    compare("spectrum", &spectrum(&data, 420.0, &LIGHT))
}

#[test]
fn pairs_that_move() -> Result<(), String> {
    let pair = |first: &str, second: &str, before, now| Move {
        first: first.into(),
        second: second.into(),
        before,
        now,
    };
    let pairs = [
        pair(
            "The bakery sells out of bread before nine.",
            "No loaves are left by nine in the morning, says the baker, and it is so.",
            Some(0.78),
            Some(0.71),
        ),
        pair("Two otters float.", "The committee postponed the tax vote.", Some(0.52), Some(0.08)),
        pair("Not measured", "yet", None, None),
    ];
    let data =
        Moves { pairs: &pairs, cosine_label: "cosine".into(), description: "3 pairs".into() };
    compare("moves", &moves(&data, 380.0, &LIGHT))
}

#[test]
fn a_score_beside_what_unrelated_sentences_reach() -> Result<(), String> {
    let bar = ScoreBar {
        cosine: 0.62,
        hue: Hue::After,
        unrelated: Some([-0.08, 0.05, 0.19]),
        least: Some(0.4),
        description: "cosine 0.620; unrelated sentences score about 0.05".to_owned(),
    };
    compare("score_bar", &score_bar(&bar, &LIGHT))?;
    let below = ScoreBar { cosine: -0.3, unrelated: None, least: None, ..bar };
    compare("score_bar_below", &score_bar(&below, &DARK))
}
