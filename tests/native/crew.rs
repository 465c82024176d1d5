//! Helpers played in this thread: who gets what, and that the rows do not tell who computed them.

use std::collections::{BTreeMap, VecDeque};

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::engine::crew::{Crew, Machine};
use simcse_lab::engine::helper::{HelperId, Order};
use simcse_lab::engine::{Engine, Events};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::gpu::GpuState;
use simcse_lab::protocol::lab::Treatment;
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::{AdapterSource, ModelSource, Request};
use web_time::{Duration, Instant};

use crate::fixture::{self, HIDDEN, MAX_TOKENS};
use crate::journey::{MEAN, answer, opened, pair, run, sentences, step};

const AFTER: Lens =
    Lens { side: Side::After, readout: Readout { pooling: Pooling::Mean, layer: None } };

const MANY: usize = 600;

pub struct Helper {
    pub engine: Engine,
    inbox: VecDeque<Message<Request>>,
    outbox: VecDeque<Message<Event>>,
    /// It was handed a portion, so many times.
    pub portions: u32,
}

/// An engine with its crew, where everything happens in an order drawn by lot.
pub struct Troupe {
    pub owner: Engine,
    pub crew: Crew,
    pub helpers: BTreeMap<HelperId, Helper>,
    events: Events,
    lot: u64,
    pub now: Instant,
    /// Largest number of workers that computed at once.
    pub most: u16,
    ended: u32,
    portions: u32,
    /// What was said of the GPU.
    pub gpu: Vec<GpuState>,
}

impl Troupe {
    pub fn new(workers: Option<u16>, lot: u64) -> Self {
        Self::with(opened(1), workers, lot)
    }

    pub fn with(owner: Engine, workers: Option<u16>, lot: u64) -> Self {
        let mut crew = Crew::new(Machine { cores: 4, memory_gib: Some(8.0) });
        crew.want(workers);
        let now = Instant::now();
        let helpers = BTreeMap::new();
        let lot = lot * 2 + 1;
        let (events, gpu) = Default::default();
        Self { owner, crew, helpers, events, lot, now, most: 1, ended: 0, portions: 0, gpu }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.lot = self.lot.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.lot >> 33) as usize % below.max(1)
    }

    pub fn ask(&mut self, request: Request) {
        self.owner.accept(Message::plain(request), &mut self.events);
    }

    pub fn direct(&mut self) {
        let mut orders = Vec::new();
        self.crew.direct(&mut self.owner, self.now, &mut orders);
        self.carry_out(orders);
    }

    pub fn carry_out(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Start(id) | Order::StartGpu(id) => {
                    let outbox = VecDeque::from([Message::plain(Event::Ready)]);
                    let (engine, inbox) = (Engine::new(), VecDeque::new());
                    let helper = Helper { engine, inbox, outbox, portions: 0 };
                    assert!(self.helpers.insert(id, helper).is_none(), "helper {id} twice");
                }
                Order::Equip(id, head) => {
                    let bytes = self.owner.file().unwrap().bytes().to_vec();
                    let message = Message { head, bulk: vec![Bulk::Bytes(bytes)] };
                    self.helpers.get_mut(&id).unwrap().inbox.push_back(message);
                }
                Order::Tell(id, message) => {
                    let helper = self.helpers.get_mut(&id).unwrap();
                    if matches!(message.head, Request::Portion { .. }) {
                        helper.portions += 1;
                        self.portions += 1;
                    }
                    helper.inbox.push_back(message);
                }
                Order::End(id) => {
                    assert!(self.helpers.remove(&id).is_some(), "helper {id} was not there");
                    self.ended += 1;
                }
                Order::Say(Event::Workers { ready, computing }) => {
                    assert!(computing <= ready);
                    self.most = self.most.max(computing);
                }
                Order::Say(Event::Gpu { state }) => self.gpu.push(state),
                Order::Say(event) => panic!("{event:?}"),
            }
        }
    }

    /// One of all engines does a little, or one of the helpers is heard.
    fn turn(&mut self) -> bool {
        let ids: Vec<HelperId> = self.helpers.keys().copied().collect();
        let choice = self.draw(1 + 2 * ids.len());
        let mut orders = Vec::new();
        let mut more = false;
        match ids.get(choice % ids.len().max(1)) {
            Some(id) if choice < ids.len() => {
                let helper = self.helpers.get_mut(id).unwrap();
                if let Some(message) = helper.outbox.pop_front() {
                    self.crew.heard(*id, message, &mut self.owner, self.now, &mut orders);
                }
            }
            Some(id) if choice < 2 * ids.len() => {
                let helper = self.helpers.get_mut(id).unwrap();
                let mut out = Events::new();
                if let Some(message) = helper.inbox.pop_front() {
                    helper.engine.accept(message, &mut out);
                }
                step(&mut helper.engine, &mut out);
                helper.outbox.extend(out);
            }
            _ => more = step(&mut self.owner, &mut self.events),
        }
        self.carry_out(orders);
        self.direct();
        more
    }

    pub fn turn_until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        self.direct();
        for _ in 0..200_000 {
            if done(self) {
                return;
            }
            self.turn();
        }
        panic!("waited for {what}: {:?}", self.crew);
    }

    pub fn answer(&mut self, revision: u32) -> Message<Event> {
        let is_answer = move |message: &Message<Event>| {
            message.head.revision() == Some(revision)
                && !matches!(message.head, Event::Progress { .. })
        };
        self.turn_until("an answer", |troupe| troupe.events.iter().any(is_answer));
        let position = self.events.iter().position(is_answer).unwrap();
        self.events.remove(position)
    }

    pub fn some_helper(&self) -> HelperId {
        *self.helpers.keys().next().unwrap()
    }

    pub fn all_ready(&self, count: usize) -> bool {
        let opened = |helper: &Helper| helper.engine.file().is_some() && helper.outbox.is_empty();
        self.helpers.len() == count && self.helpers.values().all(opened)
    }
}

