//! A corpus from file to hits, on the engine: what the store does is played by the test.

use std::collections::BTreeMap;

use simcse_lab::engine::library::orders::{HEAD, Listing, StoreOrder, Stored};
use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::Revision;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Side};
use simcse_lab::protocol::request::{AdapterSource, Request};
use simcse_lab::protocol::search::{
    Answer, Ask, CorpusId, CorpusSummary, Filter, Hits, Ingredient, Intake, Preview, Query,
    Ranking, RestReason,
};

use crate::fixture;
use crate::journey::{MEAN, answer, dot, opened, step};
use crate::journey_adapter::changes;

const ID: CorpusId = CorpusId(7);

/// A store, as a browser's: files, and what it refuses.
#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    most_bytes: Option<usize>,
    is_refused: bool,
    reads: usize,
}

impl Disk {
    fn carry_out(&mut self, order: StoreOrder) -> Option<Stored> {
        let room = |files: &BTreeMap<String, Vec<u8>>, more: usize, most: Option<usize>| {
            let used: usize = files.values().map(Vec::len).sum();
            most.is_none_or(|most| used + more <= most)
        };
        Some(match order {
            StoreOrder::Write { corpus, file, bytes } => {
                let is_done = !self.is_refused && room(&self.files, bytes.len(), self.most_bytes);
                if is_done {
                    self.files.insert(file.clone(), bytes);
                }
                Stored::Written { corpus, file, is_done }
            }
            StoreOrder::Append { corpus, file, at, bytes } => {
                let at = usize::try_from(at).unwrap();
                let known = self.files.get(&file).map_or(0, Vec::len);
                let fits = room(&self.files, bytes.len(), self.most_bytes);
                let is_done = !self.is_refused && known >= at && fits;
                if is_done {
                    let held = self.files.entry(file.clone()).or_default();
                    held.truncate(at);
                    held.extend(bytes);
                }
                Stored::Written { corpus, file, is_done }
            }
            StoreOrder::Read { file } => {
                self.reads += 1;
                let bytes = self.files.get(&file).cloned();
                Stored::Read { file, bytes }
            }
            StoreOrder::Remove { file } => {
                self.files.remove(&file);
                return None;
            }
            StoreOrder::List if self.is_refused => Stored::Listed(None),
            StoreOrder::List => {
                let files =
                    self.files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64));
                let heads = self.files.iter().filter(|(name, _)| name.ends_with(HEAD));
                Stored::Listed(Some(Listing {
                    files: files.collect(),
                    heads: heads.map(|(name, bytes)| (name.clone(), bytes.clone())).collect(),
                    usage: Some((self.files.values().map(Vec::len).sum::<usize>() as u64, 1 << 30)),
                }))
            }
        })
    }
}

/// An engine with its store.
struct Visit {
    engine: Engine,
    disk: Disk,
    revision: Revision,
}

impl Visit {
    fn new(disk: Disk) -> Self {
        Self { engine: opened(1), disk, revision: 100 }
    }

    fn send(&mut self, ask: Ask, bulk: Vec<Bulk>) -> Events {
        self.revision += 1;
        let mut out = Events::new();
        let head = Request::Search { revision: self.revision, ask };
        self.engine.accept(Message { head, bulk }, &mut out);
        self.settle(&mut out);
        out
    }

    /// Carries out what the engine orders; whether it ordered anything.
    fn settle(&mut self, out: &mut Events) -> bool {
        let orders = self.engine.store_orders();
        let ordered = !orders.is_empty();
        for stored in orders.into_iter().filter_map(|order| self.disk.carry_out(order)) {
            self.engine.stored(stored, out);
        }
        ordered
    }

    /// One step, with what the store does then.
    fn step(&mut self, out: &mut Events) -> bool {
        let more = step(&mut self.engine, out);
        self.settle(out) || more
    }

    fn run(&mut self, out: &mut Events) {
        while self.step(out) {}
    }

    /// All answers to a request, in their order; it must be the last one's revision.
    fn ask_with(&mut self, ask: Ask, bulk: Vec<Bulk>) -> Events {
        let mut out = self.send(ask, bulk);
        self.run(&mut out);
        out
    }

    /// The one last answer.
    fn ask(&mut self, ask: Ask) -> Answer {
        let mut events = self.ask_with(ask, Vec::new());
        let revision = self.revision;
        let last = events.pop().expect("an answer");
        match last.head {
            Event::Search { revision: found, answer } if found == revision => answer,
            other => panic!("{other:?}"),
        }
    }

