//! Modals: opened as "loading" at once, because the trigger lives for three seconds, then filled.

use super::Ingress;
use super::ask::{Asker, DOWNLOAD};
use crate::domain::command::Action;
use crate::domain::id::JobName;
use crate::domain::parameter::{Given, day_of};
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Run};
use crate::ports::{Age, Artifact, ArtifactKind, Commit, Member, PortError, RunQuery, Site};
use crate::slack::client::ViewRef;
use crate::slack::modal::{Metadata, Modal, Takes};
use crate::slack::render::REJECTS_PAGE;
use std::time::Duration;

/// Slack gives an acknowledgement three seconds; opening and filling a modal must leave room for it.
const OPEN_WITHIN: Duration = Duration::from_secs(2);
/// How long a download link works: an hour, as people of the systems before us are used to.
const LINK_LIFE: Duration = Duration::from_hours(1);
/// Runs to choose from: a select holds at most 100 options (Slack's limit).
const OPTIONS: usize = 99;

impl Ingress {
    /// The day that people mean by the word.
    pub(super) fn today(&self) -> jiff::civil::Date {
        day_of(self.doors.clock.now())
    }

    /// Opens the form of a command that lacks an argument.
    pub(super) async fn open_form(&self, asker: &Asker, action: Action, trigger: Option<&str>) -> Result<(), Problem> {
        self.allowed(asker, action, None)?;
        self.opened(Some(action), trigger, async {
            let metadata = Metadata::of(&asker.channel);
            let now = self.doors.clock.now();
            Ok(match action {
                Action::StartBatch => self.start_form(asker, metadata, None, Vec::new()).await?,
                Action::ReprocessBatch => {
                    let runs = self.runs(asker, action, |r| r.to_redo().is_some()).await?;
                    Modal::Reprocess { metadata, runs, now }
                }
                Action::CancelBatch => {
                    let runs = self.runs(asker, action, Run::is_open).await?;
                    Modal::Cancel { metadata, runs, now }
                }
                Action::Why => Modal::Why { metadata },
                Action::FailOver => self.fail_over_form(metadata).await?,
                Action::Approve | Action::Deny => {
                    let requests = self.votable(asker, action).await?;
                    Modal::Requests { metadata, action, requests, now }
                }
                Action::Status | Action::ListBatches | Action::FailBack | Action::Help => {
                    Modal::Refused(Problem::FormExpired { action: Some(action) })
                }
            })
        })
        .await
    }

    /// Another job was picked in the start form: its inputs are offered.
    pub(super) async fn refill_start(&self, asker: &Asker, job: &str, view: Option<&str>) -> Result<(), Problem> {
        let (Some(view), Ok(job)) = (view, JobName::parse(job)) else {
            return Ok(());
        };
        self.allowed(asker, Action::StartBatch, Some(&job))?;
        let metadata = Metadata::of(&asker.channel);
        let modal = self.start_form(asker, metadata, Some(job), Vec::new()).await.map_err(|e| expired(None, &e))?;
        self.show(view, &modal).await.map_err(|e| expired(Some(Action::StartBatch), &e))
    }

    /// Opens the form of a workflow that needs more than it was given.
    pub(super) async fn open_values(
        &self,
        asker: &Asker,
        job: JobName,
        given: Vec<Given>,
        trigger: Option<&str>,
    ) -> Result<(), Problem> {
        self.allowed(asker, Action::StartBatch, Some(&job))?;
        let metadata = Metadata::of(&asker.channel);
        self.opened(Some(Action::StartBatch), trigger, self.start_form(asker, metadata, Some(job), given)).await
    }

    async fn start_form(
        &self,
        asker: &Asker,
        metadata: Metadata,
        job: Option<JobName>,
        given: Vec<Given>,
    ) -> Result<Modal, PortError> {
        let jobs = self.visible_jobs(asker, Action::StartBatch);
        let job = job.or_else(|| jobs.first().map(|j| j.name.clone()));
        if let Some(inputs) = job.as_ref().and_then(|job| self.doors.catalog.workflow(job)).cloned() {
            let takes = Some(Takes { inputs, given, today: self.today() });
            return Ok(Modal::Start { metadata, jobs, job, inputs: Vec::new(), takes });
        }
        let inputs = match &job {
            Some(job) => self.doors.regions.here().await?.1.files.inputs(job).await?,
            None => Vec::new(),
        };
        Ok(Modal::Start { metadata, jobs, job, inputs, takes: None })
    }

    async fn fail_over_form(&self, metadata: Metadata) -> Result<Modal, PortError> {
        let active = self.doors.regions.active().await?.region;
        let others: Vec<_> = self.doors.regions.names().iter().filter(|name| **name != active).cloned().collect();
        if others.is_empty() {
            return Ok(Modal::Refused(Problem::OneRegion));
        }
        Ok(Modal::FailOver { metadata, active, others })
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
        self.show(view, &modal).await.map_err(|e| expired(None, &e))
    }

    async fn rejects(&self, asker: &Asker, key: &AttemptKey, skip: u64) -> Result<Modal, PortError> {
        let site = match self.readable(asker, key).await? {
            Ok(site) => site,
            Err(problem) => return Ok(Modal::Refused(problem)),
        };
        let page = site.engine.rejects(key, skip, REJECTS_PAGE).await?;
        Ok(Modal::Rejects { key: key.clone(), page, skip })
    }

