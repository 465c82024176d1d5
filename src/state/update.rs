//! The one place where the state changes.

use crate::catalogue::examples;
use crate::catalogue::language::Language;
use crate::protocol::event::Event;
use crate::protocol::readout::Pooling;
use crate::protocol::request::Request;
use crate::state::action::Action;
use crate::state::adapters;
use crate::state::adapters::MOST_BLEND;
use crate::state::app::{State, Wanted, Worker};
use crate::state::ask::{
    ask_baseline, ask_list, ask_pair, ask_window, cancel_job, open_wanted, show_list,
};
use crate::state::compare::{Compare, CompareText, ListTrouble};
use crate::state::effect::Effect;
use crate::state::export;
use crate::state::figures::ask_figures;
use crate::state::fine_tune;
use crate::state::fine_tune::FineTuneAction;
use crate::state::geometry;
use crate::state::gpu::events as gpu;
use crate::state::lesson;
use crate::state::lesson::{LessonAction, STEPS};
use crate::state::notice::{NoticeContent, Report};
use crate::state::route::{Route, View};
use crate::state::saved::Saved;
use crate::state::search;
use crate::state::settings::Theme;
use crate::state::shelf;
use crate::state::shelf::pulling;
use crate::state::trainer;
use crate::state::worker_events::{take_event, worker_died};
use crate::text::lists::{ListError, Reading};

/// Pause between the last keystroke and reading the list.
const SETTLE_MS: u32 = 350;
/// Pause between a change and writing it to the browser's storage.
const SAVE_MS: u32 = 400;
/// How long a report such as "copied" stays.
const REPORT_MS: u32 = 4000;
/// Characters beyond which mail and chat programs cut a link.
const LONGEST_LINK: usize = 8000;

/// Applies what happened at `now_ms` (milliseconds, any origin) and says what to do next.
pub fn update(state: &mut State, action: Action, now_ms: f64) -> Vec<Effect> {
    let saves = changes_saved(&action);
    let mut effects = apply(state, action, now_ms);
    if saves {
        state.save_count += 1;
        effects
            .push(Effect::After { pause_ms: SAVE_MS, action: Action::SaveDue(state.save_count) });
    }
    effects
}