    fn fails(&mut self, ask: Ask, bulk: Vec<Bulk>) -> Problem {
        let mut events = self.ask_with(ask, bulk);
        match events.pop().expect("an answer").head {
            Event::Failed { problem, .. } => problem,
            other => panic!("{other:?}"),
        }
    }

    fn read(&mut self, name: &str, text: &str) -> Preview {
        let intake = Intake { name: Some(name.to_owned()), ..Intake::default() };
        let bulk = vec![Bulk::Bytes(text.as_bytes().to_vec())];
        let mut events = self.ask_with(Ask::Read { intake }, bulk);
        match events.pop().expect("a preview").head {
            Event::Search { answer: Answer::Preview(preview), .. } => *preview,
            other => panic!("{other:?}"),
        }
    }

    fn shelf(&mut self, ask: Ask) -> Vec<CorpusSummary> {
        match self.ask(ask) {
            Answer::Shelf { corpora, .. } => corpora,
            other => panic!("{other:?}"),
        }
    }

    fn create(&mut self, name: &str, text: &str) -> CorpusSummary {
        self.read(name, text);
        let ask = Ask::Create { corpus: ID, name: "Cats".to_owned() };
        self.shelf(ask).into_iter().find(|corpus| corpus.corpus == ID).expect("it is made")
    }

    fn embed(&mut self, lens: Lens) -> (u32, RestReason) {
        match self.ask(Ask::Embed { corpus: ID, lens }) {
            Answer::Rests { done, reason, .. } => (done, reason),
            other => panic!("{other:?}"),
        }
    }

    fn find(&mut self, query: Query) -> Hits {
        match self.ask(Ask::Query(Box::new(query))) {
            Answer::Hits(hits) => *hits,
            other => panic!("{other:?}"),
        }
    }
}

fn query(text: &str) -> Query {
    Query {
        corpus: ID,
        lens: MEAN,
        text: text.to_owned(),
        also: Vec::new(),
        unlike: Vec::new(),
        ranking: Ranking::Meaning,
        count: 10,
        least_cosine: None,
        filters: Vec::new(),
        other: None,
    }
}

/// A table of different sentences with a topic and a number.
fn table(rows: usize) -> String {
    let mut text = "topic,n,text\n".to_owned();
    for row in 0..rows {
        let topic = ["cats", "dogs", "weather"][row % 3];
        let words = fixture::sentence(2 + row % 9, row);
        text.push_str(&format!(
            "{topic},{row},\"{words} {}\"\n",
            fixture::sentence(3, row / 5 + 1)
        ));
    }
    text
}

fn rests(events: &Events) -> Vec<(u32, RestReason)> {
    let found = events.iter().filter_map(|message| match &message.head {
        Event::Search { answer: Answer::Rests { done, reason, .. }, .. } => Some((*done, *reason)),
        _ => None,
    });
    found.collect()
}

fn not_kept(events: &Events) -> usize {
    let is = |message: &&Message<Event>| {
        matches!(message.head, Event::Search { answer: Answer::NotKept { .. }, .. })
    };
    events.iter().filter(is).count()
}

#[test]
fn a_file_is_shown_kept_embedded_and_searched() {
    let mut visit = Visit::new(Disk::default());
    let preview = visit.read("a.csv", &table(40));
    assert_eq!((preview.passages, preview.column, preview.columns.len()), (40, Some(2), 3));
    let made = visit.shelf(Ask::Create { corpus: ID, name: "Cats".to_owned() }).remove(0);
    assert_eq!((made.passages, made.is_kept, made.row_sets.len()), (40, true, 0));
    assert!(made.size_bytes > 0 && made.made_ms > 1.6e12);
    assert_eq!(visit.embed(MEAN), (40, RestReason::Complete));
    let set = visit.shelf(Ask::List).remove(0).row_sets.remove(0);
    assert_eq!((set.done, set.fits, set.size_bytes), (40, Some(MEAN), 40 * 2 * 36));

    let hits = visit.find(query("the cat sat on a mat"));
    assert_eq!((hits.hits.len(), hits.let_through, hits.searched), (10, 40, 40));
    // As the same encoder and brute force have it.
    let texts: Vec<String> = (0..40).map(|at| visit.passage(at)).collect();
    let all = [vec!["the cat sat on a mat".to_owned()], texts].concat();
    let request = Request::Embed { revision: 9, sentences: all, lens: MEAN };
    let rows = answer(&mut visit.engine, request).f32().unwrap().to_vec();
    let (own, rest) = rows.split_at(fixture::HIDDEN);
    let cosines: Vec<f32> = rest.chunks(fixture::HIDDEN).map(|row| dot(row, own)).collect();
    let mut sorted = cosines.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    for (place, hit) in hits.hits.iter().enumerate() {
        let cosine = hit.cosine.unwrap();
        // 16 bits a number are kept.
        assert!((cosine - cosines[hit.position as usize]).abs() < 1e-3, "{hit:?}");
        assert!((cosine - sorted[place]).abs() < 1e-3);
        assert_eq!(hit.meaning_rank, Some(place as u32 + 1));
        assert_eq!(hit.cells[1], hit.position.to_string());
    }
}

