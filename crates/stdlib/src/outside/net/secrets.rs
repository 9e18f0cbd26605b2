//! Secrets that scripts use and never see. A script has a placeholder; the value takes its place when a request leaves, for the places that the secret
//! names, and nowhere else.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use url::Url;

/// Values shorter than this are found in anything.
const LEAST: usize = 8;
const PREFIX: &str = "perennial_secret_";

/// What scripts of a call may use as `perennial.secret(name)`. Cheap to clone.
///
/// ```
/// use perennial_stdlib::net::Secrets;
/// let secrets = Secrets::new().with("github", "ghp_0123456789", &["https://api.github.com"])?;
/// assert!(Secrets::new().with("x", "short", &["https://a.com"]).is_err());
/// # let _ = secrets;
/// # Ok::<(), perennial_stdlib::net::SecretError>(())
/// ```
#[derive(Clone, Default)]
pub struct Secrets(Arc<Vec<Secret>>, Arc<Vec<(String, String)>>);

#[derive(Clone)]
struct Secret {
    name: String,
    value: String,
    placeholder: String,
    /// Scheme, host and port.
    origins: Vec<String>,
}

/// A secret that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Names are made of letters, digits and `_`.
    #[error("{name:?} is no name of a secret: letters, digits and _ are")]
    Name {
        /// The name.
        name: String,
    },
    /// A value that is too short to be found again in a response, or that no header can carry.
    #[error("the value of the secret {name} has less than 8 bytes, or line breaks")]
    Value {
        /// The name of the secret.
        name: String,
    },
    /// What is no origin.
    #[error("{origin:?} is no origin for the secret {name}: https://api.example.com is one")]
    Origin {
        /// The name of the secret.
        name: String,
        /// As it was written.
        origin: String,
    },
}

/// Where in a request a placeholder stands, and so how its value is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header,
    Url,
    Form,
    Json,
    Raw,
}

impl Secrets {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more, for requests to these origins.
    ///
    /// # Errors
    /// If it could not be kept.
    pub fn with(self, name: &str, value: &str, origins: &[&str]) -> Result<Self, SecretError> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(SecretError::Name { name: name.to_owned() });
        }
        if value.len() < LEAST || value.chars().any(char::is_control) {
            return Err(SecretError::Value { name: name.to_owned() });
        }
        let origin = |text: &&str| {
            let is_bare = |url: &Url| {
                matches!(url.scheme(), "http" | "https")
                    && url.path() == "/"
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
                    && url.password().is_none()
            };
            let url = Url::parse(text).ok().filter(is_bare);
            url.map(|url| url.origin().ascii_serialization())
                .ok_or_else(|| SecretError::Origin { name: name.to_owned(), origin: (*text).to_owned() })
        };
        let origins = origins.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
        let mut random = [0; 16];
        // Without randomness nothing is granted: a placeholder that can be guessed is still no value.
        let _ = getrandom::fill(&mut random);
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let placeholder = format!("{PREFIX}{name}_{digits}");
        let mut secrets: Vec<Secret> = self.0.iter().filter(|secret| secret.name != name).cloned().collect();
        secrets.push(Secret { name: name.to_owned(), value: value.to_owned(), placeholder, origins });
        Ok(Self(Arc::new(secrets), self.1))
    }

    /// One whose value is not to be had: scripts that use it are told why.
    ///
    /// # Errors
    /// If it could not be kept.
    pub fn without_value(self, name: &str, why: &str) -> Result<Self, SecretError> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(SecretError::Name { name: name.to_owned() });
        }
        let mut missing = self.1.to_vec();
        missing.push((name.to_owned(), why.to_owned()));
        Ok(Self(self.0, Arc::new(missing)))
    }

    /// Why a secret that is granted has no value.
    pub(super) fn missing(&self, name: &str) -> Option<&str> {
        self.1.iter().find(|(missing, _)| missing == name).map(|(_, why)| &**why)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    /// The names, each with the origins that it is for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|secret| (&*secret.name, &*secret.origins))
    }

    /// What a script gets.
    pub(super) fn placeholder(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|secret| secret.name == name).map(|secret| &*secret.placeholder)
    }

    /// Puts values in the place of placeholders. A placeholder for another origin is refused, and so is a text that would have more than `most` bytes;
    /// `written` gets what was written for what, where no list of the forms of a value has it.
    pub(super) fn fill(
        &self,
        text: &str,
        place: Place,
        url: &Url,
        most: u64,
        written: &mut Vec<Written>,
    ) -> Result<String, Refused> {
        if place == Place::Header
            && let Some((scheme, credentials)) = text.split_once(' ')
            && scheme.eq_ignore_ascii_case("basic")
            && let Some(inner) = basic(credentials)
            && inner.contains(PREFIX)
        {
            let credentials = BASE64.encode(&inner);
            let sent = BASE64.encode(self.fill(&inner, Place::Raw, url, most, written)?);
            let bare = |text: &str| text.trim_end_matches('=').to_owned();
            written.push(Written::exactly(bare(&sent), bare(&credentials)));
            written.push(Written::exactly(sent.clone(), credentials));
            return Ok(format!("{scheme} {sent}"));
        }
        if !text.contains(PREFIX) {
            return Ok(text.to_owned());
        }
        let mut filled = text.to_owned();
        for secret in self.0.iter().filter(|secret| text.contains(&secret.placeholder)) {
            let origin = url.origin().ascii_serialization();
            if !secret.origins.contains(&origin) {
                return Err(Refused::Origin(format!("the secret {} for {origin}", secret.name)));
            }
            let value = in_place(&secret.value, place);
            let count = filled.matches(&secret.placeholder).count() as u64;
            let length = (filled.len() as u64).saturating_add(count.saturating_mul(value.len() as u64));
            if length > most.saturating_add(count * secret.placeholder.len() as u64) {
                return Err(Refused::TooLong);
            }
            filled = filled.replace(&secret.placeholder, &value);
        }
        Ok(filled)
    }

    /// What may come back from an origin and is not to be seen: the values of all secrets for it, in each form in which they are sent.
    fn forms(&self, url: &Url) -> Vec<Written> {
        let origin = url.origin().ascii_serialization();
        let secrets = self.0.iter().filter(|secret| secret.origins.contains(&origin));
        secrets.flat_map(|secret| forms_of(&secret.value, &secret.placeholder)).collect()
    }
}

