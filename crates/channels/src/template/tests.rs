//! Templates: Go's language with lenient rules, what they see, and what a hostile one cannot do.

use std::time::Instant;

use jiff::{Timestamp, tz::TimeZone};
use watchbell_common::payload::DeliverPayload;

use super::*;
use crate::{Message, contract};

/// 2026-11-20T10:00:00Z
const NOW: i64 = 1_795_168_800;

fn around_now() -> Around {
    Around { now: Timestamp::from_second(NOW).unwrap(), zone: TimeZone::get("Asia/Tehran").unwrap() }
}

/// An event that was pushed as JSON: text, numbers, flags, a list, an object.
fn pushed() -> Message {
    let mut payload = contract::payload();
    let event = &mut payload.alert.event;
    "push".clone_into(&mut event.source);
    let labels = [
        ("level", "critical"),
        ("value", "95"),
        ("ratio", "0.5"),
        ("big", "1048576"),
        ("stamp", "1795168800123"),
        ("version", "1.10"),
        ("muted", "false"),
        ("url", "https://example.org/a_b?c=1&d=<2>"),
        ("status", "OK-ish"),
        ("disks", r#"[{"name":"sda","free":1.5,"note":null},{"name":"sdb","free":12}]"#),
        ("rack.row", "7"),
        ("rack.hall", "B"),
        ("broken", r#"{"cut of"#),
    ];
    event.labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Message::new(payload)
}

fn try_render(source: &str, message: &Message) -> Result<String, String> {
    let template = Template::parse(source).map_err(|error| error.to_string())?;
    template
        .render(&Data::new(message, template.wants_lists()).context(), &around_now())
        .map_err(|error| error.to_string())
}

fn render(source: &str) -> String {
    try_render(source, &pushed()).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn refused(source: &str) -> String {
    try_render(source, &pushed()).expect_err(source)
}

fn check(table: &[(&str, &str)]) {
    for (source, expected) in table {
        assert_eq!(render(source), *expected, "{source}");
    }
}

#[test]
fn what_is_absent_is_empty_and_false() {
    check(&[
        ("[{{ .nothing }}]", "[]"),
        ("[{{ .nothing.at.all }}]", "[]"),
        ("{{ if .nothing }}yes{{ else }}no{{ end }}", "no"),
        ("{{ with .nothing }}yes{{ else }}no{{ end }}", "no"),
        ("{{ range .nothing }}yes{{ else }}no{{ end }}", "no"),
        (
            "{{ default \"n/a\" .nothing }} {{ .nothing | default \"n/a\" }} {{ default \"n/a\" .level }}",
            "n/a n/a critical",
        ),
        ("[{{ .nothing | upper }}{{ .nothing | escMD }}{{ print .nothing }}{{ printf \"%s\" .nothing }}]", "[]"),
        ("[{{ index .labels \"nothing\" }}{{ index .nothing \"x\" }}{{ len .nothing }}]", "[0]"),
        (
            "{{ eq .nothing \"\" }} {{ ne .nothing \"x\" }} {{ gt .nothing 1 }} {{ lt .nothing 1 }}",
            "true true false false",
        ),
        ("{{ range .disks }}[{{ .note }}]{{ end }}", "[][]"),
        ("{{ .source }}<no value>{{ .nothing }}", "push"),
    ]);
}

#[test]
fn scalars_print_as_they_were_sent_and_compare_as_what_they_are() {
    check(&[
        ("{{ .value }} {{ .ratio }} {{ .big }} {{ .stamp }} {{ .version }}", "95 0.5 1048576 1795168800123 1.10"),
        ("{{ gt .value 90 }} {{ gt .value 90.5 }} {{ eq .value 95.0 }} {{ le .ratio 0.5 }}", "true true true true"),
        ("{{ eq .version \"1.1\" }} {{ eq .version \"1.10\" }} {{ gt .version 1 }}", "false true true"),
        ("{{ eq .level \"warning\" \"critical\" }} {{ ne .level \"critical\" }}", "true false"),
        (
            "{{ if .muted }}muted{{ else }}loud{{ end }} {{ eq .muted false }} {{ eq .muted \"false\" }}",
            "loud true true",
        ),
        ("{{ .value | upper }} {{ .value | escMD }} {{ .ratio | escMD }}", "95 95 0\\.5"),
        ("{{ printf \"%05d %.2f %q\" .value .ratio .level }}", "00095 0.50 \"critical\""),
        ("{{ range .disks }}{{ .name }}={{ .free }} {{ end }}", "sda=1.5 sdb=12 "),
        ("{{ .rack.hall }}{{ .rack.row }} {{ index .labels \"rack.hall\" }}", "B7 B"),
        ("{{ .broken }}", "{\"cut of"),
    ]);
}

#[test]
fn a_pushed_event_keeps_its_senders_names_and_ours_stand_beside_them() {
    check(&[
        ("{{ .title }} {{ .message }} {{ .host }}", "Disk FULL on db1 Filesystem /var is 100 % full. db1"),
        ("{{ .status }} {{ .Status }} {{ .severity }}", "OK-ish firing critical"),
        ("{{ .text }}", "Filesystem /var is 100 % full."),
    ]);
    let mail = Message::new(contract::payload());
    let ours = try_render("{{ .text }}|{{ .details }}|{{ .team }}|{{ index .from 1 }}|{{ .count }}", &mail).unwrap();
    let (text, rest) = ours.split_once('|').unwrap();
    assert_eq!(text, mail.text);
    assert_eq!(rest, "Filesystem /var is 100 % full.|storage|root@db1.example.org|3");
}

#[test]
fn every_field_of_the_webhooks_json_has_its_name_in_templates() {
    let message = Message { update: true, ..Message::new(contract::payload()) };
    let serde_json::Value::Object(json) = serde_json::to_value(&message).unwrap() else { panic!() };
    for (name, value) in json {
        let shown = try_render(&format!("{{{{ toJson .{name} }}}}"), &message).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value, "{name}");
    }
}

#[test]
fn an_alertmanager_template_works() {
    let source = "{{ define \"line\" }}{{ .Labels.level | toUpper }}: {{ .Annotations.summary }}{{ end -}}
[{{ .Status | toUpper }}:{{ .Alerts | len }}] {{ .CommonLabels.level }}
{{ range .Alerts }}{{ template \"line\" . }} since {{ .StartsAt | date \"15:04\" }}{{ end }}
{{- range $name, $value := .Labels }}{{ if match \"^(level|value)$\" $name }} {{ $name }}={{ $value }}{{ end }}{{ end }}";
    assert_eq!(
        render(source),
        "[FIRING:1] critical\nCRITICAL: /var on db1 is full since 13:28 level=critical value=95"
    );
}

#[test]
fn functions_about_texts() {
    check(&[
        ("{{ toUpper \"äb\" }}{{ upper .level }}{{ toLower \"ÄB\" }}{{ lower \"X\" }}", "ÄBCRITICALäbx"),
        ("{{ title \"disk full on db-one's\" }}", "Disk Full On Db-One's"),
        ("[{{ trimSpace \" a \" }}] {{ truncate 4 \"abcdef\" }} {{ truncate 6 \"abcdef\" }}", "[a] abc… abcdef"),
        (
            "{{ join \", \" (stringSlice \"a\" 1 true) }} {{ join \"-\" .level }} {{ join \",\" .nothing }}",
            "a, 1, true critical ",
        ),
        ("{{ match \"^a.c$\" \"abc\" }} {{ match \"b\" \"abc\" }} {{ match \"^b\" \"abc\" }}", "true true false"),
        ("{{ reReplaceAll \"(\\\\w+)@\\\\S+\" \"$1\" \"bob@x.org, eve@y.org\" }}", "bob eve"),
        ("{{ reReplaceAll \"x*\" \"-\" \"abc\" }}", "-a-b-c-"),
        ("{{ escHTML .url }}", "https://example.org/a_b?c=1&amp;d=&lt;2&gt;"),
        ("{{ escMD \"a_b*c.d!\\\\\" }}", "a\\_b\\*c\\.d\\!\\\\"),
        (
            "{{ json .url }} {{ toJson .disks }}",
            "\"https://example.org/a_b?c=1&d=<2>\" [{\"free\":1.5,\"name\":\"sda\",\"note\":null},{\"free\":12,\"name\":\"sdb\"}]",
        ),
        ("{{ urlquery .level \" \" }}", "critical+"),
    ]);
    assert_eq!(refused("{{ match \"(\" \"x\" }}"), "line 1 column 4: `(` is not a pattern");
    assert_eq!(refused("{{ upper 1 2 }}"), "line 1 column 4: toUpper requires exactly 1 argument(s)");
    assert!(refused("{{ truncate .level .level }}").contains("whole number"));
}

#[test]
fn functions_about_time() {
    check(&[
        ("{{ now | date \"2006-01-02 15:04:05 MST\" }}", "2026-11-20 13:30:00 +0330"),
        (
            "{{ now | tz \"Europe/Berlin\" | date \"Mon, 2 Jan 2006 3:04PM -07:00\" }}",
            "Fri, 20 Nov 2026 11:00AM +01:00",
        ),
        ("{{ date \"02.01.06 %\" .stamp }} [{{ date \"15\" .nothing }}]", "20.11.26 % []"),
        ("{{ since .received_at }} {{ since .received_at | humanizeDuration }} [{{ since .nothing }}]", "1 1s []"),
        (
            "{{ humanizeDuration 7505 }}|{{ humanizeDuration 0 }}|{{ humanizeDuration \"90061.5\" }}",
            "2h 5m 5s|0s|1d 1h 1m 1s",
        ),
        ("{{ humanizeDuration -60 }}|{{ humanizeDuration 0.25 }}|{{ humanizeDuration \"soon\" }}", "-1m 0s|250ms|soon"),
    ]);
    assert!(refused("{{ date \"15\" .level }}").contains("`critical` is not a time"));
    assert!(refused("{{ tz \"Mars/Olympus\" now }}").contains("is not a time zone"));
}

#[test]
fn what_steers_a_terminal_does_not_come_in_with_the_data() {
    let mut payload = contract::payload();
    payload.alert.event.subject = "a\u{1b}[2J\u{202e}b\nc".to_owned();
    let message = Message::new(payload);
    assert_eq!(try_render("{{ .subject }} \u{200f}", &message).unwrap(), "a[2Jb\nc \u{200f}");
}

#[test]
fn what_is_no_template_is_refused_with_its_place() {
    let long = format!("{{{{ print \"}}}}\" {} }}}}", ".text ".repeat(200));
    let texts = [
        "",
        "a\n{{ if }}",
        "{{ frobnicate . }}",
        "{{ .a",
        "{{ range . }}",
        "{{ print `\\` \"`\\\\\" }}",
        &long,
        &"x".repeat(40_000),
    ]
    .map(|source| Template::parse(source).unwrap_err().to_string());
    insta::assert_snapshot!(texts.join("\n"));
    let comment = format!("{{{{/* {} */}}}}x", "}} ".repeat(500));
    assert_eq!(render(&comment), "x", "a comment may be long");
}

#[test]
fn a_hostile_template_ends_soon_and_says_at_which_limit() {
    let nested = format!("{}{}", "{{ if true }}".repeat(70), "{{ end }}".repeat(70));
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(500), ")".repeat(500));
    let arguments = format!(
        "{{{{ $a := printf \"%065000d\" 1 }}}}{{{{ range 10000 }}}}{{{{ print {} }}}}{{{{ end }}}}",
        "$a ".repeat(300)
    );
    let table = [
        ("{{ range 1000000000 }}{{ end }}", "iterations"),
        ("{{ range 9999 }}{{ range 9999 }}{{ end }}{{ end }}", "iterations"),
        ("{{ range 9999 }}xxxxxxxxxxxxxxxxxxxx{{ end }}", "65536 bytes"),
        ("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}", "nesting depth"),
        ("{{ $s := \"xxxxxxxxxx\" }}{{ range 40 }}{{ $s = print $s $s }}{{ end }}", "larger than"),
        ("{{ printf \"%999999d\" 1 }}", "larger than"),
        ("{{ $a := printf \"%060000d\" 1 }}{{ reReplaceAll \"\" $a $a }}", "too long"),
        ("{{ $a := printf \"%060000d\" 1 }}{{ join $a (stringSlice 1 2 3 4 5) }}", "too long"),
        ("{{ match \"((a{1,100}){1,100}){1,100}\" \"a\" }}", "too much memory"),
        ("{{ match (printf \"%0600d\" 1) \"a\" }}", "longer than 512 bytes"),
        (&nested, "nested more than 64"),
        (&parentheses, "more than 16 parentheses"),
        (&arguments, "larger than"),
        ("{{ call .labels }}", "call"),
    ];
    for (source, expected) in table {
        let started = Instant::now();
        let reason = refused(source);
        assert!(reason.contains(expected), "{source}: {reason}");
        assert!(started.elapsed() < TIME_MAX * 20, "{source} took {:?}", started.elapsed());
        assert!(reason.len() <= REASON_MAX_BYTES && !reason.contains('\n'));
    }
}

#[test]
fn a_slow_template_is_stopped_by_the_clock() {
    // Inside every other limit: each match reads 60 kB.
    let slow = "{{ $a := printf \"%060000d\" 1 }}{{ range 40000 }}{{ if match \"(0|1)*2\" $a }}x{{ end }}{{ end }}"
        .replace("range 40000", "range 200 }}{{ range 200")
        .replace("{{ end }}{{ end }}", "{{ end }}{{ end }}{{ end }}");
    let reason = refused(&slow);
    assert!(reason.contains("did not finish within 500ms"), "{reason}");
}

#[test]
fn conditions_follow_their_grammar() {
    let data = Data::new(&pushed(), true);
    let table = [
        ("level eq CRITICAL", true),
        ("level EQ warning", false),
        ("level ne warning", true),
        ("nothing ne x", true),
        ("nothing eq x", false),
        ("nothing lt 1", false),
        ("value eq 95.0", true),
        ("value in 1, 95.00 ,,3", true),
        ("level in warning,critical", true),
        ("title startswith disk full", true),
        ("title endswith DB1", true),
        ("title contains full on", true),
        ("value gt 94.9", true),
        ("value gt 95", false),
        ("value ge 95", true),
        ("value lt 100", true),
        ("value le 94", false),
        ("level gt 1", false),
        ("rack.row eq 7", true),
        ("muted eq false", true),
        ("Status eq firing", true),
        ("count ge 3", true),
    ];
    for (text, expected) in table {
        assert_eq!(Condition::parse(text).unwrap().holds(&data), expected, "{text}");
    }
    let long = format!("a eq {}", "b".repeat(2_000));
    let refused = ["", "a", "a eq", "a  eq b", "a\teq b", "a eq ", "a like b", "a gt b", &long];
    let texts = refused.map(|text| Condition::parse(text).unwrap_err().to_string());
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn an_ordinary_template_takes_microseconds() {
    // Generous for a build without optimisation; the benchmark measures the real one.
    const ROUNDS: u32 = 200;
    let source = "{{ if eq .severity \"critical\" }}🚨{{ else }}⚠️{{ end }} *{{ .summary | escMD }}*
{{ with .action }}Do: {{ . | escMD }}{{ end }}
{{ range $name, $value := .labels }}{{ $name }}={{ $value }} {{ end }}
{{ .received_at | date \"2006-01-02 15:04\" }}, seen {{ .count }} times";
    let (template, message) = (Template::parse(source).unwrap(), pushed());
    let started = Instant::now();
    for _ in 0..ROUNDS {
        template.render(&Data::new(&message, template.wants_lists()).context(), &around_now()).unwrap();
    }
    let each = started.elapsed() / ROUNDS;
    assert!(each < Duration::from_millis(5), "{each:?}");
}

#[test]
fn since_is_the_first_event_of_the_episode() {
    let payload = DeliverPayload { since: Some((NOW - 7_200) * 1_000), ..contract::payload() };
    let message = Message::new(payload);
    assert_eq!(try_render("{{ since .since | humanizeDuration }}", &message).unwrap(), "2h 0m 0s");
    assert_eq!(try_render("{{ .StartsAt }}", &message).unwrap(), "2026-11-20T08:00:00Z");
}

#[test]
fn texts_in_templates_are_read_as_go_reads_them() {
    check(&[
        (r#"{{ "a\\" }}{{ "\\\"}}" }}{{ "\t\u2714\x41\U0001f6a8" }}"#, "a\\\\\"}}\t✔A🚨"),
        (r#"{{ `\d\n"}}` }}{{ "`" }}{{ '"' }}"#, "\\d\\n\"}}`34"),
        ("{{ `a\nb` }}", "a\nb"),
        (r"{{ match `^\w+ \S+` .title }} {{ reReplaceAll `\s+` `\` .title }}", r"true Disk\FULL\on\db1"),
        ("{{/* }} \" */}}x{{- /* ` */ -}} y", "xy"),
    ]);
    for (source, expected) in [
        (r#"{{ "\q" }}"#, "line 1: there is no such escape in a text"),
        ("\n{{ \"\\ud800\" }}", "line 2: there is no such escape in a text"),
        (r#"{{ "`\\" }}"#, "line 1: a text cannot hold a backquote and end in a backslash"),
        (r#"{{ "open }}"#, "line 1 column 4: unexpected unterminated quoted string in command"),
    ] {
        assert_eq!(refused(source), expected);
    }
}

#[test]
fn nothing_that_nests_exhausts_the_stack() {
    let ends = |count: usize| "{{ end }}".repeat(count);
    let recursive = |head: &str, call: &str, tail: &str| {
        format!(
            "{{{{ define \"r\" }}}}{head}{{{{ template \"r\" {call} }}}}{tail}{{{{ end }}}}{{{{ template \"r\" . }}}}"
        )
    };
    let elses = |count| format!("{{{{ if .nothing }}}}{}{{{{ end }}}}", "{{ else if .nothing }}".repeat(count));
    let nested_elses = format!("{{{{ if .nothing }}}}{}{{{{ else }}}}", "{{ else if .nothing }}".repeat(62));
    let arguments = format!("{}.{}", "(print ".repeat(15), ")".repeat(15));
    let sources = [
        elses(65),
        recursive(&"{{ if true }}".repeat(62), ".", &ends(62)),
        recursive(&"{{ range 1 }}".repeat(62), ".", &ends(62)),
        recursive(&"{{ with . }}".repeat(62), &arguments, &ends(62)),
        recursive(&("{{ if true }}".repeat(60) + &nested_elses), ".", &ends(61)),
    ];
    for source in sources {
        let reason = refused(&source);
        assert!(reason.contains("nesting depth") || reason.contains("more than 64 `else`"), "{reason}");
    }
    assert_eq!(render(&elses(64)), "");
}

/// The guide, which promises that its examples are tested.
const GUIDE: &str = include_str!("../../../../docs/guide/templates.md");

#[test]
fn the_examples_of_the_guide_write_what_it_says() {
    let block = |text: &'static str, language: &str| {
        let (_, text) = text.split_once(language).unwrap();
        text.split_once("```").unwrap().0
    };
    let examples: Vec<_> = GUIDE.split("```go-template\n").skip(1).collect();
    assert_eq!(examples.len(), 4);
    let around = Around { zone: TimeZone::UTC, ..around_now() };
    for example in examples {
        let source = example.split_once("```").unwrap().0;
        let data = Data::new(&Message::new(contract::payload()), true).context();
        let written = Template::parse(source).unwrap().render(&data, &around).unwrap();
        assert_eq!(written, block(example, "```text\n"));
    }
}

#[test]
fn the_guide_names_every_function_and_field() {
    let names = functions::ALL.iter().map(|(name, _)| *name);
    let lacking: Vec<_> = names.filter(|name| !GUIDE.contains(&format!("`{name}"))).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    let message = Message::new(contract::payload());
    let labels: Vec<_> = message.labels.keys().cloned().collect();
    let Data(fields) = Data::new(&message, true);
    let lacking: Vec<_> = fields
        .keys()
        .filter(|name| !labels.contains(name))
        .filter(|name| !GUIDE.contains(&format!("`.{name}`")) && !GUIDE.contains(&format!("`{name}`")))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
