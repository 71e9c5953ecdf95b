//! Texts with `{placeholders}`, filled in so that a value can never become syntax of what it stands in.

use std::fmt::Write as _;

/// A text with placeholders. Braces around anything but a name of small letters are text, as in JSON.
#[derive(Debug)]
pub(super) struct Fill(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Name(String),
}

/// What a value is written into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// A URL or a form.
    Form,
    Json,
    Xml,
    Plain,
}

impl Syntax {
    /// The syntax of a media type, if it is one of those whose escaping is known.
    pub(super) fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "application/json" => Some(Self::Json),
            "application/xml" | "text/xml" => Some(Self::Xml),
            "text/plain" => Some(Self::Plain),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }

    /// The value as it is written into this syntax.
    pub(super) fn escape(self, value: &str) -> String {
        match self {
            Self::Form => percent(value),
            Self::Json => {
                let quoted = serde_json::to_string(value).expect("every text is JSON");
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Xml => crate::markup::escape_html(value),
            Self::Plain => value.to_owned(),
        }
    }
}

impl Fill {
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut from = 0;
        while let Some(open) = rest[from..].find('{').map(|at| from + at) {
            let after = &rest[open + 1..];
            let end = after.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(after.len());
            if end > 0 && after[end..].starts_with('}') {
                pieces.push(Piece::Text(rest[..open].to_owned()));
                pieces.push(Piece::Name(after[..end].to_owned()));
                (rest, from) = (&after[end + 1..], 0);
            } else {
                from = open + 1;
            }
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self(pieces)
    }

    /// The placeholders in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text with every placeholder replaced by its value.
    pub(super) fn fill<'v>(&self, syntax: Syntax, value: impl Fn(&str) -> &'v str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name(name) => syntax.escape(value(name)),
        };
        self.0.iter().map(piece).collect()
    }
}

/// Pairs as `application/x-www-form-urlencoded`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect::<Vec<_>>().join("&")
}

/// Everything but unreserved characters (RFC 3986 §2.3) as `%XX`: right in a path, a query and a form.
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, syntax: Syntax, value: &str) -> String {
        Fill::parse(text).fill(syntax, |_| value)
    }

    #[test]
    fn a_value_never_becomes_syntax() {
        let hostile = "a\"b&c=d<e>\\ {text}\n?#/я";
        let form = filled("x={text}&y={to}", Syntax::Form, hostile);
        insta::assert_snapshot!(
            form,
            @"x=a%22b%26c%3Dd%3Ce%3E%5C%20%7Btext%7D%0A%3F%23%2F%D1%8F&y=a%22b%26c%3Dd%3Ce%3E%5C%20%7Btext%7D%0A%3F%23%2F%D1%8F"
        );
        let json = filled(r#"{"text": "{text}", "o": {"to": "{to}"}}"#, Syntax::Json, hostile);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((json["text"].as_str(), json["o"]["to"].as_str()), (Some(hostile), Some(hostile)));
        let xml = filled("<m>{text}</m>", Syntax::Xml, hostile);
        assert_eq!(xml, "<m>a&quot;b&amp;c=d&lt;e&gt;\\ {text}\n?#/я</m>");
        assert_eq!(filled("{text}!", Syntax::Plain, hostile), format!("{hostile}!"));
    }

    #[test]
    fn only_names_in_braces_are_placeholders() {
        let text = r"{} { to } {To} {1} {{to}} {a-b} {unclosed";
        assert_eq!(Fill::parse(text).names().collect::<Vec<_>>(), ["to"]);
        assert_eq!(filled(text, Syntax::Plain, "X"), r"{} { to } {To} {1} {X} {a-b} {unclosed");
        assert_eq!(filled("", Syntax::Plain, "X"), "");
        assert_eq!(filled("я{to}я{text}", Syntax::Plain, "X"), "яXяX");
    }

    #[test]
    fn media_types_say_the_syntax() {
        let table = [
            ("application/json; charset=utf-8", Some(Syntax::Json)),
            ("application/vnd.api+json", Some(Syntax::Json)),
            ("Text/XML", Some(Syntax::Xml)),
            ("application/soap+xml", Some(Syntax::Xml)),
            ("application/x-www-form-urlencoded", Some(Syntax::Form)),
            ("text/plain", Some(Syntax::Plain)),
            ("application/octet-stream", None),
            ("", None),
        ];
        for (text, syntax) in table {
            assert_eq!(Syntax::of(text), syntax, "{text}");
        }
    }
}
