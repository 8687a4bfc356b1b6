//! Who may do what, where: deny by default, a deny rule beats every allow rule, and each decision names what made it.

use super::actor::{Outsider, Role, Standing};
use super::command::{Action, Command};
use super::id::{ChannelId, JobName};
use serde::{Deserialize, Serialize};

/// What a rule does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Allow,
    Deny,
}

/// One statement of the policy. An empty list means "any".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub name: String,
    pub verdict: Verdict,
    pub roles: Vec<Role>,
    pub actions: Vec<Action>,
    pub jobs: Vec<JobName>,
    pub channels: Vec<ChannelId>,
}

/// The rules, in the order of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// Where something is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// A channel, and whether it is on the list of permitted channels.
    Channel { id: &'a ChannelId, permitted: bool },
    /// The App Home tab, which only that person sees.
    Home,
}

/// A decision with what made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum Decision {
    /// The allow rule of that name.
    Allowed { rule: String },
    /// The deny rule of that name.
    DeniedByRule { rule: String },
    /// No rule allows it to any of these roles.
    NoRule { roles: Vec<Role> },
    /// The person is on no list.
    NotListed,
    /// The person is ruled out whatever the list says.
    Outsider { kind: Outsider },
    /// The bot does not work in this channel.
    ChannelNotPermitted,
}

impl Decision {
    pub fn allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// A stable word for audit and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::DeniedByRule { .. } => "denied-by-rule",
            Self::NoRule { .. } => "no-rule",
            Self::NotListed => "not-listed",
            Self::Outsider { .. } => "outsider",
            Self::ChannelNotPermitted => "channel-not-permitted",
        }
    }
}

/// A command that was allowed to this actor at this moment. Only [`Policy::authorize`] makes one; handlers accept nothing else.
#[derive(Debug, Clone)]
pub struct Authorized<T> {
    inner: T,
    rule: String,
}

impl<T> Authorized<T> {
    pub fn get(&self) -> &T {
        &self.inner
    }

