//! What the window offers, as plain Rust values.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, Document, Element, FileSystemDirectoryHandle, FileSystemFileHandle,
    HtmlAnchorElement, HtmlElement, KeyboardEvent, Response, Storage, Url, Window,
};

use crate::browser::store::{MODELS, gguf_name};

const SAVED_KEY: &str = "simcse-lab";

/// The window. A page always has one.
pub fn window() -> Option<Window> {
    web_sys::window()
}

/// The document.
pub fn document() -> Option<Document> {
    window()?.document()
}

/// An error of the browser in words.
pub fn words(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}

/// Milliseconds since the page was opened.
pub fn now_ms() -> f64 {
    window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}

/// Content of a `<meta name>` tag.
pub fn meta(name: &str) -> Option<String> {
    document()?.query_selector(&format!("meta[name={name}]")).ok()??.get_attribute("content")
}

/// The browser's languages, the preferred one first.
pub fn languages() -> Vec<String> {
    window().map_or_else(Vec::new, |window| {
        window.navigator().languages().iter().filter_map(|tag| tag.as_string()).collect()
    })
}

/// The address's fragment, with `#`.
pub fn fragment() -> String {
    window().and_then(|window| window.location().hash().ok()).unwrap_or_default()
}

/// Replaces the address's fragment without a history entry.
pub fn show_fragment(fragment: &str) {
    let Some(history) = window().and_then(|window| window.history().ok()) else { return };
    // Refused only when called very often; the next call corrects it.
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(fragment));
}

/// The page's address without its fragment.
pub fn address() -> String {
    let address = window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    address.split('#').next().unwrap_or_default().to_owned()
}

/// What an earlier visit saved.
pub fn saved() -> Option<String> {
    storage()?.get_item(SAVED_KEY).ok()?
}

/// Keeps a text for the next visit; whether the browser allowed it.
pub fn save(text: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(SAVED_KEY, text).is_ok())
}

fn storage() -> Option<Storage> {
    window()?.local_storage().ok()?
}

/// Runs something after a pause.
pub fn after(pause_ms: u32, run: impl FnOnce() + 'static) {
    let Some(window) = window() else { return };
    let pause_ms = i32::try_from(pause_ms).unwrap_or(i32::MAX);
    let run = Closure::once_into_js(run);
    // A browser refuses a timer only while the page is being torn down.
    let _ =
        window.set_timeout_with_callback_and_timeout_and_arguments_0(run.unchecked_ref(), pause_ms);
}

/// Whether a media query holds now.
pub fn media(query: &str) -> bool {
    let list = window().and_then(|window| window.match_media(query).ok()?);
    list.is_some_and(|list| list.matches())
}

/// Height of what is seen of the page, in pixels.
pub fn viewport_height() -> f64 {
    let height = window().and_then(|window| window.inner_height().ok());
    height.and_then(|height| height.as_f64()).unwrap_or(800.0)
}

/// Pixels of the device for one of the page.
pub fn pixel_ratio() -> f64 {
    window().map_or(1.0, |window| window.device_pixel_ratio())
}

