//! What a repository of a hub is to become: looked up, read, and judged before the first weight is fetched.

use crate::intake::WeightsFile;
use crate::intake::description::{Description, Known, Papers};
use crate::intake::hub::{Listing, MOST_LISTING_BYTES, MOST_SMALL_FILE_BYTES, Repository};
use crate::protocol::problem::Problem;
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

/// What is wanted of a repository.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    pub block: BlockType,
    /// The readout the file is to ask for, whatever the repository says.
    pub pooling: Option<Pooling>,
    /// How much memory may be needed to run it; `None`: however much.
    pub available_bytes: Option<u64>,
}

/// Looks a repository up and reads its small files.
///
/// # Errors
/// What `get` says, [`Problem::Hub`], [`Problem::TooLarge`], and as [`Description::read`].
pub async fn look_up<G: Get>(
    get: &mut G,
    repository: &Repository,
    wish: Wish,
) -> Result<Order, G::Error> {
    let name = &repository.name;
    let json = get.get(&repository.listing_url(), name, MOST_LISTING_BYTES).await?;
    let listing = Listing::read(repository, &json)?;
    let files = listing.weights(repository)?;
    let mut papers = Papers::new();
    for path in listing.small_files() {
        let url = repository.file_url(&listing.commit, path);
        let bytes = get.get(&url, path, MOST_SMALL_FILE_BYTES).await?;
        papers.insert(path.to_owned(), text(path, bytes)?);
    }
    let known = Known {
        name: name.rsplit('/').next().unwrap_or(name).to_owned(),
        licence: listing.licence.clone(),
        source: Some(format!("{}/{name}@{}", repository.hub, listing.commit)),
        pooling: wish.pooling,
    };
    let description = Description::read(&papers, &known)?;
    check_size(&description, wish)?;
    let urls = files.iter().map(|file| repository.file_url(&listing.commit, &file.name)).collect();
    let sizes = files.iter().map(|file| format!("{} {:?}", file.size_bytes, file.sha256));
    let sizes = sizes.collect::<Vec<_>>().join(" ");
    let pooling = description.config.pooling.name();
    let source = known.source.unwrap_or_default();
    let identity = format!("{source} {} {pooling} {sizes}", wish.block.name());
    Ok(Order { description, files, urls, identity })
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

/// Refuses what cannot run here.
///
/// # Errors
/// [`Problem::TooLarge`] names what is needed and what there is.
pub fn check_size(description: &Description, wish: Wish) -> Result<(), Problem> {
    let needed_bytes = needed_bytes(description, wish.block);
    match wish.available_bytes {
        Some(available_bytes) if needed_bytes > available_bytes => {
            let name = description.config.name.clone();
            Err(Problem::TooLarge { name, needed_bytes, available_bytes })
        }
        _ => Ok(()),
    }
}
