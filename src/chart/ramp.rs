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
    /// Sequential ramp, least to most, evenly spaced.
    ramp: &'static [[u8; 3]],
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
};

impl Palette {
    /// Colour of `share`, 0 (least) to 1 (most); beyond is clamped, not-a-number is the least.
    pub fn sequential(&self, share: f64) -> [u8; 3] {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        let place = share * (self.ramp.len() - 1) as f64;
        let low = (place.floor() as usize).min(self.ramp.len() - 2);
        let between = place - low as f64;
        let mix = |channel: usize| {
            let (from, to) =
                (f64::from(self.ramp[low][channel]), f64::from(self.ramp[low + 1][channel]));
            (from + (to - from) * between).round() as u8
        };
        [mix(0), mix(1), mix(2)]
    }
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
    use super::{DARK, LIGHT, css, text_on};

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
    fn shares_outside_the_range_are_clamped() {
        assert_eq!(css(LIGHT.sequential(f64::NAN)), "#f3f1ec");
        assert_eq!(LIGHT.sequential(2.0), LIGHT.sequential(1.0));
        assert_eq!(text_on(LIGHT.sequential(1.0)), "#ffffff");
        assert_eq!(text_on(LIGHT.sequential(0.0)), "#16151a");
    }
}
