//! A proxy for a browser's pages: what leaves a page goes through here, and no further than the policy of its session's run lets it.
//!
//! Sources: RFC 9110, 9.3.6 (CONNECT); RFC 9112, 3.2.2 (requests to a proxy) and 6.3 (how long a message is); RFC 7617 (passwords).
//!
//! A page's https is a tunnel: host and port are all that is known of it. Of its http each request is looked at, and has a connection of its own.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine as _;
use perennial_engine::OpError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::NetState;
use super::dial::Network;
use super::policy::NetPolicy;
#[cfg(feature = "commands")]
use crate::commands::SessionProcs;

/// The head of a request.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 200;
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Connections of one pass at a time.
const MAX_CONNECTIONS: usize = 256;
/// Connections of all that have not said whose they are.
const MAX_STRANGERS: usize = 256;
/// Refusals that are remembered for whoever asks why.
const MAX_REFUSALS: usize = 32;
/// A name that leads nowhere: who asks for it wants to be asked for a password.
const NOWHERE: &str = "perennial.invalid";

/// What the pages of a session may reach, as its last run has it.
#[derive(Clone, Debug)]
pub struct Reach {
    /// How.
    pub network: Arc<Network>,
    /// What.
    pub policy: NetPolicy,
    /// Where it is counted.
    pub state: Arc<NetState>,
    /// Whose ports are reached, too.
    #[cfg(feature = "commands")]
    pub commands: Option<Arc<SessionProcs>>,
}

impl Reach {
    /// The policy with what the session serves by itself now.
    fn policy(&self) -> NetPolicy {
        #[cfg(feature = "commands")]
        let ports = self.commands.as_ref().map(|commands| commands.ports(None)).unwrap_or_default();
        #[cfg(not(feature = "commands"))]
        let ports: Vec<u16> = Vec::new();
        self.policy.clone().with_own_ports(&ports)
    }

    /// The same where the host is called localhost and the session serves there.
    fn own(&self, policy: &NetPolicy, mut url: Url) -> Url {
        if url.host_str() == Some("localhost")
            && url.port_or_known_default().is_some_and(|port| policy.is_own_port(port))
        {
            let _ = url.set_host(Some("127.0.0.1"));
        }
        url
    }
}

/// Listens on loopback until it is dropped. Whoever connects needs a [`Pass`].
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    passes: Arc<Mutex<HashMap<String, Weak<Pass>>>>,
    over: CancellationToken,
}

/// The right to go through, as far as a session may.
#[derive(Debug)]
pub struct Pass {
    /// Says whose it is: a user's name.
    pub user: String,
    /// Nobody can guess it.
    pub password: String,
    passes: Weak<Mutex<HashMap<String, Weak<Pass>>>>,
    state: Mutex<PassState>,
}

#[derive(Debug, Default)]
struct PassState {
    reach: Option<Reach>,
    /// Ends what goes through under a policy that is not in force any more.
    cut: CancellationToken,
    connections: usize,
    refusals: VecDeque<(String, Refusal)>,
}

/// Why something was not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// It is not permitted; otherwise there was nobody, or a limit was reached.
    pub is_denied: bool,
    /// A clause.
    pub why: String,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Begins to listen.
    ///
    /// # Cancellation
    /// Dropping the future listens to nothing.
    ///
    /// # Errors
    /// If the system has no port for it.
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, passes, over) =
            (listener.local_addr()?, Arc::<Mutex<HashMap<_, _>>>::default(), CancellationToken::new());
        let (known, ended) = (passes.clone(), over.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = serve(listener, known, ended.clone()) => {}
                () = ended.cancelled() => {}
            }
        });
        Ok(Self { address, passes, over })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An address that leads nowhere, and for which the proxy wants a password.
    pub fn nowhere() -> String {
        format!("http://{NOWHERE}/")
    }

    /// A pass that lets nothing through yet.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn pass(&self) -> io::Result<Arc<Pass>> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let text = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let (user, password) = (text(&random[..8]), text(&random[8..]));
        let pass = Arc::new(Pass { user, password, passes: Arc::downgrade(&self.passes), state: Mutex::default() });
        lock(&self.passes).insert(pass.user.clone(), Arc::downgrade(&pass));
        Ok(pass)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl Pass {
    /// Lets through what may be reached from now on. What goes through under another policy is cut.
    pub fn set(&self, reach: Option<Reach>) {
        let id = |reach: &Option<Reach>| reach.as_ref().map(|reach| reach.policy.id());
        let mut state = lock(&self.state);
        if id(&state.reach) != id(&reach) {
            std::mem::take(&mut state.cut).cancel();
            state.refusals.clear();
        }
        state.reach = reach;
    }

    /// Why something at this origin was not reached, if that is known.
    pub fn refusal(&self, origin: &str) -> Option<Refusal> {
        let state = lock(&self.state);
        state.refusals.iter().rev().find(|(of, _)| of == origin).map(|(_, why)| why.clone())
    }

    fn refuse(&self, url: &Url, refusal: Refusal) {
        let mut state = lock(&self.state);
        if state.refusals.len() == MAX_REFUSALS {
            state.refusals.pop_front();
        }
        state.refusals.push_back((super::dial::origin(url), refusal));
    }

    fn enter(self: &Arc<Self>) -> Option<(Option<Reach>, CancellationToken, Entered)> {
        let mut state = lock(&self.state);
        if state.connections >= MAX_CONNECTIONS {
            return None;
        }
        state.connections += 1;
        Some((state.reach.clone(), state.cut.clone(), Entered(self.clone())))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.state).cut.cancel();
        if let Some(passes) = self.passes.upgrade() {
            lock(&passes).remove(&self.user);
        }
    }
}

