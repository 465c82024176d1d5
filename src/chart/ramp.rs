//! Colours of the charts: concrete values for light and dark pages.

/// Colours of one page theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    pub paper: &'static str,
    pub ink: &'static str,
    pub quiet: &'static str,
    pub rule: &'static str,
    /// Unrelated, baseline.
    pub baseline: &'static str,
    /// The one highlighted value.
    pub accent: &'static str,
    /// Before a fine-tune: amber.
    pub before: &'static str,
    /// After it: teal.
    pub after: &'static str,
    /// What is to be taken with care.
    pub warning: &'static str,
    /// Sequential ramp, least to most, evenly spaced.
    ramp: &'static [[u8; 3]],
    /// From unrelated (grey) to the same, for marks on paper; beyond the grey it is viridis.
    similarity: &'static [[u8; 3]],
    /// Okabe & Ito's colours for categories; their black is ink here.
    categories: [[u8; 3]; 8],
}

/// On light paper.
pub const LIGHT: Palette = Palette {
    paper: "#fbfaf7",
    ink: "#1d1c22",
    quiet: "#65626e",
    rule: "#dedbd3",
    baseline: "#a9a6a0",
    accent: "#4b3aa7",
    before: "#b8730a",
    after: "#0b7a75",
    ramp: &[
        [0xf3, 0xf1, 0xec],
        [0xdb, 0xd8, 0xe6],
        [0xb5, 0xb0, 0xda],
        [0x87, 0x7f, 0xc7],
        [0x5b, 0x4d, 0xae],
        [0x38, 0x28, 0x84],
        [0x1b, 0x10, 0x4d],
    ],
    warning: "#a3262a",
    similarity: &[
        [0xc4, 0xc1, 0xba],
        [0x7a, 0xd1, 0x51],
        [0x22, 0xa8, 0x84],
        [0x2a, 0x78, 0x8e],
        [0x41, 0x44, 0x87],
        [0x44, 0x01, 0x54],
    ],
    categories: [
        [0x00, 0x72, 0xb2],
        [0xd5, 0x5e, 0x00],
        [0x00, 0x9e, 0x73],
        [0xcc, 0x79, 0xa7],
        [0x56, 0xb4, 0xe9],
        [0xe6, 0x9f, 0x00],
        [0x1d, 0x1c, 0x22],
        [0xf0, 0xe4, 0x42],
    ],
};

/// On dark paper.
pub const DARK: Palette = Palette {
    paper: "#16151a",
    ink: "#eceaf2",
    quiet: "#a09cab",
    rule: "#35323d",
    baseline: "#77747e",
    accent: "#b3a5ff",
    before: "#f0b04f",
    after: "#4fc7bd",
    ramp: &[
        [0x20, 0x1f, 0x26],
        [0x2d, 0x28, 0x47],
        [0x44, 0x39, 0x7a],
        [0x64, 0x55, 0xae],
        [0x8b, 0x7d, 0xd6],
        [0xb8, 0xae, 0xf1],
        [0xec, 0xe8, 0xff],
    ],
    warning: "#ff9d94",
    similarity: &[
        [0x4a, 0x47, 0x51],
        [0x41, 0x44, 0x87],
        [0x2a, 0x78, 0x8e],
        [0x22, 0xa8, 0x84],
        [0x7a, 0xd1, 0x51],
        [0xfd, 0xe7, 0x25],
    ],
    categories: [
        [0x00, 0x72, 0xb2],
        [0xd5, 0x5e, 0x00],
        [0x00, 0x9e, 0x73],
        [0xcc, 0x79, 0xa7],
        [0x56, 0xb4, 0xe9],
        [0xe6, 0x9f, 0x00],
        [0xec, 0xea, 0xf2],
        [0xf0, 0xe4, 0x42],
    ],
};

impl Palette {
    /// Colour of `share`, 0 (least) to 1 (most); beyond is clamped, not-a-number is the least.
    pub fn sequential(&self, share: f64) -> [u8; 3] {
        along(self.ramp, share)
    }

