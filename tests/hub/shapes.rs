//! Checkpoints of real shapes with made-up weights: whole numbers from a hash, so that Python makes the very
//! same ones (`tests/fixtures/make_shapes.py`). In both formats; the pickle is written here, byte by byte.

use serde_json::json;

/// A model of real shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    BertBase,
    RobertaBase,
    DistilBert,
    MpnetBase,
}

/// Name and dimensions of a tensor.
pub type Tensor = (String, Vec<usize>);

const HIDDEN: usize = 768;
const WIDE: usize = 3072;

impl Shape {
    pub const ALL: [Self; 4] =
        [Self::BertBase, Self::RobertaBase, Self::DistilBert, Self::MpnetBase];

    pub fn name(self) -> &'static str {
        match self {
            Self::BertBase => "bert-base",
            Self::RobertaBase => "roberta-base",
            Self::DistilBert => "distilbert",
            Self::MpnetBase => "mpnet-base",
        }
    }

    fn vocabulary(self) -> usize {
        match self {
            Self::BertBase | Self::DistilBert => 30_522,
            Self::RobertaBase => 50_265,
            Self::MpnetBase => 30_527,
        }
    }

    fn positions(self) -> usize {
        if matches!(self, Self::BertBase | Self::DistilBert) { 512 } else { 514 }
    }

    pub fn config_json(self) -> String {
        let sizes = json!({"hidden_size": HIDDEN, "num_hidden_layers": 12, "num_attention_heads": 12,
            "intermediate_size": WIDE, "hidden_act": "gelu", "vocab_size": self.vocabulary(),
            "max_position_embeddings": self.positions(), "layer_norm_eps": 1e-12});
        let more = match self {
            Self::BertBase => {
                json!({"model_type": "bert", "type_vocab_size": 2, "pad_token_id": 0})
            }
            Self::RobertaBase => json!({"model_type": "roberta", "type_vocab_size": 1,
                "pad_token_id": 1, "layer_norm_eps": 1e-5}),
            Self::DistilBert => {
                return json!({"model_type": "distilbert", "dim": HIDDEN, "hidden_dim": WIDE,
                    "n_layers": 6, "n_heads": 12, "activation": "gelu", "pad_token_id": 0,
                    "vocab_size": self.vocabulary(), "max_position_embeddings": 512})
                .to_string();
            }
            Self::MpnetBase => json!({"model_type": "mpnet", "relative_attention_num_buckets": 32,
                "pad_token_id": 1, "layer_norm_eps": 1e-5}),
        };
        let mut all = sizes;
        for (key, value) in more.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        all.to_string()
    }

    /// A word for every id but the special ones: `w5`, `w6`, ...
    pub fn vocabulary_txt(self) -> String {
        let special = match self {
            Self::BertBase | Self::DistilBert => ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
            Self::RobertaBase | Self::MpnetBase => ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"],
        };
        let words = (special.len()..self.vocabulary()).map(|id| format!("w{id}"));
        special.iter().map(|it| (*it).to_owned()).chain(words).collect::<Vec<_>>().join("\n")
    }

    /// Every tensor, in the order in which their numbers are made.
    pub fn tensors(self) -> Vec<Tensor> {
        let mut all = vec![
            ("embeddings.word_embeddings.weight".to_owned(), vec![self.vocabulary(), HIDDEN]),
            ("embeddings.position_embeddings.weight".to_owned(), vec![self.positions(), HIDDEN]),
        ];
        let types = match self {
            Self::BertBase => 2,
            Self::RobertaBase => 1,
            Self::DistilBert | Self::MpnetBase => 0,
        };
        if types > 0 {
            all.push(("embeddings.token_type_embeddings.weight".to_owned(), vec![types, HIDDEN]));
        }
        let mut pair = |name: String, outputs: usize, inputs: Option<usize>| {
            let shape = inputs.map_or(vec![outputs], |inputs| vec![outputs, inputs]);
            all.push((format!("{name}.weight"), shape));
            all.push((format!("{name}.bias"), vec![outputs]));
        };
        pair("embeddings.LayerNorm".to_owned(), HIDDEN, None);
        let (stack, layers, parts) = match self {
            Self::BertBase | Self::RobertaBase => ("encoder", 12, BERT),
            Self::DistilBert => ("transformer", 6, DISTIL),
            Self::MpnetBase => ("encoder", 12, MPNET),
        };
        for layer in 0..layers {
            let name = |part: &str| format!("{stack}.layer.{layer}.{part}");
            let [q, k, v, output, output_norm, up, down, norm] = parts;
            for part in [q, k, v, output] {
                pair(name(part), HIDDEN, Some(HIDDEN));
            }
            pair(name(output_norm), HIDDEN, None);
            pair(name(up), WIDE, Some(HIDDEN));
            pair(name(down), HIDDEN, Some(WIDE));
            pair(name(norm), HIDDEN, None);
        }
        if self == Self::MpnetBase {
            all.push(("encoder.relative_attention_bias.weight".to_owned(), vec![32, 12]));
        }
        all
    }

    /// The weights as safetensors.
    pub fn safetensors(self) -> Vec<u8> {
        let tensors = self.tensors();
        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (name, shape) in &tensors {
            let start = end;
            end += 4 * shape.iter().product::<usize>();
            let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
            header.insert(name.clone(), entry);
        }
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut bytes = Vec::with_capacity(8 + header.len() + end);
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        for (place, (name, shape)) in tensors.iter().enumerate() {
            put_numbers(&mut bytes, place, name, shape);
        }
        bytes
    }

    /// The weights as PyTorch saves them: a zip archive of a pickle and a file a tensor.
    pub fn pytorch(self) -> Vec<u8> {
        let tensors = self.tensors();
        let mut zip = Zip::default();
        zip.put("archive/data.pkl", &pickle(&tensors));
        zip.put("archive/byteorder", b"little");
        for (place, (name, shape)) in tensors.iter().enumerate() {
            let mut numbers = Vec::new();
            put_numbers(&mut numbers, place, name, shape);
            zip.put(&format!("archive/data/{place}"), &numbers);
        }
        zip.put("archive/version", b"3\n");
        zip.finish()
    }
}

