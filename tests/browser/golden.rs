//! The Python reference's vectors, computed in the browser through the bench page; and whether the
//! browser's bits are those of the native program.

use serde_json::Value;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::weights::bert::BertFile;

use crate::browser::Options;
use crate::check::{Check, Failure, ensure};
use crate::journey::{Setup, journey_with};

/// Lowest cosine to PyTorch's f32 vectors that q8_0 weights may have.
const LOWEST: f64 = 0.998;

/// The golden cases, or nothing where the test skips.
fn cases() -> Check<Option<Vec<Value>>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let shared = std::env::var("SIMCSE_SHARED").unwrap_or_else(|_| beside.to_owned());
    let path = format!("{shared}/data/golden/minilm_golden.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no shared data");
        return Ok(None);
    };
    let golden: Value =
        serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()))?;
    Ok(golden["cases"].as_array().cloned())
}

#[test]
fn golden_sentences_get_the_reference_vectors_whatever_the_worker_count() -> Check {
    check(Options::default(), &[1, 2], None)
}

#[test]
fn an_older_processor_computes_the_same_bits_without_relaxed_simd() -> Check {
    check(Options { old_processor: true, ..Options::default() }, &[1], Some("int8 simd128"))
}

/// Embeds the golden sentences; `device`: what has to compute, where that is known.
fn check(browser: Options, worker_counts: &[u16], device: Option<&str>) -> Check {
    let Some(cases) = cases()? else { return Ok(()) };
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    let weights = std::fs::read(weights).map_err(|error| Failure::new(error.to_string()))?;
    let native = native(&cases, weights.clone())?;
    let texts: Vec<&Value> = cases.iter().map(|case| &case["text"]).collect();
    let texts = serde_json::to_string(&texts).map_err(|error| Failure::new(error.to_string()))?;
    journey_with(&Setup { browser, ..Setup::default() }, |browser, site| {
        site.faults(|faults| {
            faults.content.insert("models/gguf/minilm-q8_0.gguf".to_owned(), weights);
        });
        for workers in worker_counts {
            let page = browser.open(&site.url("/bench.html"))?;
            page.wait_for("!!window.__bench", 20, "the bench entry")?;
            let load = format!(
                "__bench.load({{ backend: 'cpu', workers: {workers}, model: 'minilm-q8_0.gguf' }})"
            );
            let report = page.evaluate_within(60, &load)?;
            let found = report["device"].as_str();
            ensure(device.is_none() || found == device, format!("{found:?} computes"))?;
            let embed = format!(
                "__bench.embed({texts}).then((it) => ({{ dim: it.dim, data: Array.from(it.data) }}))"
            );
            let rows = page.evaluate_within(60, &embed)?;
            judge(&cases, &rows)?;
            let data = rows["data"].as_array().into_iter().flatten();
            let found: Vec<f32> =
                data.filter_map(Value::as_f64).map(|value| value as f32).collect();
            ensure(found == native, format!("{workers} workers: other bits than natively"))?;
        }
        Ok(())
    })
}

/// The rows that this machine's own kernel gives.
fn native(cases: &[Value], weights: Vec<u8>) -> Check<Vec<f32>> {
    let failed = |error: String| Failure::new(error);
    let file = BertFile::read("native", weights, Some(String::new()));
    let file = file.map_err(|error| failed(error.to_string()))?;
    let encoder =
        Encoder::load(Cpu::default(), &file).map_err(|error| failed(error.to_string()))?;
    let texts = cases.iter().filter_map(|case| case["text"].as_str());
    let tokens: Result<Vec<_>, _> = texts.map(|text| encoder.tokenise(text)).collect();
    let tokens = tokens.map_err(|error| failed(error.to_string()))?;
    let rows = pollster::block_on(encoder.embed(&tokens, Readout::last(Pooling::Mean)));
    rows.map_err(|error| failed(error.to_string()))
}

fn judge(cases: &[Value], rows: &Value) -> Check {
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    let dim = usize::try_from(rows["dim"].as_u64().unwrap_or(0)).unwrap_or(0);
    let data = numbers(&rows["data"]);
    ensure(dim == 384 && data.len() == cases.len() * dim, "rows are missing")?;
    for (case, row) in cases.iter().zip(data.chunks_exact(dim)) {
        let reference = numbers(&case["mean"]);
        let cosine: f64 = reference.iter().zip(row).map(|(a, b)| a * b).sum();
        ensure(cosine >= LOWEST, format!("{}: cosine {cosine}", case["name"]))?;
    }
    Ok(())
}
