//! What the map asks of the worker.

use crate::protocol::Revision;
use crate::protocol::lab::{About, Question};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::request::Request;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::map::asked::Step;
use crate::state::geometry::map::settings::{Colouring, Kind};
use crate::state::geometry::map::{ClustersOf, Job, Making, NEIGHBOURS, NearOf, TextOf};
use crate::state::geometry::{Geometry, Plot};

/// Forgets what is of another corpus. To be called whenever the corpus may have changed.
pub(in crate::state) fn follow_corpus(geometry: &mut Geometry) {
    if geometry.map.corpus != geometry.corpus.number() {
        geometry.map.begin_corpus(geometry.corpus.number());
    }
    for plot in Plot::ALL {
        let figure = geometry.figure(plot);
        // Such as an "after" whose adapter was taken off.
        if figure.measured.is_none() && figure.job.is_none() {
            let drawing = &mut geometry.map.drawings[plot.place()];
            if drawing.points.take().is_some() {
                geometry.map.lay();
            }
        }
    }
}

/// Asks for every map and answer that is to be seen and is not known; gives up what nobody waits for.
pub(in crate::state) fn ask(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for plot in Plot::ALL {
        effects.extend(ask_map(state, plot));
    }
    for plot in Plot::ALL {
        effects.extend(ask_near(state, plot));
        effects.extend(ask_text(state, plot));
        effects.extend(ask_clusters(state, plot));
    }
    effects
}

impl Geometry {
    /// The one that the map shows, or shows more of.
    pub fn shown(&self) -> Plot {
        if self.map.share < 0.5 { Plot::A } else { Plot::B }
    }

    /// The survey that questions about one of the two are about; `None` while there is none that is
    /// what the visitor chose.
    fn survey(&self, plot: Plot) -> Option<Revision> {
        let figure = self.figure(plot);
        let measured = figure.measured.as_ref()?;
        // Measuring may have been given up, and what is there be of other sentences.
        let is_of_these = *measured.corpus() == self.corpus;
        (figure.job.is_none() && !measured.is_lost && is_of_these).then_some(measured.revision)
    }

    /// The map that is wanted of one of the two.
    pub(super) fn making(&self, plot: Plot) -> Option<Making> {
        let survey = self.survey(plot)?;
        let settings = &self.map.settings;
        let method = settings.method(self.corpus.sentences.len());
        Some(Making { survey, method, seed: settings.seed })
    }

    /// Whether a map has to wait: measuring goes first; and the points of `B` begin at their places in
    /// `A`, so that the two can be compared.
    fn map_waits(&self, plot: Plot) -> bool {
        let surveying = Plot::ALL.into_iter().any(|plot| self.figure(plot).job.is_some());
        let a = &self.map.drawings[Plot::A.place()];
        let a_comes =
            self.making(Plot::A).is_some_and(|making| !a.has(&making) && !a.has_failed(&making));
        let follows = plot == Plot::B && self.map.settings.kind != Kind::Pca;
        surveying || (follows && a_comes)
    }

    /// Where the points of one of the two begin: those of `B` where they are in `A`.
    fn beginning(&self, plot: Plot) -> Option<Vec<f32>> {
        if plot == Plot::A || self.map.settings.kind == Kind::Pca {
            return None;
        }
        let making = self.making(Plot::A)?;
        let a = &self.map.drawings[Plot::A.place()];
        let points = a.points.as_ref().filter(|_| a.has(&making))?;
        Some(points.at.to_vec())
    }
}

