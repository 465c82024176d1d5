//! Whole visits with adapters, without a page.

use crate::protocol::event::{Event, StoreOutcome};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling, Side};
use crate::protocol::request::{AdapterSource, ModelSource, Request};
use crate::protocol::training::{AdapterSummary, OtherModel};
use crate::state::action::Action;
use crate::state::adapters::{AdapterAction, Choice};
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::models::HostedAdapter;
use crate::state::notice::NoticeContent;
use crate::state::saved::Saved;
use crate::state::shelf::ShelfAction;
use crate::state::tests::{
    baseline_event, event, group_event, list_job, model, opened, pair_event, requests, started,
};
use crate::state::update::update;

fn summary(sha256: &str) -> AdapterSummary {
    AdapterSummary {
        name: format!("adapter {sha256}"),
        sha256: sha256.into(),
        pooling: Some(Pooling::Cls),
        ..AdapterSummary::default()
    }
}

fn act(state: &mut State, action: AdapterAction) -> Vec<Effect> {
    update(state, Action::Adapters(action), 0.0)
}

fn keep(sha256: &str) -> Choice {
    Choice::Kept { sha256: sha256.into() }
}

fn attached_event(revision: u32, adapter: AdapterSummary) -> Action {
    event(Event::Attached { revision, adapter: Box::new(adapter), prepare_ms: 1.0 })
}

/// Pairs and baselines that are asked for: number and lens.
fn asked(effects: &[Effect]) -> Vec<(u32, Lens)> {
    let of = |request: &&Request| match request {
        Request::Pair { revision, lens, .. } | Request::Baseline { revision, lens, .. } => {
            Some((*revision, *lens))
        }
        _ => None,
    };
    requests(effects).iter().filter_map(of).collect()
}

fn pair_of(effects: &[Effect], side: Side) -> u32 {
    let of = |request: &&Request| match request {
        Request::Pair { revision, lens, .. } if lens.side == side => Some(*revision),
        _ => None,
    };
    requests(effects).iter().find_map(of).expect("the pair is asked for")
}

fn attach_revision(effects: &[Effect]) -> u32 {
    let of = |request: &&Request| match request {
        Request::Attach { revision, .. } => Some(*revision),
        _ => None,
    };
    requests(effects).iter().find_map(of).expect("an adapter is asked for")
}

fn answer(state: &mut State, revision: u32, cosine: f32) {
    update(state, pair_event(revision, cosine), 0.0);
}

fn shown(state: &State) -> Option<f32> {
    state.compare.shown.pair.as_ref().map(|pair| pair.cosine)
}

/// A page with an adapter of the visitor's own on its model: .2 before, .8 after.
fn with_adapter() -> State {
    let (mut state, before) = opened();
    answer(&mut state, before, 0.2);
    let listing = Event::Shelf { revision: 0, adapters: vec![summary("aa")], unreadable: 0 };
    update(&mut state, event(listing), 0.0);
    let effects = act(&mut state, AdapterAction::Chosen(keep("aa")));
    let attach = attach_revision(&effects);
    let after = pair_of(&effects, Side::After);
    update(&mut state, attached_event(attach, summary("aa")), 0.0);
    answer(&mut state, after, 0.8);
    state
}

#[test]
fn the_sites_adapter_is_fetched_beside_its_model_and_shown_first() {
    let mut state = State::default();
    state.hosted[0].adapter = Some(HostedAdapter {
        name: "ours".into(),
        file: "ours.gguf".into(),
        size_bytes: 5,
        sha256: "aa".into(),
        pooling: Some("cls".into()),
    });
    let begun = Action::Started { fragment: String::new(), saved: None, languages: vec![] };
    update(&mut state, begun, 0.0);
    let effects = update(&mut state, event(Event::Ready), 0.0);
    let [Request::Open { revision, .. }, Request::Attach { revision: attach, source }] =
        requests(&effects)[..]
    else {
        panic!("{effects:?}")
    };
    assert!(matches!(source, AdapterSource::Hosted { url, .. } if url == "models/ours.gguf"));
    let (revision, attach) = (*revision, *attach);
    let effects = update(&mut state, event(Event::Opened { revision, model: model() }), 0.0);
    // Nothing is asked of the side before yet: a first number would be followed by another one.
    let lenses: Vec<_> = asked(&effects).into_iter().map(|(_, lens)| lens).collect();
    assert!(lenses.iter().all(|it| it.side == Side::After && it.readout.pooling == Pooling::Cls));
    let after = pair_of(&effects, Side::After);
    let effects = update(&mut state, attached_event(attach, summary("aa")), 0.0);
    // What was asked while it was on its way is not asked again.
    assert!(asked(&effects).iter().all(|(_, lens)| lens.side == Side::Before), "{effects:?}");
    answer(&mut state, after, 0.8);
    assert_eq!((state.adapters.side, shown(&state)), (Side::After, Some(0.8)));
}

