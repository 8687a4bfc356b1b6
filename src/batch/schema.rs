//! A Frictionless Table Schema (version 1), read and compiled. What it says and we do not support is an error by name.
use super::decimal::Notation;
use super::error::LoadError;
use super::field::{Bound, Field, Kind, Limits, Listed, Quick};
use super::reason::Reason;
use super::temporal::{Pattern, Scale};
use serde_json::{Map, Value};

/// The columns of a table and what their cells must look like.
#[derive(Debug, Clone)]
pub struct Schema {
    pub fields: Vec<Field>,
    /// Texts that stand for "no value".
    pub missing: Vec<String>,
    /// Indices of the fields that make up the primary key; empty when there is none.
    pub primary_key: Vec<usize>,
    /// Whether the empty text is the only missing value, as it mostly is.
    only_empty: bool,
}

impl Schema {
    /// Reads a descriptor; the error lists everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let descriptor = serde_json::from_str::<Value>(text)
            .map_err(|e| LoadError::one(format!("the schema is not valid JSON: {e}")))?;
        let Value::Object(descriptor) = descriptor else {
            return Err(LoadError::one("the schema is not a JSON object"));
        };
        let mut problems = Vec::new();
        let schema = Self::build(&descriptor, &mut problems);
        if problems.is_empty() { Ok(schema) } else { Err(LoadError { problems }) }
    }

    /// The index of a field.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Checks one cell of a field, missing values included.
    pub fn check(&self, field: usize, text: &str) -> Result<(), Reason> {
        self.check_field(&self.fields[field], text.as_bytes())
    }

    /// The same for a cell that is known to be UTF-8.
    #[inline]
    pub(crate) fn check_field(&self, field: &Field, text: &[u8]) -> Result<(), Reason> {
        let missing = if self.only_empty {
            text.is_empty()
        } else {
            self.missing.iter().any(|missing| missing.as_bytes() == text)
        };
        if !missing {
            return field.check(text);
        }
        if field.limits.required { Err(Reason::MissingValue) } else { Ok(()) }
    }

    fn build(descriptor: &Map<String, Value>, problems: &mut Vec<String>) -> Self {
        let known = ["fields", "missingValues", "primaryKey", "name", "title", "description", "$schema", "profile"];
        for key in descriptor.keys().filter(|key| !known.contains(&key.as_str())) {
            problems.push(format!("schema: \"{key}\" is not supported; remove it or check it elsewhere"));
        }
        let mut fields = Vec::new();
        match descriptor.get("fields") {
            Some(Value::Array(list)) if !list.is_empty() => {
                for (index, field) in list.iter().enumerate() {
                    fields.push(compile_field(index, field, problems));
                }
            }
            _ => problems.push("schema: \"fields\" must be a list with at least one field".to_owned()),
        }
        for (index, field) in fields.iter().enumerate() {
            if fields[..index].iter().any(|earlier| earlier.name == field.name) {
                problems.push(format!("schema: the field \"{}\" is listed twice", field.name));
            }
        }
        let missing = match descriptor.get("missingValues") {
            None => vec![String::new()],
            Some(list) => texts(list).unwrap_or_else(|| {
                problems.push("schema: \"missingValues\" must be a list of texts".to_owned());
                Vec::new()
            }),
        };
        let only_empty = missing == [""];
        let mut schema = Self { fields, missing, primary_key: Vec::new(), only_empty };
        schema.set_primary_key(descriptor.get("primaryKey"), problems);
        if schema.fields.iter().filter(|field| field.unique).count() > UNIQUE {
            problems.push(format!("schema: more than {UNIQUE} fields with \"unique\" are not supported"));
        }
        schema
    }

    fn set_primary_key(&mut self, key: Option<&Value>, problems: &mut Vec<String>) {
        let names = match key {
            None => return,
            Some(Value::String(name)) => vec![name.clone()],
            Some(list) => texts(list).unwrap_or_default(),
        };
        if names.is_empty() {
            problems.push("schema: \"primaryKey\" must be a field name or a list of them".to_owned());
        }
        for name in names {
            match self.position(&name) {
                Some(index) => {
                    self.fields[index].limits.required = true;
                    self.primary_key.push(index);
                }
                None => problems.push(format!("schema: \"primaryKey\" names \"{name}\", which is no field")),
            }
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Keys are numbered with one byte, and the primary key takes a number too.
const UNIQUE: usize = 254;

const FIELD_KEYS: [&str; 13] = [
    "name",
    "type",
    "format",
    "constraints",
    "title",
    "description",
    "example",
    "rdfType",
    "trueValues",
    "falseValues",
    "decimalChar",
    "groupChar",
    "bareNumber",
];

/// One field of the descriptor while it is compiled; collects what is wrong under the field's name.
struct Draft<'a> {
    place: String,
    kind_name: &'a str,
    body: &'a Map<String, Value>,
    problems: &'a mut Vec<String>,
}

fn compile_field(index: usize, value: &Value, problems: &mut Vec<String>) -> Field {
    let empty = Map::new();
    let body = value.as_object().unwrap_or(&empty);
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if name.is_empty() {
        problems.push(format!("schema: field {} has no \"name\"", index + 1));
    }
    let place = format!("schema: field \"{name}\"");
    let kind_name = body.get("type").map_or("string", |kind| kind.as_str().unwrap_or("?"));
    let mut draft = Draft { place, kind_name, body, problems };
    let kind = draft.kind();
    draft.refuse_unknown();
    let mut field = Field { name, kind, limits: Limits::default(), unique: false, quick: Quick::None };
    if let Some(constraints) = body.get("constraints") {
        match constraints.as_object() {
            Some(constraints) => draft.constraints(constraints, &mut field),
            None => draft.problem("\"constraints\" must be an object"),
        }
    }
    field.prepare();
    field
}

impl Draft<'_> {
    fn problem(&mut self, what: impl std::fmt::Display) {
        self.problems.push(format!("{}: {what}", self.place));
    }

    fn refuse_unknown(&mut self) {
        let Self { body, kind_name, .. } = *self;
        for key in body.keys() {
            let fits = match key.as_str() {
                "trueValues" | "falseValues" => self.kind_name == "boolean",
                "decimalChar" => self.kind_name == "number",
                "groupChar" | "bareNumber" => matches!(self.kind_name, "number" | "integer"),
                other => FIELD_KEYS.contains(&other),
            };
            if !fits {
                self.problem(format_args!("\"{key}\" is not supported for type {kind_name}"));
            }
        }
    }

    fn kind(&mut self) -> Kind {
        let kind_name = self.kind_name;
        let format = match self.body.get("format") {
            None => "default",
            Some(format) => format.as_str().unwrap_or("?"),
        };
        let kind = match self.kind_name {
            "string" | "any" => Kind::Text,
            "integer" => Kind::Integer(self.notation()),
            "number" => Kind::Number(self.notation()),
            "boolean" => Kind::Boolean {
                truths: self.words("trueValues", &["true", "True", "TRUE", "1"]),
                falsehoods: self.words("falseValues", &["false", "False", "FALSE", "0"]),
            },
            "date" => return self.temporal(Scale::Date, format),
            "time" => return self.temporal(Scale::Time, format),
            "datetime" => return self.temporal(Scale::Datetime, format),
            "year" => Kind::Year,
            other => {
                self.problem(format_args!(
                    "type \"{other}\" is not supported (only string, integer, number, boolean, date, time, datetime, year, any)"
                ));
                Kind::Text
            }
        };
        if format != "default" {
            self.problem(format_args!("format \"{format}\" is not supported for type {kind_name}"));
        }
        kind
    }

    fn temporal(&mut self, scale: Scale, format: &str) -> Kind {
        let compiled = match format {
            "default" => Ok(Pattern::standard(scale)),
            format if !format.contains('%') => {
                Err(format!("format \"{format}\" is not supported (only default and patterns such as %Y-%m-%d)"))
            }
            format => Pattern::compile(scale, format),
        };
        let pattern = compiled.unwrap_or_else(|why| {
            self.problem(why);
            Pattern::standard(scale)
        });
        Kind::Temporal(scale, pattern)
    }

    fn notation(&mut self) -> Notation {
        let decimal = self.character("decimalChar").unwrap_or('.');
        let group = self.character("groupChar");
        if group == Some(decimal) {
            self.problem("\"groupChar\" and \"decimalChar\" are the same");
        }
        let bare = match self.body.get("bareNumber").map(Value::as_bool) {
            None => true,
            Some(Some(bare)) => bare,
            Some(None) => {
                self.problem("\"bareNumber\" must be true or false");
                true
            }
        };
        Notation { decimal, group, bare }
    }

    fn character(&mut self, key: &str) -> Option<char> {
        let value = self.body.get(key)?;
        let mut chars = value.as_str().unwrap_or_default().chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Some(c);
        }
        self.problem(format_args!("\"{key}\" must be one character"));
        None
    }

    fn words(&mut self, key: &str, default: &[&str]) -> Vec<String> {
        match self.body.get(key).map(texts) {
            None => default.iter().map(|&word| word.to_owned()).collect(),
            Some(Some(words)) => words,
            Some(None) => {
                self.problem(format_args!("\"{key}\" must be a list of texts"));
                Vec::new()
            }
        }
    }

    fn constraints(&mut self, constraints: &Map<String, Value>, field: &mut Field) {
        let kind_name = self.kind_name;
        let text = matches!(field.kind, Kind::Text);
        let ordered = !text && !matches!(field.kind, Kind::Boolean { .. });
        for (key, value) in constraints {
            match key.as_str() {
                "required" => field.limits.required = self.flag(key, value),
                "unique" => field.unique = self.flag(key, value),
                "enum" => field.limits.listed = self.listed(value, field),
                "minimum" if ordered => field.limits.minimum = self.bound(key, value, field),
                "maximum" if ordered => field.limits.maximum = self.bound(key, value, field),
                "minLength" if text => field.limits.shortest = self.length(key, value),
                "maxLength" if text => field.limits.longest = self.length(key, value),
                "pattern" => field.limits.pattern = self.pattern(value),
                other => self.problem(format_args!("the constraint \"{other}\" is not supported for type {kind_name}")),
            }
        }
    }

    fn flag(&mut self, key: &str, value: &Value) -> bool {
        value.as_bool().unwrap_or_else(|| {
            self.problem(format_args!("\"{key}\" must be true or false"));
            false
        })
    }

    fn length(&mut self, key: &str, value: &Value) -> Option<usize> {
        let length = value.as_u64().and_then(|n| usize::try_from(n).ok());
        if length.is_none() {
            self.problem(format_args!("\"{key}\" must be a whole number from 0"));
        }
        length
    }

    fn bound(&mut self, key: &str, value: &Value, field: &Field) -> Option<Bound> {
        let bound = match (value, &field.kind) {
            // A JSON number is in JSON's notation, whatever the field's own is.
            (Value::Number(number), Kind::Number(_)) => Some(Bound::Number(number.to_string())),
            (Value::Number(number), Kind::Integer(_) | Kind::Year) if !number.is_f64() => {
                Some(Bound::Number(number.to_string()))
            }
            (Value::Bool(truth), Kind::Boolean { .. }) => Some(Bound::Truth(*truth)),
            (Value::String(text), _) => field.bound(text),
            _ => None,
        };
        if bound.is_none() {
            let kind_name = self.kind_name;
            self.problem(format_args!("\"{key}\": {value} is not a {kind_name} in the field's format"));
        }
        bound
    }

    fn listed(&mut self, value: &Value, field: &Field) -> Option<Listed> {
        let Some(values) = value.as_array().filter(|list| !list.is_empty()) else {
            self.problem("\"enum\" must be a list with at least one value");
            return None;
        };
        if matches!(field.kind, Kind::Text) {
            return Some(Listed::Texts(values.iter().filter_map(literal).collect()));
        }
        Some(Listed::Values(values.iter().filter_map(|value| self.bound("enum", value, field)).collect()))
    }

    fn pattern(&mut self, value: &Value) -> Option<regex::Regex> {
        let text = value.as_str().unwrap_or_default();
        // A Table Schema pattern speaks about the whole value.
        match regex::Regex::new(&format!(r"\A(?:{text})\z")) {
            Ok(pattern) if !text.is_empty() => Some(pattern),
            Ok(_) => {
                self.problem("\"pattern\" must be a regular expression");
                None
            }
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default();
                self.problem(format_args!("\"pattern\" {text} is not supported: {reason}"));
                None
            }
        }
    }
}

/// A value of the descriptor as it would stand in a cell.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
