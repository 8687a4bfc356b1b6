//! The channel on disk: one JSON line per message written or removed, so that a restart shows the same conversation.
//! Ephemeral messages and views are not in it; Slack forgets them too.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::message::Message;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Put(Box<Message>),
    Gone(String),
}

/// An open journal. A write that fails is logged once and ends the journal: the page goes on without it.
pub(super) struct Journal {
    file: Option<File>,
}

impl Journal {
    /// Reads the journal at `path`, if there is one, and writes it anew without what was overwritten.
    pub(super) fn open(path: &Path) -> io::Result<(Self, BTreeMap<String, Message>)> {
        let messages = read(path)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = path.with_extension("tmp");
        let mut file = File::create(&fresh)?;
        for message in messages.values() {
            write_line(&mut file, &Line::Put(Box::new(message.clone())))?;
        }
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        let file = OpenOptions::new().append(true).open(path)?;
        Ok((Self { file: Some(file) }, messages))
    }

    pub(super) fn put(&mut self, message: &Message) {
        self.write(&Line::Put(Box::new(message.clone())));
    }

    pub(super) fn gone(&mut self, ts: &str) {
        self.write(&Line::Gone(ts.to_owned()));
    }

    fn write(&mut self, line: &Line) {
        if let Some(file) = &mut self.file
            && let Err(error) = write_line(file, line)
        {
            tracing::warn!(%error, "the playground's journal cannot be written; messages will not survive a restart");
            self.file = None;
        }
    }
}

fn write_line(file: &mut File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

/// A line that cannot be read (a cut tail after a crash) is left out.
fn read(path: &Path) -> io::Result<BTreeMap<String, Message>> {
    let mut messages = BTreeMap::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(messages),
        file => file?,
    };
    for line in BufReader::new(file).split(b'\n') {
        match serde_json::from_slice(&line?) {
            Ok(Line::Put(message)) => _ = messages.insert(message.ts.clone(), *message),
            Ok(Line::Gone(ts)) => _ = messages.remove(&ts),
            Err(_) => {}
        }
    }
    Ok(messages)
}