pub fn embed(revision: u32, lens: Lens) -> Request {
    Request::Embed { revision, sentences: sentences(MANY), lens }
}

pub fn rows(message: &Message<Event>) -> &[f32] {
    assert!(matches!(message.head, Event::Embedded { .. }), "{:?}", message.head);
    message.f32().unwrap()
}

/// Fails where rows differ by more than real numbers do that were added up in another order: the
/// fixture's weights are `f32`, whose product is not ours.
pub fn assert_same(found: &Message<Event>, wanted: &Message<Event>, what: &str) {
    let (found, wanted) = (rows(found), rows(wanted));
    assert_eq!(found.len(), wanted.len(), "{what}");
    let off = found.iter().zip(wanted).position(|(a, b)| a.to_bits() != b.to_bits());
    let off = off.map(|at| (at / HIDDEN, found[at], wanted[at]));
    assert_eq!(off, None, "{what}: sentence, found, wanted");
}

pub fn alone(request: Request) -> Message<Event> {
    answer(&mut opened(1), request)
}

fn attach(engine: &mut Engine, revision: u32, seed: u64) {
    let source = AdapterSource::Given { name: "a.gguf".to_owned() };
    let bulk = vec![Bulk::Bytes(fixture::adapter(&fixture::lora(seed), 1))];
    let head = Request::Attach { revision, source };
    engine.accept(Message { head, bulk }, &mut Events::new());
}

#[test]
fn rows_do_not_tell_how_many_computed_them_nor_in_which_order() {
    let wanted = alone(embed(2, MEAN));
    for workers in [1, 2, 5] {
        for lot in 0..6 {
            let mut troupe = Troupe::new(Some(workers), lot);
            troupe.turn_until("helpers", |troupe| troupe.all_ready(usize::from(workers) - 1));
            troupe.ask(embed(2, MEAN));
            let found = troupe.answer(2);
            assert_same(&found, &wanted, &format!("{workers} workers, lot {lot}"));
            assert_eq!(troupe.most, workers, "all take part");
        }
    }
}

#[test]
fn the_shipped_model_gives_the_same_bits_however_many_compute() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    let bytes = std::fs::read(path).unwrap();
    let opened = || {
        let mut engine = Engine::new();
        engine.open(1, "shipped", bytes.clone(), None, &mut Events::new());
        engine
    };
    let sentences = (0..150).map(|i| format!("{i} {}", "words and more ".repeat(i * 7 % 5)));
    let sentences: Vec<String> = sentences.collect();
    let request = || Request::Embed { revision: 2, sentences: sentences.clone(), lens: MEAN };
    let bits = |message: &Message<Event>| -> Vec<u32> {
        rows(message).iter().map(|value| value.to_bits()).collect()
    };
    let wanted = bits(&answer(&mut opened(), request()));
    for workers in [2, 5] {
        let mut troupe = Troupe::with(opened(), Some(workers), u64::from(workers));
        troupe.turn_until("helpers", |troupe| troupe.all_ready(usize::from(workers) - 1));
        troupe.ask(request());
        assert!(bits(&troupe.answer(2)) == wanted, "{workers} workers change bits");
        assert_eq!(troupe.most, workers);
    }
}

