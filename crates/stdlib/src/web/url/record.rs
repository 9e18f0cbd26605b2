//! What a URL consists of, and how it is written: <https://url.spec.whatwg.org/#url-representation>.

use serde_json::Value;
use url::Host;

/// A URL: <https://url.spec.whatwg.org/#concept-url>. The crate `url` has another idea of `file:` URLs and of paths that begin with `//`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) scheme: String,
    pub(super) username: String,
    pub(super) password: String,
    /// As it is written; empty is not the same as none.
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) path: Path,
    pub(super) query: Option<String>,
    pub(super) fragment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// One text that nothing is relative to.
    Opaque(String),
    Segments(Vec<String>),
}

impl Default for Path {
    fn default() -> Self {
        Self::Segments(Vec::new())
    }
}

/// The port that a special scheme has unless it is written; `None` for schemes that are not special.
pub(super) fn special_port(scheme: &str) -> Option<Option<u16>> {
    match scheme {
        "http" | "ws" => Some(Some(80)),
        "https" | "wss" => Some(Some(443)),
        "ftp" => Some(Some(21)),
        "file" => Some(None),
        _ => None,
    }
}

pub(super) fn is_special(scheme: &str) -> bool {
    special_port(scheme).is_some()
}

/// No name that is resolved has more than 253 bytes, written in ASCII; percent-encoded it may be longer.
const MAX_HOST: usize = 4 << 10;

/// <https://url.spec.whatwg.org/#concept-host-parser>
pub(super) fn host(input: &str, special: bool) -> Option<String> {
    // What a name is made of is decoded label by label, in the square of their lengths.
    if special && input.len() > MAX_HOST {
        return None;
    }
    let parsed = if special { Host::parse(input) } else { Host::parse_opaque(input) };
    // Written out it may be longer, and has to be read again.
    parsed.ok().map(|host| host.to_string()).filter(|host| !special || host.len() <= MAX_HOST)
}

