//! Problems as their template sees them: foreign text cut, times and people ready to be written.

use super::moves::Copy;
use super::replies::decision_context;
use super::request::{Person, roles};
use super::templates::value;
use super::words;
use crate::domain::actor::Actor;
use crate::domain::approval::Refusal;
use crate::domain::grammar::{Usage, spec};
use crate::domain::problem::Problem;
use jiff::Timestamp;
use minijinja::{Value, context};

/// Characters of a mistyped line that are shown: those around the mistake.
const LINE: usize = 100;
/// People that are named; more are left out.
const PEOPLE: usize = 10;

/// What a problem's template needs: the problem itself, and what has to be prepared.
pub(super) fn problem_context(problem: &Problem) -> Value {
    let usage = match problem {
        Problem::Usage { usage } => Some(usage),
        _ => None,
    };
    let decision = match problem {
        Problem::NotPermitted { decision, .. } => Some(decision_context(decision)),
        _ => None,
    };
    context! {
        problem => shortened(problem),
        code => problem.code(),
        retry => problem.worth_retrying(),
        caret => usage.map(|usage| around(usage).caret()),
        reason => usage.map(|usage| words::cut(&usage.reason, 300)),
        usage_line => usage.and_then(|usage| usage.action).map(|action| spec(action).usage()),
        example => usage.and_then(|usage| usage.action).map(|action| spec(action).example),
        decision => decision,
        ..votes(problem)
    }
}

/// What refused votes and requests need.
fn votes(problem: &Problem) -> Value {
    let none = || (Vec::new(), None::<Timestamp>, String::new(), None);
    let (by, at, roles, given) = match problem {
        Problem::VoteRefused { refusal, .. } => match refusal {
            Refusal::Decided { by, at, .. } => (by.iter().collect(), *at, String::new(), None),
            Refusal::Expired { at } => (Vec::new(), Some(*at), String::new(), None),
            Refusal::ReviewedBefore { by, at } => (vec![by], Some(*at), String::new(), None),
            Refusal::NotOnTheList { roles: named } => (Vec::new(), None, roles(named), None),
            Refusal::ConfirmationNeeded { given, .. } => (Vec::new(), None, String::new(), given.as_deref()),
            _ => none(),
        },
        Problem::NoQuorum { roles: named, .. } => (Vec::new(), None, roles(named), None),
        _ => none(),
    };
    let (can, cannot) = match problem {
        Problem::NoQuorum { can, cannot, .. } => (words::cut(&can.join(", "), 200), cannot.as_slice()),
        _ => (String::new(), [].as_slice()),
    };
    let cannot = cannot.iter().take(PEOPLE).map(|(name, why)| {
        context! { name => words::cut(name, 60), why => words::cut(why, 60) }
    });
    let copy = match problem {
        Problem::NotCaughtUp { replication, .. } => Some(Copy::of(replication)),
        _ => None,
    };
    context! {
        by => value(people(&by)), at => at.map(Timestamp::as_second), roles => roles,
        given => given.map(|given| words::cut(given, 60)),
        can => can, cannot => cannot.collect::<Vec<_>>(), copy => value(copy),
    }
}

fn people(people: &[&Actor]) -> Vec<Person> {
    people.iter().take(PEOPLE).map(|actor| Person::of(actor)).collect()
}

/// The problem with its long texts cut; everything a template shows of it is short.
fn shortened(problem: &Problem) -> Value {
    let mut json = serde_json::to_value(problem).unwrap_or_default();
    for name in ["nearest", "folder", "what", "request", "file"] {
        if let Some(text) = json.get(name).and_then(serde_json::Value::as_str) {
            json[name] = words::cut(text, 120).into();
        }
    }
    if let Some(nearest) = json.pointer("/usage/nearest").and_then(serde_json::Value::as_str) {
        json["usage"]["nearest"] = words::cut(nearest, 120).into();
    }
    value(json)
}

/// The part of a long line around its mistake, with the place counted anew.
fn around(usage: &Usage) -> Usage {
    let characters: Vec<char> = usage.text.chars().collect();
    let start = usage.at.saturating_sub(LINE / 2).min(characters.len());
    let end = (start + LINE).min(characters.len());
    let before = if start > 0 { "…" } else { "" };
    let after = if end < characters.len() { "…" } else { "" };
    let shown: String = characters[start..end].iter().collect();
    let at = usage.at.min(characters.len()) - start + before.chars().count();
    let length = usage.length.clamp(1, (end - start).saturating_sub(usage.at.min(end) - start).max(1));
    Usage { text: format!("{before}{shown}{after}"), at, length, ..usage.clone() }
}