#[test]
fn every_long_request_is_shared_and_answers_as_alone() {
    let texts = sentences(MANY);
    let pairs: Vec<_> =
        texts.iter().zip(&texts[7..]).map(|(a, b)| (a.clone(), b.clone())).collect();
    let plain = |mut message: Message<Event>| {
        if let Event::Pairs { latency_ms, .. }
        | Event::Group { latency_ms, .. }
        | Event::Survey { latency_ms, .. } = &mut message.head
        {
            *latency_ms = 0.0;
        }
        message
    };
    let sentences = || texts.clone();
    for request in [
        Request::Group { revision: 2, sentences: sentences(), lens: MEAN },
        Request::Pairs { revision: 2, pairs, gold: Vec::new(), lens: MEAN },
        Request::Baseline { revision: 2, sentences: sentences(), lens: MEAN },
        Request::Survey {
            revision: 2,
            slot: 0,
            sentences: sentences(),
            lens: MEAN,
            treatment: Treatment::Whitened { keep: None },
            positives: vec![(0, 7)],
            scored: Vec::new(),
            keep: false,
        },
    ] {
        let mut troupe = Troupe::new(Some(3), 4);
        troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
        troupe.ask(request.clone());
        assert_eq!(plain(troupe.answer(2)), plain(alone(request)));
        assert!(troupe.portions > 2, "{}", troupe.portions);
    }
}

#[test]
fn a_pair_stays_here_and_does_not_wait_for_a_list() {
    let mut troupe = Troupe::new(Some(3), 1);
    troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
    troupe.ask(pair(2, "a cat", "the dog"));
    troupe.answer(2);
    assert_eq!(troupe.portions, 0);
    troupe.ask(embed(3, MEAN));
    troupe.turn_until("portions", |troupe| troupe.portions >= 2);
    troupe.ask(pair(4, "a cat", "the dog"));
    troupe.answer(4);
    let finished = |message: &Message<Event>| matches!(message.head, Event::Embedded { .. });
    assert!(!troupe.events.iter().any(finished), "the list is still under way");
    troupe.answer(3);
}

#[test]
fn helpers_are_started_for_long_lists_only_and_go_when_nothing_is_asked() {
    let mut troupe = Troupe::new(None, 2);
    troupe.ask(Request::Embed { revision: 2, sentences: sentences(40), lens: MEAN });
    troupe.answer(2);
    assert!(troupe.crew.is_empty());
    troupe.ask(embed(3, MEAN));
    assert_same(&troupe.answer(3), &alone(embed(3, MEAN)), "started meanwhile");
    assert_eq!(troupe.helpers.len(), 3, "one worker a core");
    troupe.now += Duration::from_secs(30);
    troupe.direct();
    assert_eq!(troupe.helpers.len(), 3);
    troupe.now += Duration::from_secs(40);
    troupe.direct();
    assert!(troupe.crew.is_empty() && troupe.helpers.is_empty());
}

#[test]
fn what_a_lost_helper_had_is_computed_here() {
    let wanted = alone(embed(2, MEAN));
    for lot in 0..6 {
        let mut troupe = Troupe::new(Some(3), lot);
        troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
        troupe.ask(embed(2, MEAN));
        troupe.turn_until("portions", |troupe| troupe.portions >= 4 + lot as u32);
        // One tells of its end, the other one falls silent.
        let mut orders = Vec::new();
        troupe.crew.lost(troupe.some_helper(), "gone", &mut troupe.owner, &mut orders);
        troupe.carry_out(orders);
        let silent = troupe.some_helper();
        troupe.helpers.get_mut(&silent).unwrap().engine = Engine::new();
        troupe.now += Duration::from_secs(21);
        troupe.direct();
        assert!(troupe.helpers.is_empty() && troupe.ended == 2);
        assert_same(&troupe.answer(2), &wanted, &format!("lot {lot}"));
        assert!(troupe.crew.is_empty(), "none is started again and again");
    }
}

#[test]
fn a_helper_that_cannot_open_the_model_is_let_go() {
    let mut troupe = Troupe::new(Some(2), 0);
    troupe.direct();
    let id = troupe.some_helper();
    troupe.turn_until("the model's file", |troupe| !troupe.helpers[&id].inbox.is_empty());
    let helper = troupe.helpers.get_mut(&id).unwrap();
    helper.inbox.front_mut().unwrap().bulk = vec![Bulk::Bytes(b"GGUF and nonsense".to_vec())];
    troupe.turn_until("its end", |troupe| troupe.helpers.is_empty());
    troupe.ask(embed(2, MEAN));
    assert_same(&troupe.answer(2), &alone(embed(2, MEAN)), "computed here");
}