fn apply(state: &mut State, action: Action, now_ms: f64) -> Vec<Effect> {
    match action {
        Action::Started { fragment, saved, languages } => {
            start(state, &fragment, saved, &languages)
        }
        Action::FragmentChanged { fragment } => follow_fragment(state, &fragment),
        Action::LanguageChosen(language) => choose_language(state, language),
        Action::ThemeChosen(theme) => choose_theme(state, theme),
        Action::BackendPreferred(preference) => gpu::prefer(state, preference),
        Action::SystemDark(dark) => {
            state.system_dark = dark;
            Vec::new()
        }
        Action::Worker(message) => take_event(state, message, now_ms),
        Action::WorkerDied { message } => worker_died(state, message, now_ms),
        Action::Trainer(message) => trainer::events::take_event(state, message, now_ms),
        Action::TrainerDied { message } => trainer::events::died(state, message),
        Action::TrainerRested(count) => trainer::life::rested(state, count),
        Action::Adapters(action) => adapters::update::update(state, action),
        Action::FineTune(action) => {
            let mut effects = fine_tune::update::update(state, action);
            // One that was given up took the lesson's trainer with it.
            effects.extend(lesson::update::ask(state));
            effects
        }
        Action::Geometry(action) => geometry::update::update(state, action),
        Action::Search(action) => search::update::update(state, action),
        Action::Lesson(action) => lesson::update::update(state, action),
        Action::FirstTyped(text) => type_first(state, text),
        Action::SecondTyped(text) => type_second(state, text),
        Action::Swapped => swap(state),
        Action::PairExampleChosen(place) => choose_pair_example(state, place),
        Action::PoolingChosen(pooling) => choose_readout(state, pooling, state.compare.layer),
        Action::LayerChosen(layer) => choose_readout(state, state.compare.pooling, layer),
        Action::PairPicked { first, second } => pick_pair(state, first, second),
        Action::ListTyped(text) => type_list(state, text),
        Action::ListExampleChosen(place) => choose_list_example(state, place),
        Action::ListFileRead { name, reading, text } => take_file(state, name, reading, text),
        Action::ListSettled(count) => settle_list(state, count),
        Action::WindowMoved { row, column } => ask_window(state, row, column),
        Action::ListCancelled => cancel_list(state),
        Action::ListResumed => ask_list(state),
        Action::StartedOver => start_over(state),
        Action::Undone => undo(state),
        Action::DefaultModelChosen => choose_model(state, Wanted::Default),
        Action::Shelf(action) => {
            let (wanted, mut effects) = shelf::update::update(state, action);
            effects.extend(wanted.into_iter().flat_map(|wanted| choose_model(state, wanted)));
            effects
        }
        Action::ModelWantedAgain => choose_model(state, state.wanted.clone()),
        Action::Puller(message) => pulling::take_event(state, message, now_ms),
        Action::PullerDied { message } => pulling::died(state, message),
        Action::LoadingStopped if state.is_pulling => vec![Effect::StopPulling],
        Action::LoadingStopped => vec![Effect::ask(Request::StopLoading)],
        Action::ModelFilePicked { name, size_bytes } => {
            choose_model(state, Wanted::Picked { name, size_bytes })
        }
        Action::StoredModelForgotten => forget(state),
        Action::LinkCopied => copy_link(state),
        Action::TableCopied => copy_table(state),
        Action::TableExported => export_table(state),
        Action::MatrixExported => export_matrix(state),
        Action::FigureSaved { name, mime, text } => vec![Effect::Download { name, mime, text }],
        Action::PictureExported { name, svg } => vec![Effect::DownloadPng { name, svg }],
        Action::Reported(report) => report_to_visitor(state, report),
        Action::NoticeDismissed(id) => {
            state.notices.retain(|notice| notice.id != id);
            Vec::new()
        }
        Action::SaveDue(count) if count != state.save_count => Vec::new(),
        Action::SaveDue(_) | Action::Leaving => vec![Effect::Save(Saved::of(state).to_json())],
    }
}

fn changes_saved(action: &Action) -> bool {
    matches!(action, Action::Puller(message) if matches!(message.head, Event::Pulled { .. }))
        || matches!(
            action,
            Action::Shelf(_) | Action::DefaultModelChosen | Action::ModelFilePicked { .. }
        )
        || matches!(action, Action::FineTune(action) if *action != FineTuneAction::Exported)
        || matches!(action, Action::Geometry(action) if action.changes_saved())
        || matches!(action, Action::Search(action) if action.changes_saved())
        || matches!(action, Action::Adapters(action) if action.changes_saved())
        || matches!(
            action,
            Action::Lesson(LessonAction::OwnTyped(_))
                | Action::LanguageChosen(_)
                | Action::ThemeChosen(_)
                | Action::BackendPreferred(_)
                | Action::FirstTyped(_)
                | Action::SecondTyped(_)
                | Action::Swapped
                | Action::PairExampleChosen(_)
                | Action::PoolingChosen(_)
                | Action::LayerChosen(_)
                | Action::PairPicked { .. }
                | Action::ListTyped(_)
                | Action::ListExampleChosen(_)
                | Action::ListFileRead { .. }
                | Action::StartedOver
                | Action::Undone
        )
}

