//! Modals: opened as "loading" at once, because the trigger lives for three seconds, then filled.

use super::Ingress;
use super::ask::Asker;
use crate::domain::command::Action;
use crate::domain::id::{JobName, RunId};
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Run};
use crate::ports::{Artifact, ArtifactKind, Commit, Member, PortError, RunQuery};
use crate::slack::inbound::BlockActions;
use crate::slack::modal::{Metadata, Modal, Rejects, names};
use std::time::Duration;

/// Slack gives an acknowledgement three seconds; opening and filling a modal must leave room for it.
const OPEN_WITHIN: Duration = Duration::from_secs(2);
/// How long a download link works: an hour, as people of the systems before us are used to.
const LINK_LIFE: Duration = Duration::from_hours(1);
/// Rows on a page of rejects: what can be read without scrolling for long, and far below Slack's 100 blocks.
const PAGE: usize = 10;
/// A select holds at most 100 options (Slack's limit); one is "the newest".
const OPTIONS: usize = 99;

impl Ingress {
    /// Opens the form of a command that lacks an argument.
    pub(super) async fn open_form(
        &self,
        _id: &str,
        asker: &Asker,
        action: Action,
        run: Option<RunId>,
        trigger: Option<&str>,
    ) -> Result<(), Problem> {
        self.allowed(asker, action, None)?;
        self.opened(Some(action), trigger, async {
            let metadata = Metadata { channel: asker.channel.clone() };
            let now = self.doors.clock.now();
            Ok(match action {
                Action::StartBatch => self.start_form(asker, metadata, None).await?,
                Action::ReprocessBatch => {
                    let runs = self.runs(asker, action, |r| r.to_redo().is_some()).await?;
                    Modal::Reprocess { metadata, runs, now }
                }
                Action::CancelBatch => {
                    let runs = self.runs(asker, action, Run::is_open).await?;
                    Modal::Cancel { metadata, runs, run, now }
                }
                Action::Why => Modal::Why { metadata },
                Action::Status | Action::ListBatches | Action::Help => {
                    Modal::Refused(Problem::FormExpired { action: Some(action) })
                }
            })
        })
        .await
    }

    /// Another job was picked in the start form: its inputs are offered.
    pub(super) async fn refill_start(
        &self,
        asker: &Asker,
        actions: &BlockActions,
        view: Option<&str>,
    ) -> Result<(), Problem> {
        let picked = actions.actions.iter().find_map(|a| a.chosen.one()).and_then(|j| JobName::parse(j).ok());
        let (Some(view), Some(job)) = (view, picked) else {
            return Ok(());
        };
        self.allowed(asker, Action::StartBatch, Some(&job))?;
        let metadata = Metadata { channel: asker.channel.clone() };
        let modal = self.start_form(asker, metadata, Some(job)).await.map_err(|e| expired(None, &e))?;
        self.doors.views.update(view, &modal).await.map_err(|e| expired(Some(Action::StartBatch), &e))
    }

    async fn start_form(&self, asker: &Asker, metadata: Metadata, job: Option<JobName>) -> Result<Modal, PortError> {
        let jobs = self.visible_jobs(asker, Action::StartBatch);
        let job = job.or_else(|| jobs.first().map(|j| j.name.clone()));
        let (inputs, folder) = match &job {
            Some(job) => {
                let mut inputs = self.doors.files.inputs(job).await?;
                inputs.truncate(OPTIONS);
                (inputs, Some(self.doors.files.input_folder(job)))
            }
            None => (Vec::new(), None),
        };
        Ok(Modal::Start { metadata, jobs, job, inputs, folder })
    }

    async fn runs(&self, asker: &Asker, action: Action, wanted: fn(&Run) -> bool) -> Result<Vec<Run>, PortError> {
        let query =
            if action == Action::CancelBatch { RunQuery::Open } else { RunQuery::Channel(asker.channel.clone()) };
        let mut runs = self.doors.store.runs(query, OPTIONS).await?;
        runs.retain(|run| wanted(run) && self.allowed(asker, action, Some(&run.job)).is_ok());
        Ok(runs)
    }

    /// Opens the rejected rows of an attempt.
    pub(super) async fn open_rejects(
        &self,
        asker: &Asker,
        key: &AttemptKey,
        trigger: Option<&str>,
    ) -> Result<(), Problem> {
        self.allowed(asker, Action::Status, None)?;
        self.opened(None, trigger, self.rejects(asker, key, 0)).await
    }

