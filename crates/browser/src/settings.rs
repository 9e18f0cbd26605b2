//! What pages are told to do beside showing something: what is told of them, and what they are made to believe.

use std::sync::Arc;

use perennial_stdlib::browser::{BrowserError, Credentials, Emulation, Failure, Geolocation, Interest};
use serde_json::{Map, Value, json};

use crate::page::Page;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) interest: Interest,
    /// `None` is where it is, `Some(None)` nowhere.
    pub(crate) place: Option<Option<Geolocation>>,
    pub(crate) offline: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) credentials: Vec<Credentials>,
}

impl Settings {
    /// Chromium does these only where it tells of requests.
    fn needs_network(&self) -> bool {
        self.interest.network || self.offline || !self.headers.is_empty()
    }

    /// Requests wait to be let through, and whether servers that ask who it is are answered here.
    fn needs_fetch(&self) -> Option<bool> {
        let answers = !self.credentials.is_empty();
        (answers || self.interest.routes).then_some(answers)
    }

    /// What an emulation changes, if it is one that pages have.
    pub(crate) fn change(&mut self, emulation: &Emulation) -> bool {
        match emulation {
            Emulation::Geolocation { place } => self.place = Some(*place),
            Emulation::Offline { offline } => self.offline = *offline,
            Emulation::Headers { headers } => self.headers.clone_from(headers),
            Emulation::Credentials { credentials } => self.credentials.clone_from(credentials),
            _ => return false,
        }
        true
    }
}

impl Page {
    /// Tells the page what differs from before. Its next action waits until that holds: where it is told in the middle of a navigation, the next document's renderer would begin without.
    pub(crate) fn configure(self: &Arc<Self>, change: impl FnOnce(&mut Settings)) {
        let (before, after) = self.change_settings(change);
        let mut calls = Vec::new();
        let mut tell = |method: &str, params: Value| calls.push(self.call(method, params));
        let changes = |of: fn(&Settings) -> bool| (of(&before) != of(&after)).then(|| of(&after));
        match changes(Settings::needs_network) {
            // What it keeps of bodies is bounded: all, and one.
            Some(true) => tell(
                "Network.enable",
                json!({ "maxTotalBufferSize": 32 << 20, "maxResourceBufferSize": 16 << 20, "maxPostDataSize": 64 << 10 }),
            ),
            Some(false) => tell("Network.disable", json!({})),
            None => {}
        }
        if before.needs_fetch() != after.needs_fetch() {
            match after.needs_fetch() {
                Some(answers) => {
                    tell("Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }], "handleAuthRequests": answers }));
                }
                None => tell("Fetch.disable", json!({})),
            }
        }
        if let Some(enabled) = changes(|settings| settings.interest.choosers) {
            tell("Page.setInterceptFileChooserDialog", json!({ "enabled": enabled }));
        }
        if let Some(offline) = changes(|settings| settings.offline) {
            tell(
                "Network.emulateNetworkConditions",
                json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 }),
            );
        }
        if before.headers != after.headers {
            tell("Network.setExtraHTTPHeaders", json!({ "headers": by_name(&after.headers) }));
        }
        if before.place != after.place {
            match after.place {
                Some(Some(Geolocation { latitude, longitude, accuracy })) => tell(
                    "Emulation.setGeolocationOverride",
                    json!({ "latitude": latitude, "longitude": longitude, "accuracy": accuracy }),
                ),
                Some(None) => tell("Emulation.setGeolocationOverride", json!({})),
                None => tell("Emulation.clearGeolocationOverride", json!({})),
            }
        }
        self.await_first(calls);
    }
}

fn by_name(headers: &[(String, String)]) -> Map<String, Value> {
    headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}

/// What Chromium calls a permission.
pub(crate) fn permission(name: &str) -> Result<&'static str, BrowserError> {
    const NAMES: &[(&str, &str)] = &[
        ("accelerometer", "sensors"),
        ("ambient-light-sensor", "sensors"),
        ("background-sync", "backgroundSync"),
        ("camera", "videoCapture"),
        ("clipboard-read", "clipboardReadWrite"),
        ("clipboard-write", "clipboardSanitizedWrite"),
        ("geolocation", "geolocation"),
        ("gyroscope", "sensors"),
        ("magnetometer", "sensors"),
        ("microphone", "audioCapture"),
        ("midi", "midi"),
        ("notifications", "notifications"),
        ("payment-handler", "paymentHandler"),
        ("storage-access", "storageAccess"),
    ];
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, theirs)| *theirs).ok_or_else(|| {
        let known: Vec<&str> = NAMES.iter().map(|(known, _)| *known).collect();
        BrowserError::new(Failure::Invalid, format!("there is no permission {name:?}, but {}", known.join(", ")))
    })
}
