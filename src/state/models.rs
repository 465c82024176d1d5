//! The models the site itself offers.

use serde::Deserialize;

use crate::protocol::readout::Pooling;
use crate::protocol::request::{AdapterSource, ModelSource};

/// A model file that lies beside the page in `models/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HostedModel {
    pub name: String,
    pub file: String,
    pub size_bytes: u64,
    pub sha256: String,
    pub licence: String,
    pub quantisation: String,
    /// Our adapter for it, where there is one: it is on the model unless the visitor takes it off.
    #[serde(default)]
    pub adapter: Option<HostedAdapter>,
}

/// An adapter file that lies beside its model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HostedAdapter {
    pub name: String,
    pub file: String,
    pub size_bytes: u64,
    pub sha256: String,
    /// Name of the readout that scores best with it.
    #[serde(default)]
    pub pooling: Option<String>,
}

impl HostedAdapter {
    /// Address relative to the page, and what to check.
    pub fn source(&self) -> AdapterSource {
        AdapterSource::Hosted {
            name: self.name.clone(),
            url: format!("models/{}", self.file),
            size_bytes: self.size_bytes,
            sha256: self.sha256.clone(),
        }
    }

    /// The readout that scores best with it.
    pub fn pooling(&self) -> Option<Pooling> {
        self.pooling.as_deref().and_then(Pooling::from_name)
    }
}

impl HostedModel {
    /// Address relative to the page, and what to check.
    pub fn source(&self) -> ModelSource {
        ModelSource::Hosted {
            name: self.name.clone(),
            url: format!("models/{}", self.file),
            size_bytes: self.size_bytes,
            sha256: self.sha256.clone(),
        }
    }
}

/// The models of `assets/models/index.json`, best first. A test proves that the file is readable
/// and says the truth about the weights.
pub fn hosted() -> Vec<HostedModel> {
    serde_json::from_str(include_str!("../../assets/models/index.json")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_index_names_at_least_one_model_with_a_hash() {
        let models = super::hosted();
        assert!(!models.is_empty());
        assert!(models.iter().all(|model| model.sha256.len() == 64 && model.size_bytes > 0));
        let mut adapters = models.iter().filter_map(|model| model.adapter.as_ref());
        assert!(
            adapters
                .all(|it| it.sha256.len() == 64 && it.pooling.is_some() == it.pooling().is_some())
        );
    }
}
