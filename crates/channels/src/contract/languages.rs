//! What each channel sends for one alert, in each language of the built-in layout. The guide shows the same.

use super::*;

/// What a channel of a kind says in a language: the request that takes it to the platform.
async fn said_in(language: &str, kind: &ChannelKind, example: &HttpExample) -> String {
    let server = Server::answering_with(Arc::new(example.success)).await;
    let mut channel = (example.channel)(&server.base);
    channel.channel.options.insert("language".to_owned(), language.into());
    let (message, _) = Voice::of(&channel, &tools()).unwrap().message(payload(), NOW);
    let receipt = configure(&channel, &tools()).unwrap().send(&message, None).await;
    assert_eq!(receipt.unwrap().provider_id.as_deref(), example.provider_id, "{} in {language}", kind.id);
    let host = server.base.trim_start_matches("http://");
    server.request().replace(host, "HOST").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[tokio::test]
async fn a_success_is_a_receipt_and_the_request_is_the_recorded_one_in_each_language() {
    let guide = include_str!("../../../../docs/guide/rendered.md");
    let mut shown = Vec::new();
    for (language, heading) in [("en", "CRITICAL"), ("zh", "严重"), ("fa", "بحرانی")] {
        for (kind, example) in http_kinds() {
            let request = said_in(language, kind, example).await;
            let (_, body) = request.split_once("\n\n").unwrap();
            let in_guide = guide.contains(&format!("\n{}\n```", body.trim_end()));
            shown.extend(in_guide.then_some(language));
            assert!(request.contains(heading), "{} in {language}: {request}", kind.id);
            match language {
                "en" => {
                    insta::assert_snapshot!(kind.id, request);
                    assert!(in_guide, "the guide shows another request of {}", kind.id);
                }
                _ => insta::assert_snapshot!(format!("{}-{language}", kind.id), body),
            }
        }
    }
    for language in ["zh", "fa"] {
        assert!(shown.contains(&language), "the guide shows no request in {language}");
    }
}

#[test]
fn the_guide_shows_what_people_read() {
    let read = format!("```text\n{}\n```", message().text);
    let pages =
        [include_str!("../../../../docs/guide/channels.md"), include_str!("../../../../docs/guide/rendered.md")];
    assert!(pages.iter().all(|page| page.contains(&read)), "{read}");
}
