//! A checkpoint's way into memory and into the browser's store: from a hub, or from the visitor's disk.

use std::cell::Cell;

use web_sys::AbortSignal;

use crate::browser::fetching::{Fetching, Halt, Place, disk_file, slice};
use crate::browser::keeper::{Keeper, forget_part};
use crate::browser::model_shelf;
use crate::browser::worker_scope::memory_gib;
use crate::intake::description::{Description, Known, Papers, SMALL_FILES};
use crate::intake::drive;
use crate::intake::order::{self, Found, Order, ReadyFile, look_up};
use crate::intake::{Intake, WeightsFile};
use crate::protocol::Revision;
use crate::protocol::event::{Event, LoadingStage};
use crate::protocol::models::{KeptModel, LocalFile, Pull, Wish};
use crate::protocol::problem::{HubFault, Problem};
use crate::weights::bert::{BertFile, sha256};
use crate::weights::blocks::BlockType;

/// A model that was made.
#[derive(Debug)]
pub struct Made {
    pub model: KeptModel,
    /// Its file, where the store does not keep it.
    pub bytes: Option<Vec<u8>>,
}

/// Memory that may be had where the browser does not say how much there is: 2 GB, half of what wasm can
/// address.
const USUAL_BYTES: u64 = 2 << 30;
/// Wasm can address 4 GB; helpers and the page need some of it.
const MOST_BYTES: u64 = 3 << 30;

/// Half of the device's memory, as far as it is known.
fn available_bytes() -> u64 {
    let half = memory_gib().map(|gib| (gib * 0.5 * f64::from(1 << 30)) as u64);
    half.unwrap_or(USUAL_BYTES).min(MOST_BYTES)
}

fn wish_of(wish: &Wish) -> order::Wish {
    order::Wish {
        block: BlockType::from_name(&wish.quantisation).unwrap_or(BlockType::Q8_0),
        pooling: wish.pooling,
        available_bytes: Some(available_bytes()),
    }
}

/// Fetches a repository's checkpoint, quantising it on its way, and keeps what it becomes. Tells `post` how
/// it goes: `Loading`.
///
/// # Errors
/// [`Halt`]. What was made is kept for the next time.
pub async fn pull(
    revision: Revision,
    pull: &Pull,
    signal: &AbortSignal,
    post: &impl Fn(Event),
) -> Result<Made, Halt> {
    let tell = |stage, done_bytes, total_bytes| {
        post(Event::Loading { revision, stage, done_bytes, total_bytes });
    };
    tell(LoadingStage::LookingUp, 0, 0);
    let wish = wish_of(&pull.wish);
    let stage = Cell::new(LoadingStage::Quantising);
    let coming = |done, total| tell(stage.get(), done, total);
    let mut fetching = Fetching::new(signal, coming);
    match look_up(&mut fetching, &pull.repository, &pull.hub, wish).await? {
        Found::Checkpoint(order) => {
            fetching.places = order.urls.iter().cloned().map(Place::Address).collect();
            make(fetching, *order, wish.block).await
        }
        Found::Ready(file) => {
            stage.set(LoadingStage::Downloading);
            take_whole(fetching, file).await
        }
    }
}

/// Fetches a model that is kept as it is.
async fn take_whole<P: Fn(u64, u64)>(
    mut fetching: Fetching<'_, P>,
    file: ReadyFile,
) -> Result<Made, Halt> {
    let ReadyFile { name, url, size_bytes, sha256, source } = file;
    fetching.places = vec![Place::Address(url)];
    fetching.sizes = vec![size_bytes];
    let (bytes, found) = drive::whole(&mut fetching, &name, size_bytes, sha256.as_deref()).await?;
    let read = BertFile::read(&name, bytes, Some(found))?;
    let block = read.quantisation();
    let described = model_shelf::described(&read.config, &read.sha256, block, size_bytes);
    let model = KeptModel { source: Some(source), ..described };
    let is_kept = model_shelf::keep(model.clone(), read.bytes()).await;
    Ok(Made { model, bytes: (!is_kept).then(|| read.bytes().to_vec()) })
}