/// A connection of a pass.
struct Entered(Arc<Pass>);

impl Drop for Entered {
    fn drop(&mut self) {
        lock(&self.0.state).connections -= 1;
    }
}

async fn serve(listener: TcpListener, passes: Arc<Mutex<HashMap<String, Weak<Pass>>>>, over: CancellationToken) {
    let strangers = Arc::new(tokio::sync::Semaphore::new(MAX_STRANGERS));
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Without descriptors there is nobody to answer.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(stranger) = strangers.clone().try_acquire_owned() else { continue };
        let (passes, over) = (passes.clone(), over.clone());
        tokio::spawn(async move {
            let _ = client.set_nodelay(true);
            tokio::select! {
                ended = one(client, &passes, stranger) => {
                    if let Err(error) = ended {
                        tracing::debug!(target: "perennial::net", %error, "a connection of a browser ended");
                    }
                }
                () = over.cancelled() => {}
            }
        });
    }
}

/// The head of a request, and what came behind it.
struct Head {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    rest: Vec<u8>,
}

impl Head {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// Reads the head of the next request; `None` if there is none.
async fn head(client: &mut TcpStream, mut bytes: Vec<u8>) -> io::Result<Option<Head>> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&bytes).map_err(|error| wrong(&error.to_string()))? {
            httparse::Status::Complete(length) => {
                let (method, target) =
                    (request.method.unwrap_or_default().to_owned(), request.path.unwrap_or_default().to_owned());
                let headers =
                    request.headers.iter().map(|header| (header.name.to_owned(), header.value.to_owned())).collect();
                bytes.drain(..length);
                return Ok(Some(Head { method, target, headers, rest: bytes }));
            }
            httparse::Status::Partial if bytes.len() >= MAX_HEAD => {
                return Err(wrong("the head of a request is too long"));
            }
            httparse::Status::Partial => {}
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
}