fn start(
    state: &mut State,
    fragment: &str,
    saved: Option<String>,
    languages: &[String],
) -> Vec<Effect> {
    let saved = saved.and_then(|text| Saved::from_json(&text)).unwrap_or_default();
    state.language_chosen = saved.language.is_some();
    state.language =
        saved.language.unwrap_or_else(|| Language::preferred(languages.iter().map(String::as_str)));
    state.theme = saved.theme;
    (state.gpu.preference, state.gpu.tuned) = (saved.backend, saved.tuned);
    let compare = &mut state.compare;
    compare.text = CompareText {
        first: saved.first.unwrap_or_else(|| compare.text.first.clone()),
        second: saved.second.unwrap_or_else(|| compare.text.second.clone()),
        list: saved.list,
        list_name: saved.list_name,
    };
    compare.pooling = saved.pooling;
    compare.layer = saved.layer;
    compare.read_list();
    state.shelf.draft = saved.model_draft;
    if let Some(model) = saved.model {
        state.wanted = model.into();
    }
    state.adapters.choice = saved.adapter;
    state.adapters.chosen = saved.side.unwrap_or(state.adapters.chosen);
    let blend = saved.blend.filter(|blend| blend.is_finite());
    state.adapters.blend = blend.map_or(1.0, |blend| blend.clamp(0.0, MOST_BLEND));
    state.lesson.own = saved.lesson_own.unwrap_or_else(|| state.lesson.own.clone());
    state.lesson.outcomes = saved.lesson_outcomes;
    if let Some(kept) = saved.geometry {
        state.geometry = geometry::saved::from_json(&kept);
    }
    if let Some(kept) = saved.search {
        state.search = search::saved::from_json(&kept);
    }
    if let Some(fine_tune) = saved.fine_tune {
        state.fine_tune = fine_tune::saved::from_json(&fine_tune);
    }
    let mut effects = vec![
        Effect::UseLanguage(state.language),
        Effect::UseTheme(state.theme),
        Effect::RestartWorker,
    ];
    effects.extend(follow_fragment(state, fragment));
    effects
}

/// Opens what a link names. Sentences that it replaces can be brought back with undo.
fn follow_fragment(state: &mut State, fragment: &str) -> Vec<Effect> {
    let route = Route::from_fragment(fragment);
    let entered = state.view != route.view;
    state.view = route.view;
    if entered {
        state.lesson.try_drawing_again();
    }
    if entered && state.view == View::Models {
        let mut effects = adapters::update::list_shelf(state);
        effects.extend(shelf::update::list(state));
        return effects;
    }
    if let Some(step) = route.step {
        state.lesson.step = step.min(STEPS - 1);
    }
    if !route.has_sentences() {
        let mut effects = Vec::new();
        if state.view == View::Geometry {
            effects.extend(geometry::update::follow(state, &route));
        }
        effects.extend(ask_figures(state));
        return effects;
    }
    let linked = CompareText {
        first: route.first.unwrap_or_default(),
        second: route.second.unwrap_or_default(),
        list: route.list.unwrap_or_default(),
        list_name: None,
    };
    let readout_changed =
        (route.pooling, route.layer) != (state.compare.pooling, state.compare.layer);
    state.compare.pooling = route.pooling;
    // A layer that the model lacks would only earn an error.
    let layers = state.model.as_ref().map_or(u16::MAX, |model| model.layers);
    state.compare.layer = route.layer.filter(|layer| *layer <= layers);
    if linked != state.compare.text {
        state.compare.remember();
        state.notify(NoticeContent::LinkOpened);
    }
    let mut effects = replace_text(state, linked);
    if readout_changed {
        effects.extend(ask_baseline(state));
        effects.push(settle_later(state, 0));
    }
    effects
}

fn choose_language(state: &mut State, language: Language) -> Vec<Effect> {
    state.language = language;
    state.language_chosen = true;
    vec![Effect::UseLanguage(language)]
}

fn choose_theme(state: &mut State, theme: Theme) -> Vec<Effect> {
    state.theme = theme;
    vec![Effect::UseTheme(theme)]
}

/// A link describes the text it was made from; once that is edited the address is plain again.
fn plain_address(state: &State) -> Effect {
    let fragment = Route { view: state.view, ..Route::default() }.to_fragment();
    Effect::ShowFragment(fragment)
}

