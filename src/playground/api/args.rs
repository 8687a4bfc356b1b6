//! The arguments of a call, however they came: query, form or JSON; the token from the header or a field.

use axum::extract::Request;
use axum::http::header;
use serde_json::{Map, Value};

use super::ApiError;

/// Arguments by name. Form and query values are strings, in which lists and objects are written as JSON.
#[derive(Debug, Default)]
pub(in crate::playground) struct Args {
    pub token: Option<String>,
    pub fields: Map<String, Value>,
}

impl Args {
    /// Arguments that did not come over HTTP.
    pub(in crate::playground) fn of(fields: &Value) -> Self {
        Self { token: None, fields: fields.as_object().cloned().unwrap_or_default() }
    }

    pub(super) async fn read(request: Request, limit: usize) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let header = |name| parts.headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
        let kind = header(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let bearer = header(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer ")).map(|t| t.trim().to_owned());
        let mut fields = Map::new();
        if let Some(query) = parts.uri.query() {
            pairs(query.as_bytes(), &mut fields)?;
        }
        let body = axum::body::to_bytes(body, limit).await.map_err(|_| ApiError::from("request_too_large"))?;
        if kind.starts_with("application/json") && !body.is_empty() {
            match serde_json::from_slice(&body) {
                Ok(Value::Object(map)) => fields.extend(map),
                Ok(_) => return Err("json_not_object".into()),
                Err(_) => return Err("invalid_json".into()),
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") || kind.is_empty() {
            pairs(&body, &mut fields)?;
        } else if !body.is_empty() {
            return Err("invalid_post_type".into());
        }
        let field = fields.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        Ok(Self { token: bearer.or(field).filter(|token| !token.is_empty()), fields })
    }

    /// A text argument; empty counts as left out.
    pub(in crate::playground) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A list or an object, given as such or as JSON in a string. `Err` when the string is not JSON.
    pub(in crate::playground) fn json(&self, name: &str) -> Result<Option<Value>, ()> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ()),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// A switch: `true`, `"true"`, `1` or `"1"`.
    pub(in crate::playground) fn flag(&self, name: &str) -> bool {
        match self.fields.get(name) {
            Some(Value::Bool(on)) => *on,
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            _ => false,
        }
    }

    /// A whole number; `Err` for something else.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, ()> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| ()),
            Some(value) => value.as_u64().and_then(|n| usize::try_from(n).ok()).map(Some).ok_or(()),
        }
    }
}

fn pairs(encoded: &[u8], into: &mut Map<String, Value>) -> Result<(), ApiError> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_bytes(encoded).map_err(|_| ApiError::from("invalid_form_data"))?;
    into.extend(pairs.into_iter().map(|(name, value)| (name, Value::String(value))));
    Ok(())
}
