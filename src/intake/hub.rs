//! What the Hugging Face Hub says over HTTP, and what to ask it for: addresses, listings, which files of a
//! repository are a checkpoint. It knows no network.
//!
//! Interface: Hub API, `GET /api/models/{repo}/revision/{revision}?blobs=true` and
//! `GET /{repo}/resolve/{commit}/{file}` (huggingface_hub, `hf_api.py`, `file_download.py`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::intake::WeightsFile;
use crate::intake::description::{SMALL_FILES, is_superfluous, weights_among};
use crate::protocol::models::HUB;
use crate::protocol::problem::{HubFault, Problem};
use crate::weights::blocks::BlockType;

/// Longer answers are no listing of an encoder.
pub const MOST_LISTING_BYTES: u64 = 8 << 20;
/// XLM-R's `tokenizer.json` has 17 MB.
pub const MOST_SMALL_FILE_BYTES: u64 = 64 << 20;

/// A repository at a revision, on a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Without a slash at the end.
    pub hub: String,
    /// `owner/name`, or `name` of the oldest ones.
    pub name: String,
    /// A branch, a tag or a commit.
    pub revision: String,
}

impl Repository {
    /// From what a visitor types: `owner/name`, with `@revision` or without, or the address of the
    /// repository's page.
    ///
    /// # Errors
    /// [`Problem::Hub`] for a text that names none.
    pub fn parse(text: &str, hub: &str) -> Result<Self, Problem> {
        let hub = hub.trim().trim_end_matches('/');
        let hub = if hub.is_empty() { HUB } else { hub };
        let wrong = || Problem::Hub {
            name: text.to_owned(),
            fault: HubFault::NoName,
            detail: String::new(),
        };
        let text = text.trim();
        let path = match text.split_once("://") {
            None => text,
            Some((_, rest)) => rest.split_once('/').ok_or_else(wrong)?.1,
        };
        let path = path.trim_matches('/').split(['?', '#']).next().unwrap_or_default();
        let (path, tree) = path.split_once("/tree/").map_or((path, None), |(a, b)| (a, Some(b)));
        let (name, revision) = match path.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (path, tree),
        };
        let is_word = |part: &str| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            !part.is_empty() && part.len() <= 96 && part.chars().all(plain) && !part.contains("..")
        };
        let revision = revision.unwrap_or("main");
        let parts: Vec<_> = name.split('/').collect();
        let fits = (1..=2).contains(&parts.len())
            && parts.iter().all(|part| is_word(part))
            && revision.split('/').all(is_word);
        if !fits {
            return Err(wrong());
        }
        Ok(Self { hub: hub.to_owned(), name: name.to_owned(), revision: revision.to_owned() })
    }

    /// Where the list of its files is.
    pub fn listing_url(&self) -> String {
        let Self { hub, name, revision } = self;
        format!("{hub}/api/models/{name}/revision/{}?blobs=true", revision.replace('/', "%2F"))
    }

    /// Where a file of that commit is.
    pub fn file_url(&self, commit: &str, path: &str) -> String {
        let Self { hub, name, .. } = self;
        format!("{hub}/{name}/resolve/{commit}/{path}")
    }
}

/// A file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub size_bytes: u64,
    /// Lower-case hexadecimal; large files have one.
    pub sha256: Option<String>,
}

/// What a repository holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    pub commit: String,
    pub licence: Option<String>,
    pub files: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
struct ListingJson {
    sha: Option<String>,
    #[serde(default)]
    siblings: Vec<SiblingJson>,
    #[serde(rename = "cardData")]
    card: Option<CardJson>,
}

#[derive(Deserialize)]
struct SiblingJson {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<LfsJson>,
}

#[derive(Deserialize)]
struct LfsJson {
    sha256: Option<String>,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct CardJson {
    license: Option<serde_json::Value>,
}

impl Listing {
    /// Reads the Hub's answer about a repository.
    ///
    /// # Errors
    /// [`Problem::Hub`] for an answer that is no listing.
    pub fn read(repository: &Repository, json: &[u8]) -> Result<Self, Problem> {
        let read: ListingJson = serde_json::from_slice(json).map_err(|error| Problem::Hub {
            name: repository.hub.clone(),
            fault: HubFault::NoHub,
            detail: error.to_string(),
        })?;
        let files = read.siblings.into_iter().map(|file| {
            let size = file.lfs.as_ref().and_then(|lfs| lfs.size).or(file.size);
            let sha256 = file.lfs.and_then(|lfs| lfs.sha256).filter(|hash| hash.len() == 64);
            (file.rfilename, Listed { size_bytes: size.unwrap_or(0), sha256 })
        });
        let licence = read.card.and_then(|card| card.license);
        Ok(Self {
            commit: read.sha.unwrap_or_else(|| repository.revision.clone()),
            licence: licence.and_then(|licence| licence.as_str().map(str::to_owned)),
            files: files.collect(),
        })
    }

    /// The small files that a checkpoint needs, as far as they are there. A `tokenizer.json` makes the
    /// older files superfluous.
    pub fn small_files(&self) -> Vec<&'static str> {
        let has_tokenizer = self.files.contains_key("tokenizer.json");
        let wanted = SMALL_FILES.into_iter().filter(|name| !is_superfluous(name, has_tokenizer));
        wanted.filter(|name| self.files.contains_key(*name)).collect()
    }

