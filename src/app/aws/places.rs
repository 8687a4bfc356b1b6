//! The regions of a configuration: an engine and files in each, the record of the active one, and the lead.

use super::leading::Leading;
use crate::aws::regions::{Place, RegionSetup, Routes};
use crate::aws::{
    DynamoRegions, EngineJob, EngineSite, Lead as Lease, OtherBus, RunsOn, S3Files, S3Job, SdkConfig,
    StepFunctionsEngine, elsewhere,
};
use crate::batch::Spec;
use crate::config::{AwsNames, AwsRegion, Config, JobConfig};
use crate::domain::id::{RegionName, RequestId};
use crate::ports::{Clock, PortError, Site};
use jiff::SignedDuration;
use std::sync::{Arc, Mutex};

/// Chunks of a run that are worked on at the same time, unless its job says otherwise.
const CHUNKS_AT_ONCE: u32 = 16;

/// Makes the engine and the files of a region, at the root of its bucket or below.
struct Sites {
    sdk: SdkConfig,
    regions: Vec<AwsRegion>,
    files: Vec<S3Job>,
    jobs: Vec<EngineJob>,
    clock: Arc<dyn Clock>,
}

impl Sites {
    fn site(&self, region: &AwsRegion, root: &str) -> Result<Site, PortError> {
        let sdk = elsewhere(&self.sdk, region.name.as_str());
        let sandbox = root.strip_prefix("sandbox/").map(|id| RequestId::parse(id.trim_end_matches('/')));
        let sandbox =
            sandbox.transpose().map_err(|error| PortError::permanent("a drill has a wrong name").because(error))?;
        let (bucket, state_machine) = (region.bucket.clone(), region.state_machine.clone());
        let site = EngineSite { region: region.name.clone(), bucket, state_machine, sandbox };
        let engine = StepFunctionsEngine::new(&sdk, site, self.jobs.clone(), &self.clock)?;
        let files = S3Files::new(&sdk, &region.bucket, self.files.clone(), &self.clock).under(root);
        Ok(Site { region: region.name.clone(), engine: Arc::new(engine), files: Arc::new(files) })
    }

    fn under(&self, name: &RegionName, root: &str) -> Result<Site, PortError> {
        let gone = || PortError::permanent(format!("there is no region {name} in the configuration"));
        self.site(self.regions.iter().find(|region| region.name == *name).ok_or_else(gone)?, root)
    }
}

/// Nothing is asked of AWS yet.
pub(super) fn regions(
    names: &AwsNames,
    config: &Config,
    sdk: &SdkConfig,
    clock: &Arc<dyn Clock>,
) -> Result<DynamoRegions, PortError> {
    let sites = Sites {
        sdk: sdk.clone(),
        regions: names.regions.clone(),
        files: config.jobs.iter().map(files).collect(),
        jobs: engine_jobs(config),
        clock: clock.clone(),
    };
    let place = |region: &AwsRegion| {
        let (site, config) = (sites.site(region, "")?, elsewhere(sdk, region.name.as_str()));
        Ok(Place { site, config, bucket: region.bucket.clone() })
    };
    let places = names.regions.iter().map(place).collect::<Result<_, PortError>>()?;
    let routes = Routes {
        access_point: names.routing.multi_region_access_point.clone(),
        region_switch: names.routing.region_switch_plan.clone(),
    };
    Ok(DynamoRegions::new(RegionSetup {
        places,
        here: sdk.clone(),
        table: names.active_table.clone(),
        under: Arc::new(move |name, root| sites.under(name, root)),
        routes,
        clock: clock.clone(),
    }))
}

fn files(job: &JobConfig) -> S3Job {
    let pattern = job.pattern.clone();
    S3Job { name: job.name.clone(), takes: Arc::new(move |name| pattern.matches(name)) }
}

fn engine_jobs(config: &Config) -> Vec<EngineJob> {
    let batches = config
        .jobs
        .iter()
        .map(|job| EngineJob { name: job.name.clone(), runs_on: RunsOn::Batch { concurrency: at_once(&job.spec) } });
    let machines = config
        .machines
        .iter()
        .map(|job| EngineJob { name: job.name.clone(), runs_on: RunsOn::Machine { arn: job.machine.clone() } });
    batches.chain(machines).collect()
}

/// How many chunks of a job are worked on at the same time. Functions know nothing of each other: only one at a time keeps to a brake.
fn at_once(spec: &Spec) -> u32 {
    match (spec.max_rows_per_second, u32::try_from(spec.workers)) {
        (Some(_), _) => 1,
        (None, Ok(workers @ 1..)) => workers,
        (None, Ok(0) | Err(_)) => CHUNKS_AT_ONCE,
    }
}

/// The lead of this bot's region; `None` where it is the only one. `lasts`: how long it is held without being renewed.
pub(super) fn leading(
    names: &AwsNames,
    sdk: &SdkConfig,
    lasts: SignedDuration,
    clock: &Arc<dyn Clock>,
) -> Option<Arc<Leading>> {
    if names.regions.len() < 2 {
        return None;
    }
    let here = names.here();
    let other = |region: &AwsRegion| {
        let bus = region.event_bus.as_ref().unwrap_or(&names.event_bus);
        (region.name.clone(), OtherBus::new(&elsewhere(sdk, region.name.as_str()), bus, clock))
    };
    let others = names.regions.iter().filter(|region| region.name != here.name).map(other).collect();
    let lease = Lease::new(sdk, &names.active_table, here.name.clone(), lasts, clock);
    Some(Arc::new(Leading { lease, others, clock: clock.clone(), elsewhere: Mutex::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::starter::Starter;

    #[test]
    fn a_brake_lets_one_function_work_at_a_time_whatever_else_is_said() {
        let job = |workers, max_rows_per_second| Spec { workers, max_rows_per_second, ..Spec::new("schema.json") };
        assert_eq!(at_once(&job(0, None)), CHUNKS_AT_ONCE);
        assert_eq!(at_once(&job(3, None)), 3);
        assert_eq!((at_once(&job(0, Some(100))), at_once(&job(3, Some(100)))), (1, 1));
    }

    #[test]
    fn the_engine_is_told_what_the_file_of_the_configuration_says() {
        for (rows, expected) in [(None, CHUNKS_AT_ONCE), (Some(20_000), 1)] {
            let dir = tempfile::tempdir().unwrap();
            let starter = Starter { max_rows_per_second: rows, ..Starter::small() };
            starter.write(dir.path()).unwrap();
            let jobs = engine_jobs(&Config::load(&dir.path().join(crate::config::FILE_NAME)).unwrap());
            assert!(
                matches!(&jobs[..], [EngineJob { runs_on: RunsOn::Batch { concurrency }, .. }, ..] if *concurrency == expected),
                "{jobs:?}"
            );
        }
    }
}
