//! Supervision, written once: every task of a process is spawned here, so that none can die unseen.
//!
//! When a task ends before it was asked to, with an error or without, the others are stopped and the process
//! ends with an error. On SIGTERM or SIGINT all are asked to stop; what is not done within the drain limit is
//! cut off, which the queue survives.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// The tasks of a process.
#[derive(Debug)]
pub struct Services {
    tasks: JoinSet<anyhow::Result<()>>,
    names: Vec<(Id, String)>,
    stop: CancellationToken,
    drain: Duration,
}

impl Services {
    /// `stop` ends all tasks; they then have `drain` to finish what they have in hand.
    pub fn new(stop: CancellationToken, drain: Duration) -> Self {
        Self { tasks: JoinSet::new(), names: Vec::new(), stop, drain }
    }

    /// What tells the tasks to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that runs until its token is cancelled.
    pub fn spawn<F>(&mut self, name: impl Into<String>, start: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let handle = self.tasks.spawn(start(self.stop.clone()));
        self.names.push((handle.id(), name.into()));
    }

    /// Waits until all tasks have ended.
    ///
    /// # Errors
    /// The first failure: a task that failed, panicked, ended unasked, or outlived the drain limit.
    pub async fn wait(mut self) -> anyhow::Result<()> {
        let mut first_failure = None;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                ended = self.tasks.join_next_with_id() => match ended {
                    None => return first_failure.unwrap_or(Ok(())),
                    Some(ended) => {
                        // A task that was asked to end may be seen before the asking is.
                        let unasked = !self.stop.is_cancelled();
                        if let Err(error) = self.failure(ended, unasked) {
                            first_failure = Some(Err(error));
                            self.stop.cancel();
                        }
                    }
                },
            }
        }
        let drained = tokio::time::timeout(self.drain, async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                if let Err(error) = self.failure(ended, false) {
                    first_failure.get_or_insert(Err(error));
                }
            }
        })
        .await;
        if let Some(failure) = first_failure {
            return failure;
        }
        if drained.is_err() {
            bail!("not everything stopped within {:?}; the queue gives the rest to others", self.drain);
        }
        Ok(())
    }

    fn failure(
        &self,
        ended: Result<(Id, anyhow::Result<()>), tokio::task::JoinError>,
        unasked: bool,
    ) -> anyhow::Result<()> {
        let (id, result) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Err(anyhow!(error))),
        };
        let name = self.names.iter().find(|(known, _)| *known == id).map_or("a task", |(_, name)| name.as_str());
        match result {
            Err(error) => Err(error).with_context(|| format!("{name} failed")),
            Ok(()) if unasked => Err(anyhow!("{name} ended without being asked to")),
            Ok(()) => Ok(()),
        }
    }
}

/// A token that SIGTERM or SIGINT cancels. A second signal ends the process at once.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("installing the SIGTERM handler")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("installing the SIGINT handler")?;
    // Beyond `ulimit -f` a write is then an error like a full disk's, where it would end the process.
    drop(signal(SignalKind::from_raw(libc::SIGXFSZ)).context("installing the SIGXFSZ handler")?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    #[expect(clippy::disallowed_methods, reason = "the one task that outlives the others")]
    tokio::spawn(async move {
        for round in 0..2 {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            if round == 0 {
                tracing::info!("stopping; a second signal stops at once");
                token.cancel();
            }
        }
        std::process::exit(130);
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAIN: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_task_that_ends_early_stops_the_rest_and_is_an_error() {
        let mut services = Services::new(CancellationToken::new(), DRAIN);
        services.spawn("steady", |stop| async move {
            stop.cancelled().await;
            Ok(())
        });
        services.spawn("flighty", |_| async { Ok(()) });
        let error = services.wait().await.unwrap_err();
        assert!(format!("{error:#}").contains("flighty ended without being asked"), "{error:#}");
    }

    #[tokio::test]
    async fn a_panic_is_an_error_with_the_name_of_the_task() {
        let mut services = Services::new(CancellationToken::new(), DRAIN);
        services.spawn("shaky", |_| async { panic!("on purpose") });
        assert!(format!("{:#}", services.wait().await.unwrap_err()).contains("shaky failed"));
    }

    #[tokio::test]
    async fn asked_to_stop_all_end_and_it_is_no_error() {
        // Many times, because what is noticed first is up to chance: the asking or the end.
        for _ in 0..100 {
            let stop = CancellationToken::new();
            let mut services = Services::new(stop.clone(), DRAIN);
            for _ in 0..4 {
                services.spawn("steady", |stop| async move {
                    stop.cancelled().await;
                    Ok(())
                });
            }
            stop.cancel();
            tokio::task::yield_now().await;
            services.wait().await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_does_not_stop_in_time_is_cut_off_and_is_an_error() {
        let stop = CancellationToken::new();
        let mut services = Services::new(stop.clone(), DRAIN);
        services.spawn("deaf", |_| std::future::pending());
        stop.cancel();
        assert!(services.wait().await.unwrap_err().to_string().contains("not everything stopped"));
    }
}
