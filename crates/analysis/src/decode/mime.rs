//! The parts of a mail, found in one pass over its bytes.
//!
//! Nothing is decoded here and nothing is copied: a part is a slice of the raw mail with what its header says
//! about it. So a 25 MB attachment costs one look for the boundary lines, and the depth of nesting costs no
//! stack. Fields, addresses, transfer encodings and charsets are read with mail-parser; its own tree of parts is
//! not used, for the reasons in `docs/decisions/0009-mime-parts.md`.

use std::{collections::HashMap, sync::LazyLock};

use mail_parser::ContentType;
use regex::bytes::Regex;

use super::header::{self, Headers};

/// Parts that are looked at; what comes after is left out. Real mails have fewer than a hundred.
const PARTS_MAX: usize = 1_000;

/// Open multiparts; deeper ones are one part each.
const DEPTH_MAX: usize = 256;

/// Messages inside messages, whose text is still read.
pub(super) const MESSAGES_MAX: usize = 8;

/// The kinds of content (RFC 2046, RFC 8081); a part of another kind is described wrongly and read as text.
const TOP_LEVEL: [&str; 9] =
    ["text", "multipart", "message", "application", "image", "audio", "video", "font", "model"];

/// Where a boundary line may be.
static DASHES: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?m)^--").expect("a constant pattern"));

/// A mail taken apart.
#[derive(Debug)]
pub(super) struct Mail<'a> {
    pub headers: Headers<'a>,
    pub parts: Vec<Part<'a>>,
    /// The subjects of the messages inside, outermost first.
    pub messages: Vec<String>,
    /// The header of the first message inside, of which there may be nothing else.
    pub inside: Option<Headers<'a>>,
    /// [`PARTS_MAX`] was reached.
    pub more: bool,
}

/// A part that has no parts.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub kind: Kind,
    /// `type/subtype` in lower case.
    pub content_type: String,
    pub charset: Option<String>,
    pub encoding: Encoding,
    /// `format=flowed`, and whether it says `delsp=yes`.
    pub flowed: Option<bool>,
    /// Meant to be saved, not shown.
    pub attachment: bool,
    pub name: Option<String>,
    /// The multipart/alternative that it is a choice of; the outermost one.
    pub alternative: Option<usize>,
    /// The message it is part of: 0 for the mail itself, else an index into [`Mail::messages`] plus 1.
    pub message: usize,
    pub body: &'a [u8],
}

/// What a part is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Html,
    /// RFC 3464.
    DeliveryStatus,
    Other,
}

/// The transfer encodings of RFC 2045 §6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
}

/// A multipart whose end was not yet seen.
struct Open {
    boundary: Vec<u8>,
    digest: bool,
    alternative: Option<usize>,
    message: usize,
}

/// A boundary line.
struct Hit {
    level: usize,
    closing: bool,
    line_start: usize,
    next: usize,
}

/// Takes a mail apart.
pub(super) fn parse(raw: &[u8]) -> Mail<'_> {
    let (headers, body) = header::split(raw);
    let mut walk = Walk { raw, ..Walk::default() };
    let mut next = walk.read(&headers, raw.len() - body.len(), "text/plain");
    let mut seen = 1;
    while let Some(start) = next {
        if seen == PARTS_MAX {
            return walk.mail(headers, true);
        }
        seen += 1;
        next = walk.part(start);
    }
    walk.mail(headers, false)
}

#[derive(Default)]
struct Walk<'a> {
    raw: &'a [u8],
    parts: Vec<Part<'a>>,
    messages: Vec<String>,
    inside: Option<Headers<'a>>,
    open: Vec<Open>,
    /// Boundary → its level in `open`; of equal ones, the innermost.
    levels: HashMap<Vec<u8>, usize>,
    alternatives: usize,
    /// The next part is the header of a message inside.
    entered_message: bool,
}

