//! The lock-out: how often a password may be wrong. In the store, so that it survives restarts and holds for all
//! processes together; the same at every door that takes a password.
//!
//! Three subjects are counted. An account from one address comes first and is what a guesser meets. An address is
//! stopped when it tries many accounts. An account is slowed, never for long, when it is tried from many addresses;
//! those from which its owner signed in before do not notice.

use std::{net::IpAddr, time::Duration};

use watchbell_common::{
    clock::{UnixMillis, millis},
    http::ApiError,
    ids::AuditId,
    store::{Connection, StoreError, Tx, audit, lockouts, users::User},
};

use crate::api::Api;

/// When a subject is locked out, and for how long.
struct Policy {
    /// Failures that cost nothing.
    free: u32,
    /// The first pause; each further failure doubles it.
    first: Duration,
    longest: Duration,
}

const OF_PAIR: Policy = Policy { free: 5, first: Duration::from_secs(15), longest: Duration::from_mins(15) };

/// An office behind one address mistypes more often than a person.
const OF_ADDRESS: Policy = Policy { free: 30, first: Duration::from_secs(15), longest: Duration::from_mins(15) };

/// Short: a stranger can cause it.
const OF_ACCOUNT: Policy = Policy { free: 50, first: Duration::from_secs(5), longest: Duration::from_secs(30) };

/// After so long without an attempt, a subject begins anew.
const FORGET_AFTER: Duration = Duration::from_hours(1);

/// How long an address from which an account signed in is not slowed with the account.
pub(crate) const TRUST_FOR: Duration = Duration::from_hours(30 * 24);

impl Policy {
    /// Until when the subject is locked out after its present failure; `None`: it is not.
    fn locked_until(&self, failures: i64, now: UnixMillis) -> Option<UnixMillis> {
        let beyond = u32::try_from(failures).unwrap_or(u32::MAX).checked_sub(self.free)?;
        let pause = self.first.saturating_mul(2_u32.saturating_pow(beyond)).min(self.longest);
        Some(now + millis(pause))
    }
}

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
        let subject = |text: String| api.shared.vault.hash(&format!("lockout {text}"));
        let place = network(address);
        let mut tx = api.store()?.begin().await?;
        let mut subjects = Vec::new();
        let mut known = None;
        if let Some(account) = account {
            let pair = subject(format!("pair {place} {account}"));
            let trust = subject(format!("trust {place} {account}"));
            if !lockouts::trusted(&mut tx, &trust, now - millis(TRUST_FOR)).await? {
                subjects.push((subject(format!("account {account}")), OF_ACCOUNT));
            }
            subjects.push((pair.clone(), OF_PAIR));
            known = Some((pair, trust));
        }
        subjects.push((subject(format!("address {place}")), OF_ADDRESS));
        // One order for all, so that two attempts cannot wait for each other's rows.
        subjects.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut counted = Vec::new();
        for (subject, policy) in subjects {
            let count = lockouts::count(&mut tx, &subject, now, now - millis(FORGET_AFTER)).await?;
            if count.locked_until > now {
                return Err(locked_out(count.locked_until - now));
            }
            let until = policy.locked_until(count.failures, now);
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

/// What counts as one address: for IPv6 its /64, which is the least that one customer has.
fn network(address: IpAddr) -> String {
    let IpAddr::V6(address) = address.to_canonical() else { return address.to_canonical().to_string() };
    let [a, b, c, d, ..] = address.segments();
    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = |failures| OF_PAIR.locked_until(failures, 0).map(|until| until / 1000);
        assert_eq!([4, 5, 6, 7].map(pause), [None, Some(15), Some(30), Some(60)]);
        assert_eq!([12, 1_000_000].map(pause), [Some(900), Some(900)]);
        assert_eq!(OF_ACCOUNT.locked_until(i64::MAX, 0), Some(30_000), "a stranger cannot lock anybody out for long");
    }

    #[test]
    fn an_address_is_one_customer_s() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.7"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1:2:3"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}