/// Whose request it is.
fn whose(head: &Head, passes: &Mutex<HashMap<String, Weak<Pass>>>) -> Option<Arc<Pass>> {
    let given = std::str::from_utf8(head.header("proxy-authorization")?).ok()?;
    let (scheme, given) = given.split_once(' ')?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(given.trim()).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let pass = lock(passes).get(user).and_then(Weak::upgrade)?;
    // All of it is compared, whatever differs.
    let differs = pass.password.bytes().zip(password.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
    (scheme.eq_ignore_ascii_case("basic") && pass.password.len() == password.len() && differs == 0).then_some(pass)
}

async fn one(
    mut client: TcpStream,
    passes: &Mutex<HashMap<String, Weak<Pass>>>,
    stranger: tokio::sync::OwnedSemaphorePermit,
) -> io::Result<()> {
    let mut rest = Vec::new();
    let (head, pass) = loop {
        let read = tokio::time::timeout(HEAD_TIME, head(&mut client, rest)).await;
        let Some(head) = read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? else { return Ok(()) };
        match whose(&head, passes) {
            Some(pass) => break (head, pass),
            // Asked for it, a browser says the same again on the same connection. What it has sent behind the head is not waited for.
            None if head.rest.is_empty() && head.header("content-length").is_none() && head.header("transfer-encoding").is_none() => {
                let ask = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"perennial\"\r\nContent-Length: 0\r\n\r\n";
                client.write_all(ask).await?;
                rest = Vec::new();
            }
            None => return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"perennial\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await,
        }
    };
    drop(stranger);
    let Some((reach, cut, _entered)) = pass.enter() else {
        return client
            .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    };
    tokio::select! {
        ended = go(client, head, &pass, reach) => ended,
        () = cut.cancelled() => Ok(()),
    }
}

async fn go(mut client: TcpStream, head: Head, pass: &Pass, reach: Option<Reach>) -> io::Result<()> {
    if head.method != "CONNECT" && Url::parse(&head.target).is_ok_and(|url| url.host_str() == Some(NOWHERE)) {
        return client.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
    }
    let answer = if head.method == "CONNECT" {
        tunnel(&mut client, &head, pass, reach).await
    } else {
        forward(&mut client, &head, pass, reach).await
    };
    // What is refused is no page of the site's: the connection ends, and whoever went there is told why.
    match answer {
        Ok(()) => Ok(()),
        Err(Refused::Io(error)) => Err(error),
        Err(Refused::Policy(url, refusal)) => {
            let why = &*refusal.why;
            tracing::info!(target: "perennial::net", origin = super::dial::origin(&url), why, "refused a page's request");
            pass.refuse(&url, refusal);
            if head.method == "CONNECT" {
                client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await?;
            }
            Ok(())
        }
    }
}

enum Refused {
    Io(io::Error),
    Policy(Url, Refusal),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn denied(url: Url, why: String) -> Refused {
    Refused::Policy(url, Refusal { is_denied: true, why })
}

fn none(url: Url) -> Refused {
    let what = super::dial::origin(&url);
    denied(url, format!("{what} is not permitted; a rule for the network would grant it"))
}

fn said(url: &Url) -> impl Fn(OpError) -> Refused {
    let url = url.clone();
    move |error| Refused::Policy(url.clone(), Refusal { is_denied: error.denied.is_some(), why: error.message })
}

async fn tunnel(client: &mut TcpStream, head: &Head, pass: &Pass, reach: Option<Reach>) -> Result<(), Refused> {
    let asked =
        Url::parse(&format!("https://{}/", head.target)).map_err(|error| io::Error::other(error.to_string()))?;
    let Some(reach) = reach else { return Err(none(asked)) };
    let policy = reach.policy();
    let own = reach.own(&policy, asked.clone());
    let authority = format!("{}:{}", own.host_str().unwrap_or_default(), own.port_or_known_default().unwrap_or(443));
    let (rule, url) = policy.tunnel(&authority).map_err(|remedy| {
        denied(asked.clone(), format!("{} is not permitted; {remedy} would grant it", head.target))
    })?;
    reach.state.charge_request(policy.limits()).map_err(said(&asked))?;
    let mut server = reach.network.open(&rule, &url).await.map_err(said(&asked))?;
    client.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await?;
    server.write_all(&head.rest).await?;
    let limits = *policy.limits();
    let ended = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let sent = copy(&mut from_client, &mut to_server, |bytes| reach.state.charge_sent(bytes, &limits));
        let received = copy(&mut from_server, &mut to_client, |bytes| reach.state.charge_received(bytes, &limits));
        tokio::try_join!(sent, received).map(drop)
    };
    note(pass, &asked, ended)
}

/// An end that a limit has made is said; others are the network's.
fn note(pass: &Pass, url: &Url, ended: Result<(), Ended>) -> Result<(), Refused> {
    match ended {
        Ok(()) => Ok(()),
        Err(Ended::Io(error)) => Err(error.into()),
        Err(Ended::Limit(error)) => {
            pass.refuse(url, Refusal { is_denied: false, why: error.message });
            Ok(())
        }
    }
}

enum Ended {
    Io(io::Error),
    Limit(OpError),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Copies until the end, which the other side is told.
async fn copy(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    charge: impl Fn(u64) -> Result<(), OpError>,
) -> Result<(), Ended> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            // Somebody who is gone needs not be told.
            let _ = to.shutdown().await;
            return Ok(());
        }
        charge(read as u64).map_err(Ended::Limit)?;
        to.write_all(&buffer[..read]).await?;
    }
}

