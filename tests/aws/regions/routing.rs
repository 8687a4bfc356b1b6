//! What is told of a switch. No emulator has either service: a server answers in their place, under their names.

use super::support::{World, region};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
use jiff::Timestamp;
use switchman::aws::DynamoRegions;
use switchman::aws::regions::Routes;
use switchman::domain::region::Active;
use switchman::ports::{Kind, Regions};
use wiremock::matchers::{body_string_contains, header, method, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const ACCESS_POINT: &str = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap";
const PLAN: &str = "arn:aws:arc-region-switch::123456789012:plan/switchman:ab12cd";

/// Every name is this machine's: S3 Control puts the account before the name of the endpoint.
#[derive(Debug, Clone)]
struct Here;

impl ResolveDns for Here {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Ok(vec![std::net::IpAddr::from([127, 0, 0, 1])]))
    }
}

fn routed(world: &World, server: &MockServer) -> DynamoRegions {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let url = format!("http://aws.test:{}", server.address().port());
    let routes = Routes { access_point: Some(ACCESS_POINT.to_owned()), region_switch: Some(PLAN.to_owned()) };
    world.open_with(0, routes, |config| {
        config.to_builder().endpoint_url(url).http_client(http.build_with_resolver(Here)).build()
    })
}

/// An answer of one text, as Region switch writes it.
fn cbor(status: u16, name: &str, text: &str) -> ResponseTemplate {
    let short = |text: &str| [&[0x60 + u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let body = [vec![0xa1], short(name), short(text)].concat();
    ResponseTemplate::new(status).insert_header("smithy-protocol", "rpc-v2-cbor").set_body_raw(body, "application/cbor")
}

fn active() -> Active {
    Active { region: region(1), epoch: 2, since: Timestamp::UNIX_EPOCH }
}

#[tokio::test]
async fn all_requests_go_to_the_active_region() {
    let (world, server) = (World::new().await, MockServer::start().await);
    let regions = routed(&world, &server);
    assert_eq!(regions.routes(), ["S3 Multi-Region Access Point", "Route 53 ARC Region switch"]);
    let [left, to] = [world.bucket(0), world.bucket(1)];
    let dial = |bucket: &str, region: &str, percent: u8| {
        body_string_contains(format!(
            "<Route><Bucket>{bucket}</Bucket><Region>{region}</Region><TrafficDialPercentage>{percent}</TrafficDialPercentage></Route>"
        ))
    };
    Mock::given(method("PATCH"))
        .and(path_regex("^/v20180820/mrap/instances/.*/routes$"))
        .and(header("x-amz-account-id", "123456789012"))
        .and(dial(&left, "eu-central-1", 0))
        .and(dial(&to, "eu-west-1", 100))
        .respond_with(ResponseTemplate::new(200))
        .expect(2)
        .mount(&server)
        .await;
    let says = |request: &Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        [PLAN, "eu-west-1", "activate", "switchman-epoch-2"].iter().all(|word| body.contains(word))
    };
    Mock::given(method("POST"))
        .and(path_regex("/operation/StartPlanExecution$"))
        .and(says)
        .respond_with(cbor(200, "executionId", "e-1"))
        .expect(2)
        .mount(&server)
        .await;
    for name in regions.routes() {
        for _ in 0..2 {
            regions.route(name, &active()).await.unwrap();
        }
    }
    assert_eq!(regions.route("the moon", &active()).await.unwrap_err().kind, Kind::Permanent);
}

#[tokio::test]
async fn who_does_not_take_the_route_is_named_with_what_to_do_by_hand() {
    let (world, server) = (World::new().await, MockServer::start().await);
    let regions = routed(&world, &server);
    Mock::given(method("PATCH")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let refused = cbor(400, "__type", "AccessDeniedException");
    Mock::given(method("POST")).respond_with(refused).mount(&server).await;
    let [point, plan] = [regions.routes()[0].clone(), regions.routes()[1].clone()];
    let error = regions.route(&point, &active()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous), "{error}");
    let by_hand = format!("Bucket={},Region=eu-west-1,TrafficDialPercentage=100", world.bucket(1));
    assert!(error.what.contains("submit-multi-region-access-point-routes") && error.what.contains(&by_hand), "{error}");
    let error = regions.route(&plan, &active()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied);
    assert!(error.what.contains("start-plan-execution --region eu-west-1") && error.what.contains(PLAN), "{error}");
    let asked = server.received_requests().await.unwrap();
    let regions_asked = asked.iter().filter(|request| request.method.as_str() == "PATCH").count();
    assert!(regions_asked > 4, "more than one region takes the routes: {regions_asked}");
}
