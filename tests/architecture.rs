//! What must hold of the tree as a whole: who may import whom, how files look, what each command has. The rules are in `rules/`, pure
//! functions over (path, text); there each is also seen to fail. Here they meet this repository.

use crate::rules::{arrows, commands, layout, reach, source, tidy};
use std::io::Write;
use switchman::domain::command::Action;
use switchman::domain::grammar::SPECS;

fn holds(broken: &[String]) {
    assert!(broken.is_empty(), "\n  {}\n", broken.join("\n  "));
}

#[test]
fn imports_follow_the_arrows() {
    holds(&arrows::check(&source::tree("src", &["rs"])));
}

#[test]
fn each_outside_power_has_its_one_place() {
    holds(&reach::check(&source::tree("src", &["rs"])));
}

#[test]
fn every_file_says_what_it_is() {
    let mut files = source::tree("src", &["rs"]);
    files.extend(source::tree("tests", &["rs"]));
    files.extend(source::tree("benches", &["rs"]));
    holds(&tidy::headers(&files));
}

#[test]
fn every_file_is_compiled() {
    let mut files = source::tree("src", &["rs"]);
    files.extend(source::tree("tests", &["rs"]));
    holds(&tidy::unreached(&files));
}

#[test]
fn files_stay_short() {
    holds(&tidy::lengths(&source::tree("src", &["rs"])));
}

#[test]
fn nothing_is_left_out_or_waved_through() {
    let mut files = source::tree("src", &["rs"]);
    files.extend(source::tree("tests", &["rs"]));
    files.extend(source::tree("benches", &["rs"]));
    holds(&tidy::shortcuts(&files));
}

#[test]
fn every_command_has_all_its_parts() {
    let actions: Vec<&str> = Action::ALL.iter().map(|a| a.name()).collect();
    let explained: Vec<&str> = SPECS.iter().map(|s| s.action.name()).collect();
    let mut files = source::tree("src", &["rs"]);
    files.extend(source::tree("tests", &["rs"]));
    files.extend(source::tree("blocks", &[]));
    holds(&commands::check(&actions, &explained, &files));
}

#[test]
fn every_template_is_used() {
    let mut files = source::tree("src", &["rs"]);
    files.extend(source::tree("blocks", &[]));
    holds(&commands::templates(&files));
}

#[test]
fn the_top_level_holds_what_the_design_lists() {
    holds(&layout::check(&source::top_level()));
}

/// Plain `cargo test` needs nothing but Rust. What it cannot cover, it says.
#[test]
fn what_plain_cargo_test_leaves_out() {
    let runner = source::read("tests/run");
    let left_out = layout::steps(&runner);
    assert!(left_out.len() >= 3, "tests/run names its steps in lines such as `step browser …`: {left_out:?}");
    // Written past the capture of passing tests' output: it is meant for whoever ran it.
    writeln!(std::io::stderr(), "left out by plain cargo test, done by tests/run: {}", left_out.join(", ")).unwrap();
}
