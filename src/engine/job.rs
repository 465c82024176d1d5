//! One request on its way to its answer.

use std::sync::Arc;

use web_time::{Duration, Instant};

use crate::backend::Backend;
use crate::engine::about::{Asked, Sort};
use crate::engine::answers::{baseline, embedded, milliseconds, pair, pairs};
use crate::engine::clouds::{Cloud, Clouds, Raw};
use crate::engine::exam::Exam;
use crate::engine::group::{Scan, WindowWork};
use crate::engine::layers::Layers;
use crate::engine::library::errand::{Errand, Purpose};
use crate::engine::library::running::Running;
use crate::engine::memory::Memory;
use crate::engine::rows::Rows;
use crate::engine::sides::Sides;
use crate::engine::survey::Survey;
use crate::engine::views::Views;
use crate::engine::workshop::{Workshop, missing};
use crate::geometry::given::Given;
use crate::geometry::study::Studied;
use crate::model::embedding::Embedding;
use crate::model::encoder::Encoder;
use crate::model::error::Error;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Message, numbers_of};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Readout, Side};
use crate::protocol::request::Request;

/// Progress is told at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A baseline looks at all pairs of at most so many sentences; the answer says of how many.
const BASELINE_SENTENCES: usize = 1_000;

/// What a request is, for its place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pair,
    Window,
    Group,
    Pairs,
    Embed,
    Portion,
    Baseline,
    /// One a slot: figures beside each other do not supersede each other.
    Survey {
        slot: u8,
    },
    Layers,
    Views,
    Examine,
    /// Neighbours, groups, vectors.
    About,
    Text {
        slot: u8,
    },
    Map {
        slot: u8,
    },
    /// A query of a corpus, and which words of its hits stand closest.
    Query,
    Glow,
    /// Vectors of a corpus's passages.
    Index,
}

impl Kind {
    /// The lowest goes first: what a person looks at before what takes long, the backdrop last.
    pub fn rank(self) -> u8 {
        match self {
            Self::Pair | Self::Query => 0,
            Self::Window | Self::About | Self::Text { .. } | Self::Glow => 1,
            Self::Group
            | Self::Pairs
            | Self::Embed
            | Self::Portion
            | Self::Survey { .. }
            | Self::Layers
            | Self::Views => 2,
            Self::Baseline | Self::Examine | Self::Map { .. } | Self::Index => 3,
        }
    }

    pub fn needs_model(self) -> bool {
        !matches!(self, Self::Window | Self::About | Self::Map { .. })
    }
}

/// What a step came to.
#[derive(Debug)]
pub enum Stage {
    Working,
    Finished(Message<Event>),
}

/// Tells a job from every other one, and from itself before it began anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Run {
    job: u64,
    beginning: u32,
}

/// A request on its way.
#[derive(Debug)]
pub struct Job<B: Backend> {
    revision: Revision,
    side: Side,
    run: Run,
    begun: Option<Instant>,
    told: Option<Instant>,
    work: Work<B>,
}

#[derive(Debug)]
enum Work<B: Backend> {
    Pair(Rows<B>),
    Window(WindowWork),
    Group(Rows<B>, Option<Box<Scan>>),
    Pairs(Rows<B>, Vec<f32>),
    Embed(Rows<B>),
    Portion(Rows<B>),
    Baseline(Rows<B>),
    Survey(Rows<B>, Survey),
    Layers(Layers<B>),
    Views(Views),
    Examine(Box<Exam>),
    About(Box<Asked<B>>),
    Errand(Box<Running<B>>),
}

impl<B: Backend + Clone> Job<B> {
    /// The job of an errand, under a number of its own.
    pub fn of_errand(number: u64, errand: Errand) -> Self {
        let (revision, side) = (errand.revision, errand.lens.side);
        let run = Run { job: number, beginning: 0 };
        let work = Work::Errand(Box::new(Running::new(errand)));
        Self { revision, side, run, begun: None, told: None, work }
    }

