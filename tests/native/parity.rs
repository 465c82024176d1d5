//! The CPU's forward pass against loops so plain that they are unlikely to be wrong.

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::weights::adapter::Change;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::merged::Merged;

use crate::fixture::{self, HEADS, HIDDEN, LAYERS};

type Matrix = Vec<Vec<f64>>;

fn tensor(file: &BertFile, name: &str) -> Matrix {
    let view = file.tensor(name).unwrap();
    let values = view.to_f32().unwrap();
    values.chunks(view.columns).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect()
}

fn linear(file: &BertFile, name: &str, input: &Matrix) -> Matrix {
    let weights = tensor(file, &format!("{name}.weight"));
    let bias = &tensor(file, &format!("{name}.bias"))[0];
    let output = |row: &Vec<f64>, o: usize| {
        bias[o] + row.iter().zip(&weights[o]).map(|(x, w)| x * w).sum::<f64>()
    };
    input.iter().map(|row| (0..weights.len()).map(|o| output(row, o)).collect()).collect()
}

fn norm(file: &BertFile, name: &str, input: &Matrix) -> Matrix {
    let gain = &tensor(file, &format!("{name}.weight"))[0];
    let offset = &tensor(file, &format!("{name}.bias"))[0];
    let epsilon = f64::from(file.config.norm_epsilon);
    let one = |row: &Vec<f64>| {
        let n = row.len() as f64;
        let mean = row.iter().sum::<f64>() / n;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (0..row.len())
            .map(|i| (row[i] - mean) / (variance + epsilon).sqrt() * gain[i] + offset[i])
            .collect()
    };
    input.iter().map(one).collect()
}

fn add(a: &Matrix, b: &Matrix) -> Matrix {
    let sum = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(x, y)| x + y).collect();
    a.iter().zip(b).map(sum).collect()
}

/// The error function by its series.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..300 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    if x.abs() > 5.0 { x.signum() } else { sum * 2.0 / std::f64::consts::PI.sqrt() }
}

fn attention(queries: &Matrix, keys: &Matrix, values: &Matrix) -> Matrix {
    let width = HIDDEN / HEADS;
    let mut output = vec![vec![0.0; HIDDEN]; queries.len()];
    for (i, row) in output.iter_mut().enumerate() {
        for head in 0..HEADS {
            let columns = head * width..(head + 1) * width;
            let score = |j: usize| {
                let dot: f64 = columns.clone().map(|c| queries[i][c] * keys[j][c]).sum();
                (dot / (width as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = (0..keys.len()).map(score).collect();
            let total: f64 = scores.iter().sum();
            for c in columns.clone() {
                row[c] = (0..keys.len()).map(|j| scores[j] / total * values[j][c]).sum();
            }
        }
    }
    output
}

/// Output of every layer, the embedding layer first.
fn layers(file: &BertFile, ids: &[u32]) -> Vec<Matrix> {
    let words = tensor(file, "token_embd.weight");
    let positions = tensor(file, "position_embd.weight");
    let types = tensor(file, "token_types.weight");
    let summed: Matrix = ids
        .iter()
        .enumerate()
        .map(|(at, id)| {
            (0..HIDDEN).map(|c| words[*id as usize][c] + positions[at][c] + types[0][c]).collect()
        })
        .collect();
    let mut all = vec![norm(file, "token_embd_norm", &summed)];
    for layer in 0..LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let input = all[layer].clone();
        let [q, k, v] =
            ["attn_q", "attn_k", "attn_v"].map(|part| linear(file, &name(part), &input));
        let attended = linear(file, &name("attn_output"), &attention(&q, &k, &v));
        let attended = norm(file, &name("attn_output_norm"), &add(&attended, &input));
        let mut wide = linear(file, &name("ffn_up"), &attended);
        for x in wide.iter_mut().flatten() {
            *x = 0.5 * *x * (1.0 + erf(*x / 2.0_f64.sqrt()));
        }
        let output = linear(file, &name("ffn_down"), &wide);
        all.push(norm(file, &name("layer_output_norm"), &add(&output, &attended)));
    }
    all
}

fn unit(row: &[f64]) -> Vec<f64> {
    let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    row.iter().map(|x| x / norm).collect()
}

fn mean(rows: &Matrix) -> Vec<f64> {
    (0..HIDDEN).map(|c| rows.iter().map(|row| row[c]).sum::<f64>() / rows.len() as f64).collect()
}

fn pooled(all: &[Matrix], readout: Readout) -> Vec<f64> {
    let layer = readout.layer.map_or(LAYERS, usize::from);
    match readout.pooling {
        Pooling::Mean => unit(&mean(&all[layer])),
        Pooling::Cls => unit(&all[layer][0]),
        Pooling::FirstLast => unit(&mean(&add(&all[layer.min(1)], &all[layer]))),
        Pooling::ClsMlp => panic!("the fixture has no MLP"),
    }
}

fn assert_close(found: &[f32], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((f64::from(*found) - wanted).abs() < 2e-5, "{what}: {found} for {wanted}");
    }
}

fn readouts() -> impl Iterator<Item = Readout> {
    let poolings = [Pooling::Mean, Pooling::Cls, Pooling::FirstLast];
    let layers = (0..=LAYERS as u16).map(Some).chain([None]);
    layers.flat_map(move |layer| poolings.map(|pooling| Readout { pooling, layer }))
}

#[test]
fn every_readout_equals_the_plain_loops() {
    let file = fixture::file(1);
    let encoder = Encoder::load(Cpu::default(), &file).unwrap();
    for words in [0, 1, 2, 5, 9, 22] {
        let tokens = encoder.tokenise(&fixture::sentence(words, words)).unwrap();
        assert_eq!((tokens.ids.len(), tokens.cut_from), (words + 2, None));
        let all = layers(&file, &tokens.ids);
        for readout in readouts() {
            let what = format!("{words} words, {readout:?}");
            let one = std::slice::from_ref(&tokens);
            let rows = pollster::block_on(encoder.embed(one, readout)).unwrap();
            assert_close(&rows, &pooled(&all, readout), &what);
        }
    }
}

#[test]
fn token_rows_are_the_readout_layers_states() {
    let file = fixture::file(2);
    let encoder = Encoder::load(Cpu::default(), &file).unwrap();
    let tokens = encoder.tokenise("the cats sat on a mat.").unwrap();
    let all = layers(&file, &tokens.ids);
    for readout in readouts() {
        let layer = readout.layer.map_or(LAYERS, usize::from);
        let states = match readout.pooling {
            Pooling::FirstLast => add(&all[layer.min(1)], &all[layer]),
            Pooling::Mean | Pooling::Cls | Pooling::ClsMlp => all[layer].clone(),
        };
        let wanted: Vec<f64> = states.iter().flat_map(|row| unit(row)).collect();
        let rows = pollster::block_on(encoder.token_rows(&tokens, readout)).unwrap();
        assert_close(&rows, &wanted, &format!("{readout:?}"));
    }
}

#[test]
fn company_in_the_batch_changes_nothing() {
    let encoder = Encoder::load(Cpu::default(), &fixture::file(3)).unwrap();
    let sentences: Vec<_> =
        (0..90).map(|i| encoder.tokenise(&fixture::sentence((i * 5) % 23, i)).unwrap()).collect();
    let readout = Readout::last(Pooling::Mean);
    let together = pollster::block_on(encoder.embed(&sentences, readout)).unwrap();
    for (sentence, row) in sentences.iter().zip(together.chunks(HIDDEN)) {
        let alone =
            pollster::block_on(encoder.embed(std::slice::from_ref(sentence), readout)).unwrap();
        let worst = alone.iter().zip(row).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-6, "{} tokens: {worst}", sentence.ids.len());
    }
}

