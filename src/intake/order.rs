//! What a repository of a hub is to become: looked up, read, and judged before the first weight is fetched.

use crate::intake::WeightsFile;
use crate::intake::address::FileAddress;
use crate::intake::description::{Description, Known, Papers, SMALL_FILES, is_superfluous};
use crate::intake::hub::{Listing, MOST_LISTING_BYTES, MOST_SMALL_FILE_BYTES, Repository};
use crate::protocol::problem::{HubFault, Problem};
use crate::protocol::readout::Pooling;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;

/// Fetches small files whole.
#[allow(async_fn_in_trait, reason = "as of `drive::Source`")]
pub trait Get {
    type Error: From<Problem> + From<Error>;

    /// What is at an address: `name` is for messages.
    async fn get(&mut self, url: &str, name: &str, most_bytes: u64)
    -> Result<Vec<u8>, Self::Error>;

    /// Whether the server says that there is nothing, or nothing for everybody: some say that of what is
    /// not there.
    fn is_absence(error: &Self::Error) -> bool;

    /// As [`Get::get`]; `None` where there is nothing.
    async fn get_if_there(
        &mut self,
        url: &str,
        name: &str,
        most_bytes: u64,
    ) -> Result<Option<Vec<u8>>, Self::Error> {
        match self.get(url, name, most_bytes).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if Self::is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How long the file at an address is; 0 where the server does not tell.
    async fn size(&mut self, url: &str, name: &str) -> Result<u64, Self::Error>;
}

/// What a name or an address leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    Checkpoint(Box<Order>),
    /// A model as it is used here.
    Ready(ReadyFile),
}

/// A checkpoint that is ready to be fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub description: Description,
    /// Their indexes are still to be read.
    pub files: Vec<WeightsFile>,
    /// One a file.
    pub urls: Vec<String>,
    /// Tells this checkpoint from all others, in this number format: what a bookmark is good for.
    pub identity: String,
}

/// A GGUF file that is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyFile {
    /// For a model that does not say its own.
    pub name: String,
    pub url: String,
    pub size_bytes: u64,
    /// Lower-case hexadecimal, where a hub says it.
    pub sha256: Option<String>,
    /// Where it comes from, for the reader.
    pub source: String,
}

/// What is wanted of a repository.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    pub block: BlockType,
    /// The readout the file is to ask for, whatever the repository says.
    pub pooling: Option<Pooling>,
    /// How much memory may be needed to run it; `None`: however much.
    pub available_bytes: Option<u64>,
}

/// Looks up what a visitor typed, a repository's name or address or a file's address, and reads the small
/// files.
///
/// # Errors
/// What `get` says, [`Problem::Hub`], [`Problem::TooLarge`], and as [`Description::read`].
pub async fn look_up<G: Get>(
    get: &mut G,
    text: &str,
    hub: &str,
    wish: Wish,
) -> Result<Found, G::Error> {
    match FileAddress::parse(text) {
        None => look_up_repository(get, &Repository::parse(text, hub)?, wish).await,
        Some(address) if address.is_gguf() => {
            let size_bytes = size_of(get, &address.url, &address.name).await?;
            let (name, url) = (address.model_name(), address.url.clone());
            let ready =
                ReadyFile { name, url, size_bytes, sha256: None, source: address.url.clone() };
            Ok(Found::Ready(check_ready(ready, wish)?))
        }
        Some(address) => look_beside(get, &address, wish).await,
    }
}

async fn look_up_repository<G: Get>(
    get: &mut G,
    repository: &Repository,
    wish: Wish,
) -> Result<Found, G::Error> {
    let name = &repository.name;
    let json = get.get(&repository.listing_url(), name, MOST_LISTING_BYTES).await?;
    let listing = Listing::read(repository, &json)?;
    let source = format!("{}/{name}@{}", repository.hub, listing.commit);
    let short = name.rsplit('/').next().unwrap_or(name).to_owned();
    let files = match listing.weights(repository) {
        Ok(files) => files,
        Err(problem) => {
            let (path, file) = listing.gguf(wish.block).ok_or(problem)?;
            let url = repository.file_url(&listing.commit, path);
            let (size_bytes, sha256) = (file.size_bytes, file.sha256.clone());
            let ready = ReadyFile { name: short, url, size_bytes, sha256, source };
            return Ok(Found::Ready(check_ready(ready, wish)?));
        }
    };
    let mut papers = Papers::new();
    for path in listing.small_files() {
        let url = repository.file_url(&listing.commit, path);
        let bytes = get.get(&url, path, MOST_SMALL_FILE_BYTES).await?;
        papers.insert(path.to_owned(), text(path, bytes)?);
    }
    let known = Known {
        name: short,
        licence: listing.licence.clone(),
        source: Some(source),
        pooling: wish.pooling,
    };
    let urls = files.iter().map(|file| repository.file_url(&listing.commit, &file.name)).collect();
    Ok(Found::Checkpoint(Box::new(Order::new(&papers, &known, files, urls, wish)?)))
}

