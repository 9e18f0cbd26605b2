//! Ports of loopback for commands, and whether somebody serves at them.

use std::collections::{BTreeMap, HashSet};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::declaration::Ready;
use super::logs::Logs;

/// How often a port is tried, and how long one try may take.
const AGAIN: Duration = Duration::from_millis(25);
const TRY: Duration = Duration::from_secs(5);

/// Ports that commands of this process have.
static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// Ports of one command, by name. They are others' again when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Ports(pub(super) BTreeMap<String, u16>);

impl Ports {
    /// Finds a free one for each name. Until the command listens, another program may take it: the system reserves none.
    pub(super) fn find(names: &[String]) -> std::io::Result<Self> {
        let mut found = Self::default();
        // Held until all are found, so that they differ.
        let mut held = Vec::new();
        while found.0.len() < names.len() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
            if taken.get_or_insert_default().insert(port) {
                found.0.insert(names[found.0.len()].clone(), port);
            }
        }
        Ok(found)
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        for port in self.0.values() {
            taken.get_or_insert_default().remove(port);
        }
    }
}

/// Waits until a command is ready, for ever perhaps. Lines count from a cursor on.
pub(super) async fn ready(ready: &Ready, ports: &Ports, logs: &Logs, cursor: u64) {
    if let Some(line) = &ready.line {
        return logs.wait_for(line, cursor).await;
    }
    let name = ready.port.as_ref().or(ready.http.as_ref());
    let port = name.and_then(|name| ports.0.get(name).copied()).unwrap_or_default();
    let path = ready.http.as_ref().map(|_| ready.path.as_deref().unwrap_or("/"));
    while !matches!(tokio::time::timeout(TRY, answers(port, path)).await, Ok(Ok(true))) {
        tokio::time::sleep(AGAIN).await;
    }
}

/// Whether somebody takes connections, and answers if a path is asked for.
async fn answers(port: u16, path: Option<&str>) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let Some(path) = path else { return Ok(true) };
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // "HTTP/1.1 200": <https://www.rfc-editor.org/rfc/rfc9112#section-4>
    let mut line = [0; 12];
    stream.read_exact(&mut line).await?;
    Ok(line.starts_with(b"HTTP/1.") && (b'1'..b'5').contains(&line[9]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_to_two_commands() {
        let names: Vec<String> = (0..50).map(|n| format!("p{n}")).collect();
        let (first, second) = (Ports::find(&names).expect("there are some"), Ports::find(&names).expect("and more"));
        let all: HashSet<u16> = first.0.values().chain(second.0.values()).copied().collect();
        assert_eq!(all.len(), 100);
    }
}
