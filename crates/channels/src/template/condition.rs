//! Conditions for using a template: `field op value`, the grammar of `PulseGuard`.
//!
//! One space on each side of the operation; the value may hold spaces. Texts compare whatever their case; `eq`,
//! `ne` and `in` also as numbers when both sides are; `gt`, `lt`, `ge` and `le` only as numbers. What is absent
//! fulfils only `ne`.

use gtmpl_ng::Value;

use super::{Data, TemplateError, compare, texts};

/// The longest condition in bytes: a field, an operation and a list of some dozens of values.
const CONDITION_MAX_BYTES: usize = 1_024;

/// A condition that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Same(Operand),
    Other(Operand),
    AnyOf(Vec<Operand>),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    /// Whether the field's number may be less than, the same as or greater than this one.
    Number {
        than: f64,
        less: bool,
        same: bool,
        greater: bool,
    },
}

/// What a field is compared with, in lower case.
#[derive(Debug, Clone, PartialEq)]
struct Operand {
    text: String,
    number: Option<f64>,
}

impl Operand {
    fn new(text: &str) -> Self {
        Self { text: text.to_lowercase(), number: compare::read(text) }
    }

    fn same(&self, other: &Self) -> bool {
        let numbers = self.number.zip(other.number);
        self.text == other.text || numbers.is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > CONDITION_MAX_BYTES {
            return Err(TemplateError::new(format_args!("is longer than {CONDITION_MAX_BYTES} bytes")));
        }
        let mut parts = text.splitn(3, ' ');
        let (Some(field), Some(op), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(TemplateError::new("must be `field op value`, with one space between them"));
        };
        if field.is_empty() || value.is_empty() {
            return Err(TemplateError::new("needs a field and a value"));
        }
        let number = |less, same, greater| match compare::read(value) {
            Some(than) => Ok(Test::Number { than, less, same, greater }),
            None => Err(TemplateError::new(format_args!("`{value}` is not a number, which `{op}` needs"))),
        };
        let list = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
        let kind = match op.to_ascii_lowercase().as_str() {
            "eq" => Test::Same(Operand::new(value)),
            "ne" => Test::Other(Operand::new(value)),
            "in" => Test::AnyOf(list().map(Operand::new).collect()),
            "startswith" => Test::StartsWith(value.to_lowercase()),
            "endswith" => Test::EndsWith(value.to_lowercase()),
            "contains" => Test::Contains(value.to_lowercase()),
            "gt" => number(false, false, true)?,
            "lt" => number(true, false, false)?,
            "ge" => number(false, true, true)?,
            "le" => number(true, true, false)?,
            _ => {
                let known = "eq, ne, in, startswith, endswith, contains, gt, lt, ge, le";
                return Err(TemplateError::new(format_args!("`{op}` is none of {known}")));
            }
        };
        Ok(Self { field: field.to_owned(), test: kind })
    }

    /// Whether it holds for a message. Looks at the data's own fields only; a dot is a letter like any other.
    pub(crate) fn holds(&self, data: &Data) -> bool {
        let Some(value) = data.get(&self.field).filter(|value| !matches!(value, Value::NoValue)) else {
            return matches!(self.test, Test::Other(_));
        };
        let text = texts::text(value);
        match &self.test {
            Test::Same(operand) => operand.same(&Operand::new(&text)),
            Test::Other(operand) => !operand.same(&Operand::new(&text)),
            Test::AnyOf(operands) => {
                let value = Operand::new(&text);
                operands.iter().any(|operand| operand.same(&value))
            }
            Test::StartsWith(start) => text.to_lowercase().starts_with(start),
            Test::EndsWith(end) => text.to_lowercase().ends_with(end),
            Test::Contains(part) => text.to_lowercase().contains(part),
            Test::Number { than, less, same, greater } => compare::read(&text).is_some_and(|number| {
                let order = number.total_cmp(than);
                (order.is_lt() && *less) || (order.is_eq() && *same) || (order.is_gt() && *greater)
            }),
        }
    }
}
