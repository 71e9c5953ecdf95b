//! How values compare: as numbers when both are numbers or look like them, otherwise as texts.
//!
//! Senders write `95`, `95.0` and `"95"` for the same thing, and labels are texts whatever they were.

use std::cmp::Ordering;

use gtmpl_ng::{FuncError, NumberKind, Value};

use super::texts::{Answer, arguments, text};

/// A number, or a text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "what compares as a number has few digits")]
    match value {
        Value::Number(number) => match number.kind() {
            NumberKind::Unsigned(number) => Some(number as f64),
            NumberKind::Signed(number) => Some(number as f64),
            NumberKind::Float(number) => Some(number),
        },
        Value::String(text) => read(text),
        _ => None,
    }
}

/// A text as a finite number. `inf` and `nan` are words.
pub(super) fn read(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Two texts are the same only letter by letter: `1.0` and `1.00` may be versions.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
            _ => text(a) == text(b),
        },
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => text(a).cmp(&text(b)),
    }
}

/// `eq a b c …`: whether the first is the same as any of the others.
pub(super) fn eq(all: &[Value]) -> Answer {
    let Some((first, others)) = all.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(FuncError::AtLeastXArgs("eq".to_owned(), 2));
    };
    Ok(others.iter().any(|other| same(first, other)).into())
}

pub(super) fn ne(all: &[Value]) -> Answer {
    let [a, b] = arguments("ne", all)?;
    Ok((!same(a, b)).into())
}

fn ordered(name: &str, all: &[Value], holds: fn(Ordering) -> bool) -> Answer {
    let [a, b] = arguments(name, all)?;
    // What is absent is neither more nor less than anything.
    let known = !matches!(a, Value::NoValue | Value::Nil) && !matches!(b, Value::NoValue | Value::Nil);
    Ok((known && holds(order(a, b))).into())
}

pub(super) fn lt(all: &[Value]) -> Answer {
    ordered("lt", all, Ordering::is_lt)
}

pub(super) fn le(all: &[Value]) -> Answer {
    ordered("le", all, Ordering::is_le)
}

pub(super) fn gt(all: &[Value]) -> Answer {
    ordered("gt", all, Ordering::is_gt)
}

pub(super) fn ge(all: &[Value]) -> Answer {
    ordered("ge", all, Ordering::is_ge)
}
