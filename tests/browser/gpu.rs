//! The GPU in the page: examined, used, lost, wrong, missing. Chromium's own software GPU plays it; where
//! Chromium offers none, these tests say so.

use std::time::Duration;

use crate::browser::{Browser, Options};
use crate::check::{Check, ensure};
use crate::compare::number;
use crate::journal::Level;
use crate::journey::{Setup, begin_program, journey_with};
use crate::page::Page;
use crate::server::Site;

/// Some lines, few, for a GPU that the processor plays.
const LINES: &str = "['The sea was calm at dawn.', 'A calm sea lay before us in the morning.', \
    'He repairs old radios.', 'Her uncle mends broken wireless sets.', 'Bread needs time.', \
    'The train was late again.', 'Nobody expected the train to be on time.', 'Snow fell.']";

const MATRIX: &str = ".results .heat svg";

/// Kernels that the page uses where layers are multiplied out in `f32`: the norm after an addition,
/// attention, the average, embedding, the linear layer, pooling, the nearest rows, the unit length.
const USED: usize = 8;

/// What the status says of the GPU.
const STATUS: &str =
    "[...document.querySelectorAll('#status .fact')].map((it) => it.textContent).join('|')";

fn setup() -> Setup {
    let browser = Options { webgpu: true, ..Options::default() };
    Setup { browser, ..Setup::default() }
}

/// A page in whose GPU program this script runs first; `None` where Chromium offers no GPU.
fn opened(browser: &Browser, site: &Site, first: &str) -> Check<Option<Page>> {
    let page = browser.open(&site.url("/"))?;
    let there = "(async () => !!(await navigator.gpu?.requestAdapter()))()";
    if page.evaluate(there)? != true {
        println!("skipped: no adapter");
        return Ok(None);
    }
    begin_program(&page, site, "gpu", first)?;
    // The first visit keeps the model before it ends.
    number(&page, 60)?;
    page.reload()?;
    number(&page, 60)?;
    Ok(Some(page))
}

fn status_says(page: &Page, words: &str, limit_s: u64) -> Check {
    let condition = format!("({STATUS}).includes({words:?})");
    page.wait_for(&condition, limit_s, &format!("the status to say {words:?}")).map(drop)
}

fn prefer(page: &Page, place: u32) -> Check {
    page.evaluate(&format!(
        "(() => {{ const box = document.querySelector('.preferred select'); box.value = '{place}'; \
         box.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
    ))
    .map(drop)
}

