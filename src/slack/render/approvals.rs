//! Which template says what is said about requests and moves.

use super::moves::MoveCard;
use super::request::{Person, RequestCard};
use super::templates::value;
use super::{Message, Renderer};
use crate::domain::actor::Actor;
use crate::domain::approval::Request;
use crate::domain::failover::FailOver;
use crate::domain::id::{RequestId, UserId};
use jiff::Timestamp;
use minijinja::context;

/// People named in a reminder; more are counted.
const PEOPLE: usize = 20;

impl Renderer {
    /// The message that `template` makes of a request.
    pub(super) fn about(&self, template: &str, request: &Request, now: Timestamp) -> Message {
        self.message_from(template, &context! { request => value(RequestCard::of(request, now)) }, &plain(request))
    }

    pub(super) fn reminder(&self, request: &Request, missing: &[Actor], now: Timestamp) -> Message {
        let context = context! {
            request => value(RequestCard::of(request, now)),
            missing => value(missing.iter().take(PEOPLE).map(Person::of).collect::<Vec<_>>()),
            more_missing => missing.len().saturating_sub(PEOPLE),
        };
        self.message_from("request_reminder.json", &context, &plain(request))
    }

    pub(super) fn move_card(&self, record: &FailOver, now: Timestamp) -> Message {
        let context = context! { card => value(MoveCard::of(record, now)) };
        self.message_from("move_card.json", &context, &plain_move(record))
    }

    pub(super) fn move_report(&self, request: &RequestId, files: usize, user: &UserId) -> Message {
        let context = context! { request => request.as_str(), files => files, user => user.as_str() };
        self.message_from("move_report.json", &context, "The report of the move is attached.")
    }
}

/// A request in one line, should its template fail.
fn plain(request: &Request) -> String {
    format!("Request {} is {}. Its digest is {}.", request.id, request.state.word(), request.digest.short())
}

/// A move in one line, should its template fail.
fn plain_move(record: &FailOver) -> String {
    let (word, files, lost) = (record.plan.kind.word(), record.files.len(), record.lost().len());
    format!("The {word} {} is {}. It has {files} files; {lost} are lost so far.", record.id, record.state.word())
}
