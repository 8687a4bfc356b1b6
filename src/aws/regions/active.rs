//! The record of the active region, and the leases of those who publish: a switch and a publication are never under way at once.

use super::rows::{Attributes, Rows, Update, number, text, time};
use crate::aws::random;
use crate::aws::table::Item;
use crate::domain::id::RegionName;
use crate::domain::region::Active;
use crate::domain::run::AttemptKey;
use crate::ports::{Clock, Kind, PortError};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// The item.
const ITEM: &str = "active";
/// How long a result may take to be published.
pub const PUBLISH_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// How far the clocks of two machines may be apart. AWS keeps them within milliseconds.
pub const SKEW: SignedDuration = SignedDuration::from_secs(5);
/// Once a switch has found results being published, no new publication begins for so long: by then the last lease has run out.
const SWITCHING: SignedDuration = SignedDuration::from_secs(90);
/// Tries of a switch while others come between its look and its write.
const TRIES: u32 = 8;

/// The right to publish, until it runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name in the record: of the attempt and of this taking, so that nobody gives back the lease of another.
    slot: String,
    /// Every call that publishes has to have ended by then, by the own clock.
    pub until: Timestamp,
}

/// Why there is no right to publish.
#[derive(Debug)]
pub enum NoLease {
    /// Another region or another epoch is active: it will never be published.
    Over(Active),
    /// It is not known, or a switch is under way: try again.
    Unknown(PortError),
}

/// The record. Clones are the same.
#[derive(Clone)]
pub struct ActiveRecord {
    rows: Rows,
    clock: Arc<dyn Clock>,
    /// Active until somebody switches.
    first: RegionName,
}

struct Row {
    active: Active,
    publishing: Vec<(String, Timestamp)>,
    /// Goes up with each lease that is taken.
    taken: u64,
}

impl ActiveRecord {
    /// `first` is active where nobody has ever asked.
    pub fn new(config: &SdkConfig, table: &str, first: RegionName, clock: Arc<dyn Clock>) -> Self {
        Self { rows: Rows::new(config, table, &clock), clock, first }
    }

    /// The active region.
    pub async fn active(&self) -> Result<Active, PortError> {
        self.row().await.map(|row| row.active)
    }

    async fn row(&self) -> Result<Row, PortError> {
        let doing = "could not read which region is active";
        if let Some(found) = self.rows.read(doing, ITEM).await? {
            return read(found);
        }
        let begin = Update {
            expression: "SET #region = :region, #epoch = :one, #since = :since, #publishing = :none, #taken = :zero",
            condition: "attribute_not_exists(#pk)",
            values: vec![
                (":region", text(self.first.as_str())),
                (":one", number(1)),
                (":zero", number(0)),
                (":since", time(Timestamp::UNIX_EPOCH)),
                (":none", AttributeValue::M(HashMap::new())),
            ],
            ..Update::default()
        };
        // Where somebody else was first, theirs stands.
        self.rows.write("could not make the first region active", ITEM, &begin).await?;
        let found = self.rows.read(doing, ITEM).await?;
        read(found.ok_or_else(|| PortError::transient(format!("{doing}: it went away; it can be tried again")))?)
    }