impl<'a> Walk<'a> {
    fn mail(self, headers: Headers<'a>, more: bool) -> Mail<'a> {
        Mail { headers, parts: self.parts, messages: self.messages, inside: self.inside, more }
    }

    /// Reads the part whose header starts at `start`; returns where the next part starts.
    fn part(&mut self, start: usize) -> Option<usize> {
        let end = self.header_end(start);
        let (headers, body) = header::split_part(&self.raw[start..end]);
        let digest = !self.entered_message && self.open.last().is_some_and(|parent| parent.digest);
        self.read(&headers, end - body.len(), if digest { "message/rfc822" } else { "text/plain" })
    }

    /// The end of the header: after an empty line, or where the part ends without one.
    fn header_end(&self, start: usize) -> usize {
        let mut at = start;
        while let Some((line, _)) = header::next_line(&self.raw[at..]) {
            if header::trim_line_end(line).is_empty() {
                return at + line.len();
            }
            if line.starts_with(b"--") && self.boundary(line).is_some() {
                return at;
            }
            at += line.len();
        }
        at
    }

    fn read(&mut self, headers: &Headers<'a>, body_start: usize, default_type: &str) -> Option<usize> {
        let mut part = describe(headers, default_type);
        part.message = self.open.last().map_or(0, |parent| parent.message);
        part.alternative = self.open.last().and_then(|parent| parent.alternative);
        if std::mem::take(&mut self.entered_message) {
            part.message = self.messages.len();
            part.alternative = None;
            *self.messages.last_mut().expect("entered") = headers.text("subject").unwrap_or_default();
            self.inside.get_or_insert_with(|| headers.clone());
        }
        let is_message = matches!(part.content_type.as_str(), "message/rfc822" | "message/global");
        if is_message && part.encoding == Encoding::Identity && self.messages.len() < MESSAGES_MAX {
            self.messages.push(String::new());
            self.entered_message = true;
            return Some(body_start);
        }
        if part.content_type.starts_with("multipart/")
            && let Some(boundary) = boundary_of(headers)
            && self.open.len() < DEPTH_MAX
        {
            self.enter(boundary, &part);
            let hit = self.seek(body_start);
            if let Some(Hit { level, closing: false, next, .. }) = hit
                && level + 1 == self.open.len()
            {
                return Some(next);
            }
            // A multipart without parts is read as what it then is: text.
            self.leave(self.open.len() - 1);
            part.kind = Kind::Plain;
            return self.leaf(part, body_start, hit.filter(|hit| hit.level < self.open.len()));
        }
        if part.content_type.starts_with("multipart/") {
            part.kind = Kind::Plain;
        }
        let hit = self.seek(body_start);
        self.leaf(part, body_start, hit)
    }

    fn leaf(&mut self, mut part: Part<'a>, body_start: usize, hit: Option<Hit>) -> Option<usize> {
        let body = &self.raw[body_start..hit.as_ref().map_or(self.raw.len(), |hit| hit.line_start).max(body_start)];
        part.body = if hit.is_some() { header::trim_line_end(body) } else { body };
        if part.content_type == "text/rfc822-headers" {
            self.inside.get_or_insert_with(|| header::split(part.body).0);
        }
        let is_text = matches!(part.kind, Kind::Plain | Kind::Html);
        // Mailers name bodies too: the first text is the body whatever it is called.
        part.attachment = match (is_text, self.open.is_empty()) {
            (true, true) => false,
            _ => part.attachment || (part.name.is_some() && !self.parts.is_empty()),
        };
        self.parts.push(part);
        self.follow(hit?)
    }

    fn follow(&mut self, mut hit: Hit) -> Option<usize> {
        loop {
            self.leave(hit.level + 1);
            if !hit.closing {
                return Some(hit.next);
            }
            self.leave(hit.level);
            hit = self.seek(hit.next)?;
        }
    }

    fn enter(&mut self, boundary: Vec<u8>, part: &Part<'_>) {
        let mut alternative = part.alternative;
        if part.content_type == "multipart/alternative" && alternative.is_none() {
            self.alternatives += 1;
            alternative = Some(self.alternatives);
        }
        self.levels.insert(boundary.clone(), self.open.len());
        let digest = part.content_type == "multipart/digest";
        self.open.push(Open { boundary, digest, alternative, message: part.message });
    }

    /// Closes all multiparts from `level` on.
    fn leave(&mut self, level: usize) {
        while self.open.len() > level {
            let closed = self.open.pop().expect("longer than level");
            match self.open.iter().rposition(|outer| outer.boundary == closed.boundary) {
                Some(outer) => self.levels.insert(closed.boundary, outer),
                None => self.levels.remove(&closed.boundary),
            };
        }
    }

    /// The next line at or after `from` that is a boundary of an open multipart.
    fn seek(&self, from: usize) -> Option<Hit> {
        let mut at = from;
        while !self.open.is_empty() {
            let line_start = DASHES.find_at(self.raw, at)?.start();
            let (line, _) = header::next_line(&self.raw[line_start..])?;
            let next = line_start + line.len();
            if let Some((level, closing)) = self.boundary(line) {
                return Some(Hit { level, closing, line_start, next });
            }
            at = next;
        }
        None
    }

    /// Which open multipart the line is a boundary of, and whether it closes it.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        let level = |boundary: &[u8]| self.levels.get(boundary).copied();
        level(text).map(|level| (level, false)).or_else(|| {
            let closing = level(text.strip_suffix(b"--")?)?;
            Some((closing, true))
        })
    }
}

