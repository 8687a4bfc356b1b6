//! The engine, the state machine of the template and the worker, together on the emulator.

use super::ground::Ground;
use super::machine::{DEFINITION, Served, function};
use crate::contract::Backend;
use crate::contract::engine::attempt;
use crate::proxy::{Fault, Proxy};
use serde_json::json;
use std::sync::Arc;
use switchman::aws::batch::Place;
use switchman::aws::{EngineJob, EngineSite, RunsOn, S3Files, S3Job, StepFunctionsEngine};
use switchman::domain::command::Scope;
use switchman::domain::id::{JobName, RegionName};
use switchman::ports::{ArtifactKind, Clock, Engine, Execution, ExecutionState, Files, StartRun};

struct Whole {
    ground: Ground,
    engine: StepFunctionsEngine,
    files: S3Files,
    served: Served,
    proxy: Proxy,
}

impl Whole {
    /// With an input of 13 rows in some chunks, six of them rejected.
    async fn new() -> Self {
        let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}], "primaryKey": "id"});
        let ground = Ground::new(&schema).await;
        let rows: Vec<_> = (0..12).map(|row| format!("{},n{row}", row % 7)).collect();
        ground.input(format!("id,name\n{}\nx,no\n", rows.join("\n"))).await;
        let proxy = Proxy::start().await;
        let served = Served::start(ground.worker_through(&proxy.url)).await;
        let definition = DEFINITION
            .replace("${BatchFunction}", &function(&ground, &served.url).await)
            .replace("${Bucket}", &ground.bucket)
            .replace("\"IntervalSeconds\": 2", "\"IntervalSeconds\": 0");
        let config = &ground.account.config;
        let call = aws_sdk_sfn::Client::new(config).create_state_machine().name("batch").definition(definition);
        let machine = call.role_arn("arn:aws:iam::123456789012:role/machine").send().await.unwrap().state_machine_arn;
        let site = EngineSite {
            region: RegionName::parse("eu-central-1").unwrap(),
            bucket: ground.bucket.clone(),
            state_machine: machine,
            sandbox: None,
        };
        let name = JobName::parse("sales").unwrap();
        let jobs = vec![EngineJob { name: name.clone(), runs_on: RunsOn::Batch { concurrency: 4 } }];
        let clock: Arc<dyn Clock> = Arc::new(ground.account.clock().clone());
        let engine = StepFunctionsEngine::new(config, site, jobs, &clock).unwrap();
        let known = vec![S3Job { name, takes: Arc::new(|_| true) }];
        let files = S3Files::new(config, &ground.bucket, known, &clock);
        Self { ground, engine, files, served, proxy }
    }

    async fn run(&self, key: &str) -> StartRun {
        let job = JobName::parse("sales").unwrap();
        let input = self.files.inputs(&job).await.unwrap().remove(0);
        StartRun { key: attempt(key), job, input, scope: Scope::All, epoch: super::ground::EPOCH }
    }

    /// Looks until nobody works on it any more.
    async fn settles(&self, run: &StartRun) -> Execution {
        loop {
            let execution = self.engine.describe(&run.key).await.unwrap();
            if !matches!(execution.state, ExecutionState::Queued | ExecutionState::Running | ExecutionState::Absent) {
                return execution;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_starts_the_machine_ends_with_the_bytes_of_one_machine() {
    let whole = Whole::new().await;
    let run = whole.run("r-aaaa.1").await;
    whole.engine.start(&run).await.unwrap();
    whole.engine.start(&run).await.unwrap();
    let ended = whole.settles(&run).await;
    assert_eq!(
        (ended.state, ended.progress.rejected, ended.progress.percent()),
        (ExecutionState::Succeeded, 6, 100),
        "{ended:?}"
    );
    assert_eq!(ended.reasons.iter().map(|reason| reason.count).sum::<u64>(), 6);
    let (summary, local) = whole.ground.local("out", None);
    whole.ground.assert_same(&Place::new("", &run.key), &local, "by the engine").await;
    let page = whole.engine.rejects(&run.key, 4, 10).await.unwrap();
    assert_eq!((page.total, page.rows.len(), summary.rejected), (6, 2, 6));
    assert_eq!((page.rows[1].line, page.rows[1].value.as_str()), (14, "x"));
    let output = whole.files.artifact(&run.key, ArtifactKind::Output).await.unwrap().unwrap();
    assert_eq!(output.name, "März 1.r-aaaa.csv");
    assert_eq!(whole.served.steps().iter().filter(|step| *step == "plan").count(), 1, "one execution");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_interrupts_and_the_next_start_goes_on_from_the_chunks_that_are_done() {
    let whole = Whole::new().await;
    let run = whole.run("r-aaaa.1").await;
    // Enough requests for the plan and some chunks.
    whole.proxy.cut(30, Fault::Refused(503, "ServiceUnavailable"));
    whole.engine.start(&run).await.unwrap();
    let interrupted = whole.settles(&run).await;
    assert_eq!(interrupted.state, ExecutionState::Interrupted);
    let done = interrupted.progress.chunks;
    assert!(done > 0 && done < interrupted.progress.chunks_total, "{interrupted:?}");
    whole.proxy.heal();
    whole.engine.start(&run).await.unwrap();
    assert_eq!(whole.settles(&run).await.state, ExecutionState::Succeeded);
    whole.ground.assert_same(&Place::new("", &run.key), &whole.ground.local("out", None).1, "after an outage").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_seen_by_every_step_and_publishes_nothing() {
    let whole = Whole::new().await;
    let run = whole.run("r-aaaa.1").await;
    whole.engine.start(&run).await.unwrap();
    whole.engine.stop(&run.key).await.unwrap();
    let stopped = whole.settles(&run).await;
    // The machine may have been quicker: then it has ended, and the stop changes nothing.
    let published = !whole.ground.published(&Place::new("", &run.key)).await.is_empty();
    assert_eq!(stopped.state == ExecutionState::Succeeded, published, "{stopped:?}");
    assert!(matches!(stopped.state, ExecutionState::Cancelled | ExecutionState::Succeeded));
    whole.engine.start(&run).await.unwrap();
    assert_eq!(whole.settles(&run).await, stopped);
}
