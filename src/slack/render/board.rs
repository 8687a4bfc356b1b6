//! The board as templates see it.

use super::card::Card;
use super::moves::{Copy, MoveCard};
use super::replies::cards;
use super::request::RequestCard;
use super::templates::value;
use crate::domain::reply::Board;
use minijinja::{Value, context};
use serde::Serialize;

/// Runs and requests of one kind; more are counted. All kinds together stay below the 50 blocks of a message.
const SHOWN: usize = 10;

/// A region that is not the active one.
#[derive(Debug, Serialize)]
struct Standby {
    region: String,
    /// `None`: it cannot be asked.
    copy: Option<Copy>,
}

/// What `board_parts.json` needs.
pub(super) fn board_context(board: &Board) -> Value {
    let standby = board
        .standby
        .iter()
        .take(SHOWN)
        .map(|(region, replication)| Standby { region: region.to_string(), copy: replication.as_ref().map(Copy::of) });
    let requests = board.requests.iter().take(SHOWN).map(|request| RequestCard::of(request, board.now));
    let of = |runs| -> Vec<Card> { cards(runs, board.now, SHOWN) };
    context! {
        open => value(of(&board.open)),
        more_open => board.open.len().saturating_sub(SHOWN),
        ended => value(of(&board.ended)),
        dead_letters => board.dead_letters,
        active => value(board.active.as_ref().map(|active| active.region.to_string())),
        epoch => board.active.as_ref().map(|active| active.epoch),
        since => board.active.as_ref().map(|active| active.since.as_second()),
        standby => value(standby.collect::<Vec<_>>()),
        requests => value(requests.collect::<Vec<_>>()),
        more_requests => board.requests.len().saturating_sub(SHOWN),
        moving => value(board.moving.as_ref().map(|record| MoveCard::of(record, board.now))),
        drill => value(board.last_drill.as_ref().map(|record| MoveCard::of(record, board.now))),
        now => board.now.as_second(),
    }
}
