//! Numbers as visitors read them.

use crate::catalogue::fill;
use crate::catalogue::language::Language;
use crate::catalogue::text::Text;
use crate::catalogue::words::Words;

/// `25.8` for 25,800,000 bytes: megabytes of 10^6, as download dialogs count.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// `0.83`, `−0.04`: a number with so many decimals, with the minus of typesetters; what rounds to
/// zero has none.
pub fn decimals(value: impl Into<f64>, digits: usize) -> String {
    let text = format!("{:.digits$}", value.into());
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// `12,345`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `4.2`, `37`, `1,250`: milliseconds with the digits that mean something.
pub fn milliseconds(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1}") } else { grouped(ms.round().max(0.0) as u64) }
}

/// `12 s`, `3 min 5 s`: time that remains, in seconds.
pub fn duration(seconds: f64, language: Language) -> String {
    let seconds = seconds.clamp(0.0, 359_999.0).ceil() as u64;
    let (minutes, rest) = ((seconds / 60).to_string(), (seconds % 60).to_string());
    if seconds < 60 {
        fill(Text::Seconds.in_language(language), &[("s", &rest)])
    } else {
        fill(Text::MinutesSeconds.in_language(language), &[("min", &minutes), ("s", &rest)])
    }
}

#[cfg(test)]
mod tests {
    use super::{decimals, duration, grouped, megabytes, milliseconds};
    use crate::catalogue::language::Language;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        assert_eq!([grouped(7), grouped(1234), grouped(1_234_567)], ["7", "1,234", "1,234,567"]);
        assert_eq!(megabytes(25_765_120), "25.8");
        assert_eq!([milliseconds(4.25), milliseconds(1250.4)], ["4.2", "1,250"]);
    }

    #[test]
    fn a_minus_is_a_minus_and_never_before_zero() {
        assert_eq!(
            [decimals(-0.004, 2), decimals(-0.0_f32, 1), decimals(0.0, 0)],
            ["0.00", "0.0", "0"]
        );
        assert_eq!([decimals(-1.746, 2), decimals(0.5_f32, 2)], ["−1.75", "0.50"]);
    }

    #[test]
    fn durations_have_minutes_when_needed() {
        assert_eq!(duration(11.2, Language::English), "12 s");
        assert_eq!(duration(185.0, Language::English), "3 min 5 s");
        assert_eq!(duration(f64::INFINITY, Language::Chinese), "5999 分 59 秒");
    }
}
