//! The geometry lab with the real model: two looks, their measures, the visitor's own sentences.

use crate::check::{Check, ensure};
use crate::journey::journey;
use crate::page::Page;

/// A measure of A and of B, once both are there and nothing is on its way.
fn numbers(page: &Page, row: u32) -> Check<(f64, f64)> {
    let cells = "[...document.querySelectorAll('.geometry-numbers td.numbers')]";
    let ready = format!(
        "{cells}.length === 10 && !document.querySelector('.geometry-working') && {cells}[4].innerText !== '–' && {cells}[5].innerText !== '–'"
    );
    page.wait_for(&ready, 90, "both are measured")?;
    let cells = format!(
        "[...document.querySelectorAll('.geometry-numbers tbody tr:nth-child({row}) td.numbers')]"
    );
    let found =
        page.evaluate(&format!("{cells}.map((cell) => Number(cell.innerText.replace('−', '-')))"))?;
    let number =
        |place: usize| found.get(place).and_then(|value| value.as_f64()).unwrap_or(f64::NAN);
    Ok((number(0), number(1)))
}

/// Chooses in a list of one of the two cards (1: A, 2: B).
fn choose(page: &Page, card: u32, list: u32, value: &str) -> Check {
    let select = format!(".geometry-look:nth-child({card}) .choice:nth-of-type({list}) select");
    page.evaluate(&format!(
        "(() => {{ const list = document.querySelector('{select}'); list.value = '{value}'; list.dispatchEvent(new Event('change', {{bubbles: true}})); return list.value; }})()"
    ))
    .map(drop)
}

#[test]
fn two_looks_are_measured_side_by_side() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        let (before, after) = numbers(&page, 3)?;
        ensure((0.3..0.8).contains(&before), format!("mean cosine before {before}"))?;
        ensure(after < before - 0.1, format!("mean cosine {before} to {after}"))?;
        let (before, after) = numbers(&page, 1)?;
        ensure(before > 0.0 && after > before, format!("alignment {before} to {after}"))?;
        ensure(page.count(".geometry-sphere svg")? == 2, "two spheres")?;
        ensure(page.count(".tune-figures svg")? == 2, "two figures")?;

        // The mean readout is spread out as it is.
        choose(&page, 2, 2, "mean")?;
        page.wait_for_text(".geometry-look.after .quiet", "Mean", 60)?;
        let (_, mean) = numbers(&page, 3)?;
        ensure(mean < 0.15, format!("mean cosine of the mean readout {mean}"))?;
        choose(&page, 1, 4, "whitened")?;
        page.wait_for_text(".geometry-look.before .quiet", "whitened", 60)?;
        let (white, _) = numbers(&page, 3)?;
        ensure(white.abs() < 0.05, format!("mean cosine whitened {white}"))?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn own_sentences_can_be_looked_at_undone_and_survive_a_reload() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        numbers(&page, 3)?;
        page.click(".geometry-corpus .chip:nth-of-type(2)")?;
        page.wait_for_text(".geometry-corpus [role=status]", "different sentences", 10)?;
        page.fill("#geometry-text", "The harbour froze.\nShe plays the cello.")?;
        page.wait_for_text(".geometry-corpus [role=status]", "2 different sentences", 10)?;
        numbers(&page, 3)?;
        page.wait_for_text(".geometry-numbers tbody tr:nth-child(3)", "all 1 pairs", 30)?;
        page.wait_for_text(".geometry-numbers tbody tr:nth-child(1)", "Needs pairs", 10)?;
        // Saved after a pause.
        let saved = "Object.values(localStorage).some((text) => text.includes('harbour'))";
        page.wait_for(saved, 10, "the text is saved")?;
        page.reload()?;
        page.wait_for_text(".geometry-corpus [role=status]", "2 different sentences", 30)?;
        page.fill("#geometry-text", "alone")?;
        page.wait_for_text(".geometry-corpus .note", "Two different sentences", 10)?;
        page.expect_quiet(&site.origin())
    })
}
