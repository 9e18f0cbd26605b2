//! A whole fetch: the policy asked at every hop, redirects followed, cookies kept, secrets put in.

use std::sync::Arc;

use hyper::Method;
use hyper::header::{HeaderMap, HeaderValue};
use perennial_engine::OpError;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::dial::{Network, denied, failed, origin};
use super::download::Download;
use super::exchange::{Hop, Payload, headers, method};
use super::policy::NetPolicy;
use super::secrets::{Place, Refused, Scrubber, Secrets, Written};
use super::{Jar, NetState, Stopwatch};
use crate::compression::Codec;

/// <https://fetch.spec.whatwg.org/#concept-http-redirect-fetch>
const MAX_REDIRECTS: usize = 20;
pub(super) const AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

/// What a script asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    /// `follow`, `manual` or `error`.
    pub(super) redirect: String,
    /// Without cookies.
    pub(super) omit: bool,
}

/// The head of a response.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) url: Url,
    pub(super) redirected: bool,
}

/// With what a fetch is done.
pub(super) struct Means {
    pub(super) network: Network,
    pub(super) policy: NetPolicy,
    pub(super) state: Arc<NetState>,
    pub(super) secrets: Secrets,
}

impl Means {
    pub(super) async fn fetch(&self, wanted: Wanted, mut payload: Payload) -> Result<(Head, Download), OpError> {
        let limits = *self.policy.limits();
        let deadline = Instant::now() + limits.time;
        let mut url =
            Url::parse(&wanted.url).map_err(|error| OpError::type_error(format!("{}: {error}", wanted.url)))?;
        let mut method = method(&wanted.method)?;
        let mut given = headers(&wanted.headers)?;
        let mut redirects = 0;
        loop {
            self.state.charge_request(&limits)?;
            let work = self.hop(&method, &url, &given, &mut payload, wanted.omit, deadline);
            let late = || failed(&url, &format!("no response within {:?}", limits.time));
            let (mut head, download) = match tokio::time::timeout_at(deadline, work).await {
                Ok(done) => done?,
                Err(_) => return Err(late()),
            };
            head.redirected = redirects > 0;
            let location = head.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.clone());
            let (true, Some(location)) = (matches!(head.status, 301 | 302 | 303 | 307 | 308), location) else {
                return Ok((head, download));
            };
            match &*wanted.redirect {
                "manual" => return Ok((head, download)),
                "error" => return Err(failed(&url, "it was redirected, and redirect is \"error\"")),
                _ => {}
            }
            redirects += 1;
            if redirects > MAX_REDIRECTS {
                return Err(failed(&url, &format!("more than {MAX_REDIRECTS} redirects")));
            }
            let mut next =
                url.join(&location).map_err(|error| failed(&url, &format!("redirected to what is no URL: {error}")))?;
            if !matches!(next.scheme(), "http" | "https") {
                return Err(failed(&url, &format!("redirected to {}:", next.scheme())));
            }
            if next.fragment().is_none() {
                next.set_fragment(url.fragment());
            }
            let becomes_get = (matches!(head.status, 301 | 302) && method == Method::POST)
                || (head.status == 303 && method != Method::GET && method != Method::HEAD);
            if becomes_get {
                (method, payload) = (Method::GET, Payload::None);
                for name in ["content-encoding", "content-language", "content-location", "content-type"] {
                    given.remove(name);
                }
            } else if !payload.can_be_repeated() {
                return Err(failed(&url, "redirected, and a stream is sent only once"));
            }
            if origin(&next) != origin(&url) {
                for name in ["authorization", "cookie"] {
                    given.remove(name);
                }
            }
            url = next;
        }
    }

    async fn hop(
        &self,
        method: &Method,
        url: &Url,
        given: &HeaderMap,
        payload: &mut Payload,
        omit: bool,
        deadline: Instant,
    ) -> Result<(Head, Download), OpError> {
        let mut shown = url.clone();
        shown.set_fragment(None);
        let rule = self.policy.rule(method.as_str(), url).map_err(|grant| {
            tracing::info!(target: "perennial::net", %method, origin = origin(url), "denied");
            denied(&self.policy, method.as_str(), url, grant)
        })?;
        let _waiting = self.state.turn(self.policy.limits().concurrent).await;
        let watch = Stopwatch::start(&self.state);
        let mut written = Vec::new();
        let (target, headers, filled) = self.filled(url, given, payload, &mut written)?;
        if target.origin() != url.origin() || self.policy.rule(method.as_str(), &target).is_err() {
            return Err(OpError::permission("a secret that makes another URL", "nothing"));
        }
        let mut headers = headers;
        let put = |headers: &mut HeaderMap, name: &'static str, value: &str| {
            if !headers.contains_key(name)
                && let Ok(value) = HeaderValue::from_str(value)
            {
                headers.insert(name, value);
            }
        };
        put(&mut headers, "accept", "*/*");
        put(&mut headers, "accept-encoding", "gzip, deflate");
        put(&mut headers, "user-agent", AGENT);
        if !omit && let Some(cookies) = self.with_jar(|jar| jar.header(&target)) {
            put(&mut headers, "cookie", &cookies);
        }
        let limits = self.policy.limits();
        if let Payload::Whole(bytes) = filled.as_ref().unwrap_or(payload) {
            let size = bytes.len() as u64;
            if size > limits.request_bytes {
                let message = format!("a request may have {} bytes, and this one has {size}", limits.request_bytes);
                return Err(OpError::quota(message, limits.request_bytes, size));
            }
            self.state.charge_sent(size, limits)?;
        }
        tracing::info!(target: "perennial::net", %method, origin = origin(url), "allowed");
        let hop = Hop {
            network: &self.network,
            policy: &self.policy,
            rule: &rule,
            method: method.clone(),
            url: &target,
            headers,
        };
        let (response, sender, place) = match filled {
            Some(mut filled) => hop.exchange(&mut filled).await?,
            None => hop.exchange(payload).await?,
        };
        let (parts, incoming) = response.into_parts();
        let scrubber = Scrubber::new(&self.secrets, &target, written);
        let scrub = |bytes: &[u8]| scrubber.as_ref().map_or_else(|| bytes.to_vec(), |scrubber| scrubber.whole(bytes));
        let latin1 = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(parts.headers.len());
        for (name, value) in &parts.headers {
            if name == "set-cookie" && !omit {
                self.with_jar(|jar| jar.set(&target, &latin1(value.as_bytes())));
            }
            pairs.push((name.as_str().to_owned(), latin1(&scrub(value.as_bytes()))));
        }
        let has_body = *method != Method::HEAD && !matches!(parts.status.as_u16(), 204 | 205 | 304);
        let coding = pairs
            .iter()
            .find(|(name, _)| name == "content-encoding")
            .map(|(_, value)| value.trim().to_ascii_lowercase());
        let codec = match coding.as_deref() {
            Some("gzip" | "x-gzip") if has_body => Codec::open("gzip", true),
            Some("deflate") if has_body => Codec::open("deflate", true),
            Some("identity" | "") | None => None,
            Some(other) if has_body => {
                return Err(failed(url, &format!("the response is packed as {other:?}, which was not asked for")));
            }
            Some(_) => None,
        };
        let reason = parts
            .extensions
            .get::<hyper::ext::ReasonPhrase>()
            .map_or_else(|| parts.status.canonical_reason().unwrap_or_default().as_bytes(), |reason| reason.as_bytes());
        let reason = String::from_utf8_lossy(&scrub(reason)).into_owned();
        let download = Download {
            incoming,
            codec,
            scrubber,
            policy: self.policy.clone(),
            state: self.state.clone(),
            url: shown.clone(),
            connection: Some((self.network.clone(), sender, place)),
            deadline,
            arrived: 0,
            given: 0,
            over: false,
            watch: Some(watch),
            ahead: None,
            failed: None,
        };
        Ok((Head { status: parts.status.as_u16(), reason, headers: pairs, url: shown, redirected: false }, download))
    }

    fn with_jar<T>(&self, use_it: impl FnOnce(&mut Jar) -> T) -> T {
        use_it(&mut self.state.jar.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The same with secrets in the place of their placeholders. A body is filled if it is there as a whole and a text.
    fn filled(
        &self,
        url: &Url,
        given: &HeaderMap,
        payload: &Payload,
        written: &mut Vec<Written>,
    ) -> Result<(Url, HeaderMap, Option<Payload>), OpError> {
        let most = self.policy.limits().request_bytes;
        let refuse = |refused: Refused| match refused {
            Refused::Origin(what) => OpError::permission(&what, "a secret with this origin"),
            Refused::TooLong => {
                let message = format!("a request may have {most} bytes, and with its secrets this one has more");
                OpError::quota(message, most, most.saturating_add(1))
            }
        };
        let mut target = url.clone();
        if let Some(query) = url.query() {
            target.set_query(Some(&self.secrets.fill(query, Place::Url, url, most, written).map_err(refuse)?));
        }
        target.set_path(&self.secrets.fill(url.path(), Place::Url, url, most, written).map_err(refuse)?);
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let Ok(text) = value.to_str() else {
                headers.append(name, value.clone());
                continue;
            };
            let text = self.secrets.fill(text, Place::Header, url, most, written).map_err(refuse)?;
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| OpError::type_error(format!("the header {name} cannot be sent")))?;
            value.set_sensitive(name == "authorization");
            headers.append(name, value);
        }
        let kind = given.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        let place = match kind {
            kind if kind.contains("json") => Place::Json,
            kind if kind.contains("x-www-form-urlencoded") => Place::Form,
            _ => Place::Raw,
        };
        let filled = match payload {
            Payload::Whole(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => {
                    let text = self.secrets.fill(text, place, url, most, written).map_err(refuse)?;
                    (text.as_bytes() != bytes).then(|| Payload::Whole(text.into_bytes().into()))
                }
                Err(_) => None,
            },
            Payload::None | Payload::Parts(_) | Payload::Spent => None,
        };
        Ok((target, headers, filled))
    }
}
