//! The roles as functions of Lambda: the emulator runs the real binary as `bootstrap`, behind an HTTP API and behind the queues.
//!
//! MiniStack 1.5 does otherwise than AWS:
//! - A function has to be told the endpoint in its environment; on AWS the SDK knows it.
//! - It keeps a function's process for later calls and does not freeze it between them; AWS freezes it. Nothing here relies on either.
//! - It looks for an API only in the account that a request is signed for; on AWS the address of an API is enough. A [`Door`] signs.
//! - It has no schedule that calls: the tick is invoked by hand.

use super::world::{OPERATOR, World};
use crate::http;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A zip with one file, stored as it is.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let (crc, size) = (crc32fast::hash(content), u32::try_from(content.len()).unwrap());
    let length = u16::try_from(name.len()).unwrap();
    // Version, flags, method, time, date; what follows is the same in both headers.
    let mut common = Vec::new();
    for number in [20_u16, 0, 0, 0, 0x21] {
        common.extend(number.to_le_bytes());
    }
    for number in [crc, size, size] {
        common.extend(number.to_le_bytes());
    }
    common.extend(length.to_le_bytes());
    common.extend(0_u16.to_le_bytes());
    let mut file = b"PK\x03\x04".to_vec();
    file.extend(&common);
    file.extend(name.as_bytes());
    file.extend(content);
    let start = u32::try_from(file.len()).unwrap();
    file.extend(b"PK\x01\x02\x14\x03");
    file.extend(&common);
    // No comment, first disk, no internal attributes; executable.
    file.extend([0; 6]);
    file.extend((0o100_755_u32 << 16).to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    file.extend(name.as_bytes());
    let directory = u32::try_from(file.len()).unwrap() - start;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(directory.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// A way to the API that signs for the account.
struct Door {
    url: String,
    server: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Door {
    async fn to(address: String, signature: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let forward = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let (address, signature) = (format!("{address}{}", uri.path()), signature.clone());
            async move {
                let own = ["host", "content-length"];
                let given = headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
                let mut given: Vec<_> = given.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
                given.push(("authorization", &signature));
                let (status, body) = http::send(method.as_str(), &address, &given, body).await;
                (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body)
            }
        };
        let router = axum::Router::new().fallback(forward);
        Self { url, server: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }) }
    }
}

/// The functions of one world.
struct Functions<'w> {
    world: &'w World,
    code: String,
}

impl<'w> Functions<'w> {
    fn of(world: &'w World) -> Self {
        // The binary itself would have to be sent with every test.
        let bootstrap = format!("#!/bin/sh\nexec {}\n", env!("CARGO_BIN_EXE_switchman"));
        Self { world, code: data_encoding::BASE64.encode(&zip("bootstrap", bootstrap.as_bytes())) }
    }

    async fn call(&self, service: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.world.account.call(service, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }

    /// Makes a function; its ARN.
    async fn make(&self, role: &str) -> String {
        let mut variables: serde_json::Map<String, Value> =
            self.world.environment().into_iter().map(|(name, value)| (name, value.into())).collect();
        variables.insert("SWITCHMAN_ROLE".into(), role.into());
        let place = format!("s3://{}/config/switchman.toml", self.world.account.bucket());
        variables.insert("SWITCHMAN_CONFIG".into(), place.into());
        let function = json!({
            "FunctionName": role,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": format!("arn:aws:iam::{}:role/switchman", self.world.account.id),
            "Code": { "ZipFile": self.code },
            "Timeout": 60,
            "MemorySize": 256,
            "Environment": { "Variables": variables },
        });
        let made = self.call("lambda", "/2015-03-31/functions", &function).await;
        made["FunctionArn"].as_str().unwrap().to_owned()
    }

    /// Has the messages of a queue brought to a function.
    async fn bring(&self, queue: &str, role: &str) {
        let arn = self.world.account.queue_arn(queue);
        let kinds = ["ReportBatchItemFailures"];
        let mapping =
            json!({ "EventSourceArn": arn, "FunctionName": role, "BatchSize": 10, "FunctionResponseTypes": kinds });
        self.call("lambda", "/2015-03-31/event-source-mappings", &mapping).await;
    }

    /// An HTTP API before a function.
    async fn open(&self, arn: &str) -> Door {
        let api = self.call("apigateway", "/v2/apis", &json!({ "name": "bot", "protocolType": "HTTP" })).await;
        let api = api["apiId"].as_str().unwrap();
        let way = json!({ "integrationType": "AWS_PROXY", "integrationUri": arn, "payloadFormatVersion": "2.0" });
        let way = self.call("apigateway", &format!("/v2/apis/{api}/integrations"), &way).await;
        let target = format!("integrations/{}", way["integrationId"].as_str().unwrap());
        for key in ["POST /slack/events", "GET /healthz", "GET /readyz"] {
            let route = json!({ "routeKey": key, "target": target });
            self.call("apigateway", &format!("/v2/apis/{api}/routes"), &route).await;
        }
        let stage = json!({ "stageName": "$default", "autoDeploy": true });
        self.call("apigateway", &format!("/v2/apis/{api}/stages"), &stage).await;
        let address = format!("{}/_aws/execute-api/{api}", crate::emulator::endpoint());
        Door::to(address, self.world.account.signature("execute-api")).await
    }

    /// Calls a function and waits for what it says.
    async fn invoke(&self, role: &str, event: &Value) -> Value {
        self.call("lambda", &format!("/2015-03-31/functions/{role}/invocations"), event).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_answer_commands_and_a_poisoned_message_holds_up_nobody() {
    let world = World::new().await;
    let functions = Functions::of(&world);
    let door = functions.make("front-door").await;
    functions.make("commands").await;
    let door = functions.open(&door).await;
    world.slack.set_bot_url(&format!("{}/slack/events", door.url));
    let ack = world.types("status").await;
    assert_eq!(ack.status, Some(200), "{ack:?}");
    world.account.send("commands", "{\"this\": \"is no envelope\"}").await;
    let ack = world.types("list-batches").await;
    assert_eq!(ack.status, Some(200), "{ack:?}");
    functions.bring("commands", "commands").await;
    world.reads("Nothing is running").await;
    world.reads("No run was asked for").await;
    assert_eq!(world.account.receive("commands-dead").await, 1);
    assert_eq!(world.slack.ephemerals(OPERATOR).len(), 2, "{}", world.slack.transcript());
    let (status, report) = http::get(&format!("{}/readyz", door.url)).await;
    assert_eq!((status, report.as_str()), (200, "store: ok\nbus: ok\nslack: ok\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_finishes_what_a_function_left_behind_and_asks_to_be_woken_once() {
    let world = World::new().await;
    let functions = Functions::of(&world);
    functions.make("tick").await;
    functions.make("signals").await;
    let store = world.store();
    world.whisper(&*store, "due-now", Duration::ZERO).await;
    world.whisper(&*store, "due-later", Duration::from_secs(5)).await;
    functions.invoke("tick", &json!({ "time": "2026-11-10T14:22:00Z" })).await;
    world.reads("due-now").await;
    functions.invoke("tick", &json!({ "time": "2026-11-10T14:23:00Z" })).await;
    assert_eq!(world.account.waiting("signals").await, 1, "a second tick asks for no second wake");
    functions.bring("signals", "signals").await;
    world.reads("due-later").await;
}