    /// The job of a request, under a number of its own; `None` for requests that are none.
    pub fn new(
        number: u64,
        message: Message<Request>,
        clouds: &Clouds,
    ) -> Result<Option<Self>, (Revision, Problem)> {
        let Message { head: request, bulk } = message;
        let mut side = side(&request);
        let (revision, work) = match request {
            Request::Pair { revision, first, second, lens } => {
                (revision, Work::Pair(Rows::new(vec![first, second], lens.readout, true)))
            }
            Request::GroupWindow { revision, group, window } => {
                (revision, Work::Window(WindowWork::new(group, window)))
            }
            Request::Group { revision, sentences, lens } => {
                (revision, Work::Group(Rows::new(sentences, lens.readout, false), None))
            }
            Request::Pairs { revision, pairs, gold, lens } => (
                revision,
                pairs_work(pairs, gold, lens.readout).map_err(|problem| (revision, problem))?,
            ),
            Request::Baseline { revision, mut sentences, lens } => {
                sentences.truncate(BASELINE_SENTENCES);
                (revision, Work::Baseline(Rows::new(sentences, lens.readout, false)))
            }
            Request::Embed { revision, sentences, lens } => {
                (revision, Work::Embed(Rows::new(sentences, lens.readout, false)))
            }
            Request::Portion { revision, ids, lens, with_tokens } => {
                (revision, Work::Portion(Rows::of_ids(ids, lens.readout, with_tokens)))
            }
            Request::Examine { revision, tuned } => {
                (revision, Work::Examine(Box::new(Exam::new(tuned))))
            }
            Request::Survey {
                revision,
                slot,
                sentences,
                lens,
                treatment,
                positives,
                scored,
                keep,
            } => {
                let given = Given { positives, scored };
                let mut survey = Survey::new(slot, treatment, given, keep);
                if keep && let Some(raw) = clouds.raw(lens, &sentences) {
                    survey.take_known(raw);
                }
                let rows = Rows::new(sentences, lens.readout, false);
                (revision, Work::Survey(rows, survey))
            }
            Request::Layers { revision, sentences, positives, scored, .. } => {
                let layers = Layers::new(sentences, Given { positives, scored });
                (revision, Work::Layers(layers))
            }
            Request::Views { revision, sentences, lens, dropout, same_mask, seed } => {
                (revision, Work::Views(Views::new(sentences, lens, dropout, same_mask, seed)))
            }
            Request::About { revision, about } => {
                let asked = Asked::new(about, numbers_of(bulk), clouds)
                    .map_err(|problem| (revision, problem))?;
                side = asked.lens().side;
                (revision, Work::About(Box::new(asked)))
            }
            Request::Open { .. }
            | Request::StopLoading
            | Request::Forget { .. }
            | Request::KeepModel
            | Request::ListModels { .. }
            | Request::Cancel { .. }
            | Request::Workers { .. }
            | Request::Prefer { .. }
            | Request::Attach { .. }
            | Request::Blend { .. }
            | Request::Detach { .. }
            | Request::KeepAdapter { .. }
            | Request::ForgetAdapter { .. }
            | Request::ListAdapters { .. }
            | Request::ReadAdapter { .. }
            | Request::Train { .. }
            | Request::Steer { .. }
            | Request::Search { .. } => return Ok(None),
        };
        let run = Run { job: number, beginning: 0 };
        Ok(Some(Self { revision, side, run, begun: None, told: None, work }))
    }

    pub fn revision(&self) -> Revision {
        self.revision
    }

    pub fn run(&self) -> Run {
        self.run
    }

    /// The sentences that others may compute too; a pair's only as a whole.
    pub fn shared(&self) -> Option<&Rows<B>> {
        match &self.work {
            Work::Pair(rows)
            | Work::Group(rows, _)
            | Work::Pairs(rows, _)
            | Work::Embed(rows)
            | Work::Baseline(rows)
            | Work::Survey(rows, _) => Some(rows),
            Work::Errand(running) if running.is_list() => Some(&running.rows),
            Work::Window(_)
            | Work::Portion(_)
            | Work::Layers(_)
            | Work::Views(_)
            | Work::Examine(_)
            | Work::About(_)
            | Work::Errand(_) => None,
        }
    }