    /// The rule that allowed it, for the audit trail.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl Policy {
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The rules of a configuration that names none: every listed person may look, operators may run and ask for a fail-over, and
    /// whoever has a part in an approval may vote. Whose vote counts is the approval rule's part: it knows why not, and says so.
    pub fn standard() -> Self {
        let looking = vec![Action::Status, Action::ListBatches, Action::Why, Action::Help];
        let running =
            vec![Action::StartBatch, Action::ReprocessBatch, Action::CancelBatch, Action::FailOver, Action::FailBack];
        let rule = |name: &str, roles: &[&str], actions| Rule {
            name: name.to_owned(),
            verdict: Verdict::Allow,
            roles: roles.iter().map(|r| Role::new(r)).collect(),
            actions,
            jobs: Vec::new(),
            channels: Vec::new(),
        };
        Self::new(vec![
            rule("everyone-listed-may-look", &["operator", "approver", "lead", "viewer"], looking),
            rule("operators-may-run", &["operator"], running),
            rule("approvers-may-vote", &["approver", "lead", "operator"], vec![Action::Approve, Action::Deny]),
        ])
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Decides about an action. `job: None` asks "for any job at all": the job is not known yet and is asked about again when it is.
    pub fn decide(&self, who: &Standing, place: Place<'_>, action: Action, job: Option<&JobName>) -> Decision {
        if let Place::Channel { permitted: false, .. } = place {
            return Decision::ChannelNotPermitted;
        }
        if let Some(kind) = who.outsider {
            return Decision::Outsider { kind };
        }
        let Some(listed) = &who.listed else {
            return Decision::NotListed;
        };
        let matching = |verdict| {
            self.rules
                .iter()
                .find(|r| r.verdict == verdict && r.matches(&listed.roles, place, action, job))
                .map(|r| r.name.clone())
        };
        if let Some(rule) = matching(Verdict::Deny) {
            Decision::DeniedByRule { rule }
        } else if let Some(rule) = matching(Verdict::Allow) {
            Decision::Allowed { rule }
        } else {
            Decision::NoRule { roles: listed.roles.clone() }
        }
    }

    /// The command as one that may be handled, or the decision against it. `job` is the job it concerns, where that is known.
    pub fn authorize(
        &self,
        who: &Standing,
        place: Place<'_>,
        command: Command,
        job: Option<&JobName>,
    ) -> Result<Authorized<Command>, Decision> {
        match self.decide(who, place, command.action(), job.or_else(|| command.job())) {
            Decision::Allowed { rule } => Ok(Authorized { inner: command, rule }),
            refused => Err(refused),
        }
    }

    /// What this person may do here, for the menu and the envelope.
    pub fn permitted_actions(&self, who: &Standing, place: Place<'_>) -> Vec<Action> {
        Action::ALL.into_iter().filter(|a| self.decide(who, place, *a, None).allowed()).collect()
    }
}

impl Rule {
    fn matches(&self, roles: &[Role], place: Place<'_>, action: Action, job: Option<&JobName>) -> bool {
        let job_fits = match job {
            Some(job) => self.jobs.is_empty() || self.jobs.contains(job),
            None => self.jobs.is_empty() || self.verdict == Verdict::Allow,
        };
        let place_fits = match place {
            Place::Channel { id, .. } => self.channels.is_empty() || self.channels.contains(id),
            Place::Home => self.channels.is_empty() || self.verdict == Verdict::Allow,
        };
        job_fits
            && place_fits
            && (self.actions.is_empty() || self.actions.contains(&action))
            && (self.roles.is_empty() || self.roles.iter().any(|r| roles.contains(r)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::actor::{Actor, Listed};
    use crate::domain::id::{TeamId, UserId};
    use proptest::prelude::*;

    fn standing(roles: Option<&[&str]>, outsider: Option<Outsider>) -> Standing {
        let actor =
            Actor { team: TeamId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap(), name: "any".into() };
        let listed = roles.map(|r| Listed { name: "Any".into(), roles: r.iter().map(|r| Role::new(r)).collect() });
        Standing { actor, listed, outsider }
    }

    fn decide(policy: &Policy, who: &Standing, permitted: bool, action: Action, job: Option<&str>) -> Decision {
        let id = ChannelId::parse("C1").unwrap();
        let job = job.map(|j| JobName::parse(j).unwrap());
        policy.decide(who, Place::Channel { id: &id, permitted }, action, job.as_ref())
    }

    #[test]
    fn the_standard_policy_lets_operators_run_approvers_vote_and_everyone_listed_look() {
        let policy = Policy::standard();
        for (roles, action, allowed) in [
            (Some(&["operator"][..]), Action::StartBatch, true),
            (Some(&["viewer"]), Action::StartBatch, false),
            (Some(&["approver"]), Action::CancelBatch, false),
            (Some(&["viewer"]), Action::Status, true),
            (Some(&["operator"]), Action::FailOver, true),
            (Some(&["lead"]), Action::FailOver, false),
            (Some(&["operator"]), Action::Approve, true),
            (Some(&["approver"]), Action::Approve, true),
            (Some(&["lead"]), Action::Deny, true),
            (Some(&["viewer"]), Action::Deny, false),
            (Some(&[]), Action::Status, false),
            (None, Action::Help, false),
        ] {
            assert_eq!(
                decide(&policy, &standing(roles, None), true, action, None).allowed(),
                allowed,
                "{roles:?} {action}"
            );
        }
    }

    #[test]
    fn refusals_name_their_reason() {
        let policy = Policy::standard();
        let operator = standing(Some(&["operator"]), None);
        assert_eq!(decide(&policy, &operator, false, Action::Status, None), Decision::ChannelNotPermitted);
        assert_eq!(decide(&policy, &standing(None, None), true, Action::Status, None), Decision::NotListed);
        for kind in [Outsider::Guest, Outsider::Connect, Outsider::Deactivated, Outsider::Bot] {
            let who = standing(Some(&["operator"]), Some(kind));
            assert_eq!(decide(&policy, &who, true, Action::Status, None), Decision::Outsider { kind });
        }
        assert_eq!(decide(&Policy::new(vec![]), &operator, true, Action::Status, None).code(), "no-rule");
    }

    #[test]
    fn a_rule_for_one_job_holds_for_that_job_only() {
        let mut rules = Policy::standard().rules().to_vec();
        rules.push(Rule {
            name: "payroll-is-closed".into(),
            verdict: Verdict::Deny,
            roles: vec![],
            actions: vec![],
            jobs: vec![JobName::parse("payroll").unwrap()],
            channels: vec![],
        });
        let policy = Policy::new(rules);
        let who = standing(Some(&["operator"]), None);
        let rule = "payroll-is-closed".to_owned();
        assert_eq!(decide(&policy, &who, true, Action::StartBatch, Some("payroll")), Decision::DeniedByRule { rule });
        assert!(decide(&policy, &who, true, Action::StartBatch, Some("sales")).allowed());
        assert!(decide(&policy, &who, true, Action::StartBatch, None).allowed());
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        let names = |of: &[&str]| {
            proptest::sample::subsequence(of.iter().map(ToString::to_string).collect::<Vec<_>>(), 0..=of.len())
        };
        (
            any::<bool>(),
            names(&["operator", "viewer"]),
            names(&["a", "b"]),
            proptest::sample::subsequence(Action::ALL.to_vec(), 0..=3),
        )
            .prop_map(|(deny, roles, jobs, actions)| Rule {
                name: "generated".into(),
                verdict: if deny { Verdict::Deny } else { Verdict::Allow },
                roles: roles.into_iter().map(Role).collect(),
                actions,
                jobs: jobs.into_iter().map(|j| JobName::parse(j).unwrap()).collect(),
                channels: vec![],
            })
    }

    proptest! {
        #[test]
        fn one_more_deny_rule_never_allows_more(rules in proptest::collection::vec(any_rule(), 0..6), mut extra in any_rule(), action in proptest::sample::select(Action::ALL.to_vec())) {
            extra.verdict = Verdict::Deny;
            let before = Policy::new(rules.clone());
            let after = Policy::new(rules.into_iter().chain([extra]).collect());
            let who = standing(Some(&["operator"]), None);
            for job in [None, Some("a"), Some("b")] {
                let allowed_after = decide(&after, &who, true, action, job).allowed();
                prop_assert!(!allowed_after || decide(&before, &who, true, action, job).allowed());
            }
        }

        #[test]
        fn no_rules_open_the_door_to_strangers_outsiders_or_other_channels(rules in proptest::collection::vec(any_rule(), 0..6), action in proptest::sample::select(Action::ALL.to_vec())) {
            let policy = Policy::new(rules);
            prop_assert!(!decide(&policy, &standing(None, None), true, action, None).allowed());
            prop_assert!(!decide(&policy, &standing(Some(&["operator"]), Some(Outsider::Guest)), true, action, None).allowed());
            prop_assert!(!decide(&policy, &standing(Some(&["operator"]), None), false, action, None).allowed());
        }
    }
}
