//! `views.*` and submissions: triggers, the stack, hashes, field errors, and how a modal ends.

use serde_json::{Value, json};

use super::{Say, World, button, modal};
use crate::playground::{Act, Outcome, Place};

const USER: &str = "U0OPERATOR";

async fn trigger(world: &World) -> String {
    world.playground.type_command(USER, "C0BATCH", "/my-slack-bot").await;
    world.got_one().field("trigger_id")
}

/// Opens a modal and gives its id.
async fn opened(world: &World) -> String {
    let args = json!({ "trigger_id": trigger(world).await, "view": modal("One") });
    let answer = world.call("views.open", args).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer["view"]["id"].as_str().unwrap().to_owned()
}

/// Clicks the button in the top modal and gives the trigger.
async fn trigger_within(world: &World, view: &str) -> Value {
    let click = Act::click("", "more").at(Place::View(view.to_owned()));
    assert!(world.playground.act(USER, &click).await.is_ok());
    world.got_one().json()["trigger_id"].clone()
}

#[tokio::test]
async fn a_trigger_opens_one_modal_within_three_seconds() {
    let world = World::new().await;
    let open = |id: &str| json!({ "trigger_id": id, "view": modal("One") });
    assert_eq!(world.error("views.open", open("1.2.3")).await, "invalid_trigger_id");
    assert_eq!(world.error("views.open", json!({ "view": modal("One") })).await, "invalid_trigger_id");
    let late = trigger(&world).await;
    world.advance(4);
    assert_eq!(world.error("views.open", open(&late)).await, "expired_trigger_id");
    let good = trigger(&world).await;
    world.advance(3);
    let view = world.call("views.open", open(&good)).await;
    assert_eq!(
        (&view["view"]["private_metadata"], &view["view"]["root_view_id"]),
        (&json!("kept"), &view["view"]["id"])
    );
    assert_eq!(world.error("views.open", open(&good)).await, "exchanged_trigger_id");
    assert_eq!(world.playground.views(USER).len(), 1);
    assert!(world.playground.views("U0VIEWER").is_empty());
}

#[tokio::test]
async fn at_most_three_modals_stand_on_each_other() {
    let world = World::new().await;
    let outside = json!({ "trigger_id": trigger(&world).await, "view": modal("Two") });
    assert_eq!(world.error("views.push", outside).await, "not_found");
    let mut top = opened(&world).await;
    let root = top.clone();
    for _ in 0..2 {
        let args = json!({ "trigger_id": trigger_within(&world, &top).await, "view": modal("Two") });
        let pushed = world.call("views.push", args).await;
        assert_eq!((&pushed["view"]["root_view_id"], &pushed["view"]["previous_view_id"]), (&json!(root), &json!(top)));
        top = pushed["view"]["id"].as_str().unwrap().to_owned();
    }
    let fourth = json!({ "trigger_id": trigger_within(&world, &top).await, "view": modal("Four") });
    assert_eq!(world.error("views.push", fourth).await, "push_limit_reached");
    assert_eq!(world.playground.views(USER).len(), 3);
}

#[tokio::test]
async fn an_update_needs_the_view_and_its_latest_hash() {
    let world = World::new().await;
    let id = opened(&world).await;
    let hash = world.playground.views(USER)[0].hash.clone();
    let update = |hash: &str| json!({ "view_id": id, "hash": hash, "view": modal("Two") });
    let updated = world.call("views.update", update(&hash)).await;
    assert_eq!(updated["view"]["title"]["text"], "Two");
    assert_eq!(world.error("views.update", update(&hash)).await, "hash_conflict");
    let unknown = json!({ "view_id": "V0NONE", "view": modal("Two") });
    assert_eq!(world.error("views.update", unknown).await, "not_found");
    let mut named = modal("Three");
    named["external_id"] = json!("mine");
    assert_eq!(world.call("views.update", json!({ "view_id": id, "view": named })).await["ok"], true);
    assert_eq!(world.call("views.update", json!({ "external_id": "mine", "view": named })).await["ok"], true);
    world.playground.type_command("U0VIEWER", "C0BATCH", "/my-slack-bot").await;
    let second = json!({ "trigger_id": world.got_one().field("trigger_id"), "view": named });
    assert_eq!(world.error("views.open", second).await, "duplicate_external_id");
}

#[tokio::test]
async fn a_view_over_a_limit_is_refused_with_the_place() {
    let world = World::new().await;
    let open = |view: Value, id: String| json!({ "trigger_id": id, "view": view });
    let answer = world.call("views.open", open(modal(&"x".repeat(25)), trigger(&world).await)).await;
    assert_eq!(answer["error"], "invalid_arguments");
    let message = answer["response_metadata"]["messages"][0].as_str().unwrap();
    assert!(message.starts_with("[ERROR] ") && message.contains("[json-pointer:/view/title"), "{message}");
    assert_eq!(world.playground.notices().len(), 1);
    let mut large = modal("One");
    large["blocks"] =
        json!(vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2900) } }); 90]);
    assert_eq!(world.error("views.open", open(large, trigger(&world).await)).await, "view_too_large");
    let home = json!({ "type": "home", "blocks": [] });
    assert_eq!(world.error("views.open", open(home, trigger(&world).await)).await, "invalid_arguments");
    assert!(world.playground.views(USER).is_empty());
}

