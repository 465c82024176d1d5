//! Workers that help this one: what the engine's crew orders is carried out here.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use simcse_lab::backend::Backend;
use simcse_lab::browser::bridge::{Bridge, Help, gpu_address};
use simcse_lab::browser::worker_scope::{cores, has_adapter, memory_gib, sleep_ms};
use simcse_lab::engine::Engine;
use simcse_lab::engine::crew::{Crew, Machine};
use simcse_lab::engine::helper::{HelperId, Order};
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::gpu::{Preference, Tuned};
use simcse_lab::protocol::message::Message;
use simcse_lab::protocol::request::Request;
use wasm_bindgen_futures::spawn_local;
use web_time::Instant;

use super::{Door, Task, tell};

/// While there are helpers, the crew is asked so often whether one is idle or silent.
const TICK_MS: i32 = 5_000;

/// What the crew has to hear of.
pub enum News {
    /// The page wants so many workers.
    Wanted(Option<u16>),
    Heard(HelperId, Message<Event>),
    /// And how.
    Died(HelperId, String),
    /// What is known of a GPU, and whether the browser offers one.
    Preferred(Preference, Option<Tuned>, bool),
    /// Time went by.
    Tick,
}

/// Ticks while it is wanted.
#[derive(Default)]
struct Clock {
    wanted: Cell<bool>,
    runs: Cell<bool>,
}

/// The crew and its workers.
pub struct Helpers {
    door: Weak<Door>,
    crew: Crew,
    bridges: BTreeMap<HelperId, Bridge>,
    clock: Rc<Clock>,
    orders: Vec<Order>,
}

impl Helpers {
    pub fn new(door: &Rc<Door>) -> Self {
        let machine = Machine { cores: cores(), memory_gib: memory_gib() };
        Self {
            door: Rc::downgrade(door),
            crew: Crew::new(machine),
            bridges: BTreeMap::new(),
            clock: Rc::default(),
            orders: Vec::new(),
        }
    }

    fn carry_out(&mut self, engine: &Engine<impl Backend + Clone>) {
        for order in std::mem::take(&mut self.orders) {
            let (id, sent) = match order {
                Order::Start(id) => (id, self.start(id, Help::Same)),
                Order::StartGpu(id) => (id, self.start(id, Help::Gpu)),
                Order::Equip(id, request) => (id, self.equip(id, request, engine)),
                Order::Tell(id, message) => (id, self.send(id, |bridge| bridge.send(&message))),
                Order::End(id) => {
                    self.bridges.remove(&id);
                    self.clock.wanted.set(!self.bridges.is_empty());
                    continue;
                }
                Order::Say(event) => {
                    tell(event);
                    continue;
                }
            };
            if let Err(detail) = sent {
                // It works without: a browser that does not let workers start workers is one of
                // the reasons.
                self.push(News::Died(id, detail));
            }
        }
    }

    fn start(&mut self, id: HelperId, help: Help) -> Result<(), String> {
        let (listener, mourner) = (self.door.clone(), self.door.clone());
        let bridge = Bridge::start_helper(
            help,
            move |message| push(&listener, News::Heard(id, message)),
            move |detail| push(&mourner, News::Died(id, detail)),
        )?;
        self.bridges.insert(id, bridge);
        self.clock.wanted.set(true);
        if !self.clock.runs.replace(true) {
            spawn_local(tick(self.door.clone(), Rc::clone(&self.clock)));
        }
        Ok(())
    }

    /// The file goes from this worker's memory straight into the message.
    fn equip(
        &self,
        id: HelperId,
        request: Request,
        engine: &Engine<impl Backend + Clone>,
    ) -> Result<(), String> {
        let file = engine.file().ok_or("no model")?;
        let bytes = js_sys::Uint8Array::from(file.bytes()).buffer();
        self.send(id, |bridge| bridge.send_file(request, &bytes))
    }

    fn send(
        &self,
        id: HelperId,
        send: impl FnOnce(&Bridge) -> Result<(), String>,
    ) -> Result<(), String> {
        // One that has just been ended hears nothing.
        self.bridges.get(&id).map_or(Ok(()), send)
    }

    fn push(&self, news: News) {
        push(&self.door, news);
    }
}

impl Helpers {
    /// Tells the crew; [`Helpers::direct`] must follow.
    pub fn take(&mut self, news: News, engine: &mut Engine<impl Backend + Clone>) {
        match news {
            News::Wanted(count) => self.crew.want(count),
            News::Heard(id, message) => {
                self.crew.heard(id, message, engine, Instant::now(), &mut self.orders);
            }
            News::Died(id, detail) => self.crew.lost(id, &detail, engine, &mut self.orders),
            News::Preferred(preference, tuned, has_gpu) => {
                self.crew.prefer(preference, tuned, has_gpu);
            }
            News::Tick => {}
        }
    }

    /// Lets the crew look at everything anew.
    pub fn direct(&mut self, engine: &mut Engine<impl Backend + Clone>) {
        self.crew.direct(engine, Instant::now(), &mut self.orders);
        self.carry_out(engine);
    }

    /// Lets the crew give out work.
    pub fn feed(&mut self, engine: &mut Engine<impl Backend + Clone>) {
        if !self.crew.is_empty() {
            self.crew.feed(engine, Instant::now(), &mut self.orders);
            self.carry_out(engine);
        }
    }
}

/// Hands on what the page prefers, once it is known whether the browser offers a GPU: without one its
/// program need not come.
pub fn prefer(door: &Rc<Door>, preference: Preference, tuned: Option<Tuned>) {
    let door = Rc::clone(door);
    spawn_local(async move {
        let wanted = preference != Preference::Cpu && gpu_address().is_some();
        let has_gpu = wanted && has_adapter().await;
        door.push(Task::Helpers(News::Preferred(preference, tuned, has_gpu)));
    });
}

fn push(door: &Weak<Door>, news: News) {
    if let Some(door) = door.upgrade() {
        door.push(Task::Helpers(news));
    }
}

async fn tick(door: Weak<Door>, clock: Rc<Clock>) {
    while clock.wanted.get() {
        sleep_ms(TICK_MS).await;
        push(&door, News::Tick);
    }
    clock.runs.set(false);
}
