//! What each channel makes of a connection that fails, and what people read about it.

use super::*;

#[tokio::test]
async fn a_server_that_does_not_answer_leaves_it_open_whether_it_arrived() {
    let server = Server::answering(|_| StatusCode::IM_A_TEAPOT.into_response()).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let (detail, _, ambiguous) = transient(kind, result);
            assert!(ambiguous && detail.contains("no answer within"), "{detail}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_leaves_it_open_whether_it_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 1024]).await;
        }
    });
    each_http(&base, |_| {}, |kind, result| assert!(transient(kind, result).2)).await;
}

#[tokio::test]
async fn a_refused_connection_is_worth_another_try_and_nothing_arrived() {
    let base = format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    each_http(
        &base,
        |_| {},
        |kind, result| {
            let (detail, _, ambiguous) = transient(kind, result);
            assert!(!ambiguous && detail.contains("refused"), "{detail}");
            assert!(
                detail.ends_with("nobody listens there: check host and port, and whether the service runs"),
                "{detail}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_redirect_is_refused_with_a_hint() {
    let answer = |_: &str| (StatusCode::FOUND, [("location", "http://127.0.0.1/?token=hunter2")]).into_response();
    let server = Server::answering(answer).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let Err(SendError::Rejected { detail }) = result else { panic!("{}: {result:?}", kind.id) };
            assert!(detail.contains("redirects are not followed"), "{detail}");
        },
    )
    .await;
}

/// What sending to each kind at that address comes to, once: they all say the same.
async fn said_by_all(base: &str) -> String {
    let said = Mutex::new(Vec::new());
    each_http(
        base,
        |_| {},
        |kind, result| {
            let (detail, _, ambiguous) = transient(kind, result);
            assert!(!ambiguous, "{}: nothing was sent", kind.id);
            said.lock().unwrap().push(detail);
        },
    )
    .await;
    let mut said = said.into_inner().unwrap();
    said.dedup();
    assert_eq!(said.len(), 1, "{said:#?}");
    said.remove(0)
}

#[tokio::test]
async fn a_name_that_leads_nowhere_says_so() {
    // Longer than a part of a name can be, so that no server needs to be asked about it.
    let said = said_by_all(&format!("http://{}.invalid", "x".repeat(64))).await;
    assert!(said.ends_with("the name leads nowhere: check its spelling, and this machine's DNS"), "{said}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_so_and_so_does_a_server_without_encryption() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let (acceptor, _) = tls::server("127.0.0.1");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // The client ends it: that is what is tested.
            drop(acceptor.accept(connection).await);
        }
    });
    let said = said_by_all(&base).await;
    let advice =
        "this machine does not trust the certificate for this name: renew it, or make its authority known here";
    assert!(said.ends_with(advice), "{said}");

    let plain = Server::answering(|_| StatusCode::OK.into_response()).await;
    let said = said_by_all(&plain.base.replace("http://", "https://")).await;
    let advice = "what answers there does not speak TLS: check the port, and whether it should be encrypted";
    assert!(said.ends_with(advice), "{said}");
}
