//! The lesson's charts against the drawings that were looked at.

use simcse_lab::chart::ramp::{DARK, LIGHT};
use simcse_lab::chart::shares::{Shares, shares};
use simcse_lab::chart::sphere::{Mark, Sphere, Stand, Tone, sphere};
use simcse_lab::chart::views::{Pair, Views, views};

use crate::charts::compare;

/// Points of a spiral, narrowed towards the first axis.
fn spiral(count: usize, narrow: f32) -> Vec<f32> {
    (0..count)
        .flat_map(|i| {
            let up = 2.0 * (i as f32 + 0.5) / count as f32 - 1.0;
            let (sin, cos) = (i as f32 * 2.4).sin_cos();
            let round = (1.0 - up * up).sqrt();
            let (along, rest) = (up + narrow, [round * cos, round * sin]);
            let length = (along * along + rest[0] * rest[0] + rest[1] * rest[1]).sqrt();
            [along / length, rest[0] / length, rest[1] / length]
        })
        .collect()
}

#[test]
fn a_cone_and_a_sphere_with_marks() -> Result<(), String> {
    let marks = [
        Mark { place: 3, label: "yours".into(), arrow: true },
        Mark { place: 20, label: String::new(), arrow: false },
        Mark {
            place: 21,
            label: "A heron stood motionless in the shallow water.".into(),
            arrow: false,
        },
    ];
    let cone = spiral(60, 1.4);
    let data = Sphere {
        points: &cone,
        tone: Tone::Before,
        stand: Stand::FIRST,
        rays: true,
        dots: true,
        marks: &marks,
        description: "a cone".into(),
    };
    compare("sphere_cone", &sphere(&data, 420.0, &LIGHT))?;
    let round = spiral(60, 0.0);
    let data = Sphere { points: &round, tone: Tone::After, rays: false, ..data };
    let stand = Stand::FIRST.moved(1.0, -0.9);
    compare("sphere_round", &sphere(&Sphere { stand, ..data.clone() }, 300.0, &DARK))?;
    let nothing = Sphere { points: &[], marks: &[], tone: Tone::Other, ..data };
    compare("sphere_empty", &sphere(&nothing, 120.0, &LIGHT))
}

#[test]
fn views_over_dropout() -> Result<(), String> {
    let pairs: Vec<Pair> = [(0.0, 1.0), (0.1, 0.97), (0.1, 0.95), (0.3, 0.86), (0.5, 0.7)]
        .into_iter()
        .map(|(dropout, own)| Pair { dropout, own, other: 0.5 - dropout * 0.1 })
        .collect();
    let data = Views {
        pairs: &pairs,
        chosen: 0.1,
        most: 0.5,
        own_label: "two views of yours".into(),
        other_label: "different sentences".into(),
        dropout_label: "dropout p".into(),
        cosine_label: "cosine".into(),
        description: "falls with p".into(),
    };
    compare("views", &views(&data, 480.0, &LIGHT))?;
    compare("views_empty", &views(&Views { pairs: &[], ..data }, 320.0, &DARK))
}

#[test]
fn shares_of_a_row() -> Result<(), String> {
    let names: Vec<String> = (1..=4).map(|place| place.to_string()).collect();
    let data = Shares {
        values: &[0.05, 0.8, 0.15, 0.0],
        names: &names,
        own: 1,
        columns: (120.0, 48.0),
        description: "80 %".into(),
    };
    compare("shares", &shares(&data, 340.0, &LIGHT))
}
