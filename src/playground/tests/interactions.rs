//! What the bot is sent when people type and click, and what becomes of its answers.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{SECRET, SHORT, Say, World, button, section};
use crate::playground::{Act, Member, Outcome, Place};
use crate::slack::signature::verify;

const TYPED: &str = "/my-slack-bot start-batch sales";

async fn type_it(world: &World, text: &str) -> crate::playground::Ack {
    world.playground.type_command("U0OPERATOR", "C0BATCH", text).await
}

async fn message_with_button(world: &World) -> String {
    let args = json!({ "channel": "C0BATCH", "text": "x", "blocks": [section("x"), button("go")] });
    world.post_message(args).await
}

#[tokio::test]
async fn a_slash_command_has_all_fields_and_a_good_signature() {
    let world = World::new().await;
    assert!(type_it(&world, "/my-slack-bot  why @viewer & co ").await.is_ok());
    let got = world.got_one();
    let names: Vec<String> = got.form().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names.join(" "),
        "token team_id team_domain channel_id channel_name user_id user_name command text api_app_id \
         is_enterprise_install response_url trigger_id"
    );
    assert_eq!(got.field("text"), "why <@U0VIEWER|viewer> &amp; co");
    assert_eq!((got.field("command").as_str(), got.field("channel_name").as_str()), ("/my-slack-bot", "batch"));
    assert!(got.field("response_url").starts_with(&format!("{}/response/commands/T0LOCAL/", world.base)));
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    let stamp = header("x-slack-request-timestamp");
    let now = Timestamp::from_second(stamp.parse().unwrap()).unwrap();
    let secrets = [SecretString::from(SECRET)];
    verify(&secrets, &stamp, &header("x-slack-signature"), got.body.clone(), now).unwrap();
}

#[tokio::test]
async fn an_enterprise_grid_names_itself_and_an_org_install_has_no_team() {
    let world = World::with(|config| {
        config.workspace.team.enterprise = Some(("E0GRID".to_owned(), "Grid".to_owned()));
        config.workspace.team.org_install = true;
    })
    .await;
    type_it(&world, TYPED).await;
    let form = world.got_one();
    assert_eq!(
        (form.field("enterprise_id").as_str(), form.field("is_enterprise_install").as_str()),
        ("E0GRID", "true")
    );
    let ts = message_with_button(&world).await;
    world.playground.click("U0OPERATOR", &ts, "go").await;
    let payload = world.got_one().json();
    assert_eq!((&payload["team"], &payload["enterprise"]["id"]), (&Value::Null, &json!("E0GRID")));
    assert_eq!(payload["is_enterprise_install"], true);
}

#[tokio::test]
async fn the_answer_to_a_command_is_shown_to_who_it_is_for() {
    let world = World::new().await;
    world.bot_says(Say::Text("only you"));
    world.bot_says(Say::Json(json!({ "text": "only you too", "blocks": [section("blocks")] })));
    world.bot_says(Say::Json(json!({ "response_type": "in_channel", "text": "everybody" })));
    world.bot_says(Say::Json(json!({})));
    for _ in 0..4 {
        assert!(type_it(&world, TYPED).await.is_ok());
    }
    let private: Vec<String> = world.playground.ephemerals("U0OPERATOR").into_iter().map(|m| m.text).collect();
    assert_eq!(private, ["only you", "only you too"]);
    let public: Vec<String> = world.playground.messages("C0BATCH").into_iter().map(|m| m.text).collect();
    assert_eq!(public, [TYPED, "everybody"]);
}

#[tokio::test]
async fn a_bot_that_does_not_acknowledge_is_told_off_as_slack_does() {
    let world = World::with(|config| config.ack_timeout = SHORT).await;
    world.bot_says(Say::Nothing);
    assert_eq!(type_it(&world, TYPED).await.outcome, Outcome::OperationTimeout);
    world.bot_says(Say::Status(500));
    assert_eq!(type_it(&world, TYPED).await.outcome, Outcome::DispatchFailed);
    world.playground.set_bot_url("http://127.0.0.1:1/slack/events");
    assert_eq!(type_it(&world, TYPED).await.outcome, Outcome::DispatchFailed);
    let said: Vec<String> = world.playground.ephemerals("U0OPERATOR").into_iter().map(|m| m.text).collect();
    let failed = |code: &str| format!("`/my-slack-bot` failed with the error \"{code}\"");
    assert_eq!(said, [failed("operation_timeout"), failed("dispatch_failed"), failed("dispatch_failed")]);
}