/// Whether a media query holds, and a listener for its changes for as long as the page lives.
pub fn watch_media(query: &str, changed: impl Fn(bool) + 'static) -> bool {
    let Some(list) = window().and_then(|window| window.match_media(query).ok()?) else {
        return false;
    };
    let matches = list.matches();
    let listener = Closure::<dyn Fn(web_sys::MediaQueryListEvent)>::new(
        move |event: web_sys::MediaQueryListEvent| changed(event.matches()),
    );
    list.set_onchange(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    matches
}

/// Listens to an event of the window for as long as the page lives.
pub fn listen(name: &str, run: impl Fn() + 'static) {
    let Some(window) = window() else { return };
    let listener = Closure::<dyn Fn()>::new(run);
    // Adding a listener cannot fail for a function.
    let _ = window.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Whether any element that matches is within the window.
pub fn is_any_seen(selector: &str) -> bool {
    let height = viewport_height();
    let all = document().and_then(|document| document.query_selector_all(selector).ok());
    let Some(all) = all else { return false };
    (0..all.length()).filter_map(|place| all.item(place)?.dyn_into::<Element>().ok()).any(|it| {
        let place = it.get_bounding_client_rect();
        place.bottom() > 0.0 && place.top() < height
    })
}

/// Calls `run` with whether it was pressed or released, for a key that is typed nowhere, for as
/// long as the page lives. Leaving the window releases it.
pub fn watch_key(key: &'static str, run: impl Fn(bool) + Clone + 'static) {
    let Some(window) = window() else { return };
    for (name, pressed) in [("keydown", true), ("keyup", false)] {
        let run = run.clone();
        let listener = Closure::<dyn Fn(KeyboardEvent)>::new(move |event: KeyboardEvent| {
            let plain = !(event.ctrl_key() || event.meta_key() || event.alt_key());
            if event.key().eq_ignore_ascii_case(key)
                && !event.repeat()
                && plain
                && !is_typed(&event)
            {
                run(pressed);
            }
        });
        // Adding a listener cannot fail for a function.
        let _ = window.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        listener.forget();
    }
    listen("blur", move || run(false));
}

/// Whether the key goes into a field.
fn is_typed(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|target| {
        target.is_content_editable()
            || ["INPUT", "TEXTAREA", "SELECT"].contains(&target.tag_name().as_str())
    })
}

/// Whether the first bytes of a file contain a mark; `false` too where it cannot be read.
pub async fn contains(file: &Blob, first_bytes: f64, mark: &[u8]) -> bool {
    let Ok(front) = file.slice_with_f64_and_f64(0.0, first_bytes) else { return false };
    let Ok(buffer) = JsFuture::from(front.array_buffer()).await else { return false };
    let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
    bytes.windows(mark.len()).any(|part| part == mark)
}

/// Copies text to the clipboard.
///
/// # Errors
/// Where the browser does not allow it.
pub async fn copy(text: &str) -> Result<(), String> {
    let clipboard = window().ok_or("no window")?.navigator().clipboard();
    // Absent where the page is not served securely.
    if clipboard.is_undefined() {
        return Err("no clipboard".to_owned());
    }
    JsFuture::from(clipboard.write_text(text)).await.map(drop).map_err(|error| words(&error))
}

/// A file of our own site.
///
/// # Errors
/// In words, where it does not come.
pub async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let window = window().ok_or("no window")?;
    let answer = JsFuture::from(window.fetch_with_str(url)).await.map_err(|error| words(&error))?;
    let answer: Response = answer.unchecked_into();
    if !answer.ok() {
        return Err(format!("HTTP {}", answer.status()));
    }
    let bytes = answer.array_buffer().map_err(|error| words(&error))?;
    let bytes = JsFuture::from(bytes).await.map_err(|error| words(&error))?;
    Ok(js_sys::Uint8Array::new(&bytes).to_vec())
}

/// Lets the browser draw and listen before it goes on here.
pub async fn pause() {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        after(0, move || {
            // The promise's own function does not throw.
            let _ = resolve.call0(&JsValue::NULL);
        });
    });
    // It is never refused.
    let _ = JsFuture::from(promise).await;
}

/// Offers text as a file.
///
/// # Errors
/// In words, where the browser refuses.
pub fn download_text(name: &str, mime: &str, text: &str) -> Result<(), String> {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    let blob =
        Blob::new_with_str_sequence_and_options(&parts, &options).map_err(|error| words(&error))?;
    download_blob(name, &blob)
}

/// Offers bytes as a file.
///
/// # Errors
/// In words, where the browser refuses.
pub fn download_bytes(name: &str, bytes: &[u8]) -> Result<(), String> {
    download_blob(name, &blob_of(bytes)?)
}

