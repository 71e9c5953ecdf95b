//! Markup, long texts, files.

use super::*;

#[tokio::test]
async fn refused_markup_goes_out_as_plain_text_in_the_same_attempt() {
    for (text, markup, why) in [
        ("<b>50% <used", Markup::Html, "Unclosed start tag at byte offset 7"),
        ("/var is full.", Markup::Markdown, "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("<b></b>", Markup::Html, "message text is empty"),
    ] {
        let mut ops = Ops::new().await;
        let said = ops.send(&written(text, markup)).await;
        assert!(said.starts_with("sent; sent as plain text: Bad Request: ") && said.ends_with(why), "{said}");
        let shown = ops.fake.shown().remove(0);
        assert_eq!((shown.text.as_str(), shown.parse_mode), (text, None));
        // An edit meets the same.
        let said = ops.send(&written(&format!("{text} "), markup)).await;
        assert!(said.starts_with("edited; sent as plain text"), "{said}");
    }
}

#[tokio::test]
async fn a_long_text_goes_out_in_parts_of_which_only_the_first_makes_a_sound() {
    let mut ops = Ops::new().await;
    let long = |last: &str| written(&format!("<b>{}</b>{last}", "🚨 alert ".repeat(1_000)), Markup::Html);
    assert_eq!(ops.send(&long("")).await, "sent in 3 parts");
    let shown = ops.fake.shown();
    assert_eq!(shown.iter().map(|part| part.silent).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(shown.iter().map(|part| part.text.matches("alert").count()).sum::<usize>(), 1_000);
    assert!(shown.iter().all(|part| part.parse_mode.is_some()));
    assert_eq!(ops.send(&long("more")).await, "edited in 3 parts");
    assert!(ops.fake.texts()[2].contains("more"));
    assert_eq!(ops.send(&written("short again", Markup::Html)).await, "sent");
}

#[test]
fn wherever_a_text_is_cut_telegram_takes_the_parts_and_nothing_is_missing() {
    let html = "<b>one <i>two &lt;three&gt; <a href=\"https://e.org/?a=1&amp;b\">four 🚨🚨</a></i></b>\n<pre><code \
                class=\"language-c\">five &amp;&amp; six\n\tseven</code></pre>\n<blockquote expandable>eight \
                <tg-spoiler>nine</tg-spoiler>\nten</blockquote> <u>eleven</u> twelve";
    let markdown = "*one _two ~three~ ||four 🚨🚨||_*\n```c\nfive \\`\\` six\n\tseven```\n__eight__ `ni.ne` \
                    [ten \\[\\]](https://e.org/a_b.c) \\(eleven\\)\n>twelve *thirteen*\n>fourteen||\n\\!";
    for (text, markup, name) in [(html, Markup::Html, "HTML"), (markdown, Markup::Markdown, "MarkdownV2")] {
        let seen = |text: &str| entities::parse(text, Some(name)).unwrap_or_else(|why| panic!("{why}: {text}"));
        let words = |text: &str| text.replace(char::is_whitespace, "");
        for max in 2..150 {
            let parts = split::split(text, markup, max).unwrap();
            assert!(parts.iter().all(|part| seen(part).encode_utf16().count() <= max), "{max}");
            assert_eq!(words(&parts.iter().map(|part| seen(part)).collect::<String>()), words(&seen(text)), "{max}");
        }
    }
}

#[tokio::test]
async fn a_refused_part_and_what_follows_go_out_plain_and_nothing_twice() {
    let mut ops = Ops::new().await;
    let text = format!("{}<wrong>{}</wrong>", "first ".repeat(700), "second ".repeat(100));
    let said = ops.send(&written(&text, Markup::Html)).await;
    assert!(said.starts_with("sent in 2 parts; sent as plain text: "), "{said}");
    let texts = ops.fake.texts().concat();
    assert_eq!((texts.matches("first").count(), texts.matches("second").count()), (700, 100));
}

#[tokio::test]
async fn a_long_text_whose_markup_is_broken_goes_out_plain() {
    let mut ops = Ops::new().await;
    let said = ops.send(&written(&"<b>word ".repeat(700), Markup::Html)).await;
    assert_eq!(said, "sent in 2 parts; sent as plain text: its markup is broken, and it must be cut");
}

#[tokio::test]
async fn a_longer_text_is_attached_whole_and_its_beginning_edited() {
    let mut ops = Ops::new().await;
    let long = |words| "word ".repeat(words);
    assert_eq!(ops.send(&written(&long(9_000), Markup::Plain)).await, "sent");
    let file = ops.fake.world().chats[&GROUP].files.clone();
    assert_eq!(file, [(format!("{}.txt", contract::message().alert_id), long(9_000))]);
    assert!(ops.fake.texts()[0].ends_with("… full text attached"));
    assert_eq!(ops.send(&written(&long(9_001), Markup::Plain)).await, "edited");
    assert_eq!(ops.fake.world().chats[&GROUP].files.len(), 1);
}

#[tokio::test]
async fn a_chat_that_takes_no_files_gets_the_beginning() {
    let mut ops = Ops::new().await;
    ops.fake.world().chats.get_mut(&GROUP).unwrap().takes_no_files = true;
    let said = ops.send(&written(&"word ".repeat(9_000), Markup::Plain)).await;
    assert!(said.starts_with("sent; without the full text: Bad Request: not enough rights"), "{said}");
    assert_eq!(ops.fake.texts().len(), 1);
}
