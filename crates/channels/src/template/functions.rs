//! The functions of templates: Go's own made lenient, `PulseGuard`'s, Alertmanager's, and a few of ours.

use gtmpl_ng::{Func, Value, funcs};

use super::{
    compare,
    texts::{self, Answer},
    times,
};

/// All that templates can call besides the engine's `and`, `or`, `not` and `call`.
/// `docs/guide/templates.md` describes each.
pub(super) const ALL: &[(&str, Func)] = &[
    ("date", times::date),
    ("default", texts::default),
    ("eq", compare::eq),
    ("escHTML", texts::escape_html),
    ("escMD", texts::escape_markdown),
    ("ge", compare::ge),
    ("gt", compare::gt),
    ("html", html),
    ("humanizeDuration", times::humanize_duration),
    ("index", index),
    ("join", texts::join),
    ("js", js),
    ("json", texts::to_json),
    ("le", compare::le),
    ("len", len),
    ("lower", texts::lower),
    ("lt", compare::lt),
    ("match", texts::matches),
    ("ne", compare::ne),
    ("now", times::now),
    ("print", print),
    ("printf", printf),
    ("println", println),
    ("reReplaceAll", texts::replace_all),
    ("since", times::since),
    ("slice", slice),
    ("stringSlice", texts::string_slice),
    ("title", texts::title),
    ("toJson", texts::to_json),
    ("toLower", texts::lower),
    ("toUpper", texts::upper),
    ("trimSpace", texts::trim_space),
    ("truncate", texts::truncate),
    ("tz", times::tz),
    ("upper", texts::upper),
    ("urlquery", urlquery),
];

/// Go's functions, for which what is absent becomes an empty text.
macro_rules! lenient {
    ($($name:ident),+) => {
        $(fn $name(all: &[Value]) -> Answer {
            funcs::$name(&present(all))
        })+
    };
}
lenient!(html, js, len, print, printf, println, slice, urlquery);

fn present(all: &[Value]) -> Vec<Value> {
    let present = |value: &Value| match value {
        Value::NoValue | Value::Nil => "".into(),
        other => other.clone(),
    };
    all.iter().map(present).collect()
}

/// What is looked for in something absent is absent.
fn index(all: &[Value]) -> Answer {
    match all.first() {
        Some(Value::NoValue | Value::Nil) => Ok(Value::NoValue),
        _ => funcs::index(all),
    }
}
