//! The command line's grammar.

use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

use simcse_lab::protocol::lab::Treatment;
use simcse_lab::weights::merged::MAX_BLEND;

use crate::simcse::names::{Device, Kind, MethodName, PartName, PoolingName};

/// Convert, inspect and use BERT sentence encoders.
#[derive(Debug, Parser)]
#[command(name = "simcse", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  simcse convert all-MiniLM-L6-v2 --type q8_0 --out m.gguf
  simcse info m.gguf
  simcse embed --model m.gguf --out e.npy sentences.txt
  simcse search --model m.gguf --in sentences.txt 'ships in winter'
  simcse load --model m.gguf --to postgres://me@localhost/library articles.csv
  simcse map --rows e.npy --method tsne --out map.npy
  simcse sts --model m.gguf dev.csv
  simcse geometry --model m.gguf --treatment whitened sentences.txt
  simcse merge --model m.gguf --adapter tuned.gguf --type q8_0 --out merged.gguf
  simcse train --recipe simcse.toml --out tuned.gguf

`simcse help COMMAND` says more. Exit codes: 0 done, 1 failed, 2 not understood.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Convert(ConvertOptions),
    Pull(PullOptions),
    Quantize(QuantizeOptions),
    Info(InfoOptions),
    Embed(EmbedOptions),
    Load(LoadOptions),
    Search(SearchOptions),
    Map(MapOptions),
    Sts(StsOptions),
    Geometry(GeometryOptions),
    Merge(MergeOptions),
    Train(TrainOptions),
}

/// Write a Hugging Face checkpoint (BERT, RoBERTa, XLM-R, DistilBERT, MPNet) as GGUF, in llama.cpp's layout
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse convert all-MiniLM-L6-v2 --type q8_0 --out all-MiniLM-L6-v2-q8_0.gguf
  simcse convert my-simcse/model.safetensors --type f16 --pooling cls --licence mit --out my.gguf

A folder holds model.safetensors or pytorch_model.bin (or a series of either), config.json and
tokenizer.json, or the vocabulary of older ones; of a single weights file the others are looked for
beside it. A PyTorch file is read without running what is in it. Pooling, unless given: as 1_Pooling/config.json says; else the
mean where modules.json is there (sentence-transformers); else cls, of supervised SimCSE cls-mlp. The same input gives the same
bytes.")]
pub struct ConvertOptions {
    /// Folder of the checkpoint, or its weights file
    pub input: PathBuf,
    /// Number format of the matrices
    #[arg(long = "type", value_enum)]
    pub kind: Kind,
    /// File to write
    #[arg(long, short)]
    pub out: PathBuf,
    /// Name to put into the file [default: the folder's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Licence to put into the file, as SPDX writes it: apache-2.0
    #[arg(long, alias = "license")]
    pub licence: Option<String>,
    /// Readout to put into the file [default: what the checkpoint says]
    #[arg(long, value_enum)]
    pub pooling: Option<PoolingName>,
}

/// Fetch a checkpoint from the Hugging Face Hub and write it as GGUF
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse pull princeton-nlp/unsup-simcse-bert-base-uncased --type q8_0 --out simcse.gguf
  simcse pull owner/name@revision --hub http://127.0.0.1:8000 --type f16 --out m.gguf

It is quantised while it arrives: memory holds the file that is made, never the checkpoint. What was
made is kept beside it (OUT.part, OUT.part.json), so that the same command goes on after Ctrl-C or a broken connection.
Files with a SHA-256 on the Hub are checked against it. HF_TOKEN, where it is set, is sent along. The
result has the bytes that `simcse convert` and the page make of the same checkpoint.")]
pub struct PullOptions {
    /// owner/name, with @revision or without; the address of the repository's page; or the address of a
    /// .gguf, .safetensors or .bin file on any server
    pub repository: String,
    /// Number format of the matrices
    #[arg(long = "type", value_enum, default_value = "q8_0")]
    pub kind: Kind,
    /// File to write
    #[arg(long, short)]
    pub out: PathBuf,
    /// Address of another hub with the same interface
    #[arg(long, env = "HF_ENDPOINT")]
    pub hub: Option<String>,
    /// Readout to put into the file [default: what the checkpoint says]
    #[arg(long, value_enum)]
    pub pooling: Option<PoolingName>,
}

