//! The body of a response, as it is read: unpacked, counted, and without the secrets that were sent.

use std::sync::Arc;

use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use perennial_engine::OpError;
use tokio::time::Instant;
use url::Url;

use super::dial::{Network, Place, Sender, failed};
use super::policy::NetPolicy;
use super::secrets::Scrubber;
use super::{NetState, Stopwatch};
use crate::compression::Codec;

/// Pieces without any content after which a body is no body.
const MAX_EMPTY: usize = 10_000;

pub(super) struct Download {
    pub(super) incoming: Incoming,
    pub(super) codec: Option<Codec>,
    pub(super) scrubber: Option<Scrubber>,
    pub(super) policy: NetPolicy,
    pub(super) state: Arc<NetState>,
    pub(super) url: Url,
    /// Kept for the next request when all was read.
    pub(super) connection: Option<(Network, Sender, Place)>,
    pub(super) deadline: Instant,
    /// Bytes that arrived, and that came out.
    pub(super) arrived: u64,
    pub(super) given: u64,
    pub(super) over: bool,
    /// Counts until all is read or nobody reads any more.
    pub(super) watch: Option<Stopwatch>,
    /// What was read before anybody asked, and what ended that.
    pub(super) ahead: Option<Vec<u8>>,
    pub(super) failed: Option<OpError>,
}

impl Download {
    /// What is there already, at most so many bytes, and whether it is all. Waits for nothing.
    pub(super) async fn first(&mut self, most: usize) -> (Vec<u8>, bool) {
        let mut first = Vec::new();
        // What came with the head is with the task of the connection.
        tokio::task::yield_now().await;
        while let Some(piece) = self.next().now_or_never() {
            match piece {
                Ok(Some(piece)) if first.len() + piece.len() <= most => first.extend(piece),
                Ok(Some(piece)) => {
                    self.ahead = Some(piece);
                    break;
                }
                Ok(None) => return (first, true),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        (first, false)
    }

    /// The next piece; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, OpError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        if let Some(error) = self.failed.take() {
            self.over = true;
            return Err(error);
        }
        let time = self.policy.limits().time;
        let late = || failed(&self.url, &format!("the response took longer than {time:?}"));
        let late = late();
        match tokio::time::timeout_at(self.deadline, self.read()).await {
            Ok(result) => result,
            Err(_) => Err(late),
        }
    }

    async fn read(&mut self) -> Result<Option<Vec<u8>>, OpError> {
        let mut empty = 0;
        while !self.over {
            let unpacked = match &mut self.codec {
                Some(codec) => codec.pull()?,
                None => None,
            };
            if let Some(bytes) = unpacked {
                match self.give(&bytes, false)? {
                    // All of it may be the beginning of a secret.
                    given if given.is_empty() => continue,
                    given => return Ok(Some(given)),
                }
            }
            match self.incoming.frame().await {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.arrived += data.len() as u64;
                    self.count(data.len() as u64, self.arrived)?;
                    match &mut self.codec {
                        Some(codec) => codec.push(&data)?,
                        None => {
                            let given = self.give(&data, false)?;
                            if !given.is_empty() {
                                return Ok(Some(given));
                            }
                        }
                    }
                    empty += 1;
                    if empty > MAX_EMPTY {
                        return Err(failed(&self.url, "the response has no end and no content"));
                    }
                }
                Some(Err(error)) => return Err(failed(&self.url, &format!("the response broke off: {error}"))),
                None => return self.end(),
            }
        }
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Vec<u8>>, OpError> {
        if let Some((network, sender, place)) = self.connection.take() {
            network.keep(sender, place);
        }
        if let Some(codec) = &mut self.codec
            && self.arrived > 0
        {
            codec.end();
            while let Some(bytes) = self.codec.as_mut().map_or(Ok(None), Codec::pull)? {
                let given = self.give(&bytes, false)?;
                if !given.is_empty() {
                    return Ok(Some(given));
                }
            }
        }
        self.over = true;
        self.watch = None;
        let rest = self.give(&[], true)?;
        Ok((!rest.is_empty()).then_some(rest))
    }

    fn give(&mut self, bytes: &[u8], is_last: bool) -> Result<Vec<u8>, OpError> {
        self.given += bytes.len() as u64;
        if self.codec.is_some() {
            // What was counted packed counts unpacked if that is more.
            let more = self.given.saturating_sub(self.arrived).min(bytes.len() as u64);
            self.count(more, self.given)?;
        }
        Ok(match &mut self.scrubber {
            Some(scrubber) => scrubber.bytes(bytes, is_last),
            None => bytes.to_vec(),
        })
    }

    fn count(&self, bytes: u64, whole: u64) -> Result<(), OpError> {
        let limits = self.policy.limits();
        if whole > limits.response_bytes {
            let message = format!("a response may have {} bytes, and this one has more", limits.response_bytes);
            return Err(OpError::quota(message, limits.response_bytes, whole));
        }
        self.state.charge_received(bytes, limits)
    }
}
