//! A build without the feature `aws`: its configuration cannot ask for AWS, and if it did, it is told so.

use super::{App, Records, Setting};
use crate::config::{AwsNames, Config, LambdaSettings, SlackAccess};
use crate::ports::Credentials;
use anyhow::anyhow;
use std::future::{Ready, ready};
use std::path::Path;
use std::sync::Arc;

pub(super) fn open_store(names: &AwsNames) -> Ready<anyhow::Result<Records>> {
    ready(Err(absent(names)))
}

/// No function of Lambda can be.
pub async fn lambda(_: LambdaSettings, _: SlackAccess) -> anyhow::Result<()> {
    Err(anyhow!("this build cannot be a function of Lambda; build with the cargo feature aws"))
}

/// A copy of a configuration that lies elsewhere.
pub(super) struct ConfigFolder;

impl ConfigFolder {
    pub(super) fn file(&self) -> &Path {
        Path::new("")
    }
}

pub(super) fn fetch(bucket: &str, key: &str) -> Ready<anyhow::Result<ConfigFolder>> {
    ready(Err(anyhow!("this build cannot read s3://{bucket}/{key}; build with the cargo feature aws, or name a file")))
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
