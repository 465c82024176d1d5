//! The Fine-tune view: a fine-tune from its sentences to an adapter that is in use.

use crate::check::{Check, ensure};
use crate::compare::press_button;
use crate::journey::journey;
use crate::page::Page;
use crate::server::Site;

/// Seconds until the model is there.
const LOAD_S: u64 = 60;
/// Seconds for a few steps of a few sentences, with their measurements, on a busy machine.
const TRAIN_S: u64 = 180;

/// Opens the view, once the model is there.
fn open(page: &Page, site: &Site) -> Check {
    page.go(&site.url("/#/fine-tune"))?;
    page.wait_for_text(".pill", "q8_0", LOAD_S).map(drop)
}

/// Makes the recipe short: so many steps of eight, measured every other step.
fn shorten(page: &Page, steps: u32) -> Check {
    page.evaluate("document.querySelector('.tune-advanced').open = true")?;
    for (field, value) in [
        ("#tune-steps", steps.to_string()),
        ("#tune-batch", "8".into()),
        ("#tune-measure-every", "2".into()),
    ] {
        page.fill(field, &value)?;
    }
    // The smaller probe: the sentences of the bundled pairs.
    page.evaluate("document.querySelectorAll('.tune-choices input')[1].click()").map(drop)
}

/// Waits until the row of that checkpoint is there.
fn checkpoint(page: &Page, name: &str) -> Check {
    let rows = "[...document.querySelectorAll('.tune-checkpoints tbody th')]";
    let found = format!("{rows}.some((it) => it.textContent.trim().startsWith('{name}'))");
    page.wait_for(&found, TRAIN_S, name).map(drop)
}

