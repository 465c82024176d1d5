//! What the parts of the map share: which part of the plane is seen, and what is on the way from the
//! state to the screen. The view moves with every frame, so it is no part of the page's state.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::chart::plane_view::{Bounds, Frame, View, between, eased};
use crate::chart::point_map::{Name, Over};
use crate::chart::points::{Cloud, Colour, opacity, radius};
use crate::chart::ramp::{Palette, mixed, rgb};
use crate::state::action::Action;
use crate::state::geometry::held::Held;
use crate::state::geometry::map::paint::{Group, HUES, STEPS};
use crate::state::geometry::map::settings::Colouring;
use crate::state::geometry::map::{MapAction, query_place};
use crate::state::geometry::{Geometry, GeometryAction, Plot};
use crate::ui::page::{Page, page};

/// Free pixels around all points.
const MARGIN: f64 = 28.0;
/// How long the points take from A to B.
const PLAY_MS: f64 = 900.0;
/// So long after the last movement the picture becomes fine again.
const REST_MS: u32 = 180;
/// Of more points a picture that moves is drawn with one pixel of the device for one of the page.
const MANY: usize = 20_000;
/// Groups that are named on the map.
const MOST_NAMES: usize = 20;
/// Neighbours that are named on the map.
const MOST_NEAR: usize = 5;

/// Handles on everything; copies are the same.
#[derive(Clone, Copy)]
pub struct Stage {
    pub page: Page,
    /// Of the picture, in pixels of the page.
    pub size: RwSignal<(f64, f64)>,
    /// `None`: all of the map.
    zoomed: RwSignal<Option<View>>,
    /// 0 is A, 1 is B; in between while the points are on their way.
    pub share: RwSignal<f64>,
    pub hovered: RwSignal<Option<u32>>,
    pub is_lassoing: RwSignal<bool>,
    pub lasso: RwSignal<Vec<(f64, f64)>>,
    /// Something moves.
    is_busy: RwSignal<bool>,
    touched: StoredValue<u32>,
    played: StoredValue<u32>,
    laid: [Memo<Held<f32>>; 2],
    pub positions: Memo<Held<f32>>,
    bounds: Memo<Option<Bounds>>,
    whole: Memo<Option<View>>,
    colours: Memo<Held<u8>>,
    marks: Memo<Held<u8>>,
    pub colouring: Memo<Colouring>,
    pub groups: Memo<Vec<Group>>,
    /// Pinned, neighbours, the query and its neighbours.
    found: Memo<Found>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Default)]
struct Found {
    pinned: Option<u32>,
    neighbours: Vec<u32>,
    query: Option<(String, Vec<(u32, f32)>)>,
}

impl Found {
    fn of(geometry: &Geometry) -> Self {
        let compared = geometry.compared();
        Self {
            pinned: geometry.map.pinned,
            neighbours: geometry.neighbours().iter().map(|near| near.0).collect(),
            query: compared.map(|it| (geometry.map.query.text.clone(), it.neighbours.clone())),
        }
    }
}

impl Stage {
    /// A stage for as long as the view is there.
    pub fn new() -> Self {
        let page = page();
        let size = RwSignal::new((0.0, 0.0));
        let share = RwSignal::new(page.now(|state| state.geometry.map.share));
        let laid = Plot::ALL.map(|plot| page.part(move |state| state.geometry.laid(plot).clone()));
        let positions = Memo::new(move |_| {
            let [a, b] = laid.map(|laid| laid.get());
            let share = share.get();
            if b.is_empty() || (share <= 0.0 && !a.is_empty()) {
                return a;
            }
            if a.is_empty() || share >= 1.0 {
                return b;
            }
            let mut on_the_way = Vec::new();
            between(&a, &b, share, &mut on_the_way);
            Held::from(on_the_way)
        });
        let bounds = Memo::new(move |_| {
            let [a, b] = laid.map(|laid| Bounds::of(&laid.get()));
            // The same frame for both: what is larger looks larger.
            a.map(|a| a.with(b)).or(b)
        });
        let whole = Memo::new(move |_| {
            let frame = frame_of(size.get(), 1.0);
            bounds.get().map(|bounds| View::fit(bounds, frame, MARGIN))
        });
        let colours_of = page.part(|state| state.geometry.colours_of());
        let marks_of = page.part(|state| state.geometry.marks_of());
        let shown = page.part(|state| state.geometry.shown());
        let groups = Memo::new(move |_| {
            // Read, not only tracked: a memo that nobody reads does not notice what it is made of.
            colours_of.with(|_| ());
            // Names of topics stand at the middle of their points.
            laid.iter().for_each(|laid| laid.with(|_| ()));
            shown.with(|_| ());
            page.now(|state| state.geometry.groups())
        });
        Self {
            page,
            size,
            zoomed: RwSignal::new(None),
            share,
            hovered: RwSignal::new(None),
            is_lassoing: RwSignal::new(false),
            lasso: RwSignal::new(Vec::new()),
            is_busy: RwSignal::new(false),
            touched: StoredValue::new(0),
            played: StoredValue::new(0),
            laid,
            positions,
            bounds,
            whole,
            colours: Memo::new(move |_| {
                colours_of.with(|_| ());
                page.now(|state| state.geometry.colours())
            }),
            marks: Memo::new(move |_| {
                marks_of.with(|_| ());
                page.now(|state| state.geometry.marks())
            }),
            colouring: page.part(|state| state.geometry.colouring()),
            groups,
            found: page.part(|state| Found::of(&state.geometry)),
        }
    }

