//! The disk at work while rows are: a thread that syncs what has been written of the result, so that little is left to wait for at
//! the end.
use super::error::BatchError;
use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Asks for a sync now and then.
pub(crate) struct Syncer {
    to: SyncSender<Wish>,
}

struct Wish {
    file: File,
    /// Where it is told how all syncs so far went: an error is told only once by the system, so none may be lost.
    reply: Option<SyncSender<io::Result<()>>>,
}

impl Syncer {
    /// Starts the thread; it ends with the syncer.
    pub(crate) fn start() -> Self {
        let (to, from) = sync_channel(1);
        std::thread::spawn(move || serve(&from));
        Self { to }
    }

    /// Has a file synced, unless enough is waiting already.
    pub(crate) fn ask(&self, file: &File) -> Result<(), BatchError> {
        let file = file.try_clone().map_err(failed())?;
        // A full queue is as good; that the thread is gone is told to whoever waits.
        let _ = self.to.try_send(Wish { file, reply: None });
        Ok(())
    }

    /// Syncs a file and waits for it; fails also where an earlier sync did.
    pub(crate) fn wait(&self, file: &File) -> Result<(), BatchError> {
        let file = file.try_clone().map_err(failed())?;
        let (reply, answer) = sync_channel(1);
        let gone = || failed()(io::Error::other("the thread for it has ended"));
        self.to.send(Wish { file, reply: Some(reply) }).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?.map_err(failed())
    }
}

fn failed() -> impl FnOnce(io::Error) -> BatchError {
    BatchError::stream("sync the result")
}

fn serve(from: &Receiver<Wish>) {
    let mut outcome = Ok(());
    for wish in from {
        let synced = if wish.reply.is_some() { wish.file.sync_all() } else { wish.file.sync_data() };
        outcome = outcome.and(synced);
        if let Some(reply) = wish.reply {
            // Nobody waits any more: then nobody needs it.
            let _ = reply.send(std::mem::replace(&mut outcome, Ok(())));
        }
    }
}
