//! `simcse convert`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;

use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::convert;
use simcse_lab::weights::convert::Checkpoint;

use crate::simcse::arguments::ConvertOptions;
use crate::simcse::bars;
use crate::simcse::model;

/// Reads the checkpoint, converts it, checks the result as a reader would and writes it.
pub fn run(options: &ConvertOptions) -> anyhow::Result<()> {
    let (folder, weights) = locate(&options.input)?;
    let safetensors = fs::read(&weights).with_context(|| missing(&weights))?;
    let config_json = read_text(&folder.join("config.json"))?;
    let tokenizer_json = read_text(&folder.join("tokenizer.json"))?;
    let pooling = match options.pooling {
        Some(pooling) => pooling.into(),
        None => pooling_of(&folder)?,
    };
    let name = match &options.name {
        Some(name) => name.clone(),
        None => folder_name(&folder)?,
    };
    let checkpoint = Checkpoint {
        safetensors: &safetensors,
        config_json: &config_json,
        tokenizer_json: &tokenizer_json,
        name: &name,
        licence: options.licence.as_deref(),
        pooling,
    };
    let bar = bars::bar(0, "tensors")?;
    let bytes = convert::convert(&checkpoint, options.kind.into(), |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    model::save(&name, bytes, &options.out)
}

/// The checkpoint's folder and its weights.
fn locate(input: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    if input.is_dir() {
        return Ok((input.to_owned(), input.join("model.safetensors")));
    }
    anyhow::ensure!(
        input.extension().is_some_and(|extension| extension == "safetensors"),
        "{} is neither a folder nor a .safetensors file; give the folder of the checkpoint",
        input.display(),
    );
    let folder = input.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")).to_owned(), input.to_owned()))
}

fn missing(path: &Path) -> String {
    format!(
        "{} cannot be read; a checkpoint is model.safetensors, config.json and tokenizer.json in \
         one folder",
        path.display()
    )
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| missing(path))
}

fn pooling_of(folder: &Path) -> anyhow::Result<Pooling> {
    let path = folder.join("1_Pooling").join("config.json");
    let text = if path.is_file() { Some(read_text(&path)?) } else { None };
    Ok(convert::pooling_of(text.as_deref(), folder.join("modules.json").is_file())?)
}

fn folder_name(folder: &Path) -> anyhow::Result<String> {
    let whole = folder.canonicalize().with_context(|| missing(folder))?;
    let name = whole.file_name().context("the folder has no name; give one with --name")?;
    Ok(name.to_string_lossy().into_owned())
}
