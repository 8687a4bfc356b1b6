//! Who may do what, where, and the secrets: what is changed is taken up, and what cannot be read lets nobody in.

use crate::contract::{Backend, directory as contract};
use crate::emulator::Account;
use crate::proxy::{Fault, Proxy};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_ssm::types::ParameterType;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use switchman::aws::{DynamoDirectory, ManagedSecrets, SsmSettings};
use switchman::domain::actor::{Listed, Role};
use switchman::domain::id::{TeamId, UserId};
use switchman::ports::{Clock, Credentials, Directory, Kind, Secrets, Settings};

const PARAMETER: &str = "/switchman/permitted-channels";
const SECRET: &str = "switchman/slack";
const ALWAYS: usize = 1_000;

fn clock(account: &Account) -> Arc<dyn Clock> {
    Arc::new(account.clock().clone())
}

#[tokio::test]
async fn people_are_found_by_team_and_id_with_the_roles_of_this_moment() {
    let account = Account::furnished().await;
    let table = account.make_people().await;
    let directory = DynamoDirectory::new(&account.config, &table, &clock(&account));
    let client = aws_sdk_dynamodb::Client::new(&account.config);
    let text = |text: &str| AttributeValue::S(text.into());
    let put = async |user: &str, roles: Option<AttributeValue>| {
        let call = client.put_item().table_name(&table).item("actor", text(&format!("T0LOCAL#{user}")));
        let call = call.item("name", text("Olga"));
        let call = if let Some(roles) = roles { call.item("roles", roles) } else { call };
        call.send().await.unwrap();
    };
    let find = async |team: &str, user: &str| {
        directory.find(&TeamId::parse(team).unwrap(), &UserId::parse(user).unwrap()).await
    };
    assert_eq!(find("T0LOCAL", "U0OPERATOR").await.unwrap(), None);
    put("U0OPERATOR", Some(AttributeValue::Ss(vec!["operator".into()]))).await;
    let found = find("T0LOCAL", "U0OPERATOR").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.roles.len(), found.roles[0].0.as_str()), ("Olga", 1, "operator"));
    assert_eq!(find("T0OTHER", "U0OPERATOR").await.unwrap(), None, "the same id in another team is somebody else");
    put("U0OPERATOR", Some(AttributeValue::L(vec![]))).await;
    assert!(find("T0LOCAL", "U0OPERATOR").await.unwrap().unwrap().roles.is_empty(), "at once");
    for broken in [None, Some(text("operator")), Some(AttributeValue::L(vec![AttributeValue::Bool(true)]))] {
        put("U0OPERATOR", broken).await;
        let error = find("T0LOCAL", "U0OPERATOR").await.unwrap_err();
        assert!(error.to_string().contains("T0LOCAL#U0OPERATOR"), "{error}");
    }
}

#[tokio::test]
async fn the_table_of_people_keeps_the_contract_of_a_directory() {
    let account = Account::furnished().await;
    let table = account.make_people().await;
    let directory = DynamoDirectory::new(&account.config, &table, &clock(&account));
    for (team, user, listed) in contract::people() {
        directory.put(&team, &user, &listed).await.unwrap();
    }
    contract::people_are_found_by_id_and_by_role(&directory).await;
}

#[tokio::test]
async fn who_lost_a_role_is_not_found_by_it_even_where_the_entry_of_the_role_still_names_them() {
    let account = Account::furnished().await;
    let table = account.make_people().await;
    let directory = DynamoDirectory::new(&account.config, &table, &clock(&account));
    let client = aws_sdk_dynamodb::Client::new(&account.config);
    let (team, user) = (TeamId::parse("T0LOCAL").unwrap(), UserId::parse("U0OPERATOR").unwrap());
    let list = async |roles: &[&str]| {
        let roles = roles.iter().map(|role| Role::new(role)).collect();
        directory.put(&team, &user, &Listed { name: "Olga".into(), roles }).await.unwrap();
    };
    let holders = async |role: &str| directory.holders(&[Role::new(role)]).await.map(|found| found.len());
    list(&["operator", "approver"]).await;
    list(&["approver"]).await;
    assert_eq!((holders("operator").await.unwrap(), holders("approver").await.unwrap()), (0, 1));
    let name = async |role: &str, people: AttributeValue| {
        let key = AttributeValue::S(format!("role#{role}"));
        let call = client.put_item().table_name(&table).item("actor", key).item("people", people);
        call.send().await.unwrap();
    };
    name("operator", AttributeValue::Ss(vec!["T0LOCAL#U0OPERATOR".into(), "T0LOCAL#U0GONE".into()])).await;
    assert_eq!(holders("operator").await.unwrap(), 0);
    name("operator", AttributeValue::Ss(vec!["Olga".into()])).await;
    let error = holders("operator").await.unwrap_err();
    assert!(error.kind == Kind::Permanent && error.to_string().contains("role#operator"), "{error}");
}

