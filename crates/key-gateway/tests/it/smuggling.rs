//! Requests that can be read in two ways: each is refused, and nothing of it reaches the upstream.

use crate::harness::{Gateway, Place, telling_upstream};

/// Sends a doubtful request with a whole one behind it, on one connection.
async fn refused(doubtful: &str, code: &str) {
    let place = Place::sqlite();
    let (upstream, mut told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let mut client = gateway.connect().await;
    client.send(doubtful).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{doubtful:?}: {answer}");
    assert!(answer.contains(code), "{doubtful:?}: {answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{doubtful:?}: {answer}");
    let smuggled = std::iter::from_fn(|| told.try_recv().ok()).find(|head| head.contains("/admin"));
    assert_eq!(smuggled, None, "{doubtful:?}");
    gateway.stop().await;
}

const SMUGGLED: &str = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";

fn post(headers: &str, body: &str) -> String {
    format!("POST /v1/x HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}")
}

#[tokio::test]
async fn a_length_before_an_encoding() {
    let body = format!("0\r\n\r\n{SMUGGLED}");
    let headers = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", body.len());
    refused(&post(&headers, &body), "Content-Length beside Transfer-Encoding").await;
}

#[tokio::test]
async fn an_encoding_before_a_length() {
    let headers = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    refused(&post(headers, &format!("0\r\n\r\n{SMUGGLED}")), "Content-Length beside Transfer-Encoding").await;
}

#[tokio::test]
async fn two_encodings() {
    let headers = "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n";
    refused(&post(headers, &format!("0\r\n\r\n{SMUGGLED}")), "Transfer-Encoding").await;
}

#[tokio::test]
async fn an_encoding_that_only_looks_like_chunked() {
    // hyper refuses it by itself.
    refused(&post("Transfer-Encoding: xchunked\r\n", &format!("0\r\n\r\n{SMUGGLED}")), "400").await;
}

#[tokio::test]
async fn an_encoding_in_a_list() {
    refused(&post("Transfer-Encoding: gzip, chunked\r\n", &format!("0\r\n\r\n{SMUGGLED}")), "Transfer-Encoding").await;
}

#[tokio::test]
async fn an_encoding_in_a_request_of_http_1_0() {
    let request = format!("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
    refused(&request, "400").await;
}

#[tokio::test]
async fn two_lengths_that_differ() {
    refused(&post("Content-Length: 0\r\nContent-Length: 35\r\n", SMUGGLED), "400").await;
}

#[tokio::test]
async fn two_lengths_that_are_the_same() {
    refused(&post("Content-Length: 0\r\nContent-Length: 0\r\n", SMUGGLED), "more than one Content-Length").await;
}

#[tokio::test]
async fn a_length_with_a_sign() {
    refused(&post("Content-Length: +0\r\n", SMUGGLED), "400").await;
}

#[tokio::test]
async fn a_length_that_is_a_list() {
    refused(&post("Content-Length: 0, 0\r\n", SMUGGLED), "400").await;
}

#[tokio::test]
async fn a_folded_header() {
    refused(&post("X: a\r\n Transfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{SMUGGLED}")), "400").await;
}

#[tokio::test]
async fn a_line_that_ends_in_a_bare_line_feed() {
    refused(&post("X: a\nContent-Length: 0\r\n", SMUGGLED), "CRLF").await;
}

#[tokio::test]
async fn a_space_before_the_colon() {
    refused(&post("Content-Length : 35\r\n", SMUGGLED), "400").await;
}

#[tokio::test]
async fn a_zero_byte_in_a_header() {
    refused(&post("X: a\0b\r\n", SMUGGLED), "400").await;
}

#[tokio::test]
async fn a_chunk_size_that_is_no_number() {
    refused(&post("Transfer-Encoding: chunked\r\n", &format!("0x0\r\n\r\n{SMUGGLED}")), "bad_body").await;
}

#[tokio::test]
async fn a_chunk_that_is_longer_than_it_says() {
    refused(&post("Transfer-Encoding: chunked\r\n", &format!("1\r\nab\r\n0\r\n\r\n{SMUGGLED}")), "bad_body").await;
}

#[tokio::test]
async fn a_chunk_size_beyond_all_numbers() {
    let body = format!("fffffffffffffffff\r\n\r\n{SMUGGLED}");
    refused(&post("Transfer-Encoding: chunked\r\n", &body), "bad_body").await;
}

#[tokio::test]
async fn a_chunk_line_with_a_bare_line_feed() {
    refused(&post("Transfer-Encoding: chunked\r\n", &format!("0\n\n{SMUGGLED}")), "bad_body").await;
}

#[tokio::test]
async fn connect_and_an_upgrade_to_another_http_open_no_tunnel() {
    refused("CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n", "connect_refused").await;
    let place = Place::sqlite();
    let (upstream, mut told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let mut client = gateway.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    let head = told.recv().await.unwrap();
    assert!(!head.contains("h2c") && !head.contains("http2-settings"), "{head}");
    gateway.stop().await;
}

#[tokio::test]
async fn two_hosts() {
    refused(&format!("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{SMUGGLED}"), "not exactly one Host").await;
}

#[tokio::test]
async fn no_host() {
    refused(&format!("GET / HTTP/1.1\r\nAccept: */*\r\n\r\n{SMUGGLED}"), "not exactly one Host").await;
}
