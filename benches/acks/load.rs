//! The load: connections that are kept open, each with one prepared request after the other, the next one once the last was answered.
//! One thread and no HTTP library, so that it takes as little of the machine as can be, and the same for every receiver.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections side by side.
pub(crate) const CONNECTIONS: usize = 32;

/// What one round came to. Every request of it was answered with 200.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Sends all requests, spread over the connections. Stops the benchmark at the first that is not answered with 200.
pub(crate) fn run(address: SocketAddr, requests: Vec<Vec<u8>>) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let count = requests.len();
        let mut shares: Vec<Vec<Vec<u8>>> = (0..CONNECTIONS).map(|_| Vec::new()).collect();
        for (n, request) in requests.into_iter().enumerate() {
            shares[n % CONNECTIONS].push(request);
        }
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            streams.push(stream);
        }
        let start = Instant::now();
        let mut connections = JoinSet::new();
        for (stream, share) in streams.into_iter().zip(shares) {
            connections.spawn(one_by_one(stream, share));
        }
        let mut times: Vec<Duration> = connections.join_all().await.into_iter().flatten().collect();
        let all = start.elapsed();
        assert_eq!(times.len(), count, "every request is answered once");
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        Figures { per_second: rate(count, all), p50: at(50), p99: at(99) }
    })
}

/// A GET on a connection of its own: the status, or nothing where nobody answers.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

/// So many in such a time, per second.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

async fn one_by_one(mut stream: TcpStream, requests: Vec<Vec<u8>>) -> Vec<Duration> {
    let mut times = Vec::with_capacity(requests.len());
    let mut buffer = vec![0; 8192];
    for request in requests {
        let start = Instant::now();
        stream.write_all(&request).await.unwrap();
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            filled += read;
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&buffer[..filled]));
            if is_whole(&buffer[..filled]) {
                break;
            }
        }
        times.push(start.elapsed());
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..filled]));
    }
    times
}

/// Whether an answer has come to its end.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding: chunked") {
        return answer.ends_with(b"0\r\n\r\n");
    }
    let length = head.split("\r\ncontent-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
    answer.len() - end - 4 >= length.map_or(0, |l| l.trim().parse().unwrap())
}