impl Visit {
    fn passage(&mut self, position: u32) -> String {
        let (from, count, filters) = (position, 1, Vec::new());
        match self.ask(Ask::Browse { corpus: ID, from, count, filters }) {
            Answer::Passages { mut passages, .. } => passages.remove(0).text,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn filters_thresholds_ingredients_and_keywords_count() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(60));
    visit.embed(MEAN);
    let dogs = Filter::OneOf { column: 0, values: vec!["dogs".to_owned()] };
    let late = Filter::Between { column: 1, low: 30.0, high: 99.0 };
    let filtered = visit.find(Query { filters: vec![dogs, late], ..query("a dog") });
    assert_eq!((filtered.let_through, filtered.searched), (10, 10));
    assert!(filtered.hits.iter().all(|hit| hit.position % 3 == 1 && hit.position >= 30));

    let all = visit.find(Query { count: 60, ..query("rain and sun") });
    let least = all.hits[20].cosine.unwrap();
    let near = visit.find(Query { least_cosine: Some(least), count: 5, ..query("rain and sun") });
    assert_eq!((near.hits.len(), near.above), (5, Some(21)));

    // More like a passage: it is as near to itself as can be.
    let also = vec![Ingredient::Passage(17)];
    let like = visit.find(Query { also: also.clone(), count: 60, ..query("") });
    let own = like.hits.iter().find(|hit| hit.position == 17).unwrap();
    assert!((own.cosine.unwrap() - 1.0).abs() < 1e-3, "{own:?}");
    assert!(own.cosine.unwrap() + 1e-3 > like.hits[0].cosine.unwrap());
    // And less like it where it is to be unlike it.
    let text = visit.passage(3);
    let plain = visit.find(Query { count: 60, ..query(&text) });
    let away = visit.find(Query { count: 60, unlike: also, ..query(&text) });
    let of = |hits: &Hits| hits.hits.iter().find(|hit| hit.position == 17).unwrap().cosine.unwrap();
    assert!(of(&away) < of(&plain), "{} {}", of(&away), of(&plain));
    let nothing = visit.find(Query { unlike: vec![Ingredient::Passage(1)], ..query("") });
    assert!(nothing.hits.is_empty());

    let words = visit.find(Query { ranking: Ranking::Keywords, count: 60, ..query("mat") });
    assert!(!words.hits.is_empty());
    for (place, hit) in words.hits.iter().enumerate() {
        assert!(hit.text.contains("mat") && hit.bm25.unwrap() > 0.0);
        assert_eq!(hit.keyword_rank, Some(place as u32 + 1));
        let (start, end) = hit.words[0];
        assert_eq!(&hit.text[start as usize..end as usize], "mat");
    }
    let both = visit.find(Query { ranking: Ranking::Both, count: 60, ..query("mat") });
    let sum = |hit: &simcse_lab::protocol::search::Hit| {
        let count = |rank: Option<u32>| rank.map_or(0.0, |rank| 1.0 / (60.0 + f64::from(rank)));
        count(hit.meaning_rank) + count(hit.keyword_rank)
    };
    assert!(both.hits.is_sorted_by(|a, b| sum(a) >= sum(b) - 1e-12));
}

#[test]
fn a_crash_half_way_costs_nothing_that_was_embedded() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(1_500));
    let mut out = visit.send(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    while out.iter().filter(|it| indexed(it).is_some_and(|(done, _)| done >= 512)).count() == 0 {
        assert!(visit.step(&mut out));
    }
    // Searchable meanwhile.
    let early = visit.send(Ask::Query(Box::new(query("the cat"))), Vec::new());
    let mut out = early;
    while !out.iter().any(|it| matches!(&it.head, Event::Search { answer: Answer::Hits(_), .. })) {
        assert!(visit.step(&mut out));
    }
    let kept = visit.disk.files["7-0.rows"].len();
    assert!(kept > 0 && kept < 1_500 * 72);
    let known = (kept / 72) as u32;
    // The tab is gone; the last write is torn.
    let mut disk = std::mem::take(&mut visit.disk);
    disk.files.get_mut("7-0.rows").unwrap().extend([0; 100]);
    let mut visit = Visit::new(disk);
    let set = visit.shelf(Ask::List).remove(0).row_sets.remove(0);
    assert!(set.done >= known && set.fits == Some(MEAN));
    let mut events = visit.ask_with(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    let first = events.iter().find_map(indexed).unwrap();
    assert_eq!(first, (known, known));
    assert_eq!(rests(&events), [(1_500, RestReason::Complete)]);
    assert_eq!(visit.disk.files["7-0.rows"].len(), 1_500 * 72);
    // As if nothing had happened.
    let mut other = Visit::new(Disk::default());
    other.create("a.csv", &table(1_500));
    other.embed(MEAN);
    assert!(other.disk.files["7-0.rows"] == visit.disk.files["7-0.rows"]);
    events.clear();
    // Asked again, there is nothing to do.
    assert_eq!(visit.embed(MEAN), (1_500, RestReason::Complete));
}

/// Done and resumed.
fn indexed(message: &Message<Event>) -> Option<(u32, u32)> {
    match &message.head {
        Event::Search { answer: Answer::Indexing { done, resumed, .. }, .. } => {
            Some((*done, *resumed))
        }
        _ => None,
    }
}

#[test]
fn indexing_is_paused_and_goes_on() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(1_500));
    let mut out = visit.send(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    while visit.disk.files.get("7-0.rows").is_none_or(Vec::is_empty) {
        assert!(visit.step(&mut out));
    }
    let events = visit.ask_with(Ask::Pause { corpus: ID }, Vec::new());
    let [(done, RestReason::Paused)] = rests(&events)[..] else { panic!("{events:?}") };
    assert!(done > 0 && done < 1_500);
    assert!(matches!(
        &events.last().unwrap().head,
        Event::Search { answer: Answer::Shelf { .. }, .. }
    ));
    let events = visit.ask_with(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    assert_eq!(events.iter().find_map(indexed), Some((done, done)));
    assert_eq!(rests(&events), [(1_500, RestReason::Complete)]);
}

#[test]
fn a_store_that_refuses_costs_only_the_keeping() {
    let mut visit = Visit::new(Disk { is_refused: true, ..Disk::default() });
    visit.read("a.csv", &table(30));
    let events = visit.ask_with(Ask::Create { corpus: ID, name: "Cats".to_owned() }, Vec::new());
    assert_eq!(not_kept(&events), 1);
    let made = visit.shelf(Ask::List).remove(0);
    assert!(!made.is_kept);
    let events = visit.ask_with(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    assert_eq!((rests(&events), not_kept(&events)), (vec![(30, RestReason::Complete)], 0));
    assert_eq!(visit.find(query("a cat")).hits.len(), 10);
}

#[test]
fn a_store_that_is_full_keeps_what_it_has() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(1_500));
    let used: usize = visit.disk.files.values().map(Vec::len).sum();
    visit.disk.most_bytes = Some(used + 40_000);
    let events = visit.ask_with(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    assert_eq!((rests(&events), not_kept(&events)), (vec![(1_500, RestReason::Complete)], 1));
    assert_eq!(visit.find(Query { count: 50, ..query("a cat") }).searched, 1_500);
    // What was kept is good in the next visit.
    let disk = std::mem::take(&mut visit.disk);
    let kept = (disk.files["7-0.rows"].len() / 72) as u32;
    assert!(kept > 100 && kept < 1_500);
    let mut visit = Visit::new(Disk { most_bytes: None, ..disk });
    let events = visit.ask_with(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    assert_eq!(events.iter().find_map(indexed), Some((kept, kept)));
    assert_eq!(rests(&events), [(1_500, RestReason::Complete)], "{events:?}");
}

#[test]
fn another_model_rests_and_embeds_anew() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(1_500));
    let mut out = visit.send(Ask::Embed { corpus: ID, lens: MEAN }, Vec::new());
    while visit.disk.files.get("7-0.rows").is_none_or(Vec::is_empty) {
        assert!(visit.step(&mut out));
    }
    out.clear();
    visit.engine.open(50, "other", fixture::gguf(2), None, &mut out);
    visit.run(&mut out);
    let [(done, RestReason::EmbedderChanged)] = rests(&out)[..] else { panic!("{out:?}") };
    let sets = visit.shelf(Ask::List).remove(0).row_sets;
    assert_eq!((sets.len(), sets[0].done, sets[0].fits), (1, done, None));
    // Of the new one there are no vectors: nothing is compared with the old ones.
    let hits = visit.find(query("a cat"));
    assert_eq!((hits.hits.len(), hits.searched), (0, 0));
    assert_eq!(visit.embed(MEAN), (1_500, RestReason::Complete));
    let mut sets = visit.shelf(Ask::List).remove(0).row_sets;
    assert_eq!(sets.iter().filter(|set| set.fits == Some(MEAN)).count(), 1);
    let old = sets.remove(0).embedder;
    let ask = Ask::DeleteRows { corpus: ID, embedder: Box::new(old) };
    assert_eq!(visit.shelf(ask).remove(0).row_sets.len(), 1);
    assert!(!visit.disk.files.contains_key("7-0.rows"));
}

