//! The batch worker: one step for each call of the state machine, with the jobs as they are configured in that moment.

use crate::app::aws::{self, ConfigFolder};
use crate::aws::batch::{JobFiles, Jobs, LEAST_CHUNK, Worker, Workplace};
use crate::config::{Config, ConfigPlace};
use crate::domain::id::JobName;
use crate::embedded::SystemClock;
use crate::ports::{Clock, PortError};
use async_trait::async_trait;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;

pub(super) async fn run(place: &ConfigPlace) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (jobs, config) = ConfiguredJobs::open(place).await?;
    let names = super::names(&config)?;
    let workplace = Workplace {
        bucket: names.here().bucket.clone(),
        scratch: std::env::temp_dir().join("switchman-steps"),
        least_chunk: LEAST_CHUNK,
    };
    let sdk = crate::aws::connect(&names.region).await;
    let lease = aws::publish_lease(names, &sdk, &clock);
    let worker = Worker::new(&sdk, workplace, Arc::new(jobs), lease, &clock);
    let done = lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        worker.handle(event.payload).await.map_err(Error::from)
    }));
    done.await.map_err(|error| anyhow::anyhow!(error))
}

/// The jobs of a configuration that may change between two steps: a lookup that was mended needs no deployment.
struct ConfiguredJobs {
    folder: Option<ConfigFolder>,
    /// With the version of the folder that it was read from.
    known: Mutex<(Option<String>, Arc<Config>)>,
}

impl ConfiguredJobs {
    async fn open(place: &ConfigPlace) -> anyhow::Result<(Self, Arc<Config>)> {
        let folder = match place {
            ConfigPlace::File(_) => None,
            ConfigPlace::Bucket { bucket, key } => Some(aws::fetch(bucket, key).await?),
        };
        let file = match (place, &folder) {
            (ConfigPlace::File(file), _) => file,
            (ConfigPlace::Bucket { .. }, folder) => folder.as_ref().map_or(Path::new(""), ConfigFolder::file),
        };
        let config = Arc::new(load(file)?);
        let version = match &folder {
            Some(folder) => Some(folder.version().await),
            None => None,
        };
        Ok((Self { folder, known: Mutex::new((version, config.clone())) }, config))
    }

    /// The configuration as it is now, and its version; `None`: a file of this machine, which nobody watches.
    async fn now(&self) -> Result<(Option<String>, Arc<Config>), PortError> {
        let mut known = self.known.lock().await;
        if let Some(folder) = &self.folder {
            folder.refresh().await?;
            let version = Some(folder.version().await);
            if known.0 != version {
                *known = (version, Arc::new(load(folder.file())?));
            }
        }
        Ok(known.clone())
    }
}

fn load(file: &Path) -> Result<Config, PortError> {
    let what = "the configuration has mistakes, so no step is done until they are mended";
    Config::load(file).map_err(|mistakes| PortError::permanent(format!("{what}: {mistakes}")))
}

#[async_trait]
impl Jobs for ConfiguredJobs {
    async fn get(&self, name: &JobName) -> Result<Option<JobFiles>, PortError> {
        let (version, config) = self.now().await?;
        Ok(config.job(name).map(|job| JobFiles {
            spec: job.spec.clone(),
            folder: job.base.clone(),
            version,
            mail: None,
        }))
    }
}
