//! What is told of a switch so that requests go where the work is: an S3 Multi-Region Access Point, a plan of Route 53 ARC Region switch.
//! Both come after the switch, may be repeated, and undo nothing where they fail.

use crate::aws::breaker::Breaker;
use crate::aws::errors::Access;
use crate::domain::id::RegionName;
use crate::domain::region::Active;
use crate::ports::{Clock, Kind, PortError};
use aws_config::{Region, SdkConfig};
use aws_sdk_arcregionswitch::types::{ExecutionAction, ExecutionMode};
use aws_sdk_s3control::types::MultiRegionAccessPointRoute;
use std::sync::Arc;

/// The regions that take changes of an access point's routes (S3 User Guide, "Using failover controls").
const ROUTERS: [&str; 5] = ["us-east-1", "us-west-2", "ap-southeast-2", "ap-northeast-1", "eu-west-1"];
/// So many of them are asked.
const ASKED: usize = 2;

/// What people call them.
const ACCESS_POINT: &str = "S3 Multi-Region Access Point";
const REGION_SWITCH: &str = "Route 53 ARC Region switch";

/// What is to be told of a switch. ARNs.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    pub access_point: Option<String>,
    pub region_switch: Option<String>,
}

pub(super) struct Router {
    routes: Routes,
    config: SdkConfig,
    /// The regions with their buckets.
    buckets: Vec<(RegionName, String)>,
    breaker: Arc<Breaker>,
    names: Vec<String>,
}

impl Router {
    pub(super) fn new(
        routes: Routes,
        config: &SdkConfig,
        buckets: Vec<(RegionName, String)>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let given = [(ACCESS_POINT, &routes.access_point), (REGION_SWITCH, &routes.region_switch)];
        let names = given.into_iter().filter(|(_, arn)| arn.is_some()).map(|(name, _)| name.to_owned()).collect();
        Self { config: config.clone(), buckets, breaker: Breaker::new(clock), names, routes }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) async fn route(&self, name: &str, active: &Active) -> Result<(), PortError> {
        match (name, &self.routes.access_point, &self.routes.region_switch) {
            (ACCESS_POINT, Some(arn), _) => self.access_point(arn, active).await,
            (REGION_SWITCH, _, Some(arn)) => self.region_switch(arn, active).await,
            _ => Err(PortError::permanent(format!("{name} is not in the configuration any more; nothing was routed"))),
        }
    }

    /// All requests go to the active region's bucket.
    async fn access_point(&self, arn: &str, active: &Active) -> Result<(), PortError> {
        let account = arn.split(':').nth(4).unwrap_or_default();
        let percent = |region: &RegionName| if *region == active.region { 100 } else { 0 };
        let by_hand: Vec<String> = self
            .buckets
            .iter()
            .map(|(region, bucket)| {
                format!("Bucket={bucket},Region={region},TrafficDialPercentage={}", percent(region))
            })
            .collect();
        let mut routers = ROUTERS.to_vec();
        // What lies beside the region that was left may be down with it.
        routers.sort_by_key(|router| *router != active.region.as_str());
        let left = |router: &&&str| {
            **router == active.region.as_str() || self.buckets.iter().all(|(region, _)| region.as_str() != **router)
        };
        let broken = |error| PortError::permanent("the routes cannot be written down").because(error);
        let mut last = PortError::permanent("no region takes the routes");
        for router in routers.iter().filter(left).take(ASKED) {
            let config = self.config.to_builder().region(Region::new(*router)).build();
            let routes = self.buckets.iter().map(|(region, bucket)| {
                let route = MultiRegionAccessPointRoute::builder().bucket(bucket).region(region.as_str());
                route.traffic_dial_percentage(percent(region)).build()
            });
            let call = aws_sdk_s3control::Client::new(&config)
                .submit_multi_region_access_point_routes()
                .account_id(account)
                .mrap(arn)
                .set_route_updates(Some(routes.collect::<Result<_, _>>().map_err(broken)?));
            let doing = format!(
                "could not route by {router}. By hand: aws s3control submit-multi-region-access-point-routes --region \
                 {router} --account-id {account} --mrap {arn} --route-updates {}",
                by_hand.join(" ")
            );
            match self.breaker.call(call.send()).await {
                Ok(_) => return Ok(()),
                Err(failed) => last = failed.port(Access::Write, &doing),
            }
            if !matches!(last.kind, Kind::Transient { .. } | Kind::Ambiguous) {
                break;
            }
        }
        Err(last)
    }

    /// The plan is started in the region that is activated, and once for each epoch.
    async fn region_switch(&self, arn: &str, active: &Active) -> Result<(), PortError> {
        let region = active.region.as_str();
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        let call = aws_sdk_arcregionswitch::Client::new(&config)
            .start_plan_execution()
            .plan_arn(arn)
            .target_region(region)
            .action(ExecutionAction::Activate)
            .mode(ExecutionMode::Graceful)
            .latest_version("true")
            .client_token(format!("switchman-epoch-{}", active.epoch))
            .comment(format!("switchman: {region} is active since epoch {}", active.epoch));
        let doing = format!(
            "could not start the plan. By hand: aws arc-region-switch start-plan-execution --region {region} --plan-arn \
             {arn} --target-region {region} --action activate --mode graceful --latest-version true"
        );
        self.breaker.call(call.send()).await.map(drop).map_err(|failed| failed.port(Access::Write, &doing))
    }
}
