//! The limits of the contract, checked by every backend before anything is written.

use super::{KEY_MAX_BYTES, NOTE_MAX_BYTES, NewJob, QueueError, Slot};

/// Refuses a name that is longer than [`KEY_MAX_BYTES`].
pub(super) fn check_key(key: &str, why: &'static str) -> Result<(), QueueError> {
    if key.len() > KEY_MAX_BYTES { Err(QueueError::BadJob(why)) } else { Ok(()) }
}

pub(super) fn check_worker(name: &str) -> Result<(), QueueError> {
    check_key(name, "the worker's name is longer than 64 bytes")
}

pub(super) fn check_job(job: &NewJob) -> Result<(), QueueError> {
    check_key(&job.lane, "the lane is longer than 64 bytes")?;
    check_key(job.order.as_deref().unwrap_or_default(), "the order key is longer than 64 bytes")?;
    check_key(job.counter.as_ref().map_or("", |counter| &counter.name), "the counter's name is longer than 64 bytes")?;
    let Some(dedup) = &job.dedup else { return Ok(()) };
    check_key(&dedup.key, "the dedup key is longer than 64 bytes")?;
    check_key(&dedup.variant, "the dedup variant is longer than 64 bytes")
}

pub(super) fn check_slots(slots: &[Slot]) -> Result<(), QueueError> {
    for slot in slots {
        check_key(&slot.key, "the key of a rate limit is longer than 64 bytes")?;
        if slot.per_minute == 0 || slot.count == 0 || slot.burst < slot.reserve.saturating_add(slot.count) {
            return Err(QueueError::BadJob("a rate limit of nothing lets nothing through"));
        }
    }
    Ok(())
}

pub(super) fn check_note(key: &str, bytes: usize) -> Result<(), QueueError> {
    check_key(key, "the name of a note is longer than 64 bytes")?;
    if bytes > NOTE_MAX_BYTES { Err(QueueError::BadJob("a note is larger than 64 KiB")) } else { Ok(()) }
}
