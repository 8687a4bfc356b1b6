//! `switchman approve | deny`: a vote without Slack. The same envelope goes the same way as from Slack, and the same function decides;
//! only that it is really this person is proved by a one-time code.

use super::args::VoteArgs;
use super::{Failure, Outcome, Terminal, block_on, plan, who};
use crate::app::{self, Desk};
use crate::config::{Config, Strings, seal_keys};
use crate::domain::actor::{Actor, Standing};
use crate::domain::approval::{Ballot, Request, Rights, Verdict};
use crate::domain::command::Command;
use crate::domain::envelope::{Envelope, Event, Origin, Proof};
use crate::domain::id::{EnvelopeId, RequestId};
use crate::domain::policy::Place;
use crate::domain::step_up::CodeRefusal;
use crate::ports::{load, request_key};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// How long the bot is waited for, and how often its records are looked at meanwhile.
const WAIT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Audit records read in one go.
const PAGE: usize = 1_000;
/// Characters of a digest that people compare; fewer name no plan.
const SHORT: usize = 8;

/// A vote, ready to be proved and sent.
struct Vote<'a> {
    config: &'a Config,
    args: &'a VoteArgs,
    verdict: Verdict,
    by: Standing,
    request: Request,
}

pub(super) fn run(verdict: Verdict, args: &VoteArgs, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let (config, keys) = super::serve::both(Config::load(&args.file.config), seal_keys(strings))?;
    let by = who::named(&config, args.team.as_deref(), &args.user).map_err(Failure::Wrong)?;
    let id = RequestId::parse(args.request.as_str())
        .map_err(|e| Failure::Wrong(format!("switchman: {e}; found {:?}", args.request)))?;
    block_on(async {
        let desk = app::open_desk(&config, keys).await?;
        let Some(request) = load::<Request>(desk.store.as_ref(), &request_key(&id)).await.map_err(Failure::failed)?
        else {
            let text = format!("switchman: there is no request {id}; see `switchman requests`");
            return Err(Failure::Failed(anyhow::anyhow!(text)));
        };
        let vote = Vote { config: &config, args, verdict, by, request };
        vote.cast(&desk, terminal).await
    })?
}

