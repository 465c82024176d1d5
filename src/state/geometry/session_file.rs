//! A session as a file: one JSON object that opens elsewhere as it was saved.

use serde::{Deserialize, Serialize};

use crate::files::base64;
use crate::state::geometry::SessionTrouble;
use crate::state::geometry::corpus::{Bundled, Source};
use crate::text::columns::Roles;

/// What this page writes, and the latest that it reads.
const VERSION: u32 = 1;
/// The end of a session file's name.
pub(super) const ENDING: &str = ".simcse.json";
/// The first field; a file that begins with it is a session, whatever its name.
const MARK: &str = "\"simcse_session\"";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct File {
    simcse_session: u32,
    /// Sentences, with their topics and scores, as they came.
    text: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    roles: Option<Roles>,
    #[serde(default)]
    bundled: Option<String>,
    /// A text of its own, so that settings of another version cost no more than themselves.
    #[serde(default)]
    view: String,
    #[serde(default)]
    model: Option<Model>,
    #[serde(default)]
    adapter: Option<Adapter>,
}

/// The model that it was saved with. It is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Adapter {
    name: String,
    sha256: String,
    blend: f32,
    gguf_base64: String,
}

/// The adapter in use.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InUse {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) blend: f32,
    pub(super) bytes: Vec<u8>,
}

/// What a session is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contents {
    pub(super) source: Source,
    /// As [`crate::state::geometry::saved`] writes it.
    pub(super) view: String,
    pub(super) model: Option<Model>,
    pub(super) adapter: Option<InUse>,
}

/// Whether a file that was dropped is a session.
pub(super) fn is_session(name: &str, text: &str) -> bool {
    let object = text.trim_start().strip_prefix('{');
    name.ends_with(ENDING) || object.is_some_and(|rest| rest.trim_start().starts_with(MARK))
}

/// As text.
pub(super) fn to_json(contents: Contents) -> String {
    let Contents { source, view, model, adapter } = contents;
    let file = File {
        simcse_session: VERSION,
        text: source.text.to_string(),
        name: source.name,
        roles: source.roles,
        bundled: source.bundled.map(|bundled| bundled.slug().to_owned()),
        view,
        model,
        adapter: adapter.map(|InUse { name, sha256, blend, bytes }| Adapter {
            name,
            sha256,
            blend,
            gguf_base64: base64::encode(&bytes),
        }),
    };
    // Serialising strings and numbers cannot fail.
    serde_json::to_string(&file).unwrap_or_default()
}

/// From text; `name` is the file's.
pub(super) fn from_json(name: &str, text: &str) -> Result<Contents, SessionTrouble> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Any {
        simcse_session: u32,
    }
    let name = name.to_owned();
    match serde_json::from_str::<Any>(text) {
        Err(error) if is_session(&name, text) && !error.is_data() => {
            return Err(SessionTrouble::Damaged { name, detail: error.to_string() });
        }
        Err(_) => return Err(SessionTrouble::NoSession { name }),
        Ok(Any { simcse_session }) if simcse_session > VERSION => {
            return Err(SessionTrouble::Later { name });
        }
        Ok(_) => {}
    }
    let damaged = |detail| SessionTrouble::Damaged { name: name.clone(), detail };
    let file: File = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
    let adapter = match file.adapter {
        Some(Adapter { name, sha256, blend, gguf_base64 }) => {
            let bytes = base64::decode(&gguf_base64);
            let bytes = bytes.ok_or_else(|| damaged("adapter.gguf_base64".to_owned()))?;
            Some(InUse { name, sha256, blend, bytes })
        }
        None => None,
    };
    let source = Source {
        text: file.text.into(),
        name: file.name,
        roles: file.roles,
        bundled: file.bundled.as_deref().and_then(Bundled::from_slug),
    };
    Ok(Contents { source, view: file.view, model: file.model, adapter })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::any;

    use super::{
        Bundled, Contents, InUse, Model, Roles, SessionTrouble, Source, from_json, to_json,
    };

    fn contents() -> Contents {
        Contents {
            source: Source { text: "one\ntwo".into(), ..Source::default() },
            view: String::new(),
            model: None,
            adapter: None,
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_saved_is_opened(
            text: String, name: Option<String>, view: String,
            columns in of((0..9_usize, of(0..9_usize))),
            bundled in of(proptest::sample::select(Bundled::ALL.to_vec())),
            model in of((any::<String>(), any::<String>())),
            adapter in of((any::<String>(), 0.0..1.5_f32, vec(0_u8.., 0..200))),
        ) {
            let roles = columns.map(|(sentence, topic)| Roles { sentence, topic, ..Roles::default() });
            let contents = Contents {
                source: Source { text: text.into(), name, roles, bundled },
                view,
                model: model.map(|(name, sha256)| Model { name, sha256 }),
                adapter: adapter.map(|(name, blend, bytes)| InUse {
                    sha256: name.clone(), name, blend, bytes,
                }),
            };
            let file = to_json(contents.clone());
            proptest::prop_assert!(super::is_session("any.name", &file));
            proptest::prop_assert_eq!(from_json("x", &file), Ok(contents));
        }

        #[test]
        fn anything_is_opened_or_named(text in ".{0,200}", cut in 0..200_usize) {
            let _ = from_json("x", &text);
            let file = to_json(contents());
            let part: String = file.chars().take(cut).collect();
            if part.len() < file.len() {
                proptest::prop_assert!(from_json("x.simcse.json", &part).is_err());
            }
        }
    }

    #[test]
    fn other_files_are_named_for_what_they_are() {
        let name = || "x.json".to_owned();
        let no_session = Err(SessionTrouble::NoSession { name: name() });
        for text in ["", "a sentence", "{\"text\":\"a line\"}", "[1, 2]"] {
            assert_eq!(from_json("x.json", text), no_session, "{text}");
        }
        let later = "{\"simcse_session\":2,\"everything\":\"else\"}";
        assert_eq!(from_json("x.json", later), Err(SessionTrouble::Later { name: name() }));
        let file = to_json(contents());
        for damaged in [file.replace("\"text\"", "\"tex\""), file.replace('}', "")] {
            let opened = from_json("x.json", &damaged);
            assert!(matches!(opened, Err(SessionTrouble::Damaged { .. })), "{opened:?}");
        }
        let in_use = InUse { name: name(), sha256: name(), blend: 1.0, bytes: vec![1, 2, 3] };
        let file = to_json(Contents { adapter: Some(in_use), ..contents() });
        let opened = from_json("x.json", &file.replace("AQID", "AQI"));
        assert!(matches!(opened, Err(SessionTrouble::Damaged { .. })), "{opened:?}");
    }
}
