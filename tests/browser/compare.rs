//! The Compare view, as a visitor uses it.

use crate::browser::Options;
use crate::check::{Check, ensure};
use crate::journey::{Setup, journey, journey_with};
use crate::page::{Page, output_file, quote};

const FIRST: &str = ".sentence:nth-of-type(1) textarea";
const SECOND: &str = ".sentence:nth-of-type(2) textarea";
const NUMBER: &str = ".number:not(.stale):not(.empty)";

/// Seconds until the model is there and has answered.
const LOAD_S: u64 = 60;

/// The number, once it belongs to the sentences shown.
pub fn number(page: &Page, limit_s: u64) -> Check<f64> {
    number_that(page, "true", limit_s, NUMBER)
}

/// The number, once it belongs to the sentences shown and `holds` of its `value`. It is looked at and read
/// at once: in between it might be outdated.
pub fn number_that(page: &Page, holds: &str, limit_s: u64, what: &str) -> Check<f64> {
    let expression = format!(
        "(() => {{ const text = document.querySelector('{NUMBER}')?.textContent.replace('−', '-').trim(); \
         const value = Number(text); return text && {holds} ? text : null; }})()"
    );
    let text = page.wait_for(&expression, limit_s, what)?;
    let text = text.as_str().unwrap_or_default();
    text.parse().map_err(|_| page.failure(&format!("the number is {text:?}")))
}

/// Waits until the number satisfies `holds`.
fn number_becomes(page: &Page, holds: &str, what: &str) -> Check {
    number_that(page, holds, 20, what).map(drop)
}

fn button(label: &str) -> String {
    format!(
        "[...document.querySelectorAll('button')].find((it) => it.textContent.trim() === {})",
        quote(label)
    )
}

/// Clicks the button with that label.
pub fn press_button(page: &Page, label: &str) -> Check {
    page.wait_for(&format!("!!({})", button(label)), 10, &format!("the button {label:?}"))?;
    page.evaluate(&format!("({}).click()", button(label))).map(drop)
}

/// Clicks a button in the title of a panel of the results, both by their place.
fn title_button(page: &Page, panel: usize, button: usize) -> Check {
    let panel = format!("document.querySelectorAll('.results .panel')[{panel}]");
    page.evaluate(&format!("{panel}.querySelectorAll('.title button')[{button}].click()")).map(drop)
}

fn type_list(page: &Page, text: &str) -> Check {
    page.fill("#list", text)
}

#[test]
fn a_first_visit_shows_the_default_pair_without_help() -> Check {
    for webgpu in [false, true] {
        let browser = Options { webgpu, ..Options::default() };
        journey_with(&Setup { browser, ..Setup::default() }, |browser, site| {
            let page = browser.open(&site.url("/"))?;
            let cosine = number(&page, LOAD_S)?;
            ensure((0.4..0.95).contains(&cosine), format!("the paraphrase scores {cosine}"))?;
            page.wait_for_text(".pill", "q8_0", 5)?;
            page.wait_for_text(".verdict", "%", 20)?;
            page.wait_for_element(".tokens .token", 5)?;
            page.expect_quiet(&site.origin())
        })?;
    }
    Ok(())
}

#[test]
fn it_runs_from_a_sub_path() -> Check {
    let setup = Setup { mount: "/some/sub/path/", ..Setup::default() };
    journey_with(&setup, |browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn the_number_follows_what_is_typed_and_undo_brings_text_back() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.fill(FIRST, "The cat sleeps on the sofa.")?;
        page.fill(SECOND, "The cat sleeps on the sofa.")?;
        number_becomes(&page, "value === 1", "identical sentences score 1.00")?;
        page.fill(SECOND, "Interest rates rose in March.")?;
        number_becomes(&page, "value < 0.3", "unrelated sentences score low")?;
        page.fill(SECOND, "")?;
        page.wait_for_text(".outcome", "Type a sentence in B", 5)?;
        press_button(&page, "Negation")?;
        page.wait_for(&format!("{}.value.includes('ferry')", query(FIRST)), 5, "the example")?;
        press_button(&page, "Undo")?;
        page.wait_for(
            &format!("{}.value.includes('sofa')", query(FIRST)),
            5,
            "the text from before",
        )?;
        press_button(&page, "Start over")?;
        page.wait_for(&format!("{}.value.includes('bakery')", query(FIRST)), 5, "the first pair")?;
        page.expect_quiet(&site.origin())
    })
}

fn query(selector: &str) -> String {
    format!("document.querySelector('{selector}')")
}

