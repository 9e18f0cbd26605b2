//! Secrets that scripts use and never see. A script has a placeholder; the value takes its place when a request leaves, for the places that the secret
//! names, and nowhere else.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
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
pub struct Secrets(Arc<Vec<Secret>>);

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
            let url = Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none());
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
        Ok(Self(Arc::new(secrets)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a script gets.
    pub(super) fn placeholder(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|secret| secret.name == name).map(|secret| &*secret.placeholder)
    }

    /// Puts values in the place of placeholders; `used` gets the values that were. A placeholder for another origin is refused.
    pub(super) fn fill(&self, text: &str, place: Place, url: &Url, used: &mut Vec<String>) -> Result<String, String> {
        if place == Place::Header
            && let Some((scheme, credentials)) = text.split_once(' ')
            && scheme.eq_ignore_ascii_case("basic")
            && let Some(inner) = BASE64.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            && inner.contains(PREFIX)
        {
            return Ok(format!("{scheme} {}", BASE64.encode(self.fill(&inner, Place::Raw, url, used)?)));
        }
        if !text.contains(PREFIX) {
            return Ok(text.to_owned());
        }
        let mut filled = text.to_owned();
        for secret in self.0.iter().filter(|secret| text.contains(&secret.placeholder)) {
            let origin = url.origin().ascii_serialization();
            if !secret.origins.contains(&origin) {
                return Err(format!("the secret {} for {origin}", secret.name));
            }
            filled = filled.replace(&secret.placeholder, &written(&secret.value, place));
            used.push(secret.value.clone());
        }
        Ok(filled)
    }

    /// What stands for a value where it comes back.
    pub(super) fn placeholder_of(&self, value: &str) -> &str {
        self.0.iter().find(|secret| secret.value == value).map_or("", |secret| &secret.placeholder)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|secret| &secret.name)).finish()
    }
}

/// A value as it is written in a place, so that it changes nothing around it.
fn written(value: &str, place: Place) -> String {
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

/// Takes values out of what comes back, also where one is cut in two.
pub(super) struct Scrubber {
    secrets: Secrets,
    values: Vec<String>,
    /// The end of what came, as long as it may be the beginning of a value.
    held: Vec<u8>,
}

impl Scrubber {
    pub(super) fn new(secrets: Secrets, values: Vec<String>) -> Option<Self> {
        (!values.is_empty()).then(|| Self { secrets, values, held: Vec::new() })
    }

    pub(super) fn text(&self, text: &str) -> String {
        self.values
            .iter()
            .fold(text.to_owned(), |text, value| text.replace(value.as_str(), self.secrets.placeholder_of(value)))
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], is_last: bool) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut out = Vec::with_capacity(all.len());
        let mut at = 0;
        while at < all.len() {
            let rest = &all[at..];
            if let Some(value) = self.values.iter().find(|value| rest.starts_with(value.as_bytes())) {
                out.extend_from_slice(self.secrets.placeholder_of(value).as_bytes());
                at += value.len();
            } else if !is_last && self.values.iter().any(|value| value.as_bytes().starts_with(rest)) {
                self.held = rest.to_vec();
                break;
            } else {
                out.push(all[at]);
                at += 1;
            }
        }
        out
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
        let (secrets, mut used) = (secrets(), Vec::new());
        let token = secrets.placeholder("token").expect("it is there");
        let mut fill =
            |text: &str, place, url: &str| secrets.fill(text, place, &Url::parse(url).expect("a URL"), &mut used);
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

    #[test]
    fn a_value_that_comes_back_is_taken_out_wherever_it_is_cut() {
        let secrets = secrets();
        let text = "x 0123456789 y 01234 0123456789";
        let expected = text.replace("0123456789", secrets.placeholder("other").expect("it is there"));
        for cut in 0..text.len() {
            let mut scrubber =
                Scrubber::new(secrets.clone(), vec!["0123456789".to_owned()]).expect("something to look for");
            let mut out = scrubber.bytes(&text.as_bytes()[..cut], false);
            out.extend(scrubber.bytes(&text.as_bytes()[cut..], false));
            out.extend(scrubber.bytes(b"", true));
            assert_eq!(String::from_utf8(out), Ok(expected.clone()), "{cut}");
        }
    }
}
