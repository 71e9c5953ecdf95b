//! The model of the settings, asked about one labelled mail after the other.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use tokio::time::sleep;
use watchbell_analysis::model::{Failure, Models, Reply, merge};
use watchbell_common::{
    alert::{Alert, Origin},
    clock::SystemClock,
    outbound::Http,
    settings,
};

use super::Answer;

/// How often a server may say that it limits the rate, before a mail counts as one without an answer.
const LIMITED_MAX: u32 = 5;

/// How long a limit is waited for: by itself, when the server names no time, and at the longest. The usual limits are
/// per minute.
const LIMIT_WAIT: (Duration, Duration) = (Duration::from_secs(15), Duration::from_mins(1));

/// The installation's own model.
pub(super) struct Provider {
    settings: settings::Ai,
    http: Http,
    models: Models,
}

impl Provider {
    /// # Errors
    /// When the settings name no model.
    pub(super) fn of(settings: settings::Ai) -> anyhow::Result<Self> {
        let http = Http::open()?;
        let models = models(&settings, &http)?;
        Ok(Self { settings, http, models })
    }

    /// What the report calls it.
    pub(super) fn name(&self) -> String {
        format!("model {}", self.settings.model)
    }

    /// What people would see: the rules' analysis with what the model may add to it.
    pub(super) async fn answer(&mut self, alert: &Alert) -> anyhow::Result<Answer> {
        let reply = self.ask(alert).await;
        if reply.result.is_err() {
            // Each mail is asked about, whatever came of the ones before: so a circuit breaker must not stay open.
            self.models = models(&self.settings, &self.http)?;
        }
        let merged = |answer| merge(&alert.analysis, &answer, &alert.event, Origin::Model);
        let (tokens, cost_micros) = (reply.tokens(), reply.cost_micros());
        Ok(Answer {
            analysis: reply.result.map(merged).map_err(|failure| failure.to_string()),
            took: reply.latency,
            tokens,
            cost_micros,
            ..Answer::of_rules(alert, Duration::ZERO)
        })
    }

    async fn ask(&mut self, alert: &Alert) -> Reply {
        let mut reply = self.models.ask(alert).await;
        for _ in 1..LIMITED_MAX {
            let Err(Failure::Limited { retry_after }) = reply.result else { break };
            sleep(retry_after.unwrap_or(LIMIT_WAIT.0).min(LIMIT_WAIT.1)).await;
            reply = self.models.ask(alert).await;
        }
        reply
    }
}

fn models(settings: &settings::Ai, http: &Http) -> anyhow::Result<Models> {
    let models = Models::of_settings(settings, http.clone(), Arc::new(SystemClock));
    models.map_err(|why| anyhow!(why)).context("setting up the model")?.context(
        "no model is set: --provider asks the one of ai.base_url and ai.model (docs/guide/model.md), for example \
         WATCHBELL_AI_BASE_URL=http://127.0.0.1:8000/v1 WATCHBELL_AI_MODEL=qwen3",
    )
}