#[test]
fn a_fine_tune_is_paused_undone_finished_used_exported_and_survives_a_reload() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        open(&page, site)?;
        shorten(&page, 6)?;
        page.wait_for_text(".tune-facts", "361 sentences", 5)?;
        press_button(&page, "Train")?;
        page.wait_for_element(".tune-plane svg", TRAIN_S)?;
        page.wait_for_workers(2, 20)?;

        press_button(&page, "Pause")?;
        page.wait_for_text(".tune-progress", "Paused at step", TRAIN_S)?;
        page.evaluate("location.hash = '#/compare'")?;
        page.wait_for_text(".tune-note", "Paused", 5)?;
        page.wait_for_element(".number:not(.stale):not(.empty)", LOAD_S)?;
        page.evaluate("document.querySelector('.tune-note').click()")?;

        press_button(&page, "Resume")?;
        checkpoint(&page, "Step 2")?;
        press_button(&page, "Pause")?;
        page.wait_for_text(".tune-progress", "Paused at step", TRAIN_S)?;
        press_button(&page, "Undo to step 0")?;
        page.wait_for_text(".tune-progress", "Went back to step 0, paused", TRAIN_S)?;
        ensure(page.count(".tune-checkpoints tr.beyond")? >= 1, "what was undone is still shown")?;
        press_button(&page, "Resume")?;
        page.wait_for_text(".tune-progress", "Finished", TRAIN_S)?;
        checkpoint(&page, "Step 6")?;
        // The trainer's memory is given back.
        page.wait_for_workers(1, 20)?;
        let falls = page.evaluate(
            "(() => { const cells = [...document.querySelectorAll('.tune-checkpoints tbody tr')] \
             .map((row) => Number(row.querySelectorAll('td')[1].textContent.replace('−', '-'))); \
             return cells.at(-1) < cells[0]; })()",
        )?;
        ensure(falls == true, "uniformity did not fall")?;

        let (name, bytes) = browser.download(10, || press_button(&page, "Export the adapter"))?;
        ensure(name.ends_with(".gguf") && bytes.starts_with(b"GGUF"), format!("{name} came"))?;
        page.evaluate("document.querySelector('.tune-outcome .primary').click()")?;
        page.wait_for_text(".tune-in-use", "is in use", 20)?;
        page.pause(std::time::Duration::from_millis(700))?;

        page.reload()?;
        page.wait_for_text(".pill", "q8_0", LOAD_S)?;
        ensure(page.value("#tune-steps")? == "6", "the recipe was lost")?;
        page.evaluate("location.hash = '#/compare'")?;
        page.wait_for_element(".sides", LOAD_S)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_reload_while_it_trains_goes_on_from_the_last_measurement() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        open(&page, site)?;
        shorten(&page, 6)?;
        press_button(&page, "Train")?;
        checkpoint(&page, "Step 2")?;
        let stored = "JSON.parse(JSON.parse(localStorage['simcse-lab']).fine_tune).kept?.sha256";
        page.wait_for(stored, 10, "the checkpoint in the store")?;
        page.reload()?;
        page.wait_for_text(".tune-kept", "interrupted at step", LOAD_S)?;
        page.wait_for_text(".pill", "q8_0", LOAD_S)?;
        press_button(&page, "Go on from there")?;
        page.wait_for_text(".tune-progress", "Finished", TRAIN_S)?;
        page.wait_for_text(".tune-progress", "went on from an adapter", 5)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_collapse_can_be_provoked_and_is_named_with_its_cause() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        open(&page, site)?;
        press_button(&page, "Rate far too high: provoke a collapse")?;
        shorten(&page, 6)?;
        press_button(&page, "Train")?;
        page.wait_for_text(".tune-finding", "all vectors point the same way", TRAIN_S)?;
        page.wait_for_text(".tune-finding", "the learning rate is too high", 5)?;
        page.wait_for_text(".tune-orders", "Train anew", TRAIN_S)?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_pasted_text_is_judged_and_a_bad_setting_is_named_at_its_field() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/fine-tune"))?;
        page.wait_for_element("#tune-text", 10)?;
        page.fill("#tune-text", "a b\tc d\te f\ng h\ti j\tk l")?;
        page.wait_for_text(".tune-facts", "2 triplets", 5)?;
        page.wait_for_text(".tune-warnings", "Only 2", 5)?;
        press_button(&page, "Everyday sentences")?;
        page.wait_for_text(".tune-facts", "361 sentences", 5)?;
        press_button(&page, "Bring back the text before")?;
        page.wait_for_text(".tune-facts", "2 triplets", 5)?;
        page.evaluate("document.querySelector('.tune-advanced').open = true")?;
        page.fill("#tune-temperature", "0")?;
        page.wait_for_text(".tune-field .error", "from 0.0001 to 100", 5)?;
        let disabled = "document.querySelector('.tune-orders .primary').disabled";
        ensure(page.evaluate(disabled)? == true, "it would train with a bad temperature")?;
        press_button(&page, "Reset")?;
        page.wait_for(&format!("!{disabled}"), 5, "the button")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn the_trainers_program_comes_when_it_is_needed_and_its_absence_is_said() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        open(&page, site)?;
        shorten(&page, 2)?;
        let asked = page.requests().iter().filter(|it| it.url.contains("/trainer-")).count();
        ensure(asked == 0, "a visit without training loads the trainer's program")?;
        site.faults(|faults| faults.down = true);
        press_button(&page, "Train")?;
        page.wait_for_text(".tune-progress", "that trains did not arrive", 20)?;
        page.evaluate("location.hash = '#/lesson'")?;
        page.click(".step-link:nth-child(3)")?;
        page.wait_for_text("main", "that trains did not arrive", 20)?;
        page.wait_for_workers(1, 10)?;

        site.heal();
        page.forget_console();
        press_button(&page, "Draw new masks")?;
        let dots = "document.querySelectorAll('.living svg circle').length >= 12";
        page.wait_for(dots, LOAD_S, "views at several rates")?;
        page.evaluate("location.hash = '#/fine-tune'")?;
        press_button(&page, "Train anew")?;
        page.wait_for_text(".tune-progress", "Finished", TRAIN_S)?;
        page.wait_for_workers(1, 20)?;
        page.expect_quiet(&site.origin())
    })
}
