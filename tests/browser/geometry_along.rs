//! The geometry lab's corpora, and what can be taken along: vectors, sessions, links.

use std::path::Path;

use crate::check::{Check, ensure};
use crate::journey::journey;
use crate::page::{Page, output_file};

const FACTS: &str = ".geometry-corpus [role=status].numbers";

fn press(page: &Page, words: &str) -> Check {
    let found = page.evaluate(&format!(
        "(() => {{ const all = [...document.querySelectorAll('.geometry button')]; const it = all.find((button) => button.innerText === '{words}' && !button.disabled); it?.click(); return Boolean(it); }})()"
    ))?;
    ensure(found == true, format!("a button that says {words}"))
}

/// Chooses in a list by the place of its option.
fn choose(page: &Page, selector: &str, place: u32) -> Check {
    page.evaluate(&format!(
        "(() => {{ const list = document.querySelector('{selector}'); list.selectedIndex = {place}; list.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    ))
    .map(drop)
}

fn measured(page: &Page) -> Check {
    let ready = "(() => { const cells = document.querySelectorAll('.geometry-numbers td.numbers'); return cells.length > 5 && !document.querySelector('.geometry-look .geometry-working') && cells[4].innerText !== '–' && cells[5].innerText !== '–'; })()";
    page.wait_for(ready, 120, "both are measured").map(drop)
}

#[test]
fn a_corpus_beside_the_page_comes_with_topics_and_a_link() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        page.wait_for_element(".geometry-corpus", 20)?;
        site.faults(|faults| faults.status = [("corpora/senses.tsv".to_owned(), 503)].into());
        press(&page, "Words of several meanings")?;
        page.wait_for_text(".geometry-corpus .error", "HTTP 503", 10)?;
        site.faults(|faults| faults.status.clear());
        // The browser itself reports the answer.
        page.forget_console();
        press(&page, "Try again")?;
        page.wait_for_text(FACTS, "280 different sentences", 10)?;
        page.wait_for_text(FACTS, "35 topics", 10)?;
        page.wait_for("location.hash.includes('corpus=senses')", 10, "the address names it")?;
        measured(&page)?;
        let other = browser.open(&site.url("/#/geometry?a=before.mean.2&corpus=stories"))?;
        other.wait_for_text(FACTS, "312 different sentences", 20)?;
        other.wait_for_text(".geometry-look.before .quiet", "Layer 2", 120)?;
        other.expect_quiet(&site.origin())?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn of_as_many_sentences_as_there_may_be_none_is_taken_twice() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        page.wait_for_element(".geometry-own summary", 20)?;
        let lines: Vec<String> = (0..100_000).map(|number| format!("Line {number}.")).collect();
        let file = output_file("many.txt", lines.join("\n").as_bytes())?;
        page.click(".geometry-own summary")?;
        page.set_files(".geometry-own input[type=file]", &[Path::new(&file)])?;
        page.wait_for_text(FACTS, "100,000 different sentences", 20)?;
        ensure(!page.text(FACTS)?.contains("repeated"), page.text(FACTS)?)
    })
}

#[test]
fn columns_of_a_table_can_be_chosen() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        page.wait_for_element(".geometry-corpus", 20)?;
        measured(&page)?;
        let table = b"said,replied,mood\nGood morning.,Hello there.,bright\nGo away.,Why?,dark\n";
        let path = output_file("moods.csv", table)?;
        page.set_files(".geometry-own input[type=file]", &[Path::new(&path)])?;
        page.wait_for_text(FACTS, "moods.csv", 10)?;
        page.wait_for_element(".geometry-corpus .choice select", 10)?;
        // Topic is the last menu; its options are none and the columns but the sentence's.
        choose(&page, ".geometry-corpus .choice:last-child select", 2)?;
        page.wait_for_text(FACTS, "topics", 10)?;
        press(&page, "Bring back the text before")?;
        page.wait_for(
            "!document.querySelector('.geometry-corpus [role=status].numbers').innerText.includes('topics')",
            10,
            "the columns as they looked",
        )?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn vectors_and_sentences_leave_as_files() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry?corpus=senses"))?;
        page.wait_for_text(FACTS, "280 different sentences", 20)?;
        measured(&page)?;
        let list = ".geometry-export .choice:nth-of-type(2) select";
        choose(&page, list, 0)?;
        let (name, bytes) = browser.download(60, || press(&page, "Save the file"))?;
        ensure(name.ends_with(".npy"), format!("the array is called {name}"))?;
        ensure(bytes.starts_with(b"\x93NUMPY"), "an array")?;
        let floats = 280 * 384 * 4;
        ensure(bytes.len() > floats && bytes.len() < floats + 200, "280 vectors of 384")?;
        let vector: Vec<f32> = bytes[bytes.len() - 384 * 4..]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .collect();
        let length = vector.iter().map(|value| value * value).sum::<f32>();
        ensure((length - 1.0).abs() < 1e-3, format!("a unit vector, not {length}"))?;
        choose(&page, list, 1)?;
        let (_, parquet) = browser.download(60, || press(&page, "Save the file"))?;
        ensure(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"), "a parquet file")?;
        choose(&page, list, 5)?;
        let (name, lines) = browser.download(20, || press(&page, "Save the file"))?;
        ensure(name == "simcse-metadata.tsv", name)?;
        ensure(lines.iter().filter(|byte| **byte == b'\n').count() == 281, "a line a sentence")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_session_opens_in_another_browser_as_it_was_saved() -> Check {
    let mut saved = Vec::new();
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry?a=before.mean.last.whitened-8"))?;
        measured(&page)?;
        page.click(".geometry-own summary")?;
        let text = "The harbour froze.\nShe plays the cello.\nA boat sank.\nBread is cheap.\nThe train is late.\nHe paints doors.\nSnow fell.\nWe lost the key.\nThe shop is shut.";
        page.fill("#geometry-text", text)?;
        page.wait_for_text(FACTS, "9 different sentences", 10)?;
        measured(&page)?;
        let (name, bytes) = browser.download(20, || press(&page, "Save session"))?;
        ensure(name == "simcse-lab.simcse.json", name)?;
        saved = bytes;
        page.expect_quiet(&site.origin())
    })?;
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        page.wait_for_element("#geometry-text", 20)?;
        let notes = output_file("notes.json", b"{\"notes\": []}")?;
        page.choose_files(&[Path::new(&notes)], || press(&page, "Open session"))?;
        page.wait_for_text(".geometry-export .error", "no session", 10)?;
        let path = output_file("simcse-lab.simcse.json", &saved)?;
        page.choose_files(&[Path::new(&path)], || press(&page, "Open session"))?;
        page.wait_for_text(FACTS, "9 different sentences", 10)?;
        page.wait_for_text(".geometry-look.before .quiet", "whitened", 120)?;
        ensure(page.value("#geometry-text")?.contains("cello"), "the sentences")?;
        press(&page, "Bring back the text before")?;
        page.wait_for("location.hash.includes('a=before.cls')", 10, "the look before")?;
        page.expect_quiet(&site.origin())
    })
}
