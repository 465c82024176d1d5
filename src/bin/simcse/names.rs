//! What options may be called: names at the command line, and what they stand for.

use clap::ValueEnum;

use simcse_lab::model::encoder::Part;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::blocks::BlockType;

/// Ways to lay vectors out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodName {
    /// The first two principal components
    Pca,
    /// t-SNE (van der Maaten & Hinton 2008), Barnes-Hut
    Tsne,
    /// UMAP (McInnes et al. 2018)
    Umap,
}

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// The processor, in whole numbers where the model has them
    Cpu,
    /// The fastest GPU that Vulkan, Metal or DirectX 12 offers
    Gpu,
}

/// Number formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    #[value(name = "f32")]
    F32,
    #[value(name = "f16")]
    F16,
    #[value(name = "q8_0")]
    Q8_0,
    #[value(name = "q4_0")]
    Q4_0,
}

impl From<Kind> for BlockType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::F32 => Self::F32,
            Kind::F16 => Self::F16,
            Kind::Q8_0 => Self::Q8_0,
            Kind::Q4_0 => Self::Q4_0,
        }
    }
}

/// What a text is to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PartName {
    /// One of two that are compared
    Compared,
    /// What is searched for
    Query,
    /// What is searched in
    Passage,
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Compared => Self::Compared,
            PartName::Query => Self::Query,
            PartName::Passage => Self::Passage,
        }
    }
}

/// Readouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PoolingName {
    /// Mean over the tokens
    Mean,
    /// The [CLS] token
    Cls,
    /// Mean over the tokens of the first and the last layer
    FirstLast,
    /// The [CLS] token through SimCSE's MLP, where the model or its adapter brings one
    ClsMlp,
}

impl From<PoolingName> for Pooling {
    fn from(name: PoolingName) -> Self {
        match name {
            PoolingName::Mean => Self::Mean,
            PoolingName::Cls => Self::Cls,
            PoolingName::FirstLast => Self::FirstLast,
            PoolingName::ClsMlp => Self::ClsMlp,
        }
    }
}
