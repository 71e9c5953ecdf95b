//! What the client says: one command line, read once and owned.

use std::borrow::Cow;

use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, Error, MAIL_BODY_BINARYMIME, MAIL_CONPERM, MAIL_REQUIRETLS, MailFrom, Request,
    request::parser::Rfc5321Parser,
};

use crate::{
    path,
    reply::{self, Reply},
};

/// A well-formed command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Hello {
        extended: bool,
        name: String,
    },
    /// `from` is empty for the null sender; `size` is 0 when none was declared.
    Mail {
        from: String,
        size: usize,
    },
    Rcpt {
        to: String,
    },
    Data,
    Chunk {
        size: u64,
        last: bool,
    },
    StartTls,
    Auth {
        mechanism: Mechanism,
        initial: Option<String>,
    },
    Reset,
    Noop,
    Help,
    Verify,
    Quit,
    /// An HTTP request: a browser was led here to smuggle a mail in its body.
    Http,
}

/// How a client logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Plain,
    Login,
    Unknown,
}

/// First words of HTTP requests; none is an SMTP command.
const HTTP_METHODS: [&str; 7] = ["GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "PATCH"];

impl Command {
    /// Reads a line, its line feed included. The error is the reply that says what is wrong.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Reply> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // The protocol parser skips a bare <CR> wherever it stands; here it is no part of any command.
        if text.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n')) {
            return Err(reply::BAD_CHARACTERS);
        }
        let end = line.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(line.len());
        let (verb, rest) = line.split_at(end);
        let is = |word: &str| verb.eq_ignore_ascii_case(word.as_bytes());
        if !rest.first().is_none_or(u8::is_ascii_whitespace) {
            Err(reply::UNKNOWN_COMMAND)
        } else if is("MAIL") {
            mail(rest)
        } else if is("RCPT") {
            rcpt(rest)
        } else if is("BDAT") {
            chunk(rest)
        } else if HTTP_METHODS.into_iter().any(is) {
            Ok(Self::Http)
        } else {
            other(line)
        }
    }
}

fn mail(rest: &[u8]) -> Result<Command, Reply> {
    let (from, rest) = path::read(rest, "FROM").ok_or(reply::BAD_SENDER)?;
    let mut rest = rest.iter();
    let given = Rfc5321Parser::new(&mut rest).mail_from_parameters(Cow::Borrowed("")).map_err(|error| fault(&error))?;
    if asks_too_much(&given) {
        return Err(reply::UNSUPPORTED_PARAMETER);
    }
    Ok(Command::Mail { from, size: given.size })
}

/// Whether a parameter asks for what was not offered and cannot be given. Those that only ask for delivery
/// reports (RFC 3461) or name the submitter are ignored: the alert matters more than its receipt.
fn asks_too_much(given: &MailFrom<Cow<'_, str>>) -> bool {
    given.flags & (MAIL_BODY_BINARYMIME | MAIL_REQUIRETLS | MAIL_CONPERM) != 0
        || given.hold_for != 0
        || given.hold_until != 0
        || given.by != 0
        || given.mt_priority != 0
        || given.solicit.is_some()
        || given.trans_id.is_some()
        || given.mtrk.is_some()
}

fn rcpt(rest: &[u8]) -> Result<Command, Reply> {
    let (to, rest) = path::read(rest, "TO").filter(|(to, _)| !to.is_empty()).ok_or(reply::BAD_RECIPIENT)?;
    let mut rest = rest.iter();
    Rfc5321Parser::new(&mut rest).rcpt_to_parameters(Cow::Borrowed("")).map_err(|error| fault(&error))?;
    Ok(Command::Rcpt { to })
}

/// The protocol parser wraps sizes of more than 20 digits round to small ones, so this one is read here: what
/// is taken for a command must not be content.
fn chunk(rest: &[u8]) -> Result<Command, Reply> {
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let size = words.next().filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let size = size.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).ok_or(reply::BAD_CHUNK_SIZE)?;
    match (words.next(), words.next()) {
        (None, _) => Ok(Command::Chunk { size, last: false }),
        (Some(word), None) if word.eq_ignore_ascii_case(b"LAST") => Ok(Command::Chunk { size, last: true }),
        _ => Err(reply::BAD_CHUNK_SIZE),
    }
}

fn other(line: &[u8]) -> Result<Command, Reply> {
    let command = match Request::parse(&mut line.iter()).map_err(|error| fault(&error))? {
        Request::Ehlo { host } => Command::Hello { extended: true, name: host.into_owned() },
        Request::Helo { host } => Command::Hello { extended: false, name: host.into_owned() },
        Request::Data => Command::Data,
        Request::StartTls => Command::StartTls,
        Request::Auth { mechanism, initial_response } => Command::Auth {
            mechanism: match mechanism {
                AUTH_PLAIN => Mechanism::Plain,
                AUTH_LOGIN => Mechanism::Login,
                _ => Mechanism::Unknown,
            },
            initial: (!initial_response.is_empty()).then(|| initial_response.into_owned()),
        },
        Request::Rset => Command::Reset,
        Request::Noop { .. } => Command::Noop,
        Request::Help { .. } => Command::Help,
        Request::Vrfy { .. } => Command::Verify,
        Request::Quit => Command::Quit,
        // These were read above, unless a space stood before them.
        Request::Mail { .. } | Request::Rcpt { .. } | Request::Bdat { .. } => return Err(reply::UNKNOWN_COMMAND),
        Request::Expn { .. }
        | Request::Lhlo { .. }
        | Request::Etrn { .. }
        | Request::Atrn { .. }
        | Request::Burl { .. } => return Err(reply::NOT_IMPLEMENTED),
    };
    Ok(command)
}

