//! The lock-out of [`watchbell_common::lockout`], counted in the store, so that it survives restarts and holds for all
//! processes together.

use std::{net::IpAddr, time::Duration};

use watchbell_common::{
    clock::{UnixMillis, millis},
    http::ApiError,
    ids::AuditId,
    lockout::{self, TRUST_FOR},
    store::{Connection, StoreError, Tx, audit, lockouts, users::User},
};

use crate::api::Api;

/// After so long without an attempt, a subject begins anew.
const FORGET_AFTER: Duration = Duration::from_hours(1);

/// An attempt that was counted, before it is known how it ends.
#[derive(Debug)]
pub(crate) struct Attempt {
    address: IpAddr,
    /// The account's subjects: with this address, and whether this address is known to be its owner's.
    account: Option<(String, String)>,
    /// What was counted, and until when it is locked out if the attempt fails.
    counted: Vec<(String, Option<UnixMillis>)>,
}

impl Attempt {
    /// Counts an attempt at an account (an e-mail address, known or not), or at a door that names none.
    ///
    /// # Errors
    /// 429 with `Retry-After` when account or address are locked out; the attempt is then not to be made.
    pub(crate) async fn begin(api: &Api, account: Option<&str>, address: IpAddr) -> Result<Self, ApiError> {
        let now = api.shared.clock.now_ms();
        let hash = |subject: &str| api.shared.vault.hash(&format!("lockout {subject}"));
        let known = account.map(|account| {
            let pair = lockout::pair(account, address);
            (hash(&pair), hash(&format!("trust {pair}")))
        });
        let mut tx = api.store()?.begin().await?;
        let is_owner_s = match &known {
            Some((_, trust)) => lockouts::trusted(&mut tx, trust, now - millis(TRUST_FOR)).await?,
            None => false,
        };
        let mut subjects = lockout::subjects(account, address, is_owner_s);
        for (subject, _) in &mut subjects {
            *subject = hash(subject);
        }
        // One order for all, so that two attempts cannot wait for each other's rows.
        subjects.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut counted = Vec::new();
        for (subject, policy) in subjects {
            let count = lockouts::count(&mut tx, &subject, now, now - millis(FORGET_AFTER)).await?;
            if count.locked_until > now {
                return Err(locked_out(count.locked_until - now));
            }
            let pause = policy.pause(count.failures.unsigned_abs());
            let until = pause.map(|pause| now + millis(pause));
            if let Some(until) = until {
                lockouts::lock(&mut tx, &subject, until).await?;
            }
            counted.push((subject, until));
        }
        commit(tx).await?;
        Ok(Self { address, account: known, counted })
    }

    /// It succeeded: the account's failures from here are forgotten, and the others' are as before.
    pub(crate) async fn succeeded(self, api: &Api) -> Result<(), ApiError> {
        let now = api.shared.clock.now_ms();
        let mut tx = api.store()?.begin().await?;
        self.take_back_in(&mut tx).await?;
        if let Some((pair, trust)) = &self.account {
            lockouts::clear(&mut tx, pair).await?;
            lockouts::trust(&mut tx, trust, now).await?;
        }
        commit(tx).await
    }

    /// It was not made after all.
    pub(crate) async fn take_back(self, api: &Api) -> Result<(), ApiError> {
        let mut tx = api.store()?.begin().await?;
        self.take_back_in(&mut tx).await?;
        commit(tx).await
    }

    async fn take_back_in(&self, tx: &mut Connection) -> Result<(), ApiError> {
        for (subject, until) in &self.counted {
            lockouts::take_back(tx, subject, until.unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// It failed. When that locked somebody out, the log says so, and the audit log of the account's tenant.
    pub(crate) async fn failed(self, api: &Api, user: Option<&User>) -> Result<(), ApiError> {
        let Some(until) = self.counted.iter().filter_map(|(_, until)| *until).max() else { return Ok(()) };
        let (now, address) = (api.shared.clock.now_ms(), self.address);
        let pause_s = (until - now) / 1000;
        tracing::warn!(client.address = %address, lockout.s = pause_s, "locked out after too many failed sign-ins");
        metrics::counter!("watchbell_lockouts_total").increment(1);
        let Some(user) = user else { return Ok(()) };
        let entry = audit::Entry {
            id: AuditId::at(now),
            tenant: user.tenant,
            at: now,
            user: None,
            actor: "somebody who failed to sign in".to_owned(),
            address: address.to_string(),
            action: "lock_out".to_owned(),
            kind: "user".to_owned(),
            item: user.id.to_string(),
            before: None,
            after: Some(serde_json::json!({ "email": user.email, "seconds": pause_s })),
        };
        let mut tx = api.store()?.begin().await?;
        audit::add(&mut tx, &entry).await?;
        commit(tx).await
    }
}

async fn commit(tx: Tx) -> Result<(), ApiError> {
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

fn locked_out(wait_ms: i64) -> ApiError {
    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or_default() + 999);
    ApiError::rate_limited(format!("too many failed attempts; try again in {} s", wait.as_secs()), wait)
}
