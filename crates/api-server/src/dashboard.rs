//! Serves the dashboard: the files that `web-ui` exports, compiled into the binary.
//!
//! Every page stands under its language (`/en/alerts/`). A path without one leads to the same page in the language
//! of the browser, so that links in messages need not know their reader. Without an export (a build of the Rust code
//! alone), every page says how to build the dashboard.

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::any,
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use watchbell_common::http::ApiError;

/// What `npm run build` wrote.
#[derive(RustEmbed)]
#[folder = "../../web-ui/out"]
#[allow_missing = true]
struct Export;

/// The languages of the dashboard. The first is the fallback.
const LOCALES: [&str; 3] = ["en", "zh", "fa"];

/// Set by the language menu; stronger than the browser's languages.
const LOCALE_COOKIE: &str = "watchbell-locale";

/// No script, style, picture or request from or to anywhere else. Styles may be inline: charts and notices set them.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

const SECURITY_HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Files under here have their hash in their name and never change.
const HASHED: &str = "_next/static/";

/// Shown while there is nothing to serve.
const NOT_BUILT: &str = include_str!("dashboard_not_built.html");

/// The dashboard at every path that no other route takes; unknown paths under `/api/` stay errors of the API.
pub(crate) fn router() -> Router {
    router_of::<Export>()
}

fn router_of<Files: RustEmbed + 'static>() -> Router {
    let root =
        |method: Method, headers: HeaderMap, uri: Uri| async move { answer::<Files>(&method, &headers, &uri, "") };
    let other = |method: Method, headers: HeaderMap, uri: Uri, Path(path): Path<String>| async move {
        answer::<Files>(&method, &headers, &uri, &path)
    };
    Router::new().route("/", any(root)).route("/{*path}", any(other))
}

