//! Real-looking requests of every kind, broken ones, and arbitrary bytes.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const FORM_UTF8: &str = "application/x-www-form-urlencoded; charset=utf-8";

fn slash(change: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut fields = vec![
        ("token", "xyzz0WbapA4vBCDEFasx0q6G"),
        ("team_id", "T0LOCAL"),
        ("team_domain", "local"),
        ("channel_id", "C0BATCH"),
        ("channel_name", "batch"),
        ("user_id", "U0OPERATOR"),
        ("user_name", "operator"),
        ("command", "/my-slack-bot"),
        ("text", "start-batch sales"),
        ("api_app_id", "A0SWITCH"),
        ("is_enterprise_install", "false"),
        ("response_url", "https://hooks.slack.com/commands/T0LOCAL/1/x"),
        ("trigger_id", "1.2.3"),
        ("a_field_of_the_future", "x"),
    ];
    for (name, value) in change {
        fields.retain(|(found, _)| found != name);
        fields.extend(value.map(|value| (*name, value)));
    }
    serde_urlencoded::to_string(fields).unwrap().into_bytes()
}

fn interaction(payload: &Value) -> Result<Inbound, InboundError> {
    let body = serde_urlencoded::to_string([("payload", payload.to_string())]).unwrap();
    read(FORM, body.as_bytes())
}

fn event(payload: &Value) -> Result<Inbound, InboundError> {
    read("application/json", payload.to_string().as_bytes())
}

fn click() -> Value {
    json!({
        "type": "block_actions",
        "team": {"id": "T0LOCAL", "domain": "local"},
        "enterprise": null,
        "is_enterprise_install": false,
        "user": {"id": "U0OPERATOR", "username": "operator", "name": "operator", "team_id": "T0LOCAL"},
        "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": "C0BATCH", "is_ephemeral": false},
        "channel": {"id": "C0BATCH", "name": "batch"},
        "message": {"ts": "1700000000.000100", "text": "x"},
        "state": {"values": {}},
        "trigger_id": "1.2.3",
        "response_url": "https://hooks.slack.com/actions/T0LOCAL/1/x",
        "actions": [{"type": "button", "block_id": "run", "action_id": "reprocess", "value": "r-7k3f.1", "action_ts": "1700000001.5"}],
    })
}

