//! The sales workload: what must hold in every row of its output.
use std::collections::HashMap;
use std::fs;
use switchman::batch::sample::{self, Settings};
use switchman::batch::{Control, Job, OUTPUT, Spec, Task, execute};

/// An amount as cents.
fn cents(amount: &str) -> u64 {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}{part:0<2}").parse().unwrap()
}

#[test]
fn identities_hold_in_every_row_and_every_good_row_is_there_once_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { rows: 20_000, bad_percent: 2.0, missing_percent: 1.0, seed: 11 };
    let totals = sample::write(&settings, dir.path()).unwrap();
    fs::write(dir.path().join(sample::SCHEMA_FILE), sample::SALES_SCHEMA).unwrap();
    fs::write(dir.path().join(sample::LOOKUP_SCHEMA_FILE), sample::FINANCIALS_SCHEMA).unwrap();
    let spec = Spec { chunk_bytes: 64 << 10, workers: 3, ..sample::sales_spec() };
    let job = Job::load(&spec, dir.path()).unwrap();
    let (path, out) = (dir.path().join(sample::INPUT), dir.path().join("out"));
    execute(&Task { job: &job, input: &path, dir: &out, redo: None }, &Control::default()).unwrap();

    let input = fs::read_to_string(&path).unwrap();
    let places: HashMap<&str, usize> = input.lines().enumerate().map(|(place, row)| (row, place)).collect();
    let output = fs::read_to_string(out.join(OUTPUT)).unwrap();
    let (mut rows, mut profit, mut last) = (0, 0, 0);
    for row in output.lines().skip(1) {
        let (before, place) =
            row.match_indices(',').nth(7).map(|(at, _)| (&row[..at], places.get(&row[..at]))).unwrap();
        let place = *place.unwrap_or_else(|| panic!("{before} is no row of the input"));
        assert!(place > last, "{row} is out of order");
        let added: Vec<&str> = row.split(',').skip(8).collect();
        let units: u64 = added[0].parse().unwrap();
        let [price, unit_cost, revenue, cost, gain] = [1, 2, 3, 4, 5].map(|column| cents(added[column]));
        assert_eq!((revenue, cost, gain), (units * price, units * unit_cost, revenue - cost), "{row}");
        (rows, profit, last) = (rows + 1, profit + gain, place);
    }
    assert_eq!((rows, profit), (totals.accepted, cents(&totals.total_profit)));
}