    /// Offers what an attempt left behind for download: in the modal it was asked from, or in a new one.
    pub(super) async fn offer_download(
        &self,
        asker: &Asker,
        key: &AttemptKey,
        kind: ArtifactKind,
        trigger: Option<&str>,
        view: Option<&str>,
    ) -> Result<(), Problem> {
        self.allowed(asker, Action::Status, None)?;
        match view {
            Some(view) => {
                let modal = self.download(asker, key, kind).await.map_err(|e| expired(None, &e))?;
                self.show(view, &modal).await.map_err(|e| expired(None, &e))
            }
            None => self.opened(None, trigger, self.download(asker, key, kind)).await,
        }
    }

    async fn download(&self, asker: &Asker, key: &AttemptKey, kind: ArtifactKind) -> Result<Modal, PortError> {
        let site = match self.readable(asker, key).await? {
            Ok(site) => site,
            Err(problem) => return Ok(Modal::Refused(problem)),
        };
        let Some(artifact) = site.files.artifact(key, kind).await? else {
            return Ok(Modal::Refused(Problem::NothingToDownload { run: key.run.clone() }));
        };
        let link = self.hand_out(asker, &site, &artifact).await?;
        let Artifact { key, name, bytes, .. } = artifact;
        Ok(Modal::Download { key, name, bytes, link, life: LINK_LIFE })
    }

    /// Where the attempt's rows lie, or why this person may not read them: rows of data leave the building here, so Slack is asked
    /// about guests too.
    async fn readable(&self, asker: &Asker, key: &AttemptKey) -> Result<Result<Site, Problem>, PortError> {
        let Some(run) = self.doors.store.run(&key.run).await? else {
            return Ok(Err(Problem::UnknownRun { run: key.run.clone(), nearest: None }));
        };
        if let Err(problem) = self.allowed(asker, Action::Status, Some(&run.job)) {
            return Ok(Err(problem));
        }
        if let Some(problem) = self.outsider(asker, Action::Status).await? {
            return Ok(Err(problem));
        }
        let attempt = run.attempt(key.attempt).unwrap_or_else(|| run.current());
        self.doors.regions.with_results(key, attempt).await.map(Ok)
    }

    /// The refusal of somebody who is no full member of the workspace, as far as Slack knows.
    pub(super) async fn outsider(&self, asker: &Asker, action: Action) -> Result<Option<Problem>, PortError> {
        let actor = &asker.standing.actor;
        Ok(match self.doors.chat.member(&actor.team, &actor.user, Age::Minutes).await? {
            Member::Outsider(kind) => {
                let decision = crate::domain::policy::Decision::Outsider { kind };
                Some(Problem::NotPermitted { action: Some(action), decision })
            }
            Member::Full | Member::Unknown => None,
        })
    }

    /// A link, and an audit record of who got it.
    async fn hand_out(&self, asker: &Asker, site: &Site, artifact: &Artifact) -> Result<String, PortError> {
        let now = self.doors.clock.now();
        let link = site.files.link(artifact, now, LINK_LIFE).await?;
        let draft = crate::domain::audit::AuditDraft {
            at: now,
            actor: Some(asker.standing.actor.clone()),
            bot: self.doors.bot.clone(),
            action: DOWNLOAD.to_owned(),
            subject: format!("{} of {}", artifact.name, artifact.key),
            why: "asked for in Slack".to_owned(),
            result: "done".to_owned(),
        };
        self.doors.store.commit(Commit { audit: vec![draft], ..Commit::default() }).await?;
        Ok(link)
    }

    pub(super) async fn show(&self, view: &str, modal: &Modal) -> Result<(), PortError> {
        let at = ViewRef { id: view.to_owned(), hash: None };
        self.doors.client.update_view(&at, &self.doors.renderer.modal(modal)).await?;
        Ok(())
    }

    /// Opens "loading", then shows what `fill` gives, or why it gives nothing.
    pub(super) async fn opened(
        &self,
        action: Option<Action>,
        trigger: Option<&str>,
        fill: impl Future<Output = Result<Modal, PortError>> + Send,
    ) -> Result<(), Problem> {
        let Some(trigger) = trigger else {
            return Err(Problem::FormExpired { action });
        };
        let both = async {
            let loading = self.doors.renderer.modal(&Modal::Loading { action });
            let view = self.doors.client.open_view(trigger, &loading).await?;
            let modal = fill.await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a form could not be filled");
                Modal::Refused(Problem::FormExpired { action })
            });
            self.doors.client.update_view(&view, &self.doors.renderer.modal(&modal)).await?;
            Ok::<_, PortError>(())
        };
        match tokio::time::timeout(OPEN_WITHIN, both).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(expired(action, &error)),
            Err(_) => Err(Problem::FormExpired { action }),
        }
    }
}

pub(super) fn expired(action: Option<Action>, error: &PortError) -> Problem {
    tracing::warn!(%error, "a form could not be shown");
    Problem::FormExpired { action }
}
