//! What AWS tells unasked: each promise on the emulator's queues, with the events as AWS documents them, and with those the emulator sends.

use crate::contract::Backend;
use crate::contract::engine::attempt;
use crate::emulator::{Account, SIGNALS, SIGNALS_DEAD, endpoint};
use crate::proxy::{Fault, Proxy};
use serde_json::{Value, json};
use std::time::Duration;
use switchman::aws::{Signal, SignalNames, Signals};
use switchman::domain::envelope::{Envelope, Event};
use switchman::domain::id::{JobName, RegionName};
use switchman::ports::Clock;

const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:batch";
const ETAG: &str = "b1946ac92492d2347c6235b4d2611184";

/// An account with a queue of signals, and what listens to it.
struct Post {
    near: Account,
    proxy: Proxy,
    signals: Signals,
    queues: aws_sdk_sqs::Client,
}

impl Post {
    async fn new() -> Self {
        let near = Account::furnished().await;
        let proxy = Proxy::start().await;
        let queues = aws_sdk_sqs::Client::new(&near.config);
        for name in [SIGNALS_DEAD, SIGNALS] {
            queues.create_queue().queue_name(name).send().await.unwrap();
        }
        let far = near.through(&proxy.url);
        let names = SignalNames {
            region: RegionName::parse("eu-central-1").unwrap(),
            queue_url: far.queue_url(SIGNALS),
            dead_letter_url: far.queue_url(SIGNALS_DEAD),
            bucket: "files".into(),
            machines: vec![MACHINE.into(), format!("{}:prod", MACHINE.replace(":batch", ":nightly"))],
            on_arrival: vec![JobName::parse("sales").unwrap()],
        };
        let clock = std::sync::Arc::new(far.clock().clone());
        let signals = Signals::new(&far.config, names, far.bus(), clock);
        Self { near, proxy, signals, queues }
    }

    async fn send(&self, body: &str) {
        let call = self.queues.send_message().queue_url(self.near.queue_url(SIGNALS)).message_body(body);
        call.send().await.unwrap();
    }

    /// Takes all there is.
    async fn work(&self) {
        while self.signals.step().await.unwrap() > 0 {}
    }

    /// What is on the bus, done with.
    async fn heard(&self) -> Vec<Envelope> {
        let bus = self.near.bus();
        let taken = bus.take(100, Duration::from_secs(30), Duration::ZERO).await.unwrap();
        for delivery in &taken {
            bus.ack(delivery).await.unwrap();
        }
        taken.into_iter().map(|delivery| delivery.envelope).collect()
    }

    /// How many messages there are in a queue, hidden ones included.
    async fn left(&self, name: &str) -> usize {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible,
        };
        let names =
            [ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible];
        let call = self.queues.get_queue_attributes().queue_url(self.near.queue_url(name));
        let found = call.set_attribute_names(Some(names.to_vec())).send().await.unwrap().attributes.unwrap();
        names.iter().map(|name| found[name].parse::<usize>().unwrap()).sum()
    }

    async fn take_in(&self, body: &Value) -> Signal {
        self.signals.take_in(&body.to_string(), self.near.clock().now()).await.unwrap()
    }
}

/// As the user guide of Step Functions shows it, without what nobody reads.
fn status(machine: &str, name: &str, status: &str, redrives: u64) -> Value {
    json!({
        "version": "0", "id": "315c1398-40ff-a850-213b-158f73e60175", "account": "123456789012", "region": "eu-central-1",
        "detail-type": "Step Functions Execution Status Change", "source": "aws.states", "time": "2026-03-02T08:00:00Z",
        "resources": [],
        "detail": {
            "executionArn": format!("{}:{name}", machine.replace(":stateMachine:", ":execution:")),
            "stateMachineArn": machine, "name": name, "status": status, "startDate": 1_772_438_400_000_i64,
            "stopDate": null, "input": "{}", "output": null, "redriveCount": redrives, "redriveDate": null,
            "redriveStatus": "NOT_REDRIVABLE", "error": null, "cause": null,
        },
    })
}

/// As the user guide of S3 shows it.
fn written(bucket: &str, key: &str, etag: &str) -> Value {
    json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created", "source": "aws.s3",
        "detail": {
            "version": "0", "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": etag, "version-id": "x", "sequencer": "00617F08299329D189"},
            "request-id": "N4N7GDK58NMKJ12R", "reason": "PutObject",
        },
    })
}

