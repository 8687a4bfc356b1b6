//! Inputs and results in S3.
//!
//! MiniStack checks a presigned address, its age included, against the real time.

use crate::contract::Backend;
use crate::contract::samples::{key, run_id};
use crate::emulator::Account;
use crate::proxy::{Fault, Proxy};
use aws_sdk_s3::Client;
use std::sync::Arc;
use std::time::Duration;
use switchman::aws::files::{NAME, artifact_key};
use switchman::aws::{S3Files, S3Job};
use switchman::domain::id::{FileName, JobName};
use switchman::domain::run::AttemptKey;
use switchman::ports::{ArtifactKind, Clock, Files, Kind};

fn sales() -> JobName {
    JobName::parse("sales").unwrap()
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

/// A bucket, its name, and somebody else's way to it.
async fn bucket() -> (String, Client, S3Files) {
    let (_, bucket, client, files) = furnished().await;
    (bucket, client, files)
}

async fn furnished() -> (Account, String, Client, S3Files) {
    let account = Account::furnished().await;
    let (bucket, client) = account.make_bucket().await;
    let files = files_of(&account, &bucket);
    (account, bucket, client, files)
}

fn files_of(account: &Account, bucket: &str) -> S3Files {
    let job = S3Job { name: sales(), takes: Arc::new(|name: &str| !name.starts_with("notes")) };
    let clock: Arc<dyn Clock> = Arc::new(account.clock().clone());
    S3Files::new(&account.config, bucket, vec![job], &clock)
}

#[tokio::test]
async fn an_input_is_put_there_once_and_changes_its_fingerprint_with_its_content() {
    let (bucket, client, files) = bucket().await;
    assert!(files.inputs(&sales()).await.unwrap().is_empty());
    let odd = name("März 1+2 50%.csv");
    files.put_input(&sales(), &odd, b"a,b\n1,2\n").await.unwrap();
    let error = files.put_input(&sales(), &odd, b"other").await.unwrap_err();
    assert!(error.kind == Kind::Conflict && error.to_string().contains("März 1+2 50%.csv"), "{error}");
    let input = files.inputs(&sales()).await.unwrap().remove(0);
    assert_eq!((&input.name, input.bytes, input.key.as_str()), (&odd, 8, "input/sales/März 1+2 50%.csv"));
    client.put_object().bucket(&bucket).key(&input.key).body(b"a,b\n1,3\n".to_vec().into()).send().await.unwrap();
    let changed = files.inputs(&sales()).await.unwrap().remove(0);
    assert_ne!(input.fingerprint, changed.fingerprint);
    assert!(files.put_input(&JobName::parse("other").unwrap(), &odd, b"").await.is_err());
}

#[tokio::test]
async fn inputs_are_those_of_the_job_however_many_there_are() {
    let (bucket, client, files) = bucket().await;
    for other in ["input/sales/.hidden.csv", "input/sales/notes.txt", "input/sales/deep/x.csv", "input/sales-2/x.csv"] {
        client.put_object().bucket(&bucket).key(other).body(b"x".to_vec().into()).send().await.unwrap();
    }
    // More than a page of a listing.
    for n in 0..1_010 {
        let key = format!("input/sales/{n:04}.csv");
        client.put_object().bucket(&bucket).key(key).body(b"x".to_vec().into()).send().await.unwrap();
    }
    let found = files.inputs(&sales()).await.unwrap();
    assert_eq!(found.len(), 1_010);
    assert!(found.iter().all(|input| input.name.as_str().len() == 8));
    assert_eq!(files.input_folder(&sales()), format!("s3://{bucket}/input/sales/"));
}

#[tokio::test]
async fn a_result_is_read_by_range_and_handed_out_by_a_link() {
    let (bucket, client, files) = bucket().await;
    assert_eq!(files.artifact(&key(1), ArtifactKind::Output).await.unwrap(), None);
    let put = client.put_object().bucket(&bucket).key(artifact_key(&key(1), ArtifactKind::Rejects));
    let put = put.metadata(NAME, "M%C3%A4rz.rejects.csv").body(b"0123456789".to_vec().into());
    put.send().await.unwrap();
    let rejects = files.artifact(&key(1), ArtifactKind::Rejects).await.unwrap().unwrap();
    assert_eq!((rejects.name.as_str(), rejects.bytes), ("März.rejects.csv", 10));
    for (offset, max, expected) in [(0, 4, "0123"), (8, 10, "89"), (10, 4, ""), (99, 4, ""), (3, 0, "")] {
        let read = files.read(&rejects, offset, max).await.unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), expected, "{offset} {max}");
    }
    // The real time, because it is the emulator that judges the address.
    let now = jiff::Timestamp::try_from(std::fs::metadata("/proc/self").unwrap().modified().unwrap()).unwrap();
    let link = files.link(&rejects, now, Duration::from_hours(24 * 30)).await.unwrap();
    assert!(link.contains("X-Amz-Expires=604800"), "a week is the most: {link}");
    let gone = AttemptKey { run: run_id(1), attempt: 9 };
    let error = files.read(&switchman::ports::Artifact { key: gone, ..rejects.clone() }, 0, 4).await.unwrap_err();
    assert_eq!(error.kind, Kind::Gone);
    let http = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let http = http.build_http::<http_body_util::Full<bytes::Bytes>>();
    let answer = http.get(link.parse().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let saved = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(saved, "attachment; filename=\"M_rz.rejects.csv\"");
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "0123456789");
    let old = files.link(&rejects, now - jiff::SignedDuration::from_mins(11), Duration::from_mins(10)).await.unwrap();
    assert_eq!(http.get(old.parse().unwrap()).await.unwrap().status(), 403);
}

