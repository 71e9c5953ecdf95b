//! Reading typed fields out of the tree, going on after a problem so that one run shows them all.

use std::fmt;

use super::{
    Located, Position, Problem,
    node::{Node, Value},
};

/// Where problems are collected.
pub(super) struct Problems {
    file: String,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    pub(super) fn add(&mut self, at: Position, path: &str, what: impl Into<String>) {
        self.list.push(Problem { file: self.file.clone(), at, path: path.to_owned(), what: what.into() });
    }

    pub(super) fn add_at<T>(&mut self, located: &Located<T>, what: impl Into<String>) {
        self.add(located.at, &located.path, what);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// All of them, in the order of the lines.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.at);
        self.list.dedup();
        self.list
    }
}

/// The path of a field inside another.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// One field: a node and the path to it.
#[derive(Clone)]
pub(super) struct Field<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

impl<'n> Field<'n> {
    pub(super) fn located<T>(&self, value: T) -> Located<T> {
        Located { value, at: self.node.at, path: self.path.clone() }
    }

    fn wrong(&self, expected: &str, problems: &mut Problems) {
        let hint = match (&self.node.value, expected) {
            (Value::Whole(_) | Value::Decimal(_) | Value::Flag(_), "a text") => " (put it in quotes)",
            _ => "",
        };
        problems.add(self.node.at, &self.path, format!("must be {expected}, not {}{hint}", self.node.value.kind()));
    }

    pub(super) fn text(&self, problems: &mut Problems) -> Option<Located<String>> {
        if let Value::Text(text) = &self.node.value {
            return Some(self.located(text.value.clone()));
        }
        self.wrong("a text", problems);
        None
    }

    /// A word that `parse` understands. Shown in problems as it is written, not with the environment put in.
    pub(super) fn word<T, E: fmt::Display>(
        &self,
        parse: impl Fn(&str) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        let Value::Text(text) = &self.node.value else {
            self.wrong("a text", problems);
            return None;
        };
        match parse(&text.value) {
            Ok(value) => Some(value),
            Err(_) if text.value != text.written => {
                problems.add(
                    self.node.at,
                    &self.path,
                    format!("what `{}` stands for is not allowed here", text.written),
                );
                None
            }
            Err(error) => {
                problems.add(self.node.at, &self.path, error.to_string());
                None
            }
        }
    }

    pub(super) fn flag(&self, problems: &mut Problems) -> Option<bool> {
        if let Value::Flag(flag) = self.node.value {
            return Some(flag);
        }
        self.wrong("true or false", problems);
        None
    }

    /// A whole number that is not negative.
    pub(super) fn count(&self, problems: &mut Problems) -> Option<u32> {
        let Value::Whole(number) = self.node.value else {
            self.wrong("a whole number", problems);
            return None;
        };
        let count = u32::try_from(number).ok();
        if count.is_none() {
            let what = format!("must be between 0 and {}, not {number}", u32::MAX);
            problems.add(self.node.at, &self.path, what);
        }
        count
    }

    /// A number that may have decimals.
    pub(super) fn number(&self, problems: &mut Problems) -> Option<f64> {
        let number = match (&self.node.value, to_json(self.node)) {
            (Value::Whole(_) | Value::Decimal(_), Some(number)) => number.as_f64(),
            _ => None,
        };
        if number.is_none() {
            self.wrong("a number", problems);
        }
        number
    }

    /// The items of a list, or the one thing that stands there instead of a list.
    pub(super) fn one_or_more(&self, problems: &mut Problems) -> Vec<Self> {
        if matches!(self.node.value, Value::List(_)) { self.items(problems) } else { vec![self.clone()] }
    }

    pub(super) fn items(&self, problems: &mut Problems) -> Vec<Self> {
        let Value::List(list) = &self.node.value else {
            self.wrong("a list", problems);
            return Vec::new();
        };
        let item = |(index, node)| Field { node, path: format!("{}[{index}]", self.path) };
        list.iter().enumerate().map(item).collect()
    }

