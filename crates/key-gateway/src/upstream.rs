//! The service behind the gateway: what it is told of a request, and what of its answer is passed on.

use std::{io, net::IpAddr, sync::Arc};

use hyper::{
    HeaderMap, Uri, Version,
    header::{self, HeaderName, HeaderValue},
    http::{request::Parts, uri},
};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use watchbell_common::{binding::source::Sources, settings};

use crate::{
    lines::{BoxError, Lines},
    refusal::Refusal,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Where requests go.
pub(crate) struct Upstream {
    lines: Arc<Lines>,
    host: HeaderValue,
    /// Before every path; empty, or without a slash at its end.
    prefix: String,
    sources: Sources,
}

/// Who sent a request: the other end of its connection, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From {
    pub(crate) peer: IpAddr,
    pub(crate) client: IpAddr,
}

impl Upstream {
    pub(crate) fn new(settings: &settings::Gateway) -> anyhow::Result<Self> {
        let Some(url) = &settings.upstream else { anyhow::bail!("gateway.upstream is not set") };
        let uri: Uri = url.as_str().parse()?;
        let Some(authority) = uri.authority() else { anyhow::bail!("gateway.upstream has no host") };
        let host = HeaderValue::from_str(authority.as_str())?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(settings.connect_timeout));
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(connector);
        Ok(Self {
            lines: Arc::new(Lines::new(connector, uri, settings.upstream_idle_max)),
            host,
            prefix: url.path().trim_end_matches('/').to_owned(),
            sources: settings.sources(),
        })
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) const fn lines(&self) -> &Arc<Lines> {
        &self.lines
    }

    /// What a client is told when the upstream failed.
    pub(crate) fn failure(&self, error: &BoxError) -> Refusal {
        let causes = || std::iter::successors(Some(&**error as &dyn std::error::Error), |error| error.source());
        let text = causes().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        tracing::warn!("the upstream {} failed: {text}", String::from_utf8_lossy(self.host.as_bytes()));
        let timed_out = causes().any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        });
        if timed_out { Refusal::GatewayTimeout } else { Refusal::BadGateway }
    }

    /// Makes a client's request one of ours: its target, its hop-by-hop headers, who it is from. `websocket` keeps what
    /// asks for the upgrade.
    pub(crate) fn rewrite(&self, request: &mut Parts, from: From, websocket: bool) -> Result<(), Refusal> {
        let host = request.headers.remove(header::HOST);
        self.aim(request)?;
        request.version = Version::HTTP_11;
        let headers = &mut request.headers;
        let trailers = lists(headers, &header::TE, "trailers");
        drop_hop_by_hop(headers);
        // hyper has asked the client to go on already.
        headers.remove(header::EXPECT);
        if trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if trailers || websocket {
            let options = if websocket { "upgrade" } else { "te" };
            headers.insert(header::CONNECTION, HeaderValue::from_static(options));
        }
        if websocket {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        headers.insert(header::HOST, self.host.clone());
        headers.append(header::VIA, HeaderValue::from_static("1.1 watchbell"));
        self.introduce(headers, from, host);
        Ok(())
    }

    fn aim(&self, request: &mut Parts) -> Result<(), Refusal> {
        let target = request.uri.path_and_query().ok_or(Refusal::BadTarget)?;
        let aimed: uri::PathAndQuery = if self.prefix.is_empty() {
            target.clone()
        } else {
            format!("{}{target}", self.prefix).parse().map_err(|_| Refusal::BadTarget)?
        };
        request.uri = aimed.into();
        Ok(())
    }

    /// Says whose request it is. What a client that is no trusted proxy says about that is dropped.
    fn introduce(&self, headers: &mut HeaderMap, from: From, host: Option<HeaderValue>) {
        let trusted = self.sources.trusts(from.peer);
        if !trusted {
            for name in [FORWARDED_FOR, header::FORWARDED, FORWARDED_HOST, FORWARDED_PROTO, FORWARDED_PORT] {
                headers.remove(name);
            }
        }
        let peer = from.peer.to_canonical();
        let node = match peer {
            IpAddr::V4(peer) => peer.to_string(),
            IpAddr::V6(peer) => format!("\"[{peer}]\""),
        };
        let named = host.as_ref().and_then(|host| host.to_str().ok()).filter(|host| !host.contains(['"', '\\']));
        let named = named.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
        let forwarded = format!("for={node};proto=http{named}");
        append_to_list(headers, header::FORWARDED, &forwarded);
        append_to_list(headers, FORWARDED_FOR, &peer.to_string());
        headers.insert(REAL_IP, text(&from.client.to_string()));
        headers.entry(FORWARDED_PROTO).or_insert(HeaderValue::from_static("http"));
        if let Some(host) = host {
            headers.entry(FORWARDED_HOST).or_insert(host);
        }
    }
}

/// Makes the upstream's answer one of ours.
pub(crate) fn rewrite_answer(headers: &mut HeaderMap, websocket: bool) {
    drop_hop_by_hop(headers);
    if websocket {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
}

/// RFC 9110 §7.6.1: what `Connection` names, and what is meant for the next hop anyway. `Trailer` stays: trailers are
/// passed on.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let options: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|option| option.trim().parse().ok())
            .collect();
        for option in options {
            headers.remove(option);
        }
    }
    for name in
        [header::CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, header::TE, header::TRANSFER_ENCODING, header::UPGRADE]
    {
        headers.remove(name);
    }
}

/// Whether a header lists this word.
pub(crate) fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

fn append_to_list(headers: &mut HeaderMap, name: HeaderName, item: &str) {
    let earlier: Vec<_> = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok()).collect();
    let all = if earlier.is_empty() { text(item) } else { text(&format!("{}, {item}", earlier.join(", "))) };
    headers.insert(name, all);
}

/// Addresses and names that came out of headers can be put into one.
fn text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}
