//! `switchman dead-letters list | replay`: commands, and answers to them, that were given up after many tries.

use super::args::{ConfigArg, DeadLettersCommand, ReplayArgs};
use super::{Failure, Outcome, Terminal, block_on};
use crate::app::{self, Records};
use crate::config::Config;
use crate::ports::{Bus, DeadLetter, GivenUp, Store};

/// Letters read in one go.
const MANY: usize = 10_000;
/// Said on stderr: nothing on stdout alone could be a mistake.
const NONE: &str = "no dead letters";

pub(super) fn run(command: &DeadLettersCommand, terminal: &mut Terminal) -> Outcome {
    match command {
        DeadLettersCommand::List(file) => block_on(async {
            let (store, bus) = open(file).await?;
            list(&*store, &*bus, terminal).await
        })?,
        DeadLettersCommand::Replay(args) => block_on(async {
            let (store, bus) = open(&args.file).await?;
            replay(&*store, &*bus, args, terminal).await
        })?,
    }
}

async fn open(file: &ConfigArg) -> Result<Records, Failure> {
    Ok(app::open_store(&Config::load(&file.config)?).await?)
}

async fn list(store: &dyn Store, bus: &dyn Bus, terminal: &mut Terminal) -> Outcome {
    let (letters, effects) = (dead(bus).await?, given_up(store).await?);
    if letters.is_empty() && effects.is_empty() {
        terminal.note(NONE);
    }
    for letter in letters {
        let line = serde_json::json!({
            "kind": "command",
            "id": letter.id,
            "givenUpAt": letter.buried_at,
            "attempts": letter.attempts,
            "why": letter.why,
            "message": serde_json::from_str(&letter.body).unwrap_or(serde_json::Value::String(letter.body)),
        });
        terminal.say(&line.to_string())?;
    }
    for effect in effects {
        let line = serde_json::json!({
            "kind": "effect",
            "id": effect.key,
            "givenUpAt": effect.at,
            "attempts": effect.attempts,
            "why": effect.why,
            "message": effect.effect,
        });
        terminal.say(&line.to_string())?;
    }
    Ok(())
}

async fn replay(store: &dyn Store, bus: &dyn Bus, args: &ReplayArgs, terminal: &mut Terminal) -> Outcome {
    let ids: Vec<String> = match &args.which.id {
        Some(id) => vec![id.clone()],
        None => {
            let letters = dead(bus).await?.into_iter().map(|letter| letter.id);
            letters.chain(given_up(store).await?.into_iter().map(|effect| effect.key)).collect()
        }
    };
    if ids.is_empty() {
        terminal.note(NONE);
    }
    let mut missing = false;
    for id in &ids {
        let replayed =
            bus.replay(id).await.map_err(Failure::failed)? || store.outbox_replay(id).await.map_err(Failure::failed)?;
        if replayed {
            terminal.say(&format!("replayed: {id}"))?;
        } else {
            terminal.note(&format!("there is no dead letter {id:?}; see `switchman dead-letters list`"));
            missing = true;
        }
    }
    if missing { Err(Failure::Told) } else { Ok(()) }
}

async fn given_up(store: &dyn Store) -> Result<Vec<GivenUp>, Failure> {
    store.given_up(MANY).await.map_err(Failure::failed)
}

async fn dead(bus: &dyn Bus) -> Result<Vec<DeadLetter>, Failure> {
    bus.dead(MANY).await.map_err(Failure::failed)
}
