//! Adapters, as a visitor uses them: import, switch, peek, strength, reload, export, delete.

use std::fs;
use std::path::PathBuf;

use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::adapter::{Change, Changes};
use simcse_lab::weights::adapter_file::{AdapterMeta, write};
use simcse_lab::weights::bert::sha256;

use crate::browser::Browser;
use crate::check::{Check, ensure};
use crate::compare::{number, number_that, press_button};
use crate::journey::journey;
use crate::page::{Page, output_file};
use crate::server::Site;

const LOAD_S: u64 = 60;
const HIDDEN: usize = 384;

/// An adapter that pushes every sentence's vector the same way, so that all cosines rise.
fn adapter(name: &str, base_sha256: &str) -> Check<Vec<u8>> {
    let difference = (0..HIDDEN).map(|i| if i < 48 { 0.5 } else { 0.0 }).collect();
    let change = Change::Difference { rows: 1, columns: HIDDEN, difference };
    let changes = Changes::from([("blk.5.layer_output_norm.bias".to_owned(), change)]);
    let meta = AdapterMeta {
        name: name.to_owned(),
        base_name: "some base".to_owned(),
        base_sha256: base_sha256.to_owned(),
        recipe: "steps = 25\n".to_owned(),
        seed: 4711,
        pooling: Some(Pooling::Mean),
        metrics: vec![("uniformity".to_owned(), "-0.5".to_owned())],
        ..AdapterMeta::default()
    };
    Ok(write(&changes, &meta)?)
}

fn own_adapter() -> Check<Vec<u8>> {
    let model = "assets/models/all-MiniLM-L6-v2-q8_0.gguf";
    let bytes = fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(model))?;
    adapter("pushed", &sha256(&bytes))
}

fn view(page: &Page, name: &str) -> Check {
    page.evaluate(&format!("location.hash = '#/{name}'")).map(drop)
}

fn import(page: &Page, name: &str, bytes: &[u8]) -> Check {
    let path = output_file(name, bytes)?;
    view(page, "models")?;
    page.wait_for_element(".shelf input[type=file]", 5)?;
    page.set_files(".shelf input[type=file]", &[&path])
}

/// The number on show once it satisfies `holds`.
fn score(page: &Page, holds: &str, what: &str) -> Check<f64> {
    view(page, "compare")?;
    number_that(page, holds, 20, what)
}

fn press_side(page: &Page, side: &str) -> Check {
    page.click(&format!(".sides .{side}"))
}

fn slide(page: &Page, percent: u32) -> Check {
    view(page, "models")?;
    page.wait_for_element(".blend input", 10)?;
    page.evaluate(&format!(
        "(() => {{ const it = document.querySelector('.blend input'); it.value = '{percent}'; \
         it.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    ))
    .map(drop)
}

/// Takes the site's own adapter off; the score without any.
fn bare(page: &Page) -> Check<f64> {
    view(page, "models")?;
    page.wait_for_text(".shelf .adapter.on", "SimCSE Lab", LOAD_S)?;
    press_button(page, "Take off")?;
    page.wait_for("!document.querySelector('.sides')", 10, "one side only")?;
    view(page, "compare")?;
    number(page, LOAD_S)
}

/// Presses a button on the card of an adapter that is kept in the browser.
fn press_on_card(page: &Page, adapter: &str, button: &str) -> Check {
    let card = format!(
        "[...document.querySelectorAll('.shelf .adapter')].find((it) => it.textContent.includes('{adapter}'))"
    );
    let found = format!(
        "[...({card}?.querySelectorAll('button') ?? [])].find((it) => it.textContent === '{button}')"
    );
    page.wait_for(&format!("!!({found})"), 10, &format!("{button} on the card of {adapter}"))?;
    page.evaluate(&format!("({found}).click()")).map(drop)
}

#[test]
fn the_sites_own_adapter_is_on_the_model_from_the_start() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        page.wait_for_element(".sides .after[aria-pressed=true]", LOAD_S)?;
        page.wait_for_text(".both", "Before", LOAD_S)?;
        let after = number(&page, LOAD_S)?;
        press_side(&page, "before")?;
        let before = score(&page, &format!("value !== {after}"), "the score before")?;
        ensure(bare(&page)? == before, "before is not the model without its adapter")?;
        page.expect_quiet(&site.origin())
    })
}

/// A page with the adapter on its model; the score before it.
fn with_adapter(browser: &Browser, site: &Site) -> Check<(Page, f64)> {
    let page = browser.open(&site.url("/"))?;
    let before = bare(&page)?;
    import(&page, "pushed.gguf", &own_adapter()?)?;
    page.wait_for_element(".sides", 20)?;
    page.wait_for_text(".shelf .adapter.on", "pushed", 10)?;
    Ok((page, before))
}