fn type_first(state: &mut State, text: String) -> Vec<Effect> {
    state.compare.text.first = text;
    pair_changed(state)
}

fn type_second(state: &mut State, text: String) -> Vec<Effect> {
    state.compare.text.second = text;
    pair_changed(state)
}

fn pair_changed(state: &mut State) -> Vec<Effect> {
    let mut effects = vec![plain_address(state)];
    effects.extend(ask_pair(state));
    effects
}

fn swap(state: &mut State) -> Vec<Effect> {
    let text = &mut state.compare.text;
    std::mem::swap(&mut text.first, &mut text.second);
    pair_changed(state)
}

fn choose_pair_example(state: &mut State, place: usize) -> Vec<Effect> {
    let Some(example) = examples::PAIRS.get(place) else { return Vec::new() };
    state.compare.remember();
    let (first, second) = example.sentences;
    state.compare.text.first = first.into();
    state.compare.text.second = second.into();
    pair_changed(state)
}

fn pick_pair(state: &mut State, first: String, second: String) -> Vec<Effect> {
    state.compare.remember();
    state.compare.text.first = first;
    state.compare.text.second = second;
    let mut effects = pair_changed(state);
    effects.push(Effect::RevealPair);
    effects
}

fn choose_readout(state: &mut State, pooling: Option<Pooling>, layer: Option<u16>) -> Vec<Effect> {
    state.compare.pooling = pooling;
    state.compare.layer = layer;
    let mut effects = ask_pair(state);
    effects.extend(ask_baseline(state));
    effects.extend(show_list(state, true));
    effects
}

fn type_list(state: &mut State, text: String) -> Vec<Effect> {
    state.compare.text.list = text;
    vec![plain_address(state), settle_later(state, SETTLE_MS)]
}

fn settle_later(state: &mut State, pause_ms: u32) -> Effect {
    state.compare.typed_count += 1;
    Effect::After { pause_ms, action: Action::ListSettled(state.compare.typed_count) }
}

fn settle_list(state: &mut State, count: u32) -> Vec<Effect> {
    if count != state.compare.typed_count {
        return Vec::new();
    }
    state.compare.crashes = 0;
    state.compare.read_list();
    state.compare.result_lens = None;
    state.compare.stash = None;
    ask_list(state)
}

fn choose_list_example(state: &mut State, place: usize) -> Vec<Effect> {
    let Some(example) = examples::LISTS.get(place) else { return Vec::new() };
    state.compare.remember();
    let text =
        CompareText { list: example.text.into(), list_name: None, ..state.compare.text.clone() };
    replace_text(state, text)
}

fn take_file(
    state: &mut State,
    name: String,
    reading: Result<Reading, ListError>,
    text: String,
) -> Vec<Effect> {
    match reading {
        Ok(_) => {
            state.compare.remember();
            let text =
                CompareText { list: text, list_name: Some(name), ..state.compare.text.clone() };
            replace_text(state, text)
        }
        // What was there stays: a bad file must not cost the visitor a good list.
        Err(error) => {
            state.compare.trouble = Some(ListTrouble::File { name, error });
            Vec::new()
        }
    }
}

fn replace_text(state: &mut State, text: CompareText) -> Vec<Effect> {
    // The same text under another name may read otherwise; a file's trouble goes with a good one.
    let before = &state.compare;
    let list_changed = text.list != before.text.list
        || text.list_name != before.text.list_name
        || before.trouble.is_some();
    state.compare.text = text;
    let mut effects = ask_pair(state);
    if list_changed {
        state.compare.drop_result();
        effects.push(settle_later(state, 0));
    }
    effects
}

fn start_over(state: &mut State) -> Vec<Effect> {
    state.compare.remember();
    state.notify(NoticeContent::StartedOver);
    let mut effects = vec![plain_address(state)];
    let fresh = Compare::default();
    state.compare.pooling = None;
    state.compare.layer = None;
    effects.extend(replace_text(state, fresh.text));
    effects.extend(ask_baseline(state));
    effects
}

