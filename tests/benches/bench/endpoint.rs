//! Endpoints of models, on loopback and with no pace of their own: what is timed beside them is the daemon.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use codementor_test_model::{Request, Script, correction};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
/// The first paragraph of a hint, and what follows it.
const HINT: [&str; 2] = ["You read both numbers as you should.\n\n", "Look at what you print."];

#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Answers with a head, and then never again.
    Stalls,
    /// Gives a correction, and a hint in two paragraphs, as fast as it can.
    Speaks,
}

/// An endpoint. It lives as long as the runtime that it was started on.
pub(crate) struct Endpoint {
    address: SocketAddr,
    /// When the last hint began to be written.
    began: Arc<Mutex<Option<Instant>>>,
}

impl Endpoint {
    pub(crate) fn that_stalls(runtime: &tokio::runtime::Runtime) -> Self {
        Self::start(runtime, Manner::Stalls)
    }

    pub(crate) fn that_speaks(runtime: &tokio::runtime::Runtime) -> Self {
        Self::start(runtime, Manner::Speaks)
    }

    fn start(runtime: &tokio::runtime::Runtime, manner: Manner) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let began = Arc::new(Mutex::new(None));
        let write_down = began.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manner, write_down.clone()));
            }
        });
        Self { address, began }
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// When the last hint began to be written.
    pub(crate) fn began(&self) -> Instant {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).expect("was asked")
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, began: Arc<Mutex<Option<Instant>>>) {
    stream.set_nodelay(true).expect("is set");
    // A client that leaves in the middle is none to answer.
    let Some(request) = read(&mut stream).await else { return };
    let written = match manner {
        Manner::Stalls => {
            let written = stream.write_all(HEAD).await;
            // Until the client leaves: nothing else comes from it.
            let _ = stream.read_to_end(&mut Vec::new()).await;
            written
        }
        Manner::Speaks => {
            let answer = correction(&request, "print(1)\n", &HINT.concat());
            let at = answer.find(HINT[0]).expect("holds the hint");
            let (before, rest) = answer.split_at(at);
            let (paragraph, rest) = rest.split_at(HINT[0].len());
            let parts = [
                [HEAD, &Script::sse().role().delta(before).bytes()].concat(),
                Script::sse().delta(paragraph).bytes(),
                Script::sse().delta(rest).finish("stop").usage(100, 20).done().bytes(),
            ];
            speak(&mut stream, &parts, &began).await
        }
    };
    // A client that has left wants no more.
    drop(written);
}

/// Writes what comes before the hint, its first paragraph, and the rest.
async fn speak(
    stream: &mut TcpStream,
    parts: &[Vec<u8>; 3],
    began: &Mutex<Option<Instant>>,
) -> std::io::Result<()> {
    stream.write_all(&parts[0]).await?;
    *began.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    stream.write_all(&parts[1]).await?;
    stream.write_all(&parts[2]).await
}

/// Reads a request as a whole.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
            let body = end + 4..end + 4 + length.trim().parse::<usize>().ok()?;
            if bytes.len() >= body.end {
                let body = bytes[body].to_vec();
                let (method, path) = ("POST".into(), "/v1/chat/completions".into());
                return Some(Request { number: 0, method, path, headers: Vec::new(), body });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