    /// Something happened on the map.
    pub fn act(self, action: MapAction) {
        self.page.dispatch(Action::Geometry(GeometryAction::Map(action)));
    }

    /// Whether there are two maps.
    pub fn has_both(self) -> bool {
        self.laid.iter().all(|laid| laid.with(|laid| !laid.is_empty()))
    }

    /// Calls for another drawing when anything that is drawn changes. Memos are read, not only tracked:
    /// one that nobody reads does not notice what it is made of.
    pub fn track(self) {
        self.positions.with(|_| ());
        self.colours.with(|_| ());
        self.marks.with(|_| ());
        self.colouring.with(|_| ());
        self.groups.with(|_| ());
        self.found.with(|_| ());
        self.whole.with(|_| ());
        self.zoomed.track();
        self.size.track();
        self.hovered.track();
        self.lasso.track();
        self.is_busy.track();
        self.page.palette();
    }

    /// The picture's size, in as many pixels as the device has; in fewer while many points move.
    pub fn frame(self) -> Frame {
        let is_coarse =
            self.is_busy.get_untracked() && self.positions.with_untracked(|it| it.len() / 2) > MANY;
        let ratio = if is_coarse { 1.0 } else { page_scope::pixel_ratio().clamp(1.0, 2.0) };
        frame_of(self.size.get_untracked(), ratio)
    }

    /// What is seen; `None` where there are no points.
    pub fn view(self) -> Option<View> {
        self.zoomed.get_untracked().or(self.whole.get_untracked())
    }

    /// The picture begins, or goes on, to move.
    fn touch(self) {
        let touch = self.touched.get_value() + 1;
        self.touched.set_value(touch);
        if !self.is_busy.get_untracked() {
            self.is_busy.set(true);
        }
        page_scope::after(REST_MS, move || {
            // The view may be gone by then.
            if self.touched.try_get_value() == Some(touch) {
                self.is_busy.set(false);
            }
        });
    }

    /// Nearer by that factor, about a pixel.
    pub fn zoom(self, factor: f64, about: (f64, f64)) {
        let (Some(view), Some(whole)) = (self.view(), self.whole.get_untracked()) else { return };
        self.touch();
        let frame = frame_of(self.size.get_untracked(), 1.0);
        self.zoomed.set(Some(view.zoomed(factor, about, frame, &whole)));
    }

    /// Nearer by that factor, about the middle.
    pub fn zoom_middle(self, factor: f64) {
        let (width, height) = self.size.get_untracked();
        self.zoom(factor, (width / 2.0, height / 2.0));
    }

    /// Moved by so many pixels.
    pub fn pan(self, by: (f64, f64)) {
        let (Some(view), Some(bounds)) = (self.view(), self.bounds.get_untracked()) else { return };
        self.touch();
        self.zoomed.set(Some(view.panned(by, bounds)));
    }

    /// All of the map again.
    pub fn fit(self) {
        self.zoomed.set(None);
    }

    /// Lets the points go to A (0) or B (1); at once where the visitor wants no motion.
    pub fn play(self, onto: f64) {
        let play = self.played.get_value() + 1;
        self.played.set_value(play);
        if page_scope::media("(prefers-reduced-motion: reduce)") {
            self.share.set(onto);
        } else {
            self.next_frame(play, (self.share.get_untracked(), onto), page_scope::now_ms());
        }
        self.act(MapAction::Slid(onto));
    }

    fn next_frame(self, play: u32, (from, onto): (f64, f64), began_ms: f64) {
        request_animation_frame(move || {
            // Another play, the slider, or the end of the view ends this one.
            if self.played.try_get_value() != Some(play) {
                return;
            }
            let time = (page_scope::now_ms() - began_ms) / PLAY_MS;
            self.touch();
            self.share.set(if time < 1.0 { from + (onto - from) * eased(time) } else { onto });
            if time < 1.0 {
                self.next_frame(play, (from, onto), began_ms);
            }
        });
    }

