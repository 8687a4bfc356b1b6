//! `status [RUN]`: one run, or the board.

use super::Ctx;
use super::asked::Asked;
use super::home::board;
use super::outcome::answer;
use crate::domain::reply::Reply;
use crate::domain::run::Run;
use crate::ports::{Commit, PortError};

pub(super) async fn handle(ctx: &Ctx, asked: &Asked<'_>, run: Option<Run>) -> Result<Commit, PortError> {
    let now = ctx.clock.now();
    Ok(match run {
        Some(run) => {
            let subject = run.id.to_string();
            answer(ctx, asked, Reply::RunStatus { run: Box::new(run), now }, subject, "done")
        }
        None => {
            let board = board(ctx, &asked.standing, asked.place()).await?;
            answer(ctx, asked, Reply::Board { board }, "board", "done")
        }
    })
}