#[test]
fn typed_text_survives_a_reload_and_a_link_carries_it_elsewhere() -> Check {
    journey(|browser, site| {
        browser.allow_clipboard(&site.origin())?;
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.fill(FIRST, "Tea & biscuits, 100 %?")?;
        page.fill(SECOND, "喝茶 #1")?;
        type_list(&page, "one\ntwo\nthree")?;
        page.wait_for_element(".results .heat", 20)?;
        let before = number(&page, 20)?;
        page.pause(std::time::Duration::from_millis(700))?;
        page.reload()?;
        let after = number(&page, LOAD_S)?;
        ensure(before == after, format!("{before} before the reload, {after} after"))?;
        ensure(page.value(FIRST)? == "Tea & biscuits, 100 %?", "the first sentence was lost")?;
        ensure(page.value("#list")? == "one\ntwo\nthree", "the list was lost")?;
        press_button(&page, "Copy link")?;
        page.wait_for_text(".notices", "Copied", 5)?;
        let link = page.clipboard()?;
        ensure(link.contains("#/compare?a=Tea%20%26"), format!("the link is {link}"))?;

        let other = browser.open(&link)?;
        ensure(number(&other, LOAD_S)? == before, "the link shows another number")?;
        ensure(other.value(SECOND)? == "喝茶 #1", "the link lost the second sentence")?;
        other.wait_for_element(".results .heat", 20)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_list_gives_a_matrix_and_its_nearest_pairs() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        press_button(&page, "Four topics")?;
        page.wait_for_element(".results .heat svg", 20)?;
        let cells = "[...document.querySelectorAll('.results .heat rect')].length";
        page.wait_for(&format!("{cells} === 144"), 10, "12 x 12 cells")?;
        page.wait_for_text(".lines", "router", 5)?;
        page.evaluate("document.querySelector('.lines button').click()")?;
        page.wait_for(
            &format!("!{}.value.includes('bakery')", query(FIRST)),
            5,
            "the picked pair",
        )?;
        number(&page, 10)?;
        let (name, csv) = browser.download(10, || title_button(&page, 1, 1))?;
        let csv = String::from_utf8_lossy(&csv).into_owned();
        ensure(name.ends_with(".csv"), format!("the download is called {name}"))?;
        ensure(csv.starts_with("sentence1,sentence2,cosine\n"), "the table has no header")?;
        ensure(csv.lines().count() == 67, format!("66 pairs expected:\n{csv}"))?;
        let (name, matrix) = browser.download(10, || title_button(&page, 0, 1))?;
        let matrix = String::from_utf8_lossy(&matrix).into_owned();
        ensure(name == "simcse-matrix.csv", format!("the download is called {name}"))?;
        ensure(matrix.lines().count() == 13, format!("12 rows and a header expected:\n{matrix}"))?;
        let (name, png) = browser.download(10, || title_button(&page, 0, 0))?;
        ensure(name == "simcse-matrix.png" && png.starts_with(b"\x89PNG"), "no PNG came")?;
        page.expect_quiet(&site.origin())
    })
}

/// Chooses in the n-th list of the model's choices: the readout, the layer.
fn choose(page: &Page, place: usize, value: &str) -> Check {
    let script = format!(
        "(() => {{ const box = document.querySelectorAll('.choice select')[{place}]; \
         box.value = '{value}'; box.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
    );
    page.evaluate(&script).map(drop)
}