/// More than comes in one call.
fn large() -> Vec<u8> {
    (0..17_u32 << 18).flat_map(u32::to_le_bytes).collect()
}

async fn unfinished(bucket: &str, client: &Client) -> usize {
    client.list_multipart_uploads().bucket(bucket).send().await.unwrap().uploads().len()
}

#[tokio::test]
async fn a_large_input_comes_in_parts_whole_or_not_at_all_and_only_once() {
    let (bucket, client, files) = bucket().await;
    let content = large();
    files.put_input(&sales(), &name("large.csv"), &content).await.unwrap();
    let found = client.get_object().bucket(&bucket).key("input/sales/large.csv").send().await.unwrap();
    assert!(found.body.collect().await.unwrap().to_vec() == content);
    let error = files.put_input(&sales(), &name("large.csv"), &content).await.unwrap_err();
    assert!(error.kind == Kind::Conflict && error.to_string().contains("large.csv already"), "{error}");
    assert_eq!(unfinished(&bucket, &client).await, 0, "what was not wanted is thrown away");
    assert_eq!(files.inputs(&sales()).await.unwrap()[0].bytes, content.len() as u64);
}

#[tokio::test]
async fn parts_that_do_not_arrive_leave_nothing_and_are_sent_again() {
    let (account, bucket, client, _) = furnished().await;
    let proxy = Proxy::start().await;
    let files = files_of(&account.through(&proxy.url), &bucket);
    proxy.disturb("PUT", Fault::Refused(500, "InternalError"), 1_000);
    let error = files.put_input(&sales(), &name("large.csv"), &large()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Ambiguous | Kind::Transient { .. }), "{error}");
    assert_eq!((unfinished(&bucket, &client).await, proxy.seen("DELETE")), (0, 1));
    assert!(files.inputs(&sales()).await.unwrap().is_empty());
    proxy.disturb("PUT", Fault::AnswerLost, 1);
    files.put_input(&sales(), &name("large.csv"), &large()).await.unwrap();
    assert_eq!(files.inputs(&sales()).await.unwrap()[0].bytes, large().len() as u64);
    assert_eq!(unfinished(&bucket, &client).await, 0);
}

#[tokio::test]
async fn results_lie_below_the_root_and_inputs_do_not() {
    let (bucket, client, files) = bucket().await;
    let drill = files.under("sandbox/q-7k3f/");
    drill.put_input(&sales(), &name("may.csv"), b"a").await.unwrap();
    let at = format!("sandbox/q-7k3f/{}", artifact_key(&key(1), ArtifactKind::Output));
    client.put_object().bucket(&bucket).key(at).body(b"in the drill".to_vec().into()).send().await.unwrap();
    assert_eq!(files.inputs(&sales()).await.unwrap().len(), 1);
    assert_eq!(files.artifact(&key(1), ArtifactKind::Output).await.unwrap(), None);
    let output = drill.artifact(&key(1), ArtifactKind::Output).await.unwrap().unwrap();
    assert_eq!(drill.read(&output, 3, 3).await.unwrap(), b"the");
}
