//! The state machine itself, on the emulator's Step Functions, with the worker of this process behind its function.
//!
//! MiniStack 1.5: what it does otherwise than AWS, and what is done about it.
//! - `MaxConcurrencyPath` is ignored: it takes up to 64 children at once.
//!   <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>
//! - `JitterStrategy` and `MaxDelaySeconds` are ignored; waits between tries are real, so the test makes them short.
//!   <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>
//! - A definition is not checked when a machine is made; `infra/check` does that.

use super::ground::Ground;
use crate::proxy::{Fault, Proxy};
use aws_sdk_sfn::types::ExecutionStatus;
use axum::extract::State;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use switchman::aws::batch::{Place, Worker};
use switchman::domain::command::Scope;

pub(super) const DEFINITION: &str = include_str!("../../../infra/asl/batch.asl.json");
const FUNCTION: &str = include_str!("function.py");

type Calls = Arc<Mutex<Vec<Value>>>;

/// Serves a worker to the function.
pub(super) struct Served {
    pub(super) url: String,
    calls: Calls,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Served {
    pub(super) async fn start(worker: Worker) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let calls = Calls::default();
        let router = Router::new().fallback(handle).with_state((worker, calls.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, calls, server }
    }

    pub(super) fn steps(&self) -> Vec<String> {
        let name = |call: &Value| match call["step"].as_str().unwrap() {
            "chunk" => format!("chunk {} round {}", call["chunk"], call["round"]),
            step => step.to_owned(),
        };
        self.calls.lock().unwrap().iter().map(name).collect()
    }
}

async fn handle(State((worker, calls)): State<(Worker, Calls)>, Json(call): Json<Value>) -> Json<Value> {
    calls.lock().unwrap().push(call.clone());
    Json(match worker.handle(call).await {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => json!({"error": error.to_string()}),
    })
}

/// A ZIP archive with one file in it, not packed.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(content).to_le_bytes();
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 33, 0], &crc[..], &size, &size, &length, &[0, 0]].concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), content].concat();
    let rights = (0o100_644_u32 << 16).to_le_bytes();
    let entry = [b"PK\x01\x02\x14\x03", &common[..], &[0; 6], &rights, &[0; 4], name.as_bytes()].concat();
    let (entry_size, at) = (u32::try_from(entry.len()).unwrap(), u32::try_from(local.len()).unwrap());
    let end = [b"PK\x05\x06", &[0, 0, 0, 0, 1, 0, 1, 0][..], &entry_size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]];
    [local, entry, end.concat()].concat()
}

/// Makes the function and the machine; runs an attempt to its end.
async fn run(ground: &Ground, served: &Served, place: &Place) -> (ExecutionStatus, String) {
    let config = &ground.account.config;
    let function = function(ground, &served.url).await;
    let definition = DEFINITION
        .replace("${BatchFunction}", &function)
        .replace("${Bucket}", &ground.bucket)
        .replace("\"IntervalSeconds\": 2", "\"IntervalSeconds\": 0");
    let client = aws_sdk_sfn::Client::new(config);
    let role = "arn:aws:iam::123456789012:role/machine";
    let name = format!("batch-{}", place.key.to_string().replace('.', "_"));
    let made = client.create_state_machine().name(&name).definition(definition).role_arn(role).send().await.unwrap();
    let input = json!({"root": "", "key": place.key.to_string(), "job": "sales", "concurrency": 4}).to_string();
    let started = client.start_execution().state_machine_arn(made.state_machine_arn).name(name).input(input);
    let arn = started.send().await.unwrap().execution_arn;
    loop {
        let described = client.describe_execution().execution_arn(&arn).send().await.unwrap();
        if *described.status() != ExecutionStatus::Running {
            let said = described.output().or(described.cause()).unwrap_or_default().to_owned();
            return (described.status().clone(), said);
        }
        tokio::task::yield_now().await;
    }
}

