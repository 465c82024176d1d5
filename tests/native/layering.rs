//! The house's rules about who may know whom, as tables, checked against every source file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::{Import, Source, is_inside};

/// Top-level modules and their floors: imports point strictly down.
const FLOORS: [(&str, u8); 21] = [
    ("bin", 7),
    ("engine", 6),
    ("training", 5),
    ("model", 4),
    ("ui", 4),
    ("backend", 3),
    ("projection", 3),
    ("search", 3),
    ("state", 3),
    ("browser", 3),
    ("geometry", 2),
    ("intake", 2),
    ("kernels", 2),
    ("gpu", 1),
    ("weights", 1),
    ("files", 1),
    ("text", 1),
    ("math", 1),
    ("simd", 1),
    ("chart", 1),
    ("catalogue", 1),
];

/// The ground: everybody may know it, it knows nobody.
const GROUND: &str = "protocol";

/// Walls: who may, or may not, know what. A name with `::` is a path, one without is a word.
const WALLS: [Wall; 9] = [
    Wall {
        names: &[
            "crate::engine",
            "crate::model",
            "crate::backend",
            "crate::kernels",
            "crate::gpu",
            "crate::weights",
            "crate::training",
        ],
        place: Place::NotIn(&["ui", "state"]),
        why: "the page only draws; all model work is behind the protocol",
    },
    Wall {
        names: &["crate::browser", "crate::ui", "crate::state"],
        place: Place::NotIn(&["engine"]),
        why: "the engine does not know that it lives in a worker: the CLI runs it too",
    },
    Wall {
        names: &["crate::backend::cpu", "crate::backend::gpu"],
        place: Place::NotIn(&["model"]),
        why: "there is one forward pass, generic over the backend's verbs",
    },
    Wall {
        names: &["candle_core", "candle_nn", "candle_transformers"],
        place: Place::OnlyIn(&["training"]),
        why: "the tensor library can be replaced, and nobody waits for it who does not train",
    },
    Wall {
        names: &["crate::training"],
        place: Place::OnlyIn(&[
            "training",
            "engine::full_workshop",
            "engine::studio",
            "engine::train",
        ]),
        why: "the worker's program is linked without training: it is behind the engine's workshop",
    },
    Wall {
        names: &["wgpu"],
        place: Place::OnlyIn(&["gpu", "kernels", "backend::gpu"]),
        why: "the GPU can be replaced behind the verbs",
    },
    Wall {
        names: &["web_sys", "js_sys", "wasm_bindgen", "wasm_bindgen_futures", "leptos"],
        place: Place::OnlyIn(&["browser", "ui", "bin"]),
        why: "everything else is tested natively",
    },
    Wall {
        names: &["target_arch"],
        place: Place::OnlyIn(&["browser", "ui", "bin", "simd"]),
        why: "one code for both worlds; differences live at the edge, and in vector instructions",
    },
    Wall {
        names: &["std::time::Instant", "std::time::SystemTime"],
        place: Place::OnlyIn(&[]),
        why: "they panic on wasm; web_time has the same types",
    },
];

/// The most lines a file may have.
const LINE_LIMITS: [(&str, usize); 4] =
    [("src", 600), ("tests", 600), ("xtask/src", 600), ("ARCHITECTURE.md", 150)];

struct Wall {
    names: &'static [&'static str],
    place: Place,
    why: &'static str,
}

enum Place {
    OnlyIn(&'static [&'static str]),
    NotIn(&'static [&'static str]),
}

impl Place {
    fn allows(&self, module: &str) -> bool {
        match self {
            Self::OnlyIn(modules) => modules.iter().any(|root| is_inside(module, root)),
            Self::NotIn(modules) => !modules.iter().any(|root| is_inside(module, root)),
        }
    }
}

#[test]
fn imports_point_down_and_walls_hold() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut complaints = Vec::new();
    let mut seen = Vec::new();
    for path in files(&root.join("src"), "rs")? {
        let source = Source::read(root, &path)?;
        complaints.extend(judge(&source));
        seen.push(source.top().to_owned());
    }
    for (name, _) in FLOORS {
        if !seen.iter().any(|top| top == name) {
            complaints.push(format!("the table of floors lists `{name}`, which does not exist"));
        }
    }
    report(&complaints)
}