    /// Colour of a mark that is `share` of the way from unrelated (0, grey) to the same (1).
    pub fn similar(&self, share: f64) -> [u8; 3] {
        along(self.similarity, share)
    }

    /// Colour of a category, from 0; `None` beyond the eighth, which colours do not tell apart.
    pub fn category(&self, place: usize) -> Option<[u8; 3]> {
        self.categories.get(place).copied()
    }
}

/// The colour at that share of a ramp.
fn along(ramp: &[[u8; 3]], share: f64) -> [u8; 3] {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let place = share * (ramp.len() - 1) as f64;
    let low = (place.floor() as usize).min(ramp.len() - 2);
    mixed(ramp[low], ramp[low + 1], place - low as f64)
}

/// The colour that is `share` of the way from one to another.
pub fn mixed(from: [u8; 3], to: [u8; 3], share: f64) -> [u8; 3] {
    let mix = |channel: usize| {
        let (from, to) = (f64::from(from[channel]), f64::from(to[channel]));
        (from + (to - from) * share).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

/// A colour written as `#rrggbb`; black where it is not.
pub fn rgb(css: &str) -> [u8; 3] {
    let channel = |place: usize| {
        let digits = css.get(1 + 2 * place..3 + 2 * place);
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default()
    };
    [channel(0), channel(1), channel(2)]
}

/// `#rrggbb`
pub fn css(colour: [u8; 3]) -> String {
    format!("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2])
}

/// Dark or white text, whichever has the higher contrast on `colour` (WCAG 2 contrast ratio).
pub fn text_on(colour: [u8; 3]) -> &'static str {
    const DARK_TEXT: [u8; 3] = [0x16, 0x15, 0x1a];
    let paper = luminance(colour) + 0.05;
    let (with_dark, with_white) = (paper / (luminance(DARK_TEXT) + 0.05), 1.05 / paper);
    if with_dark > with_white { "#16151a" } else { "#ffffff" }
}

/// Relative luminance of an sRGB colour, 0 to 1 (WCAG 2).
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

#[cfg(test)]
mod tests {
    use super::{DARK, LIGHT, css, luminance, mixed, rgb, text_on};

    #[test]
    fn ramps_change_lightness_in_one_direction() {
        for (palette, falls) in [(LIGHT, true), (DARK, false)] {
            let sums: Vec<u32> = (0..=20)
                .map(|step| {
                    palette.sequential(f64::from(step) / 20.0).iter().map(|&c| u32::from(c)).sum()
                })
                .collect();
            assert!(sums.windows(2).all(|pair| (pair[0] > pair[1]) == falls), "{sums:?}");
        }
    }

    #[test]
    fn similar_marks_stand_out_more_and_more() {
        for (palette, falls) in [(LIGHT, true), (DARK, false)] {
            let steps: Vec<f64> =
                (0..=20).map(|step| luminance(palette.similar(f64::from(step) / 20.0))).collect();
            assert!(steps.windows(2).all(|pair| (pair[0] > pair[1]) == falls), "{steps:?}");
        }
    }

    #[test]
    fn categories_are_eight_and_different() {
        for palette in [LIGHT, DARK] {
            let mut colours: Vec<_> = (0..9).filter_map(|place| palette.category(place)).collect();
            colours.sort_unstable();
            colours.dedup();
            assert_eq!(colours.len(), 8);
        }
    }

    #[test]
    fn colours_are_read_and_mixed() {
        assert_eq!(rgb(&css([1, 20, 255])), [1, 20, 255]);
        assert_eq!([rgb("none"), rgb("#12")], [[0; 3], [0x12, 0, 0]]);
        assert_eq!(mixed([0, 100, 10], [10, 0, 10], 0.25), [3, 75, 10]);
    }

    #[test]
    fn shares_outside_the_range_are_clamped() {
        assert_eq!(css(LIGHT.sequential(f64::NAN)), "#f3f1ec");
        assert_eq!(LIGHT.sequential(2.0), LIGHT.sequential(1.0));
        assert_eq!(text_on(LIGHT.sequential(1.0)), "#ffffff");
        assert_eq!(text_on(LIGHT.sequential(0.0)), "#16151a");
    }
}