const BERT: [&str; 8] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];
const DISTIL: [&str; 8] = [
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
];
const MPNET: [&str; 8] = [
    "attention.attn.q",
    "attention.attn.k",
    "attention.attn.v",
    "attention.attn.o",
    "attention.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];

/// Numbers around 0, as far out as trained weights; gains of norms are around 1.
fn put_numbers(out: &mut Vec<u8>, place: usize, name: &str, shape: &[usize]) {
    let is_gain = shape.len() == 1 && name.ends_with(".weight");
    let scale = match shape.len() {
        _ if name.contains("relative") => 2.0_f32,
        2 if name.contains("embeddings") => 0.25,
        2 => 0.125,
        _ => 0.25,
    };
    let count = shape.iter().product::<usize>() as u32;
    out.reserve(4 * count as usize);
    let seed = (place as u32).wrapping_mul(0x9e37_79b9);
    for i in 0..count {
        let mut mixed = (i ^ seed).wrapping_mul(0x85eb_ca6b);
        mixed ^= mixed >> 13;
        mixed = mixed.wrapping_mul(0xc2b2_ae35);
        mixed ^= mixed >> 16;
        let share = (mixed >> 8) as f32 * (1.0 / 16_777_216.0) - 0.5;
        let value = share * scale + if is_gain { 1.0 } else { 0.0 };
        out.extend(value.to_le_bytes());
    }
}

/// A state dict's pickle, protocol 2.
fn pickle(tensors: &[Tensor]) -> Vec<u8> {
    let text = |out: &mut Vec<u8>, text: &str| {
        out.push(b'X');
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let number = |out: &mut Vec<u8>, value: usize| {
        out.push(b'J');
        out.extend((value as u32).to_le_bytes());
    };
    let numbers = |out: &mut Vec<u8>, values: &[usize]| {
        out.push(b'(');
        values.iter().for_each(|value| number(out, *value));
        out.push(b't');
    };
    let mut out = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (place, (name, shape)) in tensors.iter().enumerate() {
        text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(b"ctorch\nFloatStorage\n");
        text(&mut out, &place.to_string());
        text(&mut out, "cpu");
        number(&mut out, shape.iter().product());
        out.extend(b"tQ");
        number(&mut out, 0);
        numbers(&mut out, shape);
        let strides: Vec<usize> =
            (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        numbers(&mut out, &strides);
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

/// An archive of stored files, their content at multiples of 64 as PyTorch lays it.
#[derive(Default)]
struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    fn put(&mut self, name: &str, content: &[u8]) {
        let at = self.bytes.len();
        let content_at = (at + 30 + name.len() + 4).next_multiple_of(64);
        let extra = content_at - at - 30 - name.len();
        let size = (content.len() as u32).to_le_bytes();
        // Version, flags, method (stored), time, date, checksum (nobody looks): zeros.
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend([0; 14]);
        self.bytes.extend(size);
        self.bytes.extend(size);
        self.bytes.extend((name.len() as u16).to_le_bytes());
        self.bytes.extend((extra as u16).to_le_bytes());
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(b"FB");
        self.bytes.extend((extra as u16 - 4).to_le_bytes());
        self.bytes.resize(content_at, b'Z');
        self.bytes.extend(content);
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend([0; 16]);
        self.directory.extend(size);
        self.directory.extend(size);
        self.directory.extend((name.len() as u16).to_le_bytes());
        self.directory.extend([0; 12]);
        self.directory.extend((at as u32).to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let at = self.bytes.len() as u32;
        let length = self.directory.len() as u32;
        self.bytes.extend(self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}
