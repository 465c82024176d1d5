//! Workers that help with long lists.

use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::check::{Check, Failure, deadline, ensure};
use crate::compare::number;
use crate::journal::Level;
use crate::journey::journey;
use crate::page::Page;
use crate::server::Site;

/// Sentences of 4 to some 40 tokens, in no order.
const SENTENCES: &str = "Array.from({ length: 3000 }, (_, i) => `Sentence ${i} ` + \
    ['speaks of the sea', 'counts', 'has rain, wind and a long road to the next town in it'] \
    .slice(0, 1 + i * i % 3).join(' and ').repeat(1 + i * 7 % 2))";

/// Whether two lists of rows agree in every bit.
const SAME: &str = "((a, b) => a.length === b.length && a.length === 3000 * 384 && \
    new Uint32Array(a.buffer).every((bits, at) => bits === new Uint32Array(b.buffer)[at]))";

/// The bench page with the shipped model where it looks for one.
fn bench(browser: &Browser, site: &Site) -> Check<Page> {
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    let weights = std::fs::read(weights).map_err(|error| Failure::new(error.to_string()))?;
    site.faults(|faults| {
        faults.content.insert("models/gguf/minilm-q8_0.gguf".to_owned(), weights);
    });
    let page = browser.open(&site.url("/bench.html"))?;
    page.wait_for("!!window.__bench", 20, "the bench entry")?;
    page.evaluate(&format!("void (window.sentences = {SENTENCES})"))?;
    Ok(page)
}

fn load(page: &Page, workers: u32) -> Check {
    page.evaluate_within(60, &format!("__bench.load({{ workers: {workers} }})"))?;
    let ready = format!("__bench.workers() === {workers}");
    page.wait_for(&ready, 60, &format!("{workers} workers")).map(drop)
}

fn wait_for_helpers(page: &Page, count: usize, limit_s: u64) -> Check {
    let deadline = deadline(limit_s);
    while page.helpers().len() != count {
        let what = format!("waited {limit_s} s for {count} helpers");
        ensure(Instant::now() < deadline, what)?;
        page.pause(Duration::from_millis(40))?;
    }
    Ok(())
}

#[test]
fn rows_are_the_same_whatever_the_worker_count_and_whoever_dies() -> Check {
    journey(|browser, site| {
        let page = bench(browser, site)?;
        load(&page, 1)?;
        ensure(page.helpers().is_empty(), "one worker has a helper")?;
        page.evaluate_within(
            300,
            "__bench.embed(sentences).then((it) => void (window.one = it.data))",
        )?;

        load(&page, 3)?;
        wait_for_helpers(&page, 2, 10)?;
        page.evaluate_within(
            300,
            "__bench.embed(sentences).then((it) => void (window.three = it.data))",
        )?;
        ensure(page.evaluate(&format!("{SAME}(one, three)"))? == true, "three workers differ")?;
        page.expect_quiet(&site.origin())?;

        page.evaluate("void (window.less = __bench.embed(sentences).then((it) => it.data))")?;
        page.pause(Duration::from_millis(500))?;
        let helpers = page.helpers();
        let helper = helpers.first().ok_or_else(|| page.failure("no helper to lose"))?;
        helper.evaluate("void setTimeout(() => { throw new Error('lost on purpose') })")?;
        wait_for_helpers(&page, 1, 20)?;
        let same = format!("less.then((data) => {SAME}(one, data))");
        ensure(page.evaluate_within(300, &same)? == true, "what a lost helper had differs")?;
        ensure(page.workers().len() == 1, "the worker died with its helper")?;
        let loud = page.console().into_iter().filter(|line| line.level >= Level::Warning);
        let loud: Vec<String> = loud.map(|line| line.text).collect();
        let expected = loud.iter().all(|text| text.contains("lost on purpose"));
        ensure(expected, format!("the console says {loud:?}"))
    })
}

#[test]
fn single_sentences_stay_with_one_worker() -> Check {
    journey(|browser, site| {
        let page = bench(browser, site)?;
        load(&page, 2)?;
        wait_for_helpers(&page, 1, 10)?;
        // What the helper is told, counted where it is told.
        let helpers = page.helpers();
        let helper = helpers.first().ok_or_else(|| page.failure("no helper"))?;
        helper.evaluate("self.heard = 0; self.addEventListener('message', () => self.heard++)")?;
        page.evaluate_within(60, "__bench.embed([sentences[0]]).then((it) => it.dim)")?;
        ensure(helper.evaluate("self.heard")? == 0, "a single sentence was sent on")?;
        page.evaluate_within(60, "__bench.embed(sentences.slice(0, 64)).then((it) => it.dim)")?;
        let heard = helper.evaluate("self.heard")?.as_u64().unwrap_or(0);
        ensure(heard > 1, format!("{heard} messages for 64 sentences"))
    })
}

#[test]
fn a_pair_goes_before_a_long_list_and_the_page_says_who_computes() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, 60)?;
        ensure(page.helpers().is_empty(), "a first visit starts helpers")?;
        page.evaluate(
            "(() => { const box = document.querySelector('#list'); box.value = \
             Array.from({ length: 8000 }, (_, i) => `Line number ${i} of a long list`).join('\\n'); \
             box.dispatchEvent(new Event('input', { bubbles: true })); })()",
        )?;
        page.wait_for_text(".many .loading", "of 8,000", 20)?;
        let cores = page.evaluate("navigator.hardwareConcurrency")?.as_u64().unwrap_or(1);
        if cores > 1 {
            page.wait_for_text(".pill", "workers", 20)?;
            ensure(!page.helpers().is_empty(), "no helper for 8,000 lines")?;
        }
        page.fill(".sentence:nth-of-type(1) textarea", "A question while the list is computed.")?;
        number(&page, 20)?;
        ensure(page.text(".many .loading")?.contains("of 8,000"), "the list was over before")?;
        page.evaluate("document.querySelector('.many .loading button').click()")?;
        page.wait_for_text(".many .loading", "Cancelled at", 10)?;
        page.wait_for(
            "!document.querySelector('.pill').textContent.includes('workers')",
            10,
            "rest",
        )?;
        page.expect_quiet(&site.origin())
    })
}
