//! The page's behaviour, without a page.

use crate::protocol::event::{Agreement, Event, LoadingStage, ModelSummary, TokenisedText};
use crate::protocol::gpu::Backend;
use crate::protocol::message::Message;
use crate::protocol::models::KeptModel;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Pooling;
use crate::protocol::request::{ModelSource, Request, Window};
use crate::state::action::Action;
use crate::state::app::{State, Wanted, Worker};
use crate::state::compare::{ListResult, ListTrouble};
use crate::state::effect::Effect;
use crate::state::notice::{NoticeContent, Report};
use crate::state::saved::Saved;
use crate::state::shelf::ShelfAction;
use crate::state::update::update;
use crate::text::lists::ListError;

pub(super) fn model() -> Box<ModelSummary> {
    Box::new(ModelSummary {
        name: "tiny".into(),
        architecture: "bert".into(),
        quantisation: "q8_0".into(),
        size_bytes: 1,
        sha256: String::new(),
        licence: None,
        layers: 6,
        hidden: 4,
        heads: 1,
        vocabulary: 10,
        max_tokens: 16,
        pooling: Pooling::Mean,
        backend: Backend::Cpu,
        device: "test".into(),
        prepare_ms: 1.0,
    })
}

pub(super) fn event(event: Event) -> Action {
    Action::Worker(Message::plain(event))
}

pub(super) fn requests(effects: &[Effect]) -> Vec<&Request> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(message) => Some(&message.head),
            _ => None,
        })
        .collect()
}

/// A page that has just begun, of a site whose model comes without an adapter.
pub(super) fn started(fragment: &str, saved: Option<&str>) -> State {
    let mut state = State::default();
    state.hosted.iter_mut().for_each(|model| model.adapter = None);
    let started = Action::Started {
        fragment: fragment.into(),
        saved: saved.map(str::to_owned),
        languages: vec!["zh-CN".into()],
    };
    let effects = update(&mut state, started, 0.0);
    assert!(effects.contains(&Effect::RestartWorker));
    state
}

/// A page whose model is open; returns the revision of the pair that was asked for.
pub(super) fn opened() -> (State, u32) {
    let mut state = started("", None);
    let effects = update(&mut state, event(Event::Ready), 0.0);
    let [Request::Open { revision, .. }] = requests(&effects)[..] else { panic!("{effects:?}") };
    let opened = Event::Opened { revision: *revision, model: model() };
    let effects = update(&mut state, event(opened), 0.0);
    let [Request::Pair { revision, .. }, Request::Baseline { .. }] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    (state, *revision)
}

pub(super) fn pair_event(revision: u32, cosine: f32) -> Action {
    let text = TokenisedText { pieces: vec!["[CLS]".into()], cut_from: None };
    let head = Event::Pair { revision, cosine, first: text.clone(), second: text, latency_ms: 2.0 };
    Action::Worker(Message::with_f32(head, vec![cosine]))
}

pub(super) fn list_job(state: &mut State, text: &str) -> u32 {
    let effects = update(state, Action::ListTyped(text.into()), 0.0);
    let settled = effects.into_iter().find_map(|effect| match effect {
        Effect::After { action: action @ Action::ListSettled(_), .. } => Some(action),
        _ => None,
    });
    update(state, settled.expect("typing asks for a pause"), 0.0);
    state.compare.job.expect("a job runs").revision
}

#[test]
fn the_first_visit_follows_the_browser_and_asks_for_the_default_model() {
    let (state, _) = opened();
    assert_eq!(state.language.tag(), "zh-Hans");
    assert!(!state.compare.text.first.is_empty());
}

#[test]
fn answers_to_superseded_questions_are_dropped() {
    let (mut state, stale) = opened();
    let effects = update(&mut state, Action::FirstTyped("new".into()), 0.0);
    let Some(Request::Pair { revision, first, .. }) = requests(&effects).first().copied() else {
        panic!("{effects:?}")
    };
    assert_eq!(first, "new");
    let newest = *revision;
    update(&mut state, pair_event(stale, 0.1), 0.0);
    assert!(state.compare.shown.pair.is_none() && !state.compare.pair_is_current());
    update(&mut state, pair_event(newest, 0.7), 0.0);
    assert_eq!(state.compare.shown.pair.as_ref().map(|pair| pair.cosine), Some(0.7));
    assert!(state.compare.pair_is_current());
}