#[test]
fn the_switch_is_instant_where_both_sides_are_known() {
    let mut state = with_adapter();
    assert_eq!(shown(&state), Some(0.8));
    let effects = act(&mut state, AdapterAction::SideChosen(Side::Before));
    assert_eq!(shown(&state), Some(0.2));
    assert!(!requests(&effects).iter().any(|it| matches!(it, Request::Pair { .. })), "{effects:?}");
    assert_eq!(state.compare.other.pair.as_ref().map(|pair| pair.cosine), Some(0.8));
    act(&mut state, AdapterAction::SideChosen(Side::After));
    assert_eq!(shown(&state), Some(0.8));
}

#[test]
fn each_side_has_the_readout_that_scores_best_on_it() {
    let mut state = with_adapter();
    let pooling = |state: &State| state.lens().map(|lens| lens.readout.pooling);
    assert_eq!(pooling(&state), Some(Pooling::Cls));
    act(&mut state, AdapterAction::SideChosen(Side::Before));
    assert_eq!(pooling(&state), Some(Pooling::Mean));
    update(&mut state, Action::PoolingChosen(Some(Pooling::FirstLast)), 0.0);
    act(&mut state, AdapterAction::SideChosen(Side::After));
    assert_eq!(pooling(&state), Some(Pooling::FirstLast));
}

#[test]
fn typing_asks_both_sides_the_one_on_show_first() {
    let mut state = with_adapter();
    let effects = update(&mut state, Action::FirstTyped("new".into()), 0.0);
    let sides: Vec<_> = asked(&effects).iter().map(|(_, lens)| lens.side).collect();
    assert_eq!(sides, [Side::After, Side::Before]);
}

#[test]
fn a_list_is_read_by_the_side_on_show_and_comes_back_at_once() {
    let mut state = with_adapter();
    let after = list_job(&mut state, "one\ntwo");
    update(&mut state, group_event(after), 0.0);
    let known = state.compare.result.clone();
    // Peeking begins no list.
    let effects = act(&mut state, AdapterAction::PeekBegan);
    assert!(!requests(&effects).iter().any(|it| matches!(it, Request::Group { .. })));
    assert_eq!((state.adapters.side, shown(&state)), (Side::Before, Some(0.2)));
    act(&mut state, AdapterAction::PeekEnded);
    assert_eq!((state.adapters.side, state.adapters.chosen), (Side::After, Side::After));

    let effects = act(&mut state, AdapterAction::SideChosen(Side::Before));
    let of = |it: &&Request| matches!(it, Request::Group { lens, .. } if lens.side == Side::Before);
    assert!(requests(&effects).iter().any(of), "{effects:?}");
    let before = state.compare.job.expect("it is on its way").revision;
    update(&mut state, group_event(before), 0.0);
    let effects = act(&mut state, AdapterAction::SideChosen(Side::After));
    assert!(!requests(&effects).iter().any(|it| matches!(it, Request::Group { .. })));
    assert_eq!(state.compare.result, known);
}

#[test]
fn a_list_that_ends_on_the_other_side_waits_for_the_switch() {
    let mut state = with_adapter();
    let after = list_job(&mut state, "one\ntwo");
    act(&mut state, AdapterAction::PeekBegan);
    update(&mut state, group_event(after), 0.0);
    assert!(state.compare.result.is_none());
    act(&mut state, AdapterAction::PeekEnded);
    assert!(state.compare.result.is_some() && state.compare.job.is_none());
}

