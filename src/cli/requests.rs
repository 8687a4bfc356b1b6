//! `switchman requests [ID]`: what waits for somebody, or one request with its whole plan.

use super::args::RequestsArgs;
use super::{Failure, Outcome, Terminal, block_on, plan};
use crate::app;
use crate::config::Config;
use crate::domain::approval::Request;
use crate::domain::id::RequestId;
use crate::ports::{WAITING_REQUESTS, load, load_list, request_key};

/// Requests read in one go.
const MANY: usize = 10_000;

pub(super) fn run(args: &RequestsArgs, terminal: &mut Terminal) -> Outcome {
    let config = Config::load(&args.file.config)?;
    let desk = block_on(app::open_desk(&config, Vec::new()))??;
    let Some(id) = &args.request else {
        let waiting: Vec<Request> =
            block_on(load_list(desk.store.as_ref(), WAITING_REQUESTS, MANY))?.map_err(Failure::failed)?;
        if waiting.is_empty() {
            terminal.note("no requests wait for anybody");
        }
        return waiting.iter().try_for_each(|request| terminal.say(&line(request, args.json)));
    };
    let id = RequestId::parse(id.as_str()).map_err(|e| Failure::Wrong(format!("switchman: {e}; found {id:?}")))?;
    let found: Option<Request> = block_on(load(desk.store.as_ref(), &request_key(&id)))?.map_err(Failure::failed)?;
    let Some(request) = found else {
        return Err(Failure::Failed(anyhow::anyhow!("there is no request {id}")));
    };
    if args.json {
        return terminal.say(&serde_json::to_string(&request).map_err(Failure::failed)?);
    }
    plan::lines(&request, desk.clock.now()).iter().try_for_each(|line| terminal.say(line))
}

fn line(request: &Request, json: bool) -> String {
    if json {
        return serde_json::to_string(request).unwrap_or_default();
    }
    let review = if request.review_is_open() { ", review open" } else { "" };
    format!(
        "{}  {}{review}  {} of {}  {}  asked by {}  digest {}",
        request.id,
        request.state.word(),
        request.counted(&[]),
        request.rule.quorum,
        request.plan.line(),
        request.asked_by.shown(),
        request.digest.short(),
    )
}