fn submission() -> Value {
    json!({
        "type": "view_submission",
        "team": {"id": "T0LOCAL"},
        "user": {"id": "U0OPERATOR", "name": "operator", "team_id": "T0LOCAL"},
        "trigger_id": "1.2.3",
        "view": {
            "id": "V1", "callback_id": "start", "private_metadata": "C0BATCH", "hash": "1.a", "external_id": "",
            "root_view_id": "V1", "previous_view_id": null,
            "state": {"values": {
                "job": {"pick": {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": "Sales"}, "value": "sales"}}},
                "files": {"pick": {"type": "multi_static_select", "selected_options": [{"value": "a.csv"}, {"value": "b.csv"}]}},
                "note": {"text": {"type": "plain_text_input", "value": null}},
                "who": {"pick": {"type": "multi_users_select", "selected_users": ["U1", "U2"]}},
                "one": {"pick": {"type": "users_select", "selected_user": "U1"}},
                "in": {"pick": {"type": "conversations_select", "selected_conversation": "C1"}},
                "ch": {"pick": {"type": "multi_channels_select", "selected_channels": []}},
                "day": {"pick": {"type": "datepicker", "selected_date": "2026-11-21"}},
                "at": {"pick": {"type": "timepicker", "selected_time": "09:30", "timezone": "Europe/Zurich"}},
                "moment": {"pick": {"type": "datetimepicker", "selected_date_time": 1_700_000_000}},
                "rich": {"text": {"type": "rich_text_input", "rich_text_value": {"type": "rich_text", "elements": []}}},
            }},
        },
        "response_urls": [{"block_id": "in", "action_id": "pick", "channel_id": "C1", "response_url": "https://hooks.slack.com/app/x"}],
    })
}

fn home() -> Value {
    json!({
        "type": "event_callback", "team_id": "T0LOCAL", "api_app_id": "A1", "event_id": "Ev1", "event_time": 1_700_000_000,
        "event": {"type": "app_home_opened", "user": "U0VIEWER", "channel": "D1", "tab": "home", "event_ts": "1.2"},
        "authorizations": [{"enterprise_id": null, "team_id": "T0LOCAL", "user_id": "UBOT", "is_bot": true, "is_enterprise_install": false}],
    })
}

/// The same value with one field set.
fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    *value.pointer_mut(pointer).unwrap() = new;
    value
}

#[test]
fn a_slash_command_is_read_whole_and_unescaped() {
    let text = "why &lt;@U0VIEWER|viewer&gt; start-batch \"a &amp;amp; b.csv\"";
    let Ok(Inbound::Command(command)) = read(FORM_UTF8, &slash(&[("text", Some(text))])) else { panic!("a command") };
    assert_eq!(command.text, "why <@U0VIEWER|viewer> start-batch \"a &amp; b.csv\"");
    assert_eq!((command.command.as_str(), command.channel.as_str()), ("/my-slack-bot", "C0BATCH"));
    assert_eq!((command.channel_name.as_str(), command.team_domain.as_str()), ("batch", "local"));
    assert_eq!(command.trigger_id.as_deref(), Some("1.2.3"));
    let actor = command.sender.actor();
    assert_eq!((actor.team.as_str(), actor.user.as_str(), actor.name.as_str()), ("T0LOCAL", "U0OPERATOR", "operator"));
    assert!(!command.sender.is_foreign());
}

#[test]
fn a_slash_command_without_what_it_needs_is_malformed_and_the_rest_may_miss() {
    for needed in ["team_id", "channel_id", "user_id", "command"] {
        assert!(matches!(read(FORM, &slash(&[(needed, None)])), Err(InboundError::Malformed(_))), "{needed}");
        assert!(matches!(read(FORM, &slash(&[(needed, Some(""))])), Err(InboundError::Malformed(_))), "{needed}");
    }
    for spare in
        ["token", "team_domain", "channel_name", "user_name", "text", "api_app_id", "response_url", "trigger_id"]
    {
        assert!(matches!(read(FORM, &slash(&[(spare, None)])), Ok(Inbound::Command(_))), "{spare}");
    }
    let mut twice = slash(&[]);
    twice.extend(b"&user_id=U0APPROVER1");
    assert_eq!(read(FORM, &twice), Err(InboundError::Malformed("a field comes twice")));
}

#[test]
fn enterprise_grid_is_kept() {
    let body = slash(&[("enterprise_id", Some("E1")), ("is_enterprise_install", Some("true"))]);
    let Ok(Inbound::Command(command)) = read(FORM, &body) else { panic!("a command") };
    assert_eq!(command.sender.enterprise.as_deref(), Some("E1"));
    assert!(command.sender.org_install);
}

#[test]
fn an_ssl_check_is_seen_before_the_signature_and_hides_no_command() {
    let body = slash(&[("ssl_check", Some("1"))]);
    assert!(is_ssl_check(FORM, b"ssl_check=1&token=x"));
    assert!(is_ssl_check(FORM, &body));
    assert_eq!(read(FORM, &body), Ok(Inbound::SslCheck));
    assert!(!is_ssl_check(FORM, &slash(&[])));
    assert!(!is_ssl_check("application/json", b"ssl_check=1"));
    assert!(!is_ssl_check(FORM, b"ssl_check=0"));
}

#[test]
fn a_click_is_read() {
    let Ok(Inbound::Actions(actions)) = interaction(&click()) else { panic!("actions") };
    assert_eq!(actions.container, Container::Message { ts: "1700000000.000100".into(), ephemeral: false });
    assert_eq!(actions.channel.unwrap().as_str(), "C0BATCH");
    let action = &actions.actions[0];
    assert_eq!(
        (action.block_id.as_str(), action.action_id.as_str(), action.chosen.one()),
        ("run", "reprocess", Some("r-7k3f.1"))
    );
    assert_eq!(action.ts, "1700000001.5");
}

#[test]
fn an_organisation_wide_installation_may_leave_the_team_null() {
    let payload = with(with(click(), "/team", Value::Null), "/is_enterprise_install", json!(true));
    let Ok(Inbound::Actions(actions)) = interaction(&payload) else { panic!("actions") };
    assert_eq!(actions.sender.workspace, None);
    assert_eq!(actions.sender.actor().team.as_str(), "T0LOCAL");
    let nobodys = with(payload, "/user/team_id", Value::Null);
    assert_eq!(interaction(&nobodys), Err(InboundError::Malformed("the team id is missing")));
}

#[test]
fn a_person_of_another_workspace_is_told_apart() {
    let foreign = |payload: &Value| match interaction(payload) {
        Ok(Inbound::Actions(actions)) => actions.sender.is_foreign(),
        other => panic!("{other:?}"),
    };
    let payload = with(click(), "/user/team_id", json!("T0OTHER"));
    assert!(!foreign(&click()));
    assert!(foreign(&payload));
    assert!(!foreign(&with(payload.clone(), "/is_enterprise_install", json!(true))));
    let Ok(Inbound::Actions(actions)) = interaction(&payload) else { panic!("actions") };
    assert_eq!(actions.sender.actor().team.as_str(), "T0OTHER", "rights are looked up under the person's own team");
}

#[test]
fn a_click_in_a_view_or_elsewhere_has_no_channel() {
    let mut payload = click();
    let fields = payload.as_object_mut().unwrap();
    fields.remove("channel");
    fields.remove("message");
    fields.insert("container".into(), json!({"type": "view", "view_id": "V1"}));
    fields.insert("view".into(), submission()["view"].clone());
    let Ok(Inbound::Actions(actions)) = interaction(&payload) else { panic!("actions") };
    assert_eq!((actions.container, actions.channel), (Container::View { id: "V1".into() }, None));
    assert_eq!(actions.view.unwrap().callback_id, "start");
    assert_eq!(actions.state.get("job", "pick").one(), Some("sales"));
}

#[test]
fn every_kind_of_value_of_a_form_is_read() {
    let Ok(Inbound::Submission(sent)) = interaction(&submission()) else { panic!("a submission") };
    let state = &sent.view.state;
    for (block, expected) in [
        ("job", vec!["sales"]),
        ("files", vec!["a.csv", "b.csv"]),
        ("who", vec!["U1", "U2"]),
        ("one", vec!["U1"]),
        ("in", vec!["C1"]),
        ("ch", vec![]),
        ("day", vec!["2026-11-21"]),
        ("at", vec!["09:30"]),
        ("moment", vec!["1700000000"]),
        ("nowhere", vec![]),
    ] {
        assert_eq!(state.get(block, "pick").all(), expected, "{block}");
    }
    assert_eq!(state.get("note", "text"), &Chosen::Nothing);
    assert!(matches!(state.get("rich", "text"), Chosen::Raw(_)));
    assert_eq!((sent.view.private_metadata.as_str(), sent.view.hash.as_deref()), ("C0BATCH", Some("1.a")));
    assert_eq!(sent.response_urls[0].url, "https://hooks.slack.com/app/x");
}

#[test]
fn a_closed_form_and_an_opened_home_are_read() {
    let mut closed = submission();
    closed["type"] = json!("view_closed");
    closed["is_cleared"] = json!(true);
    assert!(matches!(interaction(&closed), Ok(Inbound::Closed(ViewClosed { cleared: true, .. }))));
    let Ok(Inbound::HomeOpened(opened)) = event(&home()) else { panic!("home") };
    assert_eq!(
        (opened.tab.as_str(), opened.event_id.as_str(), opened.sender.user.as_str()),
        ("home", "Ev1", "U0VIEWER")
    );
}

#[test]
fn the_handshake_is_answered_with_the_challenge() {
    let found = event(&json!({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}));
    assert_eq!(found, Ok(Inbound::UrlVerification { challenge: "3eZbrw1a".into() }));
}

#[test]
fn what_slack_may_add_tomorrow_is_unknown_and_harmless() {
    for (found, kind) in [
        (interaction(&json!({"type": "shortcut"})), "shortcut"),
        (interaction(&json!({"type": "new kind\n\u{1F980}"})), "newkind"),
        (event(&json!({"type": "app_rate_limited"})), "app_rate_limited"),
        (event(&with(home(), "/event/type", json!("message.channels"))), "event_callback/message.channels"),
    ] {
        assert_eq!(found, Ok(Inbound::Unknown { kind: kind.into() }));
    }
}

#[test]
fn what_is_not_slacks_is_refused_with_the_fitting_status() {
    for (content_type, body, status) in [
        ("text/plain", "x", 415),
        ("", "x", 415),
        ("multipart/form-data; boundary=x", "x", 415),
        ("application/json", "", 400),
        ("application/json", "[]", 400),
        ("application/json", "{}", 400),
        ("application/json", "{\"type\":\"event_callback\"}", 400),
        ("application/json", "{\"type\":\"url_verification\"}", 400),
        (FORM, "", 400),
        (FORM, "payload=%7B", 400),
        (FORM, "payload={}", 400),
        (FORM, "payload={\"type\":\"block_actions\",\"user\":{\"id\":\"U1\"},\"team\":{\"id\":\"T1\"}}", 400),
        (FORM, "payload={\"type\":\"view_submission\",\"user\":{\"id\":\"U1\"},\"team\":{\"id\":\"T1\"}}", 400),
    ] {
        assert_eq!(
            read(content_type, body.as_bytes()).map_err(InboundError::status),
            Err(status),
            "{content_type} {body}"
        );
    }
    for bad in ["u1", "U 1", "../x", "B0BOT"] {
        assert!(interaction(&with(click(), "/user/id", json!(bad))).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for content_type in [FORM, JSON, "text/plain"] {
            let _ = is_ssl_check(content_type, &body);
            let _ = read(content_type, &body);
        }
        let mut payload = b"payload=".to_vec();
        payload.extend(&body);
        let _ = read(FORM, &payload);
    }

    /// Any field of a real request set to anything: read or refused, never a panic.
    #[test]
    fn no_odd_field_panics(pick in any::<prop::sample::Index>(), odd in prop_oneof![
        Just(Value::Null), Just(json!([])), Just(json!({})), Just(json!([null, 1, {}])), Just(json!(5)), Just(json!(true)),
        ".{0,30}".prop_map(Value::from),
    ]) {
        for whole in [click(), submission(), home()] {
            let mut pointers = Vec::new();
            all_pointers(&whole, String::new(), &mut pointers);
            let payload = with(whole, &pointers[pick.index(pointers.len())], odd.clone());
            let _ = interaction(&payload);
            let _ = event(&payload);
        }
    }

    #[test]
    fn unescaping_undoes_escaping(text in ".{0,60}") {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        prop_assert_eq!(unescape(&escaped), text);
    }
}

fn all_pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| all_pointers(value, format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| all_pointers(value, format!("{at}/{i}"), found));
        }
        _ => {}
    }
    found.push(at);
}
