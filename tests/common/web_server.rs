//! A web server on this machine that misbehaves on demand.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// No server outlives this, nor waits longer for a client.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a client is to take for a stall; a stalling server is silent for longer.
pub const STALL: Duration = Duration::from_millis(500);

/// What a server does with one connection, after the request.
pub enum Reply {
    /// Answers well, with a length.
    Body(Vec<u8>),
    /// Answers well; the body ends where the connection does.
    Unmeasured(Vec<u8>),
    /// Answers in chunks and hangs up before the last.
    Chunk(Vec<u8>),
    /// Announces so many bytes, sends these and hangs up.
    Promise(u64, Vec<u8>),
    /// Announces one byte more than it sends, then says nothing for a while before it hangs up.
    Stall(Vec<u8>),
    /// Answers well, but so slowly that it takes for ever: a byte every few milliseconds, until the client hangs up.
    Trickle(Vec<u8>),
    /// Answers with this status.
    Status(u16),
    /// Answers by another address.
    Redirect(String),
    /// Hangs up.
    Close,
}

/// Serves as many connections as it was given replies, one after the other.
pub struct Server {
    pub url: String,
    requests: JoinHandle<Vec<String>>,
}

impl Server {
    pub fn start(replies: Vec<Reply>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/set/", listener.local_addr().unwrap());
        let requests = thread::spawn(move || replies.into_iter().map_while(|reply| serve(&listener, reply)).collect());
        Server { url, requests }
    }

    /// The paths that were asked for.
    pub fn finish(self) -> Vec<String> {
        self.requests.join().unwrap()
    }
}

/// Waits for a connection, replies, and returns the path asked for.
fn serve(listener: &TcpListener, reply: Reply) -> Option<String> {
    let start = Instant::now();
    let mut stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock && start.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(_) => return None,
        }
    };
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).ok()? == 1 {
        request.push(byte[0]);
    }
    // The client may well hang up on a bad reply, so failing to send it is no failure.
    respond(&mut stream, reply).ok();
    String::from_utf8(request).ok()?.split(' ').nth(1).map(str::to_owned)
}

fn respond(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let head = |lines: &str| format!("HTTP/1.1 {lines}\r\nConnection: close\r\n\r\n").into_bytes();
    let measured = |length: u64| head(&format!("200 OK\r\nContent-Length: {length}"));
    match reply {
        Reply::Body(body) => stream.write_all(&[measured(body.len() as u64), body].concat()),
        Reply::Unmeasured(body) => stream.write_all(&[head("200 OK"), body].concat()),
        Reply::Chunk(body) => {
            let head = head("200 OK\r\nTransfer-Encoding: chunked");
            let size = format!("{:x}\r\n", body.len()).into_bytes();
            stream.write_all(&[head, size, body, b"\r\n".to_vec()].concat())
        }
        Reply::Promise(length, body) => stream.write_all(&[measured(length), body].concat()),
        Reply::Stall(body) => {
            stream.write_all(&[measured(body.len() as u64 + 1), body].concat())?;
            thread::sleep(3 * STALL);
            Ok(())
        }
        Reply::Trickle(body) => {
            stream.write_all(&measured(body.len() as u64))?;
            stream.set_nodelay(true)?;
            let begin = Instant::now();
            body.iter().take_while(|_| begin.elapsed() < PATIENCE).try_for_each(|&byte| {
                thread::sleep(Duration::from_millis(5));
                stream.write_all(&[byte])
            })
        }
        Reply::Status(code) => stream.write_all(&head(&format!("{code} No\r\nContent-Length: 0"))),
        Reply::Redirect(url) => stream.write_all(&head(&format!("302 Found\r\nLocation: {url}\r\nContent-Length: 0"))),
        Reply::Close => Ok(()),
    }
}
