//! Names in the bucket.

use crate::batch;
use crate::domain::id::{FileName, JobName};
use crate::domain::run::{AttemptKey, Input};
use crate::ports::ArtifactKind;
use aws_sdk_s3::types::Object;
use percent_encoding::percent_decode_str;
use std::collections::HashMap;

/// The metadata of a result that holds the name people see, percent-encoded: metadata are ASCII.
pub const NAME: &str = "name";

/// Where the inputs of a job lie.
pub fn input_prefix(job: &JobName) -> String {
    format!("input/{job}/")
}

/// Where a result of an attempt lies once it may be handed out.
pub fn artifact_key(key: &AttemptKey, kind: ArtifactKind) -> String {
    let name = match kind {
        ArtifactKind::Output => batch::OUTPUT,
        ArtifactKind::Rejects => batch::REJECTS,
    };
    format!("runs/{key}/{name}")
}

/// An object of a listing, if it can be an input.
pub(super) fn input(prefix: &str, object: &Object) -> Option<Input> {
    let key = decoded(object.key()?)?;
    let name = FileName::parse(key.strip_prefix(prefix)?).ok()?;
    Some(Input {
        name,
        bytes: u64::try_from(object.size()?).ok()?,
        fingerprint: object.e_tag()?.trim_matches('"').to_owned(),
        key,
        parameters: None,
    })
}

/// A key as S3 writes it in listings and in events: percent-encoded, a blank as a plus.
pub(in crate::aws) fn decoded(key: &str) -> Option<String> {
    percent_decode_str(&key.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The name under which people get a result.
pub(super) fn shown(key: &AttemptKey, kind: ArtifactKind, metadata: Option<&HashMap<String, String>>) -> String {
    let kept = metadata.and_then(|metadata| percent_decode_str(metadata.get(NAME)?).decode_utf8().ok());
    let kept = kept.filter(|name| FileName::parse(&**name).is_ok());
    let own = || match kind {
        ArtifactKind::Output => format!("{}.csv", key.run),
        ArtifactKind::Rejects => format!("{}.rejects.csv", key.run),
    };
    kept.map_or_else(own, std::borrow::Cow::into_owned)
}

/// Has a browser save what it gets, under its name.
pub(in crate::aws) fn disposition(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"")
}
