//! Moments, as the API writes and reads them: RFC 3339.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use watchbell_common::{
    clock::{UnixMillis, parse_time, show_time},
    http::ApiError,
};

use super::configured::wrong;

/// A moment: RFC 3339, in UTC, with milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2027-01-31T18:00:00.000Z")]
pub(crate) struct Time(pub(crate) UnixMillis);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_time(self.0))
    }
}

/// The moment that a parameter or a field names, in any zone.
///
/// # Errors
/// 400 that names it.
pub(super) fn read(field: &str, text: Option<&str>) -> Result<Option<UnixMillis>, ApiError> {
    text.map(|text| parse_time(text).map_err(|why| wrong(field, why))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_milliseconds_and_read_in_any_zone() {
        let written = |at| serde_json::to_value(Time(at)).unwrap();
        assert_eq!(written(1_795_168_800_007), "2026-11-20T10:00:00.007Z");
        assert_eq!(written(i64::MAX), "1970-01-01T00:00:00.000Z");
        for text in ["2026-11-20T10:00:00.007Z", "2026-11-20T11:00:00.007+01:00"] {
            assert_eq!(read("since", Some(text)).unwrap(), Some(1_795_168_800_007));
        }
        let error = read("since", Some("1795168800007")).unwrap_err();
        assert!(error.message.starts_with("since: "), "{error:?}");
    }
}