fn fault(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand => reply::UNKNOWN_COMMAND,
        Error::UnsupportedParameter { .. } => reply::UNSUPPORTED_PARAMETER,
        Error::SyntaxError { syntax } => Reply::syntax(syntax),
        _ => reply::BAD_PARAMETER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Command {
        Command::parse(line.as_bytes()).unwrap()
    }

    fn refused(line: &[u8]) -> String {
        Command::parse(line).unwrap_err().text().to_owned()
    }

    #[test]
    fn parameters_that_real_senders_use_are_understood() {
        let mail = |size| Command::Mail { from: "a@b".into(), size };
        assert_eq!(parsed("MAIL FROM:<a@b> SIZE=1383 BODY=8BITMIME SMTPUTF8\r\n"), mail(1383));
        assert_eq!(parsed("mail from:<a@b> RET=HDRS ENVID=x AUTH=<>\r\n"), mail(0));
        let rcpt = Command::Rcpt { to: "a@b".into() };
        assert_eq!(parsed("RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b\n"), rcpt);
    }

    #[test]
    fn what_was_not_offered_is_refused_as_unsupported() {
        for parameter in ["BODY=BINARYMIME", "REQUIRETLS", "HOLDFOR=60", "BY=60;R", "MT-PRIORITY=3", "XYZZY", "X=1"] {
            assert!(refused(format!("MAIL FROM:<a@b> {parameter}\r\n").as_bytes()).starts_with("555 5.5.4"));
        }
        assert!(refused(b"MAIL FROM:<a@b> BODY=9BIT\r\n").starts_with("501 5.5.4"));
    }

    #[test]
    fn chunk_sizes_are_exact_or_refused() {
        assert_eq!(parsed("BDAT 0 LAST\r\n"), Command::Chunk { size: 0, last: true });
        assert_eq!(parsed("bdat 86 last\r\n"), Command::Chunk { size: 86, last: true });
        assert_eq!(parsed("BDAT 18446744073709551615\r\n"), Command::Chunk { size: u64::MAX, last: false });
        for line in ["BDAT\r\n", "BDAT x\r\n", "BDAT -1\r\n", "BDAT +1\r\n", "BDAT 1 MORE\r\n", "BDAT 1 LAST x\r\n"] {
            assert_eq!(refused(line.as_bytes()), reply::BAD_CHUNK_SIZE.text(), "{line}");
        }
        assert_eq!(refused(b"BDAT 184467440737095516161844\r\n"), reply::BAD_CHUNK_SIZE.text());
    }

    #[test]
    fn garbage_is_an_unknown_command() {
        for line in [&b"\r\n"[..], b"\n", b"\xff\xfe\r\n", b"MAILFROM:<a@b>\r\n", b" MAIL FROM:<a@b>\r\n", b"X\r\n"] {
            assert_eq!(refused(line), reply::UNKNOWN_COMMAND.text(), "{line:?}");
        }
        for line in [&b"\0\0\r\n"[..], b"QUIT\0\r\n", b"DA\rTA\r\n", b"RSET\r\r\n", b"NOOP\rDATA\n"] {
            assert_eq!(refused(line), reply::BAD_CHARACTERS.text(), "{line:?}");
        }
    }

    #[test]
    fn the_initial_response_of_a_login_is_told_from_none() {
        let auth =
            |initial: Option<&str>| Command::Auth { mechanism: Mechanism::Plain, initial: initial.map(str::to_owned) };
        assert_eq!(parsed("AUTH PLAIN\r\n"), auth(None));
        assert_eq!(parsed("auth plain AGEAYg==\r\n"), auth(Some("AGEAYg==")));
        assert_eq!(parsed("AUTH PLAIN =\r\n"), auth(Some("=")));
        let unknown = Command::Auth { mechanism: Mechanism::Unknown, initial: None };
        assert_eq!(parsed("AUTH CRAM-MD5\r\n"), unknown);
        assert_eq!(parsed("AUTH XYZZY\r\n"), unknown);
    }

    #[test]
    fn no_line_makes_the_parser_fail() {
        let pieces: [&[u8]; 20] = [
            b"MAIL",
            b" FROM:",
            b"RCPT TO:",
            b"<",
            b">",
            b"@",
            b"\"",
            b"\\",
            b" ",
            b"SIZE=",
            b"99999999999999999999999",
            b"BODY=",
            b"AUTH PLAIN",
            b"BDAT ",
            b"EHLO ",
            b"+\xff",
            b"\xd1\x8f",
            b";",
            b"a.b",
            b"ORCPT=rfc822;+4",
        ];
        let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
        for _ in 0..20_000 {
            let mut line = Vec::new();
            for _ in 0..random % 9 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                line.extend_from_slice(pieces[usize::try_from(random >> 32).unwrap() % pieces.len()]);
            }
            random = random.wrapping_add(1);
            line.extend_from_slice(b"\r\n");
            if let Err(reply) = Command::parse(&line) {
                assert!(reply.is_client_error(), "{}: {}", line.escape_ascii(), reply.text());
            }
        }
    }
}
