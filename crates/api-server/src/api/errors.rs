//! The errors of the API as its document describes them. What they carry is [`watchbell_common::http::ApiError`].

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

/// The one envelope of every error.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the server writes, for the document")]
pub(crate) struct ErrorBody {
    error: ErrorText,
}

/// What went wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the server writes, for the document")]
pub(crate) struct ErrorText {
    /// Stable, for programs: `VALIDATION`, `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, `CONFLICT`, `RATE_LIMITED`,
    /// `UNAVAILABLE`, `INTERNAL` …
    #[schema(example = "VALIDATION")]
    code: String,
    /// A sentence for people that says what to do.
    #[schema(example = "name: must have 1 to 64 characters")]
    message: String,
    /// Finds the request in the log.
    #[schema(example = "req_0195f3f0c0de7d2a")]
    request_id: Option<String>,
}

/// What any request can be answered: who may, how often, and that something is away.
pub(crate) struct Common;

/// What reading one thing can be answered: [`Common`], and that there is no such thing.
pub(crate) struct ReadErrors;

/// What a change can be answered: [`ReadErrors`], and that its body is wrong or contradicts what is there.
pub(crate) struct ChangeErrors;

const COMMON: &[(&str, &str)] = &[
    ("400", "`VALIDATION`: a parameter makes no sense"),
    ("401", "`UNAUTHORIZED`: no, wrong or expired credentials"),
    ("403", "`FORBIDDEN`: the role does not allow it, or the CSRF token is missing"),
    ("429", "`RATE_LIMITED`: try again after `Retry-After` seconds"),
    ("500", "`INTERNAL`: a fault here; the log has it under the request id"),
    ("503", "`UNAVAILABLE`: store or queue cannot be reached; try again after `Retry-After` seconds"),
];
const READ: &[(&str, &str)] = &[("404", "`NOT_FOUND`: there is no such thing in this tenant")];
const CHANGE: &[(&str, &str)] = &[
    ("408", "`TIMEOUT`: the body did not arrive in time"),
    ("409", "`CONFLICT`: a name is taken, something is in use, or the provisioning file owns it"),
    ("413", "`VALIDATION`: the body exceeds 1 MiB"),
];

fn responses(lists: &[&[(&str, &str)]]) -> BTreeMap<String, RefOr<Response>> {
    let body = || ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    let answer = |text: &str| ResponseBuilder::new().description(text).content("application/json", body()).build();
    lists.iter().copied().flatten().map(|(status, text)| ((*status).to_owned(), answer(text).into())).collect()
}

impl IntoResponses for Common {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[COMMON])
    }
}

impl IntoResponses for ReadErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[COMMON, READ])
    }
}

impl IntoResponses for ChangeErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[COMMON, READ, CHANGE])
    }
}
