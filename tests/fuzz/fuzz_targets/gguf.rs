//! Any bytes as a weight file: header, keys, tokeniser, shapes and every value.
//!
//! Seeds: `cp tests/fixtures/tiny_bert.gguf tests/fuzz/corpus/gguf/`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use simcse_lab::weights::bert::BertFile;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = BertFile::read("fuzz", bytes.to_vec(), Some(String::new())) else { return };
    for (name, rows, columns) in file.config.tensors() {
        // What passed the checks is there, in its shape.
        let tensor = file.tensor(&name).unwrap();
        assert_eq!((tensor.rows, tensor.columns), (rows, columns));
        if let Ok(values) = tensor.to_f32() {
            assert_eq!(values.len(), rows * columns);
            assert!(values.iter().all(|value| value.is_finite()));
        }
    }
});
