//! What is measured: the sales workload of `switchman sample` as one file of 15 columns, a lookup of 5,000 items, and the job over them.
//!
//! 0.5 % of the rows are bad, in seven ways; 5 % of the fields stand in quotes, because they hold commas and some also quotes.
//! Fields are quoted only where they must be, and no row is ragged: so every engine can write the same bytes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use switchman::batch::sample::{self, Settings};

/// Entries of the lookup.
const ITEMS: u64 = 5_000;
/// Rows that are made; a larger file repeats them.
const MADE: u64 = 1_000_000;
/// One row in so many is bad.
const BAD: u64 = 200;

const HEADER: &str = "uuid,Country,Item Type,Sales Channel,Order Priority,Order Date,Region,Ship Date,\
    Units Sold,Unit Price,Unit Cost,Total Revenue,Total Profit,Item Id,Customer";
const JOB: &str = r#"
[backend]
data = "var"
[[job]]
name = "bench"
kind = "csv"
input = "."
output = "results"
schema = "schema.json"
[[job.lookup]]
key = "Item Id"
file = "items.csv"
columns = ["Supplier", "Warehouse"]
"#;

/// Writes schema, lookup and configuration; the inputs come with `input`.
pub(crate) fn prepare(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("switchman.toml"), JOB).unwrap();
    fs::write(folder.join("schema.json"), schema().to_string()).unwrap();
    let mut items = b"Item Id,Supplier,Warehouse\n".to_vec();
    for item in 0..ITEMS {
        let (supplier, hall) = (mix(item) % 900, mix(item + ITEMS) % 40);
        writeln!(items, "I{item:04},\"Supplier {supplier}, Ltd.\",Hall {hall}").unwrap();
    }
    fs::write(folder.join("items.csv"), items).unwrap();
}

/// The input with so many rows, made unless it is there.
pub(crate) fn input(folder: &Path, rows: u64) -> PathBuf {
    let path = folder.join(format!("input-{rows}.csv"));
    if path.is_file() {
        return path;
    }
    let beside = folder.join("input.tmp");
    if rows <= MADE {
        make(folder, rows, &beside);
    } else {
        repeat(&input(folder, MADE), rows / MADE, &beside);
    }
    File::open(&beside).unwrap().sync_all().unwrap();
    fs::rename(beside, &path).unwrap();
    path
}

fn make(folder: &Path, rows: u64, to: &Path) {
    let parts = tempfile::tempdir_in(folder).unwrap();
    let settings = Settings { rows, bad_percent: 0.0, missing_percent: 0.0, seed: 15 };
    sample::write(&settings, parts.path()).unwrap();
    let lines = |name: &str| BufReader::new(File::open(parts.path().join(name)).unwrap()).lines().skip(1);
    let mut to = BufWriter::new(File::create(to).unwrap());
    writeln!(to, "{HEADER}").unwrap();
    for (row, (sale, sums)) in (0..).zip(lines(sample::INPUT).zip(lines(sample::LOOKUP))) {
        let (sale, sums) = (sale.unwrap(), sums.unwrap());
        let mut cells: Vec<&str> = sale.split(',').collect();
        // All of its sums but the key and the total cost.
        cells.extend(sums.split(',').enumerate().filter(|(at, _)| *at != 0 && *at != 5).map(|(_, cell)| cell));
        let item = format!("I{:04}", mix(row) % ITEMS);
        let customer = customer(mix(row + rows));
        cells.extend([item.as_str(), customer.as_str()]);
        if mix(row ^ 0xbad).is_multiple_of(BAD) {
            let (column, value) = FAULTS[usize::try_from(mix(row) % FAULTS.len() as u64).unwrap()];
            cells[column] = value;
        }
        writeln!(to, "{}", cells.join(",")).unwrap();
    }
    to.flush().unwrap();
}

/// Column and value of each kind of bad row.
const FAULTS: [(usize, &str); 7] =
    [(0, "12345678X"), (1, "Atlantis"), (4, ""), (5, "2/30/15"), (8, "0"), (9, "9.9.9"), (13, "I9999")];

/// Three of four names hold a comma and so need quotes, a few hold quotes as well.
fn customer(random: u64) -> String {
    const FIRST: [&str; 8] = ["Ann", "Bob", "Chidi", "Dana", "Émile", "Femi", "Grete", "Hugo"];
    const LAST: [&str; 8] = ["Alvarez", "Brandt", "Cohen", "Dubois", "Eze", "Fischer", "Gruber", "Haddad"];
    let pick = |names: [&'static str; 8], at: u64| names[usize::try_from(at % 8).unwrap()];
    let (first, last) = (pick(FIRST, random >> 8), pick(LAST, random >> 16));
    match random % 100 {
        0..3 => format!("\"{last} \"\"{first}\"\", {}\"", random >> 40),
        3..75 => format!("\"{last}, {first} {}\"", random >> 40),
        _ => format!("{first} {last} {}", random >> 40),
    }
}

fn repeat(from: &Path, times: u64, to: &Path) {
    let mut to = File::create(to).unwrap();
    writeln!(to, "{HEADER}").unwrap();
    for _ in 0..times {
        let mut from = File::open(from).unwrap();
        from.seek(SeekFrom::Start(HEADER.len() as u64 + 1)).unwrap();
        std::io::copy(&mut from.take(u64::MAX), &mut to).unwrap();
    }
}

/// What every engine checks, as a Table Schema; the others read the lists from it.
fn schema() -> serde_json::Value {
    let sales: serde_json::Value = serde_json::from_str(sample::SALES_SCHEMA).unwrap();
    let mut fields = sales["fields"].as_array().unwrap().clone();
    let mut add = |name: &str, kind: &str, constraints: serde_json::Value| {
        fields.push(serde_json::json!({"name": name, "type": kind, "constraints": constraints}));
    };
    add("Units Sold", "integer", serde_json::json!({"required": true, "minimum": 1, "maximum": 9999}));
    for name in ["Unit Price", "Unit Cost", "Total Revenue", "Total Profit"] {
        add(name, "number", serde_json::json!({"required": true}));
    }
    add("Item Id", "string", serde_json::json!({"required": true}));
    add("Customer", "string", serde_json::json!({"required": true, "maxLength": 40}));
    serde_json::json!({"fields": fields, "missingValues": [""]})
}

/// SplitMix64's mixing: numbers that look random, and are the same everywhere.
fn mix(n: u64) -> u64 {
    let mut mixed = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