#[test]
fn files_do_not_import_in_circles() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = files(&root.join("src"), "rs")?;
    let sources = paths.iter().map(|path| Source::read(root, path));
    report(&circles(&sources.collect::<Result<Vec<_>, _>>()?))
}

#[test]
fn a_made_up_circle_is_caught() {
    let a = Source::new("src/text/a.rs", "use crate::text::b::B;");
    let b = Source::new("src/text/b.rs", "use crate::text::c::C; use crate::math::rows;");
    let c = Source::new("src/text/c.rs", "fn f(a: &crate::text::a::A) {}");
    let circle = "these files import in a circle: text::a, text::b, text::c".to_owned();
    assert_eq!(circles(&[a, b, c]), [circle]);
    let parent = Source::new("src/text/mod.rs", "pub mod a;\npub struct Shared;");
    let child = Source::new("src/text/a.rs", "use crate::text::Shared;");
    assert_eq!(circles(&[parent, child]), Vec::<String>::new());
}

/// Takes away files that import nothing that is left, until none is; what stays is in a circle, or
/// imports one.
fn circles(sources: &[Source]) -> Vec<String> {
    let known = |path: &str| {
        let mut name = path;
        while !sources.iter().any(|source| source.module == name) {
            name = name.rsplit_once("::")?.0;
        }
        Some(name.to_owned())
    };
    let imports = |source: &Source| {
        let all = source.uses().filter_map(known).filter(|name| *name != source.module);
        all.collect::<Vec<_>>()
    };
    let mut left: BTreeMap<&str, Vec<String>> =
        sources.iter().map(|source| (source.module.as_str(), imports(source))).collect();
    loop {
        let names: Vec<String> = left.keys().map(|name| (*name).to_owned()).collect();
        left.retain(|_, imports| imports.iter().any(|import| names.contains(import)));
        if left.len() == names.len() {
            break;
        }
    }
    let names: Vec<&str> = left.into_keys().collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!("these files import in a circle: {}", names.join(", "))]
}

#[test]
fn files_are_short_enough_to_read() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut complaints = Vec::new();
    for (place, limit) in LINE_LIMITS {
        let place = root.join(place);
        let paths = if place.is_dir() { files(&place, "rs")? } else { vec![place] };
        for path in paths {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let lines = text.lines().count();
            if lines > limit {
                let name = path.strip_prefix(root).unwrap_or(&path).display();
                complaints.push(format!("{name}: {lines} lines, the limit is {limit}"));
            }
        }
    }
    report(&complaints)
}

#[test]
fn made_up_violations_are_caught() {
    let cases = [
        ("src/weights/a.rs", "use crate::engine::Job;", "floor"),
        ("src/weights/a.rs", "use crate::text::lists::Lists;", "floor"),
        ("src/weights/a.rs", "use crate::{protocol::Revision, model::bert};", "floor"),
        ("src/model/a.rs", "fn f() { crate::ui::app::mount() }", "floor"),
        ("src/model/mod.rs", "use super::engine::Job;", "floor"),
        ("src/protocol/a.rs", "use crate::math::rank;", "floor"),
        ("src/plots/a.rs", "fn f() {}", "table of floors"),
        ("src/engine/a.rs", "use crate::plots::a;", "table of floors"),
        ("src/state/a.rs", "use crate::weights::gguf::Gguf;", "the page only draws"),
        ("src/ui/a.rs", "use crate::weights::{gguf::Gguf};", "the page only draws"),
        ("src/engine/a.rs", "use crate::browser::store;", "lives in a worker"),
        ("src/model/a.rs", "use crate::backend::{Verbs, cpu::Cpu};", "one forward pass"),
        ("src/model/a.rs", "use candle_core::Tensor;", "tensor library"),
        ("src/backend/mod.rs", "fn f(t: &candle_core::Tensor) {}", "tensor library"),
        ("src/weights/a.rs", "use candle_core::Tensor;", "nobody waits"),
        ("src/engine/mod.rs", "use crate::training::session::Session;", "behind the engine's"),
        ("src/engine/a.rs", "use wgpu::Device;", "the GPU can"),
        ("src/engine/a.rs", "use js_sys::Array;", "tested natively"),
        ("src/text/a.rs", "#[cfg(target_arch = \"wasm32\")] fn f() {}", "at the edge"),
        ("src/bin/page.rs", "use std::time::{Duration, Instant};", "panic on wasm"),
        ("src/text/mod.rs", "pub use crate::text::lists::*;", "glob"),
        ("src/text/mod.rs", "pub(crate) use self::lists::{\n    a,\n    b::*,\n};", "glob"),
    ];
    for (path, text, expected) in cases {
        let complaints = judge(&Source::new(path, text));
        let [only] = complaints.as_slice() else {
            panic!("{path}: {text}\n{} complaints: {complaints:?}", complaints.len());
        };
        assert!(only.contains(expected) && only.starts_with(path), "{text}\n{only}");
    }
}

