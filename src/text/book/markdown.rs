//! Markdown as readable paragraphs: marks are taken off, code is left out.

/// The next paragraph of `text` from byte `at` on, and where the one after begins. A heading, an entry of
/// a list and a quote are paragraphs of their own.
pub(super) fn next_paragraph(text: &str, mut at: usize) -> Option<(String, usize)> {
    let mut paragraph = String::new();
    while let Some(line) = text.get(at..).and_then(|rest| rest.split_inclusive('\n').next()) {
        let bare = line.trim();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            at = after_fence(text, at + line.len(), &bare[..3]);
            if paragraph.is_empty() { continue } else { break }
        }
        let (content, stands_alone) = without_marks(bare);
        if content.is_empty() || (stands_alone && !paragraph.is_empty()) {
            if paragraph.is_empty() {
                at += line.len();
                continue;
            }
            break;
        }
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(&content);
        at += line.len();
        let is_heading = bare.starts_with('#');
        if is_heading {
            break;
        }
    }
    (!paragraph.is_empty()).then_some((paragraph, at))
}

/// Where the block of code that begins at `at` is over.
fn after_fence(text: &str, mut at: usize, fence: &str) -> usize {
    while let Some(line) = text.get(at..).and_then(|rest| rest.split_inclusive('\n').next()) {
        at += line.len();
        if line.trim_start().starts_with(fence) {
            break;
        }
    }
    at
}

/// A line's text, and whether it begins a paragraph of its own.
fn without_marks(line: &str) -> (String, bool) {
    let is_rule =
        line.len() >= 3 && line.chars().all(|it| matches!(it, '-' | '*' | '_' | '=' | ' '));
    let is_table_rule = line.starts_with('|') && line.chars().all(|it| "|-: ".contains(it));
    if is_rule || is_table_rule {
        return (String::new(), true);
    }
    let headless = line.trim_start_matches('#');
    if headless.len() < line.len() && (headless.is_empty() || headless.starts_with(' ')) {
        return (inline(headless.trim()), true);
    }
    if let Some(rest) = ["- ", "* ", "+ ", "> "].iter().find_map(|mark| line.strip_prefix(mark)) {
        let rest = ["[ ] ", "[x] "].iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(rest);
        return (inline(rest.trim_start_matches("> ").trim()), true);
    }
    let digits = line.trim_start_matches(|it: char| it.is_ascii_digit());
    if digits.len() < line.len() && (digits.starts_with(". ") || digits.starts_with(") ")) {
        return (inline(digits[2..].trim()), true);
    }
    if line.starts_with('|') {
        let cells = line.trim_matches('|').split('|').map(|cell| inline(cell.trim()));
        return (cells.collect::<Vec<_>>().join(" · "), true);
    }
    (inline(line), false)
}

/// Links and pictures are their words; emphasis and code lose their marks.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        let link = from.find("](").and_then(|middle| {
            let close = from[middle..].find(')')?;
            Some((&from[1..middle], &from[middle + close + 1..]))
        });
        out.push_str(if link.is_some() {
            before.strip_suffix('!').unwrap_or(before)
        } else {
            before
        });
        match link {
            Some((words, after)) => {
                out.push_str(words);
                rest = after;
            }
            None => {
                out.push('[');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    for mark in ["**", "__", "~~", "`"] {
        out = out.replace(mark, "");
    }
    without_single_stars(&out)
}

/// `*words*` lose their stars; a star between spaces stays.
fn without_single_stars(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_space = |place: Option<usize>| {
        place.and_then(|place| characters.get(place)).is_none_or(|it| it.is_whitespace())
    };
    let keep = |place: usize| {
        let is_alone = is_space(place.checked_sub(1)) && is_space(Some(place + 1));
        characters[place] != '*' || is_alone
    };
    (0..characters.len()).filter(|place| keep(*place)).map(|place| characters[place]).collect()
}
