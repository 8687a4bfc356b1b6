//! A drill works on a copy beside the real results, and leaves nothing.

use super::support::{World, region, sales};
use crate::contract::samples::key;
use switchman::domain::id::RequestId;
use switchman::ports::{ArtifactKind, Kind, Regions};

fn drill(id: &str) -> RequestId {
    RequestId::parse(id).unwrap()
}

async fn text(world: &World, at: usize, name: &str) -> String {
    let found = world.s3(at).get_object().bucket(world.bucket(at)).key(name).send().await.unwrap();
    String::from_utf8(found.body.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_sandbox_has_what_each_run_has_left_and_the_real_inputs() {
    let world = World::new().await;
    let (mine, other) = (key(1), key(2));
    let left = ["request.json", "parts/0.output", "done/0000-1-10-2-0", "output.csv", "ended.json"];
    for name in left {
        world.put(1, &format!("runs/{mine}/{name}"), name).await;
        world.put(1, &format!("runs/{other}/{name}"), name).await;
    }
    world.put(1, "input/sales/may 1+1.csv", "a,b\n").await;
    let before = world.keys(1).await;
    let regions = world.open(0);
    let site = regions.sandbox(&region(1), &drill("q-7k3f")).await.unwrap();
    assert_eq!(world.keys(1).await, before, "nothing is copied before it is needed");
    assert_eq!(site.files.inputs(&sales()).await.unwrap().len(), 1);
    let output = site.files.artifact(&mine, ArtifactKind::Output).await.unwrap().unwrap();
    assert_eq!(site.files.read(&output, 0, 99).await.unwrap(), b"output.csv");
    for name in left {
        assert_eq!(text(&world, 1, &format!("sandbox/q-7k3f/runs/{mine}/{name}")).await, name);
    }
    assert!(!world.keys(1).await.iter().any(|key| key.starts_with(&format!("sandbox/q-7k3f/runs/{other}"))));
    let error = site.files.put_input(&sales(), &output_name(), b"x").await.unwrap_err();
    assert_eq!(error.kind, Kind::Permanent);
    // What is done in it stays in it; another bot has the same place, and copies nothing over what was done there.
    world.put(1, &format!("sandbox/q-7k3f/runs/{mine}/output.csv"), "done in the drill").await;
    let same = world.open(1).sandbox(&region(1), &drill("q-7k3f")).await.unwrap();
    assert_eq!(same.files.artifact(&mine, ArtifactKind::Output).await.unwrap().unwrap().bytes, 17);
    assert_eq!(text(&world, 1, &format!("runs/{mine}/output.csv")).await, "output.csv");
    world.put(1, "sandbox/q-7k3f2/runs/x", "of another drill").await;
    regions.clear_sandbox(&drill("q-7k3f")).await.unwrap();
    regions.clear_sandbox(&drill("q-7k3f")).await.unwrap();
    let mut expected = before;
    expected.push("sandbox/q-7k3f2/runs/x".to_owned());
    assert_eq!(world.keys(1).await, expected);
}

fn output_name() -> switchman::domain::id::FileName {
    switchman::domain::id::FileName::parse("new.csv").unwrap()
}

#[tokio::test]
async fn a_sandbox_is_in_a_region_that_is_there_and_answers() {
    let world = World::new().await;
    let nowhere = switchman::domain::id::RegionName::parse("nowhere").unwrap();
    let Err(error) = world.open(0).sandbox(&nowhere, &drill("q-7k3f")).await else { panic!("there is no such region") };
    assert_eq!(error.kind, Kind::Permanent);
    let lost = world.with_lost(&world.through("http://127.0.0.1:9"));
    let site = lost.sandbox(&region(0), &drill("q-7k3f")).await.unwrap();
    let error = site.engine.describe(&key(1)).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Transient { .. }), "{error}");
    let error = lost.clear_sandbox(&drill("q-7k3f")).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous), "{error}");
}
