//! The emulator, and what the template will deploy: made anew for each test, in an account of its own.
//!
//! MiniStack 1.5 is a correct DynamoDB as far as these tests see it. What it does otherwise than AWS, and what is done about it:
//! - A global secondary index is up to date at once; on AWS it is some milliseconds late. The store reads what an index names again.
//! - Time to live deletes by the real time within a minute, AWS within days. The table here has it switched off, because the clock of
//!   the tests stands still in the past.
//! - EventBridge delivers before it answers; on AWS it takes some hundred milliseconds. Nothing here relies on either.
//! - SQS counts leases by the real time, as AWS does. `emulator.py` makes it count by the clock of the test.
//! - A standard queue of AWS may hand a message out twice and in another order. The suites ask for neither to be impossible: the claim of
//!   the store is what makes a message count once.
//! - `StartMessageMoveTask` does not exist. Dead letters are replayed by receive and send, which AWS has too.
//! - Step Functions knows no redrive, and refuses a start that is repeated while the execution runs: see `states.rs`.
//! - `PutEvents` accepts a bus that is not there and a detail that is no JSON object; AWS refuses both.

use crate::contract::Backend;
use crate::harness::clock::ManualClock;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use jiff::Timestamp;
use std::sync::Arc;
use switchman::aws::directory::ACTOR;
use switchman::aws::store::INDEXES;
use switchman::aws::{BusNames, DynamoStore, EventBus};
use switchman::ports::{Bus, Clock, Store};

pub(crate) const TABLE: &str = "switchman";
const PEOPLE: &str = "authorized-users";
const BUS: &str = "command-event-bus";
const QUEUE: &str = "commands";
const DEAD: &str = "commands-dead";
pub(crate) const SIGNALS: &str = "signals";
pub(crate) const SIGNALS_DEAD: &str = "signals-dead";
const REGION: &str = "eu-central-1";

/// One account.
pub(crate) struct Account {
    pub(crate) config: SdkConfig,
    pub(crate) id: String,
    clock: ManualClock,
}

/// Where `tests/run` says that the emulator listens.
pub(crate) fn endpoint() -> String {
    settings("SWITCHMAN_AWS_EMULATOR")
}

#[expect(clippy::disallowed_methods, reason = "tests/run hands its own settings over in the environment")]
pub(crate) fn settings(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests with `tests/run aws`"))
}

