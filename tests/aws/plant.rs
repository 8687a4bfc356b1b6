//! A region with a bucket, a state machine and the engine on them. What the batch worker would do is done here: the same batch, its
//! files put where the worker puts them.

use crate::contract::Backend;
use crate::contract::engine::{Pace, attempt, spec};
use crate::emulator::{Account, endpoint};
use crate::proxy::Proxy;
use crate::states::{MACHINE, States};
use aws_sdk_s3::Client;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use switchman::aws::{EngineJob, EngineSite, RunsOn, S3Files, S3Job, StepFunctionsEngine};
use switchman::batch::ledger::Ended;
use switchman::batch::{Control, Job, Task, execute};
use switchman::domain::command::Scope;
use switchman::domain::id::{JobName, RegionName, RequestId};
use switchman::ports::{Clock, Engine, Files, StartRun};
use tempfile::TempDir;

pub(crate) const NIGHTLY: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:nightly";

/// All of it.
pub(crate) struct Plant {
    /// As everybody reaches it.
    pub(crate) account: Account,
    pub(crate) proxy: Proxy,
    /// Step Functions as documented, where the emulator's are not asked.
    pub(crate) states: Option<Arc<States>>,
    pub(crate) bucket: String,
    pub(crate) client: Client,
    machine: String,
    pub(crate) concurrency: u32,
}

impl Plant {
    /// With the emulator's Step Functions.
    pub(crate) async fn emulated() -> Self {
        let mut plant = Self::bare().await;
        let definition = json!({
            "StartAt": "Which",
            "States": {
                "Which": {
                    "Type": "Choice", "Default": "Done",
                    "Choices": [{"Variable": "$.job", "StringEquals": "endless", "Next": "Wait"}],
                },
                "Wait": {"Type": "Wait", "Seconds": 86_400, "Next": "Done"},
                "Done": {"Type": "Succeed"},
            },
        });
        let call = aws_sdk_sfn::Client::new(&plant.account.config).create_state_machine().name("batch");
        let call = call.role_arn("arn:aws:iam::123456789012:role/x").definition(definition.to_string());
        plant.machine = call.send().await.unwrap().state_machine_arn;
        plant
    }

    /// With Step Functions as they are documented.
    pub(crate) async fn documented() -> Self {
        let states = Arc::<States>::default();
        let plant = Self { states: Some(states.clone()), machine: MACHINE.into(), ..Self::bare().await };
        plant.proxy.stand_in("AWSStepFunctions", states.answerer());
        plant
    }

    async fn bare() -> Self {
        let account = Account::at(&endpoint()).await;
        let proxy = Proxy::start().await;
        let bucket = format!("plant-{}", account.id);
        let config = aws_sdk_s3::config::Builder::from(&account.config).force_path_style(true).build();
        let client = Client::from_conf(config);
        let place = aws_sdk_s3::types::BucketLocationConstraint::EuCentral1;
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(place).build();
        client.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
        let account = account.through(&proxy.url);
        Self { account, proxy, states: None, bucket, client, machine: String::new(), concurrency: 16 }
    }

    pub(crate) fn states(&self) -> &States {
        self.states.as_ref().unwrap()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.account.clock().clone())
    }

    /// The engine of one more process.
    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        self.engine_in(None)
    }

    pub(crate) fn engine_in(&self, sandbox: Option<&str>) -> Arc<dyn Engine> {
        let job = |name: &str, runs_on| EngineJob { name: JobName::parse(name).unwrap(), runs_on };
        let batch = || RunsOn::Batch { concurrency: self.concurrency };
        let jobs = vec![
            job("quick", batch()),
            job("endless", batch()),
            job("nightly", RunsOn::Machine { arn: NIGHTLY.into() }),
        ];
        let site = EngineSite {
            region: RegionName::parse("eu-central-1").unwrap(),
            bucket: self.bucket.clone(),
            state_machine: self.machine.clone(),
            sandbox: sandbox.map(|id| RequestId::parse(id).unwrap()),
        };
        Arc::new(StepFunctionsEngine::new(&self.account.config, site, jobs, &self.clock()).unwrap())
    }

    pub(crate) async fn put(&self, key: &str, body: impl Into<Vec<u8>>) {
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        call.body(body.into().into()).send().await.unwrap();
    }

    pub(crate) async fn remove(&self, key: &str) {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await.unwrap();
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        let found = self.client.get_object().bucket(&self.bucket).key(key).send().await.ok()?;
        Some(String::from_utf8(found.body.collect().await.unwrap().to_vec()).unwrap())
    }

    /// The names in the folder of an attempt.
    pub(crate) async fn folder(&self, key: &str) -> BTreeSet<String> {
        let prefix = format!("runs/{key}/");
        let found = self.client.list_objects_v2().bucket(&self.bucket).prefix(&prefix).send().await.unwrap();
        found.contents().iter().map(|object| object.key().unwrap()[prefix.len()..].to_owned()).collect()
    }

    pub(crate) async fn start_run(&self, key: &str, pace: Pace, name: &str) -> StartRun {
        let job = JobName::parse(pace.job()).unwrap();
        let known = vec![S3Job { name: job.clone(), takes: Arc::new(|_| true) }];
        let files = S3Files::new(&self.account.config, &self.bucket, known, &self.clock());
        let inputs = files.inputs(&job).await.unwrap();
        let input = inputs.into_iter().find(|input| input.name.as_str() == name).unwrap();
        StartRun { key: attempt(key), job, input, scope: Scope::All, epoch: 1 }
    }

    /// Does what the worker does up to the end of an attempt, unless it has ended.
    pub(crate) async fn work(&self, run: &StartRun) {
        if self.folder(&run.key.to_string()).await.contains("ended.json") {
            return;
        }
        let (dir, text) = (TempDir::new().unwrap(), self.get(&run.input.key).await.unwrap());
        std::fs::write(dir.path().join("input"), text).unwrap();
        let (job, there) = (Job::load(&spec(dir.path()), dir.path()).unwrap(), dir.path().join("attempt"));
        let control = Control::default();
        let task = Task { job: &job, input: &dir.path().join("input"), dir: &there, redo: None };
        let summary = execute(&task, &control).unwrap();
        for name in ["plan.json", "output.csv", "rejects.csv", "summary.json"] {
            self.put(&format!("runs/{}/{name}", run.key), std::fs::read(there.join(name)).unwrap()).await;
        }
        let ended = Ended::of(&summary, &control.progress());
        self.put(&format!("runs/{}/ended.json", run.key), serde_json::to_vec(&ended).unwrap()).await;
    }
}
