//! The site as such: it loads without a complaint, wherever it lies, and keeps its promises.

use std::time::Duration;

use crate::browser::{Browser, Options};
use crate::check::{Check, ensure};
use crate::compare::{number, number_that};
use crate::journey::{Setup, dist, journey, journey_with};
use crate::server::Site;

/// A visit that ends with the page script having run.
fn quiet_visit(browser: &Browser, site: &Site, path: &str) -> Check {
    let page = browser.open(&site.url(path))?;
    let scripts = "[...document.querySelectorAll('script[src]')].every((script) => \
                   performance.getEntriesByName(script.src).length === 1)";
    page.wait_for(scripts, 20, "all scripts")?;
    let wasm = "performance.getEntriesByType('resource').some((it) => it.name.endsWith('.wasm'))";
    page.wait_for(wasm, 20, "the page's wasm")?;
    page.pause(Duration::from_millis(500))?;
    let shown = page.evaluate(
        "['unsupported', 'incomplete'].filter((id) => document.getElementById(id)?.hidden === false)",
    )?;
    ensure(shown == serde_json::json!([]), format!("the page says it cannot start: {shown}"))?;
    page.expect_quiet(&site.origin())
}

#[test]
fn loads_quietly_at_the_root() -> Check {
    journey(|browser, site| quiet_visit(browser, site, "/"))
}

#[test]
fn loads_quietly_from_a_sub_path_without_touching_the_root() -> Check {
    let setup = Setup { mount: "/some/sub/path/", ..Setup::default() };
    journey_with(&setup, |browser, site| {
        quiet_visit(browser, site, "/")?;
        ensure(site.tally("").requests == 0, "something outside the sub-path was asked for")
    })
}

#[test]
fn bench_page_loads_quietly() -> Check {
    let browser = Options { webgpu: true, ..Options::default() };
    journey_with(&Setup { browser, ..Setup::default() }, |browser, site| {
        quiet_visit(browser, site, "/bench.html")
    })
}

#[test]
fn a_worker_that_is_ready_before_its_page_is_answered() -> Check {
    journey(|browser, site| {
        site.faults(|faults| faults.late = Some(("page-", Duration::from_secs(4))));
        let page = browser.open(&site.url("/"))?;
        number(&page, 60)?;
        page.expect_quiet(&site.origin())?;
        let bench = browser.open(&site.url("/bench.html"))?;
        bench.wait_for("'__bench' in window", 30, "the bench page")?;
        // There is no such model: an answer all the same.
        let answer = bench.evaluate_within(
            60,
            "Promise.race([__bench.load({ model: 'none' }).then(() => 'loaded', () => 'refused'), \
             new Promise((resolve) => setTimeout(resolve, 30000, 'nothing'))])",
        )?;
        ensure(answer == "refused", format!("the bench page's worker answered: {answer}"))
    })
}

#[test]
fn a_page_that_was_visited_opens_without_its_host() -> Check {
    let setup = Setup { mount: "/some/sub/path/", ..Setup::default() };
    journey_with(&setup, |browser, site| {
        let page = browser.open(&site.url("/?kept"))?;
        let first = number(&page, 60)?;
        page.wait_for("!!navigator.serviceWorker.controller", 30, "kept files")?;
        let models = site.tally_models().requests;
        // A program that is fetched when it is wanted, and a file of an older page.
        page.evaluate(
            "(async () => { await fetch(`./${document.querySelector('meta[name=simcse-worker]') \
                .content.match(/gpu=([^&]+)/)[1]}.js`); \
             await (await caches.open('simcse-lab')).put('./old-0123456789abcdef.js', new Response('')); })()",
        )?;
        site.faults(|faults| faults.down = true);
        page.reload()?;
        ensure(number(&page, 60)? == first, "another number without the host")?;
        page.fill(".sentence:nth-of-type(1) textarea", "The lantern hangs over the river.")?;
        number_that(&page, &format!("value !== {first}"), 20, "a new number")?;
        ensure(site.tally_models().requests == models, "the model was asked for")?;
        // With the host back, what it has now is what is shown.
        site.heal();
        let index = std::fs::read_to_string(site.dist().join("index.html"))?;
        let mark = "name=\"simcse-build\" content=\"";
        let newer = index.replace(mark, &format!("{mark}newer "));
        site.faults(|faults| {
            faults.content.insert("index.html".to_owned(), newer.into_bytes());
        });
        page.reload()?;
        number(&page, 60)?;
        let build = page.attribute("meta[name=simcse-build]", "content")?.unwrap_or_default();
        ensure(build.starts_with("newer "), format!("an old page is shown: {build}"))?;
        let names = "caches.open('simcse-lab').then((it) => it.keys()) \
            .then((all) => all.map((it) => it.url.split('/').pop()))";
        let pruned = format!("{names}.then((all) => !all.some((it) => it.startsWith('old-')))");
        page.wait_for(&pruned, 20, "the older file to go")?;
        let kept = format!("{names}.then((all) => all.some((it) => it.startsWith('gpu-')))");
        ensure(page.evaluate(&kept)? == true, "the GPU's program went with it")
    })
}

#[test]
fn policy_forbids_inline_scripts_and_other_hosts() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        let policy = page.attribute("meta[http-equiv=Content-Security-Policy]", "content")?;
        let policy = policy.unwrap_or_default();
        for part in
            ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'"]
        {
            ensure(policy.contains(part), format!("the policy lacks {part}: {policy}"))?;
        }
        page.evaluate(
            "document.head.append(Object.assign(document.createElement('script'), \
             { textContent: 'window.injected = true' }))",
        )?;
        ensure(page.evaluate("window.injected ?? 0")? == 0, "an inline script ran")?;
        let fetched =
            page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'blocked')")?;
        ensure(fetched == "blocked", "a request to another host was let through")?;
        let blocked =
            page.console().iter().filter(|line| line.text.contains("Content Security")).count();
        ensure(blocked >= 2, "the browser did not name the policy as the reason")
    })
}

#[test]
fn page_names_its_build_and_its_workers() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/"))?;
        let build = page.attribute("meta[name=simcse-build]", "content")?.unwrap_or_default();
        ensure(build.contains('+'), format!("no build: {build:?}"))?;
        let missing = page.evaluate(
            "(async () => {
                const files = ['worker', 'trainer', 'puller'].flatMap((name) => {
                    const address = document.querySelector(`meta[name=simcse-${name}]`).content;
                    const [boot, query] = address.split('?');
                    const named = new URLSearchParams(query);
                    // The GPU's program by its name: the worker adds the endings.
                    const gpu = named.get('gpu');
                    named.delete('gpu');
                    return [boot, ...named.values(), ...(gpu ? [`${gpu}.js`, `${gpu}_bg.wasm`] : [])];
                });
                const answers = await Promise.all(files.map((file) => fetch(file)));
                return files.filter((_, i) => !answers[i].ok || !/-[0-9a-f]{16}/.test(files[i]));
            })()",
        )?;
        ensure(missing == serde_json::json!([]), format!("missing or unhashed: {missing}"))
    })
}

#[test]
fn missing_script_is_said_in_words() -> Check {
    journey(|browser, site| {
        let Some(dist) = dist()? else { return Ok(()) };
        for entry in std::fs::read_dir(dist)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("page-") {
                site.faults(|faults| {
                    faults.status.insert(name, 500);
                });
            }
        }
        let page = browser.open(&site.url("/"))?;
        page.wait_for_text("#incomplete:not([hidden])", "reload", 10)?;
        ensure(page.count("#loading[hidden]")? == 1, "it still says that it is loading")
    })
}
