//! AUTH PLAIN and LOGIN.

use crate::support::Hub;

/// NUL ops NUL hunter2.
const RIGHT: &str = "AG9wcwBodW50ZXIy";
/// NUL ops NUL hunter3.
const WRONG: &str = "AG9wcwBodW50ZXIz";
/// NUL nobody NUL hunter2.
const NOBODY: &str = "AG5vYm9keQBodW50ZXIy";

fn clear_text_hub() -> Hub {
    Hub::with_tls_and_users(|smtp| smtp.auth_without_tls = true)
}

#[test]
fn passwords_are_neither_asked_for_nor_taken_before_tls() {
    let hub = Hub::with_tls_and_users(|_| {});
    let mut client = hub.client();
    let offer = client.ask("EHLO c", "250-");
    assert!(!offer.contains("AUTH") && offer.contains("STARTTLS"), "{offer}");
    client.ask(&format!("AUTH PLAIN {RIGHT}"), "538 5.7.11");
    client.ask("AUTH LOGIN", "538 5.7.11");
    let mut client = client.into_tls(&hub);
    let offer = client.ask("EHLO c", "250-");
    assert!(offer.contains("AUTH PLAIN LOGIN") && !offer.contains("STARTTLS"), "{offer}");
    client.ask(&format!("AUTH PLAIN {RIGHT}"), "235 2.7.0");
}

#[test]
fn all_forms_of_login_work_and_the_user_is_recorded() {
    let hub = clear_text_hub();
    let forms: [&[(&str, &str)]; 4] = [
        &[("AUTH PLAIN AG9wcwBodW50ZXIy", "235 2.7.0")],
        &[("AUTH PLAIN", "334 \r\n"), (RIGHT, "235 2.7.0")],
        &[("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("b3Bz", "334 UGFzc3dvcmQ6"), ("aHVudGVyMg==", "235 2.7.0")],
        &[("auth login b3Bz", "334 UGFzc3dvcmQ6"), ("aHVudGVyMg==", "235 2.7.0")],
    ];
    for form in forms {
        let mut client = hub.greeted();
        for (line, start) in form {
            client.ask(line, start);
        }
        client.ask("AUTH PLAIN", "503 5.5.1");
        client.envelope();
        client.ask("DATA", "354");
        client.ask("x\r\n.", "250");
    }
    for mail in hub.await_mails(4) {
        assert_eq!(crate::support::envelope(&mail).user.as_deref(), Some("ops"));
    }
}

#[test]
fn wrong_passwords_and_unknown_users_get_the_same_answer_and_few_attempts() {
    let hub = clear_text_hub();
    let mut client = hub.greeted();
    let wrong = client.ask(&format!("AUTH PLAIN {WRONG}"), "535 5.7.8");
    let nobody = client.ask(&format!("AUTH PLAIN {NOBODY}"), "535 5.7.8");
    assert_eq!(wrong, nobody);
    client.ask(&format!("AUTH PLAIN {WRONG}"), "421 4.7.0");
    client.expect_close();
}

#[test]
fn after_too_many_wrong_passwords_the_right_one_is_not_looked_at_for_a_while() {
    let hub = clear_text_hub();
    for attempts in [3, 2] {
        let mut client = hub.greeted();
        for _ in 0..attempts {
            client.ask(&format!("AUTH PLAIN {WRONG}"), "");
        }
    }
    let mut client = hub.greeted();
    client.ask(&format!("AUTH PLAIN {RIGHT}"), "421 4.7.0 too many failed logins");
    client.expect_close();
    hub.greeted().envelope(); // Who does not log in is not concerned.
}

#[test]
fn broken_logins_are_refused_clearly() {
    let hub = clear_text_hub();
    let mut client = hub.client();
    client.ask("AUTH PLAIN", "503 5.5.1 say HELO");
    client.ask("EHLO c", "250-");
    client.ask("AUTH CRAM-MD5", "504 5.5.4");
    client.ask("AUTH PLAIN !!!", "501 5.5.2");
    client.ask("AUTH PLAIN =", "501 5.5.4");
    client.ask("AUTH PLAIN", "334");
    client.ask("*", "501 5.7.0");
    client.ask("AUTH PLAIN //8=", "501 5.5.2");
    client.ask("AUTH PLAIN bWUAb3BzAGh1bnRlcjI=", "535 5.7.8"); // acts as `me`
    client.ask("MAIL FROM:<a@b>", "250");
    client.ask("AUTH PLAIN", "503 5.5.1 not in the middle");
}

#[test]
fn mail_needs_a_login_where_it_is_required() {
    let hub = Hub::with_tls_and_users(|smtp| {
        smtp.auth_without_tls = true;
        smtp.auth_required = true;
    });
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a@b>", "530 5.7.0");
    client.ask(&format!("AUTH PLAIN {RIGHT}"), "235");
    client.ask("MAIL FROM:<a@b>", "250");
}
