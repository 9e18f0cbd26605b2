//! What may be reached. Nothing, unless a rule says so.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use url::{Host, Url};

use super::address::{AddressClass, AddressRange, classify};

/// Hosts, methods, ports and paths that scripts may reach, and how much of it. Cheap to clone.
///
/// A rule is written as `[METHODS ][SCHEME://]HOST[:PORT][/PATH][ @RANGES]`:
///
/// * `api.example.com`: any method, by https, on port 443. `*.example.com` is every host below, not `example.com` itself.
/// * `http://localhost:3000`: what a scheme, an address or `localhost` is written out for is granted. Everything else has to resolve to public addresses.
/// * `GET,HEAD https://api.example.com/v1`: these methods, and paths that are `/v1` or below.
/// * `https://wiki.corp @10.0.0.0/8,fd00::/8`: the name may also resolve to these addresses.
///
/// ```
/// use perennial_stdlib::net::{NetLimits, NetPolicy};
/// let policy = NetPolicy::parse(&["api.example.com", "GET https://*.example.org/public"], NetLimits::default())?;
/// let url = "https://cdn.example.org/public/a.js".parse().unwrap();
/// assert!(policy.rule("GET", &url).is_ok());
/// assert!(policy.rule("POST", &url).is_err());
/// assert!(NetPolicy::parse(&["*"], NetLimits::default()).is_err());
/// # Ok::<(), perennial_stdlib::net::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NetPolicy {
    inner: Arc<Inner>,
    /// Ports of loopback at which commands of the session serve.
    own_ports: Arc<[u16]>,
    /// The plugin it was granted to.
    plugin: Option<Arc<str>>,
}

#[derive(Debug)]
struct Inner {
    /// No connection made under one policy is used under another.
    id: u64,
    rules: Vec<Arc<Rule>>,
    limits: NetLimits,
}

/// How much a session may use the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetLimits {
    /// Requests of the session, redirects included.
    pub requests: u64,
    /// Bytes of all bodies sent by the session.
    pub sent: u64,
    /// Bytes of all bodies received by the session, as they arrive and when they are unpacked, whichever is more.
    pub received: u64,
    /// One body sent.
    pub request_bytes: u64,
    /// One body received.
    pub response_bytes: u64,
    /// Requests of the session that wait for the head of their response at a time. More of them wait for one of these, while their own `time` runs.
    pub concurrent: usize,
    /// From a request to the end of its response's body.
    pub time: Duration,
    /// The same of all requests of the session together, those side by side each for itself.
    pub total_time: Duration,
}

impl NetLimits {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            requests: 10_000,
            sent: 1 << 30,
            received: 4 << 30,
            request_bytes: 64 << 20,
            response_bytes: 64 << 20,
            concurrent: 64,
            time: Duration::from_secs(120),
            total_time: Duration::from_secs(3600),
        }
    }
}

/// What is taken for a method where a host is wanted.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// None: any.
    methods: Vec<String>,
    scheme: &'static str,
    host: Pattern,
    port: u16,
    /// Segments with which a path begins.
    path: Vec<String>,
    ranges: Vec<AddressRange>,
}

#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Exact(Host<String>),
    /// `.example.com`
    Below(String),
}

/// A rule that does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule:?} is no rule for the network: {why}")]
pub struct PolicyError {
    /// As it was written.
    pub rule: String,
    /// What is wrong with it.
    pub why: String,
}

/// Ports that nobody serves http on, and to which a request can do harm: <https://fetch.spec.whatwg.org/#port-blocking>.
const BAD_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