impl Vote<'_> {
    async fn cast(&self, desk: &Desk, terminal: &mut Terminal) -> Outcome {
        for line in plan::lines(&self.request, desk.clock.now()) {
            terminal.note(&line);
        }
        if !desk.step_up.is_enrolled(self.actor()).await.map_err(Failure::failed)? {
            return self.refused(&CodeRefusal::NotEnrolled, terminal);
        }
        self.would_count(desk, terminal)?;
        self.agreed(terminal)?;
        let code = match &self.args.code {
            Some(code) => code.clone(),
            None => terminal.ask("one-time code: ").ok_or_else(|| needs("--code CODE (nobody is here to ask)"))?,
        };
        let about = format!("{} {}", self.word(), self.request.id);
        let step = match desk.step_up.check(self.actor(), &code, &about).await.map_err(Failure::failed)? {
            Ok(step) => step,
            Err(refusal) => return self.refused(&refusal, terminal),
        };
        self.send(desk, step, terminal).await
    }

    /// What holds whoever it is that votes is said before a code is used up. The bot decides, by the same function.
    fn would_count(&self, desk: &Desk, terminal: &mut Terminal) -> Outcome {
        let ballot = Ballot {
            by: self.actor().clone(),
            verdict: self.verdict,
            reason: self.args.reason.clone(),
            digest: None,
            confirmed: self.args.confirm.clone(),
            break_glass: self.args.break_glass,
            stepped_up: true,
        };
        let rights = Rights { may_vote: true, may_break_glass: true, lost_rights: Vec::new() };
        match self.request.cast(&ballot, &rights, desk.clock.now()) {
            Ok(_) => Ok(()),
            Err(refusal) => self.told(&self.request, refusal.code(), terminal),
        }
    }

    /// Whether the plan that was shown is the one that is meant.
    fn agreed(&self, terminal: &mut Terminal) -> Outcome {
        let short = self.request.digest.short();
        match &self.args.digest {
            Some(digest) if digest.len() >= SHORT && self.request.digest.to_string().starts_with(digest.as_str()) => {
                Ok(())
            }
            Some(_) => self.told(&self.request, "other-plan", terminal),
            None => match terminal.ask(&format!("{} exactly this ({short})? yes or no: ", self.word())) {
                Some(answer) if answer == "yes" => Ok(()),
                Some(_) => Err(Failure::Failed(anyhow::anyhow!("nothing was sent"))),
                None => Err(needs(&format!("--digest {short}, which says that you have read this plan"))),
            },
        }
    }

    /// Puts the vote on the bus and waits for what becomes of it.
    async fn send(&self, desk: &Desk, step: i64, terminal: &mut Terminal) -> Outcome {
        let envelope = self.envelope(desk, step)?;
        let key = envelope.key.clone();
        let before = desk.store.audit_head().await.map_err(Failure::failed)?.seq;
        desk.bus.publish(envelope).await.map_err(Failure::failed)?;
        let looked = tokio::time::timeout(WAIT, async {
            while !desk.store.claimed(&key).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok::<(), crate::ports::PortError>(())
        });
        match looked.await {
            Ok(handled) => handled.map_err(Failure::failed)?,
            Err(_) => return self.told(&self.request, "not-handled-yet", terminal),
        }
        let result = self.result(desk, &key, before).await?;
        let request: Option<Request> =
            load(desk.store.as_ref(), &request_key(&self.request.id)).await.map_err(Failure::failed)?;
        self.told(request.as_ref().unwrap_or(&self.request), &result, terminal)
    }

    /// Another code, another vote: as a code is accepted once, so is the vote, and one that was refused can be given again.
    fn envelope(&self, desk: &Desk, step: i64) -> Result<Envelope, Failure> {
        let (request, by) = (&self.request, self.actor());
        let said = format!("{:?}{:?}{}", self.args.reason, self.args.confirm, self.args.break_glass);
        let said = hex::encode(&Sha256::digest(said)[..4]);
        let key = format!("cli:{}:{}/{}:{}:{step}:{said}", request.id, by.team, by.user, self.word());
        let key = EnvelopeId::parse(key).map_err(Failure::failed)?;
        let permitted = self.config.channels.contains(&request.channel);
        let place = Place::Channel { id: &request.channel, permitted };
        let origin = Origin {
            actor: by.clone(),
            channel: request.channel.clone(),
            response_url: None,
            permitted: self.config.policy.permitted_actions(&self.by, place),
            proof: Some(Proof {
                digest: Some(request.digest.clone()),
                confirmed: self.args.confirm.clone(),
                break_glass: self.args.break_glass,
                stepped_up: true,
            }),
        };
        let (id, reason) = (request.id.clone(), self.args.reason.clone());
        let command = match self.verdict {
            Verdict::Approve => Command::Approve { request: id, words: reason },
            Verdict::Deny => Command::Deny { request: id, reason },
        };
        let event = Event::Asked { origin, command };
        Ok(Envelope { id: key.clone(), key, issued_at: desk.clock.now(), event })
    }

    /// What the audit trail says about this vote.
    async fn result(&self, desk: &Desk, key: &EnvelopeId, before: u64) -> Result<String, Failure> {
        let (mut after, of_this) = (before, format!("request {key}"));
        loop {
            let page = desk.store.audit(after, PAGE).await.map_err(Failure::failed)?;
            let Some(last) = page.last() else { return Ok("given-up".to_owned()) };
            after = last.seq.max(after + 1);
            let found =
                page.iter().map(|record| &record.draft).find(|r| r.action == self.word() && r.why.ends_with(&of_this));
            if let Some(found) = found {
                return Ok(found.result.clone());
            }
        }
    }

    fn refused(&self, refusal: &CodeRefusal, terminal: &mut Terminal) -> Outcome {
        let text = match refusal {
            CodeRefusal::NotEnrolled => {
                let by = self.actor();
                format!(
                    "{by} has no authenticator app here; enrol with: switchman totp enrol {}/{}",
                    by.team,
                    by.user,
                    by = by.name
                )
            }
            other => other.to_string(),
        };
        self.say(&self.request, refusal.code(), &text, terminal)
    }

    /// Says what became of it, in words.
    fn told(&self, request: &Request, result: &str, terminal: &mut Terminal) -> Outcome {
        self.say(request, result, &super::verdict::words(request, result), terminal)
    }

    fn say(&self, request: &Request, result: &str, text: &str, terminal: &mut Terminal) -> Outcome {
        let counted = super::verdict::counted(result);
        if self.args.json {
            let line = serde_json::json!({
                "request": request.id,
                "person": format!("{}/{}", self.actor().team, self.actor().user),
                "verdict": self.word(),
                "counted": counted,
                "result": result,
                "state": request.state,
                "have": request.counted(&[]),
                "need": request.rule.quorum,
                "text": text,
            });
            terminal.say(&line.to_string())?;
        } else if counted {
            terminal.say(text)?;
        } else {
            terminal.note(&format!("switchman: {text}"));
        }
        if counted { Ok(()) } else { Err(Failure::Told) }
    }

    fn actor(&self) -> &Actor {
        &self.by.actor
    }

    fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Approve => "approve",
            Verdict::Deny => "deny",
        }
    }
}

fn needs(what: &str) -> Failure {
    Failure::Wrong(format!("switchman: nothing was sent; it needs {what}"))
}
