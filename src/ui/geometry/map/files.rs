//! The map as files: a drawing of every point, and a table.

use leptos::prelude::*;

use crate::catalogue::map::MapText as Text;
use crate::catalogue::numbers::decimals;
use crate::chart::plane_view::{Frame, View};
use crate::chart::point_map::{Key, Over, scene};
use crate::chart::ramp::{Palette, rgb};
use crate::chart::scene::Scene;
use crate::state::geometry::Plot;
use crate::state::geometry::map::export::csv;
use crate::state::geometry::map::settings::Colouring;
use crate::ui::figure::Files;
use crate::ui::geometry::look::plot_name;
use crate::ui::geometry::map::stage::{Stage, group_colour};
use crate::ui::geometry::map::words::Told;

/// Groups that a legend holds.
const MOST_KEYS: usize = 12;

/// The map as it is seen now.
#[derive(Clone, Copy)]
pub struct MapFiles {
    pub stage: Stage,
    pub told: Memo<Told>,
}

impl MapFiles {
    /// The legend.
    fn keys(self, palette: &Palette) -> Vec<Key> {
        let page = self.stage.page;
        let key = |colour, text: String| Key { colour, text };
        match self.stage.colouring.get_untracked() {
            Colouring::Plain => {
                let name = |plot| page.words(plot_name(plot)).to_owned();
                vec![
                    key(rgb(palette.before), name(Plot::A)),
                    key(rgb(palette.after), name(Plot::B)),
                ]
            }
            Colouring::Topic | Colouring::Cluster => {
                let groups = self.stage.groups.get_untracked();
                let of_group = |group: &_| group_colour(group, palette);
                let keys = groups.iter().map(|group| key(of_group(group), group.name.clone()));
                keys.take(MOST_KEYS).collect()
            }
            Colouring::Query => {
                let unrelated = page.now(|state| state.geometry.unrelated());
                let low = decimals(unrelated, 2);
                vec![
                    key(palette.similar(0.0), page.filled(Text::RampLow, &[("cosine", &low)])),
                    key(palette.similar(0.5), decimals(f64::midpoint(unrelated, 1.0), 2)),
                    key(palette.similar(1.0), page.words(Text::RampHigh).to_owned()),
                ]
            }
        }
    }
}

impl Files for MapFiles {
    /// What is seen, at the width of the file.
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let stage = self.stage;
        let (seen, (across, down)) = (stage.view()?, stage.size.get_untracked());
        let share = width / across.max(1.0);
        let (height, view) = ((down * share).round(), View { scale: seen.scale * share, ..seen });
        let frame = Frame { width, height, ratio: 1.0 };
        let groups = stage.groups.get_untracked();
        let description = self.told.get_untracked().description(stage.page, &groups);
        let over = Over { hovered: None, lasso: Vec::new(), ..stage.over(palette) };
        let keys = self.keys(palette);
        Some(stage.with_cloud(&view, (width, height), palette, |cloud| {
            scene(cloud, &over, (&view, frame), &keys, description, palette)
        }))
    }

    fn table(self) -> String {
        self.stage.page.now(|state| csv(&state.geometry))
    }

    fn caption(self) -> String {
        self.told.get_untracked().caption(self.stage.page)
    }
}