/// Write a model's matrices in another number format
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse quantize m-f32.gguf --type q8_0 --out m-q8_0.gguf

The file may come from `convert`, `pull`, the page or llama.cpp. Of an f32 file it makes the numbers that
`convert` makes of the checkpoint. What was rounded stays rounded: begin with the finest there is.")]
pub struct QuantizeOptions {
    /// The GGUF file
    pub model: PathBuf,
    /// Number format of the matrices
    #[arg(long = "type", value_enum)]
    pub kind: Kind,
    /// File to write
    #[arg(long, short)]
    pub out: PathBuf,
}

/// Print what is inside a GGUF file, and whether it can be used here
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse info all-MiniLM-L6-v2-q8_0.gguf
  simcse info all-MiniLM-L6-v2-q8_0.gguf --tensors
  simcse info tuned.gguf

Of an adapter it prints the base model, recipe, seed and what was measured.")]
pub struct InfoOptions {
    /// The GGUF file: a model or an adapter
    pub model: PathBuf,
    /// List every tensor too
    #[arg(long)]
    pub tensors: bool,
}

/// Turn sentences into unit vectors
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse embed --model m.gguf --out e.npy sentences.txt
  simcse embed --model m.gguf --pooling cls --layer 3 sentences.jsonl > e.jsonl
  simcse embed --model m.gguf --out e.parquet --column body articles.csv
  simcse embed --model m.gguf --out e.parquet --column body articles.csv --resume
  echo 'A boat crosses the river.' | simcse embed --model m.gguf -

Input is one sentence a line (an empty line is an empty sentence, so that rows and lines match); or, by
its ending, .jsonl, .csv, .tsv (names in the first line) or .parquet. Any number of rows: only a chunk is
in memory. Output is a NumPy file, float32 [sentences, hidden], where --out ends in .npy; Parquet
(sentence, embedding) where it ends in .parquet; else JSON lines {\"text\", \"embedding\"}. Ctrl-C, a crash
or a power cut leave a file that --resume goes on with, to the same bytes.")]
pub struct EmbedOptions {
    #[command(flatten)]
    pub model: ModelOptions,
    /// File to write [default: JSON lines on standard output]
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub stream: StreamOptions,
    /// Go on with a file that was broken off
    #[arg(long)]
    pub resume: bool,
    /// Fail at a row without text instead of embedding an empty one
    #[arg(long)]
    pub strict: bool,
    /// Rows that are embedded and written together
    #[arg(long, default_value_t = 4096)]
    pub chunk: usize,
    /// What the texts are, for models that want other words before each (E5's "query: ", "passage: ")
    #[arg(long = "as", value_enum, default_value = "compared")]
    pub part: PartName,
    /// Threads [default: one a core]
    #[arg(long)]
    pub threads: Option<usize>,
    /// File of sentences; - is standard input
    #[arg(default_value = "-")]
    pub file: PathBuf,
}

/// How rows are read.
#[derive(Debug, Args)]
pub struct StreamOptions {
    /// Read JSON lines, whatever the input's name
    #[arg(long)]
    pub jsonl: bool,
    /// Column of the texts [default: by its name, else the longest of the first row]
    #[arg(long)]
    pub column: Option<String>,
    /// Column that names the rows [default: their numbers]
    #[arg(long)]
    pub id_column: Option<String>,
}

/// Embed a file's rows into a database: PostgreSQL with pgvector, or Qdrant
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse load --model m.gguf --to postgres://me@localhost/library articles.csv
  simcse load --model m.gguf --to postgres://me@localhost/library --table news --if-exists append more.jsonl
  simcse load --model m.gguf --to qdrant+http://localhost:6333/news articles.parquet

PostgreSQL: a table (id, text, metadata, embedding) with an HNSW index for the cosine. Qdrant: a
collection through its REST interface; QDRANT_API_KEY is its key. A row that is loaded again, by its id,
takes the place of the one before. Connections are not encrypted: load on the same machine or through a
tunnel.")]
pub struct LoadOptions {
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub stream: StreamOptions,
    /// postgres://USER@HOST/DATABASE or qdrant+http://HOST:PORT/COLLECTION
    #[arg(long)]
    pub to: String,
    /// Table of PostgreSQL
    #[arg(long, default_value = "passages")]
    pub table: String,
    /// What to do where the table or collection is there
    #[arg(long, value_enum, default_value = "fail")]
    pub if_exists: IfExists,
    /// Rows that are embedded and sent together
    #[arg(long, default_value_t = 1024)]
    pub chunk: usize,
    /// Threads [default: one a core]
    #[arg(long)]
    pub threads: Option<usize>,
    /// File of rows; - is standard input
    pub file: PathBuf,
}

/// What to do with a table that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IfExists {
    /// Stop, and leave it as it is
    Fail,
    /// Add rows; those of the same id are replaced
    Append,
    /// Delete it first
    Replace,
}

