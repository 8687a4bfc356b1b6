//! A configuration to start from, with the sales job, its schemas, lookup and an input. What stands there is never overwritten.

use super::FILE_NAME;
use crate::batch::BatchError;
use crate::batch::sample::{self, Settings, Totals};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const TEMPLATE: &str = include_str!("switchman.toml");
/// The line of the template that brakes the job.
const BRAKE: &str = "max_rows_per_second = 20000";
/// The lines of the template that make two regions.
const REGIONS: [&str; 6] = [
    "[[region]]",
    "name = \"east\"",
    "name = \"west\"",
    "data = \"var/regions/west\"",
    "[replication]",
    "lag = \"2s\"",
];
/// Where the table of the template begins that guards moves to another region, and its last line.
const GUARD: (&str, &str) = ("#[[approval]]\n#actions = [\"fail-over\", ", "#break_glass = [\"lead\"]\n");
const JOB: &str = "jobs/sales";
const INPUT: &str = "input";

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Starter {
    /// Size and flaws of the input.
    pub sample: Settings,
    /// Rows per second of the job, so that one can watch it; `None`: as fast as it goes.
    pub max_rows_per_second: Option<u32>,
    /// Whether there are two regions.
    pub regions: bool,
    /// Whether the table that guards fail-over and fail-back is in force. Without it they need two approvers, and nobody may break the glass.
    pub break_glass: bool,
}

/// Why it was not written.
#[derive(Debug, thiserror::Error)]
pub enum StarterError {
    #[error("nothing was written, because these are there already: {}", list(.0))]
    Exists(Vec<PathBuf>),
    #[error("{path} cannot be written")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the sample cannot be made")]
    Sample(#[from] BatchError),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Starter {
    /// For `switchman init`: a small input, as fast as it goes.
    pub fn small() -> Self {
        Self {
            sample: Settings { rows: 1_000, bad_percent: 1.0, missing_percent: 0.5, seed: 1 },
            max_rows_per_second: None,
            regions: false,
            break_glass: false,
        }
    }

    /// For the playground: an input that takes some seconds.
    pub fn playground() -> Self {
        Self {
            sample: Settings { rows: 100_000, bad_percent: 1.0, missing_percent: 0.1, seed: 1 },
            max_rows_per_second: Some(20_000),
            regions: true,
            break_glass: true,
        }
    }

    /// Writes everything into `dir`, or nothing where one of the files is there. Gives the files, relative to `dir`, and the totals
    /// that a run over the input must come to.
    pub fn write(&self, dir: &Path) -> Result<(Vec<PathBuf>, Totals), StarterError> {
        let files = files();
        let there: Vec<PathBuf> = files.iter().map(|f| dir.join(f)).filter(|f| f.symlink_metadata().is_ok()).collect();
        if !there.is_empty() {
            return Err(StarterError::Exists(there));
        }
        let totals = self.make(dir)?;
        Ok((files, totals))
    }

    /// Writes everything into `dir` unless its configuration is there: `false`, and nothing is touched. What an interrupted call
    /// left behind is written again.
    pub fn write_once(&self, dir: &Path) -> Result<bool, StarterError> {
        if dir.join(FILE_NAME).symlink_metadata().is_ok() {
            return Ok(false);
        }
        self.make(dir)?;
        Ok(true)
    }

    /// The configuration comes last: where it stands, everything it names does.
    fn make(&self, dir: &Path) -> Result<Totals, StarterError> {
        let job = dir.join(JOB);
        let input = dir.join(INPUT);
        for folder in [&job, &input] {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let totals = sample::write(&self.sample, &job)?;
        let place = input.join(sample::INPUT);
        fs::rename(job.join(sample::INPUT), &place).map_err(failed(&place))?;
        put(&job.join(sample::SCHEMA_FILE), sample::SALES_SCHEMA)?;
        put(&job.join(sample::LOOKUP_SCHEMA_FILE), sample::FINANCIALS_SCHEMA)?;
        put(&dir.join(FILE_NAME), &self.configuration())?;
        Ok(totals)
    }

    fn configuration(&self) -> String {
        let brake = match self.max_rows_per_second {
            Some(rows) => format!("max_rows_per_second = {rows}"),
            None => format!("#{BRAKE}"),
        };
        let mut text = TEMPLATE.replace(BRAKE, &brake);
        for line in REGIONS.iter().filter(|_| self.regions) {
            text = text.replace(&format!("\n#{line}\n"), &format!("\n{line}\n"));
        }
        if self.break_glass { guarded(&text) } else { text }
    }
}

/// The template with the table for moves in force.
fn guarded(text: &str) -> String {
    let Some((before, rest)) = text.split_once(GUARD.0) else { return text.to_owned() };
    let (table, after) = rest.split_once(GUARD.1).unwrap_or((rest, ""));
    let in_force = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting.to_owned(),
        _ => line.to_owned(),
    };
    let table: String = format!("{}{table}{}", GUARD.0, GUARD.1).split_inclusive('\n').map(in_force).collect();
    format!("{before}{table}{after}")
}

/// Everything that is written, relative to the folder.
fn files() -> Vec<PathBuf> {
    let job = Path::new(JOB);
    vec![
        PathBuf::from(FILE_NAME),
        job.join(sample::SCHEMA_FILE),
        job.join(sample::LOOKUP_SCHEMA_FILE),
        job.join(sample::LOOKUP),
        job.join(sample::TOTALS),
        Path::new(INPUT).join(sample::INPUT),
    ]
}

/// Writes a file whole or not at all.
fn put(path: &Path, text: &str) -> Result<(), StarterError> {
    let part = path.with_extension("part");
    fs::write(&part, text).and_then(|()| fs::rename(&part, path)).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StarterError {
    let path = path.to_owned();
    move |source| StarterError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::domain::actor::Role;
    use crate::domain::approval::ApprovalRule;
    use crate::domain::command::Action;
    use crate::domain::job::MoveSettings;
    use crate::domain::policy::Policy;

    fn written() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        Starter::small().write(dir.path()).unwrap();
        let file = dir.path().join(FILE_NAME);
        (dir, file)
    }

    /// The file with every setting in force.
    fn uncommented(file: &Path) -> String {
        let uncomment = |line: &str| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with([' ', '\n']) => setting.to_owned(),
            _ => line.to_owned(),
        };
        fs::read_to_string(file).unwrap().split_inclusive('\n').map(uncomment).collect()
    }

