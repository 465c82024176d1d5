//! What page and worker say to each other about the geometry of a corpus: what is done to its
//! vectors, what was measured of them, maps in two dimensions.

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::readout::Pooling;
use crate::protocol::training::Shape;

/// What is done to unit vectors before they are looked at; all but the first on the corpus itself,
/// and followed by scaling to length 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Treatment {
    #[default]
    AsTheyAre,
    /// x - mu
    Centred,
    /// x - mu, without the first principal directions (all-but-the-top: Mu & Viswanath, ICLR 2018).
    AllButTheTop { directions: u16 },
    /// (x - mu) U Lambda^(-1/2), of the first `keep` directions (Su et al., arXiv 2103.15316);
    /// `None`: a quarter as many as there are sentences. Never more than the data has.
    Whitened { keep: Option<u16> },
}

/// Two sentences of a corpus and how alike people found them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Positions of the sentences.
    pub first: u32,
    pub second: u32,
    /// In the corpus's own scale.
    pub gold: f32,
}

/// What was measured of a corpus's vectors.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Findings {
    pub shape: Shape,
    /// Mean squared distance of the pairs that mean the same (Wang & Isola 2020, alpha = 2); `None`
    /// without any.
    pub alignment: Option<f64>,
    /// Pairs that uniformity, mean cosine and histogram were taken over.
    pub pairs: u64,
    /// How uniformity and histogram were found where not all pairs were looked at: the half-width
    /// of uniformity's 95 % interval. `None`: all distinct pairs.
    pub uniformity_error: Option<f64>,
    /// Half-width of the 95 % interval of the mean cosine, were the sentences a sample of many: by
    /// the jackknife over sentences. `None` with fewer than three sentences.
    pub mean_cosine_error: Option<f64>,
    /// IsoScore (Rudman et al., Findings of ACL 2022), 0 to 1; `None` where there are no more
    /// sentences than dimensions, for which it is not defined.
    pub iso_score: Option<f64>,
    /// Share of the centred vectors' variance that the first principal direction holds, 0 to 1.
    pub top_share: f64,
    /// `None` with fewer than three sentences.
    pub hubness: Option<Hubness>,
    /// Cosines of scored pairs, a band of gold scores each, from low to high; empty without scores.
    pub bands: Vec<Band>,
    /// Spearman's rank correlation of the scored pairs' cosines with their gold scores.
    pub spearman: Option<f64>,
}

/// How unevenly sentences are among each other's nearest neighbours (Radovanovic et al., JMLR 2010).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hubness {
    /// Neighbours that each sentence names.
    pub neighbours: u16,
    /// Skewness of how often a sentence is named; 0: evenly.
    pub skewness: f64,
    /// The sentence that is named most often, and how often.
    pub hub: u32,
    pub named: u32,
    /// Sentences that looked for their neighbours: all, or a sample.
    pub asked: u32,
}

/// The cosines of the scored pairs whose gold scores lie in a band (SimCSE, Fig. G.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Gold scores from `from` up to `to`; the last band holds both ends.
    pub from: f32,
    pub to: f32,
    pub pairs: u32,
    pub mean_cosine: f64,
    /// Share of the band's pairs in each of [`Shape::BINS`] equal parts of -1 to 1.
    pub histogram: Vec<f32>,
}

/// One readout of one layer, measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayerMeasure {
    /// 0: the embedding layer.
    pub layer: u16,
    pub pooling: Pooling,
    pub mean_cosine: f64,
    pub uniformity: f64,
    pub alignment: Option<f64>,
    pub spearman: Option<f64>,
}

/// How a map in two dimensions is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Method {
    /// The first two principal components of the centred vectors.
    Pca,
    /// van der Maaten & Hinton, JMLR 2008, with Barnes-Hut approximation (JMLR 2014).
    Tsne { perplexity: f32, steps: u32 },
    /// McInnes, Healy & Melville, arXiv 1802.03426.
    Umap { neighbours: u16, least_distance: f32, epochs: u32 },
}

/// What a map is being made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapStage {
    /// Looking for neighbours in the original space; counted are sentences.
    Neighbours,
    /// Moving the points; counted are steps or epochs. The positions so far travel beside it.
    Moving,
    /// Judging the finished map; counted are sentences.
    Judging,
}

/// How far a map can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MapQuality {
    /// Trustworthiness (Venna & Kaski, ICANN 2001), 0 to 1: 1 where all of the map's neighbours are
    /// neighbours in the original space.
    pub trustworthiness: f64,
    /// Neighbours it looks at, and how many sentences were judged (all, or an even sample).
    pub neighbours: u16,
    pub judged: u32,
    /// Of a PCA: the shares of the variance on the two axes.
    pub explained: Option<[f32; 2]>,
    pub latency_ms: f64,
}

/// A survey's vectors are kept by the worker under its revision, for these questions; the latest
/// of each slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// A map of the vectors. Bulk, if any: F32 `[sentences, 2]`, where the points begin.
    /// A newer map of the same survey's slot supersedes an older one. Answered by `Event::Mapping`*,
    /// `Event::Mapped`.
    Map { method: Method, seed: u64 },
    /// The sentences nearest to one of them. Answered by `Event::Near`.
    Near { position: u32, count: u16 },
    /// How near a text of the visitor's is to each sentence, treated as they were. A newer one
    /// supersedes an older one. Answered by `Event::Compared`.
    Text { text: String, count: u16 },
    /// `count` groups of sentences that lie together (spherical k-means). Answered by
    /// `Event::Clustered`.
    Clusters { count: u16, seed: u64 },
    /// The vectors. Answered by `Event::Vectors`.
    Vectors,
}

/// A question about the survey of that revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    pub survey: Revision,
    pub question: Question,
}
