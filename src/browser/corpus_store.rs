//! Corpora in the browser's store, `corpora/`: what the engine orders, carried out. A store that refuses
//! says so; nothing here fails.

use crate::browser::store::{Store, usage};

const FOLDER: &str = "corpora";
/// Longer files are none of ours.
const MOST_BYTES: u64 = 8 << 30;

/// Writes a whole file; whether it is there.
pub async fn write(name: &str, bytes: &[u8]) -> bool {
    match Store::open(FOLDER).await {
        Some(store) => store.write(name, bytes).await,
        None => false,
    }
}

/// Writes behind the first `at` bytes of a file; whether that is safe now.
pub async fn append(name: &str, at: u64, bytes: &[u8]) -> bool {
    let Some(store) = Store::open(FOLDER).await else { return false };
    let Some(mut writer) = store.writer(name, at).await else { return false };
    writer.append(bytes) && writer.flush()
}

/// A whole file.
pub async fn read(name: &str) -> Option<Vec<u8>> {
    Store::open(FOLDER).await?.read(name, MOST_BYTES, |_, _| ()).await
}

pub async fn remove(name: &str) {
    if let Some(store) = Store::open(FOLDER).await {
        store.remove(name).await;
    }
}

/// What is in the store.
#[derive(Debug, Default)]
pub struct Contents {
    /// Names and bytes.
    pub files: Vec<(String, u64)>,
    /// Whole files of that ending.
    pub heads: Vec<(String, Vec<u8>)>,
    /// Bytes that the browser says it has and allows.
    pub usage: Option<(u64, u64)>,
}

/// Lists the store, and reads the files of that ending; `None` where there is no store.
pub async fn list(ending: &str) -> Option<Contents> {
    /// A head holds names of columns and categories.
    const MOST_HEAD_BYTES: u64 = 4 << 20;
    let store = Store::open(FOLDER).await?;
    let mut contents = Contents { usage: usage().await, ..Contents::default() };
    for name in store.names().await {
        let Some(bytes) = store.length(&name).await else { continue };
        if name.ends_with(ending) {
            let head = store.read(&name, MOST_HEAD_BYTES, |_, _| ()).await;
            contents.heads.extend(head.map(|head| (name.clone(), head)));
        }
        contents.files.push((name, bytes));
    }
    Some(contents)
}