#[test]
fn what_is_allowed_is_left_alone() {
    let cases = [
        ("src/engine/a.rs", "use crate::{model::bert::Bert, text::lists};"),
        ("src/weights/a.rs", "use crate::weights::gguf::Gguf;"),
        ("src/engine/train.rs", "use crate::training::session::Session;"),
        ("src/training/a.rs", "use candle_core::Tensor;"),
        ("src/math/a.rs", "// crate::engine, js_sys\n/* wgpu /* nested */ leptos */"),
        ("src/math/a.rs", "const A: &str = \"crate::engine \\\" js_sys\"; const B: char = '\"';"),
        ("src/math/a.rs", "const A: &str = r#\"crate::engine \" js_sys\"#;"),
        ("src/math/a.rs", "fn f<'a>(a: &'a str) -> Lifetimes<'a> { wgpu_free(a) }"),
        ("src/math/mod.rs", "mod tests { use super::*; use super::engine_power; }"),
        ("src/browser/a.rs", "#[cfg(target_arch = \"wasm32\")] use web_sys::Window;"),
        ("src/bin/simcse/main.rs", "use crate::arguments::A;\nuse simcse_lab::engine::Job;"),
        ("src/lib.rs", "pub mod engine;\npub mod text;"),
    ];
    for (path, text) in cases {
        assert_eq!(judge(&Source::new(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
}

/// All complaints about one file.
fn judge(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |line: usize, text: String| {
        complaints.push(format!("{}:{line}: {text}", source.path));
    };
    let top = source.top();
    let own_floor = floor_of(top);
    if own_floor.is_none() && top != "lib" {
        complain(1, format!("`{top}` is not in the table of floors"));
    }
    for Import { line, module, by_super } in source.imports() {
        match (own_floor, floor_of(&module)) {
            _ if module == top => {}
            (Some(_), None) if !by_super => {
                complain(line, format!("`{module}` is not in the table of floors"));
            }
            (Some(own), Some(other)) if own <= other => complain(
                line,
                format!("`{top}` (floor {own}) may not know `{module}` (floor {other})"),
            ),
            _ => {}
        }
    }
    for wall in WALLS.iter().filter(|wall| !wall.place.allows(&source.module)) {
        for name in wall.names {
            for line in source.mentions(name) {
                complain(line, format!("`{name}` may not be named here: {}", wall.why));
            }
        }
    }
    for line in source.glob_re_exports() {
        complain(line, "a glob re-export hides where names come from".to_owned());
    }
    complaints
}

fn floor_of(module: &str) -> Option<u8> {
    if module == GROUND {
        return Some(0);
    }
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn report(complaints: &[String]) -> Result<(), String> {
    if complaints.is_empty() {
        return Ok(());
    }
    let mut text = format!("{} violations:", complaints.len());
    for complaint in complaints {
        let _ = write!(text, "\n  {complaint}");
    }
    Err(text)
}

/// All files of that kind below a folder, sorted. Fuzzing keeps its builds below its folder.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let problem = |error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                found.extend(files(&path, extension)?);
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
