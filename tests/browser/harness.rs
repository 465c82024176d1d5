//! The harness itself, on pages made up here: a test that cannot fail proves nothing.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::browser::{Browser, Options};
use crate::check::{Check, Failure, ensure};
use crate::journal::Level;
use crate::journey::chromium;
use crate::page::{Page, output_folder};
use crate::server::{Cut, Site, Tally};

const PAGE: &str = "<!doctype html><title>made up</title>
<meta name=viewport content='width=device-width'>
<input id=field><button id=button>press</button><textarea id=area></textarea>
<input id=file type=file><div id=zone style='width:200px;height:80px'>drop</div>
<a id=link href=data.csv download>csv</a>
<script src=page.js></script>";

const SCRIPT: &str = "
document.getElementById('button').onclick = (e) => { document.title = `trusted ${e.isTrusted}`; };
const zone = document.getElementById('zone');
zone.ondragover = (e) => e.preventDefault();
zone.ondrop = async (e) => { e.preventDefault(); zone.textContent = await e.dataTransfer.files[0].text(); };
document.getElementById('area').addEventListener('paste', () => { document.title = 'pasted'; });
window.drag = { steps: 0 };
document.addEventListener('mousemove', (e) => { window.drag.steps += e.buttons; });
document.addEventListener('mouseup', (e) => { window.drag.end = [e.clientX, e.clientY]; });
document.addEventListener('mousedown', () => { window.drag = { steps: 0 }; });
const worker = new Worker('worker.js');
worker.onmessage = (e) => { window.answer = e.data; };
";

const WORKER: &str = "console.warn('worker speaks');
self.answer = 42;
fetch('data.csv').then((r) => r.text()).then((text) => postMessage(text));";

/// A browser and a made-up site; nothing where there is no Chromium.
fn stage(name: &str, language: &'static str) -> Check<Option<(Browser, Site, PathBuf)>> {
    let Some(binary) = chromium()? else { return Ok(None) };
    let folder = output_folder().join("made-up").join(name);
    fs::create_dir_all(folder.join("models"))?;
    fs::write(folder.join("index.html"), PAGE)?;
    fs::write(folder.join("page.js"), SCRIPT)?;
    fs::write(folder.join("worker.js"), WORKER)?;
    fs::write(folder.join("data.csv"), "a,b\n")?;
    fs::write(folder.join("models/m-q8_0.gguf"), vec![7_u8; 200_000])?;
    let site = Site::serve(&folder, "/")?;
    let options = Options { language, ..Options::default() };
    Ok(Some((Browser::launch(&binary, &options)?, site, folder)))
}

#[test]
fn sees_the_page_and_its_worker() -> Check {
    let Some((browser, site, folder)) = stage("sees", "zh-CN")? else { return Ok(()) };
    let page = browser.blank()?;
    page.viewport(390, 844)?;
    page.prefer(true, true)?;
    page.go(&site.url("/"))?;
    page.wait_for("window.answer === 'a,b\\n'", 10, "the worker's answer")?;
    ensure(
        page.evaluate("[innerWidth, navigator.language]")? == json!([390, "zh-CN"]),
        "width, language",
    )?;
    let media = "['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)'].every((it) => matchMedia(it).matches)";
    ensure(page.evaluate(media)? == json!(true), "emulated preferences")?;
    let worker = page.worker(5)?;
    ensure(worker.evaluate("Promise.resolve(self.answer)")? == json!(42), "the worker's state")?;
    ensure(worker.alive() && worker.url.ends_with("worker.js"), "the worker's name")?;
    let line = page.console().into_iter().find(|line| line.text == "worker speaks");
    ensure(line.is_some_and(|it| it.from_worker && it.level == Level::Warning), "its console")?;
    let request = page.requests().into_iter().find(|request| request.url.ends_with("data.csv"));
    ensure(request.is_some_and(|it| it.from_worker && it.status == Some(200)), "its request")?;
    let picture = folder.join("picture.png");
    page.screenshot_full(&picture)?;
    ensure(fs::read(&picture)?.starts_with(b"\x89PNG"), "the screenshot")?;
    page.reload()?;
    page.wait_for("window.answer", 10, "the answer after a reload")?;
    ensure(page.workers().len() == 1, "the first page's worker ended with it")
}

#[test]
fn tells_noise_from_quiet() -> Check {
    let Some((browser, site, _)) = stage("noise", "en-US")? else { return Ok(()) };
    let page = browser.open(&site.url("/"))?;
    page.wait_for("window.answer", 10, "the worker's answer")?;
    let complaint = |page: &Page| match page.expect_quiet(&site.origin()) {
        Ok(()) => Err(Failure::new("noise went unnoticed")),
        Err(failure) => Ok(failure.to_string()),
    };
    ensure(complaint(&page)?.contains("worker speaks"), "a warning in the worker")?;
    page.forget_console();
    page.expect_quiet(&site.origin())?;
    page.evaluate("void setTimeout(() => { throw new Error('lost') })")?;
    page.pause(std::time::Duration::from_millis(200))?;
    ensure(complaint(&page)?.contains("Error: lost"), "an uncaught exception")?;
    page.forget_console();
    page.evaluate("fetch('https://example.org/x').catch(() => 0)")?;
    ensure(complaint(&page)?.contains("https://example.org/x"), "a request to another host")?;
    match page.wait_for("document.title === 'never'", 1, "a title that never comes") {
        Ok(_) => Err(Failure::new("a false predicate passed")),
        Err(failure) => ensure(failure.to_string().contains(".png"), "no screenshot is named"),
    }
}

