//! Where each request of a connection begins and ends, read strictly.
//!
//! hyper reads leniently in places: `Content-Length` beside `Transfer-Encoding` is dropped before anyone sees it, lines
//! may end in a bare line feed. A proxy in front of us may read the same bytes otherwise, and what it takes for a body
//! we would take for a request: smuggling (RFC 9112 §11.2). So every byte passes here first. From the first doubtful
//! request on, all requests of the connection are refused; nothing is repaired.

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    BothLengths,
    SeveralLengths,
    BadLength,
    SeveralEncodings,
    BadEncoding,
    Folded,
    BadLine,
    BadName,
    BadChunk,
    Hosts,
}

impl Doubt {
    /// For the answer and the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BothLengths => "Content-Length beside Transfer-Encoding",
            Self::SeveralLengths => "more than one Content-Length",
            Self::BadLength => "a Content-Length that is no number",
            Self::SeveralEncodings => "more than one Transfer-Encoding",
            Self::BadEncoding => "a Transfer-Encoding other than chunked",
            Self::Folded => "a folded header line",
            Self::BadLine => "a line that does not end in CRLF",
            Self::BadName => "a header without a proper name",
            Self::BadChunk => "a malformed chunk",
            Self::Hosts => "not exactly one Host",
        }
    }
}

/// The longest chunk-size or trailer line; hyper allows more, nobody sends more.
const LINE_MAX_BYTES: usize = 16 * 1024;

/// Follows the requests of one connection. It holds at most one line.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    at: At,
    /// The line so far, when it did not arrive in one piece.
    line: Vec<u8>,
    head: Head,
    heads: u64,
    doubt: Option<(u64, Doubt)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    RequestLine,
    Header,
    Body(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    /// After a doubt: nothing is followed any more.
    Lost,
}

#[derive(Debug, Default, Clone, Copy)]
struct Head {
    length: Option<u64>,
    chunked: bool,
}

impl Framing {
    /// How many request heads have arrived.
    pub(crate) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether a request head has begun to arrive.
    pub(crate) fn in_head(&self) -> bool {
        self.at == At::Header || (self.at == At::RequestLine && !self.line.is_empty())
    }

    /// The number of the first request that is refused, counted from 1, and why.
    pub(crate) const fn doubt(&self) -> Option<(u64, Doubt)> {
        self.doubt
    }

    /// Takes what arrived.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.at {
                At::Lost => return,
                At::Body(left) => self.pass(bytes, left, At::RequestLine, At::Body),
                At::Chunk(left) => self.pass(bytes, left, At::ChunkEnd, At::Chunk),
                At::RequestLine | At::Header | At::ChunkSize | At::ChunkEnd | At::Trailer => self.take_line(bytes),
            };
        }
    }

    /// Passes over a part of a body whose length is known.
    fn pass<'b>(&mut self, bytes: &'b [u8], left: u64, after: At, within: fn(u64) -> At) -> &'b [u8] {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - here as u64;
        self.at = if left == 0 { after } else { within(left) };
        &bytes[here..]
    }

    fn take_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            // Heads are bounded by hyper, which answers 431.
            if !self.in_head() && self.line.len() + bytes.len() > LINE_MAX_BYTES {
                self.lose(Doubt::BadChunk);
            } else {
                self.line.extend_from_slice(bytes);
            }
            return &[];
        };
        let (line, rest) = bytes.split_at(end + 1);
        let outcome = if self.line.is_empty() {
            self.read_line(line)
        } else {
            self.line.extend_from_slice(line);
            let line = std::mem::take(&mut self.line);
            self.read_line(&line)
        };
        if let Err(doubt) = outcome {
            self.lose(doubt);
        }
        rest
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), Doubt> {
        let line = line.strip_suffix(b"\r\n").filter(|line| !line.contains(&b'\r')).ok_or(match self.at {
            At::RequestLine | At::Header => Doubt::BadLine,
            _ => Doubt::BadChunk,
        })?;
        self.at = match self.at {
            // Empty lines before a request are passed over (RFC 9112 §2.2).
            At::RequestLine | At::Trailer if line.is_empty() => At::RequestLine,
            At::RequestLine => {
                self.head = Head::default();
                At::Header
            }
            At::Header if line.is_empty() => self.end_of_head(),
            At::Header => {
                self.head.read(line)?;
                At::Header
            }
            At::ChunkSize => match chunk_size(line).ok_or(Doubt::BadChunk)? {
                0 => At::Trailer,
                size => At::Chunk(size),
            },
            At::ChunkEnd if line.is_empty() => At::ChunkSize,
            At::ChunkEnd => return Err(Doubt::BadChunk),
            At::Trailer if line.starts_with(b" ") || line.starts_with(b"\t") => return Err(Doubt::BadChunk),
            at => at,
        };
        Ok(())
    }

    fn end_of_head(&mut self) -> At {
        self.heads += 1;
        match self.head {
            Head { chunked: true, .. } => At::ChunkSize,
            Head { length: None | Some(0), .. } => At::RequestLine,
            Head { length: Some(length), .. } => At::Body(length),
        }
    }

    /// In a head, its own request is doubtful; in a body, the next one, and hyper refuses the body.
    fn lose(&mut self, doubt: Doubt) {
        self.at = At::Lost;
        self.line = Vec::new();
        self.doubt = Some((self.heads + 1, doubt));
    }
}