fn boundary_of(headers: &Headers<'_>) -> Option<Vec<u8>> {
    let content_type = headers.structured("content-type")?;
    let boundary = content_type.attribute("boundary")?.trim_end().as_bytes().to_vec();
    (!boundary.is_empty()).then_some(boundary)
}

/// What a header says about its part.
fn describe<'a>(headers: &Headers<'_>, default_type: &str) -> Part<'a> {
    let content_type = headers.structured("content-type");
    let disposition = headers.structured("content-disposition");
    let known = |found: &&ContentType<'_>| TOP_LEVEL.iter().any(|top| found.ctype().eq_ignore_ascii_case(top));
    let full_type = content_type.as_ref().filter(known).map_or_else(
        || default_type.to_owned(),
        |found| format!("{}/{}", found.ctype(), found.subtype().unwrap_or("plain")).to_ascii_lowercase(),
    );
    let attribute = |name: &str| content_type.as_ref().and_then(|found| found.attribute(name));
    let encoding = headers.text("content-transfer-encoding").unwrap_or_default();
    let name = disposition.as_ref().and_then(|found| found.attribute("filename")).or_else(|| attribute("name"));
    Part {
        kind: match full_type.as_str() {
            "text/html" => Kind::Html,
            "text/calendar" | "text/rfc822-headers" => Kind::Other,
            // RFC 2046 §4.1.4: text of an unknown kind is shown as it is.
            text if text.starts_with("text/") => Kind::Plain,
            "message/delivery-status" | "message/global-delivery-status" => Kind::DeliveryStatus,
            _ => Kind::Other,
        },
        charset: attribute("charset").map(str::to_owned),
        encoding: match encoding.to_ascii_lowercase().as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Identity,
        },
        flowed: attribute("format")
            .is_some_and(|format| format.eq_ignore_ascii_case("flowed"))
            .then(|| attribute("delsp").is_some_and(|delsp| delsp.eq_ignore_ascii_case("yes"))),
        attachment: disposition.as_ref().is_some_and(ContentType::is_attachment),
        name: name.map(|name| header::unstructured(name.as_bytes())).filter(|name| !name.is_empty()),
        alternative: None,
        message: 0,
        body: &[],
        content_type: full_type,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn shape(raw: &str) -> Vec<(String, String)> {
        let mail = parse(raw.as_bytes());
        let body = |part: &Part<'_>| String::from_utf8_lossy(part.body).into_owned();
        mail.parts.iter().map(|part| (part.content_type.clone(), body(part))).collect()
    }

    #[test]
    fn parts_are_found_at_every_depth() {
        let raw = "Content-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n--a\r\n\
                   Content-Type: multipart/alternative; boundary=\"a-b\"\r\n\r\n--a-b\r\n\r\nplain\r\n--a-b\r\n\
                   Content-Type: text/html\r\n\r\n<p>html\r\n--a-b--\r\nepilogue\r\n--a\r\n\
                   Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--a--\r\nend\r\n";
        let expected = [("text/plain", "plain"), ("text/html", "<p>html"), ("text/plain", "inner text")];
        assert_eq!(shape(raw), expected.map(|(kind, body)| (kind.to_owned(), body.to_owned())));
        let mail = parse(raw.as_bytes());
        assert_eq!(mail.messages, ["inner"]);
        assert_eq!(mail.parts.iter().map(|part| part.message).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(mail.parts.iter().map(|part| part.alternative).collect::<Vec<_>>(), [Some(1), Some(1), None]);
    }

    #[test]
    fn broken_multiparts_lose_no_text() {
        let text = |body: &str| vec![("multipart/mixed".to_owned(), body.to_owned())];
        assert_eq!(shape("Content-Type: multipart/mixed; boundary=x\n\nno parts\n"), text("no parts\n"));
        assert_eq!(shape("Content-Type: multipart/mixed\n\n--x\n\nno boundary\n"), text("--x\n\nno boundary\n"));
        let unclosed = shape("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nopen end");
        assert_eq!(unclosed, [("text/plain".to_owned(), "open end".to_owned())]);
        let headerless = shape("Content-Type: multipart/mixed; boundary=x\n\n--x\nno header here\n--x--\n");
        assert_eq!(headerless, [("text/plain".to_owned(), "no header here".to_owned())]);
    }

    #[test]
    fn nesting_costs_no_stack_and_little_time() {
        let mut raw = String::new();
        for level in 0..100_000 {
            let _ = write!(raw, "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
        }
        assert!(!parse(raw.as_bytes()).parts.is_empty());
        let messages = "Content-Type: message/rfc822\n\n".repeat(100_000);
        let mail = parse(messages.as_bytes());
        assert_eq!(mail.messages.len(), MESSAGES_MAX);
        let same = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(5_000) + "\n\ntext\n--b--";
        assert!(parse(same.as_bytes()).more);
    }
}
