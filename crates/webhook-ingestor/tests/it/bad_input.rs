//! Each bad input gets a clear answer, and nothing of it reaches the queue.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Answer, Server, TOKEN};

#[tokio::test]
async fn what_is_not_a_json_object_is_a_400_that_says_where() {
    let server = Server::start().await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let brackets = b"[".repeat(1_000_000);
    let table: [(&[u8], &str); 10] = [
        (b"", "the body is empty"),
        (b"not json", "expected ident at line 1 column 2"),
        (b"[1,2]", "must be a JSON object, not an array"),
        (b"\"text\"", "not a string"),
        (b"{\"a\":1} x", "trailing characters at line 1 column 9"),
        (b"{\"a\":1}]", "trailing characters at line 1 column 8"),
        (b"{\"a\":\"\xff\xfe\"}", "invalid unicode code point at line 1 column"),
        (b"{\"a\":\"\n\"}", "control character"),
        (deep.as_bytes(), "nested deeper than 64 at line 1 column 321"),
        (&brackets, "nested deeper than 64 at line 1 column 65"),
    ];
    for (body, expected) in table {
        let answer = server.push(TOKEN, body).await;
        let (code, message) = answer.error();
        let start = String::from_utf8_lossy(&body[..body.len().min(30)]).into_owned();
        assert_eq!((answer.status, code.as_str()), (400, "VALIDATION"), "{start}");
        assert!(message.contains(expected), "{start}: {message}");
    }
    assert!(server.queue.pushes().is_empty());
}

#[tokio::test]
async fn odd_but_valid_json_is_taken() {
    let server = Server::start().await;
    for body in [
        "null",
        "{}",
        "\u{feff}{\"a\":1}",
        r#"{"a":1,"a":2,"A":3}"#,
        r#"{"n":123456789012345678901234567890.123456789012345678901234567890,"e":1e400}"#,
        r#"{"title":"\ud800","x":"\u0000"}"#,
    ] {
        assert_eq!(server.push(TOKEN, body).await.status, 202, "{body}");
    }
    let items = server.queue.items();
    assert_eq!((items[3].labels["a"].as_str(), items[3].labels["A"].as_str()), ("2", "3"));
    assert_eq!(items[4].labels["n"], "123456789012345678901234567890.123456789012345678901234567890");
    assert_eq!(items[4].labels["e"], "1e400");
}

#[tokio::test]
async fn a_body_of_20_mb_is_refused_whether_it_is_announced_or_not() {
    let server = Server::start().await;
    let body = "a".repeat(20_000_000);
    let answer = server.push(TOKEN, &body).await;
    assert_eq!((answer.status, answer.error()), (413, too_large()));
    let head = format!("POST /api/v1/push/{TOKEN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let answer = server.exchange(format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes()).await;
    assert_eq!((answer.status, answer.error()), (413, too_large()));
    assert!(server.queue.pushes().is_empty());
}

fn too_large() -> (String, String) {
    ("VALIDATION".to_owned(), "the body exceeds the limit of 1048576 bytes".to_owned())
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
    let server = Server::start_with(&[("http.body_max_bytes", "100")]).await;
    let body = |length: usize| format!(r#"{{"text":"{}"}}"#, "x".repeat(length - 11));
    assert_eq!(server.push(TOKEN, body(100)).await.status, 202);
    assert_eq!(server.push(TOKEN, body(101)).await.status, 413);
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_at_the_size_limit() {
    let server = Server::start().await;
    let (mut read, mut write) = TcpStream::connect(server.addr).await.unwrap().into_split();
    let head = format!("POST /api/v1/push/{TOKEN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    write.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", "a".repeat(0x4000));
    let endless = async { while write.write_all(chunk.as_bytes()).await.is_ok() {} };
    let mut start = [0; 2_048];
    let answer = async { read.read(&mut start).await.unwrap() };
    // The answer is there while the client is still writing, and then the writing fails: nobody listens.
    let ((), length) = tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(endless, answer) })
        .await
        .expect("an endless body ends");
    assert_eq!(Answer::parse(&start[..length]).status, 413);
    assert!(server.queue.pushes().is_empty());
}

#[tokio::test]
async fn a_slow_body_is_cut_off_in_time() {
    let server = Server::start_with(&[("http.body_timeout", "200ms")]).await;
    let request = format!("POST /api/v1/push/{TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{\"title\":");
    let answer = server.exchange(request.as_bytes()).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (408, "TIMEOUT"));
    assert!(server.queue.pushes().is_empty());
}

#[tokio::test]
async fn a_slow_head_is_cut_off_in_time() {
    let server = Server::start_with(&[("http.head_timeout", "200ms")]).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"POST /api/v1/pu").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut Vec::new())).await;
    assert_eq!(ended.expect("the connection is closed").unwrap(), 0);
}

#[tokio::test]
async fn a_compressed_body_is_refused_by_name() {
    let server = Server::start().await;
    let path = format!("/api/v1/push/{TOKEN}");
    let answer = server.post(&path, "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08").await;
    assert_eq!((answer.status, answer.error().0.as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    assert_eq!(server.post(&path, "Content-Encoding: identity\r\n", "{}").await.status, 202);
}