#[test]
fn typing_settles_once_into_one_request_and_a_newer_list_cancels_the_older() {
    let (mut state, _) = opened();
    let first = list_job(&mut state, "one\ntwo");
    let effects = update(&mut state, Action::ListTyped("one\ntwo\nthree".into()), 0.0);
    assert!(requests(&effects).is_empty());
    let effects = {
        let count = state.compare.typed_count;
        update(&mut state, Action::ListSettled(count), 0.0)
    };
    let asked = requests(&effects);
    assert!(matches!(asked[0], Request::Cancel { revision } if *revision == first));
    assert!(matches!(asked[1], Request::Group { sentences, .. } if sentences.len() == 3));
    let stale = update(&mut state, Action::ListSettled(1), 0.0);
    assert!(stale.is_empty());
}

#[test]
fn scored_pairs_show_their_agreement() {
    let (mut state, _) = opened();
    let revision = list_job(&mut state, "a\tb\t1\nc\td\t2");
    let agreement = Some(Agreement { spearman: 1.0, pearson: 0.9, pairs: 2 });
    let head = Event::Pairs { revision, truncated: vec![], agreement, latency_ms: 1.0 };
    update(&mut state, Action::Worker(Message::with_f32(head, vec![0.1, 0.2])), 0.0);
    let Some(ListResult::Pairs(pairs)) = &state.compare.result else { panic!() };
    assert_eq!((pairs.agreement, pairs.cosines.len()), (agreement, 2));
    assert!(state.compare.job.is_none());
}

