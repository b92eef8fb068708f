//! Somebody outside who is sent something by HTTP.

use super::level;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// The header `Idempotency-Key`.
    pub key: String,
    pub body: String,
}

/// A gateway. To the first so many requests it says nothing, to all others this status.
#[derive(Clone)]
pub struct Receiver {
    pub at: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    pub fn silent_for(first: usize) -> Self {
        Self::open(first, 200)
    }

    pub fn that_says(status: u16) -> Self {
        Self::open(0, status)
    }

    fn open(first: usize, status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let receiver = Self { at: listener.local_addr().expect("an address"), got: Arc::default() };
        let got = Arc::clone(&receiver.got);
        // Ends with the process of the tests: nobody waits for it.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let got = Arc::clone(&got);
                thread::spawn(move || serve(stream, first, status, &got));
            }
        });
        receiver
    }

    /// What came so far, once it is so many.
    #[track_caller]
    pub fn until(&self, n: usize, deadline: Duration) -> Vec<Got> {
        level::until(&format!("{n} requests"), deadline, || {
            let got = self.got.lock().expect("nobody panicked").clone();
            (got.len() >= n).then_some(got)
        })
    }
}

fn serve(stream: TcpStream, first: usize, status: u16, got: &Mutex<Vec<Got>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value)) {
                Some((name, value)) if name == "idempotency-key" => key = value.to_owned(),
                Some((name, value)) if name == "content-length" => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let nth = {
            let mut got = got.lock().expect("nobody panicked");
            got.push(Got { key, body: String::from_utf8_lossy(&body).into_owned() });
            got.len()
        };
        if nth <= first {
            // Until whoever asked has gone.
            let _ = stream.read(&mut [0]);
            return;
        }
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
        if stream.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