#[test]
fn both_sides_say_how_a_ranking_moves() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(60));
    visit.embed(MEAN);
    let mut out = Events::new();
    let source = AdapterSource::Given { name: "tuned".to_owned() };
    let bulk = vec![Bulk::Bytes(fixture::adapter(&changes(), 1))];
    visit.engine.accept(Message { head: Request::Attach { revision: 60, source }, bulk }, &mut out);
    visit.run(&mut out);
    let after = Lens { side: Side::After, ..MEAN };
    assert_eq!(visit.embed(after), (60, RestReason::Complete));
    let found = visit.find(Query { lens: after, other: Some(MEAN), ..query("the dog sat") });
    let before = visit.find(Query { count: 60, ..query("the dog sat") });
    for hit in &found.hits {
        let same = before.hits.iter().find(|it| it.position == hit.position).unwrap();
        assert_eq!((hit.other_rank, hit.other_cosine), (same.meaning_rank, same.cosine));
    }
    // Another blend takes the place of this one in the store.
    let head = Request::Blend { revision: 62, blend: 0.5 };
    visit.engine.accept(Message::plain(head), &mut out);
    visit.run(&mut out);
    assert_eq!(visit.shelf(Ask::List).remove(0).row_sets[1].fits, None);
    assert_eq!(visit.embed(after), (60, RestReason::Complete));
    let sets = visit.shelf(Ask::List).remove(0).row_sets;
    assert_eq!(sets.iter().map(|set| set.fits).collect::<Vec<_>>(), [Some(MEAN), Some(after)]);
    assert!(!visit.disk.files.contains_key("7-1.rows"));
    out.clear();
    visit.engine.accept(Message::plain(Request::Detach { revision: 61 }), &mut out);
    visit.run(&mut out);
    let sets = visit.shelf(Ask::List).remove(0).row_sets;
    assert_eq!(sets.iter().filter(|set| set.fits.is_some()).count(), 1);
}