#[test]
fn a_broken_model_leaves_the_good_one_in_use_and_says_so() {
    let (mut state, _) = opened();
    let picked = Action::ModelFilePicked { name: "bad.gguf".into(), size_bytes: 3 };
    let effects = update(&mut state, picked, 0.0);
    let Some(Effect::SendPickedModel { revision, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    let problem = Problem::NotGguf { name: "bad.gguf".into(), looks_like: None };
    let failed = Event::Failed { revision: Some(*revision), problem: problem.clone() };
    update(&mut state, event(failed), 0.0);
    assert!(state.can_compute() && state.loading.is_none());
    assert_eq!(state.wanted, Wanted::Default);
    let name = Some("bad.gguf".to_owned());
    assert_eq!(state.notices[0].content, NoticeContent::Problem { problem, name });
}

#[test]
fn a_broken_download_can_be_resumed() {
    let mut state = started("", None);
    update(&mut state, event(Event::Ready), 0.0);
    let revision = state.loading.as_ref().expect("loading").revision;
    let progress = Event::Loading {
        revision,
        stage: LoadingStage::Downloading,
        done_bytes: 10,
        total_bytes: 100,
    };
    update(&mut state, event(progress), 5.0);
    let problem = Problem::Network { detail: "reset".into(), done_bytes: 10, total_bytes: 100 };
    update(&mut state, event(Event::Failed { revision: Some(revision), problem }), 6.0);
    assert_eq!(state.interrupted.as_ref().map(|broken| broken.done_bytes), Some(10));
    let effects = update(&mut state, Action::DefaultModelChosen, 7.0);
    assert!(matches!(requests(&effects)[..], [Request::Open { .. }]));
    assert!(state.interrupted.is_none());
}

#[test]
fn a_dead_worker_is_replaced_and_everything_is_asked_again() {
    let (mut state, _) = opened();
    list_job(&mut state, "one\ntwo");
    let effects = update(&mut state, Action::WorkerDied { message: "oom".into() }, 10.0);
    assert!(effects.contains(&Effect::RestartWorker));
    let effects = update(&mut state, event(Event::Ready), 20.0);
    let [Request::Open { revision, .. }] = requests(&effects)[..] else { panic!("{effects:?}") };
    let opened = Event::Opened { revision: *revision, model: model() };
    let effects = update(&mut state, event(opened), 30.0);
    assert!(matches!(
        requests(&effects)[..],
        [Request::Pair { .. }, Request::Group { .. }, Request::Baseline { .. }]
    ));
    assert_eq!(state.compare.text.list, "one\ntwo");
}

#[test]
fn who_computes_is_known_while_they_do() {
    let (mut state, _) = opened();
    assert_eq!(state.computing_workers, 1);
    update(&mut state, event(Event::Workers { ready: 4, computing: 3 }), 0.0);
    assert_eq!(state.computing_workers, 3);
    update(&mut state, Action::WorkerDied { message: "oom".into() }, 10.0);
    assert_eq!(state.computing_workers, 1, "the helpers went with the worker");
}

#[test]
fn a_list_that_kills_the_worker_twice_is_not_tried_again_and_endless_deaths_stop() {
    let (mut state, _) = opened();
    for death in 0..2 {
        state.worker = Worker::Ready;
        state.model = Some(*model());
        if state.compare.job.is_none() {
            crate::state::ask::ask_list(&mut state);
            list_job_without_reset(&mut state);
        }
        update(&mut state, Action::WorkerDied { message: "oom".into() }, f64::from(death));
    }
    assert_eq!(state.compare.trouble, Some(ListTrouble::Crashed));
    for death in 2..4 {
        update(&mut state, Action::WorkerDied { message: "oom".into() }, f64::from(death));
    }
    assert_eq!(state.worker, Worker::Stopped);
    let effects = update(&mut state, Action::DefaultModelChosen, 9.0);
    assert_eq!(effects.first(), Some(&Effect::RestartWorker));
}

fn list_job_without_reset(state: &mut State) {
    state.compare.text.list = "one\ntwo".into();
    state.compare.read_list();
    crate::state::ask::ask_list(state);
}

#[test]
fn what_was_typed_survives_a_reload_a_link_and_starting_over() {
    let (mut state, _) = opened();
    update(&mut state, Action::FirstTyped("mine".into()), 0.0);
    update(&mut state, Action::ListTyped("x\ny".into()), 0.0);
    let effects = update(&mut state, Action::Leaving, 0.0);
    let [Effect::Save(json)] = &effects[..] else { panic!("{effects:?}") };

    let mut again = started("#/compare?a=linked&b=text", Some(json));
    assert_eq!(again.compare.text.first, "linked");
    update(&mut again, Action::Undone, 0.0);
    assert_eq!(
        (again.compare.text.first.as_str(), again.compare.text.list.as_str()),
        ("mine", "x\ny")
    );
    update(&mut again, Action::StartedOver, 0.0);
    assert_ne!(again.compare.text.first, "mine");
    update(&mut again, Action::Undone, 0.0);
    assert_eq!(again.compare.text.first, "mine");
}

#[test]
fn a_bad_file_costs_nothing() {
    let (mut state, _) = opened();
    list_job(&mut state, "one\ntwo");
    let error = ListError::Encoding { position: 7 };
    let read = Action::ListFileRead {
        name: "x.csv".into(),
        reading: Err(error.clone()),
        text: String::new(),
    };
    update(&mut state, read, 0.0);
    assert_eq!(state.compare.text.list, "one\ntwo");
    assert_eq!(state.compare.trouble, Some(ListTrouble::File { name: "x.csv".into(), error }));
}

#[test]
fn refused_storage_is_said_once_and_saving_waits_for_a_pause() {
    let (mut state, _) = opened();
    update(&mut state, Action::Reported(Report::NotSaved), 0.0);
    state.notices.clear();
    update(&mut state, Action::Reported(Report::NotSaved), 0.0);
    assert!(state.notices.is_empty());
    update(&mut state, Action::FirstTyped("a".into()), 0.0);
    update(&mut state, Action::FirstTyped("ab".into()), 0.0);
    assert!(update(&mut state, Action::SaveDue(1), 0.0).is_empty());
    assert!(matches!(update(&mut state, Action::SaveDue(2), 0.0)[..], [Effect::Save(_)]));
}

#[test]
fn the_bundled_lists_read_without_losses() {
    for list in crate::catalogue::examples::LISTS {
        let reading = crate::text::lists::read_pasted(list.text);
        assert_eq!((reading.content.len(), reading.skipped), (list.text.lines().count(), 0));
    }
}

pub(super) fn group_event(revision: u32) -> Action {
    let window = Window { row: 0, row_count: 1, column: 0, column_count: 1 };
    let head = Event::Group {
        revision,
        count: 30,
        truncated: vec![],
        nearest: vec![],
        pair_count: 435,
        mean_cosine: 0.5,
        window,
        latency_ms: 1.0,
    };
    Action::Worker(Message::with_f32(head, vec![1.0]))
}

pub(super) fn baseline_event(revision: u32, mean: f32) -> Action {
    let (low, high) = (mean, mean);
    let (sentence_count, pair_count) = (2, 1);
    event(Event::Baseline { revision, mean, low, high, sentence_count, pair_count })
}

/// The baselines and lists that the effects ask for: their numbers.
fn asked(effects: &[Effect]) -> (Option<u32>, Option<u32>) {
    let (mut baseline, mut list) = (None, None);
    for request in requests(effects) {
        match request {
            Request::Baseline { revision, .. } => baseline = Some(*revision),
            Request::Group { revision, .. } => list = Some(*revision),
            _ => {}
        }
    }
    (baseline, list)
}

#[test]
fn a_baseline_belongs_to_the_readout_in_use() {
    let (mut state, _) = opened();
    let (revision, mean) = state.compare.baselines_pending[0];
    update(&mut state, baseline_event(revision, 0.1), 0.0);
    assert_eq!(state.compare.baseline.map(|known| known.lens), Some(mean));
    let effects = update(&mut state, Action::PoolingChosen(Some(Pooling::Cls)), 0.0);
    assert_eq!(state.compare.baseline, None);
    let abandoned = asked(&effects).0.expect("asked for");
    let effects = update(&mut state, Action::PoolingChosen(None), 0.0);
    assert_eq!(asked(&effects).0, None, "what was measured is not measured again");
    update(&mut state, baseline_event(abandoned, 0.9), 0.0);
    assert_eq!(state.compare.baseline.map(|known| (known.lens, known.mean)), Some((mean, 0.1)));
    update(&mut state, Action::PoolingChosen(Some(Pooling::Cls)), 0.0);
    assert_eq!(state.compare.baseline.map(|known| known.mean), Some(0.9));
}

#[test]
fn windows_are_asked_of_the_group_on_show() {
    let (mut state, _) = opened();
    let thirty = (0..30).map(|i| format!("sentence {i}\n")).collect::<String>();
    let shown = list_job(&mut state, &thirty);
    update(&mut state, group_event(shown), 0.0);
    // A later group is given up, though the worker may have finished it already.
    let later = list_job(&mut state, "one\ntwo");
    update(&mut state, Action::ListCancelled, 0.0);
    update(&mut state, group_event(later), 0.0);
    let effects = update(&mut state, Action::WindowMoved { row: 2, column: 3 }, 0.0);
    let [Request::GroupWindow { group, .. }] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*group, shown);
}

#[test]
fn without_a_worker_no_number_stands_beside_other_sentences() {
    let (mut state, revision) = opened();
    update(&mut state, pair_event(revision, 0.7), 0.0);
    update(&mut state, Action::WorkerDied { message: "oom".into() }, 0.0);
    assert!(state.compare.shown.pair.is_some());
    update(&mut state, Action::FirstTyped("other".into()), 0.0);
    assert_eq!(state.compare.shown.pair, None);
}

#[test]
fn a_model_that_comes_late_is_the_one_in_use() {
    let (mut state, _) = opened();
    let pick = |name: &str| Action::ModelFilePicked { name: name.into(), size_bytes: 3 };
    update(&mut state, pick("a.gguf"), 0.0);
    let first = state.loading.as_ref().expect("loading").revision;
    update(&mut state, pick("b.gguf"), 0.0);
    let mut late = model();
    late.name = "a".into();
    let effects = update(&mut state, event(Event::Opened { revision: first, model: late }), 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Pair { .. }, Request::Baseline { .. }]));
    assert_eq!(state.model.as_ref().map(|model| model.name.as_str()), Some("a"));
    assert_eq!(state.loading.as_ref().map(|loading| loading.name.as_str()), Some("b.gguf"));
}

