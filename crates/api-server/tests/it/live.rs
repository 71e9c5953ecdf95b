//! Live updates: what a browser that follows them is told, and when that ends.

use reqwest::Response;
use serde_json::{Value, json};
use watchbell_common::{
    clock::{Clock as _, SystemClock},
    identity::Role,
    ids::TenantId,
    store::users,
};

use crate::{
    alerts::open,
    client::{Client, add_tenant},
    house::LONG,
    story::{Story, tell},
};

/// An event of the stream.
#[derive(Debug)]
struct Told {
    name: String,
    id: String,
    data: Value,
}

/// Reads a stream event by event.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn follow(client: &Client, last: Option<&str>) -> Self {
        let response = client.follow(last).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` when the stream ended.
    async fn next(&mut self) -> Option<Told> {
        tokio::time::timeout(LONG, async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let field = |name: &str| {
                        let line = event.lines().find_map(|line| line.strip_prefix(name));
                        line.map(|value| value.trim().to_owned())
                    };
                    let told = field("event:").map(|name| Told {
                        name,
                        id: field("id:").unwrap(),
                        data: serde_json::from_str(&field("data:").unwrap()).unwrap(),
                    });
                    self.text = rest.to_owned();
                    match told {
                        Some(told) => return Some(told),
                        None => continue,
                    }
                }
                let chunk = self.response.chunk().await.ok()??;
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        })
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn a_browser_is_told_what_was_recorded_and_what_it_missed() {
    let (mut house, base, editor) = open(&"sqlite".into()).await;
    let other = add_tenant(&house, "other").await;
    let stranger = Client::with_role(&house, &base, other, Role::Viewer).await;
    let (mut stream, mut strangers) = (Stream::follow(&editor, None).await, Stream::follow(&stranger, None).await);
    let ready = stream.next().await.unwrap();
    assert_eq!(ready.name, "ready");
    strangers.next().await.unwrap();

    let now = SystemClock.now_ms();
    let story = Story::at(now);
    tell(&house, std::slice::from_ref(&story)).await;
    let change = stream.next().await.unwrap();
    assert_eq!((change.name.as_str(), &change.data["alerts"][0]["id"]), ("change", &json!(story.alert())));
    drop(stream);

    let path = format!("/api/v1/alerts/{}/acknowledge", story.alert());
    editor.post(&path, json!({})).await.expect(200);
    let mut again = Stream::follow(&editor, Some(&change.id)).await;
    let missed = again.next().await.unwrap();
    assert_eq!(missed.data["alerts"][0]["status"], "acknowledged");
    for unknown in ["x", "chg_0195f3f0c0de7d2a8b3c4d5e6f708192"] {
        assert_eq!(Stream::follow(&editor, Some(unknown)).await.next().await.unwrap().name, "reset");
    }

    tell(&house, &[Story { tenant: other, fingerprint: "theirs", ..Story::at(now) }]).await;
    let theirs = strangers.next().await.unwrap();
    let theirs = theirs.data["alerts"].as_array().unwrap();
    assert_eq!((theirs.len(), &theirs[0]["fingerprint"]), (1, &json!("theirs")), "nothing of another tenant's");
    drop((again, strangers));
    house.stop().await;
}

#[tokio::test]
async fn a_stream_ends_when_its_user_may_no_longer_read() {
    let (mut house, _, editor) = open(&"sqlite".into()).await;
    let mut stream = Stream::follow(&editor, None).await;
    stream.next().await.unwrap();
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    let mut user = users::list(&mut tx, TenantId::DEFAULT).await.unwrap().remove(0);
    user.disabled = true;
    users::put(&mut tx, &user, 0).await.unwrap();
    tx.commit().await.unwrap();
    tell(&house, &[Story::at(SystemClock.now_ms())]).await;
    assert!(stream.next().await.is_none(), "not even what happens at once");
    assert_eq!(editor.follow(None).await.status(), 401);
    house.stop().await;
}

#[tokio::test]
async fn a_process_that_stops_does_not_wait_for_those_who_follow() {
    let (mut house, _, editor) = open(&"sqlite".into()).await;
    let mut stream = Stream::follow(&editor, None).await;
    stream.next().await.unwrap();
    house.stop().await;
    assert!(stream.next().await.is_none());
}