#[test]
fn words_that_stand_closest_glow() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.txt", "The cat sat on the mat.\nRain, not sun.\n");
    visit.embed(MEAN);
    let ask = Ask::Glow { query: Box::new(query("rain")), positions: vec![1, 0] };
    let Answer::Glows { glows } = visit.ask(ask) else { panic!() };
    assert_eq!((glows[0].position, glows[1].position), (1, 0));
    let words: Vec<&str> = glows[0]
        .words
        .iter()
        .map(|(start, end, _)| &"Rain, not sun."[*start as usize..*end as usize])
        .collect();
    assert_eq!(words, ["Rain", "not", "sun"]);
    assert!(glows[0].words.iter().all(|(.., cosine)| cosine.abs() <= 1.0001));
}

#[test]
fn corpora_are_browsed_renamed_handed_on_and_deleted() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(50));
    visit.embed(MEAN);
    // In another visit they are read from the store when they are asked for.
    let mut visit = Visit::new(std::mem::take(&mut visit.disk));
    let (from, count) = (10, 5);
    let filters = vec![Filter::OneOf { column: 0, values: vec!["dogs".to_owned()] }];
    let Answer::Passages { total, passages, .. } =
        visit.ask(Ask::Browse { corpus: ID, from, count, filters })
    else {
        panic!()
    };
    assert_eq!((total, passages.len(), passages[0].position), (17, 5, 31));
    let Answer::Sentences { passages, .. } = visit.ask(Ask::Sentences { corpus: ID }) else {
        panic!()
    };
    assert_eq!(passages.len(), 50);
    let events = visit.ask_with(Ask::Vectors { corpus: ID, lens: MEAN }, Vec::new());
    assert_eq!(events.last().unwrap().f32().unwrap().len(), 50 * 36);
    let shelf = visit.shelf(Ask::Rename { corpus: ID, name: "Pets".to_owned() });
    assert_eq!(shelf[0].name, "Pets");
    let mut visit = Visit::new(std::mem::take(&mut visit.disk));
    assert_eq!(visit.shelf(Ask::List)[0].name, "Pets");
    assert!(visit.shelf(Ask::Delete { corpus: ID }).is_empty());
    assert!(visit.disk.files.is_empty());
    assert_eq!(visit.fails(Ask::Sentences { corpus: ID }, Vec::new()), Problem::NoCorpus);
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_is_lost() {
    let mut visit = Visit::new(Disk::default());
    let ask = |name: &str| Ask::Read {
        intake: Intake { name: Some(name.to_owned()), ..Intake::default() },
    };
    let bytes = |text: &[u8]| vec![Bulk::Bytes(text.to_vec())];
    let found = visit.fails(ask("a.txt"), bytes(b"%PDF-1.4"));
    assert!(matches!(found, Problem::Unreadable { .. }), "{found:?}");
    let found = visit.fails(ask("a.txt"), bytes(b" \n\n"));
    assert_eq!(found, Problem::EmptyCorpus { rows: 0, skipped: 0 });
    // The last good one can still be kept.
    visit.read("a.txt", "one\ntwo\n");
    visit.fails(ask("b.csv"), bytes(b"text,b\n\"open,1\n"));
    assert_eq!(visit.shelf(Ask::Create { corpus: ID, name: String::new() })[0].passages, 2);
    let again = visit.fails(Ask::Create { corpus: CorpusId(8), name: String::new() }, Vec::new());
    assert_eq!(again, Problem::NoCorpus);
    // A damaged file says so, and the others stay.
    let mut disk = std::mem::take(&mut visit.disk);
    *disk.files.get_mut("7.book").unwrap().last_mut().unwrap() ^= 1;
    disk.files.insert("8.json".to_owned(), b"{".to_vec());
    let mut visit = Visit::new(disk);
    assert_eq!(visit.shelf(Ask::List).len(), 1);
    let found = visit.fails(Ask::Sentences { corpus: ID }, Vec::new());
    assert!(matches!(found, Problem::Unreadable { .. }), "{found:?}");
}

#[test]
fn a_newer_question_takes_the_place_of_an_older_one() {
    let mut visit = Visit::new(Disk::default());
    visit.create("a.csv", &table(50));
    visit.embed(MEAN);
    let mut out = visit.send(Ask::Query(Box::new(query("a"))), Vec::new());
    out.extend(visit.send(Ask::Query(Box::new(query("a cat"))), Vec::new()));
    visit.run(&mut out);
    let [first, second] = &out[..] else { panic!("{out:?}") };
    assert_eq!(first.head, Event::Cancelled { revision: visit.revision - 1 });
    assert!(matches!(&second.head, Event::Search { answer: Answer::Hits(_), .. }));
    let intake = Intake::default();
    let bulk = || vec![Bulk::Bytes(table(20_000).into_bytes())];
    let mut out = visit.send(Ask::Read { intake: intake.clone() }, bulk());
    out.extend(visit.send(Ask::Read { intake }, bulk()));
    visit.run(&mut out);
    assert_eq!(out[0].head, Event::Cancelled { revision: visit.revision - 1 });
    let last = &out.last().unwrap().head;
    assert!(matches!(last, Event::Search { answer: Answer::Preview(_), .. }), "{last:?}");
}
