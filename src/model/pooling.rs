//! Which layers a readout needs, and how their token states become one unit vector a sentence.
//!
//! - mean: over the sentence's own tokens, `[CLS]` and `[SEP]` included (there is no padding);
//! - cls: the first token, before any pooler;
//! - cls-mlp: the first token through `tanh(W x + b)`, where model or adapter brings `W` and `b`;
//! - first-last: the token-wise average of layer 1 and the layer asked for, then the mean:
//!   `avg_first_last` of princeton-nlp/SimCSE `simcse/models.py`. At layers 0 and 1 the first
//!   layer is the last one, and first-last is the mean.

use crate::backend::Pool;
use crate::model::error::Error;
use crate::protocol::readout::{Pooling, Readout};

/// A readout of a model with a known number of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Output of this layer is read; 0 is the embedding layer.
    pub layer: usize,
    /// Averaged with layer 1 before pooling.
    pub with_first: bool,
    pub pool: Pool,
    /// The pooled row goes through the MLP.
    pub with_mlp: bool,
    /// All tokens' states are wanted of the layer that is read, not only what is pooled of them.
    pub every_token: bool,
}

impl Plan {
    /// The plan of a readout.
    ///
    /// # Errors
    /// [`Error::Layer`] for a layer that the model does not have.
    pub fn new(readout: Readout, layers: usize) -> Result<Self, Error> {
        let layer = readout.layer.map_or(layers, usize::from);
        if layer > layers {
            return Err(Error::Layer { found: readout.layer.unwrap_or_default(), layers });
        }
        let with_first = readout.pooling == Pooling::FirstLast && layer > 1;
        let pool = match readout.pooling {
            Pooling::Mean | Pooling::FirstLast => Pool::Mean,
            Pooling::Cls | Pooling::ClsMlp => Pool::First,
        };
        let with_mlp = readout.pooling == Pooling::ClsMlp;
        Ok(Self { layer, with_first, pool, with_mlp, every_token: false })
    }

    /// All tokens' states of a layer, for who pools them otherwise or not at all.
    pub fn whole(layer: usize) -> Self {
        let (with_first, with_mlp, every_token) = (false, false, true);
        Self { layer, with_first, pool: Pool::Mean, with_mlp, every_token }
    }

    /// Whether nothing but each sentence's first token is read of the last layer that runs.
    pub(in crate::model) fn reads_first_only(self) -> bool {
        self.pool == Pool::First && !self.with_first && !self.every_token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_the_readouts() {
        let plan = |pooling, layer| Plan::new(Readout { pooling, layer }, 6).unwrap();
        let (with_first, with_mlp, every_token) = (false, false, false);
        let last = Plan { layer: 6, with_first, pool: Pool::Mean, with_mlp, every_token };
        assert_eq!(plan(Pooling::Mean, None), last);
        assert_eq!(plan(Pooling::Cls, Some(0)), Plan { layer: 0, pool: Pool::First, ..last });
        let mlp = Plan { pool: Pool::First, with_mlp: true, ..last };
        assert_eq!(plan(Pooling::ClsMlp, None), mlp);
        assert_eq!(plan(Pooling::FirstLast, None), Plan { with_first: true, ..last });
        assert_eq!(plan(Pooling::FirstLast, Some(1)), Plan { layer: 1, ..last });
        assert!(!last.reads_first_only() && mlp.reads_first_only());
        assert!(!Plan { every_token: true, ..mlp }.reads_first_only());
        assert_eq!(Plan::whole(6), Plan { every_token: true, ..last });
        let error = Plan::new(Readout { pooling: Pooling::Mean, layer: Some(7) }, 6).unwrap_err();
        assert!(matches!(error, Error::Layer { found: 7, layers: 6 }));
    }
}