/// <https://url.spec.whatwg.org/#windows-drive-letter>
pub(super) fn is_drive_letter(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

fn is_normal_drive_letter(text: &str) -> bool {
    is_drive_letter(text) && text.ends_with(':')
}

impl Record {
    pub(super) fn is_special(&self) -> bool {
        is_special(&self.scheme)
    }

    pub(super) fn has_credentials(&self) -> bool {
        !self.username.is_empty() || !self.password.is_empty()
    }

    /// Whether it may have no user, no password and no port.
    pub(super) fn is_bare(&self) -> bool {
        self.host.as_deref().is_none_or(str::is_empty) || self.scheme == "file"
    }

    pub(super) fn segments(&mut self) -> &mut Vec<String> {
        if let Path::Opaque(_) = self.path {
            self.path = Path::default();
        }
        match &mut self.path {
            Path::Segments(segments) => segments,
            Path::Opaque(_) => unreachable!("replaced above"),
        }
    }

    /// The drive letter that a path of a `file:` URL begins with.
    pub(super) fn drive_letter(&self) -> Option<&String> {
        match &self.path {
            Path::Segments(segments) => segments.first().filter(|first| is_normal_drive_letter(first)),
            Path::Opaque(_) => None,
        }
    }

    /// <https://url.spec.whatwg.org/#shorten-a-urls-path>
    pub(super) fn shorten(&mut self) {
        let is_file = self.scheme == "file";
        let segments = self.segments();
        if !(is_file && segments.len() == 1 && is_normal_drive_letter(&segments[0])) {
            segments.pop();
        }
    }

    fn port_text(&self) -> String {
        self.port.map_or_else(String::new, |port| port.to_string())
    }

    fn host_and_port(&self) -> String {
        let host = self.host.as_deref().unwrap_or("");
        if self.port.is_some() { format!("{host}:{}", self.port_text()) } else { host.to_owned() }
    }

    fn pathname(&self) -> String {
        match &self.path {
            Path::Opaque(path) => path.clone(),
            Path::Segments(segments) => segments.iter().fold(String::new(), |path, segment| path + "/" + segment),
        }
    }

    /// The URL as it is written.
    #[cfg(feature = "net")]
    pub(super) fn href(&self) -> String {
        self.written().text
    }

    /// <https://url.spec.whatwg.org/#concept-url-serializer>
    fn written(&self) -> Written {
        let mut to = Written { text: String::with_capacity(128), parts: [(0, 0); PARTS] };
        to.add(&self.scheme);
        to.add(":");
        if let Some(host) = &self.host {
            to.add("//");
            if self.has_credentials() {
                to.parts[USERNAME] = to.add(&self.username);
                if !self.password.is_empty() {
                    to.add(":");
                    to.parts[PASSWORD] = to.add(&self.password);
                }
                to.add("@");
            }
            to.parts[HOSTNAME] = to.add(host);
            to.parts[HOST] = to.parts[HOSTNAME];
            if self.port.is_some() {
                to.add(":");
                to.parts[PORT] = to.add(&self.port_text());
                to.parts[HOST].1 = to.parts[PORT].1;
            }
        } else if matches!(&self.path, Path::Segments(segments) if segments.len() > 1 && segments[0].is_empty()) {
            to.add("/.");
        }
        let start = to.text.len();
        match &self.path {
            Path::Opaque(path) => _ = to.add(path),
            Path::Segments(segments) => segments.iter().for_each(|segment| {
                to.add("/");
                to.add(segment);
            }),
        }
        to.parts[PATHNAME] = (start, to.text.len());
        for (part, mark, text) in [(SEARCH, "?", &self.query), (HASH, "#", &self.fragment)] {
            let Some(text) = text else { continue };
            let (start, _) = to.add(mark);
            let (_, end) = to.add(text);
            // A mark with nothing behind it is written, and not told.
            if !text.is_empty() {
                to.parts[part] = (start, end);
            }
        }
        to
    }

    /// <https://url.spec.whatwg.org/#concept-url-origin>
    fn origin(&self) -> String {
        match self.scheme.as_str() {
            "http" | "https" | "ws" | "wss" | "ftp" => format!("{}://{}", self.scheme, self.host_and_port()),
            "blob" => {
                let inner = super::parse::parse(&self.pathname(), None);
                inner
                    .filter(|url| matches!(&*url.scheme, "http" | "https"))
                    .map_or_else(|| "null".to_owned(), |url| url.origin())
            }
            _ => "null".to_owned(),
        }
    }

    /// What the getters of <https://url.spec.whatwg.org/#api> give, as `url.ts` takes it: the URL as it is written, its origin if that is more than scheme and host, and where in
    /// the text each part begins and ends. All of it is ASCII, so that bytes are what JavaScript counts.
    pub(super) fn parts(&self) -> Value {
        let Written { text, parts } = self.written();
        let origin = match self.scheme.as_str() {
            "http" | "https" | "ws" | "wss" | "ftp" => Value::Null,
            _ => self.origin().into(),
        };
        let mut all = Vec::with_capacity(3 + 2 * PARTS);
        all.extend([text.into(), origin, (self.scheme.len() + 1).into()]);
        all.extend(parts.into_iter().flat_map(|(start, end)| [Value::from(start), Value::from(end)]));
        Value::Array(all)
    }
}

const USERNAME: usize = 0;
const PASSWORD: usize = 1;
const HOSTNAME: usize = 2;
const HOST: usize = 3;
const PORT: usize = 4;
const PATHNAME: usize = 5;
const SEARCH: usize = 6;
const HASH: usize = 7;
const PARTS: usize = 8;

/// A URL as it is written, and where in it its parts begin and end.
struct Written {
    text: String,
    parts: [(usize, usize); PARTS],
}

impl Written {
    fn add(&mut self, part: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.push_str(part);
        (start, self.text.len())
    }
}
