//! Charts as pure functions: data to shapes to SVG.
//!
//! A chart takes data, a width in pixels and a [`ramp::Palette`], and gives a [`scene::Scene`].
//! Colours are concrete, not CSS variables, so that the exported file looks as on the page.

pub mod axis;
pub mod bands;
pub mod heat_map;
pub mod histogram;
pub mod labels;
pub mod layers;
pub mod line;
pub mod moves;
pub mod plane;
pub mod plane_view;
pub mod point_map;
pub mod points;
pub mod ramp;
pub mod scale_bar;
pub mod scatter;
pub mod scene;
pub mod score_bar;
pub mod shares;
pub mod spectrum;
pub mod sphere;
pub mod views;