#[test]
fn an_imported_adapter_gives_every_view_two_sides() -> Check {
    journey(|browser, site| {
        let (page, before) = with_adapter(browser, site)?;
        let card = page.text(".shelf .adapter.on")?;
        for part in ["uniformity", "-0.5", "some base"] {
            ensure(card.contains(part), format!("{part} is not in {card}"))?;
        }
        let higher = format!("value > {before} + 0.03");
        let after = score(&page, &higher, "the score after")?;
        page.wait_for_text(".both", &format!("Before {before:.2}, after {after:.2}"), 10)?;
        press_side(&page, "before")?;
        score(&page, &format!("value === {before}"), "the score before")?;
        ensure(page.count(".number.before")? == 1, "the number is not amber")?;

        let key = |name: &str| {
            page.evaluate(&format!("dispatchEvent(new KeyboardEvent('{name}', {{ key: 'b' }}))"))
        };
        key("keydown")?;
        score(&page, &higher, "a peek at the side after")?;
        key("keyup")?;
        score(&page, &format!("value === {before}"), "the end of the peek")?;
        page.fill(".sentence:nth-of-type(1) textarea", "")?;
        page.type_text("bb")?;
        page.evaluate("document.activeElement.blur()")?;
        ensure(page.count(".sides .before[aria-pressed=true]")? == 1, "typing a b switched")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn its_strength_is_live_and_survives_a_reload() -> Check {
    journey(|browser, site| {
        let (page, before) = with_adapter(browser, site)?;
        let whole = score(&page, &format!("value > {before} + 0.03"), "the score after")?;
        slide(&page, 0)?;
        score(&page, &format!("value === {before}"), "no adapter at strength 0")?;
        slide(&page, 50)?;
        let half = score(&page, &format!("value > {before} && value < {whole}"), "half of it")?;
        page.reload()?;
        page.wait_for_element(".sides", LOAD_S)?;
        score(&page, &format!("value === {half}"), "the same score after a reload")?;
        view(&page, "models")?;
        page.wait_for_text(".blend", "50 %", 10)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn taken_off_it_stays_off_and_deleted_it_is_gone() -> Check {
    journey(|browser, site| {
        let (page, before) = with_adapter(browser, site)?;
        let (name, bytes) = browser.download(10, || press_button(&page, "Export file"))?;
        ensure(name == "pushed.gguf" && bytes == own_adapter()?, "the exported file")?;
        press_button(&page, "Take off")?;
        page.wait_for("!document.querySelector('.sides')", 10, "one side only")?;
        score(&page, &format!("value === {before}"), "the score before")?;
        page.reload()?;
        number(&page, LOAD_S)?;
        view(&page, "models")?;
        page.wait_for_text(".shelf", "pushed", 10)?;
        ensure(page.count(".sides")? == 0, "it came back by itself")?;
        press_on_card(&page, "pushed", "Put on the model")?;
        page.wait_for_element(".sides", 20)?;
        press_button(&page, "Delete")?;
        press_button(&page, "Keep it")?;
        press_button(&page, "Delete")?;
        press_button(&page, "Delete it")?;
        page.wait_for_text(".shelf", "None kept yet", 10)?;
        page.wait_for("!document.querySelector('.sides')", 10, "one side only")?;
        page.reload()?;
        view(&page, "compare")?;
        ensure(number(&page, LOAD_S)? == before, "the adapter came back")?;
        view(&page, "models")?;
        page.wait_for_text(".shelf", "None kept yet", 10)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_dead_worker_gets_its_adapter_back() -> Check {
    journey(|browser, site| {
        let (page, before) = with_adapter(browser, site)?;
        let after = score(&page, &format!("value > {before} + 0.03"), "the score after")?;
        let worker = page.worker(10)?;
        // The evaluation's own answer may be lost with the worker.
        let _ = worker.evaluate("setTimeout(() => { throw new Error('made up by the test') })");
        page.wait_for_text(".notices", "crashed and was restarted", 20)?;
        page.wait_for_element(".sides", LOAD_S)?;
        score(&page, &format!("value === {after}"), "the same score").map(drop)
    })
}

#[test]
fn files_that_cannot_be_used_are_refused_in_words() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        let before = bare(&page)?;
        import(&page, "foreign.gguf", &adapter("foreign", &"ab".repeat(32))?)?;
        page.wait_for_text(".notices", "another model: some base", 20)?;
        page.wait_for_text(".shelf", "abababababab", 10)?;
        ensure(page.count(".sides")? == 0, "it is on a model that it does not belong to")?;
        let good = own_adapter()?;
        import(&page, "cut.gguf", &good[..good.len() / 2])?;
        page.wait_for_text(".notices", "ends too early", 20)?;
        score(&page, &format!("value === {before}"), "the model as it was")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn where_storage_is_refused_it_works_for_the_visit() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        page.limit_storage(&site.origin(), 1_000)?;
        page.go(&site.url("/"))?;
        let before = bare(&page)?;
        import(&page, "pushed.gguf", &own_adapter()?)?;
        page.wait_for_element(".sides", 20)?;
        page.wait_for_text(".shelf", "refused to store adapters", 10)?;
        score(&page, &format!("value > {before} + 0.03"), "the score after").map(drop)
    })
}
