//! The models in the browser's store: `<sha256>.gguf`, and what is known of each beside it, `<sha256>.json`.

use crate::browser::digest::sha256;
use crate::browser::store::{MODELS, Store, gguf_name};
use crate::protocol::models::KeptModel;
use crate::protocol::problem::Problem;
use crate::weights::bert::BertConfig;
use crate::weights::blocks::BlockType;

/// A word about a model is no longer than this.
const MOST_WORDS: u64 = 1 << 16;

/// What is known of a model, from what its file says of itself.
pub fn described(
    config: &BertConfig,
    sha256: &str,
    quantisation: BlockType,
    size_bytes: u64,
) -> KeptModel {
    KeptModel {
        sha256: sha256.to_owned(),
        name: config.name.clone(),
        quantisation: quantisation.name().to_owned(),
        size_bytes,
        source: config.source.clone(),
        licence: config.licence.clone(),
        used_ms: 0.0,
    }
}

/// All kept models, the last used first.
pub async fn list() -> Vec<KeptModel> {
    let Some(store) = Store::open(MODELS).await else { return Vec::new() };
    let mut models = Vec::new();
    let names = store.names().await;
    for name in &names {
        let Some(sha256) = name.strip_suffix(".gguf") else {
            drop_orphan(&store, name, &names).await;
            continue;
        };
        let Some(size_bytes) = store.length(name).await else { continue };
        let said = words(&store, sha256).await.unwrap_or_default();
        models.push(KeptModel { sha256: sha256.to_owned(), size_bytes, ..said });
    }
    models.sort_by(|a, b| b.used_ms.total_cmp(&a.used_ms).then_with(|| a.name.cmp(&b.name)));
    models
}

/// Removes what is known of a model that is gone: the visitor may leave between the two.
async fn drop_orphan(store: &Store, name: &str, names: &[String]) {
    const HASH_DIGITS: usize = 64;
    let sha256 = name.strip_suffix(".json").filter(|stem| stem.len() == HASH_DIGITS);
    if let Some(sha256) = sha256
        && !names.contains(&gguf_name(sha256))
    {
        store.remove(name).await;
    }
}

/// Notes what is known of a model, and that it is used now.
pub async fn note(model: KeptModel) {
    let Some(store) = Store::open(MODELS).await else { return };
    let model = KeptModel { used_ms: js_sys::Date::now(), ..model };
    if let Ok(words) = serde_json::to_vec(&model) {
        // Without it the model is listed by its hash.
        store.write(&note_name(&model.sha256), &words).await;
    }
}

/// Notes that a model is used now; what else is known of it stays.
pub async fn touch(sha256: &str) {
    let Some(store) = Store::open(MODELS).await else { return };
    if let Some(model) = words(&store, sha256).await {
        note(model).await;
    }
}

/// What was noted of a model.
async fn words(store: &Store, sha256: &str) -> Option<KeptModel> {
    let said = store.read(&note_name(sha256), MOST_WORDS, |_, _| ()).await?;
    serde_json::from_slice(&said).ok()
}

/// Removes what is known of a model.
pub async fn forget_words(sha256: &str) {
    if let Some(store) = Store::open(MODELS).await {
        store.remove(&note_name(sha256)).await;
    }
}

/// Keeps a model; `false` where the browser refuses.
pub async fn keep(model: KeptModel, bytes: &[u8]) -> bool {
    let Some(store) = Store::open(MODELS).await else { return false };
    let kept = store.write(&gguf_name(&model.sha256), bytes).await;
    if kept {
        note(model).await;
    }
    kept
}

/// The file of a kept model, its hash checked; a damaged one is removed.
///
/// # Errors
/// [`Problem::ModelNotKept`], or [`Problem::Hash`].
pub async fn read(
    name: &str,
    wanted: &str,
    size_bytes: u64,
    progress: impl FnMut(u64, u64),
) -> Result<Vec<u8>, Problem> {
    let gone = || Problem::ModelNotKept { name: name.to_owned() };
    let store = Store::open(MODELS).await.ok_or_else(gone)?;
    let file = gguf_name(wanted);
    let bytes = store.read(&file, size_bytes, progress).await.ok_or_else(gone)?;
    let found = sha256(&bytes).await;
    if found == wanted {
        return Ok(bytes);
    }
    store.remove(&file).await;
    forget_words(wanted).await;
    Err(Problem::Hash { expected: wanted.to_owned(), found })
}

fn note_name(sha256: &str) -> String {
    format!("{sha256}.json")
}
