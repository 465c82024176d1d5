//! How fast maps are made and drawn in the page, with the real model and real sentences: what people
//! read, not what a test judges. `cargo xtask bench --maps` runs it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::check::{Check, Failure, ensure};
use crate::journey::journey;
use crate::page::{Page, output_file};

/// Sentences whose maps are timed, and points that are moved and zoomed.
const SENTENCES: usize = 5_000;
const MANY: usize = 100_000;
/// How long the map is pulled, and zoomed.
const SPAN_MS: u32 = 4_000;

/// Both maps are there.
const FINISHED: &str = "(document.querySelectorAll('.map-quality').length === 2 && !document.querySelector('.map-status progress'))";

/// `__pace(work)` does the work and tells how long it took, and the times between frames meanwhile.
const RECORDER: &str = "
    window.__pace = async (work) => {
        const gaps = [], tasks = [];
        const seen = new PerformanceObserver((list) => list.getEntries().forEach((it) => tasks.push(it.duration)));
        seen.observe({entryTypes: ['longtask']});
        let last = performance.now(), goes = true;
        const beat = (now) => { gaps.push(now - last); last = now; if (goes) requestAnimationFrame(beat); };
        requestAnimationFrame(beat);
        const begun = performance.now();
        await work();
        const ms = performance.now() - begun;
        goes = false;
        seen.disconnect();
        gaps.sort((a, b) => a - b);
        const at = (share) => gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))] ?? 0;
        return {ms, frames: gaps.length, median: at(0.5), late: at(0.95), worst: at(1),
            tasks: tasks.length, longest: Math.max(0, ...tasks)};
    };
    window.__frame = () => new Promise(requestAnimationFrame);
    0";

/// So many different sentences, one a line: those of Tatoeba and Wikipedia, then two of them together.
/// Nothing where this skips.
fn sentences(count: usize) -> Check<Option<String>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let shared = std::env::var("SIMCSE_SHARED").unwrap_or_else(|_| beside.to_owned());
    let read = |name: &str| fs::read_to_string(format!("{shared}/data/sentences/{name}"));
    let (Ok(tatoeba), Ok(wikipedia)) = (read("tatoeba.tsv"), read("wikipedia.txt")) else {
        println!("skipped: no shared data");
        return Ok(None);
    };
    let short = tatoeba.lines().filter_map(|line| line.split('\t').next());
    let mut all: Vec<&str> = short.chain(wikipedia.lines()).filter(|it| it.len() > 3).collect();
    all.sort_unstable();
    all.dedup();
    // A fixed step mixes short and long ones; rounds after the first put two together.
    let step = (1_000..).step_by(7).find(|step| coprime(*step, all.len())).unwrap_or(1);
    let mixed = |place: usize| all[(place % all.len()) * step % all.len()];
    let one = |place: usize| {
        let round = place / all.len();
        let first = mixed(place);
        if round == 0 { first.to_owned() } else { format!("{first} {}", mixed(place + round)) }
    };
    let lines: Vec<String> = (0..count).map(one).collect();
    Ok(Some(lines.join("\n")))
}

fn coprime(mut a: usize, mut b: usize) -> bool {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Opens the lab with these sentences, and waits for both maps.
fn open(page: &Page, text: &str, limit_s: u64) -> Check {
    let file = output_file("pace.txt", text.as_bytes())?;
    page.wait_for(FINISHED, 180, "the first maps")?;
    page.evaluate(RECORDER)?;
    page.click(".geometry-own summary")?;
    page.set_files(".geometry-own input[type=file]", &[Path::new(&file)])?;
    page.wait_for(
        "document.querySelector('.map-status progress, .geometry-working') !== null",
        30,
        "work",
    )?;
    let measured = format!("{FINISHED} && !document.querySelector('.geometry-working')");
    page.wait_for(&measured, limit_s, "maps of these sentences").map(drop)
}

fn number(found: &Value, name: &str) -> Check<f64> {
    let value = found[name].as_f64();
    value.ok_or_else(|| Failure::new(format!("no {name} in {found}")))
}

fn print(what: &str, found: &Value) -> Check {
    let [ms, frames, median, late, worst, tasks, longest] =
        ["ms", "frames", "median", "late", "worst", "tasks", "longest"]
            .map(|name| number(found, name));
    let (frames, tasks) = (frames?, tasks?);
    println!(
        "{what}: {:.2} s, {frames:.0} frames, {:.1} ms apart (median; 95 %: {:.1}, worst {:.1}), {tasks:.0} tasks above 50 ms (longest {:.0})",
        ms? / 1e3,
        median?,
        late?,
        worst?,
        longest?
    );
    ensure(frames > 0.0, format!("{what}: nothing was drawn"))
}

#[test]
#[ignore = "prints times, which are read by people; `cargo xtask bench --maps` runs it"]
fn maps_of_five_thousand_sentences() -> Check {
    let Some(text) = sentences(SENTENCES)? else { return Ok(()) };
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        open(&page, &text, 600)?;
        for method in ["t-SNE", "PCA", "UMAP"] {
            let choose = format!(
                "__pace(async () => {{
                    const list = document.querySelector('.map-method');
                    list.value = {};
                    list.dispatchEvent(new Event('change', {{bubbles: true}}));
                    for (let i = 0; i < 3 || !{FINISHED}; i += 1) await __frame();
                }})",
                json!(method)
            );
            let found = page.evaluate_within(300, &choose)?;
            print(&format!("{SENTENCES} sentences, two maps by {method}"), &found)?;
        }
        Ok(())
    })
}