fn ask_map(state: &mut State, plot: Plot) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let making = geometry.making(plot);
    let drawing = &mut geometry.map.drawings[plot.place()];
    let job = drawing.job.take_if(|job| Some(job.of) != making);
    let mut effects: Vec<Effect> = job.map(|job| cancel(job.revision)).into_iter().collect();
    let Some(making) = making else { return effects };
    if drawing.job.is_some() || drawing.has(&making) || drawing.has_failed(&making) {
        return effects;
    }
    if geometry.map_waits(plot) {
        return effects;
    }
    let start = geometry.beginning(plot);
    let total = u32::try_from(geometry.corpus.sentences.len()).unwrap_or(u32::MAX);
    let revision = state.revision();
    let drawing = &mut state.geometry.map.drawings[plot.place()];
    drawing.job = Some(Job::new(revision, making, total));
    drawing.failed = None;
    let question = Question::Map { method: making.method, seed: making.seed };
    let head = Request::About { revision, about: About { survey: making.survey, question } };
    let bulk = start.map(Bulk::F32).into_iter().collect();
    effects.push(Effect::Send(Message { head, bulk }));
    effects
}

fn ask_near(state: &mut State, plot: Plot) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let wanted = geometry.near_of(plot).filter(|_| geometry.shown() == plot);
    let step = geometry.map.answers[plot.place()].near.want(wanted.as_ref());
    let Some((NearOf { survey, position }, revision)) = begin(state, step, wanted) else {
        return given_up(step);
    };
    let near = &mut state.geometry.map.answers[plot.place()].near;
    near.ask(revision, NearOf { survey, position });
    let question = Question::Near { position, count: NEIGHBOURS };
    sent(step, revision, About { survey, question })
}

fn ask_text(state: &mut State, plot: Plot) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let wanted = geometry.text_of(plot).filter(|_| geometry.shown() == plot);
    let step = geometry.map.answers[plot.place()].text.want(wanted.as_ref());
    let Some((of, revision)) = begin(state, step, wanted) else { return given_up(step) };
    let about = About {
        survey: of.survey,
        question: Question::Text { text: of.text.clone(), count: NEIGHBOURS },
    };
    state.geometry.map.answers[plot.place()].text.ask(revision, of);
    sent(step, revision, about)
}

fn ask_clusters(state: &mut State, plot: Plot) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let is_seen = geometry.shown() == plot && geometry.colouring() == Colouring::Cluster;
    let wanted = geometry.clusters_of(plot).filter(|_| is_seen);
    let step = geometry.map.answers[plot.place()].clusters.want(wanted.as_ref());
    let Some((of, revision)) = begin(state, step, wanted) else { return given_up(step) };
    state.geometry.map.answers[plot.place()].clusters.ask(revision, of);
    let question = Question::Clusters { count: of.count, seed: of.seed };
    sent(step, revision, About { survey: of.survey, question })
}

impl Geometry {
    pub(super) fn near_of(&self, plot: Plot) -> Option<NearOf> {
        Some(NearOf { survey: self.survey(plot)?, position: self.map.pinned? })
    }

    pub(super) fn text_of(&self, plot: Plot) -> Option<TextOf> {
        let text = &self.map.query.asked;
        let survey = self.survey(plot).filter(|_| !text.is_empty())?;
        Some(TextOf { survey, text: text.clone() })
    }

    pub(super) fn clusters_of(&self, plot: Plot) -> Option<ClustersOf> {
        let sentences = u16::try_from(self.corpus.sentences.len()).unwrap_or(u16::MAX);
        let settings = &self.map.settings;
        // A group of one says nothing.
        let count = settings.clusters.min((sentences / 2).max(2)).min(sentences);
        Some(ClustersOf { survey: self.survey(plot)?, count, seed: settings.seed })
    }
}

/// The question and its number, if it is to be asked.
fn begin<Q>(state: &mut State, step: Step, wanted: Option<Q>) -> Option<(Q, Revision)> {
    let wanted = wanted.filter(|_| step.ask)?;
    Some((wanted, state.revision()))
}

fn given_up(step: Step) -> Vec<Effect> {
    step.cancel.map(cancel).into_iter().collect()
}

fn sent(step: Step, revision: Revision, about: About) -> Vec<Effect> {
    let mut effects = given_up(step);
    effects.push(Effect::ask(Request::About { revision, about }));
    effects
}

pub(super) fn cancel(revision: Revision) -> Effect {
    Effect::ask(Request::Cancel { revision })
}
