//! The lead: one region's bots write at a time, because the record's table is only eventually consistent over regions. It is a lease in
//! the table of the active region. All bots of a region hold it together.

use super::active::SKEW;
use super::rows::{Attributes, Rows, Update, number, text, time};
use crate::aws::random;
use crate::aws::table::Item;
use crate::domain::id::RegionName;
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The item.
const ITEM: &str = "lead";
/// After a planned end nobody takes the lead for so long: what was committed last has to arrive in the other region first.
const SETTLE: SignedDuration = SignedDuration::from_secs(5);
/// Tries while other bots renew the lead in the same moment.
const TRIES: u32 = 8;

/// Who has the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// We: act only while the own clock is before `until`.
    Mine { until: Timestamp },
    /// Another region, which may act until then.
    Other { region: RegionName, until: Timestamp },
}

/// One bot's share in the lead.
pub struct Lead {
    rows: Rows,
    region: RegionName,
    /// Tells this bot from the others of its region.
    bot: String,
    lasts: SignedDuration,
    mine: Mutex<Option<Timestamp>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    region: RegionName,
    /// Who renewed it last.
    bot: String,
    until: Timestamp,
    /// Until when another bot of the region may believe that it has it.
    others: Timestamp,
    version: u64,
}

impl Lead {
    /// `lasts`: how long it is held without being renewed; more than twice the time between two calls of [`Lead::hold`].
    pub fn new(
        config: &SdkConfig,
        table: &str,
        region: RegionName,
        lasts: SignedDuration,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let bot = format!("{:x}", random::number());
        Self { rows: Rows::new(config, table, clock), region, bot, lasts: lasts.max(SKEW * 4), mine: Mutex::default() }
    }

    /// Takes the lead if nobody has it, renews it if our region has it.
    pub async fn hold(&self, now: Timestamp) -> Result<Held, PortError> {
        for _ in 0..TRIES {
            let found = self.read().await?;
            if let Some(row) = found.as_ref().filter(|row| row.region != self.region && now < row.until + SKEW) {
                *self.mine() = None;
                return Ok(Held::Other { region: row.region.clone(), until: row.until });
            }
            let next = self.next(found.as_ref(), now);
            if self.write(&next, found.as_ref()).await? {
                let until = next.until - SKEW;
                *self.mine() = Some(until);
                return Ok(Held::Mine { until });
            }
        }
        Err(PortError::transient(
            "who leads could not be settled: others renew it in the same moment; tried again soon",
        ))
    }

    /// Whether this bot may act at this moment, going by what it learned last: a bot that is cut off stops by its own clock.
    pub fn may_act(&self, now: Timestamp) -> bool {
        self.mine().is_some_and(|until| now < until)
    }

    /// Lets another region take the lead soon, unless another bot of this region has it too. For a bot that stops, once it writes no more.
    pub async fn give_up(&self, now: Timestamp) -> Result<(), PortError> {
        *self.mine() = None;
        let Some(row) = self.read().await? else { return Ok(()) };
        if row.region != self.region || row.bot != self.bot {
            return Ok(());
        }
        let until = row.until.min(row.others.max(now + SETTLE));
        // Where this fails, somebody else has it already.
        self.write(&Row { until, version: row.version + 1, ..row.clone() }, Some(&row)).await.map(drop)
    }

    fn next(&self, found: Option<&Row>, now: Timestamp) -> Row {
        let own = found.filter(|row| row.region == self.region);
        let others = match own {
            Some(row) if row.bot == self.bot => row.others,
            Some(row) => row.until,
            None => Timestamp::UNIX_EPOCH,
        };
        // Never sooner than what another bot of the region believes.
        let until = (now + self.lasts).max(own.map_or(Timestamp::UNIX_EPOCH, |row| row.until));
        let version = found.map_or(1, |row| row.version + 1);
        Row { region: self.region.clone(), bot: self.bot.clone(), until, others, version }
    }

    async fn read(&self) -> Result<Option<Row>, PortError> {
        self.rows.read("could not read who leads", ITEM).await?.map(row).transpose()
    }

    async fn write(&self, row: &Row, before: Option<&Row>) -> Result<bool, PortError> {
        let mut update = Update {
            expression: "SET #region = :region, #bot = :bot, #until = :until, #others = :others, #version = :version",
            condition: "attribute_not_exists(#pk)",
            values: vec![
                (":region", text(row.region.as_str())),
                (":bot", text(&row.bot)),
                (":until", time(row.until)),
                (":others", time(row.others)),
                (":version", number(row.version)),
            ],
            ..Update::default()
        };
        if let Some(before) = before {
            update.condition = "#version = :before";
            update.values.push((":before", number(before.version)));
        }
        self.rows.write("could not write who leads", ITEM, &update).await
    }

    fn mine(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn row(found: Attributes) -> Result<Row, PortError> {
    let item = Item::from(found);
    let region = RegionName::parse(item.text("region")?)
        .map_err(|error| PortError::permanent("the record of who leads cannot be read").because(error))?;
    Ok(Row {
        region,
        bot: item.text("bot")?.to_owned(),
        until: item.time("until")?,
        others: item.time("others")?,
        version: item.number("version")?,
    })
}
