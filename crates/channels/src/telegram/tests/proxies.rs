//! The ways to Telegram through proxies.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_rustls::TlsAcceptor;

use super::*;

/// Sends through a proxy, and gives what the receipt says.
async fn through(proxy: &str, base: &str) -> Result<String, SendError> {
    let channel = open(base, |channel| drop(channel.secrets.insert("proxy".into(), proxy.into())));
    let channel = configure(&channel, &contract::tools()).unwrap();
    channel.send(&contract::message(), None).await.map(|receipt| receipt.detail)
}

#[tokio::test]
async fn calls_go_through_an_http_proxy() {
    let fake = Fake::start().await;
    assert_eq!(through(&fake.base, "http://telegram.invalid").await.unwrap(), "sent");
    let asked = fake.world().calls[0].1.clone();
    assert!(asked.starts_with("http://telegram.invalid/bot"), "a proxy is asked by the whole address: {asked}");
}

#[tokio::test]
async fn calls_go_through_a_socks_proxy() {
    let fake = Fake::start().await;
    let upstream = fake.base.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("socks5h://ops:hunter3@{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { socks(listener.accept().await.unwrap().0, &upstream).await });
    assert_eq!(through(&proxy, "http://telegram.invalid:81").await.unwrap(), "sent");
    assert_eq!(fake.texts().len(), 1);
}

/// Set for a copy of this program that trusts the certificate of a test: the proxy and what is to be seen.
const CHILD: &str = "WATCHBELL_TEST_PROXY";

/// A process trusts what its environment names when it starts, so the call is made by a copy of this one.
#[tokio::test]
async fn encrypted_calls_are_tunnelled_through_an_http_proxy_that_wants_a_password() {
    if let Some(proxy) = std::env::var_os(CHILD) {
        let said = through(proxy.to_str().unwrap(), "https://telegram.invalid").await;
        return assert_eq!(said.unwrap(), "sent");
    }
    let fake = Fake::start().await;
    let upstream = fake.base.trim_start_matches("http://").to_owned();
    let (tls, certificate) = contract::tls::server("telegram.invalid");
    let trusted = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&trusted, certificate).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let refusals = Arc::new(AtomicU32::new(0));
    let counted = refusals.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let client = listener.accept().await.unwrap().0;
            if !tunnel(client, &tls, &upstream).await {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let this = std::thread::current().name().unwrap().to_owned();
    let copy = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([this.as_str(), "--exact"])
        .env(CHILD, format!("http://ops:hunter3@{address}"))
        .env("SSL_CERT_FILE", trusted.path())
        .output()
        .await
        .unwrap();
    assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stdout));
    assert_eq!((fake.texts().len(), refusals.load(Ordering::SeqCst)), (1, 0));

    // Without its password, and by a process that trusts nobody.
    let refused = through(&format!("http://ops:hunter4@{address}"), "https://telegram.invalid").await.unwrap_err();
    assert!(!refused.to_string().contains("hunter"), "{refused}");
    assert!(refused.to_string().ends_with("the proxy wants another user or password"), "{refused}");
    assert_eq!((fake.texts().len(), refusals.load(Ordering::SeqCst)), (1, 1));
}

/// One connection of an HTTP proxy that tunnels (RFC 9110 §9.3.6), with the server at the other end of the tunnel: what
/// it decrypts goes on to `upstream`. `false`: the password was wrong.
async fn tunnel(mut client: TcpStream, tls: &TlsAcceptor, upstream: &str) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("connect telegram.invalid:443 http/1.1\r\n") && !head.contains("bot"), "{head}");
    // ops:hunter3
    if !head.contains("\r\nproxy-authorization: basic b3bzomh1bnrlcjm=\r\n") {
        client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        return false;
    }
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let mut client = tls.accept(client).await.unwrap();
    let mut server = TcpStream::connect(upstream).await.unwrap();
    // The client may end without a word.
    let _ = copy_bidirectional(&mut client, &mut server).await;
    true
}

/// One connection of a SOCKS5 proxy that wants a password (RFC 1928, RFC 1929); the name that it is asked for is
/// always the same.
async fn socks(mut client: TcpStream, upstream: &str) {
    let mut byte = async |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).await.unwrap();
        bytes
    };
    let methods = byte(2).await[1];
    assert!(byte(methods.into()).await.contains(&2));
    client.write_all(&[5, 2]).await.unwrap();
    let login = b"\x01\x03ops\x07hunter3";
    let mut given = vec![0; login.len()];
    client.read_exact(&mut given).await.unwrap();
    assert_eq!(given, login);
    client.write_all(&[1, 0]).await.unwrap();
    let wanted = b"\x05\x01\x00\x03\x10telegram.invalid\x00\x51";
    let mut given = vec![0; wanted.len()];
    client.read_exact(&mut given).await.unwrap();
    assert_eq!(given, wanted);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let mut server = TcpStream::connect(upstream).await.unwrap();
    copy_bidirectional(&mut client, &mut server).await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_is_away_is_worth_another_try_and_shows_no_secret() {
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["http", "socks5h"] {
        let proxy = format!("{scheme}://ops:hunter3@{away}");
        match through(&proxy, "http://telegram.invalid").await.unwrap_err() {
            SendError::Transient { detail, ambiguous: false, .. } => {
                assert!(detail.starts_with("by the bot's `proxy`: ") && !detail.contains("hunter"), "{detail}");
                assert!(
                    detail.ends_with("nobody listens there: check host and port, and whether the service runs"),
                    "{detail}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
