//! `switchman dead-letters list | replay`: commands that were given up after many tries.

use super::args::{ConfigArg, DeadLettersCommand, ReplayArgs};
use super::{Failure, Outcome, Terminal, block_on};
use crate::app::{self, Records};
use crate::config::Config;
use crate::ports::{Bus, DeadLetter, Store};

/// Letters read in one go.
const MANY: usize = 10_000;

pub(super) fn run(command: &DeadLettersCommand, terminal: &mut Terminal) -> Outcome {
    match command {
        DeadLettersCommand::List(file) => block_on(async {
            let (store, bus) = open(file)?;
            list(&*store, &*bus, terminal).await
        })?,
        DeadLettersCommand::Replay(args) => block_on(async {
            let (_, bus) = open(&args.file)?;
            replay(&*bus, args, terminal).await
        })?,
    }
}

fn open(file: &ConfigArg) -> Result<Records, Failure> {
    Ok(app::open_store(&Config::load(&file.config)?)?)
}

async fn list(store: &dyn Store, bus: &dyn Bus, terminal: &mut Terminal) -> Outcome {
    let (_, given_up) = store.outbox_depth().await.map_err(Failure::failed)?;
    if given_up > 0 {
        terminal.note(&format!("messages and engine calls that were given up: {given_up}; the log says why"));
    }
    for letter in dead(bus).await? {
        let line = serde_json::json!({
            "id": letter.id,
            "buriedAt": letter.buried_at,
            "attempts": letter.attempts,
            "why": letter.why,
            "message": serde_json::from_str(&letter.body).unwrap_or(serde_json::Value::String(letter.body)),
        });
        terminal.say(&line.to_string())?;
    }
    Ok(())
}

async fn replay(bus: &dyn Bus, args: &ReplayArgs, terminal: &mut Terminal) -> Outcome {
    let ids: Vec<String> = match &args.which.id {
        Some(id) => vec![id.clone()],
        None => dead(bus).await?.into_iter().map(|letter| letter.id).collect(),
    };
    let mut missing = false;
    for id in &ids {
        if bus.replay(id).await.map_err(Failure::failed)? {
            terminal.say(&format!("replayed: {id}"))?;
        } else {
            terminal.note(&format!("there is no dead letter {id:?}; see `switchman dead-letters list`"));
            missing = true;
        }
    }
    if missing { Err(Failure::Told) } else { Ok(()) }
}

async fn dead(bus: &dyn Bus) -> Result<Vec<DeadLetter>, Failure> {
    bus.dead(MANY).await.map_err(Failure::failed)
}
