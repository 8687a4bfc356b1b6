//! Chunks going into the result while others are still worked on: each byte is written once, in order.
//!
//! The result grows beside its name (`parts/result.output`, `parts/result.rejects`); a line in `parts/result.done` follows each chunk
//! that stands in it. A chunk whose turn has not come waits in memory; where too many wait, because an earlier one is
//! slow or has failed, it becomes a part of its own and is put in its place later.
use super::chunk::Written;
use super::control::{Control, Step};
use super::course::Course;
use super::durable::{self, CheckedReader};
use super::error::BatchError;
use super::held::Held;
use super::job::Job;
use super::parts::{Marker, Parts, Round};
use super::plan::Chunk;
use super::syncer::Syncer;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// The kinds of a result's files, and of a chunk's parts.
pub(crate) const KINDS: [&str; 2] = ["output", "rejects"];

/// A chunk that was processed and is not in the result yet.
pub(crate) struct Ready {
    pub(crate) marker: Marker,
    /// Output and rejects.
    pub(crate) parts: [Held; 2],
}

/// The result as far as it has come.
pub(crate) struct Placer {
    parts: Parts,
    course: Arc<Course>,
    /// Chunks that may wait in memory.
    room: usize,
    waiting: Mutex<BTreeMap<usize, Ready>>,
    files: Mutex<Files>,
    syncer: Syncer,
    /// Memory of chunks that were placed: fresh memory from the system costs more than filling it.
    spare: Mutex<Vec<Vec<u8>>>,
}

struct Files {
    result: [File; 2],
    journal: File,
    placed: Vec<Marker>,
    fresh: u64,
    /// A chunk was begun and did not get its line: nothing may follow it. The next process cuts it off.
    torn: bool,
}

/// A chunk's part is not what its marker says.
pub(crate) struct Damaged(pub(crate) usize);

/// So much is written before the disk is asked to take it.
const SYNCED: u64 = 8 << 20;

impl Placer {
    /// Opens what an earlier process has left of the `planned` chunks, as far as it is whole, or begins.
    pub(crate) fn open(
        job: &Job,
        parts: Parts,
        planned: &[Chunk],
        course: Arc<Course>,
        room: usize,
    ) -> Result<Self, BatchError> {
        parts.take_back()?;
        let paths = KINDS.map(|kind| parts.result(kind));
        let mut result = [open(&paths[0])?, open(&paths[1])?];
        let journal = parts.result("done");
        let mut whole = Vec::new();
        let headers = [job.output_header(), job.rejects_header()];
        let known = parts.placed(planned);
        let failed = BatchError::stream("read the unfinished result");
        let (placed, ends) = verify(&mut result, &headers, known).map_err(failed)?;
        for marker in &placed {
            whole.extend(line(marker)?);
        }
        // What is behind the last whole chunk was cut off by a kill, or damaged by a power cut.
        if fs::read(&journal).ok().is_none_or(|stored| stored != whole) {
            durable::replace(&journal, &whole)?;
        }
        let [output, rejects] = &mut result;
        for (file, (end, header)) in [output, rejects].into_iter().zip(ends.into_iter().zip(&headers)) {
            let mut cut = || -> io::Result<()> {
                file.set_len(end)?;
                file.seek(SeekFrom::Start(end))?;
                if end == 0 { file.write_all(header) } else { Ok(()) }
            };
            cut().map_err(BatchError::stream("write the result"))?;
        }
        let journal = OpenOptions::new().append(true).open(&journal).map_err(BatchError::io("open", &journal))?;
        let files = Mutex::new(Files { result, journal, placed, fresh: 0, torn: false });
        Ok(Self {
            parts,
            course,
            room,
            waiting: Mutex::default(),
            files,
            syncer: Syncer::start(),
            spare: Mutex::default(),
        })
    }

    /// The markers of the chunks that stand in the result.
    pub(crate) fn placed(&self) -> Vec<Marker> {
        self.files.lock().map_or_else(|_| Vec::new(), |files| files.placed.clone())
    }

