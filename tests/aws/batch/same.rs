//! The same bytes as on one machine: output, rejects, the list of chunks, the summary.

use super::ground::{Ground, drive};
use serde_json::json;
use std::fs;
use switchman::aws::batch::Mail;
use switchman::batch::sample::{self, Settings};
use switchman::batch::{self, Outcome};
use switchman::domain::command::Scope;

fn people() -> serde_json::Value {
    json!({"fields": [
        {"name": "id", "type": "integer", "constraints": {"required": true, "minimum": 1}},
        {"name": "name", "constraints": {"minLength": 2}},
        {"name": "since", "type": "date", "format": "%d.%m.%Y"},
    ]})
}

fn unique() -> serde_json::Value {
    json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}], "primaryKey": "id"})
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_files_come_out_as_on_one_machine_whatever_the_chunks() {
    let rows = "id,name,since\r\n007,\"Ann,\r\n B\",01.02.2020\r\n\r\nx,Bob,1.2.2020\r\n5,B,\r\n6,\"Bob\"\"s\",\r\n7,\"never\r\n8,Éé,\r\n9,last,";
    let inputs: [&[u8]; 6] = [
        rows.as_bytes(),
        b"id,name,since\n",
        b"\xef\xbb\xbfid,name,since\r\n1,Ann,\r\n",
        b"id,name,since\n1,A\xffn,\n2,Ann,\n",
        b"id,name,since\nx,Ann,\ny,Ann,\n",
        b"id,name,since",
    ];
    let ground = Ground::new(&people()).await;
    let mut run = 0;
    for input in inputs {
        ground.input(input).await;
        for chunk in [1, 17, 40, 1 << 20] {
            run += 1;
            ground.spec(|spec| spec.chunk_bytes = chunk);
            let place = ground.ask(&format!("r-{run:04}.1"), Scope::All).await;
            let ended = drive(&|| ground.worker(), &ground, &place).await.unwrap();
            assert_eq!(ended, json!({"outcome": "succeeded"}));
            ground.assert_same(&place, &ground.local(&format!("out-{run}"), None).1, &format!("{run}: {chunk}")).await;
            assert!(ground.list(&place.at("parts/")).await.is_empty(), "parts of a finished attempt are not kept");
        }
    }
    ground.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_with_bad_and_missing_rows_keep_their_totals_and_their_name() {
    let ground = sales(3_000, 2.0).await;
    ground.spec(|spec| spec.chunk_bytes = 20_000);
    let place = ground.ask("r-sale.1", Scope::All).await;
    drive(&|| ground.worker(), &ground, &place).await.unwrap();
    let (summary, local) = ground.local("out", None);
    assert!(summary.rejected > 50 && summary.chunks > 5);
    ground.assert_same(&place, &local, "sales").await;
    let ended = ground.json(&place.at("ended.json")).await;
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(ended["progress"]["rows"], 3_000);
    assert_eq!(ended["progress"]["rejected"], summary.rejected);
    let head = ground.client.head_object().bucket(&ground.bucket).key(place.at(batch::OUTPUT)).send().await.unwrap();
    let name = &head.metadata().unwrap()["name"];
    assert!(name.starts_with("M%C3%A4rz%201%2Er%2D") && name.ends_with("%2Ecsv"), "{name}");
}

async fn sales(rows: u64, bad: f64) -> Ground {
    let ground = Ground::new(&json!({"fields": [{"name": "unused"}]})).await;
    let made = ground.dir.path().join("made");
    let settings = Settings { rows, bad_percent: bad, missing_percent: 1.0, seed: 11 };
    sample::write(&settings, &made).unwrap();
    ground.write(sample::SCHEMA_FILE, sample::SALES_SCHEMA);
    ground.write(sample::LOOKUP_SCHEMA_FILE, sample::FINANCIALS_SCHEMA);
    ground.write(sample::LOOKUP, &fs::read_to_string(made.join(sample::LOOKUP)).unwrap());
    ground.spec(|spec| *spec = sample::sales_spec());
    ground.input(fs::read(made.join(sample::INPUT)).unwrap()).await;
    ground
}

/// Three chunks whose output is larger than the least part that S3 takes, and rejects that are not.
pub(super) async fn large() -> Ground {
    let ground = Ground::new(&json!({"fields": [{"name": "id", "type": "integer"}, {"name": "text"}]})).await;
    ground.spec(|spec| spec.chunk_bytes = 6 << 20);
    let row = |id: u32| {
        format!("{},\"{}\"\n", if id % 6 == 5 { "x".to_owned() } else { id.to_string() }, "text\n".repeat(1 << 18))
    };
    ground.input(format!("id,text\n{}", (0..16).map(row).collect::<String>())).await;
    ground
}

#[tokio::test(flavor = "multi_thread")]
async fn large_parts_are_copied_by_s3_and_small_ones_gathered() {
    let ground = large().await;
    let place = ground.ask("large.1", Scope::All).await;
    drive(&|| ground.worker(), &ground, &place).await.unwrap();
    let (summary, local) = ground.local("out", None);
    ground.assert_same(&place, &local, "large").await;
    let chunks = ground.json(&place.at("chunks.json")).await;
    let large = |chunk: &&serde_json::Value| chunk["output"]["bytes"].as_u64().unwrap() >= 5 << 20;
    let copied = chunks["chunks"].as_array().unwrap().iter().skip(1).filter(large).count();
    assert!(summary.chunks >= 3 && copied > 0, "no part is large enough to be copied");
    ground.assert_same(&place, &local, "sales").await;
    let head = ground.client.head_object().bucket(&ground.bucket).key(place.at(batch::OUTPUT)).send().await.unwrap();
    assert!(head.e_tag().unwrap().contains('-'), "it was put together by S3");
    let name = &head.metadata().unwrap()["name"];
    assert!(name.starts_with("M%C3%A4rz%201%2Er%2D") && name.ends_with("%2Ecsv"), "{name}");
    ground.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_good_row_keeps_a_key_over_all_chunks() {
    let ground = Ground::new(&unique()).await;
    let rows: Vec<_> = (0..60).map(|row| format!("{},n{row}", row % 45)).collect();
    ground.input(format!("id,name\n{}\nx,no\n", rows.join("\n"))).await;
    for (run, chunk) in [1, 30, 100, 10_000].into_iter().enumerate() {
        ground.spec(|spec| spec.chunk_bytes = chunk);
        let place = ground.ask(&format!("r-uni{run}.1"), Scope::All).await;
        drive(&|| ground.worker(), &ground, &place).await.unwrap();
        let (summary, local) = ground.local(&format!("out-{run}"), None);
        assert_eq!((summary.accepted, summary.rejected), (45, 16));
        ground.assert_same(&place, &local, &format!("chunks of {chunk}")).await;
    }
    ground.input("id,name\n").await;
    let place = ground.ask("r-none.1", Scope::All).await;
    assert_eq!(drive(&|| ground.worker(), &ground, &place).await.unwrap()["outcome"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_rejects_keep_the_output_aside() {
    let ground = Ground::new(&people()).await;
    ground.spec(|spec| spec.tolerated_rejects_percent = 49.0);
    ground.input("id,name,since\n1,Ann,\nx,Ann,\n").await;
    let place = ground.ask("r-over.1", Scope::All).await;
    let ended = drive(&|| ground.worker(), &ground, &place).await.unwrap();
    let why = "50 % of the rows were rejected and the job tolerates 49 %; the output is kept aside";
    assert_eq!(ended, json!({"outcome": "failed", "why": why}));
    let (summary, local) = ground.local("out", None);
    assert_eq!(summary.outcome, Outcome::TooManyRejects);
    ground.assert_same(&place, &local, "over tolerance").await;
    assert!(ground.get(&place.at(batch::OUTPUT)).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_attempt_is_built_on_as_on_one_machine() {
    for unique in [false, true] {
        let mut schema = json!({"fields": [{"name": "id"}, {"name": "n", "type": "integer"}]});
        if unique {
            schema["primaryKey"] = json!("id");
        }
        let ground = Ground::new(&schema).await;
        let lookup = json!({"file": "names.csv", "key": "id", "columns": ["name"]});
        ground.spec(|spec| spec.lookups = vec![serde_json::from_value(lookup).unwrap()]);
        let rows: String =
            (1..=40).map(|id| if id == 11 { "11,no\n".to_owned() } else { format!("{id},{id}\n") }).collect();
        ground.input(format!("id,n\n{rows}3,3\n")).await;
        let names = |all: bool, word: &str| {
            let lines = (1..=40).filter(|id| all || id % 5 != 3).map(|id| format!("{id},{word} {id}\n"));
            format!("id,name\n{}", lines.collect::<String>())
        };
        ground.write("names.csv", &names(false, "old"));
        let first = ground.ask("r-redo.1", Scope::All).await;
        drive(&|| ground.worker(), &ground, &first).await.unwrap();
        let (summary, local) = ground.local("out-1", None);
        assert!(summary.rejected >= 8);
        ground.assert_same(&first, &local, "first").await;
        ground.write("names.csv", &names(true, "NEW"));
        // The second attempt stops half-way; the third builds on what both have.
        let second = ground.ask("r-redo.2", Scope::Rows).await;
        let worker = ground.worker();
        for call in [json!({"step": "plan"}), json!({"step": "chunk", "chunk": 0, "round": 1})] {
            let mut call = call;
            call["key"] = json!(second.key.to_string());
            worker.handle(call).await.unwrap();
        }
        ground.put(&second.at("stop"), Vec::new()).await;
        assert_eq!(drive(&|| ground.worker(), &ground, &second).await.unwrap(), json!({"outcome": "stopped"}));
        let earlier = [ground.dir.path().join("out-1")];
        for (number, scope, own) in [
            (3, Scope::Rows, batch::Scope::Rows),
            (4, Scope::Chunks, batch::Scope::Chunks),
            (5, Scope::All, batch::Scope::All),
        ] {
            let place = ground.ask(&format!("r-redo.{number}"), scope).await;
            assert_eq!(drive(&|| ground.worker(), &ground, &place).await.unwrap()["outcome"], "succeeded");
            // On one machine the third attempt is the newest that the fourth finds.
            let newest = [ground.dir.path().join("out-3"), earlier[0].clone()];
            let redo = if number == 3 { &earlier[..] } else { &newest[..] };
            let (_, local) = ground.local(&format!("out-{number}"), Some((own, redo)));
            ground.assert_same(&place, &local, &format!("unique: {unique}, {scope:?}")).await;
        }
        ground.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_out_once_with_links_that_work() {
    let ground = Ground::new(&people()).await;
    ground.input("id,name,since\n1,Ann,\nx,Ann,\n").await;
    let ses = aws_sdk_sesv2::Client::new(&ground.account.config);
    ses.create_email_identity().email_identity("bot@example.com").send().await.unwrap();
    let mail = Mail { from: "bot@example.com".to_owned(), to: vec!["ops@example.com".to_owned()] };
    *ground.catalog.mail.lock().unwrap() = Some(mail);
    let place = ground.ask("r-mail.1", Scope::All).await;
    for _ in 0..2 {
        drive(&|| ground.worker(), &ground, &place).await.unwrap();
    }
    let sent = sent(&ground).await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    let text = sent[0].to_string();
    assert!(
        text.contains("2 rows, 1 accepted, 1 rejected")
            && text.contains("/output.csv")
            && text.contains("/rejects.csv"),
        "{text}"
    );
}

async fn sent(ground: &Ground) -> Vec<serde_json::Value> {
    let url = format!("{}/_ministack/ses/messages?account={}", crate::emulator::endpoint(), ground.account.id);
    let http = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let http = http.build_http::<http_body_util::Full<bytes::Bytes>>();
    let answer = http.get(url.parse().unwrap()).await.unwrap();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    body["messages"][&ground.account.id].as_array().cloned().unwrap_or_default()
}