impl NetPolicy {
    /// A policy of these rules.
    ///
    /// # Errors
    /// If one does not parse.
    pub fn parse<T: AsRef<str>>(rules: &[T], limits: NetLimits) -> Result<Self, PolicyError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let rules = rules.iter().map(|rule| Rule::parse(rule.as_ref()).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self::of(Inner { id: NEXT.fetch_add(1, Ordering::Relaxed), rules, limits }))
    }

    /// The policy that permits nothing.
    pub fn none() -> &'static Self {
        static NONE: LazyLock<NetPolicy> =
            LazyLock::new(|| NetPolicy::of(Inner { id: u64::MAX, rules: Vec::new(), limits: NetLimits::default() }));
        &NONE
    }

    fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), own_ports: [].into(), plugin: None }
    }

    /// The same, and what serves at these ports of loopback, by http.
    pub(super) fn with_own_ports(mut self, ports: &[u16]) -> Self {
        self.own_ports = ports.into();
        self
    }

    pub(super) fn of_plugin(mut self, plugin: Option<&str>) -> Self {
        self.plugin = plugin.map(Into::into);
        self
    }

    pub(super) fn plugin(&self) -> Option<&str> {
        self.plugin.as_deref()
    }

    /// The rules, as they were given.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.inner.rules.iter().map(|rule| &**rule)
    }

    /// How much may be used.
    pub fn limits(&self) -> &NetLimits {
        &self.inner.limits
    }

    pub(super) fn id(&self) -> u64 {
        self.inner.id
    }

    /// The rule that permits a request.
    ///
    /// # Errors
    /// What would permit it.
    pub fn rule(&self, method: &str, url: &Url) -> Result<Arc<Rule>, String> {
        let wanted = |rule: &str| format!("a rule for the network like {rule:?}");
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(wanted("https://example.com"));
        };
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
            || BAD_PORTS.contains(&port)
        {
            return Err(
                "nothing (http and https are for scripts, without user names and not to ports of other services)"
                    .to_owned(),
            );
        }
        if let Host::Domain(name) = host
            && name.ends_with('.')
        {
            return Err("nothing (its host name ends with a dot)".to_owned());
        }
        let rule = self.inner.rules.iter().find(|rule| rule.permits(method, url, &host, port));
        let own = || {
            // By its address alone: what else a name leads to is somebody else's.
            let loopback: Host<&str> = Host::Ipv4(Ipv4Addr::LOCALHOST);
            let is_own = url.scheme() == "http" && host == loopback && self.own_ports.contains(&port);
            let (methods, path, ranges) = (Vec::new(), Vec::new(), Vec::new());
            let rule = Rule { methods, scheme: "http", host: Pattern::Exact(host.to_owned()), port, path, ranges };
            is_own.then(|| Arc::new(rule))
        };
        rule.cloned().or_else(own).ok_or_else(|| {
            let port = url.port().map_or(String::new(), |port| format!(":{port}"));
            let scheme = if url.scheme() == "https" { "" } else { "http://" };
            wanted(&format!("{method} {scheme}{host}{port}"))
        })
    }
}

#[cfg(feature = "browser")]
impl NetPolicy {
    /// The rule by which bytes that nobody can look into may go to a host and back: one without methods and without a path. Also gives where they go, as an address.
    ///
    /// # Errors
    /// What would permit it.
    pub(super) fn tunnel(&self, authority: &str) -> Result<(Arc<Rule>, Url), String> {
        let mut wanted = "nothing (this is no host and port)".to_owned();
        // Sockets of the web go through a tunnel without encryption, too.
        for scheme in ["https", "http"] {
            let Ok(url) = Url::parse(&format!("{scheme}://{authority}/")) else { continue };
            let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { continue };
            // What is nowhere permitted is not permitted here.
            match self.rule("GET", &url) {
                Ok(rule) if rule.is_whole() => return Ok((rule, url)),
                Ok(_) => {
                    let whole =
                        self.inner.rules.iter().find(|rule| rule.is_whole() && rule.permits("GET", &url, &host, port));
                    if let Some(rule) = whole {
                        return Ok((rule.clone(), url));
                    }
                    wanted = format!(
                        "a rule for the network like {host:?} without methods and without a path, since a page's {scheme} is not looked into,",
                        host = host.to_string()
                    );
                }
                Err(why) if scheme == "https" && why.starts_with("nothing") => wanted = why,
                Err(_) if scheme == "https" => {
                    wanted = format!(
                        "a rule for the network like {:?}",
                        authority.strip_suffix(":443").unwrap_or(authority)
                    );
                }
                Err(_) => {}
            }
        }
        Err(wanted)
    }

    /// Whether something of the session serves at this port of loopback.
    pub(super) fn is_own_port(&self, port: u16) -> bool {
        self.own_ports.contains(&port)
    }
}