#[test]
fn a_picked_file_that_kills_the_worker_is_not_tried_again() {
    let (mut state, _) = opened();
    let picked = || Action::ModelFilePicked { name: "a.gguf".into(), size_bytes: 3 };
    update(&mut state, picked(), 0.0);
    update(&mut state, Action::WorkerDied { message: "oom".into() }, 0.0);
    let effects = update(&mut state, event(Event::Ready), 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Open { .. }]));
    state.worker = Worker::Stopped;
    assert!(update(&mut state, picked(), 0.0).contains(&Effect::RestartWorker));
}

#[test]
fn a_list_that_failed_is_tried_again_with_another_readout() {
    let (mut state, _) = opened();
    let revision = list_job(&mut state, "one\ntwo");
    let problem = Problem::Layer { found: 9, layers: 6 };
    update(&mut state, event(Event::Failed { revision: Some(revision), problem }), 0.0);
    assert!(state.compare.trouble.is_some() && state.compare.job.is_none());
    let effects = update(&mut state, Action::LayerChosen(Some(3)), 0.0);
    assert!(asked(&effects).1.is_some() && state.compare.trouble.is_none());
}

#[test]
fn a_link_with_another_readout_asks_everything_again() {
    let (mut state, revision) = opened();
    update(&mut state, pair_event(revision, 0.7), 0.0);
    list_job(&mut state, "one\ntwo");
    let fragment = "#/compare?a=x&b=y&list=one%0Atwo&pooling=cls".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    assert!(asked(&effects).0.is_some());
    let settled = Action::ListSettled(state.compare.typed_count);
    let effects = update(&mut state, settled, 0.0);
    assert!(asked(&effects).1.is_some());
}

