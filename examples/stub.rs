use axum::{Json, Router, body::Bytes, extract::State, response::IntoResponse, routing::post};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use switchman::playground::*;

async fn call(api: &str, method: &str, body: Value) -> Value {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = axum::http::Request::post(format!("{api}/{method}"))
        .header("authorization", "Bearer xoxb-test")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let response = client.request(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let v = serde_json::from_slice(&bytes).unwrap_or(json!({}));
    eprintln!("{method}: {}", if v["ok"] == true { "ok".to_owned() } else { v.to_string() });
    v
}
async fn raw(url: &str, body: &'static str) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(axum::http::Request::post(url).body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
}
fn pt(t: &str) -> Value {
    json!({"type":"plain_text","text":t,"emoji":true})
}
fn md(t: &str) -> Value {
    json!({"type":"mrkdwn","text":t})
}
fn opt(t: &str, v: &str) -> Value {
    json!({"text":pt(t),"value":v})
}

fn progress(pct: usize) -> Value {
    let full = pct / 5;
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(20 - full));
    json!([
        {"type":"section","block_id":"head","text":md(&format!(":hourglass_flowing_sand: *sales* · `r-7k3f` is running on `sales-march.csv`\n`{bar}` *{pct} %*")),
         "accessory":{"type":"button","action_id":"cancel","text":pt("Cancel"),"style":"danger","value":"r-7k3f","confirm":{"title":pt("Cancel this run?"),"text":md("Run `r-7k3f` stops after the chunks in hand. What is done stays done."),"confirm":pt("Cancel the run"),"deny":pt("Keep running"),"style":"danger"}}},
        {"type":"context","block_id":"ctx","elements":[md(&format!("{} of 100,000 rows · 48,200 rows/s · about 2 s left · asked for by <@U0OPERATOR>", pct * 1000))]}
    ])
}
fn done() -> Value {
    json!([
        {"type":"section","block_id":"head","text":md(":white_check_mark: *sales* · `r-7k3f` is done, <@U0OPERATOR>")},
        {"type":"section","block_id":"f","fields":[md("*Rows*\n100,000"),md("*Accepted*\n98,900"),md("*Rejected*\n1,100 (1.1 %)"),md("*Took*\n2.1 s · 47,600 rows/s")]},
        {"type":"table","block_id":"t","column_settings":[{"align":"left"},{"align":"right"},{"align":"left"}],"rows":[
            [{"type":"raw_text","text":"Reason"},{"type":"raw_text","text":"Rows"},{"type":"raw_text","text":"First line"}],
            [{"type":"raw_text","text":"quantity: not a whole number"},{"type":"raw_text","text":"612"},{"type":"raw_text","text":"line 214"}],
            [{"type":"raw_text","text":"order_date: not a date"},{"type":"raw_text","text":"388"},{"type":"raw_text","text":"line 377"}],
            [{"type":"raw_text","text":"item_type: not in the lookup"},{"type":"raw_text","text":"100"},{"type":"raw_text","text":"line 1,024"}]]},
        {"type":"actions","block_id":"act","elements":[
            {"type":"button","action_id":"view_rejects","text":pt("View rejects"),"value":"r-7k3f"},
            {"type":"button","action_id":"reprocess","text":pt("Reprocess rejected"),"style":"primary","value":"r-7k3f"},
            {"type":"button","action_id":"download","text":pt("Download output"),"value":"r-7k3f"},
            {"type":"overflow","action_id":"more","options":[opt("Show the plan","plan"),opt("Audit trail","audit")]}]},
        {"type":"context","block_id":"ctx","elements":[md("Finished <!date^1763715574^{date_short_pretty} at {time}|21 Nov> · chunk size 4 MiB · region `east` epoch 1")]}
    ])
}
fn menu() -> Value {
    json!([
        {"type":"header","text":pt("What would you like to do?")},
        {"type":"section","text":md("*Start a batch* — run a job on an input file"),"accessory":{"type":"button","action_id":"open_start","text":pt("Start…"),"style":"primary"}},
        {"type":"section","text":md("*Reprocess* — rejected rows, failed chunks or all of a run"),"accessory":{"type":"button","action_id":"open_re","text":pt("Reprocess…")}},
        {"type":"section","text":md("*Status* — what is running"),"accessory":{"type":"static_select","action_id":"pick","placeholder":pt("A run"),"options":[opt("r-7k3f sales","r-7k3f"),opt("r-2m9x sales","r-2m9x")]}},
        {"type":"context","elements":[md("You are an operator in <#C0BATCH>. `/my-slack-bot help` lists all commands.")]}
    ])
}
fn form() -> Value {
    json!({"type":"modal","callback_id":"start","title":pt("Start a batch"),"submit":pt("Start"),"close":pt("Cancel"),"private_metadata":"{}","notify_on_close":true,"blocks":[
        {"type":"section","block_id":"s","text":md("The run starts at once; you are mentioned when it is done.")},
        {"type":"input","block_id":"job","label":pt("Job"),"element":{"type":"static_select","action_id":"v","placeholder":pt("Choose a job"),"options":[opt("sales","sales"),opt("stock","stock")],"initial_option":opt("sales","sales")}},
        {"type":"input","block_id":"file","label":pt("Input file"),"hint":pt("Drop a CSV anywhere on the page to add one."),"element":{"type":"static_select","action_id":"v","placeholder":pt("Choose a file"),"options":[opt("sales-march.csv · 12.4 MB","m"),opt("sales-april.csv · 11.9 MB","a")]}},
        {"type":"input","block_id":"what","label":pt("What to run"),"element":{"type":"radio_buttons","action_id":"v","initial_option":{"text":pt("Everything"),"value":"all","description":pt("all rows of the file")},"options":[{"text":pt("Everything"),"value":"all","description":pt("all rows of the file")},{"text":pt("Rejected rows only"),"value":"rows","description":pt("after the lookup or the schema was mended")}]}},
        {"type":"input","block_id":"opts","optional":true,"label":pt("Options"),"element":{"type":"checkboxes","action_id":"v","options":[opt("Tell the channel when it is done","tell"),opt("Stop at the first failed chunk","stop")]}},
        {"type":"input","block_id":"on","optional":true,"label":pt("Not before"),"element":{"type":"datepicker","action_id":"v"}},
        {"type":"input","block_id":"who","optional":true,"label":pt("Also tell"),"element":{"type":"users_select","action_id":"v","placeholder":pt("Somebody")}},
        {"type":"input","block_id":"reason","label":pt("Reason"),"element":{"type":"plain_text_input","action_id":"v","multiline":true,"placeholder":pt("Why is this run needed?"),"min_length":5}}
    ]})
}
async fn events(State(pg): State<Playground>, body: Bytes) -> axum::response::Response {
    let api = pg.api_url();
    if body.starts_with(b"{") {
        let event: Value = serde_json::from_slice(&body).unwrap();
        let user = event["event"]["user"].as_str().unwrap_or_default().to_owned();
        tokio::spawn(async move {
            call(&api, "views.publish", json!({"user_id":user,"view":{"type":"home","blocks":[
            {"type":"header","text":pt("Batches")},
            {"type":"section","text":md(&format!("Good to see you, <@{user}>. One run is going, three finished today."))},
            {"type":"actions","elements":[{"type":"button","action_id":"open_start","text":pt("Start a batch"),"style":"primary"},{"type":"button","action_id":"refresh","text":pt("Refresh")}]},
            {"type":"divider"},
            {"type":"section","text":md(":hourglass_flowing_sand: *r-7k3f* sales · 62 % · <#C0BATCH>"),"accessory":{"type":"button","action_id":"x","text":pt("Open")}},
            {"type":"section","text":md(":white_check_mark: *r-2m9x* sales · 1,100 rejected"),"accessory":{"type":"button","action_id":"x2","text":pt("Open")}},
            {"type":"context","elements":[md("Active region *east* · epoch 1")]}]}})).await;
        });
        return ().into_response();
    }
    let form_fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap();
    let get = |k: &str| form_fields.iter().find(|(n, _)| n == k).map(|(_, v)| v.clone()).unwrap_or_default();
    if get("payload").is_empty() {
        let (text, user, channel, trigger) = (get("text"), get("user_id"), get("channel_id"), get("trigger_id"));
        if user == "U0STRANGER" {
            return Json(json!({"text":":no_entry: You are on no list for this bot, so it does nothing for you.","blocks":[{"type":"section","text":md(":no_entry: *You may not use Switchman here.*\n<@U0STRANGER> is on no list in `switchman.toml`. Ask <@U0APPROVER1> to be added as a viewer or an operator.")},{"type":"context","elements":[md("Rule: deny by default · `/my-slack-bot why @stranger start-batch` explains it")]}]})).into_response();
        }
        match text.as_str() {
            "" => return Json(json!({"text":"menu","blocks":menu()})).into_response(),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            "start-batch" => {
                tokio::spawn(async move {
                    let v = call(&api, "views.open", json!({"trigger_id":trigger,"view":{"type":"modal","title":pt("Start a batch"),"close":pt("Cancel"),"blocks":[{"type":"section","text":md(":hourglass_flowing_sand: Looking up jobs and files…")}]}})).await;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    call(&api, "views.update", json!({"view_id":v["view"]["id"],"view":form()})).await;
                });
            }
            "broken" => {
                tokio::spawn(async move {
                    call(
                        &api,
                        "chat.postMessage",
                        json!({"channel":channel,"text":"x","blocks":[{"type":"section","text":md("ok")},{"text":1}]}),
                    )
                    .await;
                });
            }
            t if t.starts_with("start-batch") => {
                tokio::spawn(async move {
                    let m = call(
                        &api,
                        "chat.postMessage",
                        json!({"channel":channel,"text":"sales r-7k3f is running","blocks":progress(0)}),
                    )
                    .await;
                    for pct in [20, 45, 70, 95] {
                        tokio::time::sleep(Duration::from_millis(700)).await;
                        call(
                            &api,
                            "chat.update",
                            json!({"channel":channel,"ts":m["ts"],"text":"x","blocks":progress(pct)}),
                        )
                        .await;
                    }
                    call(&api, "chat.update", json!({"channel":channel,"ts":m["ts"],"text":"done","blocks":done()}))
                        .await;
                    let u = call(
                        &api,
                        "files.getUploadURLExternal",
                        json!({"filename":"sales-march.rejects.csv","length":8}),
                    )
                    .await;
                    raw(u["upload_url"].as_str().unwrap(), "a,b\n1,2\n").await;
                    call(&api, "files.completeUploadExternal", json!({"files":[{"id":u["file_id"],"title":"Rejected rows"}],"channel_id":channel,"thread_ts":m["ts"],"initial_comment":"The 1,100 rejected rows, with line, column and reason"})).await;
                });
            }
            "rich" => {
                tokio::spawn(async move {
                    call(&api, "chat.postMessage", json!({"channel":channel,"text":"rich","blocks":[
                {"type":"section","text":md("*bold* _italic_ ~strike~ `code` and *_both_*, snake_case_name, 2 * 3 * 4\n> a quote\n> of two lines\nafter <https://example.com|a link> &amp; &lt;b&gt;\n```\nfn main() {}\n  indented\n```\ndone :tada: :unknown_one:")},
                {"type":"markdown","text":"## Heading\nSome **bold** and *italic* with [link](https://example.com)\n- one\n- two `x`\n\n1. first\n2. second"},
                {"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"Rich "},{"type":"text","text":"bold","style":{"bold":true}},{"type":"user","user_id":"U0VIEWER"},{"type":"emoji","name":"rocket"}]},{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"item one"}]},{"type":"rich_text_section","elements":[{"type":"text","text":"item two"}]}]}]},
                {"type":"divider"},{"type":"carousel","elements":[]}]})).await;
                });
            }
            _ => {
                return Json(json!({"text":format!("I do not know `{text}`. Did you mean `start-batch`?")}))
                    .into_response();
            }
        }
        return ().into_response();
    }
    let payload: Value = serde_json::from_str(&get("payload")).unwrap();
    let trigger = payload["trigger_id"].clone();
    match (payload["type"].as_str().unwrap(), payload["actions"][0]["action_id"].as_str().unwrap_or_default()) {
        ("view_submission", _) => {
            if payload["view"]["state"]["values"]["reason"]["v"]["value"].as_str().unwrap_or_default().contains("bad") {
                return Json(json!({"response_action":"errors","errors":{"reason":"A reason like that is not a reason.","file":"sales-march.csv is being processed by r-7k3f."}})).into_response();
            }
        }
        (_, "open_start") => {
            tokio::spawn(async move {
                call(&api, "views.open", json!({"trigger_id":trigger,"view":form()})).await;
            });
        }
        (_, "view_rejects") => {
            tokio::spawn(async move {
                call(&api, "views.open", json!({"trigger_id":trigger,"view":{"type":"modal","title":pt("Rejects of r-7k3f"),"close":pt("Close"),"blocks":[
            {"type":"section","text":md("*612* quantity: not a whole number\n```line 214  quantity  \"twelve\"\nline 391  quantity  \"\"\nline 402  quantity  \"1,5\"```")},
            {"type":"actions","elements":[{"type":"button","action_id":"deeper","text":pt("Next 50")}]}]}})).await;
            });
        }
        (_, "deeper") => {
            tokio::spawn(async move {
                call(&api, "views.push", json!({"trigger_id":trigger,"view":{"type":"modal","title":pt("Rows 51–100"),"close":pt("Back"),"blocks":[{"type":"section","text":md("more")}]}})).await;
            });
        }
        (_, "cancel") => {
            let url = payload["response_url"].as_str().unwrap().to_owned();
            tokio::spawn(async move {
                let (base, m) =
                    url.rsplit_once("/response").map(|(b, m)| (format!("{b}"), format!("response{m}"))).unwrap();
                call(&base, &m, json!({"text":"Only the one who started it may cancel a run."})).await;
            });
        }
        _ => {}
    }
    ().into_response()
}

#[tokio::main]
async fn main() {
    let port: u16 = std::env::args().nth(1).and_then(|p| p.parse().ok()).unwrap_or(7788);
    let clock: Clock = Arc::new(jiff::Timestamp::now);
    let base = format!("http://127.0.0.1:{port}");
    let mut config = PlaygroundConfig::new(&format!("{base}/slack/events"), "secret".into(), "xoxb-test".into(), clock);
    let hint = |t: &str, u: &str, s: &str| Hint { text: t.into(), usage: u.into(), summary: s.into() };
    config.hints = vec![
        hint("start-batch", "JOB [FILE]", "run a job on an input file"),
        hint("reprocess-batch", "[RUN] [rows|chunks|all]", "run again what was rejected or failed"),
        hint("cancel-batch", "RUN", "stop a run"),
        hint("status", "[RUN]", "how a run is doing"),
        hint("list-batches", "", "the last runs"),
        hint("why", "@USER COMMAND…", "why somebody may or may not"),
        hint("help", "[COMMAND]", "all commands"),
    ];
    config.examples = [
        "/my-slack-bot start-batch sales",
        "/my-slack-bot",
        "/my-slack-bot start-batch",
        "/my-slack-bot why @stranger start-batch",
    ]
    .map(String::from)
    .to_vec();
    config.on_upload = Some(Arc::new(|name, bytes| {
        Ok(format!(
            ":inbox_tray: `{name}` ({} bytes) is in the inbox. Run it with `/my-slack-bot start-batch sales {name}`.",
            bytes.len()
        ))
    }));
    let pg = Playground::new(config).unwrap();
    pg.set_base_url(&base);
    let bot = Router::new().route("/slack/events", post(events)).with_state(pg.clone());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    eprintln!("{base}");
    axum::serve(listener, bot.merge(pg.router())).await.unwrap();
}
