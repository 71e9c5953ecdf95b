//! Templates: the syntax of Go's `text/template`, lenient about what is absent, and limited in everything.
//!
//! A [`Template`] is parsed once and renders a message's [`Data`]. Go's rules hold but for these: what is absent
//! is empty, functions take any scalar as a text, and numbers compare with texts that are numbers.
//! Whoever writes templates is trusted with words only, so each limit below is one that a template cannot lift.

mod compare;
mod condition;
mod data;
mod functions;
mod source;
#[cfg(test)]
mod tests;
mod texts;
mod times;

use std::{
    cell::RefCell,
    fmt,
    io::{self, Write},
    time::Duration,
};

use gtmpl_ng::{
    Context, ExecError, Limits,
    error::{ErrorContext, ParseError},
};
use jiff::{Timestamp, tz::TimeZone};

pub(crate) use self::{condition::Condition, data::Data};
use crate::render;

/// The longest template. The longest that people share for Alertmanager, whole HTML mails, have some 20 kB.
pub(crate) const SOURCE_MAX_BYTES: usize = 32 * 1024;

/// The most that a template may write: sixteen Telegram messages; as in `PulseGuard`.
const OUTPUT_MAX_BYTES: usize = 64 * 1024;

/// The largest value that a function may make, as large as the largest text that it can be given.
const VALUE_MAX_BYTES: usize = 64 * 1024;

/// How often loops may run, one loop and all together. An alert has at most 200 labels.
const LOOP_MAX: usize = 10_000;
const LOOPS_MAX: usize = 50_000;

/// How long rendering may take, since it holds a thread. Ordinary templates take some microseconds; the limits above
/// end the slowest that was found within a quarter of this on an idle machine.
const TIME_MAX: Duration = Duration::from_millis(500);

/// The longest reason in bytes: it is one line of a message.
const REASON_MAX_BYTES: usize = 200;

/// Why a text is no template, or why a template did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl TemplateError {
    pub(crate) fn new(reason: impl fmt::Display) -> Self {
        Self(render::line(&reason.to_string(), REASON_MAX_BYTES))
    }

    fn at(place: &ErrorContext, reason: &str) -> Self {
        Self::new(format_args!("line {} column {}: {reason}", place.line, place.col))
    }
}

impl From<ParseError> for TemplateError {
    fn from(error: ParseError) -> Self {
        match &error {
            ParseError::WithContext(place, reason) => Self::at(place, reason),
            other => Self::new(other),
        }
    }
}

impl From<ExecError> for TemplateError {
    fn from(error: ExecError) -> Self {
        match error.as_structured() {
            Some(inner) => Self::at(&inner.context, &inner.message),
            None => Self::new(error),
        }
    }
}

/// What functions about time need, for as long as a template renders.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

thread_local! {
    /// An argument of the engine's functions, which are plain `fn` pointers: each render sets it anew, on the thread that
    /// calls them. The engine hands its limits on in the same way.
    static AROUND: RefCell<Option<Around>> = const { RefCell::new(None) };
}

/// A parsed template.
pub(crate) struct Template {
    engine: gtmpl_ng::Template,
    lists: bool,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template")
    }
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// Where it is wrong, in one line.
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.is_empty() {
            return Err(TemplateError::new("is empty"));
        }
        if source.len() > SOURCE_MAX_BYTES {
            return Err(TemplateError::new(format_args!("is longer than {SOURCE_MAX_BYTES} bytes")));
        }
        let source = source::prepared(source).map_err(TemplateError::new)?;
        let limits = Limits::default()
            .with_iterations(LOOP_MAX)
            .with_total_iterations(LOOPS_MAX)
            .with_output_bytes(OUTPUT_MAX_BYTES)
            .with_function_output(VALUE_MAX_BYTES)
            .with_deadline(TIME_MAX);
        let mut template = gtmpl_ng::Template::with_limits(limits);
        template.add_funcs(functions::ALL);
        template.parse(source.as_str())?;
        let lists = ["Alerts", "Labels", "Annotations"].iter().any(|name| source.contains(name));
        Ok(Self { engine: template, lists })
    }

    /// Whether it names any of Alertmanager's lists and maps; those that do not are spared the work.
    pub(crate) const fn wants_lists(&self) -> bool {
        self.lists
    }

    /// Writes the message.
    ///
    /// # Errors
    /// What failed and where, or which limit ended it.
    pub(crate) fn render(&self, data: &Context, around: &Around) -> Result<String, TemplateError> {
        AROUND.set(Some(around.clone()));
        let mut out = Lenient(Vec::new());
        self.engine.execute(&mut out, data)?;
        String::from_utf8(out.0).map_err(TemplateError::new)
    }
}

/// Asks what is around the template that renders on this thread; functions are called by nothing else.
fn around<T>(ask: impl FnOnce(&Around) -> T) -> T {
    AROUND.with_borrow(|around| ask(around.as_ref().expect("a template that renders has set it")))
}

/// Leaves out what the engine writes for something absent. It writes each value at once, so nothing else is hit but
/// a value that says just this, which was absent where it came from.
struct Lenient(Vec<u8>);

impl Write for Lenient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes != b"<no value>" {
            self.0.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