/// A function of the Python that the emulator has; asked for over HTTP, for want of a client of Lambda among our libraries.
pub(super) async fn function(ground: &Ground, url: &str) -> String {
    let zip = data_encoding::BASE64.encode(&archive("function.py", FUNCTION.as_bytes()));
    let name = "batch";
    let call = json!({
        "FunctionName": name, "Runtime": "python3.12", "Handler": "function.handler", "Timeout": 60,
        "Role": "arn:aws:iam::123456789012:role/batch", "Code": {"ZipFile": zip}, "Environment": {"Variables": {"WORKER": url}},
    });
    let http = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let http = http.build_http::<http_body_util::Full<bytes::Bytes>>();
    let credential = format!("Credential={}/20260302/eu-central-1/lambda/aws4_request", ground.account.id);
    let request = |method: &str, path: &str, body: Vec<u8>| {
        axum::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", crate::emulator::endpoint()))
            .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"))
            .body(http_body_util::Full::new(bytes::Bytes::from(body)))
            .unwrap()
    };
    let path = "/2015-03-31/functions";
    http.request(request("DELETE", &format!("{path}/{name}"), Vec::new())).await.unwrap();
    let made = http.request(request("POST", path, call.to_string().into_bytes())).await.unwrap();
    let status = made.status();
    let body = http_body_util::BodyExt::collect(made.into_body()).await.unwrap().to_bytes();
    assert!(status.is_success(), "{status} {}", String::from_utf8_lossy(&body));
    let made: Value = serde_json::from_slice(&body).unwrap();
    made["FunctionArn"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_makes_the_bytes_of_one_machine() {
    let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}], "primaryKey": "id"});
    let ground = Ground::new(&schema).await;
    let rows: Vec<_> = (0..30).map(|row| format!("{},n{row}", row % 25)).collect();
    ground.input(format!("id,name\n{}\nx,no\n", rows.join("\n"))).await;
    let (summary, local) = ground.local("out", None);
    assert!(summary.chunks > 5 && summary.rejected == 6);
    let served = Served::start(ground.worker()).await;
    let place = ground.ask("whole.1", Scope::All).await;
    let (status, said) = run(&ground, &served, &place).await;
    assert_eq!((status, said.as_str()), (ExecutionStatus::Succeeded, r#"{"outcome": "succeeded"}"#));
    ground.assert_same(&place, &local, "the machine").await;
    let mut steps = served.steps();
    assert_eq!((steps.remove(0).as_str(), steps.pop().unwrap().as_str()), ("plan", "announce"));
    for chunk in 0..summary.chunks {
        assert!(steps.contains(&format!("chunk {chunk} round 1")), "{steps:?}");
    }
    assert!(steps.iter().any(|step| step.ends_with("round 2")) && steps.contains(&"compare".to_owned()), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_and_stops_end_well_and_are_announced() {
    let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}]});
    let ground = Ground::new(&schema).await;
    let served = Served::start(ground.worker()).await;
    ground.input("id\n1\n").await;
    let wrong = ground.ask("wrong.1", Scope::All).await;
    let (status, said) = run(&ground, &served, &wrong).await;
    assert!(status == ExecutionStatus::Succeeded && said.contains("missing \\\"name\\\""), "{status} {said}");
    assert_eq!(served.steps(), ["plan", "announce"]);
    assert_eq!(ground.json(&wrong.at("ended.json")).await["state"], "failed");
    ground.input("id,name\n").await;
    let stopped = ground.ask("stopped.1", Scope::All).await;
    ground.put(&stopped.at("stop"), Vec::new()).await;
    let (status, said) = run(&ground, &served, &stopped).await;
    assert!(status == ExecutionStatus::Succeeded && said.contains("stopped"), "{status} {said}");
    let nothing = ground.ask("nothing.1", Scope::All).await;
    assert_eq!(run(&ground, &served, &nothing).await.0, ExecutionStatus::Succeeded);
    assert_eq!(served.steps()[4..], ["plan", "merge", "announce"], "no chunk, no map");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_tried_again_and_one_that_stays_fails_the_execution() {
    let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}]});
    let ground = Ground::new(&schema).await;
    ground.input("id,name\n1,one\n2,two\n3,three\n").await;
    let proxy = Proxy::start().await;
    let served = Served::start(ground.worker_through(&proxy.url)).await;
    let place = ground.ask("outage.1", Scope::All).await;
    // Some answers of S3 are lost, in whichever step comes to them.
    proxy.cut(9, Fault::AnswerLost);
    proxy.mend_after(3);
    let (status, said) = run(&ground, &served, &place).await;
    assert_eq!(status, ExecutionStatus::Succeeded, "{said}");
    ground.assert_same(&place, &ground.local("out", None).1, "after an outage").await;
    let place = ground.ask("outage.2", Scope::All).await;
    proxy.cut(12, Fault::AnswerLost);
    let (status, said) = run(&ground, &served, &place).await;
    assert_eq!(status, ExecutionStatus::Failed, "{said}");
    assert!(ground.get(&place.at("ended.json")).await.is_none(), "an outage is no answer");
}
