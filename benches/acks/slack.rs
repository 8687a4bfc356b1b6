//! As much of Slack as a `status` needs: it answers at once, and counts the answers that people would get.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The running server; it lives as long as the process.
pub(crate) struct Slack {
    pub(crate) address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
}

#[derive(Default)]
struct Answers {
    commands: HashSet<u64>,
    repeated: u64,
}

impl Slack {
    /// Starts it on a thread of its own.
    pub(crate) fn start() -> Self {
        let answers = Arc::<Mutex<Answers>>::default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&answers);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            });
        });
        Self { address, answers }
    }

    /// How many commands from `first` on were answered.
    pub(crate) fn answered(&self, first: u64) -> usize {
        self.answers.lock().unwrap().commands.iter().filter(|n| **n >= first).count()
    }

    /// How many answers came for a command that had one already.
    pub(crate) fn repeated(&self) -> u64 {
        self.answers.lock().unwrap().repeated
    }
}

async fn serve(mut stream: TcpStream, answers: Arc<Mutex<Answers>>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let Some((path, length)) = request(&buffer) else {
            match stream.read_buf(&mut buffer).await {
                Ok(read) if read > 0 => continue,
                _ => return,
            }
        };
        let body = answer(&path, &answers);
        buffer.drain(..length);
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The path of the first request in the buffer and its length, once all of it is there.
fn request(buffer: &[u8]) -> Option<(String, usize)> {
    let end = buffer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let length = head.split("\r\ncontent-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
    let whole = end + 4 + length.map_or(0, |l| l.trim().parse().unwrap());
    (buffer.len() >= whole).then(|| (head.split(' ').nth(1).unwrap_or_default().to_owned(), whole))
}

fn answer(path: &str, answers: &Mutex<Answers>) -> &'static str {
    if let Some(n) = path.strip_prefix("/answer/") {
        let mut answers = answers.lock().unwrap();
        if !answers.commands.insert(n.parse().unwrap()) {
            answers.repeated += 1;
        }
        return r#"{"ok":true}"#;
    }
    match path.split('?').next().unwrap_or_default() {
        "/api/auth.test" => {
            r#"{"ok":true,"url":"https://local.slack.com/","team":"Local","user":"switchman","team_id":"T0LOCAL","user_id":"U0BOT","bot_id":"B0BOT"}"#
        }
        "/api/users.info" => r#"{"ok":true,"user":{"id":"U0OPERATOR","team_id":"T0LOCAL","name":"operator"}}"#,
        _ => r#"{"ok":true}"#,
    }
}