/// Find passages by meaning: in a file, or in a database that `simcse load` filled
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse search --model m.gguf --in articles.csv 'ships in winter'
  simcse search --model m.gguf --in sentences.txt --rows e.npy -k 3 'ships in winter'
  simcse search --model m.gguf --from postgres://me@localhost/library 'ships in winter'
  simcse search --model m.gguf --from qdrant+http://localhost:6333/news 'ships in winter' --json

A file is embedded and searched exactly; with --rows its vectors are read instead, as `simcse embed` wrote
them.")]
pub struct SearchOptions {
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub stream: StreamOptions,
    /// File to search
    #[arg(long = "in", required_unless_present = "from", conflicts_with = "from")]
    pub file: Option<PathBuf>,
    /// NumPy file of its vectors
    #[arg(long, requires = "file")]
    pub rows: Option<PathBuf>,
    /// Database to search, as `simcse load --to` has it
    #[arg(long)]
    pub from: Option<String>,
    /// Table of PostgreSQL
    #[arg(long, default_value = "passages")]
    pub table: String,
    /// Hits
    #[arg(short, long, default_value_t = 10)]
    pub k: usize,
    /// A JSON object a hit
    #[arg(long)]
    pub json: bool,
    /// Threads [default: one a core]
    #[arg(long)]
    pub threads: Option<usize>,
    /// What to look for
    pub query: String,
}

/// Lay vectors out in the plane, and say how far to believe it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse map --rows e.npy --method tsne --out map.npy
  simcse map --rows e.npy --method umap --neighbours 30 --least-distance 0.05 --seed 7 --json
  simcse map --rows tuned.npy --method tsne --start map.npy --out tuned-map.npy

Rows are a NumPy file, as `simcse embed --out e.npy` writes it; they are brought to length 1. The map
is one too, float32 [rows, 2]. Equal rows, options and seed give the same bytes on every machine.
  trustworthiness   1: whoever are neighbours on the map are neighbours in the rows
  explained         shares of the variance on the axes of a PCA")]