fn question() -> Value {
    json!({
        "switchman": "approval", "token": "AQCEAAAAKgAAAAM", "job": "nightly", "channel": "C0BATCH",
        "question": "Publish the price list?", "details": {"rows": 812}, "expiresIn": "PT2H",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_of_an_execution_is_looked_at_once_however_often_it_is_told() {
    let post = Post::new().await;
    let running = status(MACHINE, "r-aaaa_1", "RUNNING", 0).to_string();
    for _ in 0..3 {
        post.send(&running).await;
    }
    post.work().await;
    let heard = post.heard().await;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].event, Event::Look { key: attempt("r-aaaa.1") });
    assert_eq!(heard[0].issued_at, post.near.clock().now());
    // Redelivered after it was handled, and the other changes out of order: an end, a start, and the same end after a redrive.
    for (name, state, redrives) in
        [("r-aaaa_1", "RUNNING", 0), ("r-aaaa_1", "FAILED", 0), ("r-aaaa_1_2", "RUNNING", 0), ("r-aaaa_1", "FAILED", 1)]
    {
        post.send(&status(MACHINE, name, state, redrives).to_string()).await;
    }
    post.work().await;
    let heard = post.heard().await;
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard.iter().all(|envelope| envelope.event == Event::Look { key: attempt("r-aaaa.1") }));
    assert_eq!((post.left(SIGNALS).await, post.left(SIGNALS_DEAD).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ours_is_passed_over() {
    let post = Post::new().await;
    let nightly = MACHINE.replace(":batch", ":nightly");
    assert!(matches!(post.take_in(&status(&nightly, "r-aaaa_1", "RUNNING", 0)).await, Signal::Told(_)), "an alias");
    post.heard().await;
    for foreign in [
        status(&MACHINE.replace(":batch", ":other"), "r-aaaa_1", "RUNNING", 0),
        status(&MACHINE.replace("eu-central-1", "eu-west-1"), "r-aaaa_1", "RUNNING", 0),
        status(MACHINE, "3f1c9a1e-0000-4000-8000-000000000000", "RUNNING", 0),
        status(MACHINE, "q-7k3f_r-aaaa_1", "RUNNING", 0),
        written("other", "input/sales/may.csv", ETAG),
        written("files", "input/other/may.csv", ETAG),
        written("files", "input/sales/deep/may.csv", ETAG),
        written("files", "input/sales/.hidden.csv", ETAG),
        written("files", "input/sales/", ETAG),
        written("files", "runs/r-aaaa.1/output.csv", ETAG),
        written("files", "sandbox/q-7k3f/input/sales/may.csv", ETAG),
        json!({"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}}),
    ] {
        assert!(matches!(post.take_in(&foreign).await, Signal::Passed(_)), "{foreign}");
        post.send(&foreign.to_string()).await;
    }
    post.work().await;
    assert_eq!(post.heard().await, []);
    assert_eq!((post.left(SIGNALS).await, post.left(SIGNALS_DEAD).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_arrives_once_for_each_content() {
    let post = Post::new().await;
    let other = "d41d8cd98f00b204e9800998ecf8427e-2";
    for etag in [ETAG, ETAG, other, ETAG] {
        post.send(&written("files", "input/sales/may.csv", etag).to_string()).await;
    }
    post.work().await;
    let mut told: Vec<_> = post.heard().await.into_iter().map(|envelope| envelope.event).collect();
    told.sort_by_key(|event| format!("{event:?}").len());
    let arrived = |name: &str, etag: &str| Event::InputArrived {
        job: JobName::parse("sales").unwrap(),
        file: switchman::domain::id::FileName::parse(name).unwrap(),
        fingerprint: etag.into(),
    };
    assert_eq!(told, [arrived("may.csv", ETAG), arrived("may.csv", other)]);
    // Either way of writing a key: the arrival of a file that is not there starts nothing.
    for (key, names) in [
        ("input/sales/März 1.csv", vec!["März 1.csv"]),
        ("input/sales/M%C3%A4rz+1.csv", vec!["M%C3%A4rz+1.csv", "März 1.csv"]),
        ("input/sales/100%.csv", vec!["100%.csv"]),
        ("input/sales/%FF.csv", vec!["%FF.csv"]),
    ] {
        let Signal::Told(envelopes) = post.take_in(&written("files", key, ETAG)).await else { panic!("{key}") };
        let told: Vec<_> = envelopes.into_iter().map(|envelope| envelope.event).collect();
        assert_eq!(told, names.into_iter().map(|name| arrived(name, ETAG)).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_waits_is_told_once_and_expires_from_when_it_asked() {
    let post = Post::new().await;
    let sent = post.near.clock().now();
    post.send(&question().to_string()).await;
    // It lay there for a while.
    post.near.clock().advance(Duration::from_mins(30));
    post.work().await;
    post.send(&question().to_string()).await;
    post.work().await;
    let heard = post.heard().await;
    let [Envelope { event: Event::TaskWaiting(task), .. }] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(task.expires_at.unwrap(), sent + Duration::from_hours(2));
    assert_eq!(
        (task.region.as_ref().unwrap().as_str(), task.question.as_str()),
        ("eu-central-1", "Publish the price list?")
    );
    assert!(!heard[0].key.as_str().contains("AQCE"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_lies_with_the_dead_letters_with_its_reason_and_holds_up_nobody() {
    let post = Post::new().await;
    let mut halves = status(MACHINE, "r-aaaa_1", "RUNNING", 0);
    halves["detail"].as_object_mut().unwrap().remove("name");
    let mut nothing = question();
    nothing["channel"] = json!("#secret-channel");
    let bad = [
        ("hello", "it is no event: it is no JSON"),
        ("[1]", "it is no event"),
        ("{}", "neither an event nor one of our messages"),
        ("{\"switchman\":\"dance\"}", "a word for switchman that this version does not know"),
        ("{\"source\":\"aws.s3\",\"detail-type\":\"Object Created\"}", "the detail of the event cannot be read"),
        (&halves.to_string(), "the detail of the event cannot be read"),
        (&nothing.to_string(), "lacks or garbles channel"),
    ];
    for (body, _) in &bad {
        post.send(body).await;
    }
    post.send(&status(MACHINE, "r-aaaa_1", "RUNNING", 0).to_string()).await;
    post.work().await;
    assert_eq!(post.heard().await.len(), 1);
    assert_eq!(post.left(SIGNALS).await, 0);
    let mut found = Vec::new();
    loop {
        let call = post.queues.receive_message().queue_url(post.near.queue_url(SIGNALS_DEAD));
        let call = call.max_number_of_messages(10).message_attribute_names("All");
        let some = call.send().await.unwrap().messages.unwrap_or_default();
        if some.is_empty() {
            break;
        }
        found.extend(some);
    }
    assert_eq!(found.len(), bad.len());
    for (body, why) in bad {
        let letter = found.iter().find(|letter| letter.body() == Some(body)).unwrap_or_else(|| panic!("{body}"));
        let said = letter.message_attributes.as_ref().unwrap()["why"].string_value().unwrap();
        assert!(said.contains(why) && !said.contains("secret"), "{said}");
        assert!(matches!(post.signals.take_in(body, post.near.clock().now()).await.unwrap(), Signal::Buried(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_is_the_hosts_business() {
    let post = Post::new().await;
    assert!(matches!(post.take_in(&json!({"switchman": "wake"})).await, Signal::Wake));
    assert_eq!(post.heard().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_that_cannot_be_told_now_comes_again_and_is_told_once() {
    let post = Post::new().await;
    let body = status(MACHINE, "r-aaaa_1", "RUNNING", 0);
    // The record's table is throttled: nothing can be published.
    post.proxy.disturb("PutItem", Fault::Refused(400, "ThrottlingException"), 1_000);
    post.send(&body.to_string()).await;
    post.work().await;
    assert!(
        post.signals.take_in(&body.to_string(), post.near.clock().now()).await.is_err(),
        "a function gives it back"
    );
    assert_eq!((post.left(SIGNALS).await, post.left(SIGNALS_DEAD).await), (1, 0));
    post.proxy.disturb("PutItem", Fault::Refused(400, "ThrottlingException"), 0);
    post.near.clock().advance(Duration::from_mins(1));
    // Told, and not deleted: it comes once more.
    post.proxy.disturb("DeleteMessage", Fault::Refused(400, "AccessDenied"), 1);
    post.work().await;
    assert_eq!(post.left(SIGNALS).await, 1);
    post.near.clock().advance(Duration::from_mins(2));
    post.work().await;
    assert_eq!(post.heard().await.len(), 1);
    assert_eq!(post.left(SIGNALS).await, 0);
    // What cannot be put aside now is kept, too.
    post.proxy.disturb("SendMessage", Fault::Refused(400, "ThrottlingException"), 1_000);
    post.send("hello").await;
    post.work().await;
    assert_eq!((post.left(SIGNALS).await, post.left(SIGNALS_DEAD).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_emulator_itself_sends_is_understood_while_the_loop_runs() {
    let post = Post::new().await;
    let (config, id) = (&post.near.config, &post.near.id);
    // Rules on the default bus, as the template has them.
    let events = aws_sdk_eventbridge::Client::new(config);
    let arn = format!("arn:aws:sqs:eu-central-1:{id}:{SIGNALS}");
    for (name, pattern) in [
        ("states", r#"{"source":["aws.states"],"detail-type":["Step Functions Execution Status Change"]}"#),
        ("files", r#"{"source":["aws.s3"],"detail-type":["Object Created"]}"#),
    ] {
        events.put_rule().name(name).event_pattern(pattern).send().await.unwrap();
        let target = aws_sdk_eventbridge::types::Target::builder().id("signals").arn(&arn).build().unwrap();
        events.put_targets().rule(name).targets(target).send().await.unwrap();
    }
    let states = aws_sdk_sfn::Client::new(config);
    let token = json!({
        "switchman": "approval", "token.$": "$$.Task.Token", "job": "nightly", "channel": "C0BATCH", "question": "Go on?",
        "expiresIn": "PT2H",
    });
    let wait = json!({
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": {"QueueUrl": format!("{}/{id}/{SIGNALS}", endpoint()), "MessageBody": token},
    });
    let definition = json!({"StartAt": "Ask", "States": {"Ask": wait}}).to_string();
    let call = states.create_state_machine().name("nightly").role_arn("arn:aws:iam::123456789012:role/x");
    let machine = call.definition(definition).send().await.unwrap().state_machine_arn;
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    let files = aws_sdk_s3::Client::from_conf(config);
    let place = aws_sdk_s3::types::BucketLocationConstraint::EuCentral1;
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(place).build();
    let bucket = format!("files-{id}");
    files.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
    let bridge = aws_sdk_s3::types::EventBridgeConfiguration::builder().build();
    let notify = aws_sdk_s3::types::NotificationConfiguration::builder().event_bridge_configuration(bridge).build();
    let call = files.put_bucket_notification_configuration().bucket(&bucket);
    call.notification_configuration(notify).send().await.unwrap();

    let names = SignalNames {
        region: RegionName::parse("eu-central-1").unwrap(),
        queue_url: post.near.queue_url(SIGNALS),
        dead_letter_url: post.near.queue_url(SIGNALS_DEAD),
        bucket: bucket.clone(),
        machines: vec![machine.clone()],
        on_arrival: vec![JobName::parse("sales").unwrap()],
    };
    let clock = std::sync::Arc::new(post.near.clock().clone());
    let signals = Signals::new(&post.near.config, names, post.near.bus(), clock);
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let listening = tokio::spawn(async move { signals.run(stopping).await });
    files.put_object().bucket(&bucket).key("input/sales/März 1+1.csv").body(b"x".to_vec().into()).send().await.unwrap();
    states.start_execution().state_machine_arn(machine).name("r-aaaa_1").input("{}").send().await.unwrap();
    let (bus, mut told) = (post.near.bus(), Vec::new());
    while told.len() < 4 {
        let taken = bus.take(10, Duration::from_secs(30), Duration::from_secs(20)).await.unwrap();
        assert!(!taken.is_empty(), "nothing more is told: {told:?}");
        for delivery in taken {
            bus.ack(&delivery).await.unwrap();
            told.push(delivery.envelope.event);
        }
    }
    stop.send(true).unwrap();
    listening.await.unwrap();
    assert!(told.contains(&Event::Look { key: attempt("r-aaaa.1") }), "{told:?}");
    assert!(
        told.iter().any(|event| matches!(event, Event::TaskWaiting(task) if task.question == "Go on?")),
        "{told:?}"
    );
    let file = |event: &Event| matches!(event, Event::InputArrived { file, .. } if file.as_str() == "März 1+1.csv");
    assert!(told.iter().any(file), "{told:?}");
}