    /// Of a repository that holds models as they are used here, the one in that number format, or the only
    /// one: its path.
    pub fn gguf(&self, block: BlockType) -> Option<(&str, &Listed)> {
        let is_gguf = |path: &&String| path.to_ascii_lowercase().ends_with(".gguf");
        let all: Vec<&String> = self.files.keys().filter(is_gguf).collect();
        let wanted = all.iter().find(|path| path.to_ascii_lowercase().contains(block.name()));
        let path = match (wanted, all.as_slice()) {
            (Some(path), _) => path,
            (None, [only]) => only,
            (None, _) => return None,
        };
        self.files.get_key_value(path.as_str()).map(|(path, file)| (path.as_str(), file))
    }

    /// The weights: of the formats that are there the safest and the fewest files.
    ///
    /// # Errors
    /// [`Problem::Hub`] where there are none that can be read.
    pub fn weights(&self, repository: &Repository) -> Result<Vec<WeightsFile>, Problem> {
        let names = weights_among(self.files.keys().map(String::as_str));
        let found = names.into_iter().filter_map(|name| Some((name, self.files.get(name)?)));
        let found: Vec<_> = found.map(|(name, file)| weights_file(name, file)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        Err(Problem::Hub {
            name: repository.name.clone(),
            fault: HubFault::NoWeights,
            detail: String::new(),
        })
    }
}

fn weights_file(name: &str, file: &Listed) -> WeightsFile {
    WeightsFile {
        name: name.to_owned(),
        size_bytes: file.size_bytes,
        sha256: file.sha256.clone(),
        tensors: Vec::new(),
    }
}

/// Where the part begins that `Content-Range: bytes start-end/size` is of.
pub fn range_start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// What a status of HTTP means for a request to a hub; `None`: it went well, or may the next time.
/// `wait_s`: how long the server says to wait.
pub fn fault_of(status: u16, wait_s: Option<u32>) -> Option<HubFault> {
    Some(match status {
        401 | 403 => HubFault::Forbidden,
        404 | 410 => HubFault::Missing,
        429 => HubFault::Busy { wait_s: wait_s.unwrap_or(60) },
        400 | 402 | 405..=407 | 409 | 411..=428 | 430..=499 => HubFault::Refused { status },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::models::SUGGESTIONS;

    fn parse(text: &str) -> Option<(String, String)> {
        let found = Repository::parse(text, "").ok()?;
        assert_eq!(found.hub, HUB);
        Some((found.name, found.revision))
    }

    #[test]
    fn names_and_addresses_of_repositories() {
        let pair = |name: &str, revision: &str| Some((name.to_owned(), revision.to_owned()));
        assert_eq!(parse(" owner/some-model "), pair("owner/some-model", "main"));
        assert_eq!(parse("bert-base-uncased@v1"), pair("bert-base-uncased", "v1"));
        assert_eq!(parse("https://hub.example/owner/m/"), pair("owner/m", "main"));
        assert_eq!(parse("https://hub.example/owner/m/tree/dev?x=1"), pair("owner/m", "dev"));
        for wrong in ["", "a/b/c", "owner/na me", "../etc", "https://hub.example", "a/<b>"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        let mirror = Repository::parse("o/m", "http://127.0.0.1:8000/hub/").unwrap();
        let url = mirror.listing_url();
        assert_eq!(url, "http://127.0.0.1:8000/hub/api/models/o/m/revision/main?blobs=true");
        assert_eq!(mirror.file_url("c0", "a/b"), "http://127.0.0.1:8000/hub/o/m/resolve/c0/a/b");
    }

    #[test]
    fn the_safest_and_fewest_files_are_chosen() {
        let repository = Repository::parse("o/m", "").unwrap();
        let listing = |names: &[&str]| {
            let siblings: Vec<_> = names
                .iter()
                .map(|name| {
                    serde_json::json!({"rfilename": name, "size": 7,
                    "lfs": {"sha256": "a".repeat(64), "size": 9}})
                })
                .collect();
            let json = serde_json::json!({"sha": "c0", "siblings": siblings,
                "cardData": {"license": "mit"}});
            Listing::read(&repository, json.to_string().as_bytes()).unwrap()
        };
        let names = |listing: &Listing| -> Vec<String> {
            let weights = listing.weights(&repository).unwrap();
            assert!(weights.iter().all(|it| it.size_bytes == 9 && it.sha256.is_some()));
            weights.into_iter().map(|file| file.name).collect()
        };
        let both = listing(&["pytorch_model.bin", "model.safetensors", "vocab.txt", "config.json"]);
        assert_eq!(names(&both), ["model.safetensors"]);
        assert_eq!(both.small_files(), ["config.json", "vocab.txt"]);
        assert_eq!((both.commit.as_str(), both.licence.as_deref()), ("c0", Some("mit")));
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let many =
            listing(&[shards[1], "pytorch_model.bin", shards[0], "tokenizer.json", "vocab.txt"]);
        assert_eq!(names(&many), shards);
        assert_eq!(many.small_files(), ["tokenizer.json"]);
        assert!(listing(&["tf_model.h5"]).weights(&repository).is_err());
        let ready = listing(&["a-Q8_0.gguf", "a-Q4_0.gguf", "README.md"]);
        let path = |listing: &Listing, block| Some(listing.gguf(block)?.0.to_owned());
        assert_eq!(path(&ready, BlockType::Q4_0).as_deref(), Some("a-Q4_0.gguf"));
        assert_eq!(path(&ready, BlockType::F16), None, "which one?");
        let only = listing(&["x/only.gguf"]);
        assert_eq!(path(&only, BlockType::F16).as_deref(), Some("x/only.gguf"));
        let page = Listing::read(&repository, b"<html>");
        assert!(matches!(page, Err(Problem::Hub { fault: HubFault::NoHub, .. })));
    }

    #[test]
    fn every_suggestion_is_a_repository() {
        assert!(SUGGESTIONS.iter().all(|name| parse(name).is_some()));
    }
}