/// Bytes that the browser holds from now on.
///
/// # Errors
/// In words, where the browser refuses.
pub fn blob_of(bytes: &[u8]) -> Result<Blob, String> {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(|error| words(&error))
}

/// Blobs, one after the other.
///
/// # Errors
/// In words, where the browser refuses.
pub fn joined(parts: &[Blob]) -> Result<Blob, String> {
    let parts: js_sys::Array = parts.iter().collect();
    Blob::new_with_blob_sequence(&parts).map_err(|error| words(&error))
}

/// Offers a model of the browser's store as a file.
///
/// # Errors
/// Where it is not there, or the browser refuses.
pub async fn download_stored(name: &str, sha256: &str) -> Result<(), String> {
    let said = |thrown: JsValue| words(&thrown);
    let storage = window().ok_or("there is no window")?.navigator().storage();
    let root = JsFuture::from(storage.get_directory()).await.map_err(said)?;
    let root: FileSystemDirectoryHandle = root.unchecked_into();
    let models = JsFuture::from(root.get_directory_handle(MODELS)).await.map_err(said)?;
    let models: FileSystemDirectoryHandle = models.unchecked_into();
    let handle = models.get_file_handle(&gguf_name(sha256));
    let handle: FileSystemFileHandle = JsFuture::from(handle).await.map_err(said)?.unchecked_into();
    let file = JsFuture::from(handle.get_file()).await.map_err(said)?;
    download_blob(name, &file.unchecked_into())
}

/// Offers a blob as a file.
///
/// # Errors
/// In words, where the browser refuses.
pub fn download_blob(name: &str, blob: &Blob) -> Result<(), String> {
    let url = Url::create_object_url_with_blob(blob).map_err(|error| words(&error))?;
    let link: HtmlAnchorElement = document()
        .ok_or("no document")?
        .create_element("a")
        .map_err(|error| words(&error))?
        .unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // Revoked later: some browsers start the download only after this turn of the event loop.
    after(10_000, move || drop(Url::revoke_object_url(&url)));
    Ok(())
}

/// Sets attributes of the root element, and the document's title.
pub fn set_root(attribute: &str, value: &str) {
    if let Some(root) = document().and_then(|document| document.document_element()) {
        // Refused only for a malformed attribute name; ours are constants.
        let _ = root.set_attribute(attribute, value);
    }
}

/// Sets the document's title.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// Distance of the first match of a selector from the top of what is seen, in pixels; `None` where
/// there is no match.
pub fn top_of(selector: &str) -> Option<f64> {
    let element = document()?.query_selector(selector).ok()??;
    Some(element.get_bounding_client_rect().top())
}

/// Opens the `<details>` that an element lies in, scrolls to it and gives it the focus.
pub fn go_into(selector: &str) {
    let found = document().and_then(|document| document.query_selector(selector).ok()?);
    let Some(element) = found.and_then(|it| it.dyn_into::<HtmlElement>().ok()) else { return };
    if let Ok(Some(details)) = element.closest("details") {
        // Refused only for a malformed attribute name.
        let _ = details.set_attribute("open", "");
    }
    // An element that cannot have the focus is left alone.
    let _ = element.focus();
}

/// Gives the focus to the first match of a selector once this turn's changes are drawn, where what
/// had it is gone: otherwise who uses the keyboard would begin again at the top of the page.
pub fn keep_focus(selector: &'static str) {
    after(0, move || {
        let Some(document) = document() else { return };
        let is_lost = document.active_element().is_none_or(|it| it.tag_name() == "BODY");
        let target = document.query_selector(selector).ok().flatten().filter(|_| is_lost);
        if let Some(element) = target.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
            // An element that cannot have the focus is left alone.
            let _ = element.focus();
        }
    });
}

/// Scrolls to the first match of a selector.
pub fn reveal(selector: &str) {
    if let Some(element) = document().and_then(|document| document.query_selector(selector).ok()?) {
        element.scroll_into_view();
    }
}
