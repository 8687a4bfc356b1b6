//! One-time codes on the record: enrolled, checked and used up by one conditional write each. Every door through which a vote comes
//! (form, command line) asks here.

use super::{Clock, Commit, Kind, PortError, Record, RecordWrite, Secrets, Store, load, load_list};
use crate::domain::actor::Actor;
use crate::domain::audit::AuditDraft;
use crate::domain::seal::Sealed;
use crate::domain::step_up::{CodeRefusal, Enrolment, SECRET_BYTES, TotpSecret};
use jiff::Timestamp;
use std::sync::Arc;

/// The list of people who have enrolled.
const ENROLLED: &str = "totp";
/// How many are listed.
const MANY: usize = 10_000;
/// How often a write that lost a race is prepared anew.
const RACES: u32 = 16;

impl Record for Enrolment {
    fn key(&self) -> String {
        totp_key(&self.who)
    }

    fn list(&self) -> Option<&'static str> {
        self.is_enrolled().then_some(ENROLLED)
    }

    fn at(&self) -> Timestamp {
        self.enrolled_at
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

/// The key of a person's record, to which their secret is bound too: sealed for one person, it opens for no other.
fn totp_key(who: &Actor) -> String {
    format!("totp:{}/{}", who.team, who.user)
}

/// Checks codes, and keeps who has enrolled.
#[derive(Clone)]
pub struct StepUp {
    store: Arc<dyn Store>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    /// For the audit trail.
    bot: String,
}

impl StepUp {
    pub fn new(store: Arc<dyn Store>, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>, bot: String) -> Self {
        Self { store, secrets, clock, bot }
    }

    /// Accepts a code and uses it up, or says why not; `about` is what it is given for, in the words of the audit trail. Accepted is the
    /// step it belongs to: another for each accepted code of a person. An error: it could not be checked, and is not used up.
    pub async fn check(&self, who: &Actor, code: &str, about: &str) -> Result<Result<i64, CodeRefusal>, PortError> {
        let mut races = 0;
        loop {
            let Some(record) = self.find(who).await? else {
                return Ok(Err(CodeRefusal::NotEnrolled));
            };
            let Some(sealed) = &record.secret else {
                return Ok(Err(CodeRefusal::NotEnrolled));
            };
            let secret = self.open(who, sealed).await?;
            let (next, checked) = record.check(&secret, code, self.clock.now());
            let result = checked.as_ref().map_or_else(CodeRefusal::code, |_| "code-accepted");
            let audit = self.note(Some(who), "one-time-code", about.to_owned(), result);
            let records = if next == record { Vec::new() } else { vec![RecordWrite::of(&next, record.version)?] };
            match self.store.commit(Commit { records, audit: vec![audit], ..Commit::default() }).await {
                // Somebody gave a code for the same person meanwhile: perhaps this very one.
                Err(error) if error.kind == Kind::Conflict && races < RACES => races += 1,
                written => return written.map(|()| checked),
            }
        }
    }

    /// Whether codes of this person can be accepted.
    pub async fn is_enrolled(&self, who: &Actor) -> Result<bool, PortError> {
        Ok(self.find(who).await?.is_some_and(|record| record.is_enrolled()))
    }

    /// A new secret for somebody; `Err`: they have one that works, since then. One that was never confirmed by a code is replaced.
    pub async fn enrol(&self, who: &Actor) -> Result<Result<TotpSecret, Timestamp>, PortError> {
        let before = self.find(who).await?;
        let version = before.as_ref().map_or(0, |record| record.version);
        if let Some(since) = before.filter(Enrolment::is_enrolled).and_then(|record| record.confirmed_at) {
            return Ok(Err(since));
        }
        let chance = self.secrets.random()?;
        let (bytes, nonce) = chance.split_at(SECRET_BYTES);
        let (Some(secret), Ok(nonce)) = (TotpSecret::from_bytes(bytes), nonce.try_into()) else {
            return Err(PortError::permanent("chance came in another length"));
        };
        let sealed = self.secrets.sealing_key().await?.seal(nonce, &totp_key(who), secret.bytes());
        let record = Enrolment::new(who.clone(), sealed, self.clock.now());
        self.write(&record, version, "totp-enrol", "enrolled").await?;
        Ok(Ok(secret))
    }

    /// Forgets somebody's secret; `false`: there is none.
    pub async fn remove(&self, who: &Actor) -> Result<bool, PortError> {
        let Some(record) = self.find(who).await?.filter(Enrolment::is_enrolled) else {
            return Ok(false);
        };
        let gone = Enrolment { secret: None, ..record.clone() };
        self.write(&gone, record.version, "totp-remove", "removed").await?;
        Ok(true)
    }

    /// Everybody who has enrolled, the newest first.
    pub async fn list(&self) -> Result<Vec<Enrolment>, PortError> {
        load_list(self.store.as_ref(), ENROLLED, MANY).await
    }

    async fn find(&self, who: &Actor) -> Result<Option<Enrolment>, PortError> {
        load(self.store.as_ref(), &totp_key(who)).await
    }

    async fn write(&self, record: &Enrolment, version: u64, action: &str, result: &str) -> Result<(), PortError> {
        let audit = vec![self.note(None, action, format!("{}/{}", record.who.team, record.who.user), result)];
        let records = vec![RecordWrite::of(record, version)?];
        self.store.commit(Commit { records, audit, ..Commit::default() }).await
    }

    async fn open(&self, who: &Actor, sealed: &Sealed) -> Result<TotpSecret, PortError> {
        let place = totp_key(who);
        let keys = self.secrets.opening_keys().await?;
        let opened = keys.iter().find_map(|key| key.open(&place, sealed));
        opened.and_then(|bytes| TotpSecret::from_bytes(&bytes)).ok_or_else(|| {
            PortError::permanent(format!(
                "the secret of {}/{} was sealed by a key that is not here, or for somebody else: give that key, or remove it and enrol again",
                who.team, who.user
            ))
        })
    }

    fn note(&self, who: Option<&Actor>, action: &str, subject: String, result: &str) -> AuditDraft {
        AuditDraft {
            at: self.clock.now(),
            actor: who.cloned(),
            bot: self.bot.clone(),
            action: action.to_owned(),
            subject,
            why: if who.is_some() { "a one-time code was given" } else { "at the command line" }.to_owned(),
            result: result.to_owned(),
        }
    }
}
