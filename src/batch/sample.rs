//! The sales workload at any size: an input with exactly as many bad rows and missing lookups as asked for, its
//! lookup file, and the totals that a run over it must come to. The same settings make the same bytes everywhere.
use super::durable;
use super::error::BatchError;
use super::reason::{Reason, Tally};
use super::spec::{Added, Dialect, LookupSpec, Spec};
use jiff::{ToSpan, civil};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The Table Schema of the sales job.
pub const SALES_SCHEMA: &str = include_str!("sales.schema.json");
/// The Table Schema of its lookup file.
pub const FINANCIALS_SCHEMA: &str = include_str!("financials.schema.json");
/// File names of the workload.
pub const INPUT: &str = "sales.csv";
/// The lookup file.
pub const LOOKUP: &str = "financials.csv";
/// The totals beside it.
pub const TOTALS: &str = "sales.totals.json";
/// Where `sales_spec` expects the schemas.
pub const SCHEMA_FILE: &str = "sales.schema.json";
/// The lookup's schema.
pub const LOOKUP_SCHEMA_FILE: &str = "financials.schema.json";

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub rows: u64,
    /// Percent of rows that the schema refuses.
    pub bad_percent: f64,
    /// Percent of rows without an entry in the lookup.
    pub missing_percent: f64,
    pub seed: u64,
}

/// What a run over the workload must come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub settings: Settings,
    pub accepted: u64,
    pub rejected: u64,
    /// Rejects by reason; `missing-lookup` among them.
    pub reasons: Tally,
    /// Sums over the accepted rows.
    pub total_revenue: String,
    pub total_cost: String,
    pub total_profit: String,
}

/// The sales job: 8 columns in, 14 out.
pub fn sales_spec() -> Spec {
    let renamed = [
        ("unitsSold", "Units Sold"),
        ("unitPrice", "Unit Price"),
        ("unitCost", "Unit Cost"),
        ("totalRevenue", "Total Revenue"),
        ("totalCost", "Total Cost"),
        ("totalProfit", "Total Profit"),
    ];
    let columns = renamed.map(|(from, to)| Added::Renamed { from: from.to_owned(), to: to.to_owned() });
    let lookup = LookupSpec {
        file: LOOKUP.into(),
        key: "uuid".to_owned(),
        file_key: None,
        columns: columns.into(),
        schema: Some(LOOKUP_SCHEMA_FILE.into()),
        dialect: Dialect::default(),
        optional: false,
    };
    Spec { lookups: vec![lookup], tolerated_rejects_percent: 5.0, chunk_bytes: 1 << 20, ..Spec::new(SCHEMA_FILE) }
}

/// Writes input, lookup and totals into a directory.
pub fn write(settings: &Settings, dir: &Path) -> Result<Totals, BatchError> {
    let percent = |percent: f64| (0.0..=100.0).contains(&percent);
    if !percent(settings.bad_percent + settings.missing_percent)
        || !percent(settings.bad_percent)
        || settings.missing_percent < 0.0
    {
        return Err(super::LoadError::one("bad and missing percent must lie between 0 and 100, also together").into());
    }
    if settings.rows > IDS {
        return Err(super::LoadError::one(format!("at most {IDS} rows have different nine-digit ids")).into());
    }
    durable::create_dir(dir)?;
    let totals = durable::publish(dir, INPUT, |input| {
        durable::publish(dir, LOOKUP, |lookup| Maker::new(*settings)?.run(input, lookup))
    })?;
    durable::publish_json(dir, TOTALS, &totals)?;
    Ok(totals)
}

/// Values of the seeds' sample file.
#[derive(Deserialize)]
struct Dimensions {
    item_types_price_cost: BTreeMap<String, (f64, f64)>,
    countries_by_region: BTreeMap<String, Vec<String>>,
    sales_channel: Vec<String>,
    order_priority: Vec<String>,
}

const IDS: u64 = 900_000_000;
/// Has no factor in common with `IDS`, so that its multiples visit every id once.
const STRIDE: u64 = 472_882_027;
const FIRST_DAY: civil::Date = civil::date(2010, 1, 1);
const LAST_DAY: civil::Date = civil::date(2017, 7, 28);
const LONGEST_WAY: u64 = 50;
const KINDS: [Reason; 6] = [
    Reason::PatternMismatch,
    Reason::NotInList,
    Reason::MissingValue,
    Reason::BadDate,
    Reason::ShortRow,
    Reason::LongRow,
];

