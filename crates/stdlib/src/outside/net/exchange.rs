//! One request to one place and its response, as the policy has it.

use std::io;

use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use perennial_engine::OpError;
use tokio::sync::mpsc;
use url::Url;

use super::dial::{Body, Network, Place, Sender, failed};
use super::policy::{NetPolicy, Rule};

/// What a script may not say, since it would be another request than the policy has looked at: <https://fetch.spec.whatwg.org/#forbidden-request-header>
/// as far as it is about that.
const FORBIDDEN: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The head of a request.
const MAX_HEADERS: usize = 500;
const MAX_HEADER_BYTES: usize = 64 << 10;

/// What is sent.
pub(super) enum Payload {
    None,
    Whole(Bytes),
    /// Comes while it is sent.
    Parts(mpsc::Receiver<Result<Bytes, io::Error>>),
    /// It came and was sent.
    Spent,
}

impl Payload {
    pub(super) fn take(&mut self) -> Body {
        match std::mem::replace(self, Self::None) {
            Self::None | Self::Spent => Empty::new().map_err(|never| match never {}).boxed_unsync(),
            Self::Whole(bytes) => {
                *self = Self::Whole(bytes.clone());
                Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
            }
            Self::Parts(parts) => {
                *self = Self::Spent;
                let stream = futures_util::stream::unfold(parts, async |mut parts| {
                    let part = parts.recv().await?;
                    Some((part.map(Frame::data), parts))
                });
                BodyExt::boxed_unsync(StreamBody::new(Box::pin(stream)))
            }
        }
    }

    pub(super) fn can_be_repeated(&self) -> bool {
        !matches!(self, Self::Parts(_) | Self::Spent)
    }
}

/// Reads a method as the standard does.
pub(super) fn method(text: &str) -> Result<Method, OpError> {
    let upper = text.to_ascii_uppercase();
    let known = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].contains(&&*upper);
    if ["CONNECT", "TRACE", "TRACK"].contains(&&*upper) {
        return Err(OpError::type_error(format!("the method {upper} is not for scripts")));
    }
    let name = if known { upper } else { text.to_owned() };
    Method::from_bytes(name.as_bytes()).map_err(|_| OpError::type_error(format!("{text:?} is no method")))
}

/// The headers that a script gave, checked.
pub(super) fn headers(given: &[(String, String)]) -> Result<HeaderMap, OpError> {
    let size: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if given.len() > MAX_HEADERS || size > MAX_HEADER_BYTES {
        let message = format!("a request has at most {MAX_HEADERS} headers and {MAX_HEADER_BYTES} bytes of them");
        return Err(OpError::quota(message, MAX_HEADER_BYTES as u64, size as u64));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let wrong = || OpError::type_error(format!("the header {name:?} cannot be sent"));
        let lower = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&&*lower) {
            return Err(OpError::type_error(format!(
                "the header {name} is not for scripts to set: it follows from the request"
            )));
        }
        let name = HeaderName::from_bytes(lower.as_bytes()).map_err(|_| wrong())?;
        // Values are bytes: one for each unit.
        let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        headers.append(name, HeaderValue::from_bytes(&bytes.ok_or_else(wrong)?).map_err(|_| wrong())?);
    }
    Ok(headers)
}

/// One hop.
pub(super) struct Hop<'a> {
    pub(super) network: &'a Network,
    pub(super) policy: &'a NetPolicy,
    pub(super) rule: &'a Rule,
    pub(super) method: Method,
    /// With secrets in it.
    pub(super) url: &'a Url,
    pub(super) headers: HeaderMap,
}

impl Hop<'_> {
    /// Sends and waits for the head of the response. A connection that had been waiting and turns out to be closed is replaced once, where nothing can
    /// have been done twice by that.
    pub(super) async fn exchange(&self, payload: &mut Payload) -> Result<(Response<Incoming>, Sender, Place), OpError> {
        let mut fresh = false;
        loop {
            let mut connection = self.network.connect(self.policy, self.rule, self.url, fresh).await?;
            let repeatable = connection.is_old && payload.can_be_repeated() && self.method.is_idempotent();
            let request = self.request(payload)?;
            match connection.sender.send_request(request).await {
                Ok(response) if response.status().as_u16() == 101 => {
                    return Err(failed(self.url, "the server wants another protocol"));
                }
                Ok(response) => return Ok((response, connection.sender, connection.place)),
                Err(error)
                    if repeatable && (error.is_canceled() || error.is_closed() || error.is_incomplete_message()) =>
                {
                    fresh = true;
                }
                Err(error) => return Err(failed(self.url, &error.to_string())),
            }
        }
    }

    fn request(&self, payload: &mut Payload) -> Result<Request<Body>, OpError> {
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let host = match self.url.port() {
            Some(port) => format!("{}:{port}", self.url.host_str().unwrap_or_default()),
            None => self.url.host_str().unwrap_or_default().to_owned(),
        };
        let mut request = Request::builder().method(self.method.clone()).uri(target);
        request = request.header("host", host);
        if matches!(payload, Payload::None) && matches!(self.method, Method::POST | Method::PUT) {
            request = request.header("content-length", "0");
        }
        let mut request = request.body(payload.take()).map_err(|error| failed(self.url, &error.to_string()))?;
        for (name, value) in &self.headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        Ok(request)
    }
}