#[test]
fn a_window_of_a_group_that_the_worker_left_asks_for_the_list_again() {
    let mut state = with_adapter();
    let thirty = (0..30).map(|i| format!("sentence {i}\n")).collect::<String>();
    let revision = list_job(&mut state, &thirty);
    update(&mut state, group_event(revision), 0.0);
    let effects = update(&mut state, Action::WindowMoved { row: 2, column: 3 }, 0.0);
    let [Request::GroupWindow { revision, .. }] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    let failed = Event::Failed { revision: Some(*revision), problem: Problem::NoWindow };
    let effects = update(&mut state, event(failed), 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Group { .. }]), "{effects:?}");
}

#[test]
fn the_slider_moves_the_pair_and_at_rest_everything_else() {
    let mut state = with_adapter();
    let revision = list_job(&mut state, "one\ntwo");
    update(&mut state, group_event(revision), 0.0);
    let (baseline, _) = state.compare.baselines_pending[0];
    update(&mut state, baseline_event(baseline, 0.1), 0.0);
    let effects = act(&mut state, AdapterAction::BlendChosen(0.5));
    let sent = requests(&effects);
    let [Request::Blend { blend: 0.5, .. }, Request::Pair { lens, .. }] = sent[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(lens.side, Side::After);
    act(&mut state, AdapterAction::BlendChosen(0.6));
    assert!(act(&mut state, AdapterAction::BlendSettled(1)).is_empty());
    let effects = act(&mut state, AdapterAction::BlendSettled(2));
    let sent = requests(&effects);
    assert!(sent.iter().any(|it| matches!(it, Request::Group { .. })), "{effects:?}");
    assert!(sent.iter().any(|it| matches!(it, Request::Baseline { .. })), "{effects:?}");
    act(&mut state, AdapterAction::BlendChosen(9.0));
    assert_eq!(state.adapters.blend, 1.5);
}

#[test]
fn taking_it_off_shows_the_side_before_at_once() {
    let mut state = with_adapter();
    let effects = act(&mut state, AdapterAction::Chosen(Choice::Nothing));
    let [Request::Detach { revision }] = requests(&effects)[..] else { panic!("{effects:?}") };
    update(&mut state, event(Event::Detached { revision: *revision }), 0.0);
    assert_eq!((state.adapters.side, shown(&state)), (Side::Before, Some(0.2)));
    assert!(state.adapters.attached.is_none() && state.compare.other.pair.is_none());
    let effects = update(&mut state, Action::FirstTyped("new".into()), 0.0);
    assert!(asked(&effects).iter().all(|(_, lens)| lens.side == Side::Before));
}

#[test]
fn choice_side_and_strength_survive_a_reload_and_a_dead_worker() {
    let mut state = with_adapter();
    act(&mut state, AdapterAction::SideChosen(Side::Before));
    act(&mut state, AdapterAction::BlendChosen(0.4));
    let effects = update(&mut state, Action::Leaving, 0.0);
    let [Effect::Save(json)] = &effects[..] else { panic!("{effects:?}") };
    let mut again = started("", Some(json));
    let effects = update(&mut again, event(Event::Ready), 0.0);
    assert!(
        matches!(
            requests(&effects)[..],
            [
                Request::Open { .. },
                Request::Attach { source: AdapterSource::Kept { .. }, .. },
                Request::Blend { .. },
                Request::ListAdapters { .. }
            ]
        ),
        "{effects:?}"
    );
    assert_eq!((again.adapters.side, again.adapters.blend), (Side::Before, 0.4));

    update(&mut state, Action::WorkerDied { message: "oom".into() }, 0.0);
    assert!(state.adapters.attached.is_none());
    assert_eq!(state.adapters.side, Side::Before);
    let effects = update(&mut state, event(Event::Ready), 0.0);
    attach_revision(&effects);
}

#[test]
fn an_adapter_that_kills_the_worker_is_not_tried_again() {
    let (mut state, _) = opened();
    act(&mut state, AdapterAction::Chosen(keep("aa")));
    update(&mut state, Action::WorkerDied { message: "oom".into() }, 0.0);
    let effects = update(&mut state, event(Event::Ready), 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Open { .. }]), "{effects:?}");
}

