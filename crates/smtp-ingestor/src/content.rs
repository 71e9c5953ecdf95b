//! The content of a message: where it ends, what is kept of it, and what it may cost.
//!
//! Only `<CR><LF>.<CR><LF>` ends the data, and only after `<CR><LF>` is a dot taken away (RFC 5321 §4.5.2).
//! A server that lets a bare `<LF>` or `<CR>` do either can be made to see two messages where the relay before
//! it saw one ("SMTP smuggling", CVE-2023-51764 and its kin). Such bytes stay in the content as they came.

use std::io;

use tokio::time::Instant;

use crate::limits::{Budget, Reservation};

/// Finds the end of the data and undoes dot-stuffing, over any split of the input.
#[derive(Debug)]
pub(crate) struct Unstuffer(At);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// After `<CR><LF>`, or before the first byte.
    LineStart,
    /// After a dot at the start of a line; it is not kept.
    Dot,
    /// After `.<CR>` at the start of a line; neither is kept yet.
    DotCr,
    /// After a `<CR>`.
    Cr,
    Text,
}

impl Unstuffer {
    pub(crate) const fn new() -> Self {
        Self(At::LineStart)
    }

    /// Reads on and hands what belongs to the content to `keep`, in as few pieces as possible.
    /// Gives the number of bytes up to and including the end of the data, or `None` when it is still to come.
    pub(crate) fn feed(&mut self, input: &[u8], mut keep: impl FnMut(&[u8])) -> Option<usize> {
        let mut kept = 0; // where the piece begins that was not handed over yet
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match (self.0, byte) {
                (At::Text, _) => match find_cr(&input[at..]) {
                    None => break,
                    Some(skip) => {
                        at += skip;
                        self.0 = At::Cr;
                    }
                },
                (At::LineStart, b'.') => {
                    keep(&input[kept..at]);
                    kept = at + 1;
                    self.0 = At::Dot;
                }
                (At::Dot, b'\r') => {
                    kept = at + 1;
                    self.0 = At::DotCr;
                }
                (At::DotCr, b'\n') => return Some(at + 1),
                (At::DotCr, _) => {
                    // The line goes on after `.<CR>`: the dot was stuffed and the `<CR>` is content.
                    keep(b"\r");
                    self.0 = At::Cr;
                    continue;
                }
                (At::Cr, b'\n') => self.0 = At::LineStart,
                (At::LineStart | At::Cr, b'\r') => self.0 = At::Cr,
                (At::LineStart | At::Cr | At::Dot, _) => self.0 = At::Text,
            }
            at += 1;
        }
        keep(&input[kept..]);
        None
    }
}

/// Where the first `<CR>` is. The standard library's search for a byte looks at many at once; it is found here.
fn find_cr(text: &[u8]) -> Option<usize> {
    let through = io::BufRead::skip_until(&mut &*text, b'\r').expect("memory can be read");
    text[..through].ends_with(b"\r").then(|| through - 1)
}

/// The first allocation of a message; most alert mails fit.
const FIRST_BYTES: usize = 4 * 1024;

/// The content as it arrives. What is too much is swallowed, so that the client hears the reason at the end.
#[derive(Debug)]
pub(crate) struct Body {
    content: Vec<u8>,
    /// What `content` may grow to, held against the budget.
    hold: Reservation,
    max: usize,
    seen: u64,
    fault: Option<Fault>,
    /// When all of it must have arrived.
    pub(crate) by: Instant,
}

/// Why content was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TooLarge,
    NoMemory,
}

/// How much is swallowed of a message that is too large, as a multiple of the limit; then the connection closes.
const SWALLOW_FACTOR: u64 = 8;

impl Body {
    /// Takes up to `max` bytes, until `by`, out of `budget`.
    pub(crate) fn new(max: usize, by: Instant, budget: &Budget) -> Self {
        Self { content: Vec::new(), hold: budget.reserve(), max, seen: 0, fault: None, by }
    }

    /// Adds content, or notes why it cannot be kept.
    pub(crate) fn keep(&mut self, part: &[u8]) {
        self.seen += part.len() as u64;
        if self.fault.is_some() {
            return;
        }
        let wanted = self.content.len() + part.len();
        if wanted > self.max {
            self.drop_for(Fault::TooLarge);
        } else if wanted > self.hold.bytes() && !self.grow(wanted) {
            self.drop_for(Fault::NoMemory);
        } else {
            self.content.extend_from_slice(part);
        }
    }

    /// Doubles, so that a growing message is not copied over and over; takes just enough when memory is short.
    fn grow(&mut self, wanted: usize) -> bool {
        let held = self.hold.bytes();
        let ample = wanted.max(held * 2).max(FIRST_BYTES).min(self.max);
        let Some(size) = [ample, wanted].into_iter().find(|size| self.hold.grow(size - held)) else { return false };
        self.content.reserve_exact(size - self.content.len());
        true
    }

    fn drop_for(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.content = Vec::new();
        self.hold.release();
    }

    /// Whether so much more than the limit came, or is announced, that reading on makes no sense.
    pub(crate) fn is_hopeless(&self, announced: u64) -> bool {
        self.seen.saturating_add(announced) > (self.max as u64).saturating_mul(SWALLOW_FACTOR)
    }