/// As rules are written, without the ranges of addresses.
impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Pattern::Exact(host) => write!(f, "{host}")?,
            Pattern::Below(domain) => write!(f, "*{domain}")?,
        }
        if self.port != if self.scheme == "https" { 443 } else { 80 } {
            write!(f, ":{}", self.port)?;
        }
        self.path.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, PolicyError> {
        let wrong = |why: &str| PolicyError { rule: text.to_owned(), why: why.to_owned() };
        if let Some((before, range)) = text.rsplit_once('@').filter(|(before, _)| !before.ends_with(' ')) {
            let why = format!(
                "@{range}: before an @ stands a space, and behind it ranges of addresses, as in {before} @10.0.0.0/8; there are no user names"
            );
            return Err(wrong(&why));
        }
        let (rest, ranges) = match text.split_once(" @") {
            Some((rest, ranges)) => {
                let range = |range: &str| {
                    AddressRange::parse(range.trim()).ok_or_else(|| {
                        let why = format!(
                            "{:?} is no range of addresses: 10.0.0.0/8 is one, without bits behind its prefix",
                            range.trim()
                        );
                        wrong(&why)
                    })
                };
                (rest, ranges.split(',').map(range).collect::<Result<Vec<_>, _>>()?)
            }
            None => (text, Vec::new()),
        };
        let (methods, rest) = match rest.trim().rsplit_once(' ') {
            Some((methods, rest)) => {
                (methods.split(',').map(|method| method.trim().to_ascii_uppercase()).collect(), rest)
            }
            None => (Vec::new(), rest.trim()),
        };
        if methods
            .iter()
            .any(|method: &String| method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            return Err(wrong("methods are written like GET,POST"));
        }
        if let Some(method) = methods.iter().find(|method| matches!(method.as_str(), "CONNECT" | "TRACE" | "TRACK")) {
            return Err(wrong(&format!("{method} is never sent")));
        }
        let (scheme, rest) = match rest.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) => ("http", rest),
            Some(_) => return Err(wrong("the scheme is http or https")),
            None => ("https", rest),
        };
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        if authority.is_empty() {
            return Err(wrong("it has no host, as in GET https://example.com/path"));
        }
        if methods.is_empty() && METHODS.contains(&rest.to_ascii_uppercase().as_str()) {
            return Err(wrong("behind a method stands a host, as in GET https://example.com"));
        }
        let (pattern, below) = authority.strip_prefix("*.").map_or((authority, false), |rest| (rest, true));
        if pattern.contains('*') || path.contains('*') {
            return Err(wrong("a * stands only before a host, as *.example.com"));
        }
        if let Some(odd) =
            rest.chars().find(|c| matches!(c, '?' | '#' | '%' | '\\' | ';') || c.is_whitespace() || c.is_control())
        {
            return Err(wrong(&format!("{odd:?} has no place in a rule: it is a host, and perhaps a port and a path")));
        }
        let parts = path.split('/').collect::<Vec<_>>();
        let is_last = |at: usize| at + 1 == parts.len();
        let odd = parts
            .iter()
            .enumerate()
            .find(|(at, part)| matches!(**part, "." | "..") || (part.is_empty() && !is_last(*at)));
        if let Some((_, odd)) = odd {
            return Err(wrong(&format!("the path /{path} has a part {odd:?}, which no request's path has")));
        }
        let url = Url::parse(&format!("{scheme}://{pattern}/{path}")).map_err(|error| wrong(&error.to_string()))?;
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(wrong("it has no host"));
        };
        if let Host::Ipv4(address) = host
            && !authority.starts_with(&address.to_string())
        {
            return Err(wrong(&format!("this is the address {address}: write it so")));
        }
        let host = match (host.to_owned(), below) {
            (Host::Domain(name), true) if name.contains('.') && !name.ends_with('.') => {
                Pattern::Below(format!(".{name}"))
            }
            (Host::Domain(name), false) if !name.ends_with('.') => Pattern::Exact(Host::Domain(name)),
            (Host::Ipv4(_) | Host::Ipv6(_), false) if path.parse::<u8>().is_ok_and(|bits| bits <= 128) => {
                let why = format!(
                    "{authority}/{path} here is the path /{path} of one address; a range stands behind a name: name.example @{authority}/{path}"
                );
                return Err(wrong(&why));
            }
            (Host::Ipv4(_) | Host::Ipv6(_), false) if !ranges.is_empty() => {
                return Err(wrong("ranges are for what a name leads to, and this is an address"));
            }
            (host @ (Host::Ipv4(_) | Host::Ipv6(_)), false) => Pattern::Exact(host),
            _ => return Err(wrong("a * stands for what is below a domain, as *.example.com")),
        };
        if BAD_PORTS.contains(&port) {
            return Err(wrong("the port is another service's"));
        }
        let path = url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Ok(Self { methods, scheme: if scheme == "https" { "https" } else { "http" }, host, port, path, ranges })
    }

    fn permits(&self, method: &str, url: &Url, host: &Host<&str>, port: u16) -> bool {
        let fits = match (&self.host, host) {
            (Pattern::Exact(Host::Domain(known)), Host::Domain(name)) => known == name,
            (Pattern::Exact(Host::Ipv4(known)), Host::Ipv4(address)) => known == address,
            (Pattern::Exact(Host::Ipv6(known)), Host::Ipv6(address)) => known == address,
            (Pattern::Below(end), Host::Domain(name)) => name.ends_with(end.as_str()),
            _ => false,
        };
        fits && self.scheme == url.scheme()
            && self.port == port
            && (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
            && self.permits_path(url.path())
    }

    #[cfg(feature = "browser")]
    fn is_whole(&self) -> bool {
        self.methods.is_empty() && self.path.is_empty()
    }

    /// What a server may take for a way up or for another separator is no path below anything.
    fn permits_path(&self, path: &str) -> bool {
        if self.path.is_empty() {
            return true;
        }
        let lower = path.to_ascii_lowercase();
        let odd = ["%2f", "%5c", "%25", "%00", "\\", "//", "..;", ";"].iter().any(|odd| lower.contains(odd));
        let mut parts = path.split('/').skip(1);
        !odd && self.path.iter().all(|part| parts.next() == Some(part))
    }

    /// Whether an address that a name resolved to, or that was written out, may be dialled.
    pub(super) fn permits_address(&self, address: IpAddr) -> Result<(), AddressClass> {
        let class = classify(address);
        let is_named = match &self.host {
            Pattern::Exact(Host::Ipv4(known)) => IpAddr::V4(*known) == address,
            Pattern::Exact(Host::Ipv6(known)) => IpAddr::V6(*known) == address,
            Pattern::Exact(Host::Domain(name)) => name == "localhost" && class == AddressClass::Loopback,
            Pattern::Below(_) => false,
        };
        // What tells secrets has to be named for itself, not as a part of something larger.
        let is_granted = match class {
            AddressClass::Public => true,
            AddressClass::Metadata => self.ranges.contains(&AddressRange::one(address.to_canonical())),
            _ => self.ranges.iter().any(|range| range.contains(address)),
        };
        if is_named || is_granted { Ok(()) } else { Err(class) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &[&str]) -> NetPolicy {
        NetPolicy::parse(rules, NetLimits::default()).expect("rules")
    }

    fn permits(policy: &NetPolicy, method: &str, url: &str) -> bool {
        policy.rule(method, &Url::parse(url).expect("a URL")).is_ok()
    }

    #[test]
    fn a_rule_permits_what_it_says_and_nothing_beside() {
        let policy = policy(&[
            "api.example.com",
            "*.example.org:8443",
            "GET,HEAD https://docs.example.com/v1/public",
            "http://localhost:3000",
            "http://[::1]:8000",
            "https://bücher.example",
        ]);
        for (method, url, expected) in [
            ("POST", "https://api.example.com/anything?x#y", true),
            ("GET", "https://API.EXAMPLE.COM:443/", true),
            ("GET", "http://api.example.com/", false),
            ("GET", "https://api.example.com:444/", false),
            ("GET", "https://api.example.com./", false),
            ("GET", "https://evil-api.example.com/", false),
            ("GET", "https://x.api.example.com/", false),
            ("GET", "https://api.example.com@evil.com/", false),
            ("GET", "https://user@api.example.com/", false),
            ("GET", "https://a.b.example.org:8443/", true),
            ("GET", "https://example.org:8443/", false),
            ("GET", "https://evilexample.org:8443/", false),
            ("GET", "https://docs.example.com/v1/public", true),
            ("GET", "https://docs.example.com/v1/public/a", true),
            ("GET", "https://docs.example.com/v1/publicity", false),
            ("GET", "https://docs.example.com/v1/public/../secret", false),
            ("GET", "https://docs.example.com/v1/public/%2e%2e/secret", false),
            ("GET", "https://docs.example.com/v1/public/..%2fsecret", false),
            ("GET", "https://docs.example.com/v1/public/..;/secret", false),
            ("GET", "https://docs.example.com//v1/public", false),
            ("POST", "https://docs.example.com/v1/public", false),
            ("GET", "http://localhost:3000/", true),
            ("GET", "http://[::1]:8000/", true),
            ("GET", "http://[0:0:0:0:0:0:0:1]:8000/", true),
            ("GET", "http://127.0.0.1:3000/", false),
            ("GET", "https://xn--bcher-kva.example/", true),
            ("GET", "ftp://api.example.com/", false),
        ] {
            assert_eq!(permits(&policy, method, url), expected, "{method} {url}");
        }
    }

    #[test]
    fn what_does_not_parse_is_an_error_and_no_empty_policy() {
        for bad in [
            "",
            "*",
            "*.com",
            "*.1.2.3.4",
            "ftp://a.com",
            "a.com:99999",
            "a.com/x?y",
            "https://u:p@a.com",
            "a.*.com",
            "G@T a.com",
            "a.com @10.0.0.1/8",
            "a.com @",
            "a.com:25",
            "a.com.",
            "http://127.0.0.0/8",
            "http://10.0.0.0/8",
            "https://a.com/v1/../admin",
            "https://a.com/v1/%2e%2e/admin",
            "/x",
            "GET /x",
            "GET",
            "get",
            "https:///x",
            "https://1.2.3",
            "http://2130706433",
            "http://0x7f.1",
        ] {
            assert!(NetPolicy::parse(&[bad], NetLimits::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_about_a_rule_speaks_of_the_part_that_is_wrong() {
        for (rule, wrong, silent) in [
            ("http://127.0.0.1:8911@loopback", "@", "*"),
            ("http://127.0.0.0/8", "127.0.0.0/8", "*"),
            ("https://a.com/v1/../x", "..", "*"),
        ] {
            let error = NetPolicy::parse(&[rule], NetLimits::default()).expect_err(rule).to_string();
            assert!(error.contains(wrong) && !error.replace(rule, "").contains(silent), "{rule}: {error}");
        }
    }

    #[test]
    fn only_public_addresses_are_dialled_unless_a_rule_has_the_range() {
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let rule = |text: &str| Rule::parse(text).expect("a rule");
        let public = rule("a.com");
        assert!(public.permits_address(at("8.8.8.8")).is_ok());
        assert_eq!(public.permits_address(at("::ffff:10.0.0.1")), Err(AddressClass::Private));
        let corp = rule("http://wiki.corp @10.0.0.0/8,169.254.0.0/16");
        assert!(corp.permits_address(at("10.1.1.1")).is_ok() && corp.permits_address(at("169.254.1.1")).is_ok());
        assert_eq!(
            corp.permits_address(at("169.254.169.254")),
            Err(AddressClass::Metadata),
            "not as a part of something"
        );
        assert!(rule("http://meta @169.254.169.254").permits_address(at("169.254.169.254")).is_ok());
        assert!(rule("http://localhost:80").permits_address(at("127.0.0.1")).is_ok());
        assert!(rule("http://localhost:80").permits_address(at("10.0.0.1")).is_err());
        assert!(rule("http://127.0.0.1:80").permits_address(at("127.0.0.1")).is_ok());
        assert!(rule("http://127.0.0.1:80").permits_address(at("127.0.0.2")).is_err());
    }
}
