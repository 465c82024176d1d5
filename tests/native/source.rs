//! A source file as the layering test reads it: code without comments and texts, and the paths
//! that it names.

use std::fs;
use std::path::Path;

/// A Rust source file.
pub struct Source {
    /// Within the repository, with `/`.
    pub path: String,
    /// `backend::cpu::linear`
    pub module: String,
    is_module_root: bool,
    /// Comments, strings and characters are blanked out, line breaks kept.
    code: String,
    /// What `use` statements and expressions name, groups expanded: byte offset and path.
    paths: Vec<(usize, String)>,
}

/// A top-level module that a file names.
pub struct Import {
    pub line: usize,
    pub module: String,
    /// Named from `super`, which in tests inside of a module is that module itself: then it may
    /// be no top-level module at all.
    pub by_super: bool,
}

impl Source {
    /// Reads a file of the repository.
    pub fn read(root: &Path, path: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let inner = path.strip_prefix(root).unwrap_or(path);
        let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
        Ok(Self::new(&parts.join("/"), &text))
    }

    /// A file of that path (`src/backend/cpu/linear.rs`) and content.
    pub fn new(path: &str, text: &str) -> Self {
        let stem = path.trim_start_matches("src/").trim_end_matches(".rs");
        let module = stem.trim_end_matches("/mod").replace('/', "::");
        let is_module_root = !module.contains("::");
        let code = blank(text);
        let roots: &[&str] = if is_inside(&module, "bin") {
            &["simcse_lab", "std", "super"]
        } else {
            &["crate", "std", "super"]
        };
        let paths = roots.iter().flat_map(|root| paths_from(&code, root)).collect();
        Self { path: path.to_owned(), module, is_module_root, code, paths }
    }

    /// The top-level module that it belongs to.
    pub fn top(&self) -> &str {
        self.module.split("::").next().unwrap_or_default()
    }

    /// Every top-level module that it names.
    pub fn imports(&self) -> Vec<Import> {
        let named = self.paths.iter().filter_map(|(at, path)| {
            let mut parts = path.split("::");
            let by_super = match parts.next()? {
                "crate" | "simcse_lab" => false,
                // Below a top-level module, `super` stays inside of it.
                "super" if self.is_module_root => true,
                _ => return None,
            };
            let module = parts.next().filter(|part| starts_lower(part))?.to_owned();
            Some(Import { line: self.line_of(*at), module, by_super })
        });
        named.collect()
    }

    /// Paths inside the library that the file names, without `crate`: `backend::cpu::Cpu`.
    pub fn uses(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter_map(|(_, path)| path.strip_prefix("crate::"))
    }

    /// Lines that name the path (`crate::backend::cpu`) or the word (`wgpu`).
    pub fn mentions(&self, name: &str) -> Vec<usize> {
        if name.contains("::") {
            let hits = self.paths.iter().filter(|(_, path)| is_inside(path, name));
            return hits.map(|(at, _)| self.line_of(*at)).collect();
        }
        words(&self.code, name).into_iter().map(|at| self.line_of(at)).collect()
    }

    /// Lines with `pub use ...::*`.
    pub fn glob_re_exports(&self) -> Vec<usize> {
        let is_glob = |at: &usize| {
            let before = self.code.get(..*at).unwrap_or_default();
            let since = before.rfind([';', '}', '{']).map_or(0, |end| end + 1);
            let statement = self.code.get(*at..).and_then(|rest| rest.split(';').next());
            let lead = before.get(since..).unwrap_or_default();
            lead.contains("pub") && statement.is_some_and(|statement| statement.contains('*'))
        };
        let uses = words(&self.code, "use").into_iter();
        uses.filter(is_glob).map(|at| self.line_of(at)).collect()
    }

    fn line_of(&self, at: usize) -> usize {
        1 + self.code.get(..at).unwrap_or_default().matches('\n').count()
    }
}

/// Whether a path is another one or below it.
pub fn is_inside(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn starts_lower(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Offsets of a whole word.
fn words(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let is_free = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_none_or(|b| !is_word(*b));
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|&at| is_free(at.checked_sub(1)) && is_free(Some(at + word.len())))
        .collect()
}

/// Every path that begins with that root, groups expanded.
fn paths_from(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in words(code, root) {
        let rest = code.get(at + root.len()..).unwrap_or_default();
        // `a::crate_like::std::x` is no path of ours.
        let is_start = !code.get(..at).unwrap_or_default().trim_end().ends_with("::");
        if is_start && rest.trim_start().starts_with("::") {
            let mut paths = Vec::new();
            Reader { rest }.tree(root, &mut paths);
            found.extend(paths.into_iter().map(|path| (at, path)));
        }
    }
    found
}

/// Reads what follows the root of a path.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// `::a::{b, c::d}` below `prefix`.
    fn tree(&mut self, prefix: &str, found: &mut Vec<String>) {
        let mut path = prefix.to_owned();
        while self.take("::") {
            if self.take("{") {
                while !self.take("}") && !self.rest.is_empty() {
                    self.branch(&path, found);
                }
                return;
            }
            let name = self.name();
            if name.is_empty() {
                break;
            }
            path = format!("{path}::{name}");
        }
        found.push(path);
    }

    /// One element of a group, with the comma after it.
    fn branch(&mut self, prefix: &str, found: &mut Vec<String>) {
        let name = self.name();
        if name.is_empty() {
            // `*`, or something that is no name: step over it.
            let mut characters = self.rest.chars();
            characters.next();
            self.rest = characters.as_str();
            return;
        }
        self.tree(&format!("{prefix}::{name}"), found);
        if self.name() == "as" {
            self.name();
        }
        self.take(",");
    }

    fn take(&mut self, mark: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let len = self.rest.bytes().take_while(|byte| is_word(*byte)).count();
        let (name, rest) = self.rest.split_at(len);
        self.rest = rest;
        name.to_owned()
    }
}

/// The code with comments, strings and characters turned to blanks of the same length.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word_before = code.bytes().last().is_some_and(is_word);
        let len = hidden_len(rest, word_before);
        let (piece, tail) = rest.split_at(if len > 0 { len } else { first.len_utf8() });
        if len > 0 {
            code.extend(piece.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        } else {
            code.push_str(piece);
        }
        rest = tail;
    }
    code
}

/// How many bytes at the start are a comment, a string or a character; 0 if none.
fn hidden_len(rest: &str, word_before: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return comment_len(rest);
    }
    if rest.starts_with('"') {
        return quoted_len(rest, '"');
    }
    if rest.starts_with('r') && !word_before {
        let hashes = rest.bytes().skip(1).take_while(|byte| *byte == b'#').count();
        if rest.as_bytes().get(1 + hashes) == Some(&b'"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = rest.get(hashes + 2..).unwrap_or_default();
            return body.find(&end).map_or(rest.len(), |at| hashes + 2 + at + end.len());
        }
    }
    if let Some(inner) = rest.strip_prefix('\'') {
        let mut characters = inner.chars();
        let (first, second) = (characters.next(), characters.next());
        // Otherwise it is a lifetime.
        if first == Some('\\') || second == Some('\'') {
            return quoted_len(rest, '\'');
        }
    }
    0
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Block comments nest.
fn comment_len(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        let step = match tail {
            _ if tail.starts_with("/*") => {
                depth += 1;
                2
            }
            _ if tail.starts_with("*/") => {
                depth -= 1;
                2
            }
            _ => tail.chars().next().map_or(1, char::len_utf8),
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}
