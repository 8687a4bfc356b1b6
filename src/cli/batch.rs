//! `switchman batch`: one batch here, without the bot. Interrupted, the same command goes on where it stopped.

use super::args::BatchArgs;
use super::{Failure, Outcome, Terminal};
use crate::batch::{self, BatchError, Control, LoadError, Summary, Task};
use crate::config::{Config, JobConfig};
use crate::domain::grammar::nearest;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often the progress bar is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// Lookups of so many MiB are worth a word: with smaller ones a batch stays below 64 MiB.
const LOOKUPS: usize = 32;

pub(super) fn run(args: &BatchArgs, terminal: &mut Terminal) -> Outcome {
    let config = Config::load(&args.file.config)?;
    let job = find(&config, &args.job)?;
    let loaded = job.load().map_err(|LoadError { problems }| {
        let lines: Vec<String> = problems.iter().map(|p| format!("job {}: {p}", job.name)).collect();
        Failure::Wrong(lines.join("\n"))
    })?;
    if !args.input.is_file() {
        return Err(Failure::Wrong(format!("switchman: there is no file {}", args.input.display())));
    }
    if args.out.exists() && !args.out.is_dir() {
        return Err(Failure::Wrong(format!("switchman: {} is no folder; name another with --out", args.out.display())));
    }
    if batch::summary(&args.out).map_err(|error| explain(&error, args))?.is_some() {
        let out = args.out.display();
        let text =
            format!("switchman: {out} holds a finished batch; name another folder with --out, or remove that one");
        return Err(Failure::Wrong(text));
    }
    let lookups = loaded.lookup_memory() >> 20;
    if lookups >= LOOKUPS {
        terminal.note(&format!(
            "switchman: the lookups of job {} take {lookups} MiB of memory, because they are held whole; the input is not",
            job.name
        ));
    }
    let started = Instant::now();
    let task = Task { job: &loaded, input: &args.input, dir: &args.out, redo: None };
    let summary = watch(&task, terminal.watched()).map_err(|error| explain(&error, args))?;
    tell(job, args, &summary, started.elapsed(), terminal)?;
    match summary.outcome {
        batch::Outcome::Succeeded => Ok(()),
        batch::Outcome::TooManyRejects => {
            terminal.note(&format!(
                "switchman: {:.2} % of the rows were rejected, {} % are tolerated; the output is kept aside as {}",
                summary.rejected_percent,
                summary.tolerated_percent,
                args.out.join(&summary.output).display()
            ));
            Err(Failure::Told)
        }
    }
}

fn find<'c>(config: &'c Config, name: &str) -> Result<&'c JobConfig, Failure> {
    config.jobs.iter().find(|job| job.name.as_str() == name).ok_or_else(|| {
        let names: Vec<&str> = config.jobs.iter().map(|j| j.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("the jobs are: {}", names.join(", ")),
        };
        Failure::Wrong(format!("switchman: there is no job {name:?} in {}; {hint}", config.file.display()))
    })
}

fn explain(error: &BatchError, args: &BatchArgs) -> Failure {
    let resumable = args.out.join("plan.json").exists();
    let hint = if resumable { "; the same command goes on where it stopped" } else { "" };
    Failure::Failed(anyhow::anyhow!("{error}{hint}"))
}

/// Runs the batch on a thread of its own and draws how far it is.
fn watch(task: &Task<'_>, watched: bool) -> Result<Summary, BatchError> {
    let control = Control::default();
    let bar = bar(if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
    std::thread::scope(|scope| {
        let (done, wait) = mpsc::channel::<()>();
        let control = &control;
        let worker = scope.spawn(move || {
            let result = batch::execute(task, control);
            drop(done);
            result
        });
        let started = Instant::now();
        while wait.recv_timeout(FRAME) == Err(mpsc::RecvTimeoutError::Timeout) {
            draw(&bar, control, started.elapsed());
        }
        bar.finish_and_clear();
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn bar(target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left") {
        bar.set_style(style.progress_chars("█▌ "));
    }
    bar
}

fn draw(bar: &ProgressBar, control: &Control, elapsed: Duration) {
    let now = control.progress();
    bar.set_length(now.bytes_total);
    bar.set_position(now.bytes);
    let megabytes = per_second(now.bytes, elapsed) / 1e6;
    bar.set_message(format!(
        "{} rows  {megabytes:.1} MB/s  {} rejected",
        HumanCount(now.rows()),
        HumanCount(now.rejected)
    ));
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(0.001)
}

fn tell(job: &JobConfig, args: &BatchArgs, summary: &Summary, took: Duration, terminal: &mut Terminal) -> Outcome {
    let reasons: Vec<_> = summary.reasons.ranked();
    let rate = per_second(summary.rows, took);
    if args.json {
        let reasons: serde_json::Map<String, serde_json::Value> =
            reasons.iter().map(|(reason, count)| (reason.code().to_owned(), (*count).into())).collect();
        let line = serde_json::json!({
            "job": job.name,
            "input": args.input,
            "outcome": summary.outcome,
            "rows": summary.rows,
            "accepted": summary.accepted,
            "rejected": summary.rejected,
            "rejected_percent": summary.rejected_percent,
            "tolerated_percent": summary.tolerated_percent,
            "reasons": reasons,
            "bytes": summary.bytes,
            "chunks": summary.chunks,
            "seconds": took.as_secs_f64(),
            "rows_per_second": rate.round(),
            "output": args.out.join(&summary.output),
            "rejects": args.out.join(&summary.rejects),
        });
        return terminal.say(&line.to_string());
    }
    terminal.say(&format!("rows: {} ({} accepted, {} rejected)", summary.rows, summary.accepted, summary.rejected))?;
    for (reason, count) in reasons {
        terminal.say(&format!("rejected {}: {count}", reason.code()))?;
    }
    terminal.say(&format!("output: {}", args.out.join(&summary.output).display()))?;
    terminal.say(&format!("rejects: {}", args.out.join(&summary.rejects).display()))?;
    terminal.say(&format!("time: {:.2} s, {rate:.0} rows/s", took.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Reason;
    use crate::batch::control::Counted;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal that keeps what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl indicatif::TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_says_how_far_how_fast_how_long_and_how_bad() {
        let (screen, control) = (Screen::default(), Control::default());
        let bar = bar(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        let mut counted = Counted { bytes: 1_000_000, accepted: 9_000, ..Counted::default() };
        (0..3).for_each(|_| counted.rejected.add(Reason::BadDate));
        control.expect(4, 4_000_000);
        control.count(&counted);
        draw(&bar, &control, Duration::from_secs(2));
        bar.force_draw();
        let shown = screen.0.lock().unwrap().clone();
        for part in ["█", " 25 %", "9,003 rows", "0.5 MB/s", "3 rejected", " left"] {
            assert!(shown.contains(part), "{part} in {shown:?}");
        }
    }
}
