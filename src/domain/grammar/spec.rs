//! The table of commands.

use crate::domain::command::Action;

/// One command of the table.
#[derive(Debug)]
pub struct Spec {
    pub action: Action,
    pub args: &'static [Arg],
    /// One line: what it does.
    pub summary: &'static str,
    /// What happens to arguments that are left out, and what else to know.
    pub detail: &'static str,
    /// A line people can copy, without the slash command.
    pub example: &'static str,
}

/// One argument of a command.
#[derive(Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Job,
    File,
    Run,
    Scope,
    User,
    Region,
    /// The word `drill`.
    Drill,
    Request,
    /// Free text: the rest of the line.
    Words,
    /// A whole command: the rest of the line.
    Command,
    Action,
}

const fn required(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, required: false }
}

/// Every command, in the order people are shown them.
pub const SPECS: &[Spec] = &[
    Spec {
        action: Action::StartBatch,
        args: &[required("JOB", Kind::Job), optional("FILE|NAME=VALUE…", Kind::File)],
        summary: "Start a job on an input file, or a workflow with its values",
        detail: "Without FILE: the newest input that has no finished run. One file has at most one run at a time. A workflow takes values instead, such as date=today note=\"some text\"; a form asks for those that are needed and left out.",
        example: "start-batch sales",
    },
    Spec {
        action: Action::ReprocessBatch,
        args: &[optional("RUN", Kind::Run), optional("rows|chunks|all", Kind::Scope)],
        summary: "Do the rejected rows, the failed chunks or all of a run again",
        detail: "Without RUN: the newest run of this channel with something to redo. Without a scope: the rejected rows if there are any, else the failed chunks.",
        example: "reprocess-batch r-7k3f rows",
    },
    Spec {
        action: Action::CancelBatch,
        args: &[required("RUN", Kind::Run)],
        summary: "Stop a run",
        detail: "Nothing half-done is published; chunks that were finished are kept for a later reprocess-batch.",
        example: "cancel-batch r-7k3f",
    },
    Spec {
        action: Action::Status,
        args: &[optional("RUN", Kind::Run)],
        summary: "Show one run, or the board",
        detail: "Without RUN: what is running and waiting, and what ended last.",
        example: "status r-7k3f",
    },
    Spec {
        action: Action::ListBatches,
        args: &[],
        summary: "List this channel's runs, the newest first",
        detail: "Shows the last twenty.",
        example: "list-batches",
    },
    Spec {
        action: Action::FailOver,
        args: &[optional("REGION", Kind::Region), optional("drill", Kind::Drill)],
        summary: "Make another region the active one and recover every unfinished file there",
        detail: "Shows the plan and asks for approval; nothing moves before enough people approved it. With drill: everything but the switch, in a sandbox.",
        example: "fail-over west",
    },
    Spec {
        action: Action::FailBack,
        args: &[],
        summary: "Go back to the region that was active before",
        detail: "The same plan and approval as fail-over, the other way round.",
        example: "fail-back",
    },
    Spec {
        action: Action::Approve,
        args: &[required("ID", Kind::Request), optional("REASON…", Kind::Words)],
        summary: "Approve a request",
        detail: "You approve the plan that the request shows. For a fail-over write the target's name before the reason. In an emergency, where the catalog allows it: approve ID break-glass REASON. Closes the review of a broken glass, too.",
        example: "approve q-7k3f looks right",
    },
    Spec {
        action: Action::Deny,
        args: &[required("ID", Kind::Request), optional("REASON…", Kind::Words)],
        summary: "Deny a request, or withdraw your own",
        detail: "One denial decides. A reason is needed; everybody in the channel sees it.",
        example: "deny q-7k3f wrong file",
    },
    Spec {
        action: Action::Why,
        args: &[required("@USER", Kind::User), required("COMMAND…", Kind::Command)],
        summary: "Explain whether somebody may do something here, and which rule says so",
        detail: "Nothing is run.",
        example: "why @Viewer start-batch sales",
    },
    Spec {
        action: Action::Help,
        args: &[optional("COMMAND", Kind::Action)],
        summary: "Explain the commands, or one of them",
        detail: "Without COMMAND: all of them.",
        example: "help start-batch",
    },
];

/// The entry of an action. The table holds every action (a test sees to it).
pub fn spec(action: Action) -> &'static Spec {
    SPECS.iter().find(|s| s.action == action).expect("the table holds every action")
}

impl Spec {
    /// The usage line, such as `start-batch JOB [FILE]`.
    pub fn usage(&self) -> String {
        let mut line = self.action.name().to_owned();
        for arg in self.args {
            line.push(' ');
            if arg.required {
                line.push_str(arg.name);
            } else {
                line.push('[');
                line.push_str(arg.name);
                line.push(']');
            }
        }
        line
    }
}

/// The hint Slack shows beside the slash command while people type (the manifest's `usage_hint`, at most 1,000 characters).
pub fn usage_hint() -> String {
    SPECS.iter().map(Spec::usage).collect::<Vec<_>>().join(" | ")
}