/// `path` is decoded and has no slash at its front.
fn answer<Files: RustEmbed>(method: &Method, headers: &HeaderMap, uri: &Uri, path: &str) -> Response {
    if path == "api" || path.starts_with("api/") {
        return ApiError::not_found("no such path").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let mut response = find::<Files>(headers, uri, path);
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn find<Files: RustEmbed>(headers: &HeaderMap, uri: &Uri, path: &str) -> Response {
    let page = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    if let Some(file) = Files::get(&page) {
        return send::<Files>(headers, &page, &file, StatusCode::OK);
    }
    if Files::get(&format!("{path}/index.html")).is_some() {
        return redirect(StatusCode::PERMANENT_REDIRECT, &format!("/{path}/"), uri);
    }
    let locale = LOCALES.into_iter().find(|locale| path.split('/').next() == Some(*locale));
    let theirs = locale.unwrap_or_else(|| locale_of(headers));
    let folder = path.trim_end_matches('/');
    let translated = if folder.is_empty() { theirs.to_owned() } else { format!("{theirs}/{folder}") };
    if locale.is_none() && Files::get(&format!("{translated}/index.html")).is_some() {
        return redirect(StatusCode::FOUND, &format!("/{translated}/"), uri);
    }
    let missing = format!("{theirs}/not-found/index.html");
    match Files::get(&missing) {
        Some(file) => send::<Files>(headers, &missing, &file, StatusCode::NOT_FOUND),
        None => not_built(),
    }
}

/// The query goes along. What a browser may remember depends on its languages.
fn redirect(status: StatusCode, path: &str, uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // Only paths of existing files come here: plain ASCII, and no second slash at the front that would be a host.
    let location = format!("{path}{query}");
    let headers = [
        (header::LOCATION, location.as_str()),
        (header::VARY, "accept-language, cookie"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (status, headers).into_response()
}

/// The file, or its compressed copy if the browser takes that; 304 if it has it already.
fn send<Files: RustEmbed>(headers: &HeaderMap, path: &str, file: &EmbeddedFile, status: StatusCode) -> Response {
    let compressed = Some(format!("{path}.gz")).filter(|_| takes_gzip(headers)).and_then(|path| Files::get(&path));
    let sent = compressed.as_ref().unwrap_or(file);
    let hash = sent.metadata.sha256_hash();
    let tag = format!("\"{:016x}\"", u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes")));
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let is_known = known.is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));

    let mut response = Response::new(Body::empty());
    if is_known && status == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.status_mut() = status;
        *response.body_mut() = Body::from(match &sent.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::from(bytes.clone()),
        });
        if compressed.is_some() {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    let kind = file.metadata.mimetype();
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    for (name, value) in
        [(header::CONTENT_TYPE, kind.as_str()), (header::ETAG, tag.as_str()), (header::CACHE_CONTROL, cache)]
    {
        let value = HeaderValue::from_str(value).expect("types, hexadecimal digits and constants are plain ASCII");
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

fn not_built() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, NOT_BUILT).into_response()
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    listed(headers, &header::ACCEPT_ENCODING).any(|(name, weight)| name.eq_ignore_ascii_case("gzip") && weight > 0.0)
}

/// The language that was chosen, or the one of ours that the browser likes best.
fn locale_of(headers: &HeaderMap) -> &'static str {
    let ours = |name: &str| {
        let primary = name.split('-').next().unwrap_or(name);
        LOCALES.into_iter().find(|locale| primary.eq_ignore_ascii_case(locale))
    };
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    if let Some(chosen) = pairs.find(|(name, _)| *name == LOCALE_COOKIE).and_then(|(_, value)| ours(value)) {
        return chosen;
    }
    let mut best = (LOCALES[0], 0.0);
    for (name, weight) in listed(headers, &header::ACCEPT_LANGUAGE) {
        if let Some(locale) = ours(name).filter(|_| weight > best.1) {
            best = (locale, weight);
        }
    }
    best.0
}

/// The entries of a header like `fa, en;q=0.5`, with their weights.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = (&'a str, f32)> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|entry| {
        let (name, rest) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse).unwrap_or(0.0);
        (name.trim(), weight)
    })
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[derive(RustEmbed)]
    #[folder = "tests/export"]
    struct Sample;

    #[derive(RustEmbed)]
    #[folder = "tests/nothing-here"]
    #[allow_missing = true]
    struct Nothing;

    async fn ask<Files: RustEmbed + 'static>(method: &str, path: &str, headers: &[(&str, &str)]) -> (Response, String) {
        let request =
            headers.iter().fold(axum::http::Request::builder().method(method).uri(path), |request, header| {
                request.header(header.0, header.1)
            });
        let response = router_of::<Files>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (Response::from_parts(head, Body::empty()), String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(path: &str, headers: &[(&str, &str)]) -> (Response, String) {
        ask::<Sample>("GET", path, headers).await
    }

    fn field<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_page_comes_with_the_policy_and_is_asked_for_again_each_time() {
        let (response, body) = get("/en/alerts/", &[]).await;
        assert_eq!((response.status(), body.trim()), (StatusCode::OK, "alerts in English"));
        assert_eq!(field(&response, "content-type"), "text/html; charset=utf-8");
        assert_eq!(field(&response, "cache-control"), "no-cache");
        let policy = field(&response, "content-security-policy");
        assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(field(&response, "x-content-type-options"), "nosniff");
    }

    #[tokio::test]
    async fn the_root_and_paths_without_a_language_lead_to_the_readers_language() {
        for (path, headers, expected) in [
            ("/", &[][..], "/en/"),
            ("/", &[("accept-language", "fa-IR,fa;q=0.9,en;q=0.8")], "/fa/"),
            ("/", &[("accept-language", "de, en;q=0.3, fa;q=0.7")], "/fa/"),
            ("/", &[("accept-language", "fa;q=0, de")], "/en/"),
            ("/", &[("accept-language", "fa"), ("cookie", "a=b; watchbell-locale=en")], "/en/"),
            ("/", &[("accept-language", "fa"), ("cookie", "watchbell-locale=//evil.example")], "/fa/"),
            ("/alerts/?id=alr_1", &[], "/en/alerts/?id=alr_1"),
            ("/alerts?id=alr_1", &[], "/en/alerts/?id=alr_1"),
        ] {
            let (response, _) = get(path, headers).await;
            assert_eq!(response.status(), StatusCode::FOUND, "{path} {headers:?}");
            assert_eq!(field(&response, "location"), expected, "{path} {headers:?}");
            assert_eq!(field(&response, "vary"), "accept-language, cookie");
        }
    }

    #[tokio::test]
    async fn a_folder_without_its_slash_leads_to_the_folder() {
        let (response, _) = get("/en/alerts?q=a%20b", &[]).await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(field(&response, "location"), "/en/alerts/?q=a%20b");
    }

    #[tokio::test]
    async fn what_is_named_by_its_hash_is_kept_for_a_year_and_sent_compressed() {
        let (response, body) = get("/_next/static/a1b2.js", &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(body.trim(), "pretend that this is compressed");
        assert_eq!(field(&response, "content-encoding"), "gzip");
        assert_eq!(field(&response, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(field(&response, "cache-control"), "public, max-age=31536000, immutable");
        let (response, body) = get("/_next/static/a1b2.js", &[("accept-encoding", "gzip;q=0")]).await;
        assert_eq!((field(&response, "content-encoding"), body.trim()), ("", "\"the script\";"));
    }

    #[tokio::test]
    async fn a_known_file_is_not_sent_again() {
        let (response, _) = get("/en/", &[]).await;
        let tag = field(&response, "etag").to_owned();
        let (response, body) = get("/en/", &[("if-none-match", &format!("\"other\", W/{tag}"))]).await;
        assert_eq!((response.status(), body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(field(&response, "etag"), tag);
        assert_ne!(field(&response, "content-security-policy"), "");
    }

    #[tokio::test]
    async fn an_unknown_page_is_a_404_in_its_language() {
        for (path, headers, expected) in [
            ("/fa/nothing/", &[][..], "not found in Persian"),
            ("/nothing", &[("accept-language", "fa")], "not found in Persian"),
            ("/en/../../Cargo.toml", &[], "not found in English"),
            ("/en/%2e%2e/%2e%2e/%2e%2e/Cargo.toml", &[], "not found in English"),
            ("//evil.example/", &[], "not found in English"),
        ] {
            let (response, body) = get(path, headers).await;
            assert_eq!((response.status(), body.trim()), (StatusCode::NOT_FOUND, expected), "{path}");
        }
    }

    #[tokio::test]
    async fn the_api_and_other_methods_are_not_answered_with_pages() {
        for (method, path, expected) in [
            ("GET", "/api/v1/nothing", StatusCode::NOT_FOUND),
            ("POST", "/api/v1/nothing", StatusCode::NOT_FOUND),
            ("POST", "/en/", StatusCode::METHOD_NOT_ALLOWED),
            ("DELETE", "/", StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let (response, body) = ask::<Sample>(method, path, &[]).await;
            assert_eq!(response.status(), expected, "{method} {path}");
            assert!(!body.contains("not found in"), "{method} {path}: {body}");
        }
    }

    #[tokio::test]
    async fn without_an_export_a_page_says_how_to_build_it() {
        for path in ["/", "/en/", "/alerts/"] {
            let (response, body) = ask::<Nothing>("GET", path, &[]).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert!(body.contains("make web"), "{path}: {body}");
        }
    }
}