    /// Where the output or the rejects of a chunk go until they are placed.
    pub(crate) fn hold(&self, chunk: usize, kind: &str, expected: usize) -> Held {
        let mut spare = self.spare();
        // The smallest that will do, so that the large ones are there for outputs.
        let fitting = (0..spare.len()).filter(|at| spare[*at].capacity() >= expected);
        let found = fitting.min_by_key(|at| spare[*at].capacity());
        let memory = found.map(|at| spare.swap_remove(at)).unwrap_or_default();
        Held::new(self.parts.path(chunk, Round::First, kind), memory, expected)
    }

    /// Takes a chunk; it and what has waited for it goes into the result.
    pub(crate) fn place(&self, ready: Ready, control: &Control) -> Result<(), BatchError> {
        let waiting = {
            let mut waiting = self.waiting();
            waiting.insert(ready.marker.chunk.index, ready);
            waiting.len()
        };
        let files = match self.files.try_lock() {
            Ok(files) => Some(files),
            Err(TryLockError::Poisoned(_)) => return Err(torn()),
            // Whoever is at it finds it, or the next one does.
            Err(TryLockError::WouldBlock) if waiting <= self.room => None,
            Err(TryLockError::WouldBlock) => Some(self.files.lock().map_err(|_| torn())?),
        };
        if let Some(mut files) = files {
            self.drain(&mut files, control)?;
        }
        self.make_room(control)
    }

    /// Places all that can be; what cannot, because a chunk before it failed, is kept as parts.
    pub(crate) fn settle(&self, control: &Control) -> Result<(), BatchError> {
        self.drain(&mut *self.files.lock().map_err(|_| torn())?, control)?;
        let left = std::mem::take(&mut *self.waiting());
        left.into_values().try_for_each(|ready| self.keep(ready, control))
    }

