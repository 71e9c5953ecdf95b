//! Bytes → text, for declared charsets, undeclared ones, and those that are declared wrongly.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Labels of UTF-8 that are seen in mail.
const UTF_8: [&str; 4] = ["utf-8", "utf8", "utf8mb4", "unicode-1-1-utf-8"];

/// Labels that senders put there without looking: the C locale's name, or the editor's default.
const CARELESS: [&str; 12] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "iso-8859-1",
    "iso8859-1",
    "latin1",
    "iso-8859-15",
    "windows-1252",
    "cp1252",
    "unknown-8bit",
    "8bit",
];

/// Decodes text that claims to be in `charset`.
///
/// Bytes that are valid UTF-8 with characters beyond ASCII are UTF-8, where the claim is missing, unknown or
/// [`CARELESS`]: no one means `Ã¤`. What is neither valid nor claimed is read as windows-1252, which has a
/// character for nearly every byte. What cannot be decoded becomes U+FFFD.
pub(super) fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let name = charset.map(normal).unwrap_or_default();
    let decoder = if UTF_8.contains(&name.as_str()) { None } else { charset_decoder(name.as_bytes()) };
    match decoder {
        Some(decoder) if !CARELESS.contains(&name.as_str()) => decoder(bytes),
        _ => guess(bytes),
    }
}

/// Decodes text about whose charset nothing is known.
pub(super) fn guess(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) => named(b"utf-16", bytes),
        // A text that is broken in places is still the text that it is in the others.
        Err(_) if bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Err(_) => named(b"windows-1252", bytes),
    }
}

fn named(charset: &[u8], bytes: &[u8]) -> String {
    let decoder = charset_decoder(charset).expect("the decoder's table has this charset");
    decoder(bytes)
}

/// The label in lower case, without the quotes and semicolons that stick to it.
fn normal(label: &str) -> String {
    label.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_charsets_are_read() {
        for (charset, bytes, text) in [
            ("koi8-r", &b"\xf0\xd2\xc9\xd7\xc5\xd4"[..], "Привет"),
            ("KOI8-U", b"\xf0\xd2\xc9\xd7\xa6\xd4", "Привіт"),
            ("gb2312", b"\xb4\xc5\xc5\xcc", "磁盘"),
            ("gb18030", b"\xc4\xe3\xba\xc3", "你好"),
            ("big5", b"\xa7A\xa6n", "你好"),
            ("shift_jis", b"\x83n\x83\x8d\x81[", "ハロー"),
            ("euc-jp", b"\xa5\xcf\xa5\xed\xa1\xbc", "ハロー"),
            ("iso-2022-jp", b"\x1b$B%O%m!<\x1b(B", "ハロー"),
            ("euc-kr", b"\xbe\xc8\xb3\xe7", "안녕"),
            ("iso-8859-2", b"\xb1\xe6\xea", "ąćę"),
            ("iso-8859-5", b"\xbf\xe0\xd8", "При"),
            ("iso-8859-7", b"\xc3\xe5\xe9\xdc", "Γειά"),
            ("iso-8859-9", b"\xfd\xfe", "ış"),
            ("windows-1250", b"\x9a\xe8", "šč"),
            ("windows-1251", b"\xcf\xf0\xe8", "При"),
            ("windows-1252", b"\x80 \xfc", "€ ü"),
            ("windows-1255", b"\xf9\xec\xe5\xed", "שלום"),
            ("utf-7", b"+ZYeB9FH6-", "文致出"),
            ("utf-16be", b"\x00\xe1\x00b", "áb"),
            ("\"ISO-8859-1\";", b"\xfc", "ü"),
        ] {
            assert_eq!(decode(bytes, Some(charset)), text, "{charset}");
        }
    }

    #[test]
    fn wrong_and_missing_charsets_are_guessed() {
        let utf8 = "Größe 磁盘".as_bytes();
        for charset in [None, Some("us-ascii"), Some("ANSI_X3.4-1968"), Some("iso-8859-1"), Some("x-no-such"), Some("")]
        {
            assert_eq!(decode(utf8, charset), "Größe 磁盘", "{charset:?}");
            assert_eq!(decode(b"Gr\xf6\xdfe", charset), "Größe", "{charset:?}");
        }
        assert_eq!(decode(b"Gr\xf6\xdfe", Some("utf-8")), "Größe");
        assert_eq!(decode(b"\xc3\xb6 \xff \xc3\xb6", Some("utf-8")), "ö \u{fffd} ö");
        assert_eq!(decode(b"\xff\xfea\0b\0", None), "ab");
    }
}
