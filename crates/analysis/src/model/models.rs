//! The models that may be asked for a tenant, in order: the next one is asked when one has no answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use watchbell_common::{
    ai::{OpenProvider, usage::Call},
    alert::Alert,
    clock::Clock,
    config::Snapshot,
    ids::TenantId,
    outbound::Http,
    settings,
};

use super::{
    Answer, Failure,
    provider::{PATIENCE, Provider},
};

/// Models in the order in which they are asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Models(Arc<[Arc<Provider>]>);

/// What asking about an alert came to.
#[derive(Debug)]
pub struct Reply {
    /// The answer, or why the last model that was asked had none.
    pub result: Result<Answer, Failure>,
    /// One per model that was asked.
    pub calls: Vec<Call>,
    pub latency: Duration,
}

impl Reply {
    /// Tokens of all calls.
    pub fn tokens(&self) -> u64 {
        self.calls.iter().map(|call| call.prompt_tokens.saturating_add(call.completion_tokens)).sum()
    }

    /// Of all calls, in millionths of the currency in which the prices are set.
    pub fn cost_micros(&self) -> u64 {
        self.calls.iter().map(|call| call.cost_micros).sum()
    }
}

impl Models {
    /// The installation's own model, for those who ask without a queue and a configuration; `None` when none is set.
    ///
    /// # Errors
    /// What is wrong with the settings, without a secret.
    pub fn of_settings(settings: &settings::Ai, http: Http, clock: Arc<dyn Clock>) -> Result<Option<Self>, String> {
        let provider = settings.provider().map(|provider| Provider::new(provider, http, clock)).transpose()?;
        Ok(provider.map(|provider| Self(Arc::new([Arc::new(provider)]))))
    }

    #[cfg(test)]
    pub(crate) fn of(providers: impl Iterator<Item = Arc<Provider>>) -> Self {
        Self(providers.collect())
    }

    /// Asks about an alert.
    pub async fn ask(&self, alert: &Alert) -> Reply {
        let started = Instant::now();
        let mut reply = Reply { result: Err(Failure::NoModel), calls: Vec::new(), latency: Duration::ZERO };
        for provider in &*self.0 {
            let asked = provider.ask(alert).await;
            reply.calls.extend(asked.call);
            reply.result = asked.result;
            if reply.result.is_ok() {
                break;
            }
        }
        reply.latency = started.elapsed();
        reply
    }

    /// Whether none of them would be called now.
    pub fn rest(&self) -> bool {
        self.0.iter().all(|provider| provider.rests())
    }

    /// The longest that asking may take.
    pub fn patience(&self) -> Duration {
        self.0.iter().map(|provider| PATIENCE + provider.of.model.timeout()).sum()
    }

    /// Names the models: equal names, equal answers.
    pub fn identity(&self) -> String {
        let names = self.0.iter().map(|provider| format!("{} {}", provider.of.model.base_url, provider.of.model.name));
        names.collect::<Vec<_>>().join("\n")
    }
}

/// The models of all tenants. Providers live on from one configuration to the next while nothing about them changes,
/// and with them what is known of their servers.
#[derive(Debug)]
pub struct Roster {
    /// For models that the operator set up, and for those of tenants.
    http: Http,
    guarded: Http,
    clock: Arc<dyn Clock>,
    own: Option<OpenProvider>,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    version: Option<i64>,
    tenants: HashMap<TenantId, Option<Models>>,
    providers: Vec<Arc<Provider>>,
}

impl Roster {
    /// `own` is the installation's model, which goes before those of every tenant.
    pub fn new(own: Option<OpenProvider>, http: Http, guarded: Http, clock: Arc<dyn Clock>) -> Self {
        Self { http, guarded, clock, own, made: Mutex::default() }
    }

    /// The models to ask for a tenant, if there are any.
    pub fn models(&self, config: &Snapshot, tenant: TenantId) -> Option<Models> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.version != Some(config.version) {
            made.version = Some(config.version);
            made.tenants.clear();
            let wanted = |provider: &Arc<Provider>| {
                self.own.as_ref() == Some(&provider.of)
                    || config
                        .tenants
                        .keys()
                        .any(|tenant| config.ai(*tenant).is_some_and(|ai| ai.providers.contains(&provider.of)))
            };
            made.providers.retain(wanted);
        }
        if let Some(known) = made.tenants.get(&tenant) {
            return known.clone();
        }
        let of_tenant = config.ai(tenant).into_iter().flat_map(|ai| &ai.providers);
        let providers: Arc<[_]> =
            self.own.iter().chain(of_tenant).filter_map(|of| self.provider(&mut made, of)).collect();
        let models = (!providers.is_empty()).then_some(Models(providers));
        made.tenants.insert(tenant, models.clone());
        models
    }

    fn provider(&self, made: &mut Made, of: &OpenProvider) -> Option<Arc<Provider>> {
        if let Some(known) = made.providers.iter().find(|known| known.of == *of) {
            return Some(known.clone());
        }
        let http = if of.trusted { &self.http } else { &self.guarded };
        match Provider::new(of.clone(), http.clone(), self.clock.clone()) {
            Ok(provider) => {
                let provider = Arc::new(provider);
                made.providers.push(provider.clone());
                Some(provider)
            }
            Err(why) => {
                tracing::error!(model = of.model.name, "a model cannot be used: {why}");
                None
            }
        }
    }
}