#[test]
fn an_empty_box_gets_no_score() {
    let (mut state, revision) = opened();
    update(&mut state, pair_event(revision, 0.7), 0.0);
    let effects = update(&mut state, Action::SecondTyped("  \n".into()), 0.0);
    assert!(requests(&effects).is_empty());
    assert!(state.compare.shown.pair.is_none() && state.compare.lacks_sentence());
    let effects = update(&mut state, Action::SecondTyped("back".into()), 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Pair { .. }]));
}

#[test]
fn a_cancelled_list_stays_cancelled_until_it_is_asked_for() {
    let (mut state, _) = opened();
    let revision = list_job(&mut state, "one\ntwo");
    update(&mut state, Action::ListCancelled, 0.0);
    assert_eq!(state.compare.cancelled.map(|job| job.revision), Some(revision));
    let effects = update(&mut state, Action::PoolingChosen(Some(Pooling::Cls)), 0.0);
    assert!(!requests(&effects).iter().any(|request| matches!(request, Request::Group { .. })));
    let effects = update(&mut state, Action::ListResumed, 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Group { .. }]));
    assert!(state.compare.cancelled.is_none());
}

#[test]
fn a_link_names_no_layer_that_the_model_lacks_and_holds_no_endless_list() {
    let (mut state, _) = opened();
    let fragment = "#/compare?a=x&b=y&layer=99".to_owned();
    update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    assert_eq!(state.compare.layer, None);
    update(&mut state, Action::ListTyped("line\n".repeat(5000)), 0.0);
    let effects = update(&mut state, Action::LinkCopied, 0.0);
    let Some(Effect::Copy { text, report, .. }) = effects.last() else { panic!("{effects:?}") };
    assert!(text.len() < 100 && matches!(report, Report::CopiedWithoutList { .. }));
}

#[test]
fn a_picked_file_that_disk_refuses_leaves_the_model_in_use() {
    let (mut state, _) = opened();
    let picked = Action::ModelFilePicked { name: "gone.gguf".into(), size_bytes: 3 };
    update(&mut state, picked, 0.0);
    let report = Report::FileUnreadable { name: "gone.gguf".into(), detail: "moved".into() };
    update(&mut state, Action::Reported(report), 0.0);
    assert!(state.can_compute() && state.loading.is_none());
    assert_eq!(state.wanted, Wanted::Default);
}

