//! After a switch others are told of it. Where one does not take it, the switch holds and people are told what to do by hand.

use crate::harness::bot::{Bot, Setup, Wrap};
use crate::harness::moves::WEST;
use crate::harness::regions::with_routes;
use std::sync::Arc;
use switchman::domain::failover::FailOverState;
use switchman::ports::{Kind, PortError};

const GATES: [&str; 4] = ["the quick gate", "the slow gate", "the dark gate", "the locked gate"];

fn told(gate: &str, before: usize) -> Result<(), PortError> {
    let dark = || Err(PortError::transient(format!("{gate} does not answer. By hand: turn {gate}")));
    match gate {
        "the slow gate" if before < 2 => dark(),
        "the dark gate" => dark(),
        "the locked gate" => Err(PortError::new(Kind::Denied, format!("{gate} is <locked>. By hand: turn {gate}"))),
        _ => Ok(()),
    }
}

fn gates() -> Wrap {
    Arc::new(|mut ctx| {
        ctx.regions = with_routes(ctx.regions, &GATES, told);
        ctx
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_holds_whatever_becomes_of_the_routing_and_people_see_what_to_do_by_hand() {
    let bot = Bot::with(Setup { regions: true, wrap: Some(gates()), ..Setup::default() }).await;
    bot.move_to("fail-over west", WEST).await;
    bot.settle().await;
    assert_eq!(bot.active().await, (WEST.to_owned(), 2));
    let record = bot.last_move().await;
    assert_eq!(record.state, FailOverState::Finished);
    let mut routed = record.routed.clone();
    routed.sort_by_key(|routed| GATES.iter().position(|gate| *gate == routed.name));
    let names: Vec<_> = routed.iter().map(|routed| (routed.name.as_str(), routed.failure.is_some())).collect();
    assert_eq!(names, [(GATES[0], false), (GATES[1], false), (GATES[2], true), (GATES[3], true)]);
    let shown = bot.channel();
    for gate in &GATES[..2] {
        assert!(shown.contains(&format!("Routing: {gate} sends requests to")), "{shown}");
    }
    for gate in &GATES[2..] {
        assert!(shown.contains(&format!("Routing: {gate} failed, do it by hand:")), "{shown}");
        assert!(shown.contains(&format!("By hand: turn {gate}")), "{shown}");
    }
    let trail = bot.ports().store.audit(0, 1_000).await.unwrap();
    let said: Vec<_> =
        trail.iter().filter(|r| r.draft.action.starts_with("route ")).map(|r| r.draft.result.as_str()).collect();
    assert_eq!(said.iter().filter(|result| **result == "done").count(), 2, "{said:?}");
    assert_eq!(said.iter().filter(|result| result.starts_with("failed: ")).count(), 2, "{said:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_routes_nothing() {
    let wrap: Wrap = Arc::new(|mut ctx| {
        ctx.regions = with_routes(ctx.regions, &GATES, |gate, _| panic!("{gate} was told of a drill"));
        ctx
    });
    let bot = Bot::with(Setup { regions: true, wrap: Some(wrap), ..Setup::default() }).await;
    bot.move_to("fail-over west drill", WEST).await;
    bot.settle().await;
    assert!(bot.last_move().await.routed.is_empty());
    bot.finish().await;
}
