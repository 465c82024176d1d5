//! Text in, events out, on the engine.

use simcse_lab::backend::Backend;
use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::event::{Event, TokenisedText};
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::{ModelSource, Request, WINDOW_SIDE, Window};

use crate::fixture::{self, HIDDEN, MAX_TOKENS};

pub const MEAN: Lens =
    Lens { side: Side::Before, readout: Readout { pooling: Pooling::Mean, layer: None } };

pub fn opened(seed: u64) -> Engine {
    let mut engine = Engine::new();
    let mut out = Events::new();
    engine.open(1, "tiny", fixture::gguf(seed), None, &mut out);
    assert!(matches!(&out[..], [Message { head: Event::Opened { revision: 1, .. }, .. }]));
    engine
}

pub fn ask(engine: &mut Engine<impl Backend + Clone>, request: Request) -> Events {
    let mut out = Events::new();
    engine.accept(Message::plain(request), &mut out);
    out
}

pub fn step(engine: &mut Engine<impl Backend + Clone>, out: &mut Events) -> bool {
    pollster::block_on(engine.step(out))
}

/// Runs until nothing is left to do; without progress, whose number depends on the clock.
pub fn run(engine: &mut Engine<impl Backend + Clone>) -> Events {
    let mut out = Events::new();
    while step(engine, &mut out) {}
    out.retain(|message| !matches!(message.head, Event::Progress { .. }));
    out
}

