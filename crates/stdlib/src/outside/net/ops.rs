//! What `fetch.ts` asks the host for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use perennial_engine::{Bound, Denied, OpContext, OpError, OpTable, OpValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::dial::{Network, denied};
use super::download::Download;
use super::exchange::Payload;
use super::fetch::{AGENT, Means, Wanted};
use super::policy::NetPolicy;
use super::secrets::Secrets;
use super::{NetState, multipart};
#[cfg(feature = "commands")]
use crate::commands::SessionProcs;
use crate::{number, text};

/// What a request holds outside the heap besides its body: buffers of the connection, of unpacking.
const BYTES: usize = 256 << 10;

/// Bytes of the type of a `data:` URL.
const MAX_TYPE: usize = 4 << 10;

/// Whoever reads is told that it took too long before what is read is gone.
const GRACE: std::time::Duration = std::time::Duration::from_secs(1);

/// What others than scripts may reach, by name: plugins, each under its own policy whatever script calls it. Part of what a VM is made of.
#[derive(Clone, Debug, Default)]
pub struct NetGrants(Arc<BTreeMap<String, Arc<NetPolicy>>>);

/// Ports that whoever fetches has programs listening on.
#[cfg(feature = "commands")]
fn ports(context: &OpContext, whose: Option<&str>) -> Vec<u16> {
    context.extensions.get::<SessionProcs>().map_or_else(Vec::new, |procs| procs.ports(whose))
}

#[cfg(not(feature = "commands"))]
fn ports(_: &OpContext, _: Option<&str>) -> Vec<u16> {
    Vec::new()
}

impl NetGrants {
    /// These policies.
    pub fn new(policies: BTreeMap<String, Arc<NetPolicy>>) -> Self {
        Self(Arc::new(policies))
    }

    /// The policy of a fetch: of who it is for, or of the run; and what whoever it is for has running itself.
    fn policy(&self, context: &OpContext, whose: Option<&str>) -> NetPolicy {
        let policy = match whose {
            None => context.extensions.get::<NetPolicy>(),
            Some(plugin) => self.0.get(plugin).cloned(),
        };
        let policy = policy.map_or_else(|| NetPolicy::none().clone(), |policy| (*policy).clone());
        policy.with_own_ports(&ports(context, whose)).of_plugin(whose)
    }
}

/// How much of a body goes with the head of its response, if it is there by then.
const WITH_HEAD: usize = 16 << 10;

/// One fetch, from the call to the end of its body. Whoever lets go of it, or cancels it, ends it.
struct Fetch {
    cancelled: CancellationToken,
    download: tokio::sync::Mutex<Option<Download>>,
    upload: Mutex<Option<mpsc::Sender<Result<Bytes, std::io::Error>>>>,
    parts: Mutex<Option<mpsc::Receiver<Result<Bytes, std::io::Error>>>>,
    /// Bytes of the stream that is sent.
    sent: Mutex<u64>,
    /// Under which it was begun, and so ends.
    policy: NetPolicy,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.cancelled.cancel();
    }
}

fn fetch(context: &OpContext, args: &[OpValue]) -> Result<Arc<Fetch>, OpError> {
    context.resources.get::<Fetch>(number(args, 0)? as u32)
}

fn means(context: &OpContext, policy: &NetPolicy) -> Result<Means, OpError> {
    let network = context.extensions.get::<Network>();
    let state = context.extensions.get::<NetState>();
    let (Some(network), Some(state)) = (network, state) else {
        return Err(OpError::permission("fetch", "a session with a network"));
    };
    let secrets = context.extensions.get::<Secrets>().map(|secrets| (*secrets).clone()).unwrap_or_default();
    Ok(Means { network: (*network).clone(), policy: policy.clone(), state, secrets })
}

fn ended() -> OpError {
    OpError::new("AbortError", "the request was ended")
}

