//! Cookies of one session. They are the host's that set them alone, whatever `Domain` says: nothing here knows which suffixes are public.

use std::collections::BTreeMap;
use std::time::SystemTime;

use cookie::{Cookie, SameSite};
use url::Url;

/// Cookies of one host, hosts, and bytes of one cookie.
const MAX_PER_HOST: usize = 50;
const MAX_HOSTS: usize = 200;
const MAX_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Jar {
    hosts: BTreeMap<String, Vec<Stored>>,
}

#[derive(Debug)]
struct Stored {
    name: String,
    value: String,
    path: String,
    secure: bool,
    expires: Option<SystemTime>,
}

impl Jar {
    /// The value of a `Cookie` header.
    pub(super) fn header(&mut self, url: &Url) -> Option<String> {
        let cookies = self.hosts.get_mut(url.host_str()?)?;
        let now = SystemTime::now();
        cookies.retain(|cookie| cookie.expires.is_none_or(|at| at > now));
        let mut fitting: Vec<&Stored> = cookies
            .iter()
            .filter(|cookie| path_matches(&cookie.path, url.path()) && (!cookie.secure || url.scheme() == "https"))
            .collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Takes up what a response sets; what does not parse is not there.
    pub(super) fn set(&mut self, url: &Url, header: &str) {
        let (Some(host), Ok(cookie)) = (url.host_str(), Cookie::parse(header)) else { return };
        if header.len() > MAX_BYTES || cookie.name().is_empty() {
            return;
        }
        let is_https = url.scheme() == "https";
        let secure = cookie.secure().unwrap_or(false) || cookie.same_site() == Some(SameSite::None);
        let (name, path) = (
            cookie.name().to_owned(),
            cookie.path().filter(|path| path.starts_with('/')).map_or_else(|| default_path(url), str::to_owned),
        );
        let bound = name.starts_with("__Host-") && (path != "/" || cookie.domain().is_some());
        if ((cookie.secure().unwrap_or(false) || name.starts_with("__Secure-") || name.starts_with("__Host-"))
            && !is_https)
            || bound
        {
            return;
        }
        let now = SystemTime::now();
        let until = |seconds: i64| now.checked_add(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let expires = match (cookie.max_age(), cookie.expires_datetime()) {
            (Some(age), _) => Some(until(age.whole_seconds()).unwrap_or(now)),
            (None, Some(at)) => Some(SystemTime::from(at)),
            (None, None) => None,
        };
        if !self.hosts.contains_key(host) && self.hosts.len() >= MAX_HOSTS {
            return;
        }
        let cookies = self.hosts.entry(host.to_owned()).or_default();
        cookies.retain(|known| known.name != name || known.path != path);
        if expires.is_some_and(|at| at <= now) {
            return;
        }
        if cookies.len() >= MAX_PER_HOST {
            cookies.remove(0);
        }
        cookies.push(Stored { name, value: cookie.value().to_owned(), path, secure, expires });
    }
}

/// <https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4>
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

fn path_matches(cookie: &str, path: &str) -> bool {
    path.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_its_host_its_path_and_its_scheme_only() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let mut jar = Jar::default();
        jar.set(&url("https://a.com/x/y"), "id=1; Secure");
        jar.set(&url("https://a.com/x/y"), "all=2; Path=/; Domain=com");
        jar.set(&url("https://a.com/"), "gone=3; Max-Age=0");
        jar.set(&url("http://a.com/"), "__Secure-z=4");
        jar.set(&url("https://a.com/"), &format!("big={}", "x".repeat(5000)));
        assert_eq!(jar.header(&url("https://a.com/x/z")).as_deref(), Some("id=1; all=2"));
        assert_eq!(jar.header(&url("http://a.com/x/z")).as_deref(), Some("all=2"));
        assert_eq!(jar.header(&url("https://a.com/xx")).as_deref(), Some("all=2"));
        assert_eq!(jar.header(&url("https://b.com/")), None);
        assert_eq!(jar.header(&url("https://sub.a.com/")), None);
        jar.set(&url("https://a.com/x/y"), "id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(jar.header(&url("https://a.com/x/z")).as_deref(), Some("all=2"));
        for index in 0..100 {
            jar.set(&url("https://c.com/"), &format!("n{index}=1"));
        }
        assert_eq!(jar.header(&url("https://c.com/")).map(|header| header.split(';').count()), Some(MAX_PER_HOST));
    }
}
