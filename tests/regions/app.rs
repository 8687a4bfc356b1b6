//! The whole bot with two regions.

use super::support::{east, tree, west};
use crate::harness::bot::{Bot, Setup};
use std::time::Duration;
use switchman::domain::run::RunState;
use switchman::ports::Regions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_the_first_region_stands_in_the_second_a_little_later() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await;
    assert_eq!((run.current().state, run.current().region.clone()), (RunState::Succeeded, Some(east())));
    bot.replicate().await;
    bot.clock.advance(Duration::from_secs(2));
    bot.replicate().await;
    let output = tree(&bot.path("output"));
    assert_eq!(output.len(), 2);
    assert_eq!(tree(&bot.path("var/regions/west/output/sales")), output);
    assert_eq!(bot.regions().replication(&east(), &west()).await.unwrap().pending, Some(0));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_regions_no_folder_changes() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    bot.replicate().await;
    let data: Vec<_> = tree(&bot.path("var")).into_iter().map(|(name, _)| name).collect();
    let of_regions = ["regions/", "drills/", "publish.lock", "replication.lock"];
    assert!(data.iter().all(|name| of_regions.iter().all(|other| !name.starts_with(other))), "{data:?}");
    bot.finish().await;
}