pub struct MapOptions {
    /// NumPy file of vectors, float32 or float64 [rows, dimensions]
    #[arg(long)]
    pub rows: PathBuf,
    /// How
    #[arg(long, value_enum, default_value = "tsne")]
    pub method: MethodName,
    /// File to write [default: only measure]
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// t-SNE: neighbours that count, about
    #[arg(long, default_value_t = 30.0)]
    pub perplexity: f32,
    /// UMAP: neighbours that count, the row itself included
    #[arg(long, default_value_t = 15)]
    pub neighbours: u16,
    /// UMAP: how near points may lie, 0 to 2
    #[arg(long, default_value_t = 0.1)]
    pub least_distance: f32,
    /// t-SNE's steps or UMAP's epochs [default: 1000 steps; 500 epochs, 200 above 10,000 rows]
    #[arg(long)]
    pub steps: Option<u32>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// NumPy file of positions to begin at [default: the first two principal components]
    #[arg(long)]
    pub start: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Measure a model on scored sentence pairs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse sts --model m.gguf dev.csv
  simcse sts --model m.gguf --pooling cls --json dev.csv
  simcse sts --model m.gguf --adapter tuned.gguf dev.csv

Columns are sentence 1, sentence 2 and score; a header is optional; .tsv is tab-separated.
  spearman, pearson   of cosine and score, x 100, as papers print them
  alignment           mean squared distance of pairs scored above 4 (lower is better)
  uniformity          log of the mean Gaussian potential of all sentences (lower is better)
  mean_cosine         over all distinct pairs of sentences
  pairs               number of pairs read
What cannot be computed is null, or - in the table.")]
pub struct StsOptions {
    #[command(flatten)]
    pub model: ModelOptions,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// CSV or TSV file of pairs; - is CSV on standard input
    pub pairs: PathBuf,
}

/// Measure how a model's vectors of some sentences lie
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse geometry --model m.gguf sentences.txt
  simcse geometry --model m.gguf --pooling cls --layer 3 --json dev.csv
  simcse geometry --model m.gguf --treatment abtt:2 dev.csv

Input is one sentence a line, or a table of pairs, with or without a score, in .csv or .tsv. Each
different sentence counts once. Pairs scored above 4 (above .8 where all scores are 0 to 1), or all
pairs without scores, mean the same.
  --treatment as-is        the vectors as they are
  --treatment centred      less their mean
  --treatment abtt:D       all-but-the-top: less their mean and the first D principal directions
  --treatment whitened:K   whitened, with the first K directions; of K is nothing said, a quarter as
                           many as there are sentences
  alignment                mean squared distance of pairs that mean the same (lower is better)
  uniformity               log of the mean Gaussian potential (lower is better)
  mean_cosine              over all distinct pairs of sentences, with its 95 % interval
  effective_rank           exp of the entropy of the singular values
  top_share                share of the variance along the first principal direction
  iso_score                0 to 1; defined for more sentences than dimensions
  hubness                  skewness of how often a sentence is among another's 10 nearest
  spearman                 of cosine and score, x 100, as papers print it
What cannot be computed is null, or - in the table. Above 12,000 sentences uniformity and hubness are
taken from samples.")]
pub struct GeometryOptions {
    #[command(flatten)]
    pub model: ModelOptions,
    /// What is done to the vectors first
    #[arg(long, default_value = "as-is", value_parser = treatment)]
    pub treatment: Treatment,
    /// Print one JSON object, with histogram, spectrum and bands
    #[arg(long)]
    pub json: bool,
    /// File of sentences or pairs; - is standard input
    #[arg(default_value = "-")]
    pub file: PathBuf,
}

fn treatment(text: &str) -> Result<Treatment, String> {
    let (name, number) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
    let number = number.map(|number| number.parse::<u16>()).transpose();
    let number = number.map_err(|error| format!("after the colon: {error}"))?;
    match (name, number) {
        ("as-is", None) => Ok(Treatment::AsTheyAre),
        ("centred" | "centered", None) => Ok(Treatment::Centred),
        ("abtt", Some(directions)) => Ok(Treatment::AllButTheTop { directions }),
        ("whitened", keep) => Ok(Treatment::Whitened { keep }),
        _ => Err("it is as-is, centred, abtt:D, whitened or whitened:K".to_owned()),
    }
}

/// Put an adapter into its base model, as one plain GGUF file
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse merge --model m.gguf --adapter tuned.gguf --type q8_0 --out merged.gguf
  simcse merge --model m.gguf --adapter tuned.gguf --blend 0.7 --pooling cls --type f16 --out m7.gguf

The result needs no adapter any more and is read by llama.cpp too, tokeniser included. The readout it
asks for, unless given: the one that scores best with the adapter, else the one the adapter was
trained for, else the model's. The same input gives the same bytes.")]
pub struct MergeOptions {
    /// GGUF file of the base model
    #[arg(long, short)]
    pub model: PathBuf,
    /// GGUF file of an adapter that was made for the model
    #[arg(long, short)]
    pub adapter: PathBuf,
    /// How much of it: 0 nothing, 1 as trained, at most 1.5
    #[arg(long, default_value_t = 1.0, value_parser = blend)]
    pub blend: f32,
    /// Number format of the matrices
    #[arg(long = "type", value_enum)]
    pub kind: Kind,
    /// File to write
    #[arg(long, short)]
    pub out: PathBuf,
    /// Name to put into the file [default: the model's and the adapter's]
    #[arg(long)]
    pub name: Option<String>,
    /// Readout to put into the file
    #[arg(long, value_enum)]
    pub pooling: Option<PoolingName>,
}

fn blend(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().map_err(|error| error.to_string())?;
    if (0.0..=MAX_BLEND).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{value} is not between 0 and {MAX_BLEND}"))
    }
}