    #[test]
    fn what_is_written_is_a_configuration_without_mistakes_or_warnings() {
        let (_dir, file) = written();
        let config = Config::load_with_data(&file).unwrap();
        assert_eq!(config.warnings(), Vec::<String>::new());
        let ids: Vec<&str> = config.people.iter().map(|p| p.user.as_str()).collect();
        assert_eq!(ids, ["U0OPERATOR", "U0APPROVER1", "U0APPROVER2", "U0LEAD", "U0VIEWER"]);
        assert_eq!(config.channels[0].as_str(), "C0BATCH");
        assert_eq!(config.jobs[0].load().unwrap().output_columns().len(), 14);
        assert_eq!(config.jobs[0].spec.max_rows_per_second, None);
    }

    #[test]
    fn the_playground_lets_a_lead_break_the_glass_and_starts_batches_without_approval() {
        let dir = tempfile::tempdir().unwrap();
        Starter { sample: Starter::small().sample, ..Starter::playground() }.write(dir.path()).unwrap();
        let config =
            Config::load_with_data(&dir.path().join(FILE_NAME)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((config.warnings(), config.own_rules), (Vec::new(), false));
        let catalog = config.catalog();
        let usual = ApprovalRule::for_regions();
        for action in [Action::FailOver, Action::FailBack] {
            let rule = ApprovalRule { break_glass: vec![Role::new("lead")], ..usual.clone() };
            assert_eq!(catalog.approval(action, None), Some(rule));
        }
        assert_eq!(catalog.approval(Action::StartBatch, Some(&config.jobs[0].name)), None);
    }

    #[test]
    fn every_setting_there_is_is_documented() {
        let (_dir, file) = written();
        let text = uncommented(&file);
        // What is possible in a table is said where an unknown key stands in it.
        let headed: Vec<String> = text
            .lines()
            .map(|line| if line.starts_with('[') { format!("{line}\nzzzzzzzzzz = 1") } else { line.to_owned() })
            .collect();
        fs::write(&file, format!("zzzzzzzzzz = 1\n{}", headed.join("\n"))).unwrap();
        let mistakes = Config::load(&file).unwrap_err().0;
        assert_eq!(mistakes.len(), headed.iter().filter(|line| line.contains("zzzz")).count() + 1);
        for mistake in mistakes {
            let words = mistake.hint.strip_prefix("possible: ").unwrap();
            for word in words.split(", ") {
                let given = text.lines().any(|line| line.starts_with(&format!("{word} = ")));
                let table = [format!("[{word}]"), format!("[[{word}]]"), format!("[[job.{word}]]")];
                assert!(given || text.lines().any(|line| table.iter().any(|t| t == line)), "{word} of {}", mistake.key);
            }
        }
    }

    #[test]
    fn every_setting_it_documents_exists_and_its_rules_are_the_standard_ones() {
        let (_dir, file) = written();
        let text = uncommented(&file);
        fs::write(&file, &text).unwrap();
        let config = Config::load_with_data(&file).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(config.public_url(), "https://switchman.example.com");
        assert!(config.own_rules);
        for (own, standard) in config.policy.rules().iter().zip(Policy::standard().rules()) {
            assert_eq!((&own.name, &own.roles, &own.actions), (&standard.name, &standard.roles, &standard.actions));
        }
        assert_eq!(config.policy.rules().len(), Policy::standard().rules().len());
        assert_eq!((config.approvals.len(), config.moves), (2, MoveSettings::default()));
        let rule = &config.approvals[0].rule;
        assert_eq!(rule, &ApprovalRule { break_glass: rule.break_glass.clone(), ..ApprovalRule::for_regions() });
        let spec = &config.jobs[0].spec;
        assert_eq!((spec.workers, spec.max_rows_per_second, spec.output.len()), (2, Some(20_000), 3));
    }

    #[test]
    fn the_playground_has_two_regions_and_a_first_configuration_none() {
        for (regions, expected) in [(false, vec![]), (true, vec!["east", "west"])] {
            let dir = tempfile::tempdir().unwrap();
            Starter { regions, ..Starter::small() }.write(dir.path()).unwrap();
            let config = Config::load(&dir.path().join(FILE_NAME)).unwrap();
            let names: Vec<_> = config.regions.all.iter().map(|region| region.name.as_str()).collect();
            assert_eq!(names, expected);
            assert_eq!(config.warnings(), Vec::<String>::new());
        }
        assert!(Starter::playground().regions);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_written_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("input")).unwrap();
        fs::write(dir.path().join("input/sales.csv"), "mine").unwrap();
        let error = Starter::small().write(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("input/sales.csv"), "{error}");
        assert_eq!(fs::read_to_string(dir.path().join("input/sales.csv")).unwrap(), "mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn once_means_once_and_an_interrupted_first_time_is_made_good() {
        let dir = tempfile::tempdir().unwrap();
        let starter = Starter { max_rows_per_second: Some(20_000), ..Starter::small() };
        fs::create_dir_all(dir.path().join("input")).unwrap();
        fs::write(dir.path().join("input/sales.csv"), "half").unwrap();
        assert!(starter.write_once(dir.path()).unwrap());
        assert_ne!(fs::read_to_string(dir.path().join("input/sales.csv")).unwrap(), "half");
        fs::write(dir.path().join("input/sales.csv"), "mine").unwrap();
        assert!(!starter.write_once(dir.path()).unwrap());
        assert_eq!(fs::read_to_string(dir.path().join("input/sales.csv")).unwrap(), "mine");
        let config = Config::load(&dir.path().join(FILE_NAME)).unwrap();
        assert_eq!(config.jobs[0].spec.max_rows_per_second, Some(20_000));
    }
}