    /// As [`Job::shared`].
    pub fn shared_mut(&mut self) -> Option<&mut Rows<B>> {
        match &mut self.work {
            Work::Pair(rows)
            | Work::Group(rows, _)
            | Work::Pairs(rows, _)
            | Work::Embed(rows)
            | Work::Baseline(rows)
            | Work::Survey(rows, _) => Some(rows),
            Work::Errand(running) if running.is_list() => Some(&mut running.rows),
            Work::Window(_)
            | Work::Portion(_)
            | Work::Layers(_)
            | Work::Views(_)
            | Work::Examine(_)
            | Work::About(_)
            | Work::Errand(_) => None,
        }
    }

    /// Whether it can only wait for what others compute.
    pub fn is_waiting(&self) -> bool {
        let embedding = self.shared().and_then(Rows::embedding);
        embedding.is_some_and(Embedding::is_waiting)
    }

    /// Which encoder it is for.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Whether it needs the encoder of that side.
    pub fn needs(&self, side: Side) -> bool {
        self.kind().needs_model() && self.side == side
    }

    /// Whether this one takes the other's place in the queue. Both sides' pairs, baselines and layers
    /// can wait beside each other, for a page that shows both.
    pub fn supersedes(&self, old: &Self) -> bool {
        let both = matches!(self.kind(), Kind::Pair | Kind::Baseline | Kind::Layers);
        let apart = both && self.side != old.side;
        self.kind() == old.kind() && !apart && old.yields()
    }

    pub fn kind(&self) -> Kind {
        match &self.work {
            Work::Pair(_) => Kind::Pair,
            Work::Window(_) => Kind::Window,
            Work::Group(..) => Kind::Group,
            Work::Pairs(..) => Kind::Pairs,
            Work::Embed(_) => Kind::Embed,
            Work::Portion(_) => Kind::Portion,
            Work::Baseline(_) => Kind::Baseline,
            Work::Survey(_, survey) => Kind::Survey { slot: survey.slot },
            Work::Layers(_) => Kind::Layers,
            Work::Views(_) => Kind::Views,
            Work::Examine(_) => Kind::Examine,
            Work::About(asked) => match asked.sort() {
                Sort::Map => Kind::Map { slot: asked.slot },
                Sort::Text => Kind::Text { slot: asked.slot },
                Sort::Other => Kind::About,
            },
            Work::Errand(running) => match running.purpose {
                Purpose::Passages { .. } => Kind::Index,
                Purpose::Query(_) => Kind::Query,
                Purpose::Glow { .. } => Kind::Glow,
            },
        }
    }

    /// Whether a newer request of the same kind supersedes this one. A pair that has begun is
    /// finished, or steady typing would never see an answer.
    fn yields(&self) -> bool {
        match &self.work {
            Work::Pair(rows) => !rows.has_begun(),
            Work::Group(..)
            | Work::Baseline(_)
            | Work::Survey(..)
            | Work::Layers(_)
            | Work::Views(_) => true,
            Work::About(asked) => asked.sort() != Sort::Other,
            Work::Errand(running) => match running.purpose {
                Purpose::Passages { .. } => false,
                Purpose::Query(_) => !running.rows.has_begun(),
                Purpose::Glow { .. } => true,
            },
            Work::Window(_)
            | Work::Pairs(..)
            | Work::Embed(_)
            | Work::Portion(_)
            | Work::Examine(_) => false,
        }
    }

    /// Begins anew, for a new encoder.
    pub fn restart(&mut self) {
        match &mut self.work {
            Work::Pair(rows)
            | Work::Pairs(rows, _)
            | Work::Embed(rows)
            | Work::Portion(rows)
            | Work::Baseline(rows) => rows.restart(),
            Work::Group(rows, scan) => {
                rows.restart();
                *scan = None;
            }
            Work::Survey(rows, survey) => {
                rows.restart();
                survey.restart();
            }
            Work::Layers(layers) => layers.restart(),
            Work::Views(views) => views.restart(),
            Work::Examine(exam) => exam.restart(),
            Work::Errand(running) => running.rows.restart(),
            Work::Window(_) | Work::About(_) => {}
        }
        self.begun = None;
        self.run.beginning += 1;
    }

