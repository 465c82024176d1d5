//! The visitor's adapters: kept in the browser's store under their hash, or for this visit in
//! memory where the browser refuses.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::browser::store::{ADAPTERS, Store, gguf_name};
use crate::protocol::event::StoreOutcome;
use crate::protocol::problem::Problem;
use crate::protocol::training::AdapterSummary;
use crate::weights::adapter_file::{AdapterFile, read_summary};
use crate::weights::bert::sha256;

/// Longer files are no adapters of ours: every weight of a large BERT is 350 MB as `q8_0`.
const MOST_BYTES: u64 = 1 << 30;

/// What [`Shelf::list`] found.
#[derive(Debug, Default)]
pub struct Listed {
    /// By name.
    pub adapters: Vec<AdapterSummary>,
    /// Files that are no adapters.
    pub unreadable: u32,
}

/// The visitor's adapters.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Those that the browser refused to keep, by hash.
    refused: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Shelf {
    /// Keeps an adapter.
    ///
    /// # Errors
    /// Where it cannot be read: only good ones are kept.
    pub async fn keep(&self, bytes: Vec<u8>) -> Result<(AdapterSummary, StoreOutcome), Problem> {
        let file = AdapterFile::read("adapter", &bytes).map_err(|error| Problem::from(&error))?;
        let summary = file.summary();
        drop(file);
        let kept = match Store::open(ADAPTERS).await {
            Some(store) => store.write(&gguf_name(&summary.sha256), &bytes).await,
            None => false,
        };
        if kept {
            return Ok((summary, StoreOutcome::Kept));
        }
        self.refused.borrow_mut().insert(summary.sha256.clone(), bytes);
        Ok((summary, StoreOutcome::Refused))
    }

    /// The file of an adapter.
    ///
    /// # Errors
    /// [`Problem::NotKept`], or [`Problem::Hash`] where the store gave other bytes back.
    pub async fn read(&self, wanted: &str) -> Result<Vec<u8>, Problem> {
        if let Some(bytes) = self.refused.borrow().get(wanted) {
            return Ok(bytes.clone());
        }
        let store = Store::open(ADAPTERS).await.ok_or(Problem::NotKept)?;
        let bytes = store.read(&gguf_name(wanted), MOST_BYTES, |_, _| ()).await;
        let bytes = bytes.ok_or(Problem::NotKept)?;
        let found = sha256(&bytes);
        if found == wanted {
            Ok(bytes)
        } else {
            Err(Problem::Hash { expected: wanted.to_owned(), found })
        }
    }

    /// Removes an adapter.
    pub async fn forget(&self, sha256: &str) {
        self.refused.borrow_mut().remove(sha256);
        if let Some(store) = Store::open(ADAPTERS).await {
            store.remove(&gguf_name(sha256)).await;
        }
    }

    /// All adapters, from their headers.
    pub async fn list(&self) -> Listed {
        let mut listed = Listed::default();
        for (sha256, bytes) in self.refused.borrow().iter() {
            listed.take(sha256, bytes);
        }
        if let Some(store) = Store::open(ADAPTERS).await {
            for name in store.names().await {
                let Some(sha256) = name.strip_suffix(".gguf") else { continue };
                match store.read(&name, MOST_BYTES, |_, _| ()).await {
                    Some(bytes) => listed.take(sha256, &bytes),
                    None => listed.unreadable += 1,
                }
            }
        }
        listed.adapters.sort_by(|a, b| (&a.name, &a.sha256).cmp(&(&b.name, &b.sha256)));
        listed
    }
}

impl Listed {
    fn take(&mut self, sha256: &str, bytes: &[u8]) {
        match read_summary("adapter", bytes, Some(sha256.to_owned())) {
            Ok(summary) => self.adapters.push(summary),
            Err(_) => self.unreadable += 1,
        }
    }
}