#[tokio::test]
async fn slacks_client_does_not_send_what_slack_would_not() {
    let world = World::new().await;
    let playground = &world.playground;
    playground.add_member(Member::new("U0GONE", "gone", "Gone", "").deactivated());
    playground.set_member_in("C0BATCH", "U0STRANGER", false);
    for (user, channel, text) in [
        ("U0GONE", "C0BATCH", TYPED),
        ("U0NOBODY", "C0BATCH", TYPED),
        ("U0STRANGER", "C0BATCH", TYPED),
        ("U0OPERATOR", "C0NONE", TYPED),
        ("U0OPERATOR", "C0BATCH", "/other"),
    ] {
        let ack = playground.type_command(user, channel, text).await;
        assert!(matches!(ack.outcome, Outcome::NotSent(_)), "{user} {channel} {text}");
    }
    playground.archive("C0BATCH", true);
    assert!(matches!(type_it(&world, TYPED).await.outcome, Outcome::NotSent(_)));
    assert!(world.got().is_empty());
}

#[tokio::test]
async fn plain_text_goes_into_the_channel_and_not_to_the_bot() {
    let world = World::new().await;
    assert!(type_it(&world, "hello @viewer").await.is_ok());
    assert!(world.got().is_empty());
    assert_eq!(world.playground.messages("C0BATCH")[0].text, "hello <@U0VIEWER|viewer>");
}

#[tokio::test]
async fn a_click_carries_message_container_state_and_action() {
    let world = World::new().await;
    let ts = message_with_button(&world).await;
    assert!(world.playground.click("U0OPERATOR", &ts, "go").await.is_ok());
    let payload = world.got_one().json();
    assert_eq!(payload["type"], "block_actions");
    let container = json!({ "type": "message", "message_ts": ts, "channel_id": "C0BATCH", "is_ephemeral": false });
    assert_eq!(payload["container"], container);
    assert_eq!(payload["channel"], json!({ "id": "C0BATCH", "name": "batch" }));
    assert_eq!(payload["user"]["team_id"], "T0LOCAL");
    assert_eq!(payload["message"]["ts"], ts.as_str());
    let action = &payload["actions"][0];
    assert_eq!(
        (&action["block_id"], &action["value"], &action["type"]),
        (&json!("a"), &json!("r-1"), &json!("button"))
    );
    assert!(payload["trigger_id"].is_string() && payload["response_url"].is_string());
    assert!(matches!(world.playground.click("U0OPERATOR", &ts, "none").await.outcome, Outcome::NotSent(_)));
}

#[tokio::test]
async fn a_button_that_an_edit_removed_is_clicked_only_on_a_stale_screen() {
    let world = World::new().await;
    let ts = message_with_button(&world).await;
    world.call("chat.update", json!({ "channel": "C0BATCH", "ts": ts, "text": "decided" })).await;
    assert!(matches!(world.playground.click("U0OPERATOR", &ts, "go").await.outcome, Outcome::NotSent(_)));
    assert!(world.got().is_empty());
    assert!(world.playground.act("U0OPERATOR", &Act::click(&ts, "go").stale()).await.is_ok());
    assert_eq!(world.got_one().json()["actions"][0]["value"], "r-1");
}

#[tokio::test]
async fn a_choice_stands_in_the_action_and_in_the_state() {
    let world = World::new().await;
    let option = |v: &str| json!({ "text": { "type": "plain_text", "text": v }, "value": v });
    let menu = json!({ "type": "actions", "block_id": "m", "elements": [{ "type": "static_select", "action_id": "pick",
        "placeholder": { "type": "plain_text", "text": "p" }, "options": [option("x"), option("y")] }] });
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "x", "blocks": [menu, button("go")] })).await;
    world.playground.act("U0OPERATOR", &Act::click(&ts, "pick").choose("y")).await;
    let payload = world.got_one().json();
    assert_eq!(payload["actions"][0]["selected_option"]["value"], "y");
    assert_eq!(payload["state"]["values"]["m"]["pick"]["selected_option"]["value"], "y");
    let mut click = Act::click(&ts, "go").in_block("a");
    click.values = json!({ "m": { "pick": "x" } });
    world.playground.act("U0OPERATOR", &click).await;
    assert_eq!(world.got_one().json()["state"]["values"]["m"]["pick"]["selected_option"]["value"], "x");
}