#[test]
#[ignore = "prints times, which are read by people; `cargo xtask bench --maps` runs it"]
fn queries_of_ten_and_a_hundred_thousand_passages() -> Check {
    for count in [10_000, MANY] {
        let Some(text) = sentences(count)? else { return Ok(()) };
        journey(|browser, site| {
            let page = browser.open(&site.url("/#/search"))?;
            page.wait_for_text(".search-standing", "embedded", 120)?;
            let file = output_file("pace-search.txt", text.as_bytes())?;
            page.drop_files(".search .intro", &[Path::new(&file)])?;
            page.wait_for_element(".search-first li", 60)?;
            page.click(".search-draft .primary")?;
            let begun = Instant::now();
            page.wait_for_text(".search-standing", "All", 2_400)?;
            println!("{count} passages embedded in {:.0} s", begun.elapsed().as_secs_f64());
            for ranking in ["meaning", "both", "keywords"] {
                page.evaluate(&format!(
                    "(() => {{ const list = document.querySelector('.search-ranking'); list.value = '{ranking}'; list.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
                ))?;
                for query in [
                    "where does the river",
                    "a football match that was lost in",
                    "someone is hungry and",
                ] {
                    page.fill("#search-query", &format!("{query} {ranking}"))?;
                    page.pause(Duration::from_millis(1_500))?;
                    println!("{ranking}: {}", page.text(".search-lists [role=status]")?);
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
#[ignore = "prints times, which are read by people; `cargo xtask bench --maps` runs it"]
fn a_hundred_thousand_points_are_pulled_and_zoomed() -> Check {
    let Some(text) = sentences(MANY)? else { return Ok(()) };
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/geometry"))?;
        open(&page, &text, 2_400)?;
        let drawn = page.text(".geometry-corpus [role=status]")?;
        println!("{drawn}");
        let pull = format!(
            "__pace(async () => {{
                const map = document.querySelector('.map-stage');
                map.scrollIntoView({{block: 'center'}});
                const box = map.getBoundingClientRect();
                const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
                const send = (name, dx, buttons) => map.dispatchEvent(new PointerEvent(name, {{bubbles: true, pointerId: 7,
                    clientX: x + dx, clientY: y, button: name === 'pointermove' ? -1 : 0, buttons}}));
                const end = performance.now() + {SPAN_MS};
                send('pointerdown', 0, 1);
                for (let i = 0; performance.now() < end; i += 1) {{ send('pointermove', 120 * Math.sin(i / 20), 1); await __frame(); }}
                send('pointerup', 0, 0);
            }})"
        );
        print("100,000 points, pulled", &page.evaluate_within(60, &pull)?)?;
        let zoom = format!(
            "__pace(async () => {{
                const map = document.querySelector('.map-stage');
                const box = map.getBoundingClientRect();
                const end = performance.now() + {SPAN_MS};
                for (let i = 0; performance.now() < end; i += 1) {{
                    map.dispatchEvent(new WheelEvent('wheel', {{bubbles: true, cancelable: true, ctrlKey: true, deltaY: i % 80 < 40 ? -30 : 30,
                        clientX: box.left + box.width / 3, clientY: box.top + box.height / 3}}));
                    await __frame();
                }}
            }})"
        );
        print("100,000 points, zoomed", &page.evaluate_within(60, &zoom)?)
    })
}
