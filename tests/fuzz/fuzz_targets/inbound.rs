//! Everything that reads what strangers send: signature headers, request bodies, command lines, blocks.
//!
//! An input is two header lines and a body: the first line is the content type or the timestamp, the second the signature. Corpus
//! files are written so that people can read and add to them.
#![no_main]

use bytes::Bytes;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use switchman::domain::grammar::{self, Parsed};
use switchman::domain::id::JobName;
use switchman::slack::inbound::{self, Inbound};
use switchman::slack::limits::{self, Surface};
use switchman::slack::modal::{Button, Metadata};
use switchman::slack::signature;

const NOW: i64 = 1_700_000_000;

fuzz_target!(|data: &[u8]| {
    let (first, rest) = line(data);
    let (second, body) = line(rest);
    signature_headers(first, second, body);
    if let Ok(inbound) = inbound::read(first, body) {
        understood(first, body, inbound);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        command_line(text);
    }
    if let Ok(payload) = serde_json::from_slice(body) {
        for surface in [Surface::Message, Surface::Modal, Surface::Home] {
            assert!(limits::check(surface, &payload).len() <= 100);
        }
    }
});

/// No header passes that was not made with the secret.
fn signature_headers(timestamp: &str, signature: &str, body: &[u8]) {
    let secrets = [SecretString::from("a secret nobody guesses"), SecretString::from("the next one")];
    let now = Timestamp::from_second(NOW).expect("a fixed time");
    let body = Bytes::copy_from_slice(body);
    assert!(signature::verify(&secrets, timestamp, signature, body.clone(), now).is_err());
    let ours = signature::sign(&secrets[1], NOW, &body);
    let verified = signature::verify(&secrets, &NOW.to_string(), &ours, body.clone(), now).expect("our own signature");
    assert_eq!(verified.body(), &body);
}

/// What holds for every request that was understood.
fn understood(content_type: &str, body: &[u8], inbound: Inbound) {
    let senders = match inbound {
        Inbound::Command(command) => {
            assert!(!inbound::is_ssl_check(content_type, body), "a certificate check hides no command");
            command_line(&command.text);
            vec![command.sender]
        }
        Inbound::Actions(actions) => {
            assert!(!actions.actions.is_empty());
            for action in &actions.actions {
                let _ = Button::read(&action.action_id, action.chosen.one());
            }
            vec![actions.sender]
        }
        Inbound::Submission(sent) => {
            let _ = Metadata::read(&sent.view.private_metadata);
            vec![sent.sender]
        }
        Inbound::Closed(closed) => vec![closed.sender],
        Inbound::HomeOpened(opened) => vec![opened.sender],
        Inbound::Unknown { kind } => {
            assert!(kind.len() <= 64 && kind.is_ascii());
            vec![]
        }
        Inbound::SslCheck | Inbound::UrlVerification { .. } => vec![],
    };
    for sender in senders {
        assert_eq!(sender.actor().user, sender.user);
        let _ = sender.is_foreign();
    }
}

/// A line is understood or explained, and what was understood is written as it is read.
fn command_line(text: &str) {
    let jobs = [JobName::parse("sales").expect("a job name")];
    match grammar::parse(text, &jobs[..]) {
        Ok(Parsed::Complete(command)) => {
            let written = grammar::render(&command);
            assert_eq!(grammar::parse(&written, &jobs[..]), Ok(Parsed::Complete(command)), "{written}");
        }
        Ok(Parsed::Menu | Parsed::Incomplete(_) | Parsed::Unfilled { .. }) => {}
        Err(usage) => {
            assert!(!usage.reason.is_empty());
            let _ = usage.caret();
        }
    }
}

/// The text up to a line feed, and what follows it.
fn line(data: &[u8]) -> (&str, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (std::str::from_utf8(&data[..end]).unwrap_or_default(), rest)
}