    /// How far a long job is, if it is time to tell.
    pub fn progress(&mut self) -> Option<Message<Event>> {
        let begun = self.begun?;
        if self.told.unwrap_or(begun).elapsed() < PROGRESS_EVERY {
            return None;
        }
        let (done, total) = match &self.work {
            Work::Group(rows, Some(_)) => (rows.total(), rows.total()),
            Work::Survey(rows, survey) if survey.has_rows() => (rows.total(), rows.total()),
            Work::Group(rows, _) | Work::Embed(rows) | Work::Survey(rows, _) => {
                (rows.done(), rows.total())
            }
            Work::Pairs(rows, _) => (rows.done() / 2, rows.total() / 2),
            Work::Layers(layers) => (layers.done(), layers.total()),
            Work::About(asked) => {
                self.told = Some(Instant::now());
                return asked.progress(self.revision, milliseconds(begun));
            }
            Work::Pair(_)
            | Work::Window(_)
            | Work::Portion(_)
            | Work::Baseline(_)
            | Work::Views(_)
            | Work::Errand(_)
            | Work::Examine(_) => return None,
        };
        self.told = Some(Instant::now());
        let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Some(Message::plain(Event::Progress {
            revision: self.revision,
            done: natural(done),
            total: natural(total),
            elapsed_ms: milliseconds(begun),
        }))
    }

