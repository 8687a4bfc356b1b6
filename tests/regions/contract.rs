//! What every adapter of [`Regions`] must do: one record says which region is active, and whoever switches it says from which epoch.

use std::sync::Arc;
use switchman::domain::id::RegionName;
use switchman::ports::{Kind, Regions};

/// At least two regions of their own, which several processes can open.
pub(crate) trait RegionsBackend {
    fn fresh() -> Self;
    /// Opens them as one more process would. Within a runtime.
    fn regions(&self) -> Arc<dyn Regions>;
}

macro_rules! regions_contract {
    ($backend:ty: $($test:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            crate::regions::contract::$test(&<$backend as crate::regions::contract::RegionsBackend>::fresh()).await;
        })+
    };
    ($backend:ty) => {
        regions_contract! { $backend:
            the_first_region_is_active_until_somebody_switches,
            a_switch_raises_the_epoch_and_everybody_sees_it,
            a_switch_that_is_repeated_changes_nothing,
            a_switch_from_another_epoch_is_a_conflict_and_changes_nothing,
            of_many_switches_at_once_one_wins,
            there_is_no_way_to_a_region_that_is_not_there,
            each_region_has_a_site_of_its_own,
        }
    };
}

fn second(regions: &dyn Regions) -> RegionName {
    regions.names()[1].clone()
}

pub(crate) async fn the_first_region_is_active_until_somebody_switches(backend: &impl RegionsBackend) {
    let regions = backend.regions();
    let active = regions.active().await.unwrap();
    assert_eq!((&active.region, active.epoch), (&regions.names()[0], 1));
    assert_eq!(backend.regions().active().await.unwrap(), active);
}

pub(crate) async fn a_switch_raises_the_epoch_and_everybody_sees_it(backend: &impl RegionsBackend) {
    let (regions, other) = (backend.regions(), backend.regions());
    let to = second(&*regions);
    let active = regions.switch(1, &to).await.unwrap();
    assert_eq!((&active.region, active.epoch), (&to, 2));
    assert_eq!(other.active().await.unwrap(), active);
    let back = other.switch(2, &regions.names()[0]).await.unwrap();
    assert_eq!((&back.region, back.epoch), (&regions.names()[0], 3));
    assert_eq!(regions.active().await.unwrap(), back);
}

pub(crate) async fn a_switch_that_is_repeated_changes_nothing(backend: &impl RegionsBackend) {
    let (regions, other) = (backend.regions(), backend.regions());
    let to = second(&*regions);
    let active = regions.switch(1, &to).await.unwrap();
    for again in [&regions, &other] {
        assert_eq!(again.switch(1, &to).await.unwrap(), active, "the same switch, the same answer");
    }
    assert_eq!(regions.active().await.unwrap(), active);
}

pub(crate) async fn a_switch_from_another_epoch_is_a_conflict_and_changes_nothing(backend: &impl RegionsBackend) {
    let regions = backend.regions();
    let (first, to) = (regions.names()[0].clone(), second(&*regions));
    for epoch in [0, 2, 9] {
        assert_eq!(regions.switch(epoch, &to).await.unwrap_err().kind, Kind::Conflict);
    }
    assert_eq!(regions.active().await.unwrap().epoch, 1);
    let active = regions.switch(1, &to).await.unwrap();
    assert_eq!(regions.switch(1, &first).await.unwrap_err().kind, Kind::Conflict, "another target is another switch");
    assert_eq!(regions.active().await.unwrap(), active);
}

pub(crate) async fn of_many_switches_at_once_one_wins(backend: &impl RegionsBackend) {
    let processes = [backend.regions(), backend.regions()];
    for round in 1..=5 {
        let switches: Vec<_> = (0..8)
            .map(|n| {
                let regions = processes[n % 2].clone();
                let to = regions.names()[n / 2 % 2].clone();
                tokio::spawn(async move { (regions.switch(round, &to).await, to) })
            })
            .collect();
        let mut won = Vec::new();
        for switch in switches {
            match switch.await.unwrap() {
                (Ok(active), to) => won.push((active, to)),
                (Err(error), _) => assert_eq!(error.kind, Kind::Conflict, "{error}"),
            }
        }
        let active = processes[0].active().await.unwrap();
        assert_eq!(active.epoch, round + 1, "exactly one");
        assert!(!won.is_empty() && won.iter().all(|(told, to)| *told == active && *to == active.region), "{won:?}");
    }
}

pub(crate) async fn there_is_no_way_to_a_region_that_is_not_there(backend: &impl RegionsBackend) {
    let regions = backend.regions();
    let nowhere = RegionName::parse("nowhere").unwrap();
    assert!(regions.site(&nowhere).is_none());
    assert_eq!(regions.switch(1, &nowhere).await.unwrap_err().kind, Kind::Permanent);
    assert_eq!(regions.active().await.unwrap().epoch, 1);
}

pub(crate) async fn each_region_has_a_site_of_its_own(backend: &impl RegionsBackend) {
    let regions = backend.regions();
    assert!(regions.names().len() > 1);
    for name in regions.names() {
        assert_eq!(regions.site(name).unwrap().region, *name);
    }
    let (active, site) = regions.here().await.unwrap();
    assert_eq!(site.region, active.region);
}