/// Reads a checkpoint from the visitor's disk, likewise.
///
/// # Errors
/// [`Halt`].
pub async fn take_files(
    revision: Revision,
    files: &[LocalFile],
    wish: &Wish,
    signal: &AbortSignal,
    post: &impl Fn(Event),
) -> Result<Made, Halt> {
    let tell = |done_bytes, total_bytes| {
        let stage = LoadingStage::Quantising;
        post(Event::Loading { revision, stage, done_bytes, total_bytes });
    };
    tell(0, 0);
    let wish = wish_of(wish);
    let mut papers = Papers::new();
    let mut weights = Vec::new();
    for file in files {
        let path = file.path.as_str();
        let small = SMALL_FILES.iter().find(|name| is_named(path, name));
        if let Some(small) = small {
            let blob = disk_file(&file.url, path).await?;
            let bytes = slice(&blob, 0..file.size_bytes).await?;
            papers.insert((*small).to_owned(), order::text(path, bytes)?);
        } else if is_weights(path) {
            let place = Place::Disk(disk_file(&file.url, path).await?);
            let (name, size_bytes) = (path.to_owned(), file.size_bytes);
            let file = WeightsFile { name, size_bytes, sha256: None, tensors: Vec::new() };
            weights.push((file, place));
        }
    }
    // A folder may hold the same tensors in both formats.
    let is_safe = |file: &WeightsFile| file.name.ends_with(".safetensors");
    if weights.iter().any(|(file, _)| is_safe(file)) {
        weights.retain(|(file, _)| is_safe(file));
    }
    let name = folder_of(files);
    if weights.is_empty() {
        let (fault, detail) = (HubFault::NoWeights, String::new());
        return Err(Problem::Hub { name, fault, detail }.into());
    }
    let known =
        Known { name: name.clone(), source: Some(name), pooling: wish.pooling, ..Known::default() };
    let description = Description::read(&papers, &known)?;
    order::check_size(&description, wish)?;
    let identity =
        format!("{} {:?} {}", wish.block.name(), known, description.tokenizer_json.len());
    let mut fetching = Fetching::new(signal, tell);
    let (files, places) = weights.into_iter().unzip();
    fetching.places = places;
    let order = Order { description, files, urls: Vec::new(), identity };
    make(fetching, order, wish.block).await
}

/// Whether a dropped path is the small file of that name, in the folder or below it.
fn is_named(path: &str, name: &str) -> bool {
    let ends = path.strip_suffix(name);
    // `1_Pooling/config.json` is not `config.json`.
    ends.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        && (name.contains('/') || !path.contains("1_"))
}

fn is_weights(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".safetensors") || (name.ends_with(".bin") && !name.starts_with("training_args"))
}

fn folder_of(files: &[LocalFile]) -> String {
    let first = files.first().map(|file| file.path.as_str()).unwrap_or_default();
    let folder = first.split_once('/').map(|(folder, _)| folder);
    let stem = || first.rsplit_once('.').map_or(first, |(stem, _)| stem);
    folder.unwrap_or_else(stem).to_owned()
}

async fn make<P: Fn(u64, u64)>(
    mut fetching: Fetching<'_, P>,
    order: Order,
    block: BlockType,
) -> Result<Made, Halt> {
    let Order { description, mut files, identity, .. } = order;
    fetching.sizes = files.iter().map(|file| file.size_bytes).collect();
    drive::index(&mut fetching, &mut files).await?;
    let mut intake = Intake::new(&description, files, block)?;
    fetching.keeper = Keeper::open(&identity, &mut intake).await;
    if let Err(halt) = drive::run(&mut fetching, &mut intake).await {
        drop(fetching.keeper.take());
        // A connection that broke is taken up again; what is wrong would stay wrong.
        let may_go_on = matches!(
            &halt,
            Halt::Stopped | Halt::Problem(Problem::Network { .. } | Problem::Hub { .. })
        );
        if !may_go_on {
            forget_part().await;
        }
        return Err(halt);
    }
    let keeper = fetching.keeper.take();
    let bytes = intake.finish()?;
    let sha256 = sha256(&bytes);
    let size_bytes = bytes.len() as u64;
    let model = model_shelf::described(&description.config, &sha256, block, size_bytes);
    let is_kept = match keeper {
        Some(keeper) => keeper.finish(&model.sha256).await,
        None => false,
    };
    let is_kept = if is_kept {
        model_shelf::note(model.clone()).await;
        true
    } else {
        forget_part().await;
        model_shelf::keep(model.clone(), &bytes).await
    };
    Ok(Made { model, bytes: (!is_kept).then_some(bytes) })
}
