//! `switchman sample`: the sales workload at any size, with the totals that a run over it must come to.

use super::args::SampleArgs;
use super::{Failure, Outcome, Terminal};
use crate::batch::BatchError;
use crate::batch::sample::{self, Settings};

pub(super) fn run(args: &SampleArgs, terminal: &mut Terminal) -> Outcome {
    let settings = Settings { rows: args.rows, bad_percent: args.bad, missing_percent: args.missing, seed: args.seed };
    let names = [sample::INPUT, sample::LOOKUP, sample::TOTALS];
    let there: Vec<String> =
        names.map(|name| args.out.join(name)).iter().filter(|p| p.exists()).map(|p| p.display().to_string()).collect();
    if !there.is_empty() {
        let text = format!("switchman: nothing was written, because these are there already: {}", there.join(", "));
        return Err(Failure::Wrong(text));
    }
    let totals = sample::write(&settings, &args.out).map_err(|error| match error {
        BatchError::Load(wrong) => Failure::Wrong(format!("switchman: {wrong}")),
        other => Failure::Failed(anyhow::anyhow!("{other}")),
    })?;
    for name in names {
        terminal.say(&format!("wrote: {}", args.out.join(name).display()))?;
    }
    terminal.say(&format!("rows: {} ({} good, {} bad)", args.rows, totals.accepted, totals.rejected))?;
    terminal.say(&format!("total profit: {}", totals.total_profit))
}