#[tokio::test]
async fn a_response_url_takes_five_posts_in_thirty_minutes() {
    let world = World::new().await;
    type_it(&world, TYPED).await;
    let url = world.got_one().field("response_url");
    for n in 1..=5 {
        assert_eq!(world.post(&url, &json!({ "text": format!("{n}") })).await.status, 200);
    }
    let sixth = world.post(&url, &json!({ "text": "6" })).await;
    assert_eq!((sixth.status, sixth.json()["error"].as_str().unwrap()), (404, "used_url"));
    assert_eq!(world.playground.ephemerals("U0OPERATOR").len(), 5);
    type_it(&world, TYPED).await;
    let url = world.got_one().field("response_url");
    world.advance(30 * 60 + 1);
    let late = world.post(&url, &json!({ "text": "late" })).await;
    assert_eq!((late.status, late.json()["error"].as_str().unwrap()), (404, "expired_url"));
    let guessed = world.post("/response/commands/T0LOCAL/1/00", &json!({ "text": "x" })).await;
    assert_eq!((guessed.status, guessed.json()["error"].as_str().unwrap()), (404, "no_such_url"));
}

#[tokio::test]
async fn a_response_url_replaces_and_deletes_the_message_it_came_from() {
    let world = World::new().await;
    world.bot_says(Say::Json(json!({ "text": "menu", "blocks": [button("go")] })));
    type_it(&world, TYPED).await;
    let ts = world.playground.ephemerals("U0OPERATOR")[0].ts.clone();
    world.got();
    world.playground.click("U0OPERATOR", &ts, "go").await;
    let payload = world.got_one().json();
    assert_eq!((&payload["container"]["is_ephemeral"], payload.get("message")), (&json!(true), None));
    let url = payload["response_url"].as_str().unwrap();
    world.post(url, &json!({ "replace_original": true, "text": "replaced" })).await;
    let all = world.playground.ephemerals("U0OPERATOR");
    assert_eq!((all.len(), all[0].text.as_str(), all[0].blocks.len()), (1, "replaced", 0));
    world.post(url, &json!({ "response_type": "in_channel", "text": "for all" })).await;
    assert_eq!(world.playground.messages("C0BATCH")[0].text, "for all");
    world.post(url, &json!({ "delete_original": true })).await;
    assert!(world.playground.ephemerals("U0OPERATOR").is_empty());
    assert_eq!(world.post(url, &json!({ "blocks": "{" })).await.status, 400);
}

#[tokio::test]
async fn the_home_tab_is_asked_for_with_an_event() {
    let world = World::new().await;
    assert!(world.playground.open_home("U0VIEWER").await.is_ok());
    let event = world.got_one().json();
    assert_eq!((&event["type"], &event["event"]["type"]), (&json!("event_callback"), &json!("app_home_opened")));
    assert_eq!((&event["event"]["user"], &event["event"]["tab"]), (&json!("U0VIEWER"), &json!("home")));
    let home = json!({ "type": "home", "blocks": [button("refresh")] });
    let published = world.call("views.publish", json!({ "user_id": "U0VIEWER", "view": home })).await;
    assert_eq!(published["ok"], true, "{published}");
    let refresh = Act::click("", "refresh").at(Place::Home);
    assert!(world.playground.act("U0VIEWER", &refresh).await.is_ok());
    let payload = world.got_one().json();
    assert_eq!((&payload["view"]["type"], &payload["container"]["type"]), (&json!("home"), &json!("view")));
    assert!(matches!(world.playground.act("U0OPERATOR", &refresh).await.outcome, Outcome::NotSent(_)));
}

#[tokio::test]
async fn the_url_verification_is_answered_with_the_challenge() {
    let world = World::new().await;
    world.bot_says(Say::Json(json!({ "challenge": "abc" })));
    assert_eq!(world.playground.verify_url("abc").await.body["challenge"], "abc");
    assert_eq!(world.got_one().json()["type"], "url_verification");
}

#[tokio::test]
async fn the_transcript_reads_like_a_chat() {
    let world = World::new().await;
    world.bot_says(Say::Text("On it."));
    type_it(&world, TYPED).await;
    let ts = message_with_button(&world).await;
    world.playground.click("U0OPERATOR", &ts, "go").await;
    world.call("chat.update", json!({ "channel": "C0BATCH", "ts": ts, "text": "Done, <@U0OPERATOR>." })).await;
    assert_eq!(
        world.playground.transcript(),
        "Operator> /my-slack-bot start-batch sales\n\
         Switchman (only Operator): On it.\n\
         Switchman: x\n    [Go]\n\
         Operator clicks [Go]\n\
         Switchman edits: Done, @Operator."
    );
}