/// Fine-tune a model as a recipe says, and write what it changed as an adapter
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  simcse train --recipe simcse.toml --data shared/data --out adapter.gguf
  simcse train --recipe simcse.toml --set stage.0.learning_rate=1e-3 --set stage.0.steps=50 --json

A recipe is a TOML file:
  name = \"my adapter\"             # goes into the adapter, as does licence
  base = \"m.gguf\"                 # relative to the recipe
  [dev]                             # scored pairs that choose the checkpoint
  path = \"dev.csv\"                # relative to --data, else to the recipe
  readout = \"cls\"                 # or mean [default: the trained one]
  keep_mean_above = 0.867           # of the checkpoints whose mean readout scores this
  [[source]]                        # as many as wanted
  name = \"news\"
  path = \"news.txt\"
  kind = \"lines\"                  # tsv, scored-sentences, scored-pairs, scored-opposites,
                                    # triplet-sentences, triplet-anchors, triplet-pairs, triplets
  min_words = 4                     # and max_words, column (tsv, from 1), above (scored-pairs),
                                    # below (scored-opposites)
  [[stage]]                         # one after another, on the same weights
  data.news.count = 1000            # or share; without data: all sources, whole
  learning_rate = 5e-4              # and every other setting of a recipe
Sentences of the dev set are never trained on. The best checkpoint of all stages is written; the
next stage begins with the best so far (go_on_from = \"last\": as the last stage ended). Ctrl-C ends
the run and writes the best so far.")]
pub struct TrainOptions {
    /// The recipe
    #[arg(long)]
    pub recipe: PathBuf,
    /// Adapter to write [default: only measure]
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// GGUF file of the model [default: the recipe's]
    #[arg(long)]
    pub base: Option<PathBuf>,
    /// Folder that the data's paths begin in [default: the recipe's]
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Change a setting of the recipe: stage.0.steps=50
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Print one JSON object a step and measurement
    #[arg(long)]
    pub json: bool,
}

/// A model and how it is read.
#[derive(Debug, Args)]
pub struct ModelOptions {
    /// GGUF file of a BERT encoder
    #[arg(long, short)]
    pub model: PathBuf,
    /// GGUF file of an adapter that was made for the model
    #[arg(long, short)]
    pub adapter: Option<PathBuf>,
    /// How much of it: 0 nothing, 1 as trained, at most 1.5 [default: 1]
    #[arg(long, requires = "adapter", value_parser = blend)]
    pub blend: Option<f32>,
    /// Readout [default: the one that scores best with the adapter, else the one the model asks for]
    #[arg(long, value_enum)]
    pub pooling: Option<PoolingName>,
    /// Layer to read, 0 being the embeddings [default: the last]
    #[arg(long)]
    pub layer: Option<u16>,
    /// Round the matrices to this number format first
    #[arg(long = "type", value_enum)]
    pub kind: Option<Kind>,
    /// What computes
    #[arg(long, value_enum, default_value = "cpu")]
    pub backend: Device,
}
