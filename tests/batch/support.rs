//! A job and its files in a temporary directory.
use std::fs;
use std::path::PathBuf;
use switchman::batch::{BatchError, Control, Job, Redo, Spec, Summary, Task, execute};
use tempfile::TempDir;

pub(crate) struct Bench {
    pub dir: TempDir,
    pub spec: Spec,
}

impl Bench {
    pub(crate) fn new(schema: &serde_json::Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("schema.json"), schema.to_string()).unwrap();
        Self { dir, spec: Spec::new("schema.json") }
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn job(&self) -> Job {
        Job::load(&self.spec, self.dir.path()).unwrap()
    }

    /// Runs the job on `input.csv` into a directory.
    pub(crate) fn execute(&self, out: &str, redo: Option<Redo<'_>>, control: &Control) -> Result<Summary, BatchError> {
        let (job, input, dir) = (self.job(), self.path("input.csv"), self.path(out));
        execute(&Task { job: &job, input: &input, dir: &dir, redo }, control)
    }

    pub(crate) fn run(&self, input: impl AsRef<[u8]>) -> Ran {
        self.write("input.csv", input);
        let _ = fs::remove_dir_all(self.path("out"));
        let summary = self.execute("out", None, &Control::default()).unwrap();
        self.ran("out", summary)
    }

    pub(crate) fn ran(&self, out: &str, summary: Summary) -> Ran {
        let read = |name: &str| fs::read(self.path(out).join(name)).unwrap();
        Ran { output: read(&summary.output), rejects: read(&summary.rejects), summary }
    }

    pub(crate) fn fails(&self, input: impl AsRef<[u8]>) -> String {
        self.write("input.csv", input);
        let _ = fs::remove_dir_all(self.path("out"));
        let error = self.execute("out", None, &Control::default()).unwrap_err();
        assert!(!self.path("out").join("output.csv").exists());
        error.to_string()
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub output: Vec<u8>,
    pub rejects: Vec<u8>,
    pub summary: Summary,
}

impl Ran {
    pub(crate) fn output(&self) -> &str {
        std::str::from_utf8(&self.output).unwrap()
    }

    pub(crate) fn rejects(&self) -> &str {
        std::str::from_utf8(&self.rejects).unwrap()
    }
}