#[test]
fn acts_as_a_visitor_does() -> Check {
    let Some((browser, site, folder)) = stage("acts", "en-US")? else { return Ok(()) };
    browser.allow_clipboard(&site.origin())?;
    let page = browser.open(&site.url("/"))?;
    page.hover("#button")?;
    ensure(page.count("#button:hover")? == 1, "the mouse over the button")?;
    page.move_to(1.0, 1.0)?;
    ensure(page.count("#button:hover")? == 0, "the mouse away from the button")?;
    page.click("#button")?;
    ensure(page.evaluate("document.title")? == "trusted true", "a real click")?;
    page.click("#field")?;
    page.type_text("Ab 1, 猫!")?;
    ensure(page.value("#field")? == "Ab 1, 猫!", "typed text")?;
    page.press("Control+a")?;
    page.press("Backspace")?;
    ensure(page.value("#field")?.is_empty(), "select all and delete")?;
    page.press("Tab")?;
    ensure(page.evaluate("document.activeElement.id")? == "button", "the Tab key")?;
    page.fill("#area", "one\ntwo")?;
    page.paste("three")?;
    page.wait_for("document.title === 'pasted'", 5, "the paste event")?;
    ensure(page.value("#area")? == "one\ntwothree", "pasted text")?;
    ensure(page.clipboard()? == "three", "the clipboard")?;
    page.drag((30.0, 20.0), (60.0, 40.0))?;
    let drag = page.evaluate("window.drag")?;
    ensure(drag == json!({ "steps": 10, "end": [60, 40] }), format!("the drag: {drag}"))?;
    let csv = folder.join("data.csv");
    page.set_files("#file", &[&csv])?;
    page.choose_files(&[&csv], || page.click("#file"))?;
    ensure(page.evaluate("document.getElementById('file').files[0].name")? == "data.csv", "file")?;
    page.wait_for_element("#zone", 5)?;
    page.drop_files("#zone", &[&csv])?;
    page.wait_for_text("#zone", "a,b", 5)?;
    ensure(page.text("#zone")? == "a,b", "the dropped file's text")?;
    let (name, bytes) = browser.download(10, || page.click("#link"))?;
    ensure(name == "data.csv" && bytes == b"a,b\n", "the download")
}

#[test]
fn host_lies_on_command() -> Check {
    let Some((browser, site, _)) = stage("lies", "en-US")? else { return Ok(()) };
    let page = browser.open(&site.url("/"))?;
    let fetch = "fetch('models/m-q8_0.gguf', { cache: 'no-store' }).then(async (r) => \
                 [r.status, new Uint8Array(await r.arrayBuffer())]).then(([s, b]) => \
                 [s, b.length, b[9]], () => 'broken')";
    let part = "fetch('models/m-q8_0.gguf', { cache: 'no-store', headers: { Range: 'bytes=199990-' } })\
                .then(async (r) => [r.status, (await r.arrayBuffer()).byteLength])";
    ensure(page.evaluate(fetch)? == json!([200, 200_000, 7]), "whole")?;
    ensure(page.evaluate(part)? == json!([206, 10]), "a part")?;
    ensure(site.tally("models/m-q8_0.gguf").bytes == 200_010, "counted bytes")?;
    ensure(site.tally_models().ranges == 1, "counted ranges")?;
    site.forget();
    ensure(site.tally_models() == Tally::default(), "forgotten counts")?;
    site.faults(|it| it.flip_models_at = Some(9));
    ensure(page.evaluate(fetch)? == json!([200, 200_000, 6]), "a flipped bit")?;
    site.heal();
    site.faults(|it| it.cut_models = Some(Cut { after_bytes: 50_000, times: 1 }));
    ensure(page.evaluate(fetch)? == "broken", "a cut line")?;
    ensure(page.evaluate(fetch)? == json!([200, 200_000, 7]), "cut once only")?;
    let path = || "models/m-q8_0.gguf".to_owned();
    site.faults(|it| it.content = [(path(), b"not a model".to_vec())].into());
    ensure(page.evaluate(fetch)? == json!([200, 11, 101]), "other content")?;
    site.faults(|it| it.status = [(path(), 500)].into());
    ensure(
        page.evaluate("fetch('models/m-q8_0.gguf').then((r) => r.status)")? == json!(500),
        "a status",
    )?;
    site.heal();
    site.faults(|it| it.models_bytes_per_s = Some(400_000));
    let took_ms = "(async () => { const t = performance.now(); await (await fetch('models/m-q8_0.gguf', \
                   { cache: 'no-store' })).arrayBuffer(); return performance.now() - t; })()";
    ensure(
        page.evaluate_within(60, took_ms)?.as_f64().is_some_and(|ms| ms > 400.0),
        "the throttle",
    )?;
    page.offline(true)?;
    ensure(page.evaluate(fetch)? == "broken", "offline")?;
    ensure(page.worker(5)?.evaluate(fetch)? == "broken", "the worker is offline too")?;
    page.offline(false)?;
    site.heal();
    ensure(page.evaluate(fetch)? == json!([200, 200_000, 7]), "online again")?;
    ensure(page.worker(5)?.evaluate(fetch)? == json!([200, 200_000, 7]), "the worker too")?;
    site.faults(|it| it.down = true);
    ensure(page.evaluate(fetch)? == "broken", "the host is gone")
}
