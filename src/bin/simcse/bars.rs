//! Progress on stderr; nothing where stderr is not a terminal.

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// A bar of `total` steps.
///
/// # Errors
/// Where the template is refused, which a test run would show.
pub fn bar(total: usize, what: &'static str) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg} [{bar:32}] {pos}/{len}, {eta} left")?;
    Ok(ProgressBar::new(total as u64).with_style(style.progress_chars("=> ")).with_message(what))
}

/// A bar of bytes; how many there are is said later.
///
/// # Errors
/// As [`bar`].
pub fn bytes() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template(
        "[{bar:32}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    )?;
    Ok(ProgressBar::new(0).with_style(style.progress_chars("=> ")))
}

/// Something that goes on, nobody knows for how long.
///
/// # Errors
/// As [`bar`].
pub fn spinner(what: &'static str) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}")?;
    Ok(ProgressBar::new_spinner().with_style(style).with_message(what))
}