/// The ops behind it, and what others than scripts may reach.
pub fn ops(grants: &NetGrants) -> OpTable {
    let grants = grants.clone();
    OpTable::new()
        .sync("fetch_open", Bound::bytes(3 << 20), move |context, args| {
            let size = number(&args, 0)? as usize;
            let streams = crate::flag(&args, 1);
            // What is not permitted at all is not begun.
            let (method, url) = (text(&args, 2)?, text(&args, 3)?);
            let url = Url::parse(url).map_err(|error| OpError::type_error(format!("{url}: {error}")))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(OpError::type_error(format!("fetch reaches http:, https: and data: only, not {}:", url.scheme())));
            }
            let policy = grants.policy(context, args.get(4).and_then(OpValue::as_str));
            policy.rule(method, &url).map_err(|grant| denied(&policy, method, &url, grant))?;
            means(context, &policy)?;
            let (upload, parts) = mpsc::channel(1);
            let one = Fetch {
                cancelled: CancellationToken::new(),
                download: tokio::sync::Mutex::default(),
                upload: Mutex::new(streams.then_some(upload)),
                parts: Mutex::new(streams.then_some(parts)),
                sent: Mutex::default(),
                policy,
            };
            Ok(json!(context.resources.add(one, size.saturating_add(BYTES), &context.budget)?).into())
        })
        .asynchronous("fetch_send", Bound::bytes(66 << 20), |context, mut args| {
            Box::pin(async move {
                let one = fetch(&context, &args)?;
                let means = means(&context, &one.policy)?;
                let body = if args.len() > 2 { Some(args.remove(2)) } else { None };
                let wanted = match args.get(1) {
                    Some(OpValue::Json(value)) => Wanted::deserialize(value).map_err(|error| OpError::type_error(error.to_string()))?,
                    _ => return Err(OpError::type_error("a request is wanted")),
                };
                let parts = one.parts.lock().unwrap_or_else(PoisonError::into_inner).take();
                let payload = match (body, parts) {
                    (_, Some(parts)) => Payload::Parts(parts),
                    (Some(OpValue::Bytes(bytes)), None) => Payload::Whole(bytes.into()),
                    _ => Payload::None,
                };
                let cancelled = one.cancelled.clone();
                drop(one);
                let done = tokio::select! {
                    biased;
                    () = cancelled.cancelled() => return Err(ended()),
                    done = means.fetch(wanted, payload) => done,
                };
                let (head, mut download) = done?;
                let one = fetch(&context, &args).map_err(|_| ended())?;
                let (first, is_all) = download.first(WITH_HEAD).await;
                *one.download.lock().await = (!is_all).then_some(download);
                watch(&context, &args, one.cancelled.clone(), means.policy.limits().time);
                let answer = json!({
                    "status": head.status, "statusText": head.reason, "headers": head.headers, "url": head.url.as_str(), "redirected": head.redirected,
                    "first": perennial_engine::bytes_to_json(&first), "isAll": is_all,
                });
                Ok(answer.into())
            })
        })
        .asynchronous("fetch_read", Bound::SMALL, |context, args| {
            Box::pin(async move {
                let one = fetch(&context, &args)?;
                let mut download = one.download.lock().await;
                let Some(body) = download.as_mut() else { return Ok(Value::Null.into()) };
                let piece = tokio::select! {
                    biased;
                    () = one.cancelled.cancelled() => Err(ended()),
                    piece = body.next() => piece,
                };
                match piece {
                    Ok(Some(bytes)) => Ok(OpValue::Bytes(bytes)),
                    Ok(None) => {
                        *download = None;
                        Ok(Value::Null.into())
                    }
                    Err(error) => {
                        *download = None;
                        Err(error)
                    }
                }
            })
        })
        .asynchronous("fetch_write", Bound::DATA, |context, mut args| {
            Box::pin(async move {
                let one = fetch(&context, &args)?;
                let means = means(&context, &one.policy)?;
                let bytes = match args.pop() {
                    Some(OpValue::Bytes(bytes)) => bytes,
                    _ => return Err(OpError::type_error("bytes are wanted")),
                };
                let limits = *means.policy.limits();
                let whole = {
                    let mut sent = one.sent.lock().unwrap_or_else(PoisonError::into_inner);
                    *sent += bytes.len() as u64;
                    *sent
                };
                if whole > limits.request_bytes {
                    one.cancelled.cancel();
                    let message = format!("a request may have {} bytes, and this one has more", limits.request_bytes);
                    return Err(OpError::quota(message, limits.request_bytes, whole));
                }
                means.state.charge_sent(bytes.len() as u64, &limits)?;
                let upload = one.upload.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let Some(upload) = upload else { return Ok(json!(false).into()) };
                tokio::select! {
                    biased;
                    () = one.cancelled.cancelled() => Err(ended()),
                    done = upload.send(Ok(bytes.into())) => Ok(json!(done.is_ok()).into()),
                }
            })
        })
        .sync("fetch_finish", Bound::SMALL, |context, args| {
            let one = fetch(context, &args)?;
            one.upload.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(OpValue::Undefined)
        })
        .sync("fetch_close", Bound::SMALL, |context, args| {
            if let Ok(one) = fetch(context, &args) {
                one.cancelled.cancel();
            }
            Ok(json!(context.resources.remove(number(&args, 0)? as u32)).into())
        })
        .sync("data_url", Bound::bytes(3 << 20), |_, args| {
            let url = text(&args, 0)?;
            // Its parameters are compared with each other.
            if url.find(',').unwrap_or(url.len()) > MAX_TYPE {
                return Err(OpError::type_error(format!("the type of a data: URL has at most {MAX_TYPE} bytes")));
            }
            let found = data_url::DataUrl::process(url).ok().and_then(|found| {
                let (body, _) = found.decode_to_vec().ok()?;
                Some(json!({"type": found.mime_type().to_string(), "body": perennial_engine::bytes_to_json(&body)}))
            });
            Ok(found.unwrap_or(Value::Null).into())
        })
        .sync("multipart_parse", Bound::DATA, |context, args| {
            let mut charge = context.resources.charge(0, &context.budget)?;
            // Name, name of the file, type, and where in the body the content begins and ends, one part after the other.
            let mut flat = Vec::new();
            let parsed = multipart::parse(text(&args, 0)?, crate::bytes(&args, 1), |part| {
                if context.budget.is_stopped() {
                    return Err(OpError::new("Error", "the script was stopped"));
                }
                charge.grow(part.bytes(), &context.budget)?;
                flat.extend([
                    json!(part.name), json!(part.filename), json!(part.kind), json!(part.content.start), json!(part.content.end),
                ]);
                Ok(())
            });
            match parsed? {
                Some(()) => Ok(Value::Array(flat).into()),
                None => Err(OpError::type_error("the body is no form: it is not divided as its type says")),
            }
        })
        .sync("user_agent", Bound::SMALL, |_, _| Ok(json!(AGENT).into()))
        .sync("secret", Bound::SMALL, |context, args| {
            let name = text(&args, 0)?;
            let secrets = context.extensions.get::<Secrets>();
            let placeholder = secrets.as_ref().and_then(|secrets| secrets.placeholder(name));
            if let Some(why) = secrets.as_ref().and_then(|secrets| secrets.missing(name)) {
                return Err(OpError::new("Error", format!("the secret {name} is granted and has no value: {why}")));
            }
            placeholder.map(|placeholder| json!(placeholder).into()).ok_or_else(|| {
                let names: Vec<String> =
                    secrets.iter().flat_map(|secrets| secrets.iter()).map(|(name, _)| name.to_owned()).collect();
                Denied::new(format!("the secret {name:?}"), "a secret of this name").with_granted(names).into()
            })
        })
}

/// A body that nobody reads holds its connection no longer than the policy has it, whether or not anybody looks.
fn watch(context: &OpContext, args: &[OpValue], cancelled: CancellationToken, time: std::time::Duration) {
    let (resources, id) = (context.resources.clone(), number(args, 0).unwrap_or(0.0) as u32);
    tokio::spawn(async move {
        tokio::select! {
            () = cancelled.cancelled() => {}
            () = tokio::time::sleep(time + GRACE) => {
                cancelled.cancel();
                resources.remove(id);
            }
        }
    });
}
