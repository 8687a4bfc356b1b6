//! The Regions panel over HTTP: what a page is told, what it can switch, and how a wrong switch is refused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Request;
use serde_json::{Value, json};

use super::World;
use super::page::Events;
use crate::playground::{FileKind, RegionFile, RegionPanel, RegionSwitch, RegionView, RegionsView};

/// Two regions that do as they are told, and note it.
struct TwoRegions {
    view: Mutex<Result<RegionsView, String>>,
    turned: Mutex<Vec<RegionSwitch>>,
}

impl TwoRegions {
    fn new() -> Arc<Self> {
        let file =
            RegionFile { name: "sales.csv".to_owned(), kind: FileKind::Input, bytes: 12, parts: 1, arrived: Some(0) };
        let named = |name: &str| RegionView { name: name.to_owned(), reachable: true, ..RegionView::default() };
        let east = RegionView { active: true, files: Some(vec![file]), ..named("east") };
        let west = RegionView { lag_ms: Some(1500), pending: Some(1), files: Some(vec![]), ..named("west") };
        let view = RegionsView { epoch: 1, delay_ms: 2000, regions: vec![east, west] };
        Arc::new(Self { view: Mutex::new(Ok(view)), turned: Mutex::default() })
    }

    fn turned(&self) -> Vec<RegionSwitch> {
        std::mem::take(&mut *self.turned.lock().unwrap())
    }
}

#[async_trait]
impl RegionPanel for TwoRegions {
    async fn look(&self) -> Result<RegionsView, String> {
        self.view.lock().unwrap().clone()
    }

    async fn turn(&self, switch: RegionSwitch) -> Result<(), String> {
        if let Ok(view) = &mut *self.view.lock().unwrap() {
            let reachable = |view: &mut RegionsView, name: &str, yes: bool| {
                view.regions.iter_mut().filter(|r| r.name == name).for_each(|r| r.reachable = yes);
            };
            match &switch {
                RegionSwitch::CutOff { region } => reachable(view, region, false),
                RegionSwitch::BringBack { region } => reachable(view, region, true),
                RegionSwitch::Delay { by } => view.delay_ms = u64::try_from(by.as_millis()).unwrap(),
            }
        }
        self.turned.lock().unwrap().push(switch);
        Ok(())
    }
}

async fn world() -> (World, Arc<TwoRegions>) {
    let regions = TwoRegions::new();
    let panel = regions.clone();
    (World::with(|config| config.regions = Some(panel)).await, regions)
}

/// The next thing a page is told of the regions.
async fn news(events: &mut Events) -> Value {
    loop {
        let change = events.next().await.unwrap();
        if change["change"] == "regions" {
            return change;
        }
    }
}

#[tokio::test]
async fn a_page_is_told_of_both_regions_and_of_each_change() {
    let (world, regions) = world().await;
    let mut events = Events::of(&world, "U0VIEWER").await;
    let told = news(&mut events).await["regions"].take();
    assert_eq!((&told["epoch"], &told["delay_ms"]), (&json!(1), &json!(2000)));
    let file = json!({ "name": "sales.csv", "kind": "input", "bytes": 12, "parts": 1, "arrived": 0 });
    assert_eq!(
        told["regions"],
        json!([
            { "name": "east", "active": true, "reachable": true, "lag_ms": null, "pending": null, "files": [file],
              "more": 0 },
            { "name": "west", "active": false, "reachable": true, "lag_ms": 1500, "pending": 1, "files": [],
              "more": 0 },
        ])
    );
    let answer = world.post("/do/region", &json!({ "switch": "cut-off", "region": "east" })).await.json();
    assert_eq!((&answer["ok"], &answer["regions"]["regions"][0]["reachable"]), (&json!(true), &json!(false)));
    assert_eq!(news(&mut events).await["regions"]["regions"][0]["reachable"], false);
    *regions.view.lock().unwrap() = Err("the disk is gone".to_owned());
    assert_eq!(news(&mut events).await, json!({ "change": "regions", "trouble": "the disk is gone" }));
    world.playground.shut_down();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn every_switch_arrives_as_it_was_meant() {
    let (world, regions) = world().await;
    for (sent, meant) in [
        (json!({ "switch": "cut-off", "region": "west" }), RegionSwitch::CutOff { region: "west".to_owned() }),
        (json!({ "switch": "bring-back", "region": "west" }), RegionSwitch::BringBack { region: "west".to_owned() }),
        (json!({ "switch": "delay", "seconds": 0 }), RegionSwitch::Delay { by: Duration::ZERO }),
        (json!({ "switch": "delay", "seconds": 2.5 }), RegionSwitch::Delay { by: Duration::from_millis(2500) }),
    ] {
        assert_eq!(world.post("/do/region", &sent).await.status, 200, "{sent}");
        assert_eq!(regions.turned(), [meant]);
    }
}

#[tokio::test]
async fn a_wrong_switch_changes_nothing_and_says_what_would_be_right() {
    let (world, regions) = world().await;
    for (sent, said) in [
        (json!({}), "there is no switch \"\"; there are: cut-off, bring-back, delay"),
        (json!({ "switch": "blow-up" }), "there is no switch \"blow-up\"; there are: cut-off, bring-back, delay"),
        (json!({ "switch": "cut-off" }), "there is no region \"\"; there are: east, west"),
        (json!({ "switch": "cut-off", "region": "north" }), "there is no region \"north\"; there are: east, west"),
        (json!({ "switch": "delay" }), "a delay takes `seconds` from 0 to 600"),
        (json!({ "switch": "delay", "seconds": -1 }), "a delay takes `seconds` from 0 to 600"),
        (json!({ "switch": "delay", "seconds": 601 }), "a delay takes `seconds` from 0 to 600"),
    ] {
        let refused = world.post("/do/region", &sent).await;
        assert_eq!((refused.status, refused.text().as_str()), (400, said), "{sent}");
    }
    assert_eq!(world.post("/do/region", &json!({ "switch": "delay", "seconds": "soon" })).await.status, 422);
    let form = Request::post(world.url("/do/region")).header("content-type", "text/plain");
    assert_eq!(world.send(form, r#"{"switch":"cut-off","region":"east"}"#).await.unwrap().status, 415);
    let foreign = Request::post(world.url("/do/region")).header("content-type", "application/json");
    let foreign = foreign.header("origin", "https://evil.test");
    assert_eq!(world.send(foreign, r#"{"switch":"cut-off","region":"east"}"#).await.unwrap().status, 403);
    assert_eq!(regions.turned(), []);
}

#[tokio::test]
async fn with_one_region_there_is_nothing_to_switch_or_to_tell() {
    let world = World::new().await;
    let refused = world.post("/do/region", &json!({ "switch": "cut-off", "region": "local" })).await;
    assert_eq!((refused.status, refused.text().as_str()), (404, "this playground has only one region"));
    let mut events = Events::of(&world, "U0OPERATOR").await;
    assert_eq!(events.next().await.unwrap()["change"], "all");
    world.post_message(json!({ "channel": "C0BATCH", "text": "x" })).await;
    assert_eq!(events.next().await.unwrap()["change"], "message");
}
