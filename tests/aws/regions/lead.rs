//! One region leads: nobody takes the lead before it has run out, and who lost it knows before that.

use super::support::{LASTS, World, region};
use std::time::Duration;
use switchman::aws::Lead;
use switchman::aws::regions::{Held, SKEW};
use switchman::ports::Clock;

async fn holds(lead: &Lead, world: &World) -> bool {
    let now = world.clock().now();
    let held = lead.hold(now).await.unwrap();
    let mine = matches!(held, Held::Mine { .. });
    assert_eq!(lead.may_act(now), mine);
    mine
}

fn seconds(span: jiff::SignedDuration) -> Duration {
    Duration::try_from(span).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_regions_that_race_for_the_lead_one_has_it() {
    for _ in 0..5 {
        let world = World::new().await;
        let leads = [world.lead(0), world.lead(1), world.lead(0), world.lead(1)];
        let now = world.clock().now();
        let held = futures_util::future::join_all(leads.iter().map(|lead| lead.hold(now))).await;
        let acts = |at: usize| leads[at].may_act(now);
        assert_ne!(acts(0) || acts(2), acts(1) || acts(3), "{held:?}");
        let winner = usize::from(acts(1) || acts(3));
        for (at, held) in held.into_iter().enumerate() {
            match held.unwrap() {
                Held::Mine { .. } => assert_eq!(at % 2, winner),
                Held::Other { region: other, .. } => assert_eq!(other, region(winner)),
            }
        }
    }
}

#[tokio::test]
async fn the_lead_is_taken_over_only_after_it_ran_out_and_who_was_cut_off_has_stopped_by_then() {
    let world = World::new().await;
    let (old, new) = (world.lead(0), world.lead(1));
    assert!(holds(&old, &world).await && !holds(&new, &world).await);
    // The old one is cut off: it asks nobody any more, and goes by its own clock.
    world.clock().advance(seconds(LASTS - SKEW - jiff::SignedDuration::from_millis(1)));
    assert!(old.may_act(world.clock().now()) && !holds(&new, &world).await);
    world.clock().advance(Duration::from_millis(1));
    assert!(!old.may_act(world.clock().now()), "it stops before anybody else may begin");
    assert!(!holds(&new, &world).await);
    world.clock().advance(seconds(SKEW * 2));
    assert!(holds(&new, &world).await);
    assert!(!holds(&old, &world).await, "it learns of it");
}

#[tokio::test]
async fn the_bots_of_a_region_share_the_lead_and_each_renews_it() {
    let world = World::new().await;
    let (one, two, other) = (world.lead(0), world.lead(0), world.lead(1));
    for n in 0..6 {
        assert!(holds(if n % 2 == 0 { &one } else { &two }, &world).await);
        assert!(!holds(&other, &world).await);
        world.clock().advance(seconds(LASTS - SKEW * 2));
    }
}

#[tokio::test]
async fn who_stops_gives_the_lead_up_but_never_that_of_another_bot_of_its_region() {
    let world = World::new().await;
    let (one, two, other) = (world.lead(0), world.lead(0), world.lead(1));
    assert!(holds(&one, &world).await && holds(&two, &world).await);
    for stopping in [&two, &one] {
        stopping.give_up(world.clock().now()).await.unwrap();
        assert!(!stopping.may_act(world.clock().now()));
    }
    world.clock().advance(seconds(SKEW * 2));
    assert!(!holds(&other, &world).await, "another bot of the region might still act");
    assert!(holds(&one, &world).await);
    // The other one has stopped long ago.
    world.clock().advance(seconds(LASTS - SKEW));
    assert!(holds(&one, &world).await);
    world.clock().advance(seconds(SKEW));
    assert!(holds(&one, &world).await);
    one.give_up(world.clock().now()).await.unwrap();
    assert!(!holds(&other, &world).await, "what was committed last has to arrive first");
    world.clock().advance(seconds(SKEW * 2));
    assert!(holds(&other, &world).await);
    one.give_up(world.clock().now()).await.unwrap();
    assert!(holds(&other, &world).await);
}
