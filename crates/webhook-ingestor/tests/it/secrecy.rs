//! A push token never reaches a log line, a metric or an answer.

use std::sync::{Arc, Mutex, atomic::Ordering};

use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Server, TOKEN, TOKEN_DEDUP, TOKEN_DISABLED};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_token_reaches_a_log_a_metric_or_an_answer() {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let recorder = PrometheusBuilder::new().build_recorder();
    let _measuring = metrics::set_default_local_recorder(&recorder);

    let server = Server::start_with(&[("http.body_timeout", "100ms")]).await;
    let mut answers = Vec::new();
    for token in [TOKEN, TOKEN_DEDUP, TOKEN_DISABLED, "tok-unknown-4714"] {
        for body in ["{}", "not json", "[]", &"[".repeat(70)] {
            answers.push(server.push(token, body).await);
        }
        answers.push(server.get(&format!("/api/v1/push/{token}")).await);
        answers.push(server.push(&format!("{token}/x"), "{}").await);
        let bearer = format!("Authorization: Bearer {token}\r\n");
        answers.push(server.post("/api/v1/push", &bearer, "{}").await);
        let slow = format!("POST /api/v1/push/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{");
        answers.push(server.exchange(slow.as_bytes()).await);
    }
    server.queue.down.store(true, Ordering::SeqCst);
    answers.push(server.push(TOKEN, "{}").await);

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("/api/v1/push/{token}") && logged.contains("inside-detail"), "{logged}");
    assert!(!logged.contains("tok-"), "{logged}");
    let measured = recorder.handle().render();
    assert!(measured.contains("/api/v1/push/{token}") && !measured.contains("tok-"), "{measured}");
    assert!(!format!("{answers:?}").contains("tok-"));
}