/// A checkpoint of which one weights file's address is known.
async fn look_beside<G: Get>(
    get: &mut G,
    address: &FileAddress,
    wish: Wish,
) -> Result<Found, G::Error> {
    let mut papers = Papers::new();
    for path in SMALL_FILES {
        if is_superfluous(path, papers.contains_key("tokenizer.json")) {
            continue;
        }
        let url = address.beside(path);
        if let Some(bytes) = get.get_if_there(&url, path, MOST_SMALL_FILE_BYTES).await? {
            papers.insert(path.to_owned(), text(path, bytes)?);
        }
    }
    let (mut files, mut urls) = (Vec::new(), Vec::new());
    for (name, url) in address.series() {
        let size_bytes = size_of(get, &url, &name).await?;
        files.push(WeightsFile { name, size_bytes, sha256: None, tensors: Vec::new() });
        urls.push(url);
    }
    let known = Known {
        name: address.model_name(),
        licence: None,
        source: Some(address.url.clone()),
        pooling: wish.pooling,
    };
    Ok(Found::Checkpoint(Box::new(Order::new(&papers, &known, files, urls, wish)?)))
}

/// The size of a weights file, which must be known before it is read.
async fn size_of<G: Get>(get: &mut G, url: &str, name: &str) -> Result<u64, G::Error> {
    match get.size(url, name).await? {
        0 => {
            let (name, detail) = (name.to_owned(), String::new());
            Err(Problem::Hub { name, fault: HubFault::NoSize, detail }.into())
        }
        size_bytes => Ok(size_bytes),
    }
}

impl Order {
    fn new(
        papers: &Papers,
        known: &Known,
        files: Vec<WeightsFile>,
        urls: Vec<String>,
        wish: Wish,
    ) -> Result<Self, Problem> {
        let read = Description::read(papers, known);
        let description = read.map_err(|error| Problem::from(&error))?;
        check_size(&description, wish)?;
        let sizes = files.iter().map(|file| format!("{} {:?}", file.size_bytes, file.sha256));
        let sizes = sizes.collect::<Vec<_>>().join(" ");
        let pooling = description.config.pooling.name();
        let source = known.source.as_deref().unwrap_or_default();
        let identity = format!("{source} {} {pooling} {sizes}", wish.block.name());
        Ok(Self { description, files, urls, identity })
    }
}

/// The text of a small file.
///
/// # Errors
/// [`Error::Source`] where it is none.
pub fn text(path: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::Source {
        file: path.to_owned(),
        detail: "it is no text (UTF-8)".to_owned(),
    })
}

/// A small file is longer than it may be.
pub fn too_long(path: &str, most_bytes: u64) -> Error {
    Error::Source { file: path.to_owned(), detail: format!("it is longer than {most_bytes} bytes") }
}

/// Beside the weights: tokens on their way, the tokeniser, the program.
const ELSE_BYTES: u64 = 64 << 20;

/// Memory that a model needs to run, about: its file stays (the token table is read from it), and its
/// linear layers are laid out once more, a byte a number and a scale a block.
pub fn needed_bytes(description: &Description, block: BlockType) -> u64 {
    let mut needed = ELSE_BYTES + description.tokenizer_json.len() as u64 * 3;
    for (name, rows, columns) in description.config.tensors() {
        let values = (rows as u64).saturating_mul(columns as u64);
        let stored = values / block.block_values() as u64 * block.block_bytes() as u64;
        needed = needed.saturating_add(stored);
        if name.starts_with("blk.") {
            needed = needed.saturating_add(values / 8 * 9);
        }
    }
    needed
}

/// Refuses a file that cannot run here: it stays, and its linear layers are laid out once more.
fn check_ready(ready: ReadyFile, wish: Wish) -> Result<ReadyFile, Problem> {
    let needed_bytes = ELSE_BYTES.saturating_add(ready.size_bytes.saturating_mul(2));
    check_needed(&ready.name, needed_bytes, wish)?;
    Ok(ready)
}

fn check_needed(name: &str, needed_bytes: u64, wish: Wish) -> Result<(), Problem> {
    match wish.available_bytes {
        Some(available_bytes) if needed_bytes > available_bytes => {
            let name = name.to_owned();
            Err(Problem::TooLarge { name, needed_bytes, available_bytes })
        }
        _ => Ok(()),
    }
}

/// Refuses what cannot run here.
///
/// # Errors
/// [`Problem::TooLarge`] names what is needed and what there is.
pub fn check_size(description: &Description, wish: Wish) -> Result<(), Problem> {
    check_needed(&description.config.name, needed_bytes(description, wish.block), wish)
}
