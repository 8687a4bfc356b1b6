//! `switchman totp enrol | remove | list`: authenticator apps of people who vote.

use super::args::{ConfigArg, TotpArgs, TotpCommand};
use super::{Failure, Outcome, Terminal, block_on, who};
use crate::app::{self, Desk};
use crate::config::{Config, Strings, seal_keys};
use crate::domain::actor::Actor;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use secrecy::ExposeSecret;

pub(super) fn run(command: &TotpCommand, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    match command {
        TotpCommand::Enrol(args) => enrol(args, strings, terminal),
        TotpCommand::Remove(args) => remove(args, strings, terminal),
        TotpCommand::List(file) => list(file, strings, terminal),
    }
}

fn open(file: &ConfigArg, strings: &dyn Strings) -> Result<(Config, Desk), Failure> {
    let (config, keys) = super::serve::both(Config::load(&file.config), seal_keys(strings))?;
    let desk = block_on(app::open_desk(&config, keys))??;
    Ok((config, desk))
}

/// The secret is printed here, once, and never again.
fn enrol(args: &TotpArgs, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let (config, desk) = open(&args.file, strings)?;
    let who = who::named(&config, args.team.as_deref(), &args.user).map_err(Failure::Wrong)?;
    if who.listed.is_none() {
        let text = format!("switchman: {} is on no list, so no code of theirs would ever be asked for", id(&who.actor));
        return Err(Failure::Wrong(text));
    }
    let secret = match block_on(desk.step_up.enrol(&who.actor))?.map_err(Failure::failed)? {
        Ok(secret) => secret,
        Err(since) => {
            let id = id(&who.actor);
            let text = format!(
                "{id} has used an authenticator app since {since:.0}; to replace it: switchman totp remove {id}"
            );
            return Err(Failure::Failed(anyhow::anyhow!(text)));
        }
    };
    let name = if who.actor.name.is_empty() { who.actor.user.as_str() } else { &who.actor.name };
    let uri = secret.uri(&format!("{name} ({})", id(&who.actor)));
    let code = QrCode::with_error_correction_level(uri.expose_secret(), EcLevel::L).map_err(Failure::failed)?;
    terminal.note(&code.render::<Dense1x2>().build());
    terminal.note(&format!(
        "for {name} only, and shown this once: scan it with an authenticator app; the first code confirms it"
    ));
    terminal.say(uri.expose_secret())
}

fn remove(args: &TotpArgs, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let (config, desk) = open(&args.file, strings)?;
    let who = who::named(&config, args.team.as_deref(), &args.user).map_err(Failure::Wrong)?;
    let id = id(&who.actor);
    if block_on(desk.step_up.remove(&who.actor))?.map_err(Failure::failed)? {
        return terminal.say(&format!("removed: {id}"));
    }
    Err(Failure::Failed(anyhow::anyhow!("{id} is not enrolled")))
}

fn list(file: &ConfigArg, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let (_, desk) = open(file, strings)?;
    let enrolled = block_on(desk.step_up.list())?.map_err(Failure::failed)?;
    if enrolled.is_empty() {
        terminal.note("nobody is enrolled");
    }
    for record in enrolled {
        let state = match (record.confirmed_at, record.locked_until.filter(|until| *until > desk.clock.now())) {
            (_, Some(until)) => format!("locked until {until:.0}"),
            (Some(at), None) => format!("confirmed {at:.0}"),
            (None, None) => format!("enrolled {:.0}, no code yet", record.enrolled_at),
        };
        terminal.say(&format!("{}  {}  {state}", id(&record.who), record.who.name))?;
    }
    Ok(())
}

fn id(who: &Actor) -> String {
    format!("{}/{}", who.team, who.user)
}
