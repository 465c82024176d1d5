//! Base64, as screenshots arrive.

/// The bytes, or `None` where the text is not base64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits: u32 = 0;
    let mut count = 0;
    for digit in text.bytes().filter(|&byte| byte != b'=') {
        bits = (bits << 6) | u32::from(value(digit)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[test]
fn decodes_every_length() {
    assert_eq!(decode("").as_deref(), Some(&b""[..]));
    assert_eq!(decode("Zg==").as_deref(), Some(&b"f"[..]));
    assert_eq!(decode("Zm8=").as_deref(), Some(&b"fo"[..]));
    assert_eq!(decode("Zm9v").as_deref(), Some(&b"foo"[..]));
    assert_eq!(decode("+/8=").as_deref(), Some(&[0xfb, 0xff][..]));
    assert_eq!(decode("Z*=="), None);
}