/// The credentials of a Basic header, with or without its padding.
fn basic(credentials: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(credentials.trim().trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()
}

/// Why a request is not filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The secret, and the origin that it is not for.
    Origin(String),
    TooLong,
}

/// A form of a value, and what is shown in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    found: String,
    shown: String,
    /// Any byte of it may be percent-encoded, and a space a plus: which ones are, programs differ in.
    percent: bool,
}

/// How far the beginning of a text is a form.
enum Match {
    /// So many bytes of it.
    Whole(usize),
    /// All of the text, and more has to come.
    Begun,
    No,
}

impl Written {
    fn exactly(found: String, shown: String) -> Self {
        Self { found, shown, percent: false }
    }

    fn at_the_beginning_of(&self, text: &[u8]) -> Match {
        let mut at = 0;
        for &byte in self.found.as_bytes() {
            let rest = &text[at..];
            match rest {
                [] => return Match::Begun,
                [b'%', digits @ ..] if self.percent && digits.len() < 2 && digits.iter().all(u8::is_ascii_hexdigit) => {
                    return Match::Begun;
                }
                [b'%', high, low, ..] if self.percent && encoded(*high, *low) == Some(byte) => at += 3,
                [b'+', ..] if self.percent && byte == b' ' => at += 1,
                [first, ..] if *first == byte => at += 1,
                _ => return Match::No,
            }
        }
        Match::Whole(at)
    }

    fn may_begin_with(&self, byte: u8) -> bool {
        let first = self.found.as_bytes().first().copied();
        first == Some(byte) || self.percent && (byte == b'%' || byte == b'+' && first == Some(b' '))
    }
}

fn encoded(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// A value as it is sent, and as servers write what they were sent: percent-encoded in whichever way, in JSON with and without `\/`, in base64.
fn forms_of(value: &str, placeholder: &str) -> Vec<Written> {
    let json = in_place(value, Place::Json);
    let mut forms = vec![json.replace('/', "\\/"), json, STANDARD_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(value)];
    forms.sort();
    forms.dedup();
    let exact = forms.into_iter().map(|found| Written::exactly(found, placeholder.to_owned()));
    let percent = Written { found: value.to_owned(), shown: placeholder.to_owned(), percent: true };
    exact.chain([percent]).collect()
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|secret| &secret.name)).finish()
    }
}

