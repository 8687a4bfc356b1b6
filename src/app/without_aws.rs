//! A build without the feature `aws`: its configuration cannot ask for AWS, and if it did, it is told so.

use super::{App, Records, Setting};
use crate::config::{AwsNames, Config};
use crate::ports::Credentials;
use anyhow::anyhow;
use std::future::{Ready, ready};
use std::sync::Arc;

pub(super) fn open_store(names: &AwsNames) -> Ready<anyhow::Result<Records>> {
    ready(Err(absent(names)))
}

/// There is none.
pub(super) fn build(names: &AwsNames, _: Setting<'_>) -> Ready<anyhow::Result<App>> {
    ready(Err(absent(names)))
}

pub(super) fn credentials(names: &AwsNames) -> Ready<anyhow::Result<Arc<dyn Credentials>>> {
    ready(Err(absent(names)))
}

pub(super) fn probe(_: &Config, names: &AwsNames) -> Ready<anyhow::Result<Vec<String>>> {
    ready(Err(absent(names)))
}

fn absent(names: &AwsNames) -> anyhow::Error {
    anyhow!("this build has no AWS backend, so {} cannot be reached; build with the cargo feature aws", names.region)
}
