//! Two regions with a bucket each and the table of the active region, and engines that do nothing.

use super::contract::RegionsBackend;
use crate::clock::ManualClock;
use crate::contract::Backend;
use crate::emulator::{Account, endpoint};
use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateReplicationGroupMemberAction, KeySchemaElement, KeyType,
    ReplicationGroupUpdate, ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use switchman::aws::regions::{ActiveRecord, Lead, Place, RegionSetup, Routes};
use switchman::aws::{DynamoRegions, S3Files, S3Job};
use switchman::domain::id::{JobName, RegionName};
use switchman::domain::run::{AttemptKey, Progress};
use switchman::domain::task::{TaskAnswer, TaskToken};
use switchman::ports::{Clock, Engine, Execution, ExecutionState, PortError, Regions, RejectPage, Site, StartRun};

pub(super) const TABLE: &str = "switchman-active";
pub(super) const REGIONS: [&str; 2] = ["eu-central-1", "eu-west-1"];
pub(super) const LASTS: SignedDuration = SignedDuration::from_secs(30);

/// Two regions of an account.
pub(super) struct World {
    pub(super) account: Account,
    opened: AtomicUsize,
}

pub(super) fn region(at: usize) -> RegionName {
    RegionName::parse(REGIONS[at]).unwrap()
}

pub(super) fn sales() -> JobName {
    JobName::parse("sales").unwrap()
}

impl World {
    pub(super) async fn new() -> Self {
        let account = Account::at(&endpoint()).await;
        let world = Self { account, opened: AtomicUsize::new(0) };
        world.make_table().await;
        for (at, code) in REGIONS.into_iter().enumerate() {
            let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(code));
            let call = world.s3(at).create_bucket().bucket(world.bucket(at));
            call.create_bucket_configuration(place.build()).send().await.unwrap();
        }
        world
    }

    /// The same with every way to it through a proxy.
    pub(super) fn through(&self, endpoint: &str) -> Self {
        Self { account: self.account.through(endpoint), opened: AtomicUsize::new(0) }
    }

    async fn make_table(&self) {
        let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let client = aws_sdk_dynamodb::Client::new(&self.config(0));
        let call = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let call = call.attribute_definitions(attribute.build().unwrap()).key_schema(key.build().unwrap());
        call.send().await.unwrap();
        let replica = CreateReplicationGroupMemberAction::builder().region_name(REGIONS[1]).build().unwrap();
        let replica = ReplicationGroupUpdate::builder().create(replica).build();
        client.update_table().table_name(TABLE).replica_updates(replica).send().await.unwrap();
    }

    pub(super) fn clock(&self) -> &ManualClock {
        Backend::clock(&self.account)
    }

    pub(super) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock().clone())
    }

    pub(super) fn config(&self, at: usize) -> SdkConfig {
        self.account.config.to_builder().region(Region::new(REGIONS[at])).build()
    }

    /// Names of buckets are the same for all accounts.
    pub(super) fn bucket(&self, at: usize) -> String {
        format!("switchman-{}-{}", self.account.id, REGIONS[at])
    }

    pub(super) fn s3(&self, at: usize) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config(at)).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    pub(super) async fn put(&self, at: usize, key: &str, content: &str) {
        let body = content.as_bytes().to_vec();
        self.s3(at).put_object().bucket(self.bucket(at)).key(key).body(body.into()).send().await.unwrap();
    }

    pub(super) async fn keys(&self, at: usize) -> Vec<String> {
        let found = self.s3(at).list_objects_v2().bucket(self.bucket(at)).send().await.unwrap();
        found.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    fn files(&self, at: usize) -> S3Files {
        let job = S3Job { name: sales(), takes: Arc::new(|_: &str| true) };
        S3Files::new(&self.config(at), &self.bucket(at), vec![job], &self.shared_clock())
    }

    pub(super) fn record(&self, at: usize) -> ActiveRecord {
        ActiveRecord::new(&self.config(at), TABLE, region(0), self.shared_clock())
    }

    pub(super) fn lead(&self, at: usize) -> Lead {
        Lead::new(&self.config(at), TABLE, region(at), LASTS, &self.shared_clock())
    }

    /// The regions as a bot in one of them has them.
    pub(super) fn open(&self, at: usize) -> DynamoRegions {
        self.open_with(at, Routes::default(), |config| config)
    }

    /// As a bot in the second region has them, with the first reached as `gone` reaches it.
    pub(super) fn with_lost(&self, gone: &Self) -> DynamoRegions {
        self.assemble([gone, self], Routes::default(), self.config(1))
    }

    pub(super) fn open_with(
        &self,
        at: usize,
        routes: Routes,
        here: impl FnOnce(SdkConfig) -> SdkConfig,
    ) -> DynamoRegions {
        self.assemble([self, self], routes, here(self.config(at)))
    }

    fn assemble(&self, ways: [&Self; 2], routes: Routes, here: SdkConfig) -> DynamoRegions {
        let files = [ways[0].files(0), ways[1].files(1)];
        let place = |at: usize| Place {
            site: Site { region: region(at), engine: Arc::new(NoEngine), files: Arc::new(files[at].clone()) },
            config: ways[at].config(at),
            bucket: self.bucket(at),
        };
        let places = vec![place(0), place(1)];
        let under = move |name: &RegionName, root: &str| {
            let files = files[usize::from(name.as_str() == REGIONS[1])].under(root);
            Ok(Site { region: name.clone(), engine: Arc::new(NoEngine), files: Arc::new(files) })
        };
        DynamoRegions::new(RegionSetup {
            places,
            here,
            table: TABLE.to_owned(),
            under: Arc::new(under),
            routes,
            clock: self.shared_clock(),
        })
    }
}

impl RegionsBackend for World {
    fn fresh() -> Self {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(Self::new()))
    }

    /// In the two regions by turns.
    fn regions(&self) -> Arc<dyn Regions> {
        Arc::new(self.open(self.opened.fetch_add(1, Relaxed) % 2))
    }
}

/// An engine that has never heard of anything.
struct NoEngine;

#[async_trait]
impl Engine for NoEngine {
    async fn start(&self, _: &StartRun) -> Result<(), PortError> {
        Ok(())
    }

    async fn describe(&self, _: &AttemptKey) -> Result<Execution, PortError> {
        let state = ExecutionState::Absent;
        Ok(Execution { state, progress: Progress::default(), reasons: Vec::new(), failure: None })
    }

    async fn stop(&self, _: &AttemptKey) -> Result<(), PortError> {
        Ok(())
    }

    async fn rejects(&self, _: &AttemptKey, _: u64, _: usize) -> Result<RejectPage, PortError> {
        Ok(RejectPage::default())
    }

    async fn answer(&self, _: &TaskAnswer) -> Result<(), PortError> {
        Ok(())
    }

    async fn heartbeat(&self, _: &TaskToken) -> Result<(), PortError> {
        Ok(())
    }
}