#[test]
fn an_adapter_that_is_gone_or_broken_leaves_the_model_usable() {
    for problem in [Problem::NotKept, Problem::Damaged { what: "x".into() }] {
        let (mut state, before) = opened();
        let effects = act(&mut state, AdapterAction::Chosen(keep("aa")));
        let (attach, lost) = (attach_revision(&effects), pair_of(&effects, Side::After));
        let failed = Event::Failed { revision: Some(attach), problem: problem.clone() };
        update(&mut state, event(failed), 0.0);
        let failed = Event::Failed { revision: Some(lost), problem: Problem::NoAdapter };
        update(&mut state, event(failed), 0.0);
        answer(&mut state, before, 0.2);
        assert_eq!((state.adapters.side, shown(&state)), (Side::Before, Some(0.2)));
        assert!(state.compare.shown.problem.is_none());
        assert_eq!(state.notices.is_empty(), problem == Problem::NotKept);
    }
}

#[test]
fn an_adapter_that_fails_leaves_the_one_in_use() {
    let mut state = with_adapter();
    let effects = act(&mut state, AdapterAction::Chosen(keep("bb")));
    let revision = Some(attach_revision(&effects));
    let failed = Event::Failed { revision, problem: Problem::Damaged { what: "x".into() } };
    update(&mut state, event(failed), 0.0);
    assert_eq!(state.adapters.choice, keep("aa"));
    assert!(matches!(state.notices[0].content, NoticeContent::Problem { .. }));
    assert_eq!(state.adapters.side, Side::After);
}

#[test]
fn an_imported_file_is_kept_and_put_on_the_model_it_belongs_to() {
    let (mut state, _) = opened();
    let effects = act(&mut state, AdapterAction::FilePicked);
    let Some(Effect::SendPickedAdapter { revision }) = effects.first() else {
        panic!("{effects:?}")
    };
    let kept = |revision, adapter| {
        let outcome = StoreOutcome::Refused;
        event(Event::AdapterKept { revision, adapter: Box::new(adapter), outcome })
    };
    let effects = update(&mut state, kept(*revision, summary("aa")), 0.0);
    attach_revision(&effects);
    assert!(state.adapters.refused && state.adapters.shelf.len() == 1);

    let effects = act(&mut state, AdapterAction::FilePicked);
    let Some(Effect::SendPickedAdapter { revision }) = effects.first() else {
        panic!("{effects:?}")
    };
    let foreign = AdapterSummary { base_sha256: "ff".into(), ..summary("bb") };
    let effects = update(&mut state, kept(*revision, foreign), 0.0);
    assert!(requests(&effects).is_empty(), "{effects:?}");
    let NoticeContent::Problem { problem: Problem::AdapterBase { expected, .. }, .. } =
        &state.notices[0].content
    else {
        panic!("{:?}", state.notices)
    };
    assert_eq!((expected.as_str(), state.adapters.shelf.len()), ("ff", 2));
}

#[test]
fn deleting_asks_first_and_takes_it_off() {
    let mut state = with_adapter();
    assert!(
        requests(&act(&mut state, AdapterAction::ForgetAsked { sha256: "aa".into() })).is_empty()
    );
    assert_eq!(state.adapters.forgetting.as_deref(), Some("aa"));
    let effects = act(&mut state, AdapterAction::Forgotten { sha256: "aa".into() });
    assert!(matches!(
        requests(&effects)[..],
        [Request::Detach { .. }, Request::ForgetAdapter { .. }]
    ));
    assert_eq!((&state.adapters.choice, &state.adapters.forgetting), (&Choice::Nothing, &None));
}

