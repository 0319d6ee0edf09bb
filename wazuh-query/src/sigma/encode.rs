//! Values in other encodings: modifiers `base64`, `base64offset`, `utf16le`, `utf16be` and `utf16`.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| chunk.get(place).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                let digit = bits >> (18 - 6 * place) & 0x3f;
                out.push(char::from(ALPHABET[digit as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// The three texts of which one stands in any base64 text whose content has `bytes` in it, whatever stands around them:
/// the digits that depend on `bytes` alone, for each distance from a border of three bytes.
pub(super) fn base64_offsets(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|offset| {
        let mut padded = vec![b' '; offset];
        padded.extend_from_slice(bytes);
        let encoded = base64(&padded);
        // A first byte that is not known spoils two digits, two such bytes three.
        let start = [0, 2, 3][offset];
        // What is left behind the last whole group depends on what follows.
        let end = encoded.len() - [0, 3, 2][padded.len() % 3];
        encoded.get(start..end).unwrap_or_default().to_owned()
    })
}

/// UTF-16, low byte first.
pub(super) fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UTF-16, high byte first.
pub(super) fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// UTF-16 behind a byte order mark, low byte first.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(utf16le(text));
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4648, 10.
    #[test]
    fn test_vectors() {
        for (text, wanted) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
    }

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(base64_offsets(b"/bin/bash"), ["L2Jpbi9iYXNo", "9iaW4vYmFza", "vYmluL2Jhc2"]);
        assert_eq!(utf16le("cmd"), [0x63, 0, 0x6d, 0, 0x64, 0]);
        assert_eq!(utf16be("cmd"), [0, 0x63, 0, 0x6d, 0, 0x64]);
        assert_eq!(utf16("c"), [0xff, 0xfe, 0x63, 0]);
    }

    proptest! {
        #[test]
        fn one_of_the_offsets_stands_in_the_encoded_text(
            before in prop::collection::vec(any::<u8>(), 0..7),
            bytes in prop::collection::vec(any::<u8>(), 3..12),
            after in prop::collection::vec(any::<u8>(), 0..7),
        ) {
            let whole = [before.as_slice(), &bytes, &after].concat();
            let wanted = &base64_offsets(&bytes)[before.len() % 3];
            prop_assert!(base64(&whole).contains(wanted.as_str()));
        }
    }
}
