//! What must hold for every input. `fuzz/` looks for one for which it does not, without end; the tests here for a bounded time.

use url::Url;

use crate::files::VirtualPath;
use crate::net::{self, NetLimits, NetPolicy};
use crate::url::href_of;

/// Paths are resolved by their text, stay below the root, and mean the same when they are written out.
pub fn path(base: &str, text: &str) {
    let Ok(base) = VirtualPath::parse(&VirtualPath::default(), base) else { return };
    let Ok(path) = VirtualPath::parse(&base, text) else { return };
    assert!(
        path.names().iter().all(|name| !matches!(&**name, "" | "." | "..") && !name.contains(['/', '\0'])),
        "{path}"
    );
    assert_eq!(VirtualPath::parse(&VirtualPath::default(), &path.to_string()).as_ref(), Ok(&path));
}

/// URLs are written as they will be read, and the parser that decides what may be reached sees no other host, port, path or user in them.
pub fn url(text: &str, base: Option<&str>) {
    let Some(href) = href_of(text, base) else { return };
    assert_eq!(href_of(&href, None).as_deref(), Some(&*href), "{text:?}");
    if href.starts_with("http://") || href.starts_with("https://") {
        let seen = Url::parse(&href).unwrap_or_else(|error| panic!("{href:?}: {error}"));
        assert_eq!(seen.as_str(), href, "{text:?}");
    }
}

/// A policy permits by `https` and `http` alone, to nobody with a name and a password, and none but the hosts that one of its rules names.
pub fn policy(rule: &str, method: &str, target: &str) {
    let (Ok(policy), Ok(target)) = (NetPolicy::parse(&[rule], NetLimits::default()), Url::parse(target)) else {
        return;
    };
    if policy.rule(method, &target).is_err() {
        return;
    }
    assert!(matches!(target.scheme(), "http" | "https"), "{rule:?} {target}");
    assert!(target.username().is_empty() && target.password().is_none(), "{rule:?} {target}");
    let host = target.host_str().unwrap_or("");
    let end = host.split_once('.').map_or("", |(_, end)| end);
    // A rule is written with the host, or with everything below one that the host is in.
    let named = [host, end, host.rsplit_once('.').map_or(host, |(_, top)| top)];
    assert!(named.iter().any(|name| !name.is_empty() && idna_text(rule).contains(name)), "{rule:?} {target}");
}

/// As hosts are written in a URL.
fn idna_text(rule: &str) -> String {
    let lower = rule.to_lowercase();
    let hosts = lower.split(['/', ' ', '@', '?']).filter_map(|part| {
        let host = part.trim_start_matches("*.");
        Url::parse(&format!("http://{host}")).ok().and_then(|url| url.host_str().map(str::to_owned))
    });
    hosts.fold(lower.clone(), |all, host| all + " " + &host)
}

/// What a form is divided into is part of it.
pub fn multipart(boundary: &str, body: &[u8]) {
    let Some(parts) = net::multipart_parts(boundary, body) else { return };
    assert!(parts.iter().map(|part| part.len()).sum::<usize>() <= body.len());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop_oneof![8 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)], 0..most)
            .prop_map(|pieces| pieces.concat())
    }

    const PATH: &[&str] =
        &["/", "//", ".", "..", "a", "b.txt", " ", "\\", "\u{e9}", "e\u{301}", "\0", "~", "%2e", "..."];
    const URL: &[&str] = &[
        "http:",
        "https:",
        "file:",
        "data:",
        "ws:",
        "non-spec:",
        "//",
        "/",
        "\\",
        "?",
        "#",
        "@",
        ":",
        "a",
        "b.c",
        "localhost",
        "127.0.0.1",
        "0x7f",
        "1",
        "[::1]",
        "[",
        "]",
        "..",
        ".",
        "%2e",
        "%2F",
        "%00",
        "C:",
        "C|",
        "\t",
        "\n",
        " ",
        "xn--",
        "\u{fc}",
        "\u{3002}",
        "\u{ad}",
        "^",
        "|",
        "'",
        "\"",
        "<",
        "65536",
        "80",
        "443",
        "%",
        "%zz",
        "&",
        "=",
        "+",
        ";",
        "\u{1f4a9}",
    ];
    const RULE: &[&str] = &[
        "GET ",
        "GET,POST ",
        "https://",
        "http://",
        "*",
        "*.",
        "example.com",
        "a",
        ".",
        ":",
        "80",
        "443",
        "/",
        "/v1",
        "..",
        " @10.0.0.0/8",
        "@",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "\u{fc}",
        "user@",
        "?",
        "#",
        " ",
        "xn--",
    ];
    const FORM: &[&str] = &[
        "--b",
        "--b--",
        "\r\n",
        "\r",
        "\n",
        "Content-Disposition: form-data; name=\"a\"",
        "; filename=\"f\"",
        "Content-Type: text/plain",
        "\r\n\r\n",
        "x",
        "\"",
        "--",
        "form-data",
        ":",
        ";",
        "name=",
        "\\\"",
        "%22",
    ];

    #[test]
    fn a_host_that_is_too_long_when_it_is_written_is_none() {
        // Four bytes become ten.
        let text = format!("https://{}", "a\u{15b}.".repeat(700));
        assert_eq!(href_of(&text, None), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn paths_hold_what_they_promise(base in of(PATH, 6), text in of(PATH, 12)) {
            path(&base, &text);
        }

        #[test]
        fn urls_hold_what_they_promise(text in of(URL, 12), base in proptest::option::of(of(URL, 8))) {
            url(&text, base.as_deref());
        }

        #[test]
        fn policies_hold_what_they_promise(rule in of(RULE, 7), text in of(URL, 8)) {
            policy(&rule, "GET", &text);
            policy(&rule, "GET", &format!("https://{text}"));
            policy(&format!("https://example.com{rule}"), "GET", &format!("https://example.com{text}"));
        }

        #[test]
        fn forms_hold_what_they_promise(body in of(FORM, 24)) {
            multipart("b", body.as_bytes());
        }
    }
}
