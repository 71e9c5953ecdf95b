//! `console`: writes the rendered message to standard output. Needs no account, so the first start shows
//! something; also what a supervisor or a log collector reads.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{Beyond, Channel, ChannelKind, Kept, Limits, Message, Receipt, SendError, Unit};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "console",
    title: "Console",
    bot: &[],
    fields: &[],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "ours: what a person scrolls through",
    },
    paces: |_| Vec::new(),
    remembers: false,
    setup: "\
channels:
  - name: console
    platform: console
",
    configure: |_, _| Ok(Arc::new(Console::new(io::stdout()))),
    #[cfg(test)]
    example: crate::contract::Example::Local,
};

const TEXT_MAX_BYTES: usize = 16 * 1024;

/// Writes to anything.
struct Console {
    /// The lock is awaited: when the reader of our output stalls, one thread waits for it, not one per attempt.
    out: Arc<Mutex<dyn Write + Send>>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

impl Console {
    fn new(out: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(out)) }
    }
}

#[async_trait]
impl Channel for Console {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        // A blank line between messages; the whole in one write, so that none interleave.
        let block = format!("{}\n\n", message.text_within(TEXT_MAX_BYTES));
        let mut out = self.out.clone().lock_owned().await;
        let written = spawn_blocking(move || out.write_all(block.as_bytes()).and_then(|()| out.flush()));
        match written.await.unwrap_or_else(|panicked| Err(panicked.into())) {
            Ok(()) => Ok(Receipt { detail: "written".to_owned(), ..Receipt::default() }),
            Err(error) => Err(SendError::Transient {
                detail: format!("writing to standard output: {error}"),
                retry_after: None,
                ambiguous: false,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::message;

    /// Keeps each write apart.
    #[derive(Clone, Default)]
    struct Writes(Arc<std::sync::Mutex<Vec<String>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_message_is_one_write_cut_to_the_limit() {
        let writes = Writes::default();
        let console = Console::new(writes.clone());
        let mut message = message();
        let receipt = console.send(&message, None).await.unwrap();
        assert_eq!(receipt.detail, "written");
        message.text = "я".repeat(TEXT_MAX_BYTES);
        console.send(&message, None).await.unwrap();
        let writes = writes.0.lock().unwrap();
        assert_eq!(writes.len(), 2);
        assert!(writes[0].starts_with("🚨 CRITICAL") && writes[0].ends_with("\n\n"), "{}", writes[0]);
        assert!(writes[1].len() <= TEXT_MAX_BYTES + 2 && writes[1].ends_with("…\n\n"));
    }

    #[tokio::test]
    async fn a_closed_output_is_worth_another_try() {
        let error = Console::new(Closed).send(&message(), None).await.unwrap_err();
        assert_eq!(error.class(), "transient");
    }
}
