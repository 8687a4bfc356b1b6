//! `help [COMMAND]`.

use super::Ctx;
use super::asked::Asked;
use super::outcome::answer;
use crate::domain::command::Action;
use crate::domain::reply::Reply;
use crate::ports::Commit;

pub(super) fn handle(ctx: &Ctx, asked: &Asked<'_>, about: Option<Action>) -> Commit {
    let permitted = ctx.policy.permitted_actions(&asked.standing, asked.place());
    let subject = about.map_or("help", Action::name);
    answer(ctx, asked, Reply::Help { about, permitted }, subject, "done")
}
