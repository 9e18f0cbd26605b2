use perennial_stdlib::net::{NetLimits, NetPolicy};
use serde_json::Value;

use crate::capability::{Capability, PluginHost, check_texts, texts, texts_within};

/// `net`, and `ctx.fetch`: hosts that a plugin may reach, by https unless `http://` stands before them: `api.example.com`, `*.example.com`, either with
/// `:port`.
pub(super) struct NetCapability;

impl Capability for NetCapability {
    type Grant = NetPolicy;

    fn key(&self) -> &'static str {
        "net"
    }

    fn context_key(&self) -> &'static str {
        "fetch"
    }

    fn maker(&self) -> &'static str {
        "fetchFor"
    }

    fn check(&self, asked: &Value) -> Result<(), Vec<String>> {
        check_texts(asked, |host| {
            is_host(host).then_some(()).ok_or(
                "no host: `api.example.com`, `*.example.com` or either with `:port` is wanted, perhaps behind http://",
            )
        })
    }

    fn items(&self, asked: &Value) -> Vec<String> {
        texts(asked)
    }

    fn within(&self, asked: &Value, most: &Value) -> (Value, Value) {
        texts_within(asked, most, covers_host)
    }

    fn grant(&self, granted: &Value, _: &Value, _: &PluginHost<'_>) -> Result<NetPolicy, String> {
        NetPolicy::parse(&texts(granted), NetLimits::default()).map_err(|error| format!("allow.net: {error}"))
    }

    fn methods(&self) -> &'static [&'static str] {
        &["fetch"]
    }
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port)))
}

fn is_host(text: &str) -> bool {
    let (host, port) = split_port(text.strip_prefix("http://").unwrap_or(text));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.len() <= 253
        && host.split('.').all(label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Whether a pattern takes in all that another does.
fn covers_host(most: &str, host: &str) -> bool {
    let (most, host) = match (most.strip_prefix("http://"), host.strip_prefix("http://")) {
        (Some(most), Some(host)) => (most, host),
        (None, None) => (most, host),
        _ => return false,
    };
    let ((most, most_port), (host, port)) = (split_port(most), split_port(host));
    if most_port.is_some() && most_port != port {
        return false;
    }
    let (most, host) = (most.to_ascii_lowercase(), host.to_ascii_lowercase());
    match most.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == most,
    }
}
