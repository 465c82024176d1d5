//! `simcse convert` and `simcse pull`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use simcse_lab::intake::description::{Description, Known, Papers, SMALL_FILES, weights_among};
use simcse_lab::intake::drive;
use simcse_lab::intake::order::{Found, Wish, look_up};
use simcse_lab::intake::{Intake, WeightsFile};
use simcse_lab::protocol::models::HUB;

use crate::simcse::arguments::{ConvertOptions, PullOptions};
use crate::simcse::bars;
use crate::simcse::checkpoint::{Disk, Failed, Keeper, Remote};
use crate::simcse::model;

/// Reads the checkpoint, converts it, checks the result as a reader would and writes it.
pub fn run(options: &ConvertOptions) -> anyhow::Result<()> {
    let (folder, weights) = locate(&options.input)?;
    let mut papers = Papers::new();
    for name in SMALL_FILES {
        let path = folder.join(name);
        if path.is_file() {
            let text = fs::read_to_string(&path).with_context(|| missing(&path))?;
            papers.insert(name.to_owned(), text);
        }
    }
    let name = match &options.name {
        Some(name) => name.clone(),
        None => folder_name(&folder)?,
    };
    let known = Known {
        name: name.clone(),
        licence: options.licence.clone(),
        source: None,
        pooling: options.pooling.map(Into::into),
    };
    let description = Description::read(&papers, &known)?;
    let files = weights.iter().map(|path| weights_file(path)).collect::<Result<_, _>>()?;
    let mut disk = Disk::new(weights, bars::bytes()?);
    let converted = drive::convert(&mut disk, &description, files, options.kind.into());
    let bytes = pollster::block_on(converted).map_err(|Failed(error)| error)?;
    disk.bar.finish_and_clear();
    model::save(&name, bytes, &options.out)
}

/// Fetches a checkpoint and converts it on the way, or a model as it is.
pub fn pull(options: &PullOptions) -> anyhow::Result<()> {
    let hub = options.hub.clone().unwrap_or_else(|| HUB.to_owned());
    let pulled = pollster::block_on(fetch(options, &hub));
    let Pulled { name, bytes, keeper } = pulled.map_err(|Failed(error)| error)?;
    model::save(&name, bytes, &options.out)?;
    if let Some(keeper) = keeper {
        keeper.remove();
    }
    Ok(())
}

struct Pulled {
    name: String,
    bytes: Vec<u8>,
    /// Of a checkpoint; a file that is kept as it is begins anew.
    keeper: Option<Keeper>,
}

async fn fetch(options: &PullOptions, hub: &str) -> Result<Pulled, Failed> {
    let block = options.kind.into();
    let wish = Wish { block, pooling: options.pooling.map(Into::into), available_bytes: None };
    let mut remote = Remote::new(bars::bytes()?);
    let order = match look_up(&mut remote, &options.repository, hub, wish).await? {
        Found::Checkpoint(order) => *order,
        Found::Ready(file) => {
            remote.urls = vec![file.url];
            remote.sizes = vec![file.size_bytes];
            let sha256 = file.sha256.as_deref();
            let whole = drive::whole(&mut remote, &file.name, file.size_bytes, sha256).await?;
            remote.bar.finish_and_clear();
            return Ok(Pulled { name: file.name, bytes: whole.0, keeper: None });
        }
    };
    remote.urls = order.urls;
    let mut files = order.files;
    drive::index(&mut remote, &mut files).await?;
    remote.sizes = files.iter().map(|file| file.size_bytes).collect();
    let mut intake = Intake::new(&order.description, files, block)?;
    let mut keeper = Keeper::new(&options.out, &order.identity);
    if let Some(from) = keeper.resume(&mut intake).await {
        eprintln!("going on behind {} MB that an earlier run fetched", from / 1_000_000);
    }
    remote.keeper = Some(keeper);
    drive::run(&mut remote, &mut intake).await?;
    remote.bar.finish_and_clear();
    let (name, bytes) = (order.description.config.name, intake.finish()?);
    Ok(Pulled { name, bytes, keeper: remote.keeper.take() })
}

fn weights_file(path: &Path) -> anyhow::Result<WeightsFile> {
    let size_bytes = fs::metadata(path).with_context(|| missing(path))?.len();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(WeightsFile {
        name: name.unwrap_or_default(),
        size_bytes,
        sha256: None,
        tensors: Vec::new(),
    })
}

/// The checkpoint's folder and its weights: a single file, or all of a series.
fn locate(input: &Path) -> anyhow::Result<(PathBuf, Vec<PathBuf>)> {
    if input.is_dir() {
        return Ok((input.to_owned(), weights_in(input)?));
    }
    anyhow::ensure!(
        input.extension().is_some_and(|extension| extension == "safetensors" || extension == "bin"),
        "{} is neither a folder nor a .safetensors or .bin file; give the folder of the checkpoint",
        input.display(),
    );
    let folder = input.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")).to_owned(), vec![input.to_owned()]))
}

fn weights_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let names = fs::read_dir(folder).with_context(|| missing(folder))?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<_> = names.filter(|name| folder.join(name).is_file()).collect();
    let found = weights_among(names.iter().map(String::as_str));
    anyhow::ensure!(!found.is_empty(), "{}", missing(&folder.join("model.safetensors")));
    Ok(found.into_iter().map(|name| folder.join(name)).collect())
}

fn missing(path: &Path) -> String {
    format!(
        "{} cannot be read; a checkpoint is model.safetensors (or pytorch_model.bin), config.json and \
         a tokeniser (tokenizer.json, or vocab.txt, or vocab.json and merges.txt) in one folder",
        path.display()
    )
}

fn folder_name(folder: &Path) -> anyhow::Result<String> {
    let whole = folder.canonicalize().with_context(|| missing(folder))?;
    let name = whole.file_name().context("the folder has no name; give one with --name")?;
    Ok(name.to_string_lossy().into_owned())
}
