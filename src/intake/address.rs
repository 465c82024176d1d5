//! The address of one file with weights, where a visitor gives that instead of a repository's name.

/// A file on some server. The small files of a checkpoint lie beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAddress {
    pub url: String,
    /// The last part of its path.
    pub name: String,
    /// The first part, with the slash.
    folder: String,
}

impl FileAddress {
    /// `https://…/x.gguf`, `.safetensors` or `.bin`; `None` for anything else. A page of the Hub that shows
    /// a file (`/blob/`) stands for the file (`/resolve/`).
    pub fn parse(text: &str) -> Option<Self> {
        let url = text.trim().replacen("/blob/", "/resolve/", 1);
        let (scheme, rest) = url.split_once("://")?;
        let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        let path = rest.split(['?', '#']).next()?;
        let (_, name) = path.rsplit_once('/')?;
        let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?.1;
        let is_known =
            ["gguf", "safetensors", "bin"].iter().any(|it| ending.eq_ignore_ascii_case(it));
        if !is_web || !is_known {
            return None;
        }
        let folder = url.get(..scheme.len() + "://".len() + path.len() - name.len())?.to_owned();
        let name = name.to_owned();
        Some(Self { url, name, folder })
    }

    /// Whether it is a model as it is, not a checkpoint's weights.
    pub fn is_gguf(&self) -> bool {
        self.name.to_ascii_lowercase().ends_with(".gguf")
    }

    /// Where a file beside it is.
    pub fn beside(&self, path: &str) -> String {
        format!("{}{path}", self.folder)
    }

    /// What to call the model: the folder of a checkpoint, a file by itself.
    pub fn model_name(&self) -> String {
        let stem = self.name.rsplit_once('.').map_or(self.name.as_str(), |(stem, _)| stem);
        if self.is_gguf() {
            return stem.to_owned();
        }
        // On a hub the folder is `owner/name/resolve/main/`.
        let folder = self.folder.split_once("/resolve/").map_or(self.folder.as_str(), |it| it.0);
        let path = folder.split_once("://").map_or(folder, |(_, path)| path).trim_end_matches('/');
        let folder = path.split_once('/').map(|(_, path)| path.rsplit('/').next().unwrap_or(path));
        folder.filter(|name| !name.is_empty()).unwrap_or(stem).to_owned()
    }

    /// Itself, or all of the series that it is one of (`model-00001-of-00003.safetensors`): names and
    /// addresses.
    pub fn series(&self) -> Vec<(String, String)> {
        let alone = || vec![(self.name.clone(), self.url.clone())];
        let Some((stem, ending)) = self.name.rsplit_once('.') else { return alone() };
        let Some((stem, count)) = stem.rsplit_once("-of-") else { return alone() };
        let Some((stem, number)) = stem.rsplit_once('-') else { return alone() };
        let (Ok(total), Ok(_)) = (count.parse::<u32>(), number.parse::<u32>()) else {
            return alone();
        };
        /// Longer series are of models that are no encoders.
        const MOST: u32 = 100;
        let names = (1..=total.min(MOST)).map(|n| {
            let digits = number.len();
            format!("{stem}-{n:0digits$}-of-{count}.{ending}")
        });
        names.map(|name| (name.clone(), self.url.replacen(&self.name, &name, 1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> FileAddress {
        FileAddress::parse(text).unwrap_or_else(|| panic!("{text} is an address"))
    }

    #[test]
    fn addresses_of_files_and_what_is_beside_them() {
        let page = parsed(" https://hub.example/o/some-model/blob/main/model.safetensors?x=1 ");
        assert_eq!(page.url, "https://hub.example/o/some-model/resolve/main/model.safetensors?x=1");
        assert_eq!(
            page.beside("1_Pooling/config.json"),
            "https://hub.example/o/some-model/resolve/main/1_Pooling/config.json"
        );
        assert_eq!((page.model_name().as_str(), page.is_gguf()), ("some-model", false));
        let file = parsed("http://127.0.0.1:8000/small-Q8_0.GGUF");
        assert_eq!((file.model_name().as_str(), file.is_gguf()), ("small-Q8_0", true));
        let bare = parsed("https://weights.example/model.bin");
        assert_eq!(bare.model_name(), "model");
        assert_eq!(bare.series(), [("model.bin".to_owned(), bare.url.clone())]);
    }

    #[test]
    fn names_of_repositories_and_other_addresses_are_none() {
        let others = [
            "owner/name",
            "owner/name.gguf",
            "https://hub.example/owner/name",
            "https://hub.example/x.zip",
            "ftp://hub.example/x.gguf",
            "https://x.gguf",
            "https://hub.example/.gguf",
            "",
        ];
        for text in others {
            assert_eq!(FileAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn one_of_a_series_stands_for_all() {
        let one = parsed("https://h.example/a/model-00002-of-00003.safetensors?download=true");
        let found = one.series();
        assert_eq!(found.len(), 3);
        assert_eq!(found[2].0, "model-00003-of-00003.safetensors");
        assert_eq!(
            found[0].1,
            "https://h.example/a/model-00001-of-00003.safetensors?download=true"
        );
    }
}