    /// See [`crate::ports::Regions::switch`]. `Transient` while a result is being published.
    pub async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        for _ in 0..TRIES {
            let Row { active: now, publishing, taken } = self.row().await?;
            if now.epoch == expected + 1 && &now.region == to {
                return Ok(now);
            }
            if now.epoch != expected {
                let what = format!("the epoch is {} and not {expected}: somebody else has switched", now.epoch);
                return Err(PortError::new(Kind::Conflict, what));
            }
            let at = self.clock.now();
            let under_way = publishing.iter().filter(|(_, until)| at < *until + SKEW).count();
            if under_way > 0 {
                self.announce(expected, at).await?;
                return Err(PortError::transient(format!(
                    "{under_way} results are being published; the switch waits for them, at most {} s",
                    (PUBLISH_WITHIN + SKEW).as_secs()
                )));
            }
            let active = Active { region: to.clone(), epoch: expected + 1, since: at };
            if self.write(&active, taken).await? {
                return Ok(active);
            }
        }
        Err(PortError::transient(
            "others came before the switch again and again; nothing was switched, it is tried again",
        ))
    }

    async fn write(&self, active: &Active, taken: u64) -> Result<bool, PortError> {
        let update = Update {
            expression: "SET #region = :region, #epoch = :epoch, #since = :since, #publishing = :none REMOVE #switching",
            // Whoever takes a lease between the look and here has raised `taken`.
            condition: "#epoch = :expected AND #taken = :taken",
            values: vec![
                (":region", text(active.region.as_str())),
                (":epoch", number(active.epoch)),
                (":expected", number(active.epoch - 1)),
                (":since", time(active.since)),
                (":taken", number(taken)),
                (":none", AttributeValue::M(HashMap::new())),
            ],
            ..Update::default()
        };
        self.rows.write("could not switch the active region", ITEM, &update).await
    }

    /// From now on nobody begins to publish, or a switch could wait for ever.
    async fn announce(&self, epoch: u64, now: Timestamp) -> Result<(), PortError> {
        let update = Update {
            expression: "SET #switching = :until",
            // Once: publications must not wait for a switch that never comes.
            condition: "#epoch = :epoch AND (attribute_not_exists(#switching) OR #switching < :now)",
            values: vec![(":epoch", number(epoch)), (":until", time(now + SWITCHING)), (":now", time(now))],
            ..Update::default()
        };
        self.rows.write("could not announce the switch", ITEM, &update).await.map(drop)
    }

    /// The right to publish the result of an attempt that was begun in `region` under `epoch`.
    pub async fn may_publish(&self, key: &AttemptKey, region: &RegionName, epoch: u64) -> Result<Lease, NoLease> {
        let now = self.clock.now();
        let lease = Lease { slot: format!("{key}/{:x}", random::number()), until: now + PUBLISH_WITHIN };
        let take = Update {
            expression: "SET #publishing.#slot = :until ADD #taken :one",
            condition: "#region = :region AND #epoch = :epoch AND (attribute_not_exists(#switching) OR #switching < :now)",
            names: vec![("#slot", lease.slot.clone())],
            values: vec![
                (":until", time(lease.until)),
                (":one", number(1)),
                (":region", text(region.as_str())),
                (":epoch", number(epoch)),
                (":now", time(now)),
            ],
        };
        let doing = "could not ask whether the result may be published";
        // Where nobody has ever asked for the active region, the first try finds no record and the second one does.
        for _ in 0..2 {
            if self.rows.write(doing, ITEM, &take).await.map_err(NoLease::Unknown)? {
                return Ok(lease);
            }
            let row = self.row().await.map_err(NoLease::Unknown)?;
            if row.active.region != *region || row.active.epoch != epoch {
                return Err(NoLease::Over(row.active));
            }
        }
        let what = "a switch to another region is under way; nothing was published, it is tried again";
        Err(NoLease::Unknown(PortError::transient(what)))
    }

    /// Gives the right back. Harmless where it has run out, and where it was never taken.
    pub async fn published(&self, lease: &Lease) -> Result<(), PortError> {
        let doing = "could not note that a result was published";
        self.remove(doing, &lease.slot, lease.until).await?;
        self.tidy().await
    }

    async fn remove(&self, doing: &str, slot: &str, until: Timestamp) -> Result<(), PortError> {
        let update = Update {
            expression: "REMOVE #publishing.#slot",
            condition: "#publishing.#slot = :until",
            names: vec![("#slot", slot.to_owned())],
            values: vec![(":until", time(until))],
        };
        self.rows.write(doing, ITEM, &update).await.map(drop)
    }

    /// Removes one lease of somebody who died with it: the item must not grow.
    async fn tidy(&self) -> Result<(), PortError> {
        let (row, now) = (self.row().await?, self.clock.now());
        let left = row.publishing.into_iter().find(|(_, until)| *until + SWITCHING < now);
        match left {
            Some((slot, until)) => self.remove("could not remove a lease that ran out", &slot, until).await,
            None => Ok(()),
        }
    }
}

fn read(mut found: Attributes) -> Result<Row, PortError> {
    let garbled =
        || PortError::permanent("the record of the active region cannot be read: it was changed by something else");
    let Some(AttributeValue::M(publishing)) = found.remove("publishing") else { return Err(garbled()) };
    let lease = |(slot, until): (String, AttributeValue)| {
        let micros = until.as_n().ok()?.parse().ok()?;
        Some((slot, Timestamp::from_microsecond(micros).ok()?))
    };
    let publishing = publishing.into_iter().map(lease).collect::<Option<Vec<_>>>().ok_or_else(garbled)?;
    let item = Item::from(found);
    let region = RegionName::parse(item.text("region")?).map_err(|error| garbled().because(error))?;
    let active = Active { region, epoch: item.number("epoch")?, since: item.time("since")? };
    Ok(Row { active, publishing, taken: item.number("taken")? })
}