#[test]
fn the_keyboard_reaches_every_cell_and_token() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        press_button(&page, "Shades of one sentence")?;
        page.wait_for_element(".results .heat svg", 20)?;
        page.evaluate("document.querySelector('.results .heat').focus()")?;
        for key in ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown"] {
            page.press(key)?;
        }
        let marked = page.wait_for_text(".results .partner", "He shut", 5)?;
        // New values of the same cells leave the mark where it is.
        choose(&page, 0, "cls")?;
        page.wait_for(
            &format!(
                "(text => text.includes('He shut') && text !== {})\
                 (document.querySelector('.results .partner').innerText)",
                quote(&marked)
            ),
            20,
            "the marked cell's number under the other readout",
        )?;
        page.press("Enter")?;
        let picked = format!("{}.value === 'He shut the window.'", query(FIRST));
        page.wait_for(&picked, 5, "row 2")?;
        page.wait_for_text(".token-list", "shut", 10)?;
        page.evaluate("document.querySelector('.token-list ul').focus()")?;
        page.press("ArrowRight")?;
        page.press("ArrowRight")?;
        page.wait_for_text(".tokens .partner", "closest to", 5)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_dropped_table_with_gold_scores_shows_spearman_with_its_n() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        let text = "left,right,score\n\
                    \"A man, tall, sings.\",A tall man is singing.,4.8\n\
                    A dog runs.,A dog is running.,4.5\n\
                    A dog runs.,A cat sleeps.,1.0\n\
                    The sun is hot.,Shares fell sharply.,0.0\n\
                    lonely row,,3\n";
        let table = output_file("scored.csv", text.as_bytes())?;
        page.drop_files(".many", &[&table])?;
        page.wait_for_text(".figures", "n = 4 pairs", 20)?;
        let spearman = page.text(".figures b")?;
        let value: f64 = spearman.trim().replace('−', "-").parse().unwrap_or(f64::NAN);
        ensure(value >= 0.8, format!("Spearman is {spearman}"))?;
        page.wait_for_text(".many .actions", "Rows left out: 1", 5)?;

        let broken = output_file("broken.csv", &[b'a', 0xff, b'\n'])?;
        page.drop_files(".many", &[&broken])?;
        page.wait_for_text(".many .error", "CSV UTF-8", 5)?;
        ensure(page.value("#list")?.contains("A man, tall"), "a bad file cost the good list")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn ten_thousand_lines_move_on_visibly_and_can_be_cancelled() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.evaluate(
            "(() => { const box = document.querySelector('#list'); \
             box.value = Array.from({ length: 10000 }, (_, i) => `Line number ${i} of a long list`).join('\\n'); \
             box.dispatchEvent(new Event('input', { bubbles: true })); })()",
        )?;
        page.wait_for_text(".many .loading", "of 10,000", 20)?;
        page.wait_for_text(".many .loading", "left", 20)?;
        page.fill(FIRST, "Typing goes on while the list is computed.")?;
        number(&page, 10)?;
        press_button(&page, "Cancel")?;
        page.wait_for_text(".many .loading", "Cancelled at", 10)?;
        type_list(&page, "short\nlist")?;
        page.wait_for_element(".results .heat svg", 20)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_megabyte_in_one_line_and_lone_surrogates_are_just_text() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        let set = |value: &str| {
            page.evaluate(&format!(
                "(() => {{ const box = {}; box.value = {value}; \
                 box.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()",
                query(FIRST)
            ))
        };
        set("'word '.repeat(200000)")?;
        page.wait_for_text(".pair .note", "512", 30)?;
        number(&page, 10)?;
        set("'a\\ud800b'")?;
        page.wait_for(
            "!document.querySelector('.pair .note')?.textContent.includes('512')",
            10,
            "the note to go",
        )?;
        number(&page, 10)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn readouts_and_layers_change_the_number_and_the_baseline() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        page.wait_for_element(".sides .before", LOAD_S)?;
        page.click(".sides .before")?;
        page.wait_for_element(".number.before:not(.stale)", 20)?;
        let mean = number(&page, LOAD_S)?;
        page.wait_for_text(".scale svg", "unrelated 0.0", 20)?;
        choose(&page, 0, "cls")?;
        page.wait_for_text(".scale svg", "unrelated 0.5", 20)?;
        ensure(number(&page, 10)? != mean, "CLS shows the mean's number")?;
        choose(&page, 1, "0")?;
        number_becomes(&page, "value === 1", "[CLS] of the embedding layer is always the same")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn the_page_speaks_chinese_where_the_browser_does_and_can_be_switched() -> Check {
    let browser = Options { language: "zh-CN", ..Options::default() };
    journey_with(&Setup { browser, ..Setup::default() }, |browser, site| {
        let page = browser.open(&site.url("/"))?;
        page.wait_for_text("h1", "两个句子有多相似", 20)?;
        number(&page, LOAD_S)?;
        let visible = "document.body.innerText";
        let text = page.evaluate(visible)?.as_str().unwrap_or_default().to_owned();
        ensure(!text.contains("Nothing you type"), "English words in the Chinese page")?;
        page.evaluate(
            "(() => { const box = document.querySelector('.tools select:has(option[value=en])'); box.value = 'en'; \
             box.dispatchEvent(new Event('change', { bubbles: true })); })()",
        )?;
        page.wait_for_text("h1", "How alike", 5)?;
        ensure(page.evaluate("document.documentElement.lang")? == "en", "the language tag stayed")?;
        page.expect_quiet(&site.origin())
    })
}
