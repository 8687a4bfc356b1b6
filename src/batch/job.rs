//! A job ready to run: schema compiled, lookups loaded, output columns resolved.
use super::error::LoadError;
use super::lookup::{Loading, Lookup};
use super::quote;
use super::records::Reading;
use super::schema::Schema;
use super::spec::{LookupSpec, Spec};
use super::split::Syntax;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Everything a worker needs to know about a job; shared by all workers, never changed.
#[derive(Debug)]
pub struct Job {
    pub spec: Spec,
    pub schema: Schema,
    pub(crate) reading: Reading,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) pieces: Vec<Piece>,
    columns: Vec<String>,
    fingerprint: String,
}

/// A part of an output row that can be copied in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Cells `from` to `to` of the input row, delimiters between them included.
    Cells { from: usize, to: usize },
    /// Columns `from` to `to` of a lookup.
    Lookup { lookup: usize, from: usize, to: usize },
}

/// Opens the files that a job names.
pub type Opener<'a> = dyn FnMut(&Path) -> io::Result<Box<dyn Read>> + 'a;

impl Job {
    /// Loads a job whose files stand under `base`; the error lists everything that is wrong.
    pub fn load(spec: &Spec, base: &Path) -> Result<Self, LoadError> {
        Self::load_with(spec, &mut |name| File::open(base.join(name)).map(|file| Box::new(file) as Box<dyn Read>))
    }

    /// The same with files from anywhere.
    pub fn load_with(spec: &Spec, open: &mut Opener<'_>) -> Result<Self, LoadError> {
        let mut problems = Vec::new();
        let syntax = spec.dialect.syntax("dialect", &mut problems);
        let mut hash = Sha256::new();
        hash.update(describe(spec));
        let schema = read_schema(&spec.schema, open, &mut hash, &mut problems);
        check_numbers(spec, &mut problems);
        let Some(schema) = schema else { return Err(LoadError { problems }) };
        let mut loader = Loader { schema: &schema, syntax, hash, problems };
        let lookups: Vec<_> = spec.lookups.iter().filter_map(|lookup| loader.lookup(lookup, open)).collect();
        let Loader { hash, mut problems, .. } = loader;
        if lookups.len() < spec.lookups.len() {
            return Err(LoadError { problems });
        }
        let (columns, pieces) = resolve(spec, &schema, &lookups, &mut problems);
        if !problems.is_empty() {
            return Err(LoadError { problems });
        }
        let reading = Reading { syntax, max_record: spec.max_record_bytes };
        let fingerprint = hex::encode(hash.finalize());
        Ok(Self { spec: spec.clone(), schema, reading, lookups, pieces, columns, fingerprint })
    }

    /// Changes with everything that decides the result: schema, dialect, lookups and their contents, output
    /// columns. Not with what only decides how fast it comes.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Names of the output columns.
    pub fn output_columns(&self) -> &[String] {
        &self.columns
    }

    /// How many entries the lookups have together.
    pub fn lookup_entries(&self) -> usize {
        self.lookups.iter().map(Lookup::len).sum()
    }

    /// Bytes of memory that the lookups take: they are held whole, so this comes on top of what a batch needs for its chunks.
    pub fn lookup_memory(&self) -> usize {
        self.lookups.iter().map(Lookup::memory).sum()
    }

    pub(crate) fn output_header(&self) -> Vec<u8> {
        if self.spec.dialect.header { self.line(self.columns.iter()) } else { Vec::new() }
    }

    pub(crate) fn rejects_header(&self) -> Vec<u8> {
        let own = ["line", "column", "reason", "value"].map(str::to_owned);
        self.line(own.iter().chain(self.schema.fields.iter().map(|field| &field.name)))
    }

    fn line<'a>(&self, names: impl Iterator<Item = &'a String>) -> Vec<u8> {
        let mut line = Vec::new();
        for (index, name) in names.enumerate() {
            if index > 0 {
                line.push(self.reading.syntax.delimiter);
            }
            self.reading.syntax.write(name.as_bytes(), &mut line);
        }
        line.extend_from_slice(self.spec.dialect.newline());
        line
    }

    /// What is wrong with a file's first record, naming the columns.
    pub(crate) fn check_header(&self, found: &[String]) -> Result<(), String> {
        let expected: Vec<_> = self.schema.fields.iter().map(|field| field.name.as_str()).collect();
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        if expected == found {
            return Ok(());
        }
        let missing: Vec<_> = expected.iter().copied().filter(|name| !found.contains(name)).collect();
        let unknown: Vec<_> = found.iter().copied().filter(|name| !expected.contains(name)).collect();
        let mut faults = Vec::new();
        if !missing.is_empty() {
            faults.push(format!("missing {}", quote::list(missing)));
        }
        if !unknown.is_empty() {
            faults.push(format!("unknown {}", quote::list(unknown)));
        }
        if faults.is_empty() {
            let pairs = expected.iter().zip(&found).enumerate();
            let misplaced = pairs
                .filter(|(_, (e, f))| e != f)
                .map(|(i, (e, f))| format!("column {} is {} and not {}", i + 1, quote::quoted(f), quote::quoted(e)));
            let misplaced = quote::joined(misplaced, "; ");
            faults.extend((!misplaced.is_empty()).then_some(misplaced));
            if expected.len() != found.len() {
                faults.push(format!("{} columns and not {}", found.len(), expected.len()));
            }
        }
        if let ([only], 2..) = (&found[..], expected.len())
            && let Some(other) = only.chars().find(|c| matches!(c, ',' | ';' | '\t' | '|'))
        {
            let own = self.spec.dialect.delimiter;
            faults.push(format!("the delimiter of the job is {own:?}, and the file looks as if it had {other:?}"));
        }
        if found.iter().any(|name| name.contains('\r')) {
            faults.push("lines that end in CR alone are not supported, only LF and CRLF".to_owned());
        }
        Err(faults.join("; "))
    }
}