pub fn answer(engine: &mut Engine<impl Backend + Clone>, request: Request) -> Message<Event> {
    let early = ask(engine, request);
    assert!(early.is_empty(), "{early:?}");
    let mut events = run(engine);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

pub fn pair(revision: u32, first: &str, second: &str) -> Request {
    let (first, second) = (first.to_owned(), second.to_owned());
    Request::Pair { revision, first, second, lens: MEAN }
}

fn embed(revision: u32, sentences: Vec<String>) -> Request {
    Request::Embed { revision, sentences, lens: MEAN }
}

pub fn sentences(count: usize) -> Vec<String> {
    (0..count).map(|i| fixture::sentence(1 + i % 9, i)).collect()
}

fn rows(engine: &mut Engine, texts: &[String]) -> Vec<f32> {
    let message = answer(engine, embed(900, texts.to_vec()));
    message.f32().unwrap().to_vec()
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub fn revisions(events: &Events) -> Vec<u32> {
    events.iter().filter_map(|message| message.head.revision()).collect()
}

#[test]
fn a_pair_has_its_cosine_its_tokens_and_their_grid() {
    let mut engine = opened(1);
    let texts = ["The cat sat.".to_owned(), "a dogs".to_owned()];
    let message = answer(&mut engine, pair(2, &texts[0], &texts[1]));
    let Event::Pair { revision, cosine, first, second, latency_ms } = &message.head else {
        panic!("{:?}", message.head)
    };
    assert_eq!(*revision, 2);
    assert_eq!(first.pieces, ["[CLS]", "the", "cat", "sat", ".", "[SEP]"]);
    assert_eq!(second.pieces, ["[CLS]", "a", "dog", "##s", "[SEP]"]);
    assert!(*latency_ms > 0.0);
    let grid = message.f32().unwrap();
    assert_eq!(grid.len(), 6 * 5);
    assert!(grid.iter().all(|value| value.abs() <= 1.0001));
    let rows = rows(&mut engine, &texts);
    assert!((cosine - dot(&rows[..HIDDEN], &rows[HIDDEN..])).abs() < 1e-5);
}

#[test]
fn a_sentence_with_itself_scores_one_and_so_does_its_diagonal() {
    let mut engine = opened(1);
    let message = answer(&mut engine, pair(2, "the cat", "the cat"));
    let Event::Pair { cosine, .. } = message.head else { panic!("{:?}", message.head) };
    assert!((cosine - 1.0).abs() < 1e-5);
    let grid = message.f32().unwrap();
    (0..4).for_each(|i| assert!((grid[i * 4 + i] - 1.0).abs() < 1e-5));
}

#[test]
fn empty_text_and_lone_surrogates_simply_work() {
    let mut engine = opened(1);
    // What JavaScript hands over in place of a lone surrogate.
    let message = answer(&mut engine, pair(2, "", "cat \u{fffd} \u{0} mat"));
    let Event::Pair { first, second, cosine, .. } = message.head else { panic!() };
    assert_eq!(
        first,
        TokenisedText { pieces: vec!["[CLS]".into(), "[SEP]".into()], cut_from: None }
    );
    assert_eq!(second.pieces, ["[CLS]", "cat", "mat", "[SEP]"]);
    assert!(cosine.is_finite());
}

#[test]
fn a_megabyte_in_a_line_is_cut_and_says_so() {
    let mut engine = opened(1);
    let line = "the cat sat on a mat, ".repeat(48_000);
    assert!(line.len() > 1_000_000);
    let message = answer(&mut engine, pair(2, &line, &"x".repeat(1 << 20)));
    let Event::Pair { first, second, .. } = message.head else { panic!() };
    assert_eq!(first.pieces.len(), MAX_TOKENS);
    assert!(first.cut_from.is_some_and(|count| count > 10_000));
    assert_eq!(second.pieces, ["[CLS]", "[UNK]", "[SEP]"]);
}

#[test]
fn ten_thousand_lines_come_back_in_order_with_progress() {
    let mut engine = opened(1);
    let texts = sentences(10_000);
    assert!(ask(&mut engine, embed(2, texts.clone())).is_empty());
    let mut out = Events::new();
    while step(&mut engine, &mut out) {}
    let message = out.pop().unwrap();
    let Event::Embedded { hidden, truncated, .. } = &message.head else { panic!() };
    assert_eq!((*hidden as usize, truncated.len()), (HIDDEN, 0));
    let all = message.f32().unwrap();
    assert_eq!(all.len(), texts.len() * HIDDEN);
    for position in [0, 1, 4_999, 9_999] {
        let alone = rows(&mut engine, &texts[position..=position]);
        let row = &all[position * HIDDEN..(position + 1) * HIDDEN];
        assert!((dot(&alone, row) - 1.0).abs() < 1e-5, "{position}");
    }
    for message in &out {
        let Event::Progress { revision, done, total, .. } = message.head else { panic!() };
        assert!(revision == 2 && done <= total && total == 10_000);
    }
}

#[test]
fn a_group_has_its_nearest_pairs_and_windows() {
    let mut engine = opened(1);
    let mut texts = sentences(90);
    texts[70] = texts[3].clone();
    texts[5] = "cat ".repeat(40);
    let request = Request::Group { revision: 2, sentences: texts.clone(), lens: MEAN };
    let message = answer(&mut engine, request);
    let Event::Group { count, truncated, nearest, pair_count, mean_cosine, window, .. } =
        &message.head
    else {
        panic!("{:?}", message.head)
    };
    assert_eq!((*count, *pair_count, &truncated[..]), (90, 90 * 89 / 2, &[5][..]));
    let side = WINDOW_SIDE;
    let first = Window { row: 0, row_count: side, column: 0, column_count: side };
    assert_eq!(*window, first);
    assert_eq!(nearest.len(), 200);
    assert!(nearest.windows(2).all(|two| two[0].2 >= two[1].2));
    assert!(nearest.iter().any(|(i, j, cosine)| (*i, *j) == (3, 70) && *cosine > 0.9999));
    let rows = rows(&mut engine, &texts);
    let row = |i: usize| &rows[i * HIDDEN..(i + 1) * HIDDEN];
    let cells = message.f32().unwrap();
    assert!((cells[7 * side as usize + 9] - dot(row(7), row(9))).abs() < 1e-5);
    let all: f32 =
        (0..90).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| dot(row(i), row(j))).sum();
    assert!((mean_cosine - all / (90.0 * 89.0 / 2.0)).abs() < 1e-4);

    let window = Window { row: 60, row_count: 30, column: 80, column_count: 10 };
    let message = answer(&mut engine, Request::GroupWindow { revision: 3, group: 2, window });
    assert_eq!(message.head, Event::GroupWindow { revision: 3, window });
    let cells = message.f32().unwrap();
    assert_eq!(cells.len(), 300);
    assert!((cells[2 * 10 + 4] - dot(row(62), row(84))).abs() < 1e-5);
}

#[test]
fn small_groups_have_few_pairs() {
    let mut engine = opened(1);
    for (count, pairs) in [(0, 0), (1, 0), (2, 1)] {
        let sentences = sentences(count);
        let message = answer(&mut engine, Request::Group { revision: 2, sentences, lens: MEAN });
        let Event::Group { nearest, pair_count, .. } = &message.head else { panic!() };
        assert_eq!((nearest.len(), *pair_count), (pairs, pairs as u64));
        assert_eq!(message.f32().unwrap().len(), count * count);
    }
}

#[test]
fn windows_outside_the_matrix_or_without_a_group_are_refused() {
    let mut engine = opened(1);
    let window = Window { row: 0, row_count: 1, column: 0, column_count: 1 };
    let refused = |engine: &mut Engine, group, window| {
        let message = answer(engine, Request::GroupWindow { revision: 7, group, window });
        let problem = Problem::NoWindow;
        assert_eq!(message.head, Event::Failed { revision: Some(7), problem });
    };
    refused(&mut engine, 2, window);
    answer(&mut engine, Request::Group { revision: 2, sentences: sentences(3), lens: MEAN });
    // A group that another has replaced since.
    refused(&mut engine, 1, window);
    refused(&mut engine, 2, Window { row: 3, ..window });
    refused(&mut engine, 2, Window { row_count: u32::MAX, column_count: u32::MAX, ..window });
}

#[test]
fn pairs_agree_with_gold() {
    let mut engine = opened(1);
    let texts = sentences(40);
    let pairs: Vec<_> = texts.chunks(2).map(|two| (two[0].clone(), two[1].clone())).collect();
    let message = answer(
        &mut engine,
        Request::Pairs { revision: 2, pairs: pairs.clone(), gold: Vec::new(), lens: MEAN },
    );
    let Event::Pairs { agreement: None, .. } = message.head else { panic!("{:?}", message.head) };
    let cosines = message.f32().unwrap().to_vec();
    let rows = rows(&mut engine, &texts);
    for (cosine, two) in cosines.iter().zip(rows.chunks(2 * HIDDEN)) {
        assert!((cosine - dot(&two[..HIDDEN], &two[HIDDEN..])).abs() < 1e-5);
    }
    // Gold that falls as the cosine rises.
    let gold: Vec<f32> = cosines.iter().map(|cosine| 1.0 - cosine).collect();
    let message =
        answer(&mut engine, Request::Pairs { revision: 3, pairs: pairs.clone(), gold, lens: MEAN });
    let Event::Pairs { agreement: Some(agreement), .. } = message.head else { panic!() };
    assert_eq!(agreement.pairs, 20);
    assert!(agreement.spearman < -0.999 && agreement.pearson < -0.999);
    let early =
        ask(&mut engine, Request::Pairs { revision: 4, pairs, gold: vec![1.0], lens: MEAN });
    assert!(matches!(
        early[0].head,
        Event::Failed { revision: Some(4), problem: Problem::Internal { .. } }
    ));
}

#[test]
fn a_pair_that_was_cut_is_named_once() {
    let mut engine = opened(1);
    let long = "cat ".repeat(40);
    let pairs = vec![("a".to_owned(), "a".to_owned()), (long.clone(), long)];
    let request = Request::Pairs { revision: 2, pairs, gold: Vec::new(), lens: MEAN };
    let Event::Pairs { truncated, .. } = answer(&mut engine, request).head else { panic!() };
    assert_eq!(truncated, [1]);
}

#[test]
fn the_baseline_is_the_spread_of_all_cosines() {
    let mut engine = opened(1);
    let texts = sentences(30);
    let request = Request::Baseline { revision: 2, sentences: texts, lens: MEAN };
    let Event::Baseline { mean, low, high, sentence_count, pair_count, .. } =
        answer(&mut engine, request).head
    else {
        panic!()
    };
    assert_eq!((sentence_count, pair_count), (30, 435));
    assert!(low < mean && mean < high);
}

#[test]
fn a_layer_that_is_not_there_is_said() {
    let mut engine = opened(1);
    let readout = Readout { pooling: Pooling::Cls, layer: Some(9) };
    let lens = Lens { side: Side::Before, readout };
    let sentences = sentences(2);
    let message = answer(&mut engine, Request::Embed { revision: 2, sentences, lens });
    let problem = Problem::Layer { found: 9, layers: 3 };
    assert_eq!(message.head, Event::Failed { revision: Some(2), problem });
}

#[test]
fn what_a_person_waits_for_goes_first() {
    let mut engine = opened(1);
    answer(&mut engine, Request::Group { revision: 2, sentences: sentences(4), lens: MEAN });
    let window = Window { row: 0, row_count: 1, column: 0, column_count: 1 };
    let texts = || sentences(20);
    ask(&mut engine, Request::Baseline { revision: 3, sentences: texts(), lens: MEAN });
    ask(&mut engine, embed(4, texts()));
    ask(&mut engine, Request::Group { revision: 5, sentences: texts(), lens: MEAN });
    let mut out = Events::new();
    assert!(step(&mut engine, &mut out) && out.is_empty());
    ask(&mut engine, Request::GroupWindow { revision: 6, group: 2, window });
    ask(&mut engine, pair(7, "a", "cat"));
    assert_eq!(revisions(&run(&mut engine)), [7, 6, 4, 5, 3]);
}

#[test]
fn newer_requests_supersede_older_ones() {
    let mut engine = opened(1);
    ask(&mut engine, pair(2, "a", "cat"));
    let early = ask(&mut engine, pair(3, "a", "dog"));
    assert_eq!(early[0].head, Event::Cancelled { revision: 2 });
    let mut out = Events::new();
    assert!(step(&mut engine, &mut out));
    // Number 3 has begun: it is finished even though 4 is there.
    assert!(ask(&mut engine, pair(4, "a", "mat")).is_empty());
    assert_eq!(revisions(&run(&mut engine)), [3, 4]);

    let group = |revision| Request::Group { revision, sentences: sentences(9), lens: MEAN };
    ask(&mut engine, group(5));
    assert!(step(&mut engine, &mut out));
    assert_eq!(ask(&mut engine, group(6))[0].head, Event::Cancelled { revision: 5 });
    let baseline = |revision| Request::Baseline { revision, sentences: sentences(9), lens: MEAN };
    ask(&mut engine, baseline(7));
    assert_eq!(ask(&mut engine, baseline(8))[0].head, Event::Cancelled { revision: 7 });
    assert_eq!(revisions(&run(&mut engine)), [6, 8]);
}

#[test]
fn cancelling_is_answered_once_and_only_where_known() {
    let mut engine = opened(1);
    ask(&mut engine, embed(2, sentences(500)));
    let mut out = Events::new();
    (0..3).for_each(|_| assert!(step(&mut engine, &mut out)));
    let cancelled = ask(&mut engine, Request::Cancel { revision: 2 });
    assert_eq!(revisions(&cancelled), [2]);
    assert_eq!(cancelled[0].head, Event::Cancelled { revision: 2 });
    assert!(ask(&mut engine, Request::Cancel { revision: 2 }).is_empty());
    assert!(run(&mut engine).is_empty());
}

#[test]
fn the_last_good_model_stays() {
    let mut engine = opened(1);
    let before = rows(&mut engine, &sentences(3));
    let mut broken = fixture::gguf(2);
    broken.truncate(broken.len() - 100);
    let mut out = Events::new();
    engine.open(5, "broken", broken, None, &mut out);
    engine.open(6, "picture", b"\x89PNG\r\n\x1a\n and so on".to_vec(), None, &mut out);
    assert!(matches!(
        out[0].head,
        Event::Failed { revision: Some(5), problem: Problem::Truncated { .. } }
    ));
    assert!(matches!(
        out[1].head,
        Event::Failed { revision: Some(6), problem: Problem::NotGguf { .. } }
    ));
    assert_eq!(rows(&mut engine, &sentences(3)), before);
    let picked = Request::Open {
        revision: 7,
        source: ModelSource::Picked { name: "other.gguf".to_owned() },
    };
    let message = Message { head: picked, bulk: vec![Bulk::Bytes(fixture::gguf(2))] };
    out.clear();
    engine.accept(message, &mut out);
    let Event::Opened { revision: 7, model } = &out[0].head else { panic!("{out:?}") };
    assert_eq!((model.name.as_str(), model.quantisation.as_str()), ("tiny-2", "f32"));
    assert_eq!((model.layers, model.hidden as usize), (3, HIDDEN));
    assert_eq!(model.sha256.len(), 64);
    assert_ne!(rows(&mut engine, &sentences(3)), before);
}

#[test]
fn what_had_begun_is_answered_by_the_new_model() {
    let mut engine = opened(1);
    let texts = sentences(300);
    ask(&mut engine, embed(2, texts.clone()));
    let mut out = Events::new();
    (0..4).for_each(|_| assert!(step(&mut engine, &mut out)));
    engine.open(3, "other", fixture::gguf(2), None, &mut Events::new());
    let message = run(&mut engine).pop().unwrap();
    let mut fresh = opened(2);
    assert_eq!(message.f32().unwrap(), rows(&mut fresh, &texts));
}

#[test]
fn without_a_model_requests_fail_unless_one_is_on_its_way() {
    let mut engine = Engine::new();
    let no_model = |revision| Event::Failed { revision: Some(revision), problem: Problem::NoModel };
    assert_eq!(ask(&mut engine, pair(1, "a", "b"))[0].head, no_model(1));

    engine.loading_began();
    engine.loading_began();
    assert!(ask(&mut engine, pair(2, "a", "cat")).is_empty());
    assert!(ask(&mut engine, embed(3, sentences(2))).is_empty());
    assert!(run(&mut engine).is_empty());
    let mut out = Events::new();
    engine.loading_ended(&mut out);
    assert!(out.is_empty());
    engine.loading_ended(&mut out);
    assert_eq!(out.iter().map(|m| m.head.clone()).collect::<Vec<_>>(), [no_model(2), no_model(3)]);

    engine.loading_began();
    assert!(ask(&mut engine, pair(4, "a", "cat")).is_empty());
    engine.open(5, "tiny", fixture::gguf(1), None, &mut Events::new());
    out.clear();
    engine.loading_ended(&mut out);
    assert!(out.is_empty());
    assert_eq!(revisions(&run(&mut engine)), [4]);
}