    /// The slider takes over.
    pub fn slide(self, share: f64) {
        self.played.update_value(|played| *played += 1);
        self.touch();
        self.share.set(share);
    }

    /// The points as they are drawn in that frame.
    pub fn with_cloud<R>(
        self,
        view: &View,
        (width, height): (f64, f64),
        palette: &Palette,
        draw: impl FnOnce(&Cloud<'_>) -> R,
    ) -> R {
        let positions = self.positions.get_untracked();
        let (colours, marks) = (self.colours.get_untracked(), self.marks.get_untracked());
        let colouring = self.colouring.get_untracked();
        let count = positions.len() / 2;
        let whole = self.whole.get_untracked().map_or(view.scale, |whole| whole.scale);
        let shown = (self.size.get_untracked().0 / width.max(1.0)).max(f64::MIN_POSITIVE);
        let colours_of = palette_of(colouring, self.share.get_untracked(), palette);
        draw(&Cloud {
            positions: &positions,
            colours: &colours,
            flags: &marks,
            palette: &colours_of,
            ranked: colouring == Colouring::Query,
            radius: radius(count, (width, height), view.scale * shown / whole),
            opacity: opacity(count),
            paper: rgb(palette.paper),
            warning: rgb(palette.warning),
            hub: rgb(palette.ink),
        })
    }

    /// What lies over the points.
    pub fn over(self, palette: &Palette) -> Over {
        let found = self.found.get_untracked();
        let hovered = self.hovered.get_untracked();
        let query = found.query.as_ref().and_then(|(text, neighbours)| {
            let place = self.positions.with_untracked(|it| query_place(neighbours, it))?;
            Some((place, text.clone()))
        });
        let near = found.query.iter().flat_map(|(_, near)| near.iter().map(|near| near.0));
        let near = near.take(MOST_NEAR).chain(found.neighbours.iter().copied().take(MOST_NEAR));
        let chosen: Vec<u32> = hovered.into_iter().chain(found.pinned).chain(near).collect();
        let name = |(place, position): (usize, u32)| Name {
            position,
            text: self.sentence(position),
            colour: None,
            is_long: place == 0 && hovered.is_some(),
        };
        let mut names: Vec<Name> = chosen.into_iter().enumerate().map(name).collect();
        let mut seen = Vec::new();
        names.retain(|name| {
            let is_new = !seen.contains(&name.position);
            seen.push(name.position);
            is_new
        });
        // Where neighbours are looked at, groups would only be in their way.
        if found.pinned.is_none() {
            names.extend(self.group_names(palette));
        }
        Over {
            pinned: found.pinned,
            neighbours: found.neighbours,
            names,
            query,
            lasso: self.lasso.get_untracked(),
            hovered,
        }
    }

    fn group_names(self, palette: &Palette) -> Vec<Name> {
        let groups = self.groups.get_untracked();
        let name = |group: Group| {
            Some(Name {
                position: group.anchor?,
                colour: Some(group_colour(&group, palette)),
                text: group.name,
                is_long: false,
            })
        };
        groups.into_iter().take(MOST_NAMES).filter_map(name).collect()
    }

    /// The sentence at a position.
    pub fn sentence(self, position: u32) -> String {
        let sentence =
            |geometry: &Geometry| geometry.corpus.sentences.get(position as usize).cloned();
        self.page.now(|state| sentence(&state.geometry)).unwrap_or_default()
    }
}

fn frame_of((width, height): (f64, f64), ratio: f64) -> Frame {
    Frame { width, height, ratio }
}

/// What does not belong to one of the coloured groups.
fn other(palette: &Palette) -> Colour {
    rgb(palette.baseline)
}

/// The colour of a group's points.
pub fn group_colour(group: &Group, palette: &Palette) -> Colour {
    let place = usize::from(group.colour).checked_sub(1);
    place.and_then(|place| palette.category(place)).unwrap_or(other(palette))
}

/// The colour of each number that points can have.
fn palette_of(colouring: Colouring, share: f64, palette: &Palette) -> Vec<Colour> {
    match colouring {
        Colouring::Plain => {
            vec![other(palette), mixed(rgb(palette.before), rgb(palette.after), share)]
        }
        Colouring::Topic | Colouring::Cluster => {
            let hues = (0..usize::from(HUES)).filter_map(|place| palette.category(place));
            [other(palette)].into_iter().chain(hues).collect()
        }
        Colouring::Query => {
            let share = |step: u8| f64::from(step) / f64::from(STEPS);
            (0..=STEPS).map(|step| palette.similar(share(step))).collect()
        }
    }
}
