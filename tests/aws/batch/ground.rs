//! A bucket with a job and its input, a worker on it, and the same job on this machine to compare with.

use crate::contract::Backend;
use crate::emulator::Account;
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use switchman::aws::batch::{JobFiles, Jobs, Leave, Mail, Place, PublishLease, Worker, Workplace};
use switchman::batch::ledger::Request;
use switchman::batch::{self, Control, Job, Redo, Spec, Summary, Task, ledger};
use switchman::domain::command::Scope;
use switchman::domain::id::{EnvelopeId, FileName, JobName, RegionName, RunId};
use switchman::domain::run::{AttemptKey, Input};
use switchman::ports::{Clock, PortError};
use tempfile::TempDir;

pub(super) const EPOCH: u64 = 7;

/// The catalog: one job, which a test may change.
pub(super) struct Catalog {
    pub(super) spec: Mutex<Spec>,
    folder: PathBuf,
    pub(super) mail: Mutex<Option<Mail>>,
}

#[async_trait]
impl Jobs for Catalog {
    async fn get(&self, name: &JobName) -> Result<Option<JobFiles>, PortError> {
        let (spec, folder) = (self.spec.lock().unwrap().clone(), self.folder.clone());
        let mail = self.mail.lock().unwrap().clone();
        Ok((name.as_str() == "sales").then_some(JobFiles { spec, folder, version: None, mail }))
    }
}

/// The lease of a region that is active until a test says otherwise.
pub(super) struct Lease {
    clock: Arc<dyn Clock>,
    pub(super) over: Mutex<Option<String>>,
    /// How long it lasts.
    pub(super) lasts: Mutex<SignedDuration>,
    pub(super) taken: Mutex<Vec<AttemptKey>>,
}

#[async_trait]
impl PublishLease for Lease {
    async fn take(&self, key: &AttemptKey, _: &RegionName, epoch: u64) -> Result<Leave, PortError> {
        assert_eq!(epoch, EPOCH);
        if let Some(why) = self.over.lock().unwrap().clone() {
            return Ok(Leave::Over(why));
        }
        self.taken.lock().unwrap().push(key.clone());
        Ok(Leave::Until(self.clock.now() + *self.lasts.lock().unwrap()))
    }

    async fn release(&self, key: &AttemptKey) -> Result<(), PortError> {
        self.taken.lock().unwrap().retain(|taken| taken != key);
        Ok(())
    }
}

/// All of it.
pub(super) struct Ground {
    pub(super) account: Account,
    pub(super) bucket: String,
    pub(super) client: Client,
    pub(super) catalog: Arc<Catalog>,
    pub(super) lease: Arc<Lease>,
    pub(super) dir: TempDir,
    input: Mutex<Option<Input>>,
}

/// What the objects of an attempt hold, or the files of one.
pub(super) type Files = Vec<(String, Vec<u8>)>;

const NAMES: [&str; 5] = [batch::OUTPUT, batch::ASIDE, batch::REJECTS, "chunks.json", batch::SUMMARY];