fn kept(name: &str, sha256: &str) -> KeptModel {
    let (name, sha256) = (name.to_owned(), sha256.to_owned());
    KeptModel { name, sha256, size_bytes: 9, ..Default::default() }
}

#[test]
fn a_pulled_model_is_the_kept_one_afterwards_and_what_is_lost_gives_way_to_the_pages_own() {
    let mut state = State { worker: Worker::Ready, ..State::default() };
    let shelf = |state: &mut State, action| update(state, Action::Shelf(action), 0.0);
    shelf(&mut state, ShelfAction::RepositoryTyped(" somebody/m ".to_owned()));
    let effects = shelf(&mut state, ShelfAction::PullAsked);
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Pull(Message {
            head: Request::Open { revision, source: ModelSource::Pulled { pull } },
            ..
        }) => Some((*revision, pull.repository.clone())),
        _ => None,
    });
    let (revision, repository) = asked.expect("it is pulled");
    assert_eq!(repository, "somebody/m");

    // What an older pull still says changes nothing.
    let model = Box::new(kept("m", "abc"));
    let stale = Event::Pulled { revision: revision + 99, model: model.clone() };
    update(&mut state, Action::Puller(Message::plain(stale)), 0.0);
    assert!(matches!(state.wanted, Wanted::Pulled { .. }) && state.loading.is_some());
    let pulled = Message::plain(Event::Pulled { revision, model });
    let effects = update(&mut state, Action::Puller(pulled), 0.0);
    let wanted = Wanted::Kept { name: "m".to_owned(), sha256: "abc".to_owned(), size_bytes: 9 };
    assert_eq!(state.wanted, wanted);
    assert!(effects.contains(&Effect::EndPuller));
    let opened = effects.iter().find_map(|effect| match effect {
        Effect::Send(Message {
            head: Request::Open { revision, source: ModelSource::Kept { sha256, .. } },
            ..
        }) => Some((*revision, sha256.clone())),
        _ => None,
    });
    let (revision, sha256) = opened.expect("it is opened from the store");
    assert_eq!(sha256, "abc");
    let saved = Saved::of(&state);
    assert_eq!(saved.model.map(Wanted::from), Some(wanted));

    // The browser lost it: that is said, and the page's own model is asked for.
    let problem = Problem::ModelNotKept { name: "m".to_owned() };
    let lost = Message::plain(Event::Failed { revision: Some(revision), problem });
    let effects = update(&mut state, Action::Worker(lost), 0.0);
    assert_eq!(state.wanted, Wanted::Default);
    assert_eq!(state.notices.len(), 1);
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Send(Message {
            head: Request::Open { source: ModelSource::Hosted { .. }, .. },
            ..
        })
    )));
}

#[test]
fn a_pull_that_is_stopped_or_dies_leaves_a_way_on() {
    let mut state = State { worker: Worker::Ready, ..State::default() };
    update(&mut state, Action::Shelf(ShelfAction::RepositoryTyped("a/b".to_owned())), 0.0);
    update(&mut state, Action::Shelf(ShelfAction::PullAsked), 0.0);
    let revision = state.loading.as_ref().map(|loading| loading.revision).expect("it loads");
    assert_eq!(update(&mut state, Action::LoadingStopped, 0.0), [Effect::StopPulling]);
    let stopped = Event::LoadingStopped { revision, done_bytes: 0, total_bytes: 0 };
    let effects = update(&mut state, Action::Puller(Message::plain(stopped)), 0.0);
    assert!(effects.contains(&Effect::EndPuller) && state.interrupted.is_some());
    // "Resume" asks for the same once more.
    let effects = update(&mut state, Action::ModelWantedAgain, 0.0);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Pull(_))));
    let message = "gone".to_owned();
    update(&mut state, Action::PullerDied { message }, 0.0);
    assert_eq!((state.wanted.clone(), state.loading.is_none()), (Wanted::Default, true));
    assert!(!state.notices.is_empty());
}
