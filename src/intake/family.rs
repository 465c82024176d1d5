//! The kinds of encoder that run here, and what their checkpoints call things.
//!
//! All of them are post-norm BERT (arXiv 1810.04805) with small differences, which are put away while
//! a checkpoint is read, so that one forward pass runs them all:
//!
//! | family | transformers | what differs |
//! |---|---|---|
//! | BERT | `modeling_bert.py` | - |
//! | RoBERTa, XLM-R | `modeling_roberta.py`, `modeling_xlm_roberta.py` | positions are counted from the padding token's id + 1: the table's first rows are left out |
//! | DistilBERT | `modeling_distilbert.py` | no token types; other names |
//! | MPNet | `modeling_mpnet.py` | no token types; positions from 2; a bias for each distance of two tokens |

/// A kind of encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Bert,
    /// RoBERTa and XLM-R.
    Roberta,
    DistilBert,
    Mpnet,
}

/// Positions that MPNet counts from, whatever its padding token (`MPNetEmbeddings.padding_idx` + 1).
const MPNET_FIRST_POSITION: u64 = 2;

impl Family {
    /// The family of `config.json`'s `model_type`.
    pub fn of(model_type: &str) -> Option<Self> {
        Some(match model_type {
            "bert" => Self::Bert,
            "roberta" | "xlm-roberta" | "camembert" => Self::Roberta,
            "distilbert" => Self::DistilBert,
            "mpnet" => Self::Mpnet,
            _ => return None,
        })
    }

    /// The row of the position table that a sentence's first token has.
    pub fn first_position(self, padding: u64) -> u64 {
        match self {
            Self::Bert | Self::DistilBert => 0,
            Self::Roberta => padding.saturating_add(1),
            Self::Mpnet => MPNET_FIRST_POSITION,
        }
    }

    pub fn has_token_types(self) -> bool {
        matches!(self, Self::Bert | Self::Roberta)
    }

    /// What stands before every tensor's name in checkpoints with a head on top.
    fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::Bert => &["", "bert."],
            Self::Roberta => &["", "roberta."],
            Self::DistilBert => &["", "distilbert."],
            Self::Mpnet => &["", "mpnet."],
        }
    }

    /// The names that a tensor may have in a checkpoint, given its name in our files, the likeliest
    /// first; none for a tensor that no checkpoint has. Old checkpoints have TensorFlow's `gamma` and
    /// `beta` in their norms.
    pub fn names_of(self, name: &str) -> Vec<String> {
        if let Some(ending) = name.strip_prefix("cls.") {
            // SimCSE's training code calls the MLP `mlp`, its published models BERT's pooler.
            let mlp = format!("mlp.dense.{ending}");
            let pooler =
                self.prefix().iter().map(|prefix| format!("{prefix}pooler.dense.{ending}"));
            return std::iter::once(mlp).chain(pooler).collect();
        }
        let Some(new) = self.name_of(name) else { return Vec::new() };
        let old = new
            .replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta");
        let both = if old == new { vec![new] } else { vec![new, old] };
        let prefixed =
            |name: &String| self.prefix().iter().map(|prefix| format!("{prefix}{name}")).collect();
        both.iter().flat_map::<Vec<_>, _>(prefixed).collect()
    }

    fn name_of(self, name: &str) -> Option<String> {
        let (stem, ending) = name.rsplit_once('.')?;
        let path = match stem {
            "token_embd" => "embeddings.word_embeddings".to_owned(),
            "position_embd" => "embeddings.position_embeddings".to_owned(),
            "token_types" => "embeddings.token_type_embeddings".to_owned(),
            "token_embd_norm" => "embeddings.LayerNorm".to_owned(),
            "attn_rel_b" => "encoder.relative_attention_bias".to_owned(),
            _ => {
                let (layer, part) = stem.strip_prefix("blk.")?.split_once('.')?;
                let stack = if self == Self::DistilBert { "transformer" } else { "encoder" };
                format!("{stack}.layer.{layer}.{}", self.part(part)?)
            }
        };
        Some(format!("{path}.{ending}"))
    }

    /// A layer's part by its name in our files.
    fn part(self, part: &str) -> Option<&'static str> {
        let (bert, distil, mpnet) = match part {
            "attn_q" => ("attention.self.query", "attention.q_lin", "attention.attn.q"),
            "attn_k" => ("attention.self.key", "attention.k_lin", "attention.attn.k"),
            "attn_v" => ("attention.self.value", "attention.v_lin", "attention.attn.v"),
            "attn_output" => ("attention.output.dense", "attention.out_lin", "attention.attn.o"),
            "attn_output_norm" => {
                ("attention.output.LayerNorm", "sa_layer_norm", "attention.LayerNorm")
            }
            "ffn_up" => ("intermediate.dense", "ffn.lin1", "intermediate.dense"),
            "ffn_down" => ("output.dense", "ffn.lin2", "output.dense"),
            "layer_output_norm" => ("output.LayerNorm", "output_layer_norm", "output.LayerNorm"),
            _ => return None,
        };
        Some(match self {
            Self::Bert | Self::Roberta => bert,
            Self::DistilBert => distil,
            Self::Mpnet => mpnet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_family() {
        let first = |family: Family, name| family.names_of(name).swap_remove(0);
        let weight = "blk.3.attn_output.weight";
        assert_eq!(first(Family::Bert, weight), "encoder.layer.3.attention.output.dense.weight");
        assert_eq!(
            first(Family::DistilBert, weight),
            "transformer.layer.3.attention.out_lin.weight"
        );
        assert_eq!(first(Family::Mpnet, weight), "encoder.layer.3.attention.attn.o.weight");
        assert_eq!(Family::Mpnet.names_of("attn_rel_b.weight").len(), 2);
        assert!(Family::Bert.names_of("blk.0.nothing.weight").is_empty());
    }

    #[test]
    fn norms_of_old_checkpoints_and_heads_have_other_names() {
        let names = Family::Roberta.names_of("token_embd_norm.bias");
        let expected = [
            "embeddings.LayerNorm.bias",
            "roberta.embeddings.LayerNorm.bias",
            "embeddings.LayerNorm.beta",
            "roberta.embeddings.LayerNorm.beta",
        ];
        assert_eq!(names, expected);
        assert_eq!(
            Family::Bert.names_of("cls.weight")[..2],
            ["mlp.dense.weight", "pooler.dense.weight"]
        );
    }

    #[test]
    fn positions_begin_behind_the_padding_token() {
        assert_eq!(Family::of("xlm-roberta").map(|family| family.first_position(1)), Some(2));
        assert_eq!(Family::Bert.first_position(0), 0);
        assert_eq!(Family::of("gpt2"), None);
    }
}