fn undo(state: &mut State) -> Vec<Effect> {
    let Some(text) = state.compare.undo.pop() else { return Vec::new() };
    state.notices.retain(|notice| {
        !matches!(notice.content, NoticeContent::LinkOpened | NoticeContent::StartedOver)
    });
    let mut effects = vec![plain_address(state)];
    effects.extend(replace_text(state, text));
    effects
}

fn choose_model(state: &mut State, wanted: Wanted) -> Vec<Effect> {
    state.wanted = wanted;
    if state.worker == Worker::Stopped {
        state.worker = Worker::Starting;
        state.deaths_ms.clear();
        return vec![Effect::RestartWorker];
    }
    open_wanted(state)
}

fn forget(state: &mut State) -> Vec<Effect> {
    let Some(model) = state.hosted.first() else { return Vec::new() };
    vec![Effect::ask(Request::Forget { sha256: model.sha256.clone() })]
}

fn copy_link(state: &State) -> Vec<Effect> {
    let compare = &state.compare;
    let list = Some(compare.text.list.clone()).filter(|list| !list.trim().is_empty());
    let mut route = Route {
        view: View::Compare,
        step: None,
        first: Some(compare.text.first.clone()),
        second: Some(compare.text.second.clone()),
        list,
        pooling: compare.pooling,
        layer: compare.layer,
        ..Route::default()
    };
    let mut fragment = route.to_fragment();
    let mut report = Report::Copied;
    if fragment.len() > LONGEST_LINK && route.list.take().is_some() {
        report = Report::CopiedWithoutList { characters: fragment.len() };
        fragment = route.to_fragment();
    }
    vec![
        Effect::ShowFragment(fragment.clone()),
        Effect::Copy { text: fragment, is_fragment: true, report },
    ]
}

fn copy_table(state: &State) -> Vec<Effect> {
    export::tsv(&state.compare)
        .map(|text| Effect::Copy { text, is_fragment: false, report: Report::Copied })
        .into_iter()
        .collect()
}

fn export_table(state: &State) -> Vec<Effect> {
    export::csv(&state.compare)
        .map(|text| Effect::Download { name: "simcse-compare.csv".into(), mime: "text/csv", text })
        .into_iter()
        .collect()
}

fn export_matrix(state: &State) -> Vec<Effect> {
    export::matrix_csv(&state.compare)
        .map(|text| Effect::Download { name: "simcse-matrix.csv".into(), mime: "text/csv", text })
        .into_iter()
        .collect()
}

/// Gives the list's request up, and remembers how far it had come.
fn cancel_list(state: &mut State) -> Vec<Effect> {
    state.compare.cancelled = state.compare.job;
    cancel_job(state)
}

fn report_to_visitor(state: &mut State, report: Report) -> Vec<Effect> {
    if report == Report::NotSaved && std::mem::replace(&mut state.save_refusal_said, true) {
        return Vec::new();
    }
    let passing = matches!(report, Report::Copied | Report::Exported { .. });
    let mut effects = unreadable_model(state, &report);
    let id = state.notify(NoticeContent::Report(report));
    let dismiss = Effect::After { pause_ms: REPORT_MS, action: Action::NoticeDismissed(id) };
    effects.extend(passing.then_some(dismiss));
    effects
}

/// Where the picked model could not be read from disk: the model in use stays, or the default comes.
fn unreadable_model(state: &mut State, report: &Report) -> Vec<Effect> {
    let Report::FileUnreadable { name, .. } = report else { return Vec::new() };
    if state.loading.take_if(|loading| loading.name == *name).is_none() {
        return Vec::new();
    }
    state.wanted = Wanted::Default;
    if state.model.is_some() { Vec::new() } else { open_wanted(state) }
}
