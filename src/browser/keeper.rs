//! What is made of a checkpoint, kept in the browser's store while it grows, so that a reload takes it up:
//! the file with holes, `pull.part`, and what of the checkpoint is in it, `pull.json`. One at a time.

use std::future::ready;

use crate::browser::store::{MODELS, Store, Writer, gguf_name};
use crate::intake::{Bookmark, Intake};

const PART: &str = "pull.part";
const NOTE: &str = "pull.json";

/// It is noted again after so many bytes of the checkpoint.
const NOTE_EVERY: u64 = 8 << 20;

/// The part on disk.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    identity: String,
    writer: Writer,
    /// Bytes of the checkpoint that were taken when it was noted last.
    noted: u64,
}

impl Keeper {
    /// Takes up what an earlier visit kept of this very checkpoint, or begins anew; `None` where the
    /// browser keeps nothing.
    pub async fn open(identity: &str, intake: &mut Intake) -> Option<Self> {
        let store = Store::open(MODELS).await?;
        let mut writer = store.writer_as_it_is(PART).await?;
        if !resume(&store, &writer, identity, intake).await {
            store.remove(NOTE).await;
            let length = intake.bytes().len() as u64;
            (writer.restart() && writer.extend_to(length)).then_some(())?;
        }
        let noted = intake.progress().0;
        Some(Self { store, identity: identity.to_owned(), writer, noted })
    }

    /// Keeps what is new; `false` where the store is full.
    pub async fn keep(&mut self, intake: &mut Intake) -> bool {
        for range in intake.take_fresh() {
            let fresh = intake.bytes().get(range.clone()).unwrap_or_default();
            if !self.writer.write_at(range.start as u64, fresh) {
                return false;
            }
        }
        let done = intake.progress().0;
        if done < self.noted + NOTE_EVERY {
            return true;
        }
        self.noted = done;
        let note = serde_json::to_vec(&(&self.identity, intake.bookmark())).unwrap_or_default();
        self.writer.flush() && self.store.write(NOTE, &note).await
    }

    /// The file is whole: it is the model of that hash from now on. `false` where the store refuses.
    pub async fn finish(self, sha256: &str) -> bool {
        let Self { store, writer, .. } = self;
        let is_safe = writer.flush();
        drop(writer);
        store.remove(NOTE).await;
        is_safe && store.rename(PART, &gguf_name(sha256)).await
    }
}

/// Forgets what was kept of an unfinished checkpoint.
pub async fn forget_part() {
    if let Some(store) = Store::open(MODELS).await {
        store.remove(NOTE).await;
        store.remove(PART).await;
    }
}

async fn resume(store: &Store, part: &Writer, identity: &str, intake: &mut Intake) -> bool {
    let Some(note) = store.read(NOTE, 1 << 20, |_, _| ()).await else { return false };
    let Ok((of, bookmark)) = serde_json::from_slice::<(String, Bookmark)>(&note) else {
        return false;
    };
    if of != identity || part.length() != Some(intake.bytes().len() as u64) {
        return false;
    }
    intake.resume(bookmark, |range| ready(part.read_at(range))).await
}