/// What of a spec decides the result, as text.
fn describe(spec: &Spec) -> String {
    let Spec { dialect, lookups, output, tolerated_rejects_percent, max_record_bytes, .. } = spec;
    serde_json::json!([dialect, lookups, output, tolerated_rejects_percent, max_record_bytes]).to_string()
}

fn check_numbers(spec: &Spec, problems: &mut Vec<String>) {
    if !(0.0..=100.0).contains(&spec.tolerated_rejects_percent) {
        problems.push("tolerated_rejects_percent must be between 0 and 100".to_owned());
    }
    if spec.chunk_bytes == 0 {
        problems.push("chunk_bytes must be at least 1".to_owned());
    }
    if spec.max_rows_per_second == Some(0) {
        problems.push("max_rows_per_second must be at least 1".to_owned());
    }
    if spec.max_record_bytes < 16 {
        problems.push("max_record_bytes must be at least 16".to_owned());
    }
}

fn read_schema(path: &Path, open: &mut Opener<'_>, hash: &mut Sha256, problems: &mut Vec<String>) -> Option<Schema> {
    let mut text = String::new();
    let read = open(path).and_then(|mut file| file.read_to_string(&mut text));
    if let Err(error) = read {
        problems.push(format!("schema {} cannot be read: {error}", path.display()));
        return None;
    }
    hash.update(&text);
    match Schema::parse(&text) {
        Ok(schema) => Some(schema),
        Err(error) => {
            problems.extend(error.problems.into_iter().map(|p| format!("{}: {p}", path.display())));
            None
        }
    }
}

struct Loader<'a> {
    schema: &'a Schema,
    syntax: Syntax,
    hash: Sha256,
    problems: Vec<String>,
}

impl Loader<'_> {
    fn lookup(&mut self, spec: &LookupSpec, open: &mut Opener<'_>) -> Option<Lookup> {
        let place = format!("lookup {}", spec.file.display());
        let before = self.problems.len();
        let field = self.schema.position(&spec.key);
        if field.is_none() {
            self.problems.push(format!("{place}: key \"{}\" is no field of the schema", spec.key));
        }
        if spec.columns.is_empty() {
            self.problems.push(format!("{place}: columns is empty; name at least one column to add"));
        }
        if !spec.dialect.header {
            self.problems.push(format!("{place}: a lookup file needs a first line with column names"));
        }
        let schema = spec.schema.as_ref().map(|path| read_schema(path, open, &mut self.hash, &mut self.problems));
        let syntax = spec.dialect.syntax(&place, &mut self.problems);
        let input = match open(&spec.file) {
            Ok(input) => input,
            Err(error) => {
                self.problems.push(format!("{place} cannot be read: {error}"));
                return None;
            }
        };
        if self.problems.len() > before {
            return None;
        }
        let reading = Reading { syntax, max_record: 16 << 20 };
        let schema = schema.flatten();
        let loading = Loading { spec, schema: schema.as_ref(), reading, output: self.syntax, field: field? };
        let mut input = Hashed { input, hash: &mut self.hash };
        Some(Lookup::load(&loading, &mut input, &mut self.problems))
    }
}

struct Hashed<'a> {
    input: Box<dyn Read>,
    hash: &'a mut Sha256,
}

impl Read for Hashed<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(to)?;
        self.hash.update(&to[..n]);
        Ok(n)
    }
}

/// Output columns, and the pieces that make up a row of them.
fn resolve(spec: &Spec, schema: &Schema, lookups: &[Lookup], problems: &mut Vec<String>) -> (Vec<String>, Vec<Piece>) {
    let mut all: Vec<(String, Piece)> = Vec::new();
    for (index, field) in schema.fields.iter().enumerate() {
        all.push((field.name.clone(), Piece::Cells { from: index, to: index }));
    }
    for (lookup, entry) in lookups.iter().enumerate() {
        for (index, name) in entry.columns.iter().enumerate() {
            if all.iter().any(|(other, _)| other == name) {
                problems.push(format!(
                    "the column \"{name}\" of a lookup has the name of another column; rename it with from and to"
                ));
            }
            all.push((name.clone(), Piece::Lookup { lookup, from: index, to: index }));
        }
    }
    if !spec.output.is_empty() {
        let wanted = spec.output.iter().filter_map(|name| {
            let found = all.iter().find(|(column, _)| column == name).cloned();
            if found.is_none() {
                problems.push(format!("output: \"{name}\" is neither a field nor a column of a lookup"));
            }
            found
        });
        all = wanted.collect();
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (_, piece) in &all {
        if !pieces.last_mut().is_some_and(|last| last.join(*piece)) {
            pieces.push(*piece);
        }
    }
    (all.into_iter().map(|(name, _)| name).collect(), pieces)
}

impl Piece {
    /// Grows this piece by the next one, where they are neighbours.
    fn join(&mut self, next: Self) -> bool {
        match (self, next) {
            (Self::Cells { to, .. }, Self::Cells { from, to: end }) if *to + 1 == from => *to = end,
            (Self::Lookup { lookup, to, .. }, Self::Lookup { lookup: other, from, to: end })
                if *lookup == other && *to + 1 == from =>
            {
                *to = end;
            }
            _ => return false,
        }
        true
    }
}
