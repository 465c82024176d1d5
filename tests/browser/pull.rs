//! Models from a hub and from disk: pulled, kept, compared with, exported, deleted; stopped, refused, resumed.
//! The hub is a stand-in on another address of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::browser::Browser;
use crate::check::{Check, ensure};
use crate::compare::{number, number_that, press_button};
use crate::hub::shapes::Shape;
use crate::hub::{Faults, Hub};
use crate::journey::journey;
use crate::page::Page;
use crate::server::Site;

const LOAD_S: u64 = 60;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders").join(name)
}

fn site_model() -> PathBuf {
    let model = "assets/models/all-MiniLM-L6-v2-q8_0.gguf";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(model)
}

/// A hub with that fixture.
fn hub_with(name: &str) -> Check<Hub> {
    let hub = Hub::start()?;
    for entry in fs::read_dir(fixture(name))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && file != "golden.json" {
            hub.put(&format!("somebody/{name}"), &file, fs::read(&path)?);
        }
    }
    Ok(hub)
}

/// The Models view, with the page's own model ready, and the hub's address typed in.
fn models(browser: &Browser, site: &Site, hub: &Hub) -> Check<Page> {
    let page = browser.open(&site.url("/"))?;
    number(&page, LOAD_S)?;
    page.evaluate("location.hash = '#/models'")?;
    page.wait_for_element(".wishes summary", 10)?;
    page.click(".wishes summary")?;
    page.fill("#hub", &hub.url())?;
    Ok(page)
}

fn get(page: &Page, repository: &str) -> Check {
    page.fill("#repository", repository)?;
    page.click(".get-model .primary")
}

/// Names of the files in the browser's folder of models.
const KEPT: &str = "(async () => { const root = await navigator.storage.getDirectory(); \
    const folder = await root.getDirectoryHandle('models'); const names = []; \
    for await (const name of folder.keys()) names.push(name); return names.sort().join(' '); })()";

