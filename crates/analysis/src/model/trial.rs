//! Asking one model once, to see whether it is set up right.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use watchbell_common::{
    ai::{OpenProvider, usage::Call},
    alert::Alert,
    clock::Clock,
    outbound::Http,
};

use super::{Answer, Failure, Format, provider::Provider};

/// What asking came to.
#[derive(Debug)]
pub struct Trial {
    pub result: Result<Answer, Failure>,
    pub call: Option<Call>,
    /// How well the server can be held to a form; `None` when it said nothing.
    pub format: Option<Format>,
    pub latency: Duration,
}

impl Trial {
    /// Asks about an alert as the analyzer does, without what the analyzer knows of the server: nothing that failed
    /// before keeps this call away.
    ///
    /// # Errors
    /// What is wrong with the configuration, without a secret.
    pub async fn run(of: OpenProvider, http: Http, clock: Arc<dyn Clock>, alert: &Alert) -> Result<Self, String> {
        let provider = Provider::new(of, http, clock)?;
        let began = Instant::now();
        let asked = provider.ask(alert).await;
        let spoke = matches!(asked.result, Ok(_) | Err(Failure::Unusable(_)));
        Ok(Self {
            format: spoke.then(|| provider.format()),
            result: asked.result,
            call: asked.call,
            latency: began.elapsed(),
        })
    }
}