impl Ground {
    /// A job with this schema.
    pub(super) async fn new(schema: &Value) -> Self {
        let account = Account::at(&crate::emulator::endpoint()).await;
        let (bucket, client) = account.make_bucket().await;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("job")).unwrap();
        let mut spec = Spec::new("schema.json");
        spec.chunk_bytes = 20;
        let clock: Arc<dyn Clock> = Arc::new(account.clock().clone());
        let catalog = Catalog { spec: Mutex::new(spec), folder: dir.path().join("job"), mail: Mutex::default() };
        let lease = Lease {
            clock,
            over: Mutex::default(),
            lasts: Mutex::new(SignedDuration::from_secs(60)),
            taken: Mutex::default(),
        };
        let (catalog, lease, input) = (Arc::new(catalog), Arc::new(lease), Mutex::default());
        let ground = Self { account, bucket, client, catalog, lease, dir, input };
        ground.write("schema.json", &schema.to_string());
        ground
    }

    /// A file of the job.
    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.catalog.folder.join(name), text).unwrap();
    }

    pub(super) fn spec(&self, change: impl FnOnce(&mut Spec)) {
        change(&mut self.catalog.spec.lock().unwrap());
    }

    /// Puts the input there.
    pub(super) async fn input(&self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        std::fs::write(self.dir.path().join("input.csv"), text).unwrap();
        let key = "input/sales/März 1.csv".to_owned();
        let body = text.to_vec().into();
        let put = self.client.put_object().bucket(&self.bucket).key(&key).body(body).send().await.unwrap();
        let fingerprint = put.e_tag().unwrap().trim_matches('"').to_owned();
        let name = FileName::parse("März 1.csv").unwrap();
        *self.input.lock().unwrap() =
            Some(Input { name, key, bytes: text.len() as u64, fingerprint, parameters: None });
    }

    /// Asks for an attempt, as `Engine::start` does. `key`: any word for the run, a dot, the number of the attempt.
    pub(super) async fn ask(&self, key: &str, scope: Scope) -> Place {
        self.ask_in("", key, scope).await
    }

    /// The same in a drill's sandbox.
    pub(super) async fn ask_in(&self, root: &str, key: &str, scope: Scope) -> Place {
        let (run, attempt) = key.rsplit_once('.').unwrap();
        let run = RunId::derive(&EnvelopeId::parse(run).unwrap(), 4);
        let place = Place::new(root, &AttemptKey { run, attempt: attempt.parse().unwrap() });
        let request = Request {
            job: JobName::parse("sales").unwrap(),
            input: self.input.lock().unwrap().clone().unwrap(),
            scope,
            region: Some(RegionName::parse("eu-central-1").unwrap()),
            epoch: Some(EPOCH),
        };
        self.put(&place.at(ledger::REQUEST), serde_json::to_vec(&request).unwrap()).await;
        place
    }

    /// A new process, reaching AWS by this way.
    pub(super) fn worker_through(&self, endpoint: &str) -> Worker {
        let config =
            self.account.config.to_builder().endpoint_url(endpoint).retry_config(RetryConfig::disabled()).build();
        let place = Workplace { bucket: self.bucket.clone(), scratch: self.dir.path().join("scratch"), least_chunk: 1 };
        Worker::new(&config, place, self.catalog.clone(), self.lease.clone(), &self.lease.clock)
    }

    pub(super) fn worker(&self) -> Worker {
        self.worker_through(&crate::emulator::endpoint())
    }

    pub(super) async fn put(&self, key: &str, content: Vec<u8>) {
        self.client.put_object().bucket(&self.bucket).key(key).body(content.into()).send().await.unwrap();
    }

    pub(super) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let got = self.client.get_object().bucket(&self.bucket).key(key).send().await.ok()?;
        Some(got.body.collect().await.unwrap().to_vec())
    }

    pub(super) async fn json(&self, key: &str) -> Value {
        serde_json::from_slice(&self.get(key).await.unwrap_or_else(|| panic!("no {key}"))).unwrap()
    }

    pub(super) async fn list(&self, prefix: &str) -> Vec<String> {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// What was published of an attempt.
    pub(super) async fn published(&self, place: &Place) -> Files {
        let mut found = Vec::new();
        for name in NAMES {
            found.extend(self.get(&place.at(name)).await.map(|content| (name.to_owned(), content)));
        }
        found
    }

    /// The same job on this machine.
    pub(super) fn local(&self, out: &str, redo: Option<(batch::Scope, &[PathBuf])>) -> (Summary, Files) {
        let job = Job::load(&self.catalog.spec.lock().unwrap(), &self.catalog.folder).unwrap();
        let (input, dir) = (self.dir.path().join("input.csv"), self.dir.path().join(out));
        let redo = redo.map(|(scope, earlier)| Redo { scope, earlier });
        let task = Task { job: &job, input: &input, dir: &dir, redo };
        let summary = batch::execute(&task, &Control::default()).unwrap();
        let read = |name: &str| Some((name.to_owned(), std::fs::read(dir.join(name)).ok()?));
        (summary, NAMES.iter().filter_map(|name| read(name)).collect())
    }

    /// Compares without drowning the reader.
    pub(super) async fn assert_same(&self, place: &Place, local: &Files, what: &str) {
        let published = self.published(place).await;
        let names =
            |files: &Files| files.iter().map(|(name, content)| (name.clone(), content.len())).collect::<Vec<_>>();
        assert_eq!(names(&published), names(local), "{what}");
        for ((name, here), (_, there)) in published.iter().zip(local) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(2_000).collect::<String>();
            assert!(here == there, "{what}: {name}\n{}\n---\n{}", text(here), text(there));
        }
    }

    /// Nothing is left on the function's disk.
    pub(super) fn assert_clean(&self) {
        if let Ok(left) = std::fs::read_dir(self.dir.path().join("scratch")) {
            assert_eq!(left.count(), 0, "the function's disk is not empty");
        }
    }
}

/// What the state machine does, with one process for each step.
pub(super) async fn drive(worker: &dyn Fn() -> Worker, ground: &Ground, place: &Place) -> Result<Value, String> {
    drive_on(worker, ground, place, &|| false).await
}

/// The same, where `again` is asked whether a step that failed is called again.
pub(super) async fn drive_on(
    worker: &dyn Fn() -> Worker,
    ground: &Ground,
    place: &Place,
    again: &dyn Fn() -> bool,
) -> Result<Value, String> {
    let key = place.key.to_string();
    let step = |step: &str| json!({"step": step, "root": place.root(), "key": key, "concurrency": 4});
    let call = async |call: Value| loop {
        match worker().handle(call.clone()).await {
            Err(error) if !again() => return Err(error.to_string()),
            Err(_) => {}
            Ok(answer) => return Ok(answer),
        }
    };
    let planned = call(step("plan")).await?;
    if planned["outcome"] == "planned" {
        for (map, round) in [("map.json", 1), ("second/map.json", 2)] {
            if round == 2 {
                if planned["unique"] == false || planned["chunks"] == 0 {
                    break;
                }
                let compared = call(step("compare")).await?;
                if compared["outcome"] != "compared" {
                    return call(step("announce")).await;
                }
            }
            let items = ground.json(&place.at(map)).await;
            for item in items.as_array().unwrap() {
                let mut one = step("chunk");
                one["chunk"] = item["chunk"].clone();
                one["round"] = round.into();
                call(one).await?;
            }
        }
        call(step("merge")).await?;
    }
    call(step("announce")).await
}