    pub(super) fn texts(&self, problems: &mut Problems) -> Vec<Located<String>> {
        self.items(problems).iter().filter_map(|item| item.text(problems)).collect()
    }

    pub(super) fn fields(&self, problems: &mut Problems) -> Option<Fields<'n>> {
        let Value::Map(map) = &self.node.value else {
            self.wrong("a mapping", problems);
            return None;
        };
        let rest = map.iter().map(|(name, at, node)| (name.as_str(), *at, node)).collect();
        Some(Fields { whole: self.located(()), rest, known: Vec::new() })
    }

    /// The value as JSON, for options whose type is the platform's business.
    pub(super) fn json(&self, problems: &mut Problems) -> Option<serde_json::Value> {
        let json = to_json(self.node);
        if json.is_none() {
            problems.add(self.node.at, &self.path, "holds a number that JSON cannot hold");
        }
        json
    }
}

fn to_json(node: &Node) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Flag(flag) => (*flag).into(),
        Value::Whole(number) => serde_json::Number::from_i128(*number)?.into(),
        Value::Decimal(number) => serde_json::Number::from_f64(*number)?.into(),
        Value::Text(text) => text.value.clone().into(),
        Value::List(list) => list.iter().map(to_json).collect::<Option<Vec<_>>>()?.into(),
        Value::Map(map) => {
            let pair = |(name, _, node): &(String, Position, Node)| Some((name.clone(), to_json(node)?));
            serde_json::Value::Object(map.iter().map(pair).collect::<Option<_>>()?)
        }
    })
}

/// The fields of a mapping. Each is taken by its name; what is left at the end is unknown.
pub(super) struct Fields<'n> {
    pub(super) whole: Located<()>,
    rest: Vec<(&'n str, Position, &'n Node)>,
    known: Vec<String>,
}

impl<'n> Fields<'n> {
    /// The field of that name. One that is there but holds nothing counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Field<'n>> {
        self.known.push(name.to_owned());
        let index = self.rest.iter().position(|(present, _, _)| *present == name)?;
        let (name, _, node) = self.rest.remove(index);
        let field = Field { node, path: join(&self.whole.path, name) };
        Some(field).filter(|field| !matches!(field.node.value, Value::Null))
    }

    pub(super) fn required(&mut self, name: &str, problems: &mut Problems) -> Option<Field<'n>> {
        let field = self.take(name);
        if field.is_none() {
            problems.add(self.whole.at, &join(&self.whole.path, name), "is missing");
        }
        field
    }

    pub(super) fn text(&mut self, name: &str, problems: &mut Problems) -> Option<Located<String>> {
        self.take(name)?.text(problems)
    }

    pub(super) fn plain(&mut self, name: &str, problems: &mut Problems) -> String {
        self.text(name, problems).map(|text| text.value).unwrap_or_default()
    }

    pub(super) fn flag(&mut self, name: &str, default: bool, problems: &mut Problems) -> bool {
        self.take(name).and_then(|field| field.flag(problems)).unwrap_or(default)
    }

    pub(super) fn count(&mut self, name: &str, problems: &mut Problems) -> u32 {
        self.take(name).and_then(|field| field.count(problems)).unwrap_or_default()
    }

    pub(super) fn texts(&mut self, name: &str, problems: &mut Problems) -> Vec<Located<String>> {
        self.take(name).map(|field| field.texts(problems)).unwrap_or_default()
    }

    /// Takes everything that is left, whatever its name.
    pub(super) fn others(&mut self) -> Vec<(String, Field<'n>)> {
        let path = self.whole.path.clone();
        let field =
            |(name, _, node): (&str, Position, &'n Node)| (name.to_owned(), Field { node, path: join(&path, name) });
        self.rest.drain(..).map(field).collect()
    }

    /// Reports what nobody took.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (name, at, _) in self.rest {
            let what = format!("there is no such field; known are {}", self.known.join(", "));
            problems.add(at, &join(&self.whole.path, name), what);
        }
    }
}
