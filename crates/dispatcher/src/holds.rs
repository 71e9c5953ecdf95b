//! Until when platforms asked us not to call.
//!
//! A platform that limits us does not say which of its limits was hit, and calls that it gets meanwhile can make the
//! ban longer. So everything waits that counts against any of them: all lanes of the channel, and all channels that
//! share a pace with it, for example by the same bot. What is shared is noted in the queue, so that every process
//! keeps to it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::try_join_all;
use watchbell_channels::Pace;
use watchbell_common::{
    clock::{Clock, UnixMillis, millis},
    ids::ChannelId,
    queue::{Queue, QueueError},
};

/// Who waits, and until when.
pub(crate) struct Holds {
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    /// A channel without paces shares its limits with nobody: it is known here alone, and costs the queue no question.
    channels: Mutex<HashMap<ChannelId, UnixMillis>>,
}

impl Holds {
    pub(crate) fn new(queue: Arc<dyn Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock, channels: Mutex::default() }
    }

    /// A platform asked to be left alone for this long.
    pub(crate) async fn begin(&self, channel: ChannelId, paces: &[Pace], wait: Duration) {
        let now = self.clock.now_ms();
        let until = now.saturating_add(millis(wait));
        {
            let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
            channels.retain(|_, until| *until > now);
            channels.insert(channel, until);
        }
        for pace in paces {
            // Noted by the pace's own key: no other note begins with the name of a platform.
            if let Err(error) = self.queue.remember(&pace.key, until.to_string().into(), wait).await {
                tracing::warn!(channel.id = %channel, "cannot tell others that a platform limits us: {error}");
            }
        }
    }

    /// How long a channel still has to wait; zero: go.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub(crate) async fn left(&self, channel: ChannelId, paces: &[Pace]) -> Result<Duration, QueueError> {
        let own = self.channels.lock().unwrap_or_else(PoisonError::into_inner).get(&channel).copied();
        let noted = try_join_all(paces.iter().map(|pace| self.queue.recall(&pace.key))).await?;
        let noted = noted.iter().flatten().filter_map(|noted| std::str::from_utf8(noted).ok()?.parse().ok());
        let until = noted.chain(own).max().unwrap_or_default();
        let left = until.saturating_sub(self.clock.now_ms()).max(0);
        Ok(Duration::from_millis(left.unsigned_abs()))
    }
}
