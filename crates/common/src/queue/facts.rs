//! How several facts share one job of [`QueueName::History`](super::QueueName::History): each with its length
//! before it, four bytes, big-endian. A payload that begins with `{` or packed is a single fact, as older versions queue it.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::payload::PACKED;

/// Facts are put together up to this size, so that no job of the history grows without bound. A single fact may be
/// larger: it carries the raw bytes of its event.
pub const BUNDLE_BYTES: usize = 256 * 1024;

/// Why a payload holds no facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its facts are cut off in the middle")]
pub struct CutOff;

/// Adds a fact to a bundle.
pub fn add(bundle: &mut BytesMut, fact: &[u8]) {
    bundle.put_u32(u32::try_from(fact.len()).expect("an event is some megabytes at most"));
    bundle.extend_from_slice(fact);
}

/// The facts of a payload.
pub fn read(payload: &Bytes) -> Result<Vec<Bytes>, CutOff> {
    if matches!(payload.first(), Some(&(b'{' | PACKED))) {
        return Ok(vec![payload.clone()]);
    }
    let mut facts = Vec::new();
    let mut at = 0;
    while let Some(rest) = payload.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, rest) = rest.split_first_chunk().ok_or(CutOff)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CutOff)?;
        if rest.len() < length {
            return Err(CutOff);
        }
        let begin = at + size_of::<u32>();
        at = begin + length;
        facts.push(payload.slice(begin..at));
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_they_went_in() {
        let facts = [&b"{\"v\":\"1\"}\n\0raw"[..], b"", b"{}"];
        let mut bundle = BytesMut::new();
        for fact in facts {
            add(&mut bundle, fact);
        }
        assert_eq!(read(&bundle.freeze()).unwrap(), facts);
        assert_eq!(read(&Bytes::new()).unwrap(), Vec::<Bytes>::new());
    }

    #[test]
    fn a_single_fact_of_an_older_version_is_read() {
        for fact in [&b"{\"v\":\"1\"}\nraw"[..], &[PACKED, 1, 2]].map(Bytes::from_static) {
            assert_eq!(read(&fact).unwrap(), [fact]);
        }
    }

    #[test]
    fn a_payload_that_is_cut_off_is_not_read_by_half() {
        let mut bundle = BytesMut::new();
        add(&mut bundle, b"first");
        add(&mut bundle, b"second");
        let bundle = bundle.freeze();
        for end in (1..bundle.len()).filter(|&end| end != 9) {
            assert_eq!(read(&bundle.slice(..end)), Err(CutOff), "{end}");
        }
    }
}
