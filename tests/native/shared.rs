//! Where the data for tests that is not part of the repository lies.

use std::path::PathBuf;

use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::blocks::BlockType;

use crate::checkpoint::{Checkpoint, convert};

/// A path below the shared data, if it is there; says so if it is not.
pub fn data(path: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("SIMCSE_SHARED").map_or(beside, PathBuf::from);
    let found = Some(root.join("data").join(path)).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: no shared data");
    }
    found
}

/// The reference checkpoint as GGUF, if it is there; says so if it is not.
pub fn reference_weights(block: BlockType) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("SIMCSE_REFERENCE_MODEL").map(PathBuf::from) else {
        println!("skipped: no reference weights");
        return None;
    };
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let checkpoint = Checkpoint {
        safetensors: &std::fs::read(folder.join("model.safetensors")).unwrap(),
        config_json: &text("config.json"),
        tokenizer_json: &text("tokenizer.json"),
        name: "all-MiniLM-L6-v2",
        licence: Some("apache-2.0"),
        pooling: Pooling::Mean,
    };
    Some(convert(&checkpoint, block).unwrap())
}