/// The cosines of a list, once its matrix is there.
fn list(page: &Page) -> Check {
    page.evaluate(&format!(
        "(() => {{ const box = document.querySelector('#list'); box.value = ({LINES}).join('\\n'); \
         box.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    ))?;
    Ok(())
}

fn clear(page: &Page) -> Check {
    page.evaluate(
        "(() => { const box = document.querySelector('#list'); box.value = ''; \
         box.dispatchEvent(new Event('input', { bubbles: true })); })()",
    )?;
    page.wait_for(&format!("!document.querySelector('{MATRIX}')"), 10, "no matrix").map(drop)
}

fn cosines(page: &Page, limit_s: u64) -> Check<Vec<f64>> {
    page.wait_for_element(MATRIX, limit_s)?;
    let cells = page.evaluate(&format!(
        "[...document.querySelectorAll('{MATRIX} text')].map((it) => it.textContent.trim())"
    ))?;
    let cells = cells.as_array().cloned().unwrap_or_default();
    let texts = cells.iter().filter_map(|cell| cell.as_str()).filter(|text| text.contains('.'));
    Ok(texts.filter_map(|text| text.replace('−', "-").parse().ok()).collect())
}

fn same(found: &[f64], wanted: &[f64]) -> Check {
    ensure(found.len() == wanted.len() && !wanted.is_empty(), format!("{found:?} {wanted:?}"))?;
    // The page shows two decimals, and the processor rounds its states.
    let worst = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    ensure(worst <= 0.021, format!("{worst} apart: {found:?} {wanted:?}"))
}

#[test]
fn every_kernel_is_right_here_and_the_visitor_can_have_the_gpu_compute() -> Check {
    journey_with(&setup(), |browser, site| {
        let Some(page) = opened(browser, site, "")? else { return Ok(()) };
        status_says(&page, "kernels give what plain loops give", 120)?;
        let said = page.evaluate(STATUS)?;
        let said = said.as_str().unwrap_or_default();
        ensure(said.contains(&format!("{USED} of {USED} kernels")), said)?;
        // A GPU played by the processor is never the faster one.
        ensure(said.contains("The CPU computes everything: the GPU is correct"), said)?;
        list(&page)?;
        let by_cpu = cosines(&page, 60)?;
        prefer(&page, 2)?;
        status_says(&page, "The GPU computes lists and pairs: you chose it", 120)?;
        page.wait_for_text(".pill", "WebGPU", 5)?;
        clear(&page)?;
        list(&page)?;
        same(&cosines(&page, 120)?, &by_cpu)?;
        // The choice is kept.
        page.reload()?;
        number(&page, 60)?;
        status_says(&page, "you chose it", 120)?;
        page.expect_quiet(&site.origin())
    })
}

/// The device that the program gets, for the test to end it.
const KEEP_DEVICE: &str = "{ const request = GPUAdapter.prototype.requestDevice; \
    GPUAdapter.prototype.requestDevice = async function (...given) { \
    self.device = await request.apply(this, given); \
    const submit = GPUQueue.prototype.submit; self.submits = 0; \
    GPUQueue.prototype.submit = function (...given) { self.submits++; return submit.apply(this, given); }; \
    return self.device; }; }";

#[test]
fn a_gpu_lost_half_way_loses_nothing() -> Check {
    journey_with(&setup(), |browser, site| {
        let Some(page) = opened(browser, site, KEEP_DEVICE)? else { return Ok(()) };
        status_says(&page, "kernels give what plain loops give", 120)?;
        list(&page)?;
        let wanted = cosines(&page, 60)?;
        prefer(&page, 2)?;
        status_says(&page, "you chose it", 120)?;
        clear(&page)?;
        let gpu = page
            .helpers()
            .into_iter()
            .find(|worker| worker.evaluate("!!self.device").is_ok_and(|there| there == true));
        let gpu = gpu.ok_or_else(|| page.failure("no worker has a device"))?;
        let before = gpu.evaluate("self.submits")?.as_u64().unwrap_or(0);
        list(&page)?;
        let begun = format!("self.submits > {before}");
        for _ in 0..600 {
            if gpu.evaluate(&begun)? == true {
                break;
            }
            page.pause(Duration::from_millis(10))?;
        }
        ensure(gpu.evaluate(&begun)? == true, "the GPU got nothing to do")?;
        gpu.evaluate("self.device.destroy()")?;
        same(&cosines(&page, 120)?, &wanted)?;
        page.wait_for_text(".notice", "The GPU stopped", 10)?;
        // Another one is started, and in use again.
        status_says(&page, "you chose it", 120)?;
        let dead = page.console().into_iter().filter(|line| line.level >= Level::Error);
        let dead: Vec<String> = dead.map(|line| line.text).collect();
        ensure(dead.is_empty(), format!("the console says {dead:?}"))
    })
}

/// Kernels that compute something else.
const WRONG: &str = "{ const make = GPUDevice.prototype.createShaderModule; \
    GPUDevice.prototype.createShaderModule = function (given) { \
    const code = given.code.replace('sums / total', 'sums'); \
    return make.call(this, { ...given, code }); }; }";

#[test]
fn a_gpu_that_computes_wrongly_is_reported_and_not_used() -> Check {
    journey_with(&setup(), |browser, site| {
        let Some(page) = opened(browser, site, WRONG)? else { return Ok(()) };
        page.wait_for_text(".notice", "wrong vectors", 120)?;
        status_says(&page, "the GPU's vectors are wrong on this device", 5)?;
        status_says(&page, "Wrong: attention", 5)?;
        prefer(&page, 2)?;
        page.pause(Duration::from_millis(500))?;
        list(&page)?;
        ensure(!cosines(&page, 60)?.is_empty(), "no matrix from the CPU")?;
        ensure(page.text(".pill")?.contains("CPU"), page.text(".pill")?)
    })
}

/// One way to multiply is wrong, the others are not.
const WRONG_WAY: &str = "{ const make = GPUDevice.prototype.createShaderModule; \
    GPUDevice.prototype.createShaderModule = function (given) { \
    const code = given.code.replace('return dot4I8Packed(', 'return 7 + dot4I8Packed('); \
    return make.call(this, { ...given, code }); }; }";

/// From now on the page remembers that its GPU, named in the status, is fastest with whole numbers.
const REMEMBER: &str = "(() => { const fact = [...document.querySelectorAll('#status .fact')] \
    .find((it) => it.querySelector('dt').textContent === 'GPU'); \
    const device = fact.querySelector('dd').textContent; const keep = Storage.prototype.setItem; \
    Storage.prototype.setItem = function (key, value) { \
    const saved = { ...JSON.parse(value), tuned: { device, way: 'int8 4x4' } }; \
    keep.call(this, key, JSON.stringify(saved)); }; \
    localStorage.setItem('simcse-lab', localStorage.getItem('simcse-lab') ?? '{}'); })()";

#[test]
fn a_remembered_way_that_is_wrong_gives_way_to_the_safe_one() -> Check {
    journey_with(&setup(), |browser, site| {
        let Some(page) = opened(browser, site, WRONG_WAY)? else { return Ok(()) };
        status_says(&page, "kernels give what plain loops give", 120)?;
        page.evaluate(REMEMBER)?;
        page.reload()?;
        status_says(&page, "f32 4x4; int8 4x4 gave wrong vectors here", 120)?;
        status_says(&page, "The CPU computes everything: the GPU is correct", 5)?;
        page.expect_quiet(&site.origin())
    })
}

/// What a kernel's compiler, or a device without room, says.
const BROKEN: &str = "{ const make = GPUDevice.prototype.createShaderModule; \
    GPUDevice.prototype.createShaderModule = function (given) { \
    return make.call(this, { ...given, code: 'this is no program' }); }; }";
const NO_DEVICE: &str = "GPUAdapter.prototype.requestDevice = async () => { \
    throw new DOMException('no room for a device', 'OperationError'); };";

#[test]
fn a_gpu_that_fails_leaves_the_work_to_the_cpu() -> Check {
    for (fault, words) in [(BROKEN, "The GPU refused its work"), (NO_DEVICE, "No GPU can be used")]
    {
        journey_with(&setup(), |browser, site| {
            let Some(page) = opened(browser, site, fault)? else { return Ok(()) };
            status_says(&page, words, 120)?;
            status_says(&page, "the CPU goes on with the work", 5)?;
            list(&page)?;
            ensure(!cosines(&page, 60)?.is_empty(), "no matrix from the CPU").map(drop)
        })?;
    }
    Ok(())
}

#[test]
fn without_webgpu_nothing_of_it_is_fetched() -> Check {
    journey_with(&Setup::default(), |browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, 60)?;
        let none = "(async () => !(await navigator.gpu?.requestAdapter()))()";
        if page.evaluate(none)? != true {
            println!("skipped: this Chromium offers a GPU unasked");
            return Ok(());
        }
        status_says(&page, "offers this page no GPU", 20)?;
        let fetched =
            "performance.getEntriesByType('resource').some((it) => it.name.includes('/gpu-'))";
        ensure(page.evaluate(fetched)? == false, "the GPU's program was fetched")?;
        page.expect_quiet(&site.origin())
    })
}