#[tokio::test]
async fn publishing_a_home_tab_has_errors_of_its_own() {
    let world = World::new().await;
    let publish = |user: &str, hash: Option<&str>| json!({ "user_id": user, "hash": hash, "view": { "type": "home", "blocks": [button("x")] } });
    assert_eq!(world.error("views.publish", publish("U0NONE", None)).await, "invalid_arguments");
    let first = world.call("views.publish", publish(USER, None)).await;
    let hash = first["view"]["hash"].as_str().unwrap().to_owned();
    let second = world.call("views.publish", publish(USER, Some(&hash))).await;
    assert_eq!(second["view"]["id"], first["view"]["id"]);
    assert_eq!(world.error("views.publish", publish(USER, Some(&hash))).await, "hash_conflict");
    let off = World::with(|config| config.workspace.app.home = false).await;
    assert_eq!(off.error("views.publish", publish(USER, None)).await, "not_enabled");
}

#[tokio::test]
async fn a_submission_carries_what_was_filled_in() {
    let world = World::new().await;
    let id = opened(&world).await;
    let empty = world.playground.submit(USER, &id, &json!({})).await;
    assert_eq!(empty.errors, [("why".to_owned(), "Please complete this required field.".to_owned())]);
    assert!(world.got().is_empty(), "Slack's client found the error itself");
    assert!(world.playground.submit(USER, &id, &json!({ "why": "because" })).await.is_ok());
    let payload = world.got_one().json();
    assert_eq!(payload["type"], "view_submission");
    assert_eq!(
        payload["view"]["state"]["values"]["why"]["text"],
        json!({ "type": "plain_text_input", "value": "because" })
    );
    assert_eq!((&payload["view"]["callback_id"], &payload["view"]["private_metadata"]), (&json!("c"), &json!("kept")));
    assert_eq!(payload["response_urls"], json!([]));
    assert!(world.playground.views(USER).is_empty(), "an empty answer closes the modal");
    let closed = world.playground.submit(USER, &id, &json!({ "why": "x" })).await;
    assert!(matches!(closed.outcome, Outcome::NotSent(_)));
}

#[tokio::test]
async fn the_bot_answers_a_submission_with_errors_update_push_or_clear() {
    let world = World::new().await;
    let id = opened(&world).await;
    let why = json!({ "why": "because" });
    world.bot_says(Say::Json(json!({ "response_action": "errors", "errors": { "why": "not good enough" } })));
    let refused = world.playground.submit(USER, &id, &why).await;
    assert_eq!((refused.is_ok(), refused.errors.len(), refused.errors[0].1.as_str()), (false, 1, "not good enough"));
    world.bot_says(Say::Json(json!({ "response_action": "push", "view": modal("Pushed") })));
    world.playground.submit(USER, &id, &why).await;
    let stack = world.playground.views(USER);
    assert_eq!((stack.len(), stack[1].text("title"), stack[1].previous.as_deref()), (2, "Pushed", Some(id.as_str())));
    world.bot_says(Say::Json(json!({ "response_action": "update", "view": modal("Updated") })));
    world.playground.submit(USER, &stack[1].id, &why).await;
    let stack = world.playground.views(USER);
    assert_eq!((stack.len(), stack[1].text("title")), (2, "Updated"));
    world.playground.submit(USER, &stack[1].id, &why).await;
    assert_eq!(world.playground.views(USER).len(), 1, "an empty answer goes back one");
    world.bot_says(Say::Json(json!({ "response_action": "clear" })));
    world.playground.submit(USER, &id, &why).await;
    assert!(world.playground.views(USER).is_empty());
}

#[tokio::test]
async fn a_modal_stays_open_when_the_bot_fails_or_answers_with_what_slack_refuses() {
    let world = World::new().await;
    let id = opened(&world).await;
    world.bot_says(Say::Status(500));
    assert_eq!(world.playground.submit(USER, &id, &json!({ "why": "x" })).await.outcome, Outcome::DispatchFailed);
    world.bot_says(Say::Json(json!({ "response_action": "update", "view": modal(&"x".repeat(30)) })));
    assert_eq!(world.playground.submit(USER, &id, &json!({ "why": "x" })).await.outcome, Outcome::DispatchFailed);
    assert_eq!(world.playground.views(USER).len(), 1);
    assert_eq!(world.playground.notices().len(), 1);
}

#[tokio::test]
async fn closing_is_heard_by_a_bot_that_asked() {
    let world = World::new().await;
    let id = opened(&world).await;
    assert!(world.playground.close(USER, &id, true).await.is_ok());
    let payload = world.got_one().json();
    assert_eq!((&payload["type"], &payload["is_cleared"]), (&json!("view_closed"), &json!(true)));
    assert!(world.playground.views(USER).is_empty());
    let mut silent = modal("One");
    silent["notify_on_close"] = json!(false);
    let view = world.call("views.open", json!({ "trigger_id": trigger(&world).await, "view": silent })).await;
    world.playground.close(USER, view["view"]["id"].as_str().unwrap(), false).await;
    assert!(world.got().is_empty());
}
