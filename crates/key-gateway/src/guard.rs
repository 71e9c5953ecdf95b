//! May this request pass? The key is found in it, and the keeper of bindings decides.

use std::{net::IpAddr, sync::Arc};

use hyper::http::request::Parts;
use watchbell_common::{
    binding::{
        gateway::WithoutKey,
        keeper::{Beside, Door, Follows, Keeper, Purpose, Secret},
        token::{self, KeyHash, KeyHasher, Places},
    },
    ids::TenantId,
    settings,
    shared::Shared,
};

use crate::refusal::Refusal;

const DOOR: Door =
    Door { source: "gateway", system: "key-gateway", binds: "Key", counter: "watchbell_gateway_interceptions_total" };

pub(crate) struct Guard {
    pub(crate) settings: settings::Gateway,
    pub(crate) keeper: Arc<Keeper>,
    tenant: TenantId,
    hasher: KeyHasher,
}

impl Guard {
    /// A guard, and what has to run beside it.
    pub(crate) fn new(shared: &Shared, hasher: KeyHasher) -> (Self, Beside) {
        let settings = shared.settings.gateway.clone();
        let tenant = TenantId(settings.tenant);
        let (keeper, beside) = Keeper::new(shared, DOOR, Follows::Tenant(tenant), move || vec![tenant]);
        (Self { settings, keeper, tenant, hasher }, beside)
    }

    /// Whether the request of a client may pass.
    pub(crate) async fn admit(&self, request: &Parts, client: IpAddr) -> Result<(), Refusal> {
        let places = Places { google: self.settings.google_keys };
        let found = token::find(&request.headers, request.uri.query(), places);
        let Some(token) = found? else {
            if self.keeper.rules().without_key == WithoutKey::Refuse {
                return Err(Refusal::KeyMissing);
            }
            self.keeper.count_without();
            return Ok(());
        };
        let masked = || token::masked(&token);
        let secret = Secret { tenant: self.tenant, key: self.hash(&token), masked: &masked };
        let purpose = Purpose { method: request.method.as_str(), path: request.uri.path() };
        Ok(self.keeper.check(&secret, client, &purpose).await?)
    }

    /// What a key is found by: the same for a key with and without `gateway.key_prefix`.
    fn hash(&self, token: &[u8]) -> KeyHash {
        let prefix = self.settings.key_prefix.as_bytes();
        if token.starts_with(prefix) { self.hasher.hash(token) } else { self.hasher.hash(&[prefix, token].concat()) }
    }
}