struct Maker {
    settings: Settings,
    random: SplitMix,
    countries: Vec<(String, String)>,
    /// Name, price and cost in cents.
    items: Vec<(String, u64, u64)>,
    channels: Vec<String>,
    priorities: Vec<String>,
    dates: Vec<String>,
    order_days: u64,
    reasons: Tally,
    accepted: u64,
    revenue: u64,
    cost: u64,
}

impl Maker {
    fn new(settings: Settings) -> Result<Self, BatchError> {
        let dimensions: Dimensions = serde_json::from_str(include_str!("sales_dims.json"))
            .map_err(|e| BatchError::State(format!("the sample's dimension values are damaged: {e}")))?;
        let countries = dimensions.countries_by_region.into_iter();
        let countries = countries.flat_map(|(region, names)| names.into_iter().map(move |name| (name, region.clone())));
        let items = dimensions.item_types_price_cost.into_iter();
        let days = FIRST_DAY.series(1.day()).take_while(|day| *day <= LAST_DAY).count() as u64;
        let dates = FIRST_DAY.series(1.day()).zip(0..days + LONGEST_WAY);
        Ok(Self {
            settings,
            random: SplitMix(settings.seed),
            countries: countries.collect(),
            items: items.map(|(name, (price, cost))| (name, cents(price), cents(cost))).collect(),
            channels: dimensions.sales_channel,
            priorities: dimensions.order_priority,
            dates: dates.map(|(day, _)| format!("{}/{}/{:02}", day.month(), day.day(), day.year() % 100)).collect(),
            order_days: days,
            reasons: Tally::default(),
            accepted: 0,
            revenue: 0,
            cost: 0,
        })
    }

    fn run(mut self, input: &mut File, lookup: &mut File) -> Result<Totals, BatchError> {
        let outcome = || {
            let (mut input, mut lookup) = (BufWriter::new(input), BufWriter::new(lookup));
            self.rows(&mut input, &mut lookup)?;
            input.flush()?;
            lookup.flush()
        };
        outcome().map_err(BatchError::stream("write the sample"))?;
        Ok(Totals {
            settings: self.settings,
            accepted: self.accepted,
            rejected: self.reasons.total(),
            reasons: self.reasons,
            total_revenue: money(self.revenue),
            total_cost: money(self.cost),
            total_profit: money(self.revenue - self.cost),
        })
    }

    fn rows(&mut self, input: &mut impl Write, lookup: &mut impl Write) -> std::io::Result<()> {
        writeln!(input, "uuid,Country,Item Type,Sales Channel,Order Priority,Order Date,Region,Ship Date")?;
        writeln!(lookup, "uuid,unitsSold,unitPrice,unitCost,totalRevenue,totalCost,totalProfit")?;
        let rows = self.settings.rows;
        let (mut bad, mut missing) =
            (share(rows, self.settings.bad_percent), share(rows, self.settings.missing_percent));
        missing = missing.min(rows - bad);
        let first = self.random.next();
        for row in 0..rows {
            let id = 100_000_000 + (first % IDS + row * STRIDE % IDS) % IDS;
            // Of what is left to choose from, as much as is left to choose: exact counts, evenly spread.
            let draw = self.random.below(rows - row);
            let fault = if draw < bad {
                bad -= 1;
                Some(KINDS[self.random.index(KINDS.len())])
            } else if draw < bad + missing {
                missing -= 1;
                Some(Reason::MissingLookup)
            } else {
                None
            };
            let item = self.items[self.random.index(self.items.len())].clone();
            self.input_row(input, id, &item.0, fault)?;
            self.lookup_row(lookup, id, &item, fault)?;
        }
        Ok(())
    }

    fn input_row(&mut self, to: &mut impl Write, id: u64, item: &str, fault: Option<Reason>) -> std::io::Result<()> {
        let random = &mut self.random;
        let (country, region) = &self.countries[random.index(self.countries.len())];
        let channel = &self.channels[random.index(self.channels.len())];
        let priority = &self.priorities[random.index(self.priorities.len())];
        let ordered = random.below(self.order_days);
        let shipped = ordered + random.below(LONGEST_WAY);
        let date = |day: u64| usize::try_from(day).ok().and_then(|day| self.dates.get(day)).map_or("", String::as_str);
        let (ordered, shipped) = (date(ordered), date(shipped));
        match fault {
            Some(Reason::PatternMismatch) => {
                writeln!(to, "{}X,{country},{item},{channel},{priority},{ordered},{region},{shipped}", id / 10)
            }
            Some(Reason::NotInList) => {
                writeln!(to, "{id},Atlantis,{item},{channel},{priority},{ordered},{region},{shipped}")
            }
            Some(Reason::MissingValue) => writeln!(to, "{id},{country},{item},{channel},,{ordered},{region},{shipped}"),
            Some(Reason::BadDate) => {
                writeln!(to, "{id},{country},{item},{channel},{priority},2/30/15,{region},{shipped}")
            }
            Some(Reason::ShortRow) => writeln!(to, "{id},{country},{item},{channel},{priority},{ordered},{region}"),
            Some(Reason::LongRow) => {
                writeln!(to, "{id},{country},{item},{channel},{priority},{ordered},{region},{shipped},?")
            }
            _ => writeln!(to, "{id},{country},{item},{channel},{priority},{ordered},{region},{shipped}"),
        }
    }

