//! A mail with links to the results, to those whom the job names. At most once: what says that it was sent is written before.

use super::Worker;
use super::error::Halt;
use super::layout::{MAILED, Place};
use crate::aws::errors::{Access, Failed};
use crate::aws::files::disposition;
use crate::batch::ledger::{Ended, Request, result_name};
use crate::batch::{OUTPUT, REJECTS};
use crate::ports::PortError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use std::time::Duration;

/// Who is told by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// An address that SES has verified.
    pub from: String,
    pub to: Vec<String>,
}

/// How long a link lives; never longer than the credentials of the function, which have some hours.
const LIFE: Duration = Duration::from_hours(1);

impl Worker {
    pub(super) async fn mail(&self, place: &Place, ended: &Ended) -> Result<(), Halt> {
        let request = self.request(place).await?;
        let Some(mail) = self.jobs.get(&request.job).await?.and_then(|job| job.mail) else { return Ok(()) };
        if mail.to.is_empty() || !self.bucket.put_new(&place.at(MAILED), Vec::new()).await? {
            return Ok(());
        }
        let text = self.letter(place, &request, ended).await?;
        let content = |text: String| Content::builder().data(text).charset("UTF-8").build();
        let wrong = |error| PortError::permanent("the mail could not be written").because(error);
        let subject = content(format!("{} {}: {}", request.job, place.key.run, request.input.name)).map_err(wrong)?;
        let body = Body::builder().text(content(text).map_err(wrong)?).build();
        let message = Message::builder().subject(subject).body(body).build();
        let call = self.mailer.send_email().from_email_address(&mail.from);
        let call = call.destination(Destination::builder().set_to_addresses(Some(mail.to)).build());
        let call = call.content(EmailContent::builder().simple(message).build());
        if let Err(failed) = self.mail_breaker.call(call.send()).await {
            // The result stands, and people are told in the channel: a mail is not worth a failed run, nor a second mail.
            let error = failed.port(Access::Write, "could not send a mail");
            tracing::warn!(attempt = %place.key, %error, "the mail about a run was not sent and is not tried again");
        }
        Ok(())
    }

    async fn letter(&self, place: &Place, request: &Request, ended: &Ended) -> Result<String, Halt> {
        let reached = &ended.progress;
        let output = self.link(place, request, OUTPUT).await?;
        let mut text = format!(
            "{} has finished {}: {} rows, {} accepted, {} rejected.\n\nThe output:\n{output}\n",
            request.job, request.input.name, reached.rows, reached.accepted, reached.rejected,
        );
        if reached.rejected > 0 {
            let rejects = self.link(place, request, REJECTS).await?;
            text = format!("{text}\nThe rejected rows, with the reasons:\n{rejects}\n");
        }
        text.push_str("\nThe links are valid for one hour; the bot gives new ones in the channel of the run.\n");
        Ok(text)
    }

    async fn link(&self, place: &Place, request: &Request, name: &str) -> Result<String, Halt> {
        let signed = PresigningConfig::builder().start_time(self.clock.now().into()).expires_in(LIFE).build();
        let signed = signed.map_err(|error| PortError::permanent("a link could not be made").because(error))?;
        let shown = result_name(&place.key, request, name == REJECTS);
        let call = self.bucket.client.get_object().bucket(&self.bucket.name).key(place.at(name));
        let call = call.response_content_type("text/csv; charset=utf-8");
        let call = call.response_content_disposition(disposition(&shown));
        let made = call.presigned(signed).await;
        let made = made.map_err(|error| Failed::Sdk(Box::new(error)).port(Access::Read, "a link could not be made"))?;
        Ok(made.uri().to_owned())
    }
}