    /// What is wrong with it, if anything.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// How many bytes came, kept or not.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// The whole content, and the memory that it holds until it is given away.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, Reservation), Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok((self.content, self.hold)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content and what follows the end, for an input cut into pieces of `step` bytes.
    fn read(input: &[u8], step: usize) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut unstuffer, mut content, mut at) = (Unstuffer::new(), Vec::new(), 0);
        for piece in input.chunks(step) {
            if let Some(used) = unstuffer.feed(piece, |part| content.extend_from_slice(part)) {
                return (content, Some(input[at + used..].to_vec()));
            }
            at += piece.len();
        }
        (content, None)
    }

    fn whole(input: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
        let wanted = read(input, input.len());
        for step in 1..input.len() {
            assert_eq!(read(input, step), wanted, "cut into {step} bytes");
        }
        wanted
    }

    #[test]
    fn the_end_is_found_wherever_the_input_is_cut() {
        assert_eq!(whole(b"a\r\n.\r\nQUIT\r\n"), (b"a\r\n".to_vec(), Some(b"QUIT\r\n".to_vec())));
        assert_eq!(whole(b".\r\nQUIT"), (Vec::new(), Some(b"QUIT".to_vec())));
        assert_eq!(whole(b"\r\n.\r\n"), (b"\r\n".to_vec(), Some(Vec::new())));
        assert_eq!(whole(b"a\r\r\n.\r\n"), (b"a\r\r\n".to_vec(), Some(Vec::new())));
    }

    #[test]
    fn stuffed_dots_are_undone_after_a_whole_line_end_only() {
        assert_eq!(whole(b"..a\r\n...\r\n.b\r\nc.\r\n.\r\n").0, b".a\r\n..\r\nb\r\nc.\r\n");
        assert_eq!(whole(b"a\n..b\r..c\r\n.\r\n").0, b"a\n..b\r..c\r\n");
    }

    #[test]
    fn no_bare_line_end_ends_the_data() {
        for end in [
            &b"\n.\n"[..],
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r\n.\r",
            b"\r\n.\r\r\n",
            b"\n.\r",
            b"\r.\r\n",
            b"\r\n.\0\r\n",
        ] {
            let input = [b"a", end, b"b"].concat();
            assert_eq!(whole(&input).1, None, "{end:?}");
        }
    }

    #[test]
    fn nothing_but_stuffed_dots_is_taken_from_the_content() {
        assert_eq!(whole(b"a\r\n.\rb\r\n.\r\n").0, b"a\r\n\rb\r\n");
        assert_eq!(whole(b"a\r\n.\r\r\n.\r\n").0, b"a\r\n\r\r\n");
        assert_eq!(whole(b"a\r\n.\nb\r\n.\r\n").0, b"a\r\n\nb\r\n");
        assert_eq!(whole(b"\0\xff\n\r\r\n.\r\n").0, b"\0\xff\n\r\r\n");
    }

    /// Where the data ends and what it holds, in the plainest words; `None` when it does not end.
    fn plainly(input: &[u8]) -> Option<(Vec<u8>, usize)> {
        let text = [b"\r\n", input].concat();
        let end = text.windows(5).position(|window| window == b"\r\n.\r\n")?;
        let mut content = Vec::new();
        for (at, &byte) in text[..end + 2].iter().enumerate() {
            let stuffed = byte == b'.' && text[..at].ends_with(b"\r\n");
            content.extend((!stuffed).then_some(byte));
        }
        Some((content[2..].to_vec(), end + 3))
    }

    #[test]
    fn every_short_input_is_read_as_plain_words_say_however_it_is_cut() {
        let letters = b"\r\n.a";
        for number in 0..4_usize.pow(8) {
            let mut input: Vec<u8> = (0..8).map(|place| letters[number >> (2 * place) & 3]).collect();
            input.extend_from_slice(b"\r\n.\r\n");
            let (content, used) = plainly(&input).unwrap();
            let wanted = (content, Some(input[used..].to_vec()));
            for step in [1, 3, input.len()] {
                assert_eq!(read(&input, step), wanted, "{:?} cut into {step}", input.escape_ascii().to_string());
            }
        }
    }

    #[test]
    fn content_past_the_limit_is_counted_but_not_kept() {
        let budget = Budget::new(1 << 20);
        let mut body = Body::new(10, Instant::now(), &budget);
        body.keep(b"0123456789");
        assert_eq!(body.fault(), None);
        body.keep(b"x");
        assert_eq!((body.fault(), body.seen(), budget.used()), (Some(Fault::TooLarge), 11, 0));
        assert!(!body.is_hopeless(69));
        assert!(body.is_hopeless(70));
    }

    #[test]
    fn memory_is_held_while_content_is_and_given_back() {
        let budget = Budget::new(10_000);
        let mut first = Body::new(8_000, Instant::now(), &budget);
        first.keep(&[b'x'; 5_000]);
        assert_eq!(budget.used(), 5_000);
        let mut second = Body::new(8_000, Instant::now(), &budget);
        second.keep(&[b'x'; 5_001]);
        assert_eq!(second.fault(), Some(Fault::NoMemory));
        let (content, hold) = first.finish().unwrap();
        assert_eq!((content.len(), budget.used()), (5_000, 5_000));
        drop(hold);
        assert_eq!(budget.used(), 0);
    }
}