    /// Does a little. A finished group takes the place of the last one.
    pub async fn step(
        &mut self,
        sides: &Sides<B>,
        memory: &mut Memory,
        workshop: Option<&mut (dyn Workshop<B> + 'static)>,
    ) -> Result<Stage, Problem> {
        let (revision, begun) = (self.revision, *self.begun.get_or_insert_with(Instant::now));
        if let Work::Window(work) = &mut self.work {
            let answer = work.step(revision, memory.group.as_ref())?;
            return Ok(answer.map_or(Stage::Working, Stage::Finished));
        }
        if let Work::Group(_, slot) = &mut self.work
            && let Some(mut scan) = slot.take()
        {
            if scan.step() {
                *slot = Some(scan);
                return Ok(Stage::Working);
            }
            let (answer, finished) = scan.finish(revision, milliseconds(begun));
            memory.group = Some(finished);
            return Ok(Stage::Finished(answer));
        }
        if let Work::Survey(rows, survey) = &mut self.work
            && survey.has_rows()
        {
            let Some(mut found) = survey.step()? else { return Ok(Stage::Working) };
            let lens = Lens { side: self.side, readout: rows.readout() };
            let (slot, findings) = (survey.slot, Box::new(std::mem::take(&mut found.findings)));
            let event = Event::Survey { revision, slot, findings, latency_ms: milliseconds(begun) };
            let with_last = std::mem::take(&mut found.with_last);
            if survey.keep {
                memory.clouds.keep(cloud(revision, lens, rows, survey, found));
            }
            return Ok(Stage::Finished(Message::with_f32(event, with_last)));
        }
        if let Work::About(asked) = &mut self.work {
            let answer = asked.step(revision, begun, sides).await?;
            return Ok(answer.map_or(Stage::Working, Stage::Finished));
        }
        if let Work::Errand(running) = &mut self.work {
            let library = memory.library.as_deref_mut().ok_or(Problem::NoCorpus)?;
            let answer = running.step(revision, begun, sides, library).await?;
            return Ok(answer.map_or(Stage::Working, Stage::Finished));
        }
        if let Work::Views(views) = &mut self.work {
            let workshop = workshop.ok_or_else(missing)?;
            let cosines = workshop.draw(views, sides).await?;
            return Ok(cosines.map_or(Stage::Working, |cosines| {
                let latency_ms = milliseconds(begun);
                Stage::Finished(Message::with_f32(Event::Views { revision, latency_ms }, cosines))
            }));
        }
        let encoder = sides.encoder(self.side).ok_or(Problem::NoModel)?;
        if let Work::Layers(layers) = &mut self.work {
            let found = layers.step(encoder).await?;
            return Ok(found.map_or(Stage::Working, |layers| {
                let latency_ms = milliseconds(begun);
                Stage::Finished(Message::plain(Event::Layers { revision, layers, latency_ms }))
            }));
        }
        if let Work::Examine(exam) = &mut self.work {
            let file = sides.file().ok_or(Problem::NoModel)?;
            let report = exam.step(file, encoder).await.map_err(|error| Problem::from(&error))?;
            return Ok(report.map_or(Stage::Working, |report| {
                let report = Box::new(report);
                Stage::Finished(Message::plain(Event::Examined { revision, report }))
            }));
        }
        self.embed(encoder, begun).await.map_err(|error| Problem::from(&error))
    }

    async fn embed(&mut self, encoder: &Encoder<B>, begun: Instant) -> Result<Stage, Error> {
        let revision = self.revision;
        let (Work::Pair(rows)
        | Work::Group(rows, _)
        | Work::Pairs(rows, _)
        | Work::Embed(rows)
        | Work::Portion(rows)
        | Work::Baseline(rows)
        | Work::Survey(rows, _)) = &mut self.work
        else {
            return Ok(Stage::Working);
        };
        let Some(finished) = rows.step(encoder).await? else { return Ok(Stage::Working) };
        Ok(Stage::Finished(match &mut self.work {
            Work::Group(_, scan) => {
                *scan = Some(Box::new(Scan::new(finished)));
                return Ok(Stage::Working);
            }
            Work::Survey(_, survey) => {
                survey.take_rows(finished);
                return Ok(Stage::Working);
            }
            Work::Pair(_)
            | Work::Window(_)
            | Work::Layers(_)
            | Work::Views(_)
            | Work::Examine(_)
            | Work::Errand(_)
            | Work::About(_) => pair(revision, finished, begun),
            Work::Pairs(_, gold) => pairs(revision, &finished, gold, begun),
            Work::Embed(_) => embedded(revision, finished),
            Work::Portion(_) => {
                let mut rows = finished.rows;
                finished.token_rows.iter().for_each(|tokens| rows.extend_from_slice(tokens));
                Message::with_f32(Event::Portion { revision }, rows)
            }
            Work::Baseline(_) => baseline(revision, &finished),
        }))
    }
}

/// What a survey leaves behind.
fn cloud<B: Backend>(
    revision: Revision,
    lens: Lens,
    rows: &mut Rows<B>,
    survey: &mut Survey,
    found: Studied,
) -> Cloud {
    let Studied { rows: values, width, transform, .. } = found;
    let values = Arc::new(values);
    let untreated = || Raw { rows: Arc::clone(&values), hidden: width };
    Cloud {
        slot: survey.slot,
        survey: revision,
        lens,
        raw: survey.take_raw().unwrap_or_else(untreated),
        rows: values,
        width,
        transform,
        sentences: Arc::new(rows.take_texts()),
    }
}

fn side(request: &Request) -> Side {
    match request {
        Request::Pair { lens, .. }
        | Request::Group { lens, .. }
        | Request::Pairs { lens, .. }
        | Request::Baseline { lens, .. }
        | Request::Embed { lens, .. }
        | Request::Portion { lens, .. }
        | Request::Survey { lens, .. }
        | Request::Views { lens, .. } => lens.side,
        Request::Layers { side, .. } => *side,
        _ => Side::Before,
    }
}

fn pairs_work<B: Backend>(
    pairs: Vec<(String, String)>,
    gold: Vec<f32>,
    readout: Readout,
) -> Result<Work<B>, Problem> {
    let detail = if !gold.is_empty() && gold.len() != pairs.len() {
        format!("{} gold scores for {} pairs", gold.len(), pairs.len())
    } else if !gold.iter().all(|score| score.is_finite()) {
        "a gold score is not a finite number".to_owned()
    } else {
        let texts = pairs.into_iter().flat_map(|(first, second)| [first, second]).collect();
        return Ok(Work::Pairs(Rows::new(texts, readout, false), gold));
    };
    Err(Problem::Internal { detail })
}
