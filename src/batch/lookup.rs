//! A lookup file in memory: one arena of bytes and a hash index, cells already written as the output needs them.
use super::quote;
use super::records::{Head, Reading, Records, Shape};
use super::schema::Schema;
use super::spec::{Added, LookupSpec};
use super::split::Syntax;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::io::Read;

/// The entries of one lookup.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The input field with the key.
    pub(crate) field: usize,
    /// Names of the columns it adds.
    pub(crate) columns: Vec<String>,
    /// A row without an entry is kept, with empty columns.
    pub(crate) optional: bool,
    /// Key and joined cells of every entry.
    arena: Vec<u8>,
    /// For every entry: where its key ends, then where each of its cells ends.
    ends: Vec<u32>,
    index: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    nothing: Vec<u8>,
}

/// What the index knows of an entry: enough to tell most keys apart without a look into the arena.
#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u32,
    length: u32,
    /// The first eight bytes of the key, or all of it.
    head: u64,
}

impl Entry {
    fn head(key: &[u8]) -> u64 {
        match key.first_chunk() {
            Some(head) => u64::from_le_bytes(*head),
            None => key.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
        }
    }
}

/// At most this many mistakes of one lookup file are listed.
const SHOWN: usize = 10;

/// What a lookup is loaded with.
pub(crate) struct Loading<'a> {
    pub(crate) spec: &'a LookupSpec,
    pub(crate) schema: Option<&'a Schema>,
    /// How the lookup file is written.
    pub(crate) reading: Reading,
    /// How the output is written.
    pub(crate) output: Syntax,
    pub(crate) field: usize,
}

impl Lookup {
    /// Reads a lookup file; `problems` gets what is wrong with it, each with its line.
    pub(crate) fn load(loading: &Loading<'_>, input: impl Read, problems: &mut Vec<String>) -> Self {
        let columns: Vec<_> = loading.spec.columns.iter().map(|added| added.to().to_owned()).collect();
        let nothing = vec![loading.output.delimiter; columns.len().saturating_sub(1)];
        let mut lookup = Self {
            field: loading.field,
            columns,
            optional: loading.spec.optional,
            arena: Vec::new(),
            ends: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            nothing,
        };
        if let Err(problem) = Loader::new(loading, input).run(&mut lookup, problems) {
            problems.push(format!("lookup {}: {problem}", loading.spec.file.display()));
        }
        lookup.arena.shrink_to_fit();
        lookup.ends.shrink_to_fit();
        lookup
    }

    /// The entry of a key.
    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        let head = Entry::head(key);
        let same = |entry: &Entry| {
            entry.head == head
                && entry.length as usize == key.len()
                && (key.len() <= size_of::<u64>() || self.key(entry.id) == key)
        };
        self.index.find(self.hasher.hash_one(key), same).map(|entry| entry.id)
    }

    /// Cells `from` to `to` (inclusive) of an entry, joined by delimiters; empty cells for no entry.
    pub(crate) fn cells(&self, entry: Option<u32>, from: usize, to: usize) -> &[u8] {
        let Some(id) = entry else { return &self.nothing[from..to] };
        let at = id as usize * self.stride();
        let start = self.ends[at + from] as usize + usize::from(from > 0);
        &self.arena[start..self.ends[at + to + 1] as usize]
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        self.arena.capacity() + self.ends.capacity() * size_of::<u32>() + self.index.allocation_size()
    }

    fn stride(&self) -> usize {
        self.columns.len() + 1
    }

    fn key(&self, id: u32) -> &[u8] {
        let at = id as usize * self.stride();
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.arena[start..self.ends[at] as usize]
    }

    fn insert(&mut self, key: &[u8]) -> Result<bool, String> {
        if self.find(key).is_some() {
            return Ok(false);
        }
        let id = u32::try_from(self.index.len()).map_err(|_| "has too many entries".to_owned())?;
        self.arena.extend_from_slice(key);
        self.mark()?;
        let hash = self.hasher.hash_one(key);
        let Self { index, hasher, arena, ends, columns, .. } = self;
        let stride = columns.len() + 1;
        let key_of = |id: u32| {
            let at = id as usize * stride;
            let start = if at == 0 { 0 } else { ends[at - 1] as usize };
            &arena[start..ends[at] as usize]
        };
        let length = u32::try_from(key.len()).map_err(|_| "has a key that is too long".to_owned())?;
        let entry = Entry { id, length, head: Entry::head(key) };
        index.insert_unique(hash, entry, |entry| hasher.hash_one(key_of(entry.id)));
        Ok(true)
    }

    fn mark(&mut self) -> Result<(), String> {
        let end = u32::try_from(self.arena.len()).map_err(|_| "is larger than 4 GiB".to_owned())?;
        self.ends.push(end);
        Ok(())
    }
}