#[test]
fn no_sentences_are_no_rows() {
    let encoder = Encoder::load(Cpu::default(), &fixture::file(4)).unwrap();
    let rows = pollster::block_on(encoder.embed(&[], Readout::last(Pooling::Cls))).unwrap();
    assert!(rows.is_empty());
}

#[test]
fn a_layer_too_many_is_named() {
    let encoder = Encoder::load(Cpu::default(), &fixture::file(5)).unwrap();
    let readout = Readout { pooling: Pooling::Mean, layer: Some(4) };
    let error = pollster::block_on(encoder.embed(&[], readout)).unwrap_err();
    assert_eq!(error.to_string(), "there is no layer 4; choose 0 (the embeddings) to 3 (the last)");
}

#[test]
fn an_added_mlp_reads_the_first_token_through_its_tangent() {
    let file = fixture::file(6);
    let changes = fixture::mlp(6);
    let merged = Merged::new(&file, &changes, 1.0).unwrap();
    let encoder = Encoder::load_merged(Cpu::default(), &merged).unwrap();
    let tokens = encoder.tokenise("the cats sat.").unwrap();
    let all = layers(&file, &tokens.ids);
    let [Change::Added { values: bias, .. }, Change::Added { values: weights, .. }] =
        ["cls.bias", "cls.weight"].map(|name| changes[name].clone())
    else {
        panic!("{changes:?}")
    };
    for (layer, states) in all.iter().enumerate() {
        let cls = &states[0];
        let wanted: Vec<f64> = (0..HIDDEN)
            .map(|o| {
                let row = &weights[o * HIDDEN..][..HIDDEN];
                let dot: f64 = row.iter().zip(cls).map(|(w, x)| f64::from(*w) * x).sum();
                (dot + f64::from(bias[o])).tanh()
            })
            .collect();
        let readout = Readout { pooling: Pooling::ClsMlp, layer: Some(layer as u16) };
        let one = std::slice::from_ref(&tokens);
        let rows = pollster::block_on(encoder.embed(one, readout)).unwrap();
        assert_close(&rows, &unit(&wanted), &format!("layer {layer}"));
    }
    let plain = Encoder::load(Cpu::default(), &file).unwrap();
    let error = plain.begin(Vec::new(), Readout::last(Pooling::ClsMlp)).unwrap_err();
    assert_eq!(Problem::from(&error), Problem::NoMlp);
}
