//! What the server says: RFC 5321 reply codes with RFC 3463 enhanced status codes (RFC 2034 leaves them out of
//! greetings, of the answers to HELO and EHLO, and of 3xx). 4xx: our fault or our limits, come back; 5xx: theirs.

use std::{borrow::Cow, fmt};

use watchbell_common::ids::EventId;

/// One reply, with its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply(Cow<'static, str>);

macro_rules! replies {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: Reply = Reply(Cow::Borrowed(concat!($text, "\r\n")));)*
    };
}

replies! {
    OK = "250 2.0.0 ok";
    SENDER_OK = "250 2.1.0 sender ok";
    RECIPIENT_OK = "250 2.1.5 recipient ok";
    BYE = "221 2.0.0 bye";
    HELP = "214 2.0.0 this server takes alert mail in and relays nothing: \
        HELO EHLO MAIL RCPT DATA BDAT STARTTLS AUTH RSET NOOP VRFY QUIT";
    CANNOT_VERIFY = "252 2.0.0 cannot verify, but will take mail";
    START_TLS = "220 2.0.0 ready to start TLS";
    SEND_DATA = "354 end the data with <CR><LF>.<CR><LF>";

    ASK_PLAIN = "334 ";
    /// `Username:` in base64, as every client of the undocumented LOGIN mechanism expects it.
    ASK_LOGIN_NAME = "334 VXNlcm5hbWU6";
    /// `Password:` in base64.
    ASK_LOGIN_PASSWORD = "334 UGFzc3dvcmQ6";
    AUTHENTICATED = "235 2.7.0 authenticated";

    STOPPING = "421 4.3.2 the server is stopping, try again in a moment";
    IDLE = "421 4.4.2 nothing was said for too long, closing";
    DATA_TIMED_OUT = "421 4.4.2 the message did not end in time, closing; \
        only <CR><LF>.<CR><LF> ends the data, a bare <LF> does not end a line";
    CHUNK_TIMED_OUT = "421 4.4.2 the chunk did not arrive in time, closing";
    TOO_MANY_ERRORS = "421 4.7.0 too many errors, closing";
    TOO_MANY_CONNECTIONS = "421 4.7.0 too many connections, try again later";
    TOO_MANY_LOGINS = "421 4.7.0 too many failed logins, closing";
    NOT_SMTP = "421 4.7.0 this is a mail server, closing";
    QUEUE_UNAVAILABLE = "451 4.3.0 the mail cannot be queued now, try again later";
    NO_MEMORY = "451 4.3.1 too much mail is arriving at the moment, try again later";
    TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients, send the rest in another message";
    LOGIN_BUSY = "454 4.7.0 logins cannot be checked now, try again later";

    UNKNOWN_COMMAND = "500 5.5.1 unknown command";
    BAD_CHARACTERS = "500 5.5.2 NUL and bare <CR> are no part of a command";
    LINE_TOO_LONG = "500 5.5.2 the line is too long";
    BAD_SENDER = "501 5.1.7 bad sender address";
    BAD_RECIPIENT = "501 5.1.3 bad recipient address";
    BAD_PARAMETER = "501 5.5.4 bad parameter";
    BAD_CHUNK_SIZE = "501 5.5.4 syntax: BDAT size [LAST]; closing, since nobody knows how long the chunk is";
    BAD_BASE64 = "501 5.5.2 not base64";
    LOGIN_CANCELLED = "501 5.7.0 login cancelled";
    NOT_IMPLEMENTED = "502 5.5.1 not implemented";
    HELLO_FIRST = "503 5.5.1 say HELO or EHLO first";
    NESTED_MAIL = "503 5.5.1 a message was already begun, RSET ends it";
    MAIL_FIRST = "503 5.5.1 say MAIL first";
    CHUNKS_BEGUN = "503 5.5.1 the message was begun with BDAT";
    CHUNKS_SPOILT = "503 5.5.1 an earlier chunk was refused, RSET ends the message";
    ALREADY_TLS = "503 5.5.1 TLS is already on";
    ALREADY_AUTHENTICATED = "503 5.5.1 already authenticated";
    NOT_DURING_MAIL = "503 5.5.1 not in the middle of a message";
    UNKNOWN_MECHANISM = "504 5.5.4 unknown mechanism, use PLAIN or LOGIN";
    LOGIN_FIRST = "530 5.7.0 authentication required";
    LOGIN_WRONG = "535 5.7.8 wrong user name or password";
    LOGIN_ELSEWHERE = "535 5.7.1 this user may not log in from your address";
    TLS_FIRST = "538 5.7.11 passwords are taken over TLS only, say STARTTLS first";
    UNKNOWN_RECIPIENT = "550 5.1.1 no such recipient here, and nothing is relayed";
    NO_RECIPIENTS = "554 5.5.1 no valid recipients";
    FORBIDDEN_NETWORK = "554 5.7.1 your network may not send here";
    UNSUPPORTED_PARAMETER = "555 5.5.4 unsupported parameter";
}

impl Reply {
    /// The greeting of a connection.
    pub(crate) fn greeting(hostname: &str) -> Self {
        Self::formatted(format_args!("220 {hostname} ESMTP Watchbell"))
    }

    /// The answer to HELO.
    pub(crate) fn helo(hostname: &str) -> Self {
        Self::formatted(format_args!("250 {hostname}"))
    }

    /// The answer to EHLO, which lists what is offered.
    pub(crate) fn ehlo(hostname: &str, size_max: usize, starttls: bool, auth: bool) -> Self {
        let starttls = if starttls { "250-STARTTLS\r\n" } else { "" };
        let auth = if auth { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
        Self::formatted(format_args!(
            "250-{hostname}\r\n250-PIPELINING\r\n250-SIZE {size_max}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
             {starttls}{auth}250-CHUNKING\r\n250 ENHANCEDSTATUSCODES"
        ))
    }

    /// The message is durable.
    pub(crate) fn queued(event: EventId) -> Self {
        Self::formatted(format_args!("250 2.0.0 queued as {event}"))
    }

    /// A chunk that is not the last was taken.
    pub(crate) fn chunk(octets: u64) -> Self {
        Self::formatted(format_args!("250 2.0.0 {octets} octets received"))
    }

    /// The message is, or will be, larger than the limit.
    pub(crate) fn too_large(size_max: usize) -> Self {
        Self::formatted(format_args!("552 5.3.4 the message is larger than the limit of {size_max} bytes"))
    }

    /// A command with a wrong argument.
    pub(crate) fn syntax(of: &str) -> Self {
        Self::formatted(format_args!("501 5.5.4 syntax: {of}"))
    }

    fn formatted(text: fmt::Arguments<'_>) -> Self {
        Self(Cow::Owned(format!("{text}\r\n")))
    }

    /// The reply as it goes over the wire.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The reply without its line end, for logs.
    pub(crate) fn text(&self) -> &str {
        self.0.trim_ascii_end()
    }

    /// Whether it blames the client.
    pub(crate) fn is_client_error(&self) -> bool {
        self.0.starts_with('5')
    }
}