struct Loader<'a, R> {
    loading: &'a Loading<'a>,
    records: Records<R>,
    scratch: Vec<u8>,
    header: Vec<String>,
}

impl<'a, R: Read> Loader<'a, R> {
    fn new(loading: &'a Loading<'a>, input: R) -> Self {
        let records = Records::new(input, loading.reading, 0, 1);
        Self { loading, records, scratch: Vec::new(), header: Vec::new() }
    }

    fn run(&mut self, lookup: &mut Lookup, problems: &mut Vec<String>) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("cannot be read: {e}");
        self.records.skip_prefix(super::BOM).map_err(failed)?;
        let head = self.records.advance().map_err(failed)?.ok_or("is empty")?;
        self.read_header(&head)?;
        let spec = self.loading.spec;
        let key = self.column(spec.file_key.as_deref().unwrap_or(&spec.key))?;
        let added: Vec<_> =
            spec.columns.iter().map(Added::from).map(|name| self.column(name)).collect::<Result<_, _>>()?;
        let checks = self.checks()?;
        let mut wrong = 0;
        while let Some(head) = self.records.advance().map_err(failed)? {
            let outcome = self.row(&head, &checks).and_then(|()| self.store(&head, key, &added, lookup));
            if let Err(problem) = outcome {
                wrong += 1;
                if wrong <= SHOWN {
                    problems.push(format!("lookup {}, line {}: {problem}", spec.file.display(), head.line));
                }
            }
        }
        if wrong > SHOWN { Err(format!("has {} more lines that are wrong", wrong - SHOWN)) } else { Ok(()) }
    }

    fn read_header(&mut self, head: &Head) -> Result<(), String> {
        if matches!(head.shape, Shape::Torn { .. }) {
            return Err("has no readable first line".to_owned());
        }
        let Self { loading, records, scratch, header } = self;
        let body = records.body(head);
        for cell in records.cells() {
            let name = loading.reading.syntax.value(body, *cell, scratch);
            header.push(String::from_utf8(name.to_vec()).map_err(|_| "has a first line that is not UTF-8")?);
        }
        Ok(())
    }

    fn column(&self, name: &str) -> Result<usize, String> {
        let position = self.header.iter().position(|column| column == name);
        position.ok_or_else(|| format!("has no column {} (it has {})", quote::quoted(name), quote::bare(&self.header)))
    }

    fn checks(&self) -> Result<Vec<(usize, usize)>, String> {
        let fields = self.loading.schema.map_or(&[][..], |schema| &schema.fields);
        fields.iter().enumerate().map(|(index, field)| Ok((self.column(&field.name)?, index))).collect()
    }

    /// Cuts a line and checks it against the lookup's own schema.
    fn row(&mut self, head: &Head, checks: &[(usize, usize)]) -> Result<(), String> {
        if matches!(head.shape, Shape::Torn { .. }) {
            return Err("has no end (a quote is not closed, or it is too long)".to_owned());
        }
        let Self { loading, records, scratch, header } = self;
        let (body, cells) = (records.body(head), records.cells());
        std::str::from_utf8(body).map_err(|_| "is not UTF-8")?;
        if cells.len() != header.len() {
            return Err(format!("has {} columns instead of {}", cells.len(), header.len()));
        }
        let Some(schema) = loading.schema else { return Ok(()) };
        for &(column, index) in checks {
            let value = loading.reading.syntax.value(body, cells[column], scratch);
            let text = std::str::from_utf8(value).map_err(|_| "is not UTF-8")?;
            if let Err(reason) = schema.check(index, text) {
                let (column, text) = (quote::quoted(&header[column]), quote::quoted(text));
                return Err(format!("column {column} {text} is {}", reason.explain()));
            }
        }
        Ok(())
    }

    fn store(&mut self, head: &Head, key: usize, added: &[usize], lookup: &mut Lookup) -> Result<(), String> {
        let Self { loading, records, scratch, .. } = self;
        let (body, syntax, output) = (records.body(head), loading.reading.syntax, loading.output);
        let cells = records.cells();
        let key = syntax.value(body, cells[key], scratch);
        if key.is_empty() {
            return Err("has no key".to_owned());
        }
        if !lookup.insert(key)? {
            return Err(format!("the key {} was there before", quote::quoted(&String::from_utf8_lossy(key))));
        }
        for (index, &column) in added.iter().enumerate() {
            if index > 0 {
                lookup.arena.push(output.delimiter);
            }
            let value = syntax.value(body, cells[column], scratch);
            if output.quote.is_none() && value.iter().any(|b| *b == output.delimiter || *b == b'\n') {
                return Err(format!(
                    "{} needs a quote and the job's dialect has none",
                    quote::quoted(&String::from_utf8_lossy(value))
                ));
            }
            output.write(value, &mut lookup.arena);
            lookup.mark()?;
        }
        Ok(())
    }
}