    /// Shows another page of them.
    pub(super) async fn turn_rejects(
        &self,
        asker: &Asker,
        key: &AttemptKey,
        skip: u64,
        view: Option<&str>,
    ) -> Result<(), Problem> {
        let Some(view) = view else {
            return Ok(());
        };
        let modal = self.rejects(asker, key, skip).await.map_err(|e| expired(None, &e))?;
        self.doors.views.update(view, &modal).await.map_err(|e| expired(None, &e))
    }

    async fn rejects(&self, asker: &Asker, key: &AttemptKey, skip: u64) -> Result<Modal, PortError> {
        let run = match self.readable_run(asker, key).await? {
            Ok(run) => run,
            Err(problem) => return Ok(Modal::Refused(problem)),
        };
        let page = self.doors.engine.rejects(key, skip, PAGE).await?;
        let link = match self.doors.files.artifact(key, ArtifactKind::Rejects).await? {
            Some(artifact) => Some((self.hand_out(asker, &artifact).await?, LINK_LIFE.as_secs() / 60)),
            None => None,
        };
        Ok(Modal::Rejects(Box::new(Rejects { run, attempt: key.attempt, page, skip, link })))
    }

    /// Offers the output of an attempt for download.
    pub(super) async fn open_download(
        &self,
        asker: &Asker,
        key: &AttemptKey,
        trigger: Option<&str>,
    ) -> Result<(), Problem> {
        self.allowed(asker, Action::Status, None)?;
        self.opened(None, trigger, async {
            if let Err(problem) = self.readable_run(asker, key).await? {
                return Ok(Modal::Refused(problem));
            }
            let Some(artifact) = self.doors.files.artifact(key, ArtifactKind::Output).await? else {
                return Ok(Modal::Refused(Problem::UnknownRun { run: key.run.clone(), nearest: None }));
            };
            let link = self.hand_out(asker, &artifact).await?;
            let minutes = LINK_LIFE.as_secs() / 60;
            Ok(Modal::Download { key: key.clone(), name: artifact.name, bytes: artifact.bytes, link, minutes })
        })
        .await
    }

    /// The run, if this person may read it: rows of data leave the building here, so Slack is asked about guests too.
    async fn readable_run(&self, asker: &Asker, key: &AttemptKey) -> Result<Result<Run, Problem>, PortError> {
        let Some(run) = self.doors.store.run(&key.run).await? else {
            return Ok(Err(Problem::UnknownRun { run: key.run.clone(), nearest: None }));
        };
        if let Err(problem) = self.allowed(asker, Action::Status, Some(&run.job)) {
            return Ok(Err(problem));
        }
        let actor = &asker.standing.actor;
        if let Member::Outsider(kind) = self.doors.chat.member(&actor.team, &actor.user).await? {
            let decision = crate::domain::policy::Decision::Outsider { kind };
            return Ok(Err(Problem::NotPermitted { action: Some(Action::Status), decision }));
        }
        Ok(Ok(run))
    }

    /// A link, and an audit record of who got it.
    async fn hand_out(&self, asker: &Asker, artifact: &Artifact) -> Result<String, PortError> {
        let now = self.doors.clock.now();
        let link = self.doors.files.link(artifact, now, LINK_LIFE).await?;
        let draft = crate::domain::audit::AuditDraft {
            at: now,
            actor: Some(asker.standing.actor.clone()),
            bot: self.doors.bot.clone(),
            action: "download-link".to_owned(),
            subject: format!("{} of {}", artifact.name, artifact.key),
            why: "asked for in Slack".to_owned(),
            result: "done".to_owned(),
        };
        self.doors.store.commit(Commit { audit: vec![draft], ..Commit::default() }).await?;
        Ok(link)
    }

    /// Opens "loading", then shows what `fill` gives, or why it gives nothing.
    async fn opened(
        &self,
        action: Option<Action>,
        trigger: Option<&str>,
        fill: impl Future<Output = Result<Modal, PortError>> + Send,
    ) -> Result<(), Problem> {
        let Some(trigger) = trigger else {
            return Err(Problem::FormExpired { action });
        };
        let both = async {
            let view = self.doors.views.open(trigger, &Modal::Loading { action }).await?;
            let modal = fill.await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a form could not be filled");
                Modal::Refused(Problem::FormExpired { action })
            });
            self.doors.views.update(&view, &modal).await
        };
        match tokio::time::timeout(OPEN_WITHIN, both).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(expired(action, &error)),
            Err(_) => Err(Problem::FormExpired { action }),
        }
    }
}

/// The name of a form's select that holds `NEWEST` or a file.
pub(super) fn chosen_file(value: Option<&str>) -> Option<&str> {
    value.filter(|v| *v != names::NEWEST)
}

fn expired(action: Option<Action>, error: &PortError) -> Problem {
    tracing::warn!(%error, "a form could not be shown");
    Problem::FormExpired { action }
}
