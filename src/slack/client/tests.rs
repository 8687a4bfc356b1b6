//! The client against a server that answers, refuses, stalls, garbles and hangs up.

use super::*;
use crate::domain::actor::Outsider;
use crate::domain::command::Action;
use crate::domain::id::{ChannelId, TeamId, UserId};
use crate::domain::reply::Reply;
use crate::ports::{Age, Chat, MessageRef, Person, PortError, Target};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::AsyncReadExt;
use wiremock::matchers::{body_partial_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "xoxb-secret-token";

fn client(server: &MockServer) -> Client {
    client_at(&format!("{}/api/", server.uri()), Duration::from_secs(10))
}

fn client_at(api_url: &str, limit: Duration) -> Client {
    let renderer = Renderer::new("/my-slack-bot");
    Client::new(&ClientConfig { api_url: api_url.to_owned(), credentials: credentials(), limit, renderer }).unwrap()
}

/// A secret store that knows one token, or does not answer.
struct Given(Option<&'static str>);

#[async_trait::async_trait]
impl Credentials for Given {
    async fn signing(&self) -> Result<Arc<[secrecy::SecretString]>, PortError> {
        Ok(Arc::from([]))
    }

    async fn bot_token(&self) -> Result<secrecy::SecretString, PortError> {
        self.0.map(Into::into).ok_or_else(|| PortError::transient("could not read the secrets"))
    }
}

fn credentials() -> Arc<dyn Credentials> {
    Arc::new(Given(Some(TOKEN)))
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = MockServer::start().await;
    let config = ClientConfig {
        api_url: format!("{}/api/", server.uri()),
        credentials: Arc::new(Given(None)),
        limit: CALL_LIMIT,
        renderer: Renderer::new("/my-slack-bot"),
    };
    let error = Client::new(&config).unwrap().probe().await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient { after: None });
    assert!(error.to_string().contains("could not read the secrets"), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

fn channel() -> ChannelId {
    ChannelId::parse("C0BATCH").unwrap()
}

fn operator() -> UserId {
    UserId::parse("U0OPERATOR").unwrap()
}

fn at() -> MessageRef {
    MessageRef { channel: channel(), ts: "1700000000.000100".into() }
}

fn reply() -> Reply {
    Reply::Menu { permitted: vec![Action::Status] }
}

fn target() -> Target {
    Target::Channel(channel())
}

async fn answer(server: &MockServer, api_method: &str, response: ResponseTemplate) {
    Mock::given(path(format!("/api/{api_method}"))).respond_with(response).mount(server).await;
}

fn ok(body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

async fn post_error(response: ResponseTemplate) -> PortError {
    let server = MockServer::start().await;
    answer(&server, "chat.postMessage", response).await;
    client(&server).post(&target(), &reply(), "m").await.unwrap_err()
}

#[tokio::test]
async fn a_post_carries_token_text_blocks_and_mark() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/chat.postMessage"))
        .and(wiremock::matchers::header("authorization", format!("Bearer {TOKEN}").as_str()))
        .and(body_partial_json(json!({
            "channel": "C0BATCH",
            "metadata": {"event_type": "switchman_effect", "event_payload": {"mark": "show:r-7k3f.1"}},
        })))
        .respond_with(ok(json!({"ok": true, "channel": "C0BATCH", "ts": "1.2", "a_new_field": null})))
        .mount(&server)
        .await;
    let posted = client(&server).post(&target(), &reply(), "show:r-7k3f.1").await.unwrap();
    assert_eq!(posted, MessageRef { channel: channel(), ts: "1.2".into() });
    let sent: serde_json::Value = server.received_requests().await.unwrap()[0].body_json().unwrap();
    assert!(sent["text"].as_str().is_some_and(|text| !text.is_empty()) && sent["blocks"].is_array());
}

#[tokio::test]
async fn slacks_error_codes_are_sorted_by_what_can_be_done() {
    for (code, kind) in [
        ("is_archived", Kind::Gone),
        ("channel_not_found", Kind::Gone),
        ("not_in_channel", Kind::Gone),
        ("invalid_auth", Kind::Denied),
        ("missing_scope", Kind::Denied),
        ("ratelimited", Kind::Transient { after: None }),
        ("service_unavailable", Kind::Transient { after: None }),
        ("internal_error", Kind::Ambiguous),
        ("invalid_blocks", Kind::Permanent),
        ("an_error_of_tomorrow", Kind::Permanent),
    ] {
        let error = post_error(ok(json!({"ok": false, "error": code}))).await;
        assert_eq!(error.kind, kind, "{code}");
        assert_eq!(error.to_string(), format!("chat.postMessage: {code}"));
    }
}

#[tokio::test]
async fn an_error_names_the_broken_limit_and_the_missing_scope() {
    let body = json!({
        "ok": false, "error": "invalid_blocks", "errors": ["x"],
        "response_metadata": {"messages": ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]},
    });
    assert!(post_error(ok(body)).await.to_string().contains("json-pointer:/blocks/0/text/text"));
    let error = post_error(ok(json!({"ok": false, "error": "missing_scope", "needed": "chat:write"}))).await;
    assert!(error.to_string().contains("needs the scope chat:write"), "{error}");
}

#[tokio::test]
async fn too_many_calls_says_how_long_to_wait() {
    let response = ResponseTemplate::new(429).insert_header("Retry-After", "30");
    let json = response.clone().set_body_json(json!({"ok": false, "error": "ratelimited"}));
    for response in [response.set_body_raw("slow down", "text/plain"), json] {
        assert_eq!(post_error(response).await.kind, Kind::Transient { after: Some(Duration::from_secs(30)) });
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_a_post_open_and_an_edit_to_be_repeated() {
    let html = "<html>an interposed proxy</html>";
    for response in [
        ResponseTemplate::new(500),
        ResponseTemplate::new(503).set_body_raw(html, "text/html"),
        ResponseTemplate::new(200).set_body_raw(html, "text/html"),
        ResponseTemplate::new(200).set_body_raw("{\"ok\": tr", "application/json"),
        ok(json!({"ok": true})),
    ] {
        assert_eq!(post_error(response.clone()).await.kind, Kind::Ambiguous);
    }
    let server = MockServer::start().await;
    answer(&server, "chat.update", ResponseTemplate::new(502)).await;
    let error = client(&server).update(&at(), &reply()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient { after: None });
}

#[tokio::test]
async fn a_slow_answer_is_not_waited_for() {
    let server = MockServer::start().await;
    let slow = ok(json!({"ok": true, "ts": "1.2"})).set_delay(Duration::from_mins(1));
    answer(&server, "chat.postMessage", slow.clone()).await;
    answer(&server, "chat.update", slow).await;
    let client = client_at(&format!("{}/api", server.uri()), Duration::from_millis(100));
    assert_eq!(client.post(&target(), &reply(), "m").await.unwrap_err().kind, Kind::Ambiguous);
    assert_eq!(client.update(&at(), &reply()).await.unwrap_err().kind, Kind::Transient { after: None });
}

#[tokio::test]
async fn no_connection_means_nothing_was_done_and_a_broken_one_leaves_it_open() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = client_at(&format!("http://{address}/api"), Duration::from_secs(10));
    let hang_up = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut first = [0; 1];
        socket.read_exact(&mut first).await.unwrap();
    });
    assert_eq!(client.post(&target(), &reply(), "m").await.unwrap_err().kind, Kind::Ambiguous);
    hang_up.await.unwrap();
    assert_eq!(client.post(&target(), &reply(), "m").await.unwrap_err().kind, Kind::Transient { after: None });
}

#[tokio::test]
async fn a_response_address_elsewhere_is_refused_and_gets_nothing() {
    let (server, stranger) = (MockServer::start().await, MockServer::start().await);
    let client = client(&server);
    let message = client.renderer.message(&reply());
    let port = server.address().port();
    for address in [
        format!("{}/x", stranger.uri()),
        "https://hooks.slack.com.evil.example/x".to_owned(),
        "http://hooks.slack.com/x".to_owned(),
        "https://hooks.slack.com:8443/x".to_owned(),
        "https://hooks.slack.com@evil.example/x".to_owned(),
        format!("http://user@127.0.0.1:{port}/x"),
        format!("https://127.0.0.1:{port}/x"),
        "file:///etc/passwd".to_owned(),
        "not an address".to_owned(),
    ] {
        let error = client.respond(&address, &message).await.unwrap_err();
        assert_eq!(error.kind, Kind::Denied, "{address}");
        assert!(!error.to_string().contains(&address), "the address is a secret of its request");
    }
    assert!(stranger.received_requests().await.unwrap().is_empty());
    assert!(client.may_respond_to("https://hooks.slack.com/commands/T1/2/x"));
}

#[tokio::test]
async fn the_token_never_goes_to_a_response_address_or_an_upload_address() {
    let server = MockServer::start().await;
    Mock::given(path("/respond")).respond_with(ResponseTemplate::new(200).set_body_string("ok")).mount(&server).await;
    Mock::given(path("/put")).respond_with(ResponseTemplate::new(200).set_body_string("OK - 3")).mount(&server).await;
    let place = json!({"ok": true, "upload_url": format!("{}/put", server.uri()), "file_id": "F1"});
    answer(&server, "files.getUploadURLExternal", ok(place)).await;
    answer(&server, "files.completeUploadExternal", ok(json!({"ok": true}))).await;
    let client = client(&server);
    let message = client.renderer.message(&reply());
    client.respond(&format!("{}/respond", server.uri()), &message).await.unwrap();
    client.attach(&at(), "rejects.csv", b"a,b".to_vec(), &reply()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let with_token: Vec<&str> =
        requests.iter().filter(|r| r.headers.contains_key("authorization")).map(|r| r.url.path()).collect();
    assert_eq!(with_token, ["/api/files.getUploadURLExternal", "/api/files.completeUploadExternal"]);
    assert_eq!(requests[2].body, b"a,b");
    let completed: serde_json::Value = requests[3].body_json().unwrap();
    assert_eq!(completed["files"][0]["id"], "F1");
    assert_eq!((&completed["channel_id"], &completed["thread_ts"]), (&json!("C0BATCH"), &json!("1700000000.000100")));
}

#[tokio::test]
async fn a_used_up_response_address_gives_way_to_an_ephemeral_message() {
    let server = MockServer::start().await;
    let used = ResponseTemplate::new(404).set_body_json(json!({"ok": false, "error": "used_url"}));
    Mock::given(path("/respond")).respond_with(used).mount(&server).await;
    answer(&server, "chat.postEphemeral", ok(json!({"ok": true, "message_ts": "1.2"}))).await;
    let response_url = Some(format!("{}/respond", server.uri()));
    let to = Person { user: operator(), channel: channel(), response_url };
    client(&server).whisper(&to, &reply()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let paths: Vec<&str> = requests.iter().map(|request| request.url.path()).collect();
    assert_eq!(paths, ["/respond", "/api/chat.postEphemeral"]);
}

#[tokio::test]
async fn an_open_end_of_a_whisper_is_not_tried_another_way() {
    let server = MockServer::start().await;
    Mock::given(path("/respond")).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    let response_url = Some(format!("{}/respond", server.uri()));
    let to = Person { user: operator(), channel: channel(), response_url };
    assert_eq!(client(&server).whisper(&to, &reply()).await.unwrap_err().kind, Kind::Ambiguous);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_is_found_by_its_mark_on_any_page() {
    let server = MockServer::start().await;
    let other = |mark: &str, ts: &str| json!({"ts": ts, "metadata": {"event_type": "switchman_effect", "event_payload": {"mark": mark}}});
    let first = json!({"ok": true, "messages": [{"ts": "9.9"}, other("another", "9.8")], "response_metadata": {"next_cursor": "more"}});
    let second = json!({"ok": true, "messages": [other("mine", "9.7")], "response_metadata": {"next_cursor": ""}});
    let page =
        || Mock::given(method("GET")).and(path("/api/conversations.history")).and(query_param("channel", "C0BATCH"));
    page().and(query_param_is_missing("cursor")).respond_with(ok(first)).mount(&server).await;
    page().and(query_param("cursor", "more")).respond_with(ok(second)).mount(&server).await;
    let since = Timestamp::from_second(1_700_000_000).unwrap();
    let found = client(&server).find(&target(), "mine", since).await.unwrap();
    assert_eq!(found.unwrap().ts, "9.7");
    assert_eq!(client(&server).find(&target(), "nobody's", since).await.unwrap(), None);
}

#[tokio::test]
async fn where_slack_does_not_let_us_look_nothing_is_found() {
    for code in ["missing_scope", "unknown_method", "not_in_channel", "not_allowed_token_type"] {
        let server = MockServer::start().await;
        answer(&server, "conversations.history", ok(json!({"ok": false, "error": code}))).await;
        assert_eq!(client(&server).find(&target(), "m", Timestamp::UNIX_EPOCH).await.unwrap(), None, "{code}");
    }
    let server = MockServer::start().await;
    answer(&server, "conversations.history", ResponseTemplate::new(503)).await;
    let error = client(&server).find(&target(), "m", Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient { after: None }, "an outage is not an answer");
}

#[tokio::test]
async fn members_are_told_from_guests_strangers_and_bots() {
    let home = TeamId::parse("T0LOCAL").unwrap();
    for (user, expected) in [
        (json!({"ok": true, "user": {"id": "U1", "team_id": "T0LOCAL"}}), Member::Full),
        (json!({"ok": true, "user": {"team_id": "T0LOCAL", "is_restricted": true}}), Member::Outsider(Outsider::Guest)),
        (
            json!({"ok": true, "user": {"team_id": "T0LOCAL", "is_ultra_restricted": true}}),
            Member::Outsider(Outsider::Guest),
        ),
        (json!({"ok": true, "user": {"team_id": "T0LOCAL", "is_stranger": true}}), Member::Outsider(Outsider::Connect)),
        (json!({"ok": true, "user": {"team_id": "T0OTHER"}}), Member::Outsider(Outsider::Connect)),
        (
            json!({"ok": true, "user": {"team_id": "T0SISTER", "enterprise_user": {"enterprise_id": "E1"}}}),
            Member::Full,
        ),
        (json!({"ok": true, "user": {"team_id": "T0LOCAL", "deleted": true}}), Member::Outsider(Outsider::Deactivated)),
        (json!({"ok": true, "user": {"team_id": "T0LOCAL", "is_bot": true}}), Member::Outsider(Outsider::Bot)),
        (json!({"ok": false, "error": "user_not_found"}), Member::Outsider(Outsider::Connect)),
        (json!({"ok": false, "error": "missing_scope"}), Member::Unknown),
    ] {
        let server = MockServer::start().await;
        let us =
            json!({"ok": true, "team_id": "T0LOCAL", "user_id": "U0BOT", "bot_id": "B0BOT", "enterprise_id": "E1"});
        answer(&server, "auth.test", ok(us)).await;
        answer(&server, "users.info", ok(user.clone())).await;
        let client = client(&server);
        assert_eq!(client.member(&home, &operator(), Age::Minutes).await.unwrap(), expected, "{user}");
        assert_eq!(client.member(&home, &operator(), Age::Minutes).await.unwrap(), expected);
        let asked = server.received_requests().await.unwrap();
        assert_eq!(asked.iter().filter(|r| r.url.path() == "/api/users.info").count(), 1, "remembered");
    }
}

#[tokio::test]
async fn the_identity_is_asked_each_time() {
    let server = MockServer::start().await;
    let us =
        json!({"ok": true, "team_id": "T0LOCAL", "user_id": "U0BOT", "bot_id": "B0BOT", "url": "https://x.slack.com/"});
    answer(&server, "auth.test", ok(us)).await;
    let client = client(&server);
    let identity = client.identity().await.unwrap();
    assert_eq!((identity.team.as_str(), identity.user.as_str(), identity.bot.as_str()), ("T0LOCAL", "U0BOT", "B0BOT"));
    server.reset().await;
    answer(&server, "auth.test", ok(json!({"ok": false, "error": "token_revoked"}))).await;
    assert_eq!(client.identity().await.unwrap_err().kind, Kind::Denied);
}

#[tokio::test]
async fn views_open_change_and_conflict() {
    let server = MockServer::start().await;
    answer(&server, "views.open", ok(json!({"ok": true, "view": {"id": "V1", "hash": "1.a"}}))).await;
    answer(&server, "views.update", ok(json!({"ok": false, "error": "hash_conflict"}))).await;
    answer(&server, "views.publish", ok(json!({"ok": true}))).await;
    let client = client(&server);
    let view = client.renderer.loading(Action::StartBatch);
    let opened = client.open_view("1.2.3", &view).await.unwrap();
    assert_eq!(opened, ViewRef { id: "V1".into(), hash: Some("1.a".into()) });
    assert_eq!(client.update_view(&opened, &view).await.unwrap_err().kind, Kind::Conflict);
    client.publish_home(&operator(), &reply()).await.unwrap();
    let sent: serde_json::Value = server.received_requests().await.unwrap()[1].body_json().unwrap();
    assert_eq!((&sent["view_id"], &sent["hash"]), (&json!("V1"), &json!("1.a")));
}

#[tokio::test]
async fn a_direct_message_is_opened_first() {
    let server = MockServer::start().await;
    answer(&server, "conversations.open", ok(json!({"ok": true, "channel": {"id": "D1"}}))).await;
    answer(&server, "chat.postMessage", ok(json!({"ok": true, "channel": "D1", "ts": "1.2"}))).await;
    let posted = client(&server).post(&Target::Direct(operator()), &reply(), "m").await.unwrap();
    assert_eq!(posted.channel.as_str(), "D1");
}

#[test]
fn an_address_that_is_none_is_refused_and_nothing_shows_the_token() {
    for api_url in ["", "slack.com/api", "ftp://slack.com/api", "mailto:x"] {
        let renderer = Renderer::new("/x");
        let config = ClientConfig { api_url: api_url.into(), credentials: credentials(), limit: CALL_LIMIT, renderer };
        assert!(Client::new(&config).unwrap_err().to_string().contains(SLACK_API_URL), "{api_url}");
        assert!(!format!("{config:?}").contains(TOKEN));
    }
    let client = client_at("http://127.0.0.1:9", CALL_LIMIT);
    assert!(!format!("{client:?}").contains(TOKEN));
}