#[test]
fn rows_that_cannot_be_right_are_computed_here() {
    let mut troupe = Troupe::new(Some(2), 3);
    troupe.turn_until("a helper", |troupe| troupe.all_ready(1));
    troupe.ask(embed(2, MEAN));
    let id = troupe.some_helper();
    let mut spoilt = 0;
    let is_portion = |message: &Message<Event>| matches!(message.head, Event::Portion { .. });
    while spoilt < 2 {
        troupe.turn_until("rows", |troupe| troupe.helpers[&id].outbox.iter().any(is_portion));
        let outbox = &mut troupe.helpers.get_mut(&id).unwrap().outbox;
        let portion = outbox.iter_mut().find(|message| is_portion(message)).unwrap();
        let Some(Bulk::F32(values)) = portion.bulk.first_mut() else { panic!() };
        if spoilt == 0 {
            values.pop();
        } else {
            values[3] = f32::NAN;
        }
        spoilt += 1;
        troupe.turn_until("it to be heard", |troupe| {
            !troupe.helpers[&id].outbox.iter().any(is_portion)
        });
    }
    assert_same(&troupe.answer(2), &alone(embed(2, MEAN)), "computed here");
}

#[test]
fn a_cancelled_list_is_called_back_and_late_rows_are_nobody_elses() {
    for lot in 0..6 {
        let mut troupe = Troupe::new(Some(3), lot);
        troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
        troupe.ask(embed(2, Lens { readout: Readout::last(Pooling::Cls), ..MEAN }));
        troupe.turn_until("portions", |troupe| troupe.portions >= 4);
        troupe.ask(Request::Cancel { revision: 2 });
        // The same number again: revisions are the page's business.
        troupe.ask(embed(2, MEAN));
        let cancelled = troupe.answer(2);
        assert_eq!(cancelled.head, Event::Cancelled { revision: 2 });
        assert_same(&troupe.answer(2), &alone(embed(2, MEAN)), &format!("lot {lot}"));
    }
}

#[test]
fn both_sides_are_shared_and_an_adapter_may_change_meanwhile() {
    let wanted = |seed, blend: f32| {
        let mut engine = opened(1);
        attach(&mut engine, 2, seed);
        run(&mut engine);
        engine.accept(Message::plain(Request::Blend { revision: 3, blend }), &mut Events::new());
        run(&mut engine);
        answer(&mut engine, embed(4, AFTER))
    };
    for lot in 0..4 {
        let mut troupe = Troupe::new(Some(3), lot);
        troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
        attach(&mut troupe.owner, 2, 1);
        troupe.ask(Request::Blend { revision: 3, blend: 0.5 });
        troupe.ask(embed(4, AFTER));
        assert_same(&troupe.answer(4), &wanted(1, 0.5), "attached");
        for (seed, blend) in [(1, 1.0), (7, 1.0), (7, 0.25)] {
            troupe.ask(embed(5, AFTER));
            let before = troupe.portions;
            troupe.turn_until("portions", |troupe| troupe.portions >= before + 3);
            attach(&mut troupe.owner, 6, seed);
            troupe.ask(Request::Blend { revision: 7, blend });
            let what = format!("adapter {seed}, blend {blend}, lot {lot}");
            assert_same(&troupe.answer(5), &wanted(seed, blend), &what);
        }
        troupe.ask(embed(8, MEAN));
        assert_same(&troupe.answer(8), &alone(embed(8, MEAN)), "the side before");
    }
}

#[test]
fn another_model_ends_the_helpers_of_the_old_one() {
    let mut troupe = Troupe::new(Some(3), 5);
    troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
    troupe.ask(embed(2, MEAN));
    troupe.turn_until("portions", |troupe| troupe.portions >= 4);
    let source = ModelSource::Picked { name: "tiny".to_owned() };
    let bulk = vec![Bulk::Bytes(fixture::gguf(2))];
    let head = Request::Open { revision: 3, source };
    troupe.owner.accept(Message { head, bulk }, &mut troupe.events);
    troupe.direct();
    assert_eq!(troupe.ended, 2);
    let wanted = answer(&mut opened(2), embed(2, MEAN));
    assert_same(&troupe.answer(2), &wanted, "the new model");
    troupe.turn_until("new helpers", |troupe| troupe.all_ready(2));
}

