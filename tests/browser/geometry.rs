//! The geometry lab with the real model: two looks, their measures, the visitor's own sentences.

use crate::check::{Check, ensure};
use crate::journey::journey;
use crate::page::{Page, quote};

/// A measure of A and of B, once both are there and nothing is on its way.
fn numbers(page: &Page, row: u32) -> Check<(f64, f64)> {
    let cells = "[...document.querySelectorAll('.geometry-numbers td.numbers')]";
    let ready = format!(
        "{cells}.length >= 16 && !document.querySelector('.geometry-working') && {cells}[4].innerText !== '–' && {cells}[5].innerText !== '–'"
    );
    page.wait_for(&ready, 90, "both are measured")?;
    let cells = format!(
        "[...document.querySelectorAll('.geometry-numbers tbody tr:nth-child({row}) td.numbers')]"
    );
    let found = page.evaluate(&format!(
        "{cells}.map((cell) => parseFloat(cell.innerText.replace('−', '-')))"
    ))?;
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
        ensure(page.count(".tune-figures svg")? == 3, "cosines, values, bands")?;

        // The mean readout is spread out as it is.
        choose(&page, 2, 2, "mean")?;
        page.wait_for_text(".geometry-look.after .quiet", "Mean", 60)?;
        let (_, mean) = numbers(&page, 3)?;
        ensure(mean < 0.15, format!("mean cosine of the mean readout {mean}"))?;
        choose(&page, 1, 4, "4")?;
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
        page.click(".geometry-own summary")?;
        page.fill("#geometry-text", "The harbour froze.\nShe plays the cello.")?;
        page.wait_for_text(".geometry-corpus [role=status]", "2 different sentences", 10)?;
        numbers(&page, 3)?;
        page.wait_for_text(".geometry-numbers tbody tr:nth-child(2)", "all 1 pairs", 30)?;
        page.wait_for_text(".geometry-numbers tbody tr:nth-child(1)", "Needs pairs", 10)?;
        // Saved after a pause.
        let saved = "Object.values(localStorage).some((text) => text.includes('harbour'))";
        page.wait_for(saved, 10, "the text is saved")?;
        page.reload()?;
        page.wait_for_text(".geometry-corpus [role=status]", "2 different sentences", 30)?;
        page.fill("#geometry-text", "alone")?;
        page.wait_for_text(".geometry-corpus > .note", "Two different sentences", 10)?;
        page.expect_quiet(&site.origin())
    })
}

/// The figure of that title.
fn figure(page: &Page, title: &str) -> Check {
    let titles = "[...document.querySelectorAll('.tune-figure')]";
    let ready = format!(
        "{titles}.some((it) => it.querySelector('h3').innerText === {} && it.querySelector('svg'))",
        quote(title)
    );
    page.wait_for(&ready, 120, title).map(drop)
}

#[test]
fn bands_of_gold_scores_layers_and_every_treatment_are_drawn() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        numbers(&page, 3)?;
        figure(&page, "Cosines by gold score")?;
        let (spearman, _) = numbers(&page, 4)?;
        ensure((50.0..100.0).contains(&spearman), format!("Spearman {spearman}"))?;
        page.evaluate("[...document.querySelectorAll('button')].find((it) => it.innerText === 'Measure all layers').click()")?;
        figure(&page, "Through the layers")?;
        page.wait_for("!document.querySelector('.geometry-working')", 120, "all layers")?;
        for treatment in ["1", "2", "3", "5", "6"] {
            choose(&page, 1, 4, treatment)?;
            page.wait_for("document.querySelector('.geometry-working') === null", 60, "measured")?;
            let (cosine, _) = numbers(&page, 3)?;
            ensure(cosine.abs() < 0.05, format!("mean cosine {cosine} of treatment {treatment}"))?;
        }
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_picture_can_be_held() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        let (before, _) = numbers(&page, 3)?;
        let hold = ".geometry-look.before .geometry-choices button[aria-pressed]";
        page.click(hold)?;
        page.wait_for_text(".geometry-held", "Held as all-MiniLM-L6-v2", 5)?;
        // Another look at it lets it go.
        choose(&page, 1, 2, "mean")?;
        page.wait_for("document.querySelector('.geometry-held') === null", 10, "released")?;
        let (mean, _) = numbers(&page, 3)?;
        ensure(mean < before, format!("mean cosine {before} to {mean}"))?;
        page.expect_quiet(&site.origin())
    })
}
