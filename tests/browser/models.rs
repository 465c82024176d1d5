//! Getting a model: network, store, damage, files from disk, a dying worker.

use std::fs;

use crate::check::{Check, ensure};
use crate::compare::{number, press_button};
use crate::journey::{begin_program, journey};
use crate::page::{Page, output_file};
use crate::server::{Cut, Site};

const LOAD_S: u64 = 60;

#[test]
fn progress_is_in_bytes_and_a_stopped_download_resumes_where_it_was() -> Check {
    journey(|browser, site| {
        site.faults(|faults| faults.models_bytes_per_s = Some(6_000_000));
        let page = browser.open(&site.url("/"))?;
        page.wait_for_text(".loading", "of 25.7 MB", 20)?;
        page.wait_for_text(".loading", "MB/s", 20)?;
        page.wait_for_text(".loading", "left", 20)?;
        press_button(&page, "Stop")?;
        page.wait_for_text(".loading", "Stopped at", 10)?;
        let sent = site.tally_models().bytes;
        site.heal();
        press_button(&page, "Resume")?;
        number(&page, LOAD_S)?;
        let total = site.tally_models();
        ensure(total.requests == 2, format!("{} requests", total.requests))?;
        ensure(
            total.bytes < 25_748_576 + 4_000_000 && sent > 0,
            format!("{} bytes in all, {sent} before the stop: nothing was resumed", total.bytes),
        )?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_reload_in_the_middle_of_the_download_resumes_there() -> Check {
    journey(|browser, site| {
        site.faults(|faults| faults.models_bytes_per_s = Some(8_000_000));
        let page = browser.open(&site.url("/"))?;
        let half = "Number(document.querySelector('.loading progress')?.value) > 500";
        page.wait_for(half, 30, "half of the download")?;
        page.reload()?;
        site.heal();
        number(&page, LOAD_S)?;
        let total = site.tally_models();
        ensure(
            total.bytes < 25_748_576 + 6_000_000,
            format!("{} bytes in {} requests: not resumed", total.bytes, total.requests),
        )
    })
}

#[test]
fn a_connection_that_breaks_is_taken_up_again_by_itself() -> Check {
    journey(|browser, site| {
        site.faults(|faults| faults.cut_models = Some(Cut { after_bytes: 9_000_000, times: 2 }));
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        let total = site.tally_models();
        ensure(total.requests == 3, format!("{} requests", total.requests))?;
        // Some bytes of each broken answer are lost on the way; starting anew would make 43 million.
        ensure(total.bytes < 31_000_000, format!("{} bytes: not resumed", total.bytes))
    })
}

#[test]
fn a_missing_file_is_said_with_a_way_out() -> Check {
    journey(|browser, site| {
        site.faults(|faults| {
            faults.status.insert("models/all-MiniLM-L6-v2-q8_0.gguf".to_owned(), 404);
        });
        let page = browser.open(&site.url("/"))?;
        page.wait_for_text(".loading.trouble", "404", 40)?;
        site.heal();
        press_button(&page, "Resume")?;
        number(&page, LOAD_S).map(drop)
    })
}

#[test]
fn a_wrong_file_is_fetched_once_more_and_then_refused() -> Check {
    journey(|browser, site| {
        site.faults(|faults| faults.flip_models_at = Some(20_000_000));
        let page = browser.open(&site.url("/"))?;
        page.wait_for_text(".loading.trouble", "SHA-256", LOAD_S)?;
        ensure(site.tally_models().requests == 2, "it was not fetched twice")?;
        site.heal();
        press_button(&page, "Try again")?;
        number(&page, LOAD_S)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn the_second_visit_reads_the_store_and_a_damaged_copy_is_replaced() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.wait_for_text("#status", "Kept in this browser", 20)?;
        site.forget();
        page.reload()?;
        number(&page, LOAD_S)?;
        ensure(site.tally_models().requests == 0, "the second visit downloaded again")?;

        let model = "models/";
        page.evaluate(&damage(model))?;
        page.reload()?;
        number(&page, LOAD_S)?;
        ensure(site.tally_models().requests == 1, "the damaged copy was not fetched again")?;
        page.expect_quiet(&site.origin())
    })
}

/// Overwrites bytes in the middle of every stored file, from the page.
fn damage(folder: &str) -> String {
    let folder = folder.trim_end_matches('/');
    format!(
        "(async () => {{ const root = await navigator.storage.getDirectory(); \
         const folder = await root.getDirectoryHandle('{folder}'); let count = 0; \
         for await (const file of folder.values()) {{ \
           const out = await file.createWritable({{ keepExistingData: true }}); \
           await out.write({{ type: 'write', position: 1000000, data: new Uint8Array(64) }}); \
           await out.close(); count += 1; }} \
         if (count === 0) throw new Error('nothing is stored'); }})()"
    )
}

/// Opens the Models view and gives it a file.
fn open_file(page: &Page, site: &Site, name: &str, bytes: &[u8]) -> Check {
    let path = output_file(name, bytes)?;
    page.evaluate("location.hash = '#/models'")?;
    page.wait_for_element(".models input[type=file]", 5)?;
    page.set_files(".models input[type=file]", &[&path])?;
    page.expect_quiet(&site.origin())
}

#[test]
fn bad_model_files_are_refused_in_words_and_the_good_model_stays() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        let before = number(&page, LOAD_S)?;
        let good = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_bert.gguf"))
            .map_err(|error| page.failure(&error.to_string()))?;
        open_file(&page, site, "notes.gguf", b"these are my notes")?;
        page.wait_for_text(".notices", "not a GGUF", 10)?;
        open_file(&page, site, "cut.gguf", &good[..good.len() / 2])?;
        page.wait_for_text(".notices", "cut.gguf", 10)?;
        let mut absurd = good.clone();
        absurd[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        open_file(&page, site, "absurd.gguf", &absurd)?;
        page.wait_for_text(".notices", "absurd.gguf", 10)?;
        page.wait_for_text(".model", "all-MiniLM-L6-v2", 5)?;
        page.evaluate("location.hash = '#/compare'")?;
        ensure(number(&page, 20)? == before, "the good model changed")?;

        open_file(&page, site, "tiny.gguf", &good)?;
        page.wait_for_text(".model", "2 layers", 20)?;
        press_button(&page, "Use the page's own model")?;
        page.wait_for_text(".model", "6 layers", 20)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_worker_that_dies_is_replaced_and_nothing_typed_is_lost() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.fill(".sentence:nth-of-type(1) textarea", "Written before the crash.")?;
        number(&page, 10)?;
        let worker = page.worker(10)?;
        // The evaluation's own answer may be lost with the worker.
        let _ = worker.evaluate("setTimeout(() => { throw new Error('made up by the test') })");
        page.wait_for_text(".notices", "crashed and was restarted", 20)?;
        number(&page, LOAD_S)?;
        let text = page.value(".sentence:nth-of-type(1) textarea")?;
        ensure(text == "Written before the crash.", format!("the text is {text:?}"))
    })
}

/// A store as on a disk that hangs.
const HUNG: &str = "StorageManager.prototype.getDirectory = () => new Promise(() => {});";

#[test]
fn where_storage_never_answers_the_page_works_from_memory_and_says_so() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        number(&page, LOAD_S)?;
        begin_program(&page, site, "module", HUNG)?;
        site.forget();
        page.reload()?;
        number(&page, LOAD_S)?;
        ensure(site.tally_models().requests == 1, "it did not download again")?;
        page.wait_for_text("#status", "refused to store", 20).map(drop)
    })
}

#[test]
fn where_storage_is_refused_the_page_works_from_memory_and_says_so() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        page.limit_storage(&site.origin(), 1_000_000)?;
        page.go(&site.url("/"))?;
        number(&page, LOAD_S)?;
        page.wait_for_text("#status", "refused to store", 20)?;
        site.forget();
        page.reload()?;
        number(&page, LOAD_S)?;
        ensure(site.tally_models().requests == 1, "it did not download again")
    })
}