#[tokio::test]
async fn channels_are_read_anew_and_believed_for_a_minute_where_nobody_answers() {
    let near = Account::furnished().await;
    let proxy = Proxy::start().await;
    let settings = SsmSettings::new(&near.through(&proxy.url).config, PARAMETER, clock(&near));
    let client = aws_sdk_ssm::Client::new(&near.config);
    let set = async |value: &str| {
        let call = client.put_parameter().name(PARAMETER).value(value).r#type(ParameterType::StringList);
        call.overwrite(true).send().await.unwrap();
    };
    let ids = async || settings.channels().await.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(ids().await.unwrap_err().kind, Kind::Gone);
    set("C0BATCH, C0OPS").await;
    assert_eq!(ids().await.unwrap(), ["C0BATCH", "C0OPS"]);
    set("C0OPS").await;
    assert_eq!(ids().await.unwrap().len(), 2, "SSM is not asked for each command");
    near.clock().advance(Duration::from_secs(10));
    assert_eq!(ids().await.unwrap(), ["C0OPS"]);
    proxy.disturb("GetParameter", Fault::Refused(400, "ThrottlingException"), ALWAYS);
    near.clock().advance(Duration::from_secs(59));
    assert_eq!(ids().await.unwrap(), ["C0OPS"]);
    near.clock().advance(Duration::from_secs(1));
    assert!(matches!(ids().await.unwrap_err().kind, Kind::Transient { .. }));
    proxy.disturb("GetParameter", Fault::AnswerLost, 0);
    set("C0OPS,#general").await;
    let error = ids().await.unwrap_err();
    assert!(error.kind == Kind::Permanent && error.to_string().contains("not a channel id"), "{error}");
}