/// A value as it is written in a place, so that it changes nothing around it.
fn in_place(value: &str, place: Place) -> String {
    match place {
        Place::Header | Place::Raw => value.to_owned(),
        Place::Url | Place::Form => {
            form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
        }
        Place::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    }
}

/// Takes values out of what comes back, also where one is cut in two. Of several that begin at one place the longest counts.
pub(super) struct Scrubber {
    forms: Vec<Written>,
    /// Bytes that one begins with.
    begins: [bool; 256],
    /// The end of what came, as long as it may be the beginning of a value.
    held: Vec<u8>,
}

impl Scrubber {
    /// For what comes back from an origin, to a request in which these stood.
    pub(super) fn new(secrets: &Secrets, url: &Url, written: Vec<Written>) -> Option<Self> {
        let mut forms = secrets.forms(url);
        forms.extend(written);
        let begins = std::array::from_fn(|byte| forms.iter().any(|form| form.may_begin_with(byte as u8)));
        (!forms.is_empty()).then(|| Self { forms, begins, held: Vec::new() })
    }

    /// For all of something.
    pub(super) fn whole(&self, bytes: &[u8]) -> Vec<u8> {
        self.scan(bytes, true).0
    }

    /// For the next piece.
    pub(super) fn bytes(&mut self, bytes: &[u8], is_last: bool) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let (out, held) = self.scan(&all, is_last);
        self.held = held.to_vec();
        out
    }

    /// What is to be seen, and the end that more has to come behind first.
    fn scan<'a>(&self, all: &'a [u8], is_last: bool) -> (Vec<u8>, &'a [u8]) {
        let mut out = Vec::with_capacity(all.len());
        let mut at = 0;
        while at < all.len() {
            let rest = &all[at..];
            if !self.begins[usize::from(rest[0])] {
                out.push(rest[0]);
                at += 1;
                continue;
            }
            let mut found: Option<(usize, &Written)> = None;
            for form in &self.forms {
                match form.at_the_beginning_of(rest) {
                    Match::Whole(length) if found.is_none_or(|(longest, _)| length > longest) => {
                        found = Some((length, form));
                    }
                    // It would be the longest.
                    Match::Begun if !is_last => return (out, rest),
                    Match::Whole(_) | Match::Begun | Match::No => {}
                }
            }
            match found {
                Some((length, form)) => {
                    out.extend_from_slice(form.shown.as_bytes());
                    at += length;
                }
                None => {
                    out.push(rest[0]);
                    at += 1;
                }
            }
        }
        (out, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let secrets = Secrets::new().with("token", "va/lue \"1\"", &["https://a.com"]).expect("a secret");
        secrets.with("other", "0123456789", &["https://b.com:8443"]).expect("another")
    }

    #[test]
    fn a_value_leaves_only_for_the_places_that_its_secret_names() {
        let (secrets, mut written) = (secrets(), Vec::new());
        let token = secrets.placeholder("token").expect("it is there");
        let mut fill = |text: &str, place, url: &str| {
            secrets.fill(text, place, &Url::parse(url).expect("a URL"), 1000, &mut written)
        };
        assert_eq!(
            fill(&format!("Bearer {token}"), Place::Header, "https://a.com/x"),
            Ok("Bearer va/lue \"1\"".to_owned())
        );
        assert_eq!(fill(&format!("?k={token}"), Place::Url, "https://a.com/x"), Ok("?k=va%2Flue%20%221%22".to_owned()));
        assert_eq!(
            fill(&format!("{{\"k\":\"{token}\"}}"), Place::Json, "https://a.com/x"),
            Ok("{\"k\":\"va/lue \\\"1\\\"\"}".to_owned())
        );
        let basic = format!("Basic {}", BASE64.encode(format!("me:{token}")));
        assert_eq!(
            fill(&basic, Place::Header, "https://a.com"),
            Ok(format!("Basic {}", BASE64.encode("me:va/lue \"1\"")))
        );
        for url in ["http://a.com", "https://a.com:444", "https://b.com:8443", "https://x.a.com"] {
            assert!(fill(token, Place::Header, url).is_err(), "{url}");
        }
        assert_eq!(
            fill("perennial_secret_token_00", Place::Header, "https://evil.com"),
            Ok("perennial_secret_token_00".to_owned())
        );
        assert!(!format!("{secrets:?}").contains("0123456789"));
    }

    fn b() -> Url {
        Url::parse("https://b.com:8443/x").expect("a URL")
    }

    /// What is seen of a text, however it is cut in two.
    fn seen(secrets: &Secrets, url: &Url, text: &str) -> String {
        let scrubber = || Scrubber::new(secrets, url, Vec::new()).expect("something to look for");
        let whole = scrubber().whole(text.as_bytes());
        for cut in 0..text.len() {
            let mut scrubber = scrubber();
            let mut out = scrubber.bytes(&text.as_bytes()[..cut], false);
            out.extend(scrubber.bytes(&text.as_bytes()[cut..], false));
            out.extend(scrubber.bytes(b"", true));
            assert_eq!(out, whole, "{cut}");
        }
        String::from_utf8(whole).expect("a text")
    }

    #[test]
    fn a_value_that_comes_back_is_taken_out_wherever_it_is_cut() {
        let secrets = secrets();
        let text = "x 0123456789 y 01234 0123456789";
        let expected = text.replace("0123456789", secrets.placeholder("other").expect("it is there"));
        assert_eq!(seen(&secrets, &b(), text), expected);
        assert!(Scrubber::new(&secrets, &Url::parse("https://c.com").expect("a URL"), Vec::new()).is_none());
    }

    #[test]
    fn a_value_is_taken_out_in_every_form_in_which_it_was_sent() {
        let secrets = secrets();
        let url = Url::parse("https://a.com/x").expect("a URL");
        let value = "va/lue \"1\"";
        for form in [
            value,
            "va%2Flue%20%221%22",
            "va%2flue%20%221%22",
            "va%2Flue+%221%22",
            "va/lue%20%221%22",
            "%76%61/lu%65+%221\"",
            "va/lue \\\"1\\\"",
            "va\\/lue \\\"1\\\"",
            &BASE64.encode(value),
        ] {
            let shown = seen(&secrets, &url, &format!("<{form}>"));
            assert!(shown.contains(PREFIX) && !shown.contains("lue"), "{form}: {shown}");
        }
        let token = secrets.placeholder("token").expect("it is there");
        let mut written = Vec::new();
        let basic = format!("Basic {}", BASE64.encode(format!("me:{token}")));
        let sent = secrets.fill(&basic, Place::Header, &url, 1000, &mut written).expect("it is for this origin");
        let scrubber = Scrubber::new(&secrets, &url, written).expect("something to look for");
        assert_eq!(scrubber.whole(sent.as_bytes()), basic.as_bytes());
    }

    #[test]
    fn what_a_value_has_of_percent_signs_itself_is_no_encoding() {
        let value = "a%41%zz% %2";
        let secrets = Secrets::new().with("odd", value, &["https://b.com:8443"]).expect("a secret");
        for form in [value, "a%2541%25zz%25%20%252", "a%2541%zz%25+%252"] {
            let shown = seen(&secrets, &b(), &format!("%{form}%2"));
            assert!(shown.starts_with("%perennial_secret_") && shown.ends_with("%2"), "{form}: {shown}");
        }
        assert_eq!(seen(&secrets, &b(), "aA%zz% %2 a%41%zz"), "aA%zz% %2 a%41%zz");
    }

    #[test]
    fn where_one_value_begins_another_the_longest_is_taken_out() {
        let secrets = Secrets::new().with("short", "abcdefgh", &["https://b.com:8443"]).expect("a secret");
        let secrets = secrets.with("long", "abcdefgh-ijkl", &["https://b.com:8443"]).expect("another");
        let [short, long] = ["short", "long"].map(|name| secrets.placeholder(name).expect("it is there"));
        assert_eq!(seen(&secrets, &b(), "abcdefgh abcdefgh-ijkl abcdefgh-ij"), format!("{short} {long} {short}-ij"));
    }

    #[test]
    fn a_text_that_would_become_too_long_is_refused_before_it_is_made() {
        let secrets = Secrets::new().with("long", &"v".repeat(2000), &["https://b.com:8443"]).expect("a secret");
        let text = secrets.placeholder("long").expect("it is there").repeat(100);
        let fill = |most| secrets.fill(&text, Place::Raw, &b(), most, &mut Vec::new());
        assert_eq!(fill(100_000), Err(Refused::TooLong));
        assert_eq!(fill(200_000).map(|text| text.len()), Ok(200_000));
    }
}