    fn lookup_row(
        &mut self,
        to: &mut impl Write,
        id: u64,
        item: &(String, u64, u64),
        fault: Option<Reason>,
    ) -> std::io::Result<()> {
        let (_, price, unit_cost) = *item;
        let units = 1 + self.random.below(9999);
        let (revenue, cost) = (units * price, units * unit_cost);
        if let Some(reason) = fault {
            self.reasons.add(reason);
        } else {
            self.accepted += 1;
            self.revenue += revenue;
            self.cost += cost;
        }
        if fault == Some(Reason::MissingLookup) {
            return Ok(());
        }
        let [price, unit_cost, revenue, cost, profit] = [price, unit_cost, revenue, cost, revenue - cost].map(money);
        writeln!(to, "{id},{units},{price},{unit_cost},{revenue},{cost},{profit}")
    }
}

/// Cents as an amount without trailing zeros: 205.7, 1000, 63.05.
fn money(cents: u64) -> String {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "prices are small and positive")]
fn cents(amount: f64) -> u64 {
    (amount * 100.0).round() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of at most 900 million rows"
)]
fn share(rows: u64, percent: f64) -> u64 {
    (rows as f64 * percent / 100.0).round() as u64
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from 0 to `limit` (exclusive); the bias of less than 2⁻³⁰ does not matter here.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Control, Job, OUTPUT, Outcome, Task, execute};
    use std::fs;

    #[test]
    fn a_run_over_the_sample_comes_to_its_totals() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { rows: 5_000, bad_percent: 1.0, missing_percent: 0.1, seed: 7 };
        let totals = write(&settings, dir.path()).unwrap();
        assert_eq!((totals.accepted, totals.rejected), (4945, 55));
        assert_eq!(totals.reasons.get(Reason::MissingLookup), 5);
        fs::write(dir.path().join(SCHEMA_FILE), SALES_SCHEMA).unwrap();
        fs::write(dir.path().join(LOOKUP_SCHEMA_FILE), FINANCIALS_SCHEMA).unwrap();
        let job = Job::load(&sales_spec(), dir.path()).unwrap();
        let (input, out) = (dir.path().join(INPUT), dir.path().join("out"));
        let task = Task { job: &job, input: &input, dir: &out, redo: None };
        let summary = execute(&task, &Control::default()).unwrap();
        assert_eq!(summary.outcome, Outcome::Succeeded);
        assert_eq!((summary.accepted, summary.reasons), (totals.accepted, totals.reasons));
        let output = fs::read_to_string(out.join(OUTPUT)).unwrap();
        let mut lines = output.lines();
        assert_eq!(lines.next().unwrap().split(',').count(), 14);
        let profit = |line: &str| cents(line.rsplit(',').next().unwrap().parse().unwrap());
        assert_eq!(money(lines.map(profit).sum()), totals.total_profit);
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes() {
        let read = |seed| {
            let dir = tempfile::tempdir().unwrap();
            write(&Settings { rows: 300, bad_percent: 10.0, missing_percent: 5.0, seed }, dir.path()).unwrap();
            [INPUT, LOOKUP, TOTALS].map(|name| fs::read(dir.path().join(name)).unwrap())
        };
        assert_eq!(read(1), read(1));
        assert_ne!(read(1)[0], read(2)[0]);
    }

    #[test]
    fn impossible_settings_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { rows: 1, bad_percent: 60.0, missing_percent: 60.0, seed: 1 };
        assert!(write(&settings, dir.path()).is_err());
        assert!(write(&Settings { bad_percent: -1.0, missing_percent: 5.0, ..settings }, dir.path()).is_err());
    }

    #[test]
    fn money_has_no_trailing_zeros() {
        assert_eq!([20_570, 100_000, 6_305, 5].map(money), ["205.7", "1000", "63.05", "0.05"]);
    }
}
