//! The snippets that the book gives to people, run as they stand there.

use std::{path::Path, process::Command, time::Duration};

use watchbell_harness::{Product, Sink};

use crate::{TOKEN, one_channel};

const SENDERS: &str = include_str!("../../../../docs/guide/senders.md");

const SOON: Duration = Duration::from_secs(10);

/// A program and what it is to run.
#[derive(Debug)]
struct Snippet {
    program: &'static str,
    text: String,
}

/// What can be run of a page: blocks of shell and Python, and the commands of systemd's units.
fn snippets(page: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').expect("a block has lines");
        match language {
            "sh" => found.push(Snippet { program: "bash", text: format!("set -o pipefail\n{text}") }),
            "python" => found.push(Snippet { program: "python3", text: text.to_owned() }),
            "ini" => {
                let started = text.lines().filter_map(|line| line.strip_prefix("ExecStart="));
                found.extend(started.map(|line| Snippet {
                    program: "bash",
                    text: line.replace("%i", "backup.service").replace("%H", "db1"),
                }));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_snippet_of_the_senders_page_brings_an_alert_to_its_channel() {
    let sink = Sink::start().await;
    let product = Product::embedded(&one_channel(&sink)).await;
    let snippets = snippets(SENDERS);
    assert!(snippets.len() >= 6, "{snippets:#?}");
    for (number, snippet) in (1..).zip(&snippets) {
        let text = snippet
            .text
            .replace("http://WATCHBELL", &format!("http://{}", product.http))
            .replace("MAIL_HOST", &product.smtp.ip().to_string())
            .replace("MAIL_PORT", &product.smtp.port().to_string())
            .replace("TOKEN", TOKEN);
        let ran = run(snippet.program, &text, product.dir());
        assert!(ran.status.success(), "{text}\n{}", String::from_utf8_lossy(&ran.stderr));
        sink.wait_for(number, SOON).await;
    }
    let books = product.settled(SOON).await;
    assert_eq!(books["received"], snippets.len());
    assert_eq!(books["unaccounted"], 0);
}

fn run(program: &str, text: &str, dir: &Path) -> std::process::Output {
    Command::new(program).arg("-c").arg(text).current_dir(dir).output().expect("what the tests need is installed")
}