fn kept(page: &Page) -> Check<Vec<String>> {
    let names = page.evaluate(KEPT)?;
    let names = names.as_str().unwrap_or_default();
    Ok(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[test]
fn a_model_is_pulled_kept_used_offline_exported_and_deleted() -> Check {
    journey(|browser, site| {
        let name = "sup-simcse-bert";
        let hub = hub_with(name)?;
        let page = models(browser, site, &hub)?;
        get(&page, &format!("{}/somebody/{name}", hub.url()))?;
        page.wait_for_text(".card.model h2", name, LOAD_S)?;
        page.wait_for_text(".card.model dl", "cc0-1.0", 5)?;
        page.wait_for_text(".kept.on", name, 10)?;
        page.wait_for_text(".kept.on", "somebody/sup-simcse-bert@0123", 5)?;
        page.wait_for_text(".kept-models .usage", "MB of the browser", 5)?;
        page.evaluate("location.hash = '#/compare'")?;
        let first = number(&page, 20)?;

        let asked = hub.sent().1;
        page.reload()?;
        ensure(number(&page, LOAD_S)? == first, "another cosine after the reload")?;
        page.offline(true)?;
        page.fill(".sentence:nth-of-type(1) textarea", "The lantern hangs over the river.")?;
        page.wait_for_text("#status", name, 10)?;
        number(&page, 20)?;
        page.offline(false)?;
        ensure(hub.sent().1 == asked, "it was fetched again")?;

        page.evaluate("location.hash = '#/models'")?;
        page.wait_for_element(".kept.on button", 10)?;
        let (file, bytes) = browser.download(20, || press_button(&page, "Save as .gguf"))?;
        ensure(file == format!("{name}-q8_0.gguf"), format!("the file is called {file}"))?;
        ensure(bytes.starts_with(b"GGUF"), "it is no GGUF file")?;
        let delete = "[...document.querySelectorAll('.kept.on button')] \
            .find((it) => it.textContent === 'Remove').click()";
        page.evaluate(delete)?;
        page.wait_for_text(".kept.on", "can be fetched again", 5)?;
        press_button(&page, "Remove the model")?;
        page.wait_for("document.querySelectorAll('.kept').length === 1", 10, "one model left")?;
        page.reload()?;
        page.wait_for_text(".notices", "no longer kept", LOAD_S)?;
        page.wait_for_text(".card.model h2", "all-MiniLM-L6-v2", LOAD_S)?;
        // The page's own model and its adapter.
        page.wait_for(&format!("{KEPT}.then((it) => it.split(' ').length === 2)"), 10, "two files")
            .map(drop)
    })
}

#[test]
fn files_are_taken_by_their_addresses_and_two_models_are_compared() -> Check {
    journey(|browser, site| {
        let name = "sup-simcse-bert";
        let hub = hub_with(name)?;
        let own = fs::read(site_model())?;
        hub.put("somebody/ready", "ready-q8_0.gguf", own);
        let page = models(browser, site, &hub)?;
        get(&page, &format!("{}/somebody/{name}/resolve/main/pytorch_model.bin", hub.url()))?;
        page.wait_for_text(".card.model h2", name, LOAD_S)?;
        page.evaluate("location.hash = '#/compare'")?;
        let theirs = number(&page, 20)?;
        page.evaluate("location.hash = '#/models'")?;
        get(&page, &format!("{}/somebody/ready/resolve/main/ready-q8_0.gguf", hub.url()))?;
        page.wait_for_text(".card.model h2", "MiniLM", LOAD_S)?;
        page.evaluate("location.hash = '#/compare'")?;
        let ours = number_that(&page, &format!("value !== {theirs}"), 20, "our number")?;

        page.evaluate("location.hash = '#/models'")?;
        page.wait_for_element(".kept .beside", 10)?;
        press_button(&page, "Compare with it")?;
        page.wait_for_text(".kept.beside", "Beside the model in use", 20)?;
        page.wait_for_text(".sides .after", name, 5)?;
        page.evaluate("location.hash = '#/compare'")?;
        number_that(&page, &format!("value === {theirs}"), 20, "the other one's number")?;
        page.wait_for_text(".both", &format!("{theirs:.2}"), 10)?;
        page.click(".sides .before")?;
        number_that(&page, &format!("value === {ours}"), 20, "ours")?;
        page.click(".sides .after")?;

        page.reload()?;
        page.wait_for_text(".sides .after", name, LOAD_S)?;
        number_that(&page, &format!("value === {theirs}"), 20, "the same after a reload")?;
        page.evaluate("location.hash = '#/models'")?;
        page.wait_for_element(".kept.beside .beside", 10)?;
        press_button(&page, "Stop comparing")?;
        page.wait_for("!document.querySelector('.sides')", 10, "one model only").map(drop)
    })
}

#[test]
fn what_a_hub_refuses_and_what_is_not_a_model_is_said_and_nothing_is_kept() -> Check {
    journey(|browser, site| {
        let name = "sup-simcse-bert";
        let hub = hub_with(name)?;
        let page = models(browser, site, &hub)?;
        let before = kept(&page)?;
        let refused = |repository: &str, words: &str| -> Check {
            get(&page, repository)?;
            page.wait_for_text(".notices", words, LOAD_S)?;
            page.wait_for_text(".card.model h2", "all-MiniLM-L6-v2", 5)?;
            ensure(kept(&page)? == before, format!("{repository}: something was kept"))?;
            page.evaluate("document.querySelectorAll('.notice button').forEach((it) => it.click())")
                .map(drop)
        };
        refused("this is no name", "names no model")?;
        refused("nobody/nothing", "is not there")?;
        hub.faults(Faults { status: Some((403, 1, 0)), ..Faults::default() });
        refused(&format!("somebody/{name}"), "terms have to be agreed")?;
        // Once busy: it is waited for.
        hub.faults(Faults { status: Some((429, 1, 1)), ..Faults::default() });
        hub.put(
            "somebody/huge",
            "config.json",
            Shape::BertBase
                .config_json()
                .replace("\"num_hidden_layers\":12", "\"num_hidden_layers\":120")
                .replace("\"hidden_size\":768", "\"hidden_size\":7680")
                .into_bytes(),
        );
        hub.put("somebody/huge", "vocab.txt", Shape::BertBase.vocabulary_txt().into_bytes());
        hub.put("somebody/huge", "model.safetensors", b"nothing yet".to_vec());
        refused("somebody/huge", "can be had here")?;
        let mut weights = fs::read(fixture(name).join("pytorch_model.bin"))?;
        let from = b"collections\nOrderedDict\n";
        let at = weights.windows(from.len()).position(|it| it == from).unwrap_or_default();
        weights[at..at + from.len()]
            .copy_from_slice(b"posix\nsystem\nOrderedDict\n\n".get(..from.len()).unwrap_or(from));
        hub.put(&format!("somebody/{name}"), "pytorch_model.bin", weights.clone());
        refused(&format!("somebody/{name}"), "wants to run posix.system")?;
        weights.truncate(weights.len() / 2);
        hub.put(&format!("somebody/{name}"), "pytorch_model.bin", weights);
        refused(&format!("somebody/{name}"), "cut off")
    })
}

#[test]
fn a_checkpoint_is_dropped_as_files_and_kept() -> Check {
    journey(|browser, site| {
        let hub = Hub::start()?;
        let page = models(browser, site, &hub)?;
        let folder = fixture("unsup-simcse-roberta");
        let names = ["config.json", "vocab.json", "merges.txt", "pytorch_model.bin"];
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        page.drop_files(".models .lead", &paths)?;
        page.wait_for(
            "document.querySelectorAll('.kept').length === 2",
            LOAD_S,
            "two kept models",
        )?;
        page.wait_for(
            "document.querySelectorAll('.kept').length === 2",
            LOAD_S,
            "two kept models",
        )?;
        page.wait_for_text(".card.model", "2 layers", 10)?;
        page.evaluate("location.hash = '#/compare'")?;
        number(&page, 20)?;
        // Without its tokeniser it is no checkpoint; the model in use stays.
        page.evaluate("location.hash = '#/models'")?;
        page.wait_for_element(".get-model", 10)?;
        page.drop_files(
            ".models .lead",
            &[&folder.join("config.json"), &folder.join("pytorch_model.bin")],
        )?;
        page.wait_for_text(".notices", "tokeniser", LOAD_S)?;
        page.wait_for_text(".card.model", "2 layers", 5)?;
        page.expect_quiet(&site.origin())
    })
}

/// Memory of the largest renderer, in bytes, now.
fn renderer_bytes() -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let peaks = processes.filter_map(|process| {
        let path = process.path();
        let command = fs::read(path.join("cmdline")).ok()?;
        let is_renderer = String::from_utf8_lossy(&command).contains("--type=renderer");
        let said = fs::read_to_string(path.join("status")).ok().filter(|_| is_renderer)?;
        let line = said.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    peaks.max().unwrap_or(0) * 1024
}

fn number_is_there(page: &Page) -> Check {
    page.wait_for_element(".kept.on", LOAD_S)?;
    page.wait_for_text("#status", "all-MiniLM-L6-v2", LOAD_S).map(drop)
}

/// BERT-base: 440 MB come and are 116 MB at once.
#[test]
fn bert_base_is_stopped_reloaded_resumed_and_used() -> Check {
    journey(|browser, site| {
        let hub = Hub::start()?;
        let shape = Shape::BertBase;
        hub.put("somebody/bert-base", "config.json", shape.config_json().into_bytes());
        hub.put("somebody/bert-base", "vocab.txt", shape.vocabulary_txt().into_bytes());
        hub.put("somebody/bert-base", "model.safetensors", shape.safetensors());
        let page = models(browser, site, &hub)?;
        hub.faults(Faults { bytes_per_s: Some(60_000_000), ..Faults::default() });
        get(&page, "somebody/bert-base")?;
        page.wait_for_text(".loading", "MB/s", 60)?;
        while hub.sent().0 < 200_000_000 {
            page.pause(Duration::from_millis(50))?;
        }
        press_button(&page, "Stop")?;
        page.wait_for("!document.querySelector('.loading progress')", 10, "an end of the bar")?;
        page.reload()?;
        number_is_there(&page)?;
        hub.faults(Faults::default());
        let stopped = hub.sent().0;
        let before = renderer_bytes();
        page.click(".get-model .primary")?;
        // While it is pulled and quantised; what opens it afterwards is another matter.
        let mut peak = before;
        while page.count(".kept.on")? == 0 || !page.text(".card.model h2")?.contains("bert-base") {
            if page.text("body")?.contains("Fetching and quantising") {
                peak = peak.max(renderer_bytes());
            }
        }
        let again = hub.sent().0 - stopped;
        ensure(again < 300_000_000, format!("{again} bytes came again: it was not resumed"))?;
        let taken = peak - before;
        println!("bert-base: {taken} bytes more while it was pulled, {before} before");
        ensure(taken > 60_000_000, "nothing was measured")?;
        ensure(taken <= 118_300_000 + 150_000_000, format!("pulling took {taken} bytes"))?;
        page.wait_for_text(".card.model dl", "q8_0", 5)?;
        page.evaluate("location.hash = '#/compare'")?;
        number(&page, LOAD_S).map(drop)
    })
}