#[test]
fn an_exported_file_is_named_after_its_adapter() {
    let mut state = with_adapter();
    let effects = act(&mut state, AdapterAction::Exported { sha256: "aa".into() });
    let [Request::ReadAdapter { revision, .. }] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    let adapter = Box::new(AdapterSummary { name: "my run/3".into(), ..summary("aa") });
    let head = Event::AdapterFile { revision: *revision, adapter };
    let bulk = vec![Bulk::Bytes(vec![1, 2])];
    let effects = update(&mut state, Action::Worker(Message { head, bulk }), 0.0);
    let [Effect::DownloadBytes { name, bytes }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((name.as_str(), &bytes[..]), ("my-run-3.gguf", &[1, 2][..]));
}

#[test]
fn what_another_view_attaches_is_the_visitors_choice() {
    let (mut state, _) = opened();
    update(&mut state, attached_event(77, summary("cc")), 0.0);
    assert_eq!(state.adapters.choice, keep("cc"));
    assert_eq!(state.adapters.side, Side::After);
    assert!(state.compare.shown.pending.is_some());
}

#[test]
fn one_that_comes_after_it_was_taken_off_is_not_chosen_again() {
    let (mut state, _) = opened();
    let effects = act(&mut state, AdapterAction::Chosen(keep("aa")));
    let attach = attach_revision(&effects);
    act(&mut state, AdapterAction::Chosen(Choice::Nothing));
    update(&mut state, attached_event(attach, summary("aa")), 0.0);
    assert_eq!(state.adapters.choice, Choice::Nothing);
}

#[test]
fn an_adapter_stays_off_once_it_was_taken_off() {
    let mut state = with_adapter();
    act(&mut state, AdapterAction::Chosen(Choice::Nothing));
    let effects = update(&mut state, Action::Leaving, 0.0);
    let [Effect::Save(json)] = &effects[..] else { panic!("{effects:?}") };
    let mut again = started("", Some(json));
    let effects = update(&mut again, event(Event::Ready), 0.0);
    assert!(matches!(requests(&effects)[..], [Request::Open { .. }]));
}

fn other_model() -> AdapterSummary {
    let known = OtherModel { quantisation: "q4_0".into(), layers: 3 };
    AdapterSummary { name: "other".into(), model: Some(known), ..summary("bb") }
}

fn beside() -> Choice {
    Choice::Model { name: "other".into(), sha256: "bb".into(), size_bytes: 7 }
}

#[test]
fn another_model_takes_the_adapters_place_and_is_read_in_its_own_way() {
    let mut state = with_adapter();
    state.compare.layer = Some(5);
    act(&mut state, AdapterAction::BlendChosen(0.5));
    let effects = act(&mut state, AdapterAction::Chosen(beside()));
    let [Request::Attach { revision, source: AdapterSource::Model(source) }, ..] =
        requests(&effects)[..]
    else {
        panic!("{effects:?}")
    };
    assert!(matches!(source, ModelSource::Kept { sha256, size_bytes: 7, .. } if sha256 == "bb"));
    assert!(
        !requests(&effects).iter().any(|request| matches!(request, Request::Blend { .. })),
        "a model has no strength"
    );
    let effects = update(&mut state, attached_event(*revision, other_model()), 0.0);
    assert_eq!(state.compare.layer, None, "a layer that it lacks");
    assert_eq!(state.lens().unwrap().readout.pooling, Pooling::Cls);
    assert_eq!(state.names_of_two(), Some([model().name, "other".to_owned()]));
    assert_eq!(state.adapters.adapter(), None);
    assert!(!asked(&effects).is_empty(), "what was known of the adapter is not true of it");
    let saved = Saved::from_json(&Saved::of(&state).to_json()).unwrap();
    assert_eq!(saved.adapter, beside());
}

#[test]
fn a_model_beside_that_is_gone_gives_way_to_the_sites_adapter_and_is_said() {
    let (mut state, _) = opened();
    let effects = act(&mut state, AdapterAction::Chosen(beside()));
    let revision = Some(attach_revision(&effects));
    let problem = Problem::ModelNotKept { name: "other".into() };
    update(&mut state, event(Event::Failed { revision, problem }), 0.0);
    assert_eq!(state.adapters.choice, Choice::Hosted);
    assert_eq!(state.adapters.side, Side::Before);
    assert_eq!(state.notices.len(), 1);
}

#[test]
fn a_model_is_not_put_beside_itself_and_comes_off_when_it_is_removed() {
    let (mut state, _) = opened();
    let sha256 = state.model.as_ref().unwrap().sha256.clone();
    let itself = Choice::Model { name: "itself".into(), sha256, size_bytes: 1 };
    let effects = act(&mut state, AdapterAction::Chosen(itself));
    assert!(!requests(&effects).iter().any(|it| matches!(it, Request::Attach { .. })));

    let effects = act(&mut state, AdapterAction::Chosen(beside()));
    let revision = attach_revision(&effects);
    update(&mut state, attached_event(revision, other_model()), 0.0);
    update(&mut state, Action::Shelf(ShelfAction::ForgetAsked("bb".into())), 0.0);
    let effects = update(&mut state, Action::Shelf(ShelfAction::Forgotten), 0.0);
    assert!(requests(&effects).iter().any(|it| matches!(it, Request::Detach { .. })));
    assert_eq!(state.adapters.choice, Choice::Nothing);
}