    /// Places the parts that are left; then the result is complete.
    pub(crate) fn finish(&self) -> Result<Result<Vec<Marker>, Damaged>, BatchError> {
        let mut files = self.files.lock().map_err(|_| torn())?;
        while let Some(chunk) = self.course.get(files.placed.len()) {
            let Some(marker) = self.parts.marker(&chunk, Round::First) else { return Ok(Err(Damaged(chunk.index))) };
            if !self.append_part(&mut files, &marker)? {
                return Ok(Err(Damaged(chunk.index)));
            }
        }
        for file in &files.result {
            self.syncer.wait(file)?;
        }
        Ok(Ok(files.placed.clone()))
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<usize, Ready>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain(&self, files: &mut Files, control: &Control) -> Result<(), BatchError> {
        while let Some(chunk) = self.course.get(files.placed.len()) {
            let ready = self.waiting().remove(&chunk.index);
            if let Some(ready) = ready {
                files.append(&ready)?;
                let marker = ready.marker;
                self.spare().extend(ready.parts.map(Held::into_memory));
                control.step(Step::PartWritten(chunk.index));
                files.note(&marker)?;
                files.sync(&self.syncer)?;
                control.chunk_done();
                control.step(Step::ChunkDone(chunk.index));
            } else {
                // A part that an earlier process or a lack of room has left; damaged, it is seen to at the end.
                let Some(marker) = self.parts.marker(&chunk, Round::First) else { return Ok(()) };
                if !self.append_part(files, &marker)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Where too many wait, the last one becomes a part of its own.
    fn make_room(&self, control: &Control) -> Result<(), BatchError> {
        loop {
            let last = {
                let mut waiting = self.waiting();
                if waiting.len() <= self.room {
                    return Ok(());
                }
                waiting.pop_last()
            };
            match last {
                Some((_, ready)) => self.keep(ready, control)?,
                None => return Ok(()),
            }
        }
    }

    fn keep(&self, ready: Ready, control: &Control) -> Result<(), BatchError> {
        let Ready { marker, parts } = ready;
        let index = marker.chunk.index;
        parts.into_iter().try_for_each(Held::keep)?;
        control.step(Step::PartWritten(index));
        self.parts.mark(index, Round::First, &marker)?;
        control.chunk_done();
        control.step(Step::ChunkDone(index));
        Ok(())
    }

    /// Puts a part in its place; false when it is not what its marker says.
    fn append_part(&self, files: &mut Files, marker: &Marker) -> Result<bool, BatchError> {
        let done = marker.done;
        let ends = files.ends()?;
        files.begin()?;
        for ((file, kind), written) in files.result.iter_mut().zip(KINDS).zip([done.output, done.rejects]) {
            let part = self.parts.open(marker.chunk.index, Round::First, kind)?;
            let mut part = CheckedReader::new(part);
            let bytes = io::copy(&mut part, file).map_err(BatchError::stream("write the result"))?;
            if (Written { bytes, crc: part.crc() }) != written {
                files.cut(ends)?;
                files.torn = false;
                return Ok(false);
            }
        }
        files.note(marker)?;
        Ok(true)
    }
}

impl Files {
    fn begin(&mut self) -> Result<(), BatchError> {
        if self.torn {
            return Err(torn());
        }
        self.torn = true;
        Ok(())
    }

    fn append(&mut self, ready: &Ready) -> Result<(), BatchError> {
        self.begin()?;
        for (file, held) in self.result.iter_mut().zip(&ready.parts) {
            self.fresh += held.write_to(file).map_err(BatchError::stream("write the result"))?;
        }
        Ok(())
    }

    fn note(&mut self, marker: &Marker) -> Result<(), BatchError> {
        let line = line(marker)?;
        self.journal.write_all(&line).map_err(BatchError::stream("write the list of finished chunks"))?;
        self.placed.push(*marker);
        self.torn = false;
        Ok(())
    }

    fn sync(&mut self, syncer: &Syncer) -> Result<(), BatchError> {
        if self.fresh < SYNCED {
            return Ok(());
        }
        self.fresh = 0;
        syncer.ask(&self.result[0])
    }

    fn ends(&mut self) -> Result<[u64; 2], BatchError> {
        let [output, rejects] = &mut self.result;
        let end = |file: &mut File| file.stream_position().map_err(BatchError::stream("write the result"));
        Ok([end(output)?, end(rejects)?])
    }

    fn cut(&mut self, ends: [u64; 2]) -> Result<(), BatchError> {
        for (file, end) in self.result.iter_mut().zip(ends) {
            file.set_len(end)
                .and_then(|()| file.seek(SeekFrom::Start(end)))
                .map_err(BatchError::stream("write the result"))?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, BatchError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    file.map_err(BatchError::io("open", path))
}

fn line(marker: &Marker) -> Result<Vec<u8>, BatchError> {
    let mut line = serde_json::to_vec(marker).map_err(|e| BatchError::State(e.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

/// Reads back how many of the chunks are whole in both files, and where the last of them ends.
fn verify(files: &mut [File; 2], headers: &[Vec<u8>; 2], known: Vec<Marker>) -> io::Result<(Vec<Marker>, [u64; 2])> {
    for (file, header) in files.iter_mut().zip(headers) {
        let mut found = Vec::new();
        file.take(header.len() as u64).read_to_end(&mut found)?;
        if found != *header {
            return Ok((Vec::new(), [0, 0]));
        }
    }
    let mut ends = [headers[0].len() as u64, headers[1].len() as u64];
    let mut whole = Vec::new();
    for marker in known {
        let mut next = ends;
        let written = [marker.done.output, marker.done.rejects];
        for ((file, end), written) in files.iter_mut().zip(&mut next).zip(written) {
            let mut part = CheckedReader::new(file.take(written.bytes));
            let bytes = io::copy(&mut part, &mut io::sink())?;
            if (Written { bytes, crc: part.crc() }) != written {
                return Ok((whole, ends));
            }
            *end += bytes;
        }
        ends = next;
        whole.push(marker);
    }
    Ok((whole, ends))
}

fn torn() -> BatchError {
    BatchError::stream("write the result")(io::Error::other("an earlier write of it has failed"))
}

#[cfg(test)]
mod tests {
    use super::super::chunk::Done;
    use super::super::control::Counted;
    use super::super::spec::Spec;
    use super::*;
    use tempfile::TempDir;

    struct Desk {
        dir: TempDir,
        job: Job,
        chunks: Vec<Chunk>,
    }

    impl Desk {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("schema.json"), r#"{"fields": [{"name": "a"}]}"#).unwrap();
            let job = Job::load(&Spec::new("schema.json"), dir.path()).unwrap();
            let chunk = |index| Chunk { index, start: index as u64, bytes: 1, first_line: 1, crc: 0 };
            Self { dir, job, chunks: (0..5).map(chunk).collect() }
        }

        fn parts(&self) -> Parts {
            Parts::create(self.dir.path()).unwrap()
        }

        fn placer(&self) -> Placer {
            let course = Arc::new(Course::whole(self.chunks.clone()));
            Placer::open(&self.job, self.parts(), &self.chunks, course, 1).unwrap()
        }

        fn place(&self, placer: &Placer, index: usize) {
            let (text, other) = (format!("row {index}\n"), format!("reject {index}\n"));
            let written = |text: &str| Written { bytes: text.len() as u64, crc: crc32fast::hash(text.as_bytes()) };
            let done = Done { counted: Counted::default(), output: written(&text), rejects: written(&other) };
            let marker = Marker { chunk: self.chunks[index], done, keys: None };
            let mut parts = KINDS.map(|kind| placer.hold(index, kind, 10));
            parts[0].write_all(text.as_bytes()).unwrap();
            parts[1].write_all(other.as_bytes()).unwrap();
            placer.place(Ready { marker, parts }, &Control::default()).unwrap();
        }

        fn output(&self) -> String {
            fs::read_to_string(self.parts().result("output")).unwrap()
        }
    }

    const WHOLE: &str = "a\nrow 0\nrow 1\nrow 2\nrow 3\nrow 4\n";

    #[test]
    fn what_comes_too_early_is_kept_and_put_in_its_place() {
        let desk = Desk::new();
        let placer = desk.placer();
        for index in [2, 4, 3] {
            desk.place(&placer, index);
        }
        let kept = |index| desk.parts().marker(&desk.chunks[index], Round::First).is_some();
        assert_eq!([2, 3, 4].map(kept), [false, true, true], "one may wait in memory");
        placer.settle(&Control::default()).unwrap();
        assert!(kept(2), "and is kept when nothing follows");
        drop(placer);
        let placer = desk.placer();
        for index in [1, 0] {
            desk.place(&placer, index);
        }
        assert_eq!(placer.finish().unwrap().map_err(|_| "damaged").unwrap().len(), 5);
        assert_eq!(desk.output(), WHOLE);
    }

    #[test]
    fn a_damaged_part_is_named_and_leaves_nothing_behind() {
        let desk = Desk::new();
        let placer = desk.placer();
        for index in [3, 4, 2] {
            desk.place(&placer, index);
        }
        fs::write(desk.parts().path(3, Round::First, "output"), "ROW 3\n").unwrap();
        for index in [0, 1] {
            desk.place(&placer, index);
        }
        placer.settle(&Control::default()).unwrap();
        assert!(matches!(placer.finish(), Ok(Err(Damaged(3)))));
        assert_eq!(desk.output(), "a\nrow 0\nrow 1\nrow 2\n");
        desk.parts().unmark(3);
        desk.place(&placer, 3);
        assert!(matches!(placer.finish(), Ok(Ok(_))));
        assert_eq!(desk.output(), WHOLE);
    }

    #[test]
    fn what_a_kill_has_cut_off_is_cut_away() {
        let desk = Desk::new();
        let placer = desk.placer();
        for index in [0, 1, 2] {
            desk.place(&placer, index);
        }
        drop(placer);
        let add = |kind: &str, text: &str| {
            let mut file = OpenOptions::new().append(true).open(desk.parts().result(kind)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        add("output", "row 3 of which only a p");
        add("done", "{\"chunk\":");
        let placer = desk.placer();
        assert_eq!(placer.placed().len(), 3);
        for index in [3, 4] {
            desk.place(&placer, index);
        }
        assert_eq!((placer.placed().len(), desk.output().as_str()), (5, WHOLE));
    }
}
