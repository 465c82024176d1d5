//! Corpora from file to hits, with the real model: the sample, the visitor's own, storage that refuses.

use std::path::Path;

use crate::check::{Check, Failure, ensure};
use crate::compare::press_button;
use crate::journey::journey;
use crate::page::{Page, output_file, quote};

/// A table of that many different rows.
fn table(rows: usize) -> String {
    const WHO: [&str; 10] = [
        "The baker",
        "A fisherman",
        "Our neighbour",
        "The mayor",
        "Her cousin",
        "A young doctor",
        "The night guard",
        "My old teacher",
        "A tourist",
        "The ferry captain",
    ];
    const DOES: [&str; 10] = [
        "sold fresh bread to",
        "waited in the rain for",
        "wrote a long letter to",
        "argued with",
        "borrowed a ladder from",
        "sang a quiet song for",
        "repaired the roof of",
        "lost a game of chess against",
        "cooked fish soup for",
        "forgot the birthday of",
    ];
    const WHOM: [&str; 10] = [
        "the school children",
        "a travelling circus",
        "the choir",
        "two policemen",
        "the widow",
        "a group of sailors",
        "the librarian",
        "the twins",
        "a famous actor",
        "the gardener",
    ];
    let mut text = "year,place,text\n".to_owned();
    for row in 0..rows {
        let part = |words: [&'static str; 10], step: usize| words[(row / step) % 10];
        let place = ["harbour", "market", "hill"][row % 3];
        let (year, day) = (1950 + row % 60, row / 1_000 + 1);
        let sentence =
            format!("{} {} {} on day {day}.", part(WHO, 1), part(DOES, 10), part(WHOM, 100));
        text.push_str(&format!("{year},{place},\"{sentence}\"\n"));
    }
    text
}

fn drop_file(page: &Page, name: &str, bytes: &[u8]) -> Check {
    let path = output_file(name, bytes)?;
    page.drop_files(".search .intro", &[Path::new(&path)])
}

/// Keeps what was read.
fn keep(page: &Page) -> Check {
    page.wait_for_element(".search-first li", 60)?;
    page.click(".search-draft .primary")
}

/// Numbers in a text, as "1,234 of 10,000" has them.
fn numbers(text: &str) -> Vec<u32> {
    let plain = text.replace(',', "");
    let digits = plain.split(|it: char| !it.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

fn choose(page: &Page, selector: &str, value: &str) -> Check {
    let (selector, value) = (quote(selector), quote(value));
    page.evaluate(&format!(
        "(() => {{ const list = document.querySelector({selector}); list.value = {value}; list.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    ))
    .map(drop)
}

#[test]
fn the_sample_is_ready_and_answers_while_one_types() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/search"))?;
        page.wait_for_element(".search-hit", 90)?;
        page.wait_for_text(".search-standing", "passages are embedded", 60)?;
        let old = page.text(".search-hit .search-text p")?;
        page.fill("#search-query", "someone won a prize for a book")?;
        let is_new = format!(
            "document.querySelector('.search-hit .search-text p')?.innerText !== {}",
            quote(&old)
        );
        page.wait_for(&is_new, 10, "other hits")?;
        page.wait_for_text(".search-lists [role=status]", "searched", 10)?;
        page.wait_for("document.querySelectorAll('.search-hit').length === 20", 10, "20 hits")?;
        // Words that stand close glow once the hits rest.
        page.wait_for_element(".search-text .glow-3", 20)?;
        let first = page.text(".search-hit .search-text p")?;

        // More like the third, then less.
        let third = page.text(".search-hit:nth-child(3) .search-text p")?;
        page.click(".search-hit:nth-child(3) .deed:nth-child(1)")?;
        page.wait_for_element(".search-query .chips .chip", 5)?;
        let is_first = format!(
            "document.querySelector('.search-hit .search-text p').innerText === {}",
            quote(&third)
        );
        page.wait_for(&is_first, 10, "the third goes first")?;
        page.click(".search-query .chips .chip")?;
        let back = format!(
            "document.querySelector('.search-hit .search-text p').innerText === {}",
            quote(&first)
        );
        page.wait_for(&back, 10, "the first is back")?;

        // Keywords beside it, and keywords alone.
        page.click(".search-beside")?;
        page.wait_for_element("#search-keywords", 10)?;
        page.click(".search-beside")?;
        choose(&page, ".search-ranking", "keywords")?;
        page.wait_for_element(".search-hit mark", 10)?;

        // By keyboard: into the hits, up again, and nothing is looked for.
        page.click("#search-query")?;
        page.press("ArrowDown")?;
        page.wait_for("document.activeElement.matches('.search-hit:first-child')", 5, "the first")?;
        page.press("ArrowDown")?;
        page.wait_for(
            "document.activeElement.matches('.search-hit:nth-child(2)')",
            5,
            "the second",
        )?;
        page.press("Escape")?;
        page.wait_for("document.activeElement.id === 'search-query'", 5, "the query")?;
        page.press("Escape")?;
        page.wait_for_element("#search-all", 10)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn ten_thousand_rows_are_searched_while_they_are_embedded_and_go_on_after_a_reload() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/search"))?;
        page.wait_for_text(".search-standing", "embedded", 90)?;
        // No task of the page's own may be long.
        page.evaluate("(() => { window.__long = []; new PerformanceObserver((list) => list.getEntries().forEach((it) => window.__long.push(it.duration))).observe({entryTypes: ['longtask']}); })()")?;
        drop_file(&page, "people.csv", table(10_000).as_bytes())?;
        page.wait_for_text(".search-draft [role=status]", "10,000 passages", 60)?;
        keep(&page)?;
        page.wait_for_element(".search-indexing progress", 30)?;
        page.fill("#search-query", "music for a group of singers")?;
        page.wait_for_text(".search-lists [role=status]", "embedded so far", 60)?;
        page.wait_for_element(".search-hit", 10)?;
        let far = "document.querySelector('.search-indexing progress')?.value >= 1500";
        page.wait_for(far, 240, "1,500 passages")?;
        let long = page.evaluate("window.__long.length ? Math.max(...window.__long) : 0")?;
        println!("longest task of the page while indexing: {long} ms");

        page.reload()?;
        let text = page.wait_for_text(".search-indexing", "were there from before", 90)?;
        let found = numbers(&text);
        let [done, total, .., resumed] = found[..] else { return Err(Failure::new(text)) };
        // What was under way is lost, six portions at most; nothing that was kept is computed again.
        ensure(resumed >= 1_500 - 6 * 128 && done >= resumed && total == 10_000, text)?;
        // The query is as it was.
        ensure(page.value("#search-query")? == "music for a group of singers", "the query")?;
        page.wait_for_text(".search-standing", "All 10,000", 400)?;
        page.wait_for_text(".search-lists [role=status]", "10,000 searched", 20)?;

        page.click(".search-filters summary")?;
        page.click(".search-filter:nth-of-type(2) .chip:nth-child(2)")?;
        page.wait_for_text(".search-lists [role=status]", "3,333 searched", 20)?;
        let (name, bytes) = browser.download(20, || press_button(&page, "Hits as CSV"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        ensure(name == "simcse-search.csv" && text.lines().count() == 21, text.clone())?;
        ensure(text.starts_with("rank,position,cosine,bm25,passage"), text)?;
        let (_, bytes) = browser.download(60, || press_button(&page, "Vectors as npy"))?;
        let floats = 10_000 * 384 * 4;
        ensure(bytes.len() > floats && bytes.len() < floats + 200, "10,000 vectors of 384")?;

        // Deleted, with a second word.
        press_button(&page, "Delete")?;
        press_button(&page, "Delete it")?;
        page.wait_for("!document.body.innerText.includes('people')", 20, "it is gone")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn where_storage_is_refused_or_nearly_full_it_works_for_the_visit() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        page.limit_storage(&site.origin(), 1_000)?;
        page.go(&site.url("/#/search"))?;
        page.wait_for_text(".search-standing", "passages are embedded", 120)?;
        page.wait_for_text(".search-shelf", "goes when the tab is closed", 20)?;
        page.wait_for_element(".search-hit", 20)?;
        page.expect_quiet(&site.origin())
    })?;
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/search"))?;
        page.wait_for_text(".search-standing", "passages are embedded", 120)?;
        let used = page.evaluate("navigator.storage.estimate().then((it) => it.usage)")?;
        let used = used.as_u64().unwrap_or_default();
        // Room for the corpus and for some of its vectors.
        page.limit_storage(&site.origin(), used + 2_000_000)?;
        drop_file(&page, "people.csv", table(4_000).as_bytes())?;
        keep(&page)?;
        page.wait_for_text(".search-standing", "All 4,000", 300)?;
        // How much the browser takes before it is full is its own affair; that it is full is said.
        let said = "['full or refused', 'goes when the tab is closed'].some((it) => document.querySelector('.search-shelf').innerText.includes(it))";
        page.wait_for(said, 20, "the full store is said")?;
        println!("{}", page.text(".search-shelf .note")?);
        page.fill("#search-query", "bread")?;
        page.wait_for_text(".search-lists [role=status]", "4,000 searched", 20)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn bad_files_are_named_and_the_page_lives() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/search"))?;
        page.wait_for_text(".search-standing", "passages are embedded", 90)?;
        let bad: [(&str, &[u8], &str); 4] = [
            ("scan.pdf", b"%PDF-1.7 and so on", "PDF"),
            ("blob.txt", b"abc\0\x01\x02\0\0", "binary data"),
            ("empty.csv", b"", "no text"),
            ("open.csv", b"text,topic\n\"never closed,a\nmore,b\n", "quote"),
        ];
        for (name, bytes, words) in bad {
            drop_file(&page, name, bytes)?;
            page.wait_for_text(".search-draft .error", words, 20)?;
            press_button(&page, "Close")?;
        }
        // What can be read is, and how it was read is said.
        drop_file(&page, "latin.txt", b"Der B\xe4r schl\xe4ft.\nEin Caf\xe9.\n")?;
        page.wait_for_text(".search-draft [role=status]", "Windows-1252", 20)?;
        press_button(&page, "Cancel")?;
        let ragged = b"text,topic\nA first line of it,a\nA second line of it\nA third line,b,c,d\n";
        drop_file(&page, "ragged.csv", ragged)?;
        page.wait_for_text(".search-draft [role=status]", "3 passages", 20)?;
        press_button(&page, "Cancel")?;
        let long = format!("text,topic\n\"{}\",a\nshort one here,b\n", "word ".repeat(200_000));
        drop_file(&page, "long.csv", long.as_bytes())?;
        page.wait_for_text(".search-draft [role=status]", "2 rows give", 30)?;
        press_button(&page, "Cancel")?;
        // 200 MB: read, or refused in words, with the page alive meanwhile.
        let line = "The same line of a file that is very long indeed, again and again.\n";
        let huge = line.repeat(200_000_000 / line.len());
        drop_file(&page, "huge.txt", huge.as_bytes())?;
        let said = "(document.querySelector('.search-draft .error') ?? document.querySelector('.search-first li')) !== null";
        page.wait_for(said, 240, "an answer about 200 MB")?;
        println!("200 MB: {}", page.text(".search-draft")?.lines().nth(1).unwrap_or_default());
        page.click(".search-draft button:not(.primary)")?;
        page.fill("#search-query", "a storm at sea")?;
        page.wait_for_text(".search-lists [role=status]", "searched", 20)?;
        page.expect_quiet(&site.origin())
    })
}