#[tokio::test]
async fn a_new_secret_is_taken_up_and_the_one_before_is_believed_for_a_day() {
    let near = Account::furnished().await;
    let proxy = Proxy::start().await;
    let secrets = ManagedSecrets::new(&near.through(&proxy.url).config, SECRET, clock(&near));
    let client = aws_sdk_secretsmanager::Client::new(&near.config);
    let json = |n: u32| format!(r#"{{"SLACK_SIGNING_SECRET":"signing-{n}","SLACK_BOT_TOKEN":"xoxb-{n}"}}"#);
    let signing = async || {
        let all = secrets.signing().await?;
        Ok::<_, switchman::ports::PortError>(all.iter().map(|s| s.expose_secret().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(signing().await.unwrap_err().kind, Kind::Gone);
    client.create_secret().name(SECRET).secret_string(json(1)).send().await.unwrap();
    assert_eq!(signing().await.unwrap(), ["signing-1"]);
    assert_eq!(secrets.bot_token().await.unwrap().expose_secret(), "xoxb-1");
    assert_eq!(proxy.seen("GetSecretValue"), 3, "one that failed, then each stage once");
    client.put_secret_value().secret_id(SECRET).secret_string(json(2)).send().await.unwrap();
    assert_eq!(signing().await.unwrap(), ["signing-1"]);
    near.clock().advance(Duration::from_mins(1));
    assert_eq!(signing().await.unwrap(), ["signing-2", "signing-1"]);
    assert_eq!(secrets.bot_token().await.unwrap().expose_secret(), "xoxb-2");
    let asked = proxy.seen("GetSecretValue");
    proxy.disturb("GetSecretValue", Fault::Refused(500, "InternalServiceError"), ALWAYS);
    near.clock().advance(Duration::from_mins(9));
    assert_eq!(signing().await.unwrap().len(), 2);
    near.clock().advance(Duration::from_mins(1));
    assert!(matches!(signing().await.unwrap_err().kind, Kind::Transient { .. }), "nobody is believed for ever");
    assert!(proxy.seen("GetSecretValue") > asked);
    proxy.disturb("GetSecretValue", Fault::AnswerLost, 0);
    // Versions are dated by the emulator, in real time, and the clock of the test stands in the past.
    near.clock().advance(Duration::from_hours(24 * 365 * 50));
    assert_eq!(signing().await.unwrap(), ["signing-2"]);
    for broken in ["{}", "not json xoxb-leak", r#"{"SLACK_SIGNING_SECRET":" ","SLACK_BOT_TOKEN":"xoxb-leak"}"#] {
        client.put_secret_value().secret_id(SECRET).secret_string(broken).send().await.unwrap();
        near.clock().advance(Duration::from_mins(11));
        let error = signing().await.unwrap_err();
        assert!(error.kind == Kind::Permanent && !format!("{error:?}").contains("leak"), "{error:?}");
    }
}

#[tokio::test]
async fn a_version_before_that_cannot_be_read_locks_nobody_out() {
    let account = Account::furnished().await;
    let secrets = ManagedSecrets::new(&account.config, SECRET, clock(&account));
    let client = aws_sdk_secretsmanager::Client::new(&account.config);
    client.create_secret().name(SECRET).secret_string("not json").send().await.unwrap();
    assert_eq!(secrets.signing().await.unwrap_err().kind, Kind::Permanent);
    for before in ["{}", r#"{"SLACK_SIGNING_SECRET":" ","SLACK_BOT_TOKEN":"xoxb-0"}"#, "not json"] {
        let good = r#"{"SLACK_SIGNING_SECRET":"signing-1","SLACK_BOT_TOKEN":"xoxb-1"}"#;
        for text in [before, good] {
            client.put_secret_value().secret_id(SECRET).secret_string(text).send().await.unwrap();
        }
        account.clock().advance(Duration::from_mins(11));
        let all = secrets.signing().await.unwrap();
        assert_eq!(all.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>(), ["signing-1"], "{before}");
        assert_eq!(secrets.bot_token().await.unwrap().expose_secret(), "xoxb-1");
    }
}

#[tokio::test]
async fn the_secret_may_hold_the_keys_that_one_time_codes_are_checked_with() {
    let account = Account::furnished().await;
    let secrets = ManagedSecrets::new(&account.config, SECRET, clock(&account));
    let client = aws_sdk_secretsmanager::Client::new(&account.config);
    let json = |seal: &str| {
        let mut all = serde_json::json!({"SLACK_SIGNING_SECRET": "signing-1", "SLACK_BOT_TOKEN": "xoxb-1"});
        all["SWITCHMAN_SEAL_KEY"] = seal.into();
        all.to_string()
    };
    let (old, new) = ("01".repeat(32), "02".repeat(32));
    client.create_secret().name(SECRET).secret_string(json("")).send().await.unwrap();
    assert!(secrets.opening_keys().await.unwrap().is_empty());
    let error = secrets.sealing_key().await.unwrap_err();
    assert!(error.kind == Kind::Permanent && error.to_string().contains("SWITCHMAN_SEAL_KEY"), "{error}");
    let put = async |seal: &str| {
        client.put_secret_value().secret_id(SECRET).secret_string(json(seal)).send().await.unwrap();
        account.clock().advance(Duration::from_mins(11));
    };
    put(&old).await;
    let sealed = secrets.sealing_key().await.unwrap().seal([0; 12], "here", b"told");
    put(&format!("{new},{old}")).await;
    let opened = secrets.opening_keys().await.unwrap().iter().map(|key| key.open("here", &sealed)).collect::<Vec<_>>();
    assert_eq!(opened, [None, Some(b"told".to_vec())], "the new one first");
    assert_ne!(secrets.random().unwrap(), secrets.random().unwrap());
    for wrong in ["0102".to_owned(), format!("{new},"), [new.as_str(), &old, &old].join(",")] {
        put(&wrong).await;
        let error = secrets.opening_keys().await.unwrap_err();
        assert!(error.kind == Kind::Permanent && !format!("{error:?}").contains("0102"), "{error:?}");
        assert_eq!(secrets.signing().await.unwrap()[0].expose_secret(), "signing-1", "Slack is let in all the same");
    }
}
