//! The map of the geometry lab with the real model: points, neighbours, lasso, query, A to B, files.

use crate::check::{Check, ensure};
use crate::journey::journey;
use crate::page::{Page, quote};

/// Waits until both maps are finished and judged.
fn finished(page: &Page, limit_s: u64) -> Check {
    let ready = "document.querySelectorAll('.map-quality').length === 2 && !document.querySelector('.map-status progress')";
    page.wait_for(ready, limit_s, "both maps").map(drop)
}

/// Chooses in a list.
fn choose(page: &Page, selector: &str, value: &str) -> Check {
    let (selector, value) = (quote(selector), quote(value));
    page.evaluate(&format!(
        "(() => {{ const list = document.querySelector({selector}); list.value = {value}; list.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    ))
    .map(drop)
}

/// Draws with the pointer along places of the map, given as shares of its width and height.
fn draw(page: &Page, places: &[(f64, f64)], shift: bool) -> Check {
    let places: Vec<String> = places.iter().map(|(x, y)| format!("[{x}, {y}]")).collect();
    page.evaluate(&format!(
        "(() => {{
            const map = document.querySelector('.map-stage');
            map.scrollIntoView({{block: 'center'}});
            const box = map.getBoundingClientRect();
            const places = [{}].map(([x, y]) => [box.left + x * box.width, box.top + y * box.height]);
            const send = (name, [x, y], buttons) => map.dispatchEvent(new PointerEvent(name, {{
                bubbles: true, pointerId: 7, clientX: x, clientY: y, button: name === 'pointermove' ? -1 : 0, buttons, shiftKey: {shift},
            }}));
            send('pointerdown', places[0], 1);
            places.slice(1).forEach((place) => send('pointermove', place, 1));
            send('pointerup', places.at(-1), 0);
        }})()",
        places.join(", ")
    ))
    .map(drop)
}

/// The canvas's picture as one number, once it stands still for six frames: what the page says is
/// drawn with the frame after, and after a change of the map's size once more. (Reading its pixels
/// often makes the browser warn.)
fn picture(page: &Page) -> Check<f64> {
    let sum = page.evaluate(
        "(async () => {
            const drawn = () => [...document.querySelector('.map-stage canvas').toDataURL()]
                .reduce((sum, it) => (sum * 31 + it.charCodeAt(0)) % 1000000007, 0);
            const frame = () => new Promise(requestAnimationFrame);
            let before;
            let now = null;
            while (now !== before) {
                before = now;
                for (let count = 0; count < 6; count += 1) await frame();
                now = drawn();
            }
            return now;
        })()",
    )?;
    Ok(sum.as_f64().unwrap_or_default())
}

/// Waits for a picture that is another one.
fn wait_for_another(page: &Page, before: f64) -> Check<f64> {
    for _ in 0..50 {
        let now = picture(page)?;
        if now != before {
            return Ok(now);
        }
        page.pause(std::time::Duration::from_millis(100))?;
    }
    Err(page.failure("the map did not change"))
}

/// Waits for a picture that was there before.
fn wait_for_same(page: &Page, before: f64) -> Check<f64> {
    for _ in 0..50 {
        if picture(page)? == before {
            return Ok(before);
        }
        page.pause(std::time::Duration::from_millis(100))?;
    }
    Err(page.failure("the map did not become what it was"))
}

#[test]
fn a_map_is_made_played_zoomed_and_selected_from() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        finished(&page, 120)?;
        page.wait_for_text(".map-quality", "variance", 10)?;
        // Rings are pixels: without them it is another picture.
        let ringed = picture(&page)?;
        page.click(".map-check input")?;
        wait_for_another(&page, ringed)?;
        page.click(".map-check input")?;
        let whole = wait_for_same(&page, ringed)?;
        page.click(".map-play")?;
        page.wait_for("document.querySelector('.map-slider input').value === '100'", 10, "B")?;
        let b = wait_for_another(&page, whole)?;

        // Nearer, and all of it again.
        page.click(".map-tools button:nth-child(1)")?;
        wait_for_another(&page, b)?;
        page.evaluate("document.querySelector('.map-stage').focus()")?;
        page.press("0")?;
        page.wait_for("document.querySelector('.map-slider input').value === '100'", 5, "B")?;

        // Everything in a lasso, then nothing.
        page.press("l")?;
        let around = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        draw(&page, &around, false)?;
        let count = page.wait_for_text(".map-selection h4", "selected", 10)?;
        let facts = page.text(".geometry-corpus [role=status]")?;
        let first = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
        ensure(first(&count) == first(&facts), format!("{count} of {facts}"))?;
        let selected = picture(&page)?;
        page.evaluate("document.querySelector('.map-stage').focus()")?;
        page.press("Escape")?;
        page.wait_for_element(".map-none", 10)?;
        wait_for_another(&page, selected)?;
        draw(&page, &[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)], true)?;
        page.wait_for_element(".map-selection .map-row", 10)?;
        page.click(".map-selection .map-row")?;
        page.wait_for(
            "document.querySelectorAll('.map-near .map-row').length === 10",
            20,
            "neighbours",
        )?;
        // They are drawn with the next frame.
        let lines = "document.querySelectorAll('.map-over line').length === 10";
        page.wait_for(lines, 10, "lines to the neighbours")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn a_query_is_found_on_the_map_and_the_map_is_a_file() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        finished(&page, 120)?;
        let before = picture(&page)?;
        page.fill(".map-query input", "Someone plays the guitar.")?;
        page.wait_for("document.querySelectorAll('.map-found .map-row').length === 10", 20, "ten")?;
        wait_for_another(&page, before)?;
        page.wait_for_element(".map-ramp", 5)?;
        ensure(page.value(".map-colour")? == "Query", "the query's colours")?;
        page.fill(".map-query input", "")?;
        page.wait_for("!document.querySelector('.map-found')", 10, "no query")?;

        page.click(".map .tune-menu summary")?;
        let (name, bytes) =
            browser.download(20, || page.click(".map .tune-menu button:nth-child(3)"))?;
        ensure(name == "simcse-geometry-map.csv", name.clone())?;
        let table = String::from_utf8_lossy(&bytes).into_owned();
        let lines = table.lines().count();
        ensure(table.starts_with("position,sentence,topic") && lines > 100, format!("{lines}"))?;
        let (_, svg) =
            browser.download(20, || page.click(".map .tune-menu button:nth-child(2)"))?;
        let svg = String::from_utf8_lossy(&svg).into_owned();
        ensure(svg.matches("h0").count() >= lines - 1, "a dot for every sentence")?;
        page.expect_quiet(&site.origin())
    })
}

#[test]
fn tsne_moves_can_be_stopped_and_its_settings_survive() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        finished(&page, 120)?;
        choose(&page, ".map-method", "t-SNE")?;
        page.wait_for_element(".map-parameters", 5)?;
        finished(&page, 180)?;
        page.wait_for(
            "!document.querySelector('.map-quality').innerText.includes('variance')",
            60,
            "t-SNE",
        )?;
        choose(&page, ".map-colour", "Plain")?;
        page.wait_for("localStorage.length > 0 && Object.values(localStorage).some((it) => it.includes('Tsne'))", 10, "saved")?;
        page.reload()?;
        page.wait_for("document.querySelector('.map-method')?.value === 't-SNE'", 30, "t-SNE")?;
        page.expect_quiet(&site.origin())
    })
}