#[test]
fn an_engine_rests_while_only_others_work() {
    let mut troupe = Troupe::new(Some(2), 0);
    troupe.turn_until("a helper", |troupe| troupe.all_ready(1));
    troupe.ask(embed(2, MEAN));
    // The helper says nothing.
    while step(&mut troupe.owner, &mut troupe.events) {
        troupe.direct();
    }
    assert!(troupe.portions > 0);
    assert!(!troupe.events.iter().any(|message| matches!(message.head, Event::Embedded { .. })));
    assert!(!step(&mut troupe.owner, &mut troupe.events));
    assert_same(&troupe.answer(2), &alone(embed(2, MEAN)), "computed here");
}

#[test]
fn workers_suit_the_machine() {
    let workers = |cores, memory_gib, megabytes: u64| {
        Machine { cores, memory_gib }.workers(megabytes * 1_000_000)
    };
    assert_eq!(workers(0, None, 26), 1);
    assert_eq!(workers(1, Some(8.0), 26), 1);
    assert_eq!(workers(2, Some(4.0), 26), 2);
    assert_eq!(workers(4, None, 26), 4);
    assert_eq!(workers(8, None, 26), 7, "one core for the page");
    assert_eq!(workers(8, Some(2.0), 26), 4, "an eighth of the memory");
    assert_eq!(workers(8, Some(0.5), 26), 1, "not even one copy");
    assert_eq!(workers(64, Some(8.0), 26), 15);
    assert_eq!(workers(8, Some(8.0), 440), 2, "a large model");
}

#[test]
fn a_short_list_is_cut_into_equal_parts() {
    let encoder = Encoder::load(Cpu::default(), &fixture::file(1)).unwrap();
    for (tokens, workers, wanted) in
        [(63, 2, 0), (120, 2, 1), (380, 2, 1), (180, 3, 2), (570, 3, 2), (1_500, 8, 7), (18, 4, 0)]
    {
        let ids = vec![vec![1, 5, 2]; tokens / 3];
        let mut embedding = encoder.begin(ids, MEAN.readout).unwrap();
        let mut sizes = Vec::new();
        while let Some(portion) = embedding.hand_out(workers) {
            sizes.push(portion.ids.len() * 3);
        }
        assert_eq!(sizes.len(), wanted, "{tokens} tokens, {workers} workers: {sizes:?}");
        let rest = tokens - sizes.iter().sum::<usize>();
        let fair = (tokens / workers).max(48);
        assert!(sizes.iter().all(|size| size.abs_diff(fair) < 4), "{sizes:?}, {fair}");
        assert!(rest < fair + 24, "{sizes:?} and {rest}");
    }
}

#[test]
fn portions_shrink_towards_the_end_and_nothing_is_in_two() {
    let encoder = Encoder::load(Cpu::default(), &fixture::file(1)).unwrap();
    let texts = sentences(2_000);
    let ids: Vec<_> = texts.iter().map(|text| encoder.tokenise(text).unwrap().ids).collect();
    let tokens = |ids: &[Vec<u32>]| ids.iter().map(Vec::len).sum::<usize>();
    let mut embedding = encoder.begin(ids.clone(), MEAN.readout).unwrap();
    let mut portions = Vec::new();
    while let Some(portion) = embedding.hand_out(4) {
        portions.push(portion);
    }
    let sizes: Vec<usize> = portions.iter().map(|portion| tokens(&portion.ids)).collect();
    assert!((1_500..=1_536).contains(&sizes[0]), "{sizes:?}");
    // A sentence of the fixture has 24 tokens at most.
    assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0] + MAX_TOKENS), "{sizes:?}");
    assert!(sizes.last().is_some_and(|last| (25..=48).contains(last)), "{sizes:?}");
    let out: usize = portions.iter().map(|portion| portion.ids.len()).sum();
    pollster::block_on(async {
        while !embedding.is_waiting() {
            assert!(encoder.step(&mut embedding).await.unwrap());
        }
    });
    assert_eq!(embedding.done() + out, embedding.total());
    // The longest went out first.
    let shortest_out = portions[0].ids.iter().map(Vec::len).min();
    assert!(portions[1].ids.iter().all(|ids| Some(ids.len()) <= shortest_out));
    portions.iter().for_each(|portion| embedding.take_back(portion.ticket));
    pollster::block_on(async { while encoder.step(&mut embedding).await.unwrap() {} });
    assert_eq!(embedding.done(), embedding.total());
}
