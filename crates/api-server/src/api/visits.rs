//! Which platform admin acted for which tenant today, so that the audit log says so once a day and not with every
//! request.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use watchbell_common::ids::{TenantId, UserId};

/// The day (UTC, since 1970) and who acted for whom on it, as far as this process has written it.
#[derive(Debug, Default)]
pub(super) struct Visits(Mutex<(i64, HashSet<(UserId, TenantId)>)>);

impl Visits {
    pub(super) fn known(&self, day: i64, user: UserId, tenant: TenantId) -> bool {
        let visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visits.0 == day && visits.1.contains(&(user, tenant))
    }

    pub(super) fn note(&self, day: i64, user: UserId, tenant: TenantId) {
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if visits.0 != day {
            *visits = (day, HashSet::new());
        }
        visits.1.insert((user, tenant));
    }
}
