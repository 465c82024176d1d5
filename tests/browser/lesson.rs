//! The guided lesson with the real model: every step has its figure and its numbers.

use crate::check::{Check, ensure};
use crate::journey::journey;
use crate::page::Page;

/// Brings a step to reading height.
fn go_to(page: &Page, step: u32) -> Check {
    page.click(&format!(".step-link:nth-child({step})"))?;
    let now = format!("document.querySelector('.step-link[aria-current]')?.innerText === '{step}'");
    page.wait_for(&now, 10, &format!("step {step}")).map(drop)
}

/// The numbers under a cloud: mean cosine and uniformity.
fn cloud(page: &Page, class: &str) -> Check<(f64, f64)> {
    let selector = format!(".cloud.{class} .cloud-numbers b");
    page.wait_for(&format!("document.querySelectorAll('{selector}').length === 2"), 60, class)?;
    let numbers = page.evaluate(&format!(
        "[...document.querySelectorAll('{selector}')].map((b) => Number(b.innerText.replace('−', '-')))"
    ))?;
    let number =
        |place: usize| numbers.get(place).and_then(|value| value.as_f64()).unwrap_or(f64::NAN);
    Ok((number(0), number(1)))
}

#[test]
fn the_lesson_walks_from_the_cone_to_whitening() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/lesson"))?;
        let (mean, uniformity) = cloud(&page, "before")?;
        ensure((0.4..0.7).contains(&mean), format!("mean cosine {mean}"))?;
        ensure((-2.2..-1.2).contains(&uniformity), format!("uniformity {uniformity}"))?;

        page.fill(".field input[type=text]", "She sprained her foot on the staircase.")?;
        page.wait_for_text(".nearest li:first-child", "foot", 30)?;
        page.wait_for_text(".nearest li:first-child", "0.", 5)?;

        go_to(&page, 2)?;
        page.wait_for_element(".cosines svg", 10)?;

        go_to(&page, 3)?;
        let dots = "document.querySelectorAll('.living svg circle').length >= 12";
        page.wait_for(dots, 60, "views at several rates")?;
        page.wait_for_text("#lesson-3 .result", "0.10", 10)?;

        go_to(&page, 4)?;
        page.wait_for_element(".living .heat svg", 10)?;
        page.click("#lesson-4 .chip:nth-of-type(5)")?;
        page.wait_for_text("#lesson-4 .result", "5", 5)?;

        go_to(&page, 6)?;
        page.click("#lesson-6 .chip:nth-of-type(3)")?;
        page.wait_for(
            "document.querySelector('#lesson-6 [aria-pressed=true]').innerText.length > 0",
            5,
            "a subject",
        )?;

        go_to(&page, 7)?;
        ensure(page.count("#lesson-7 tbody tr")? == 7, "seven variants")?;

        go_to(&page, 8)?;
        let (mean, uniformity) = cloud(&page, "whitened")?;
        ensure(mean.abs() < 0.1 && uniformity < -3.0, format!("{mean} {uniformity}"))?;

        go_to(&page, 9)?;
        page.click("#lesson-9 a.primary")?;
        page.wait_for("location.hash === '#/compare'", 5, "Compare")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn the_sphere_turns_with_the_arrow_keys_and_a_sentence_survives_a_reload() -> Check {
    journey(|browser, site| {
        let page = browser.blank()?;
        page.prefer(false, true)?;
        page.go(&site.url("/#/lesson"))?;
        cloud(&page, "before")?;
        let place = "document.querySelector('.sphere svg polygon, .sphere svg path').outerHTML";
        let before = page.evaluate(place)?;
        page.evaluate("document.querySelector('.sphere').focus()")?;
        page.press("ArrowRight")?;
        page.wait_for(&format!("{place} !== {before}"), 5, "the sphere to turn")?;
        page.fill(".field input[type=text]", "Tulips need a cold winter.")?;
        page.wait_for_text(".nearest li:first-child", "ulip", 30)?;
        page.reload()?;
        page.wait_for_text(".nearest li:first-child", "ulip", 60)?;
        page.expect_quiet(&site.origin())
    })
}
