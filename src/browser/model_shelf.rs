//! The models in the browser's store: `<sha256>.gguf`, and what is known of each beside it, `<sha256>.json`.

use js_sys::Reflect;
use wasm_bindgen_futures::JsFuture;

use crate::browser::digest::sha256;
use crate::browser::store::{MODELS, Store};
use crate::browser::worker_scope::scope;
use crate::protocol::models::KeptModel;
use crate::protocol::problem::Problem;

/// A word about a model is no longer than this.
const MOST_WORDS: u64 = 1 << 16;

/// All kept models, the last used first.
pub async fn list() -> Vec<KeptModel> {
    let Some(store) = Store::open(MODELS).await else { return Vec::new() };
    let mut models = Vec::new();
    for name in store.names().await {
        let Some(sha256) = name.strip_suffix(".gguf") else { continue };
        let Some(size_bytes) = store.length(&name).await else { continue };
        let said = store.read(&note_name(sha256), MOST_WORDS, |_, _| ()).await;
        let said = said.and_then(|said| serde_json::from_slice::<KeptModel>(&said).ok());
        let said = said.unwrap_or_default();
        models.push(KeptModel { sha256: sha256.to_owned(), size_bytes, ..said });
    }
    models.sort_by(|a, b| b.used_ms.total_cmp(&a.used_ms).then_with(|| a.name.cmp(&b.name)));
    models
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
    let said = store.read(&note_name(sha256), MOST_WORDS, |_, _| ()).await;
    if let Some(model) = said.and_then(|said| serde_json::from_slice::<KeptModel>(&said).ok()) {
        note(model).await;
    }
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
    let kept = store.write(&format!("{}.gguf", model.sha256), bytes).await;
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
    let file = format!("{wanted}.gguf");
    let bytes = store.read(&file, size_bytes, progress).await.ok_or_else(gone)?;
    let found = sha256(&bytes).await;
    if found == wanted {
        return Ok(bytes);
    }
    store.remove(&file).await;
    forget_words(wanted).await;
    Err(Problem::Hash { expected: wanted.to_owned(), found })
}

/// Bytes in use of the browser's store, and how many there may be, where it says so.
pub async fn usage() -> (Option<u64>, Option<u64>) {
    let Ok(estimate) = scope().navigator().storage().estimate() else { return (None, None) };
    let Ok(estimate) = JsFuture::from(estimate).await else { return (None, None) };
    let number = |key: &str| {
        let found = Reflect::get(&estimate, &key.into()).ok()?.as_f64()?;
        Some(found as u64)
    };
    (number("usage"), number("quota"))
}

fn note_name(sha256: &str) -> String {
    format!("{sha256}.json")
}
