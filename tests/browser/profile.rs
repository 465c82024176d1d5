//! Where the workers' time goes while they embed and while they train: `cargo xtask bench --profile`
//! builds a site whose worker has function names and runs this.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::check::{Check, Failure, ensure};
use crate::compare::press_button;
use crate::journal::text_of;
use crate::journey::journey;
use crate::page::Worker;

/// How long sentences are embedded under the profiler.
const SPAN_MS: u32 = 6_000;
/// As many functions as fit a screen.
const SHOWN: usize = 40;

/// The benchmark's short sentences as a JavaScript array, or nothing where this skips.
fn sentences() -> Check<Option<Value>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let shared = std::env::var("SIMCSE_SHARED").unwrap_or_else(|_| beside.to_owned());
    let Ok(text) = std::fs::read_to_string(format!("{shared}/bench/data/short256.json")) else {
        println!("skipped: no shared data");
        return Ok(None);
    };
    let set: Value = serde_json::from_str(&text)?;
    Ok(Some(set["sentences"].clone()))
}

#[test]
#[ignore = "prints a profile, which is read by people; `cargo xtask bench --profile` runs it"]
fn self_time_of_embedding_by_function() -> Check {
    let Some(sentences) = sentences()? else { return Ok(()) };
    let threads: u32 =
        std::env::var("SIMCSE_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    let weights = std::fs::read(weights)?;
    journey(|browser, site| {
        site.faults(|faults| {
            faults.content.insert("models/gguf/minilm-q8_0.gguf".to_owned(), weights);
        });
        let page = browser.open(&site.url("/bench.html"))?;
        page.wait_for("!!window.__bench", 20, "the bench entry")?;
        let options = json!({ "backend": "cpu", "threads": threads, "model": "minilm-q8_0.gguf" });
        page.evaluate_within(60, &format!("__bench.load({options}).then(() => 0)"))?;
        // Warm: the optimising compiler has been over everything that counts.
        page.evaluate_within(60, &embed_for(&sentences, SPAN_MS / 3))?;
        let workers = page.workers();
        workers.iter().try_for_each(start_profile)?;
        let embedded = page.evaluate_within(60, &embed_for(&sentences, SPAN_MS))?;
        print_profiles(&workers)?;
        let per_s = embedded.as_f64().unwrap_or(0.0) / f64::from(SPAN_MS) * 1000.0;
        println!("\n{per_s:.0} sentences/s under the profiler, in batches of 32");
        Ok(())
    })
}

#[test]
#[ignore = "prints a profile, which is read by people; `cargo xtask bench --profile` runs it"]
fn self_time_of_training_by_function() -> Check {
    journey(|browser, site| {
        let page = browser.open(&site.url("/#/fine-tune"))?;
        page.wait_for_text(".pill", "q8_0", 60)?;
        press_button(&page, "Train")?;
        // The first measurement is over, and the steps begin.
        page.wait_for_element(".tune-plane svg", 180)?;
        let workers = page.workers();
        workers.iter().try_for_each(start_profile)?;
        page.pause(Duration::from_millis(2 * u64::from(SPAN_MS)))?;
        print_profiles(&workers)
    })
}

fn start_profile(worker: &Worker) -> Check {
    worker.call("Profiler.enable", json!({}))?;
    worker.call("Profiler.setSamplingInterval", json!({ "interval": 500 }))?;
    worker.call("Profiler.start", json!({})).map(drop)
}

/// Ends and prints the profiles of all workers.
fn print_profiles(workers: &[Worker]) -> Check {
    let mut busy_ms = 0.0;
    for (place, worker) in workers.iter().enumerate() {
        busy_ms += print_profile(place, worker)?;
    }
    ensure(busy_ms > 0.0, "the profiler saw no worker compute")
}

/// Embeds batches of 32 for some time; the value is the number of sentences.
fn embed_for(sentences: &Value, span_ms: u32) -> String {
    format!(
        "(async (all) => {{ const end = performance.now() + {span_ms}; let count = 0; \
         while (performance.now() < end) {{ const at = count % 256; \
         await __bench.embed(all.slice(at, at + 32)); count += 32; }} return count; }})({sentences})"
    )
}

/// Ends a worker's profile and prints it; gives the milliseconds in which it was not idle.
fn print_profile(place: usize, worker: &Worker) -> Check<f64> {
    let profile = worker.call("Profiler.stop", json!({}))?["profile"].take();
    let (idle_ms, mut functions) = self_times_ms(&profile)?;
    let busy_ms: f64 = functions.iter().map(|(_, ms)| ms).sum();
    functions.sort_by(|a, b| b.1.total_cmp(&a.1));
    println!("\nworker {place}: {busy_ms:.0} ms busy, {idle_ms:.0} ms idle; self time by function");
    for (name, ms) in functions.iter().take(SHOWN) {
        println!("{:>7.1} ms {:>5.1} %  {name}", ms, 100.0 * ms / busy_ms.max(1e-9));
    }
    Ok(busy_ms)
}

/// Milliseconds of idleness, and of each function by name.
fn self_times_ms(profile: &Value) -> Check<(f64, Vec<(String, f64)>)> {
    let list = |field: &str| {
        let list = profile[field].as_array();
        list.ok_or_else(|| Failure::new(format!("the profile has no {field}")))
    };
    let names: HashMap<u64, &str> = list("nodes")?
        .iter()
        .filter_map(|node| {
            let name = text_of(&node["callFrame"], "functionName");
            Some((node["id"].as_u64()?, without_hash(name)))
        })
        .collect();
    let mut times: HashMap<&str, f64> = HashMap::new();
    for (sample, delta_us) in list("samples")?.iter().zip(list("timeDeltas")?) {
        let name = sample.as_u64().and_then(|id| names.get(&id)).copied().unwrap_or("?");
        *times.entry(name).or_default() += delta_us.as_f64().unwrap_or(0.0) / 1000.0;
    }
    let idle_ms = times.remove("(idle)").unwrap_or(0.0) + times.remove("(program)").unwrap_or(0.0);
    Ok((idle_ms, times.into_iter().map(|(name, ms)| (name.to_owned(), ms)).collect()))
}

/// A function's name without the compiler's `::h0123456789abcdef`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 => path,
        _ => name,
    }
}

#[test]
fn self_times_are_summed_by_name() -> Check {
    let profile = json!({
        "nodes": [
            { "id": 1, "callFrame": { "functionName": "(idle)" } },
            { "id": 2, "callFrame": { "functionName": "simd::dot::h0123456789abcdef" } },
            { "id": 3, "callFrame": { "functionName": "simd::dot::hfedcba9876543210" } },
        ],
        "samples": [1, 2, 3, 2],
        "timeDeltas": [500, 1000, 2000, 4000],
    });
    let (idle_ms, functions) = self_times_ms(&profile)?;
    ensure(idle_ms == 0.5, "idle time")?;
    ensure(functions == [("simd::dot".to_owned(), 7.0)], format!("{functions:?}"))
}
