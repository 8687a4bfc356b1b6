//! What is known about somebody and about a channel, asked at the moment of a decision.

use super::Ctx;
use crate::domain::actor::{Actor, Outsider, Standing};
use crate::domain::envelope::Origin;
use crate::domain::id::ChannelId;
use crate::ports::{Age, Kind, Member, PortError};

/// What the directory and chat say about an actor. `seen`: what the request itself showed already (a Slack Connect user).
/// Chat is asked only about people who are on the list: nobody else gets anything anyway.
pub async fn standing(ctx: &Ctx, actor: &Actor, seen: Option<Outsider>) -> Result<Standing, PortError> {
    known(ctx, actor, seen, Age::Minutes).await
}

/// The same, asked now: for votes.
pub(super) async fn standing_now(ctx: &Ctx, actor: &Actor) -> Result<Standing, PortError> {
    known(ctx, actor, None, Age::Now).await
}

async fn known(ctx: &Ctx, actor: &Actor, seen: Option<Outsider>, age: Age) -> Result<Standing, PortError> {
    let listed = ctx.directory.find(&actor.team, &actor.user).await?;
    let outsider = match (seen, &listed) {
        (Some(kind), _) => Some(kind),
        (None, None) => None,
        (None, Some(_)) => match ctx.chat.member(&actor.team, &actor.user, age).await {
            Ok(Member::Outsider(kind)) => Some(kind),
            Ok(Member::Full | Member::Unknown) => None,
            Err(error) if ctx.list_suffices && matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous) => {
                tracing::warn!(%error, "chat cannot say whether {}/{} is a full member; the list alone decides", actor.team, actor.user);
                None
            }
            Err(error) => return Err(error),
        },
    };
    Ok(Standing { actor: actor.clone(), listed, outsider })
}

/// For somebody who proved who they are without chat, the list is believed while chat cannot be asked: decisions must not wait for it.
/// `None`: nobody proved anything.
pub(super) fn without_chat(ctx: &Ctx, origin: &Origin) -> Option<Ctx> {
    let proved = origin.proof.as_ref().is_some_and(|proof| proof.stepped_up);
    proved.then(|| Ctx { list_suffices: true, ..ctx.clone() })
}

/// Whether the bot works in this channel.
pub async fn permitted_channel(ctx: &Ctx, channel: &ChannelId) -> Result<bool, PortError> {
    Ok(ctx.settings.channels().await?.contains(channel))
}
