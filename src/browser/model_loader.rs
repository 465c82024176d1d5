//! A hosted model's way into memory: from the browser's store where it is kept, else from the
//! network, and then into the store.

use web_sys::AbortSignal;

use crate::browser::digest::sha256;
use crate::browser::download::{Fetched, Halted, Wanted, Watcher, fetch};
use crate::browser::model_shelf::forget_words;
use crate::browser::store::{MODELS, Store, Writer, gguf_name};
use crate::protocol::Revision;
use crate::protocol::event::{Event, LoadingStage, StoreOutcome};

/// Downloads that did not come to their end, where the store refuses to keep them: at most one.
#[derive(Debug, Default)]
pub struct Remembered {
    sha256: String,
    partial: Vec<u8>,
}

impl Remembered {
    /// Forgets the download of that hash.
    pub fn forget(&mut self, sha256: &str) {
        if self.sha256 == sha256 {
            *self = Self::default();
        }
    }
}

/// Brings a model into memory, telling `post` how it goes: `Loading`, `Stored`.
///
/// # Errors
/// [`Halted`]: stopped, or the problem. What had arrived is kept for the next time.
pub async fn load(
    revision: Revision,
    wanted: Wanted<'_>,
    signal: &AbortSignal,
    remembered: &mut Remembered,
    post: &impl Fn(Event),
) -> Result<Fetched, Halted> {
    let named = !wanted.sha256.is_empty();
    let store = if named { Store::open(MODELS).await } else { None };
    let loader = Loader { revision, wanted, store, post };
    if let Some(fetched) = loader.stored_copy().await {
        return Ok(fetched);
    }
    let partial = loader.partial(remembered).await;
    let writer = loader.part_writer(&partial).await;
    let mut watch = Watch { loader: &loader, writer };
    match fetch(wanted, partial, signal, &mut watch).await {
        Ok(fetched) => {
            drop(watch);
            if named {
                loader.keep(&fetched).await;
            }
            Ok(fetched)
        }
        Err(mut halted) => {
            let kept = watch.writer.as_ref().is_some_and(Writer::flush);
            if named && !kept {
                let partial = std::mem::take(&mut halted.partial);
                *remembered = Remembered { sha256: wanted.sha256.to_owned(), partial };
            }
            Err(halted)
        }
    }
}

/// Removes a model and what there is of its download.
pub async fn forget(sha256: &str) {
    if let Some(store) = Store::open(MODELS).await {
        store.remove(&gguf_name(sha256)).await;
        forget_words(sha256).await;
        store.remove(&part_name(sha256)).await;
    }
}

fn part_name(sha256: &str) -> String {
    format!("{sha256}.part")
}

struct Loader<'a, P> {
    revision: Revision,
    wanted: Wanted<'a>,
    store: Option<Store>,
    post: &'a P,
}

impl<P: Fn(Event)> Loader<'_, P> {
    fn tell(&self, stage: LoadingStage, done_bytes: u64, total_bytes: u64) {
        let revision = self.revision;
        (self.post)(Event::Loading { revision, stage, done_bytes, total_bytes });
    }

    fn stored(&self, outcome: StoreOutcome) {
        (self.post)(Event::Stored { sha256: self.wanted.sha256.to_owned(), outcome });
    }

    /// The model from the store, its hash checked. A damaged one is removed; one that cannot be
    /// read now (memory is short, another tab writes it) stays.
    async fn stored_copy(&self) -> Option<Fetched> {
        let store = self.store.as_ref()?;
        let name = gguf_name(self.wanted.sha256);
        let length = store.length(&name).await?;
        let tell = |done, total| self.tell(LoadingStage::ReadingStore, done, total);
        let bytes = store.read(&name, self.wanted.size_bytes, tell).await;
        if let Some(bytes) = bytes {
            let found = sha256(&bytes).await;
            if found == self.wanted.sha256 {
                return Some(Fetched { bytes, sha256: found });
            }
        } else if length <= self.wanted.size_bytes {
            return None;
        }
        store.remove(&name).await;
        self.stored(StoreOutcome::Damaged);
        None
    }

    /// What an earlier download left.
    async fn partial(&self, remembered: &mut Remembered) -> Vec<u8> {
        let remembered = std::mem::take(remembered);
        let known =
            if remembered.sha256 == self.wanted.sha256 { remembered.partial } else { vec![] };
        let Some(store) = &self.store else { return known };
        let name = part_name(self.wanted.sha256);
        match store.length(&name).await {
            Some(length) if length > known.len() as u64 => {
                store.read(&name, self.wanted.size_bytes, |_, _| ()).await.unwrap_or(known)
            }
            _ => known,
        }
    }

    /// Where arriving bytes are kept, after those that are there already.
    async fn part_writer(&self, partial: &[u8]) -> Option<Writer> {
        let store = self.store.as_ref()?;
        let name = part_name(self.wanted.sha256);
        if let Some(writer) = store.writer(&name, partial.len() as u64).await {
            return Some(writer);
        }
        let mut writer = store.writer(&name, 0).await?;
        writer.append(partial).then_some(writer)
    }

    async fn keep(&self, fetched: &Fetched) {
        let mut outcome = StoreOutcome::Refused;
        if let Some(store) = &self.store {
            store.remove(&part_name(self.wanted.sha256)).await;
            if store.write(&gguf_name(self.wanted.sha256), &fetched.bytes).await {
                outcome = StoreOutcome::Kept;
            }
        }
        self.stored(outcome);
    }
}

struct Watch<'a, 'b, P> {
    loader: &'a Loader<'b, P>,
    writer: Option<Writer>,
}

impl<P: Fn(Event)> Watcher for Watch<'_, '_, P> {
    fn progress(&mut self, done_bytes: u64, total_bytes: u64) {
        self.loader.tell(LoadingStage::Downloading, done_bytes, total_bytes);
    }

    fn arrived(&mut self, bytes: &[u8]) {
        // A store that is full keeps nothing more of this download.
        self.writer.take_if(|writer| !writer.append(bytes));
    }

    fn restarted(&mut self) {
        self.writer.take_if(|writer| !writer.restart());
    }
}