/// One request by http, with its body, and the response.
async fn forward(client: &mut TcpStream, head: &Head, pass: &Pass, reach: Option<Reach>) -> Result<(), Refused> {
    let asked = Url::parse(&head.target).map_err(|error| io::Error::other(error.to_string()))?;
    let Some(reach) = reach else { return Err(none(asked)) };
    let policy = reach.policy();
    let own = reach.own(&policy, asked.clone());
    if own.scheme() != "http" {
        return Err(denied(asked, "only http and https go through a proxy".to_owned()));
    }
    let rule = policy.rule(&head.method, &own).map_err(|remedy| {
        let what = format!("{} {}", head.method, super::dial::origin(&asked));
        denied(asked.clone(), format!("{what} is not permitted; {remedy} would grant it"))
    })?;
    reach.state.charge_request(policy.limits()).map_err(said(&asked))?;
    let body = Length::of(head)?;
    let mut server = reach.network.open(&rule, &own).await.map_err(said(&asked))?;
    server.write_all(&rewritten(head, &asked)).await?;
    let limits = *policy.limits();
    let ended = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let sent = async {
            let mut given = (&*head.rest).chain(&mut from_client);
            body.copy(&mut given, &mut to_server, |bytes| reach.state.charge_sent(bytes, &limits)).await?;
            // Nothing more of it is sent: who says more has another request, which is looked at for itself.
            Ok::<(), Ended>(())
        };
        let received = copy(&mut from_server, &mut to_client, |bytes| reach.state.charge_received(bytes, &limits));
        let mut received = std::pin::pin!(received);
        tokio::select! {
            // A server may answer before it has all.
            ended = &mut received => ended,
            sent = sent => match sent {
                Ok(()) => received.as_mut().await,
                Err(ended) => Err(ended),
            },
        }
    };
    note(pass, &asked, ended)
}

/// The head as the server gets it: what is for the proxy is gone, and the connection is for this request alone.
fn rewritten(head: &Head, url: &Url) -> Vec<u8> {
    const OURS: [&str; 6] = ["connection", "keep-alive", "proxy-authorization", "proxy-connection", "upgrade", "host"];
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let mut bytes = format!("{} {target} HTTP/1.1\r\nHost: {host}\r\n", head.method).into_bytes();
    for (name, value) in
        head.headers.iter().filter(|(name, _)| !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)))
    {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"Connection: close\r\n\r\n");
    bytes
}

/// How long the body of a request is.
enum Length {
    Known(u64),
    Chunked,
}

impl Length {
    fn of(head: &Head) -> io::Result<Self> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a request says twice how long it is, or not at all");
        let all = |name: &str| {
            head.headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| &**value)
                .collect::<Vec<_>>()
        };
        match (&*all("transfer-encoding"), &*all("content-length")) {
            ([], []) => Ok(Self::Known(0)),
            ([], [length]) => {
                let digits =
                    std::str::from_utf8(length).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                digits.and_then(|digits| digits.parse().ok()).map(Self::Known).ok_or_else(wrong)
            }
            ([encoding], []) if encoding.eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            _ => Err(wrong()),
        }
    }

    async fn copy(
        &self,
        from: &mut (impl tokio::io::AsyncRead + Unpin),
        to: &mut (impl tokio::io::AsyncWrite + Unpin),
        charge: impl Fn(u64) -> Result<(), OpError>,
    ) -> Result<(), Ended> {
        match self {
            Self::Known(length) => some(from, to, *length, &charge).await,
            Self::Chunked => loop {
                let line = line(from).await?;
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
                let size = std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
                let size = size.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
                to.write_all(format!("{size:x}\r\n").as_bytes()).await?;
                some(from, to, size, &charge).await?;
                // Trailers are left out.
                if size == 0 {
                    while !self::line(from).await?.is_empty() {}
                    to.write_all(b"\r\n").await?;
                    return Ok(());
                }
                if !self::line(from).await?.is_empty() {
                    return Err(io::Error::from(io::ErrorKind::InvalidData).into());
                }
                to.write_all(b"\r\n").await?;
            },
        }
    }
}

/// So many bytes.
async fn some(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    mut left: u64,
    charge: &impl Fn(u64) -> Result<(), OpError>,
) -> Result<(), Ended> {
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = from.read(&mut buffer[..most]).await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        charge(read as u64).map_err(Ended::Limit)?;
        to.write_all(&buffer[..read]).await?;
        left -= read as u64;
    }
    Ok(())
}

/// A short line, without its end.
async fn line(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    const MOST: usize = 4096;
    let mut line = Vec::new();
    while line.len() < MOST {
        match from.read_u8().await? {
            b'\n' => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            byte => line.push(byte),
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
