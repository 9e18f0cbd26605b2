//! Connections. Every one goes to an address that was looked at just before, and is used under the policy alone under which it was made.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use perennial_engine::{Denied, OpError};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::address::AddressClass;
use super::policy::{NetPolicy, Rule};

/// Finding out, connecting and shaking hands, together.
const CONNECT: Duration = Duration::from_secs(15);
/// Names that are being found out at a time, in the whole process: each holds a thread.
const LOOKUPS: usize = 32;
/// Idle connections that are kept, to one place and in all, and how long.
const IDLE_EACH: usize = 4;
const IDLE_ALL: usize = 64;
const IDLE_TIME: Duration = Duration::from_secs(15);
/// A response's headers.
const HEADER_BYTES: usize = 64 << 10;
const HEADERS: usize = 200;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;
pub(super) type Sender = SendRequest<Body>;

/// Finds out addresses of names.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of a name.
    fn resolve(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The system's own way.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        static SLOTS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(LOOKUPS));
        Box::pin(async move {
            // The semaphore is never closed.
            let _slot = SLOTS.acquire().await.ok();
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// What a process has for its requests: a resolver, roots of trust, connections that wait for another request. Cheap to clone.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    resolver: Arc<dyn Resolver>,
    tls: Arc<rustls::ClientConfig>,
    idle: Mutex<HashMap<Place, Vec<(Sender, Instant)>>>,
}

/// Where a connection leads, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    policy: u64,
    secure: bool,
    host: String,
    address: SocketAddr,
}

/// A connection in use.
pub(super) struct Connection {
    pub(super) sender: Sender,
    pub(super) place: Place,
    /// It was used before, and may have been closed meanwhile.
    pub(super) is_old: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self::new(Arc::new(SystemResolver))
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Network {
    /// A network with Mozilla's roots of trust.
    pub fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self::with_roots(resolver, rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// A network that trusts these roots.
    pub fn with_roots(resolver: Arc<dyn Resolver>, roots: rustls::RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has all versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(Inner { resolver, tls: Arc::new(tls), idle: Mutex::default() }))
    }

    /// A connection to the host of a URL: one that waits, or a new one.
    pub(super) async fn connect(
        &self,
        policy: &NetPolicy,
        rule: &Rule,
        url: &Url,
        fresh: bool,
    ) -> Result<Connection, OpError> {
        let work = self.try_connect(policy, rule, url, fresh);
        let done = tokio::time::timeout(CONNECT, work).await;
        done.unwrap_or_else(|_| Err(failed(url, &format!("no connection within {} s", CONNECT.as_secs()))))
    }

    async fn try_connect(
        &self,
        policy: &NetPolicy,
        rule: &Rule,
        url: &Url,
        fresh: bool,
    ) -> Result<Connection, OpError> {
        let (host, port, addresses) = self.addresses(rule, url).await?;
        let secure = url.scheme() == "https";
        let place = |address: IpAddr| Place {
            policy: policy.id(),
            secure,
            host: host.to_string(),
            address: SocketAddr::new(address, port),
        };
        if !fresh && let Some(connection) = addresses.iter().find_map(|address| self.waiting(&place(*address))) {
            return Ok(connection);
        }
        let mut last = failed(url, "the name has no address");
        for address in addresses {
            let place = place(address);
            match self.dial(rule, url, &place, &host).await {
                Ok(sender) => return Ok(Connection { sender, place, is_old: false }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Where a URL leads, every address of it one that may be dialled.
    async fn addresses<'u>(&self, rule: &Rule, url: &'u Url) -> Result<(Host<&'u str>, u16, Vec<IpAddr>), OpError> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(failed(url, "it has no host"));
        };
        let addresses = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            Host::Domain(name) => {
                let found = self.0.resolver.resolve(name.to_owned()).await;
                found.map_err(|error| failed(url, &format!("the name is not found: {error}")))?
            }
        };
        // One that may not be dialled is a reason not to trust the others either.
        for address in &addresses {
            if let Err(class) = rule.permits_address(*address) {
                tracing::info!(target: "perennial::net", host = %host, %address, class = class.as_str(), "refused an address");
                return Err(refused(url, *address, class));
            }
        }
        Ok((host, port, addresses))
    }

    /// A connection to the host of a URL without anything sent on it.
    #[cfg(feature = "browser")]
    pub(super) async fn open(&self, rule: &Rule, url: &Url) -> Result<TcpStream, OpError> {
        let work = async {
            let (_, port, addresses) = self.addresses(rule, url).await?;
            let mut last = failed(url, "the name has no address");
            for address in addresses {
                match reach(rule, url, SocketAddr::new(address, port)).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let done = tokio::time::timeout(CONNECT, work).await;
        done.unwrap_or_else(|_| Err(failed(url, &format!("no connection within {} s", CONNECT.as_secs()))))
    }

    async fn dial(&self, rule: &Rule, url: &Url, place: &Place, host: &Host<&str>) -> Result<Sender, OpError> {
        let wrong = |error: &dyn std::fmt::Display| failed(url, &error.to_string());
        let stream = reach(rule, url, place.address).await?;
        if !place.secure {
            return shake(TokioIo::new(stream)).await.map_err(|error| wrong(&error));
        }
        let name = match host {
            Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|error| wrong(&error))?,
            Host::Ipv4(address) => ServerName::from(IpAddr::V4(*address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::V6(*address)),
        };
        let stream =
            TlsConnector::from(self.0.tls.clone()).connect(name, stream).await.map_err(|error| wrong(&error))?;
        shake(TokioIo::new(stream)).await.map_err(|error| wrong(&error))
    }

    fn waiting(&self, place: &Place) -> Option<Connection> {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle.get_mut(place)?;
        while let Some((sender, since)) = known.pop() {
            if since.elapsed() < IDLE_TIME && sender.is_ready() {
                return Some(Connection { sender, place: place.clone(), is_old: true });
            }
        }
        None
    }

    /// Keeps a connection for the next request, if there is room.
    pub(super) fn keep(&self, sender: Sender, place: Place) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, known| {
            known.retain(|(sender, since)| since.elapsed() < IDLE_TIME && !sender.is_closed());
            !known.is_empty()
        });
        if idle.values().map(Vec::len).sum::<usize>() < IDLE_ALL {
            let known = idle.entry(place).or_default();
            if known.len() < IDLE_EACH {
                known.push((sender, Instant::now()));
            }
        }
    }
}

/// Dials an address that was looked at.
async fn reach(rule: &Rule, url: &Url, address: SocketAddr) -> Result<TcpStream, OpError> {
    let stream = TcpStream::connect(address).await.map_err(|error| failed(url, &error.to_string()))?;
    // This machine's own public address leads here as well.
    if let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr())
        && peer.ip() == local.ip()
        && rule.permits_address(IpAddr::from([127, 0, 0, 1])).is_err()
        && super::classify(peer.ip()) == AddressClass::Public
    {
        return Err(refused(url, peer.ip(), AddressClass::Loopback));
    }
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn shake<T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static>(io: T) -> Result<Sender, hyper::Error> {
    let (sender, connection) = Builder::new().max_headers(HEADERS).max_header_size(HEADER_BYTES).handshake(io).await?;
    // It ends when nobody holds the sender or the body any more.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(target: "perennial::net", %error, "a connection ended");
        }
    });
    Ok(sender)
}

/// What the standard calls a network error. `url` is shown as the script wrote it.
pub(super) fn failed(url: &Url, why: &str) -> OpError {
    OpError::type_error(format!("fetch failed: {}: {why}", origin(url)))
}

fn refused(url: &Url, address: IpAddr, class: AddressClass) -> OpError {
    let grant = format!("a rule for the network with @{address}");
    OpError::permission(
        &format!("fetching from {}, whose address {address} is {},", origin(url), class.as_str()),
        &grant,
    )
}

/// That a request is not permitted, with what would permit it, and what is permitted.
pub(super) fn denied(policy: &NetPolicy, method: &str, url: &Url, remedy: String) -> OpError {
    let rules = policy.rules().map(ToString::to_string);
    let what = format!("{method} {}", origin(url));
    match policy.plugin() {
        Some(plugin) => Denied::in_allow(what, "net", plugin).with_granted(rules).into(),
        None => Denied::new(what, remedy).with_granted(rules).into(),
    }
}

/// A URL as far as it may stand in errors: without path and query, which may have secrets.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