impl Head {
    fn read(&mut self, line: &[u8]) -> Result<(), Doubt> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(Doubt::Folded);
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or(Doubt::BadName)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || name.iter().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Doubt::BadName);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(Doubt::SeveralLengths);
            }
            self.length = Some(number(value).ok_or(Doubt::BadLength)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked {
                return Err(Doubt::SeveralEncodings);
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Doubt::BadEncoding);
            }
            self.chunked = true;
        }
        if self.chunked && self.length.is_some() { Err(Doubt::BothLengths) } else { Ok(()) }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// The size before any extension (RFC 9112 §7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    all.then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one piece, and byte by byte: both must come to the same.
    fn follow(bytes: &[u8]) -> (u64, Option<(u64, Doubt)>) {
        let mut whole = Framing::default();
        whole.feed(bytes);
        let mut pieces = Framing::default();
        bytes.chunks(1).for_each(|byte| pieces.feed(byte));
        assert_eq!((whole.heads, whole.doubt), (pieces.heads, pieces.doubt), "{}", bytes.escape_ascii());
        (whole.heads, whole.doubt)
    }

    #[test]
    fn requests_one_behind_the_other_are_told_apart() {
        let plain = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let sized = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /";
        let chunked = b"POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n5;x=\"y\"\r\nGET /\r\n0\r\nx: y\r\n\r\n";
        let empty = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n\r\n";
        let all = [&plain[..], sized, chunked, empty, plain].concat();
        assert_eq!(follow(&all), (5, None));
    }

    #[test]
    fn each_doubtful_form_is_refused_from_its_request_on() {
        for (head, doubt) in [
            ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", Doubt::BothLengths),
            ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", Doubt::BothLengths),
            ("Content-Length: 4\r\nContent-Length: 4\r\n\r\n", Doubt::SeveralLengths),
            ("Content-Length: 4\r\nContent-Length: 5\r\n\r\n", Doubt::SeveralLengths),
            ("Content-Length: 4, 4\r\n\r\n", Doubt::BadLength),
            ("Content-Length: +4\r\n\r\n", Doubt::BadLength),
            ("Content-Length: 0x4\r\n\r\n", Doubt::BadLength),
            ("Content-Length:\r\n\r\n", Doubt::BadLength),
            ("Content-Length: 99999999999999999999\r\n\r\n", Doubt::BadLength),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", Doubt::SeveralEncodings),
            ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", Doubt::BadEncoding),
            ("Transfer-Encoding: xchunked\r\n\r\n", Doubt::BadEncoding),
            ("Transfer-Encoding: gzip, chunked\r\n\r\n", Doubt::BadEncoding),
            ("X: a\r\n b\r\n\r\n", Doubt::Folded),
            ("X: a\r\n\tTransfer-Encoding: chunked\r\n\r\n", Doubt::Folded),
            ("X: a\nTransfer-Encoding: chunked\r\n\r\n", Doubt::BadLine),
            ("X: a\rTransfer-Encoding: chunked\r\n\r\n", Doubt::BadLine),
            ("Content-Length : 4\r\n\r\n", Doubt::BadName),
            ("Content\0Length: 4\r\n\r\n", Doubt::BadName),
            ("no colon\r\n\r\n", Doubt::BadName),
            (": empty\r\n\r\n", Doubt::BadName),
        ] {
            let before = "GET / HTTP/1.1\r\n\r\n";
            let bytes = format!("{before}POST / HTTP/1.1\r\nhost: a\r\n{head}aaaaGET / HTTP/1.1\r\n\r\n");
            assert_eq!(follow(bytes.as_bytes()), (1, Some((2, doubt))), "{head:?}");
        }
    }

    #[test]
    fn a_malformed_chunk_spoils_what_follows() {
        let long = format!("{}\r\n", "1".repeat(20_000));
        for chunk in [
            "x\r\n",
            "-1\r\n",
            "\r\n",
            "5\n",
            "3\r\nabcd\r\n",
            "1 1\r\n",
            "fffffffffffffffff\r\n",
            "0\r\n x: y\r\n",
            &long,
        ] {
            let bytes =
                format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}\r\nGET / HTTP/1.1\r\n\r\n");
            assert_eq!(follow(bytes.as_bytes()), (1, Some((2, Doubt::BadChunk))), "{chunk:?}");
        }
    }

    #[test]
    fn it_says_when_a_head_has_begun() {
        let mut framing = Framing::default();
        assert!(!framing.in_head());
        framing.feed(b"GE");
        assert!(framing.in_head());
        framing.feed(b"T / HTTP/1.1\r\n");
        assert!(framing.in_head());
        framing.feed(b"\r\n");
        assert!(!framing.in_head());
    }
}