impl Account {
    /// An account that nobody uses, at this address.
    pub(crate) async fn at(endpoint: &str) -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).unwrap();
        // MiniStack takes a key id of twelve digits for an account, and knows one secret for all.
        let id = format!("{:012}", u64::from_ne_bytes(bytes) % 1_000_000_000_000);
        let clocks = settings("SWITCHMAN_AWS_CLOCKS");
        let file = std::path::Path::new(&clocks).join(&id);
        let turned = move |now: Timestamp| {
            // Whole or not at all: the emulator reads it at any moment.
            let new = file.with_extension("new");
            std::fs::write(&new, format!("{:.6}", now.as_duration().as_secs_f64())).unwrap();
            std::fs::rename(&new, &file).unwrap();
        };
        let mut clock = ManualClock::new();
        turned(clock.now());
        clock.turned = Arc::new(turned);
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .credentials_provider(Credentials::new(id.clone(), "test", None, None, "tests"))
            .endpoint_url(endpoint);
        Self { config: switchman::aws::connect_with(loader, REGION).await, id, clock }
    }

    /// The same account, reached by another way.
    pub(crate) fn through(&self, endpoint: &str) -> Self {
        let config = self.config.to_builder().endpoint_url(endpoint).build();
        Self { config, id: self.id.clone(), clock: self.clock.clone() }
    }

    /// The same, where SQS counts by the real time.
    pub(crate) fn in_real_time(self) -> Self {
        std::fs::remove_file(std::path::Path::new(&settings("SWITCHMAN_AWS_CLOCKS")).join(&self.id)).unwrap();
        self
    }

    /// How a process of its own reaches the account.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let all = [
            ("AWS_ENDPOINT_URL", endpoint()),
            ("AWS_ACCESS_KEY_ID", self.id.clone()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
        ];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    pub(crate) fn bucket(&self) -> String {
        format!("files-{}", self.id)
    }

    /// `[backend]` and `[[region]]` of a configuration.
    pub(crate) fn backend(&self) -> String {
        let names = self.names();
        format!(
            "[backend]\nkind = \"aws\"\nregion = {REGION:?}\nqueue_url = {:?}\ndead_letter_url = {:?}\nsignals_url = {:?}\n\
             signals_dead_letter_url = {:?}\n\n\
             [[region]]\nname = {REGION:?}\nbucket = {:?}\nstate_machine = \"arn:aws:states:{REGION}:{}:stateMachine:switchman-batch\"\n",
            names.queue_url,
            names.dead_letter_url,
            self.queue_url(SIGNALS),
            self.queue_url(SIGNALS_DEAD),
            self.bucket(),
            self.id
        )
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// A bucket of the region, empty: its name, and somebody else's way to it. Names are the same for all accounts.
    pub(crate) async fn make_bucket(&self) -> (String, aws_sdk_s3::Client) {
        let place = aws_sdk_s3::types::BucketLocationConstraint::EuCentral1;
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(place).build();
        let (bucket, client) = (self.bucket(), self.s3());
        client.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
        (bucket, client)
    }

    pub(crate) async fn put_object(&self, key: &str, content: Vec<u8>) {
        self.s3().put_object().bucket(self.bucket()).key(key).body(content.into()).send().await.unwrap();
    }

    pub(crate) fn queue_arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{REGION}:{}:{name}", self.id)
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) {
        let call = aws_sdk_sqs::Client::new(&self.config).send_message().queue_url(self.queue_url(queue));
        call.message_body(body).send().await.unwrap();
    }

    /// How many messages wait in a queue, or are held back there.
    pub(crate) async fn waiting(&self, queue: &str) -> u64 {
        use aws_sdk_sqs::types::QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed};
        let names = vec![ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed];
        let call = aws_sdk_sqs::Client::new(&self.config).get_queue_attributes().queue_url(self.queue_url(queue));
        let counts = call.set_attribute_names(Some(names)).send().await.unwrap().attributes.unwrap_or_default();
        counts.values().map(|count| count.parse::<u64>().unwrap()).sum()
    }

    /// Takes messages off a queue, waiting for the first; how many.
    pub(crate) async fn receive(&self, queue: &str) -> usize {
        let config = aws_sdk_sqs::config::Builder::from(&self.config);
        let config = config.timeout_config(aws_config::timeout::TimeoutConfig::builder().build()).build();
        let call = aws_sdk_sqs::Client::from_conf(config).receive_message().queue_url(self.queue_url(queue));
        call.wait_time_seconds(20).max_number_of_messages(10).send().await.unwrap().messages().len()
    }

    /// Asks the emulator for something of which no client is at hand here. It takes the account from the signature, which it does not check.
    pub(crate) async fn call(&self, service: &str, path: &str, body: &serde_json::Value) -> (u16, String) {
        let signature = self.signature(service);
        let headers = [("authorization", signature.as_str()), ("content-type", "application/json")];
        crate::http::post(&format!("{}{path}", endpoint()), &headers, body.to_string()).await
    }

    /// A signature that names the account, and proves nothing.
    pub(crate) fn signature(&self, service: &str) -> String {
        let scope = format!("{}/20260302/{REGION}/{service}/aws4_request", self.id);
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
    }

    pub(crate) async fn make_signals(&self) {
        for name in [SIGNALS_DEAD, SIGNALS] {
            aws_sdk_sqs::Client::new(&self.config).create_queue().queue_name(name).send().await.unwrap();
        }
    }

    /// An account with everything that a bot needs.
    pub(crate) async fn furnished() -> Self {
        let account = Self::at(&endpoint()).await;
        account.make_table().await;
        account.make_bus().await;
        account
    }

    /// The event bus, a rule that brings everything to the queue, and the queue's dead letters.
    async fn make_bus(&self) {
        let queues = aws_sdk_sqs::Client::new(&self.config);
        for name in [DEAD, QUEUE] {
            queues.create_queue().queue_name(name).send().await.unwrap();
        }
        let events = aws_sdk_eventbridge::Client::new(&self.config);
        events.create_event_bus().name(BUS).send().await.unwrap();
        let pattern = r#"{"source": ["slack-app", "switchman"]}"#;
        events.put_rule().name("all").event_bus_name(BUS).event_pattern(pattern).send().await.unwrap();
        let arn = format!("arn:aws:sqs:{REGION}:{}:{QUEUE}", self.id);
        let target = aws_sdk_eventbridge::types::Target::builder().id("queue").arn(arn).build().unwrap();
        let put = events.put_targets().rule("all").event_bus_name(BUS).targets(target).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 0, "{put:?}");
    }

    pub(crate) fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", endpoint(), self.id)
    }

    pub(crate) fn names(&self) -> BusNames {
        BusNames {
            table: TABLE.into(),
            bus: BUS.into(),
            queue_url: self.queue_url(QUEUE),
            dead_letter_url: self.queue_url(DEAD),
        }
    }

    /// The list of people, empty. Its name.
    pub(crate) async fn make_people(&self) -> String {
        let kind = ScalarAttributeType::S;
        let attribute = AttributeDefinition::builder().attribute_name(ACTOR).attribute_type(kind).build().unwrap();
        let key = KeySchemaElement::builder().attribute_name(ACTOR).key_type(KeyType::Hash).build().unwrap();
        let call = aws_sdk_dynamodb::Client::new(&self.config).create_table().table_name(PEOPLE);
        let call = call.billing_mode(BillingMode::PayPerRequest).attribute_definitions(attribute).key_schema(key);
        call.send().await.unwrap();
        PEOPLE.to_owned()
    }

    /// The table of the active region, with one region.
    pub(crate) async fn make_active(&self) {
        let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
        let call = aws_sdk_dynamodb::Client::new(&self.config).create_table().table_name("switchman-active");
        let call = call.billing_mode(BillingMode::PayPerRequest).attribute_definitions(attribute.build().unwrap());
        call.key_schema(key).send().await.unwrap();
    }

    pub(crate) async fn make_table(&self) {
        let text = ScalarAttributeType::S;
        let attribute = |name: &str, kind: &ScalarAttributeType| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind.clone()).build().unwrap()
        };
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        let mut call = aws_sdk_dynamodb::Client::new(&self.config)
            .create_table()
            .table_name(TABLE)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk", &text))
            .attribute_definitions(attribute("sk", &text))
            .attribute_definitions(attribute("created", &ScalarAttributeType::N))
            .attribute_definitions(attribute("due_at", &ScalarAttributeType::N))
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range));
        for index in INDEXES {
            let index_ = GlobalSecondaryIndex::builder()
                .index_name(index.name)
                .key_schema(key(index.name, KeyType::Hash))
                .key_schema(key(index.sort.name(), KeyType::Range))
                .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
            call = call
                .attribute_definitions(attribute(index.name, &text))
                .global_secondary_indexes(index_.build().unwrap());
        }
        if let Err(error) = call.send().await {
            // The answer to an earlier try of this call came too late: nobody else makes tables in this account.
            assert!(error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception), "{error:?}");
        }
    }
}

impl Backend for Account {
    fn fresh() -> Self {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(Self::furnished()))
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(DynamoStore::new(&self.config, TABLE, Arc::new(self.clock.clone())))
    }

    fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(EventBus::new(&self.config, &self.names(), Arc::new(self.clock.clone())))
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// An emulator in Python does some hundred requests a second.
    fn load_divisor(&self) -> u32 {
        8
    }
}
