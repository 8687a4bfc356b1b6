//! `users.*`, and the methods that say who the token belongs to.

use serde_json::{Value, json};

use super::{Answer, ApiError, Context};

pub(super) fn api_test(context: &mut Context<'_>) -> Answer {
    match context.args.text("error") {
        Some(error) => Err(ApiError { code: error.to_owned(), extra: json!({ "args": context.args.fields }) }),
        None => Ok(json!({ "args": context.args.fields })),
    }
}

pub(super) fn auth_test(context: &mut Context<'_>) -> Value {
    let (workspace, base) = (&context.state.workspace, &context.state.base_url);
    let mut answer = json!({
        "url": format!("{base}/"), "team": workspace.team.name, "user": workspace.app.handle,
        "team_id": workspace.team.id, "user_id": workspace.app.user_id, "bot_id": workspace.app.bot_id,
        "is_enterprise_install": workspace.team.org_install,
    });
    if let Some((id, _)) = &workspace.team.enterprise {
        answer["enterprise_id"] = json!(id);
    }
    answer
}

pub(super) fn bots_info(context: &mut Context<'_>) -> Answer {
    let app = &context.state.workspace.app;
    if context.args.text("bot").is_some_and(|id| id != app.bot_id) {
        return Err("bot_not_found".into());
    }
    Ok(json!({ "bot": { "id": app.bot_id, "deleted": false, "name": app.name, "updated": 0, "app_id": app.id,
        "user_id": app.user_id } }))
}

pub(super) fn team_info(context: &mut Context<'_>) -> Value {
    let team = &context.state.workspace.team;
    json!({ "team": { "id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {} } })
}

pub(super) fn info(context: &mut Context<'_>) -> Answer {
    let id = context.args.text("user").ok_or(ApiError::from("user_not_found"))?;
    if id == context.state.workspace.app.user_id {
        return Ok(json!({ "user": bot(context) }));
    }
    let member = context.state.workspace.member(id).ok_or(ApiError::from("user_not_found"))?;
    Ok(json!({ "user": member.to_slack() }))
}

pub(super) fn list(context: &mut Context<'_>) -> Value {
    let people = context.state.workspace.members.iter().map(crate::playground::people::Member::to_slack);
    let members: Vec<Value> = people.chain([bot(context)]).collect();

    json!({ "members": members, "cache_ts": context.state.now.as_second(), "response_metadata": { "next_cursor": "" } })
}

fn bot(context: &Context<'_>) -> Value {
    let workspace = &context.state.workspace;
    let app = &workspace.app;
    json!({
        "id": app.user_id, "team_id": workspace.team.id, "name": app.handle, "deleted": false, "real_name": app.name,
        "profile": { "real_name": app.name, "display_name": "", "api_app_id": app.id, "bot_id": app.bot_id, "team": workspace.team.id },
        "is_bot": true, "is_app_user": false, "updated": 0,
    })
}
