//! Bodies of the type `multipart/form-data`, as browsers write them: <https://andreubotella.github.io/multipart-form-data/>.

use std::ops::Range;

/// One entry of a form.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Of a file.
    pub filename: Option<String>,
    /// Its type, if it says one.
    pub kind: Option<String>,
    /// Where in the body what it holds is.
    pub content: Range<usize>,
}

impl Part {
    /// Bytes that it takes outside of the body, roughly.
    pub fn bytes(&self) -> usize {
        const VALUES: usize = 5 * 72;
        let texts = [Some(&self.name), self.filename.as_ref(), self.kind.as_ref()];
        VALUES + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

/// Gives each part to `each`; `None` if the body is not what its boundary says.
///
/// # Errors
/// The first error of `each`, which ends it.
pub fn parse<E>(boundary: &str, body: &[u8], mut each: impl FnMut(Part) -> Result<(), E>) -> Result<Option<()>, E> {
    let mut parts = Parts::new(boundary, body);
    loop {
        match parts.as_mut().and_then(Parts::next) {
            Some(Some(part)) => each(part)?,
            Some(None) => return Ok(Some(())),
            None => return Ok(None),
        }
    }
}

struct Parts<'a> {
    body: &'a [u8],
    rest: &'a [u8],
    separator: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn new(boundary: &str, body: &'a [u8]) -> Option<Self> {
        if boundary.is_empty() || boundary.len() > 70 {
            return None;
        }
        let line = [b"--", boundary.as_bytes()].concat();
        let separator = [b"\r\n", line.as_slice()].concat();
        let rest = body.strip_prefix(line.as_slice())?;
        Some(Self { body, rest, separator })
    }

    /// The next part, or nothing at the end.
    fn next(&mut self) -> Option<Option<Part>> {
        let mut rest = self.rest;
        if let Some(end) = rest.strip_prefix(b"--") {
            return matches!(end, b"" | b"\r\n").then_some(None);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let (mut name, mut filename, mut kind) = (None, None, None);
        loop {
            let end = find(rest, b"\r\n")?;
            let (header, after) = (&rest[..end], &rest[end + 2..]);
            rest = after;
            if header.is_empty() {
                break;
            }
            let colon = header.iter().position(|byte| *byte == b':')?;
            let value = header[colon + 1..].trim_ascii();
            match header[..colon].to_ascii_lowercase().as_slice() {
                b"content-disposition" => (name, filename) = disposition(value)?,
                b"content-type" => kind = Some(String::from_utf8_lossy(value).into_owned()),
                _ => {}
            }
        }
        let end = find(rest, &self.separator)?;
        let start = self.body.len() - rest.len();
        self.rest = &rest[end + self.separator.len()..];
        let kind = kind.filter(|_| filename.is_some());
        Some(Some(Part { name: name?, filename, kind, content: start..start + end }))
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// `form-data; name="…"; filename="…"`
fn disposition(value: &[u8]) -> Option<(Option<String>, Option<String>)> {
    let mut rest = value.strip_prefix(b"form-data").or_else(|| value.strip_prefix(b"Form-Data"))?.trim_ascii_start();
    let (mut name, mut filename) = (None, None);
    while let Some(more) = rest.strip_prefix(b";") {
        let more = more.trim_ascii_start();
        let equals = more.iter().position(|byte| *byte == b'=')?;
        let key = more[..equals].trim_ascii().to_ascii_lowercase();
        let quoted = more[equals + 1..].strip_prefix(b"\"")?;
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        let text = unescaped(&quoted[..end]);
        match key.as_slice() {
            b"name" => name = Some(text),
            b"filename" => filename = Some(text),
            _ => {}
        }
        rest = quoted[end + 1..].trim_ascii_start();
    }
    rest.is_empty().then_some((name, filename))
}

fn unescaped(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace("%0A", "\n").replace("%0D", "\r").replace("%22", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(boundary: &str, body: &[u8]) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        let parsed = parse(boundary, body, |part| {
            parts.push(part);
            Ok::<(), std::convert::Infallible>(())
        });
        parsed.unwrap_or_default().map(|()| parts)
    }

    #[test]
    fn what_browsers_write_is_read_and_nothing_that_is_cut() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b\r\ncontent-type: text/x\r\nContent-Disposition: form-data; name=\"f%22\"; filename=\"x.txt\"\r\n\r\n--x\r\n--b--\r\n";
        let parts = all("b", body).expect("a form");
        let content = |part: &Part| &body[part.content.clone()];
        assert_eq!((parts[0].name.as_str(), &parts[0].filename, content(&parts[0])), ("a", &None, &b"one"[..]));
        assert_eq!(content(&parts[1]), b"--x");
        assert_eq!(
            (parts[1].name.as_str(), parts[1].filename.as_deref(), parts[1].kind.as_deref()),
            ("f\"", Some("x.txt"), Some("text/x"))
        );
        for cut in 0..body.len() - 2 {
            assert_eq!(all("b", &body[..cut]), None, "{cut}");
        }
        for bad in [
            &b"--b\r\n\r\nx\r\n--b--"[..],
            b"--b\r\nno colon\r\n\r\nx\r\n--b--",
            b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--",
            b"x--b--",
            b"--b--more",
        ] {
            assert_eq!(all("b", bad), None);
        }
        assert_eq!(all("b", b"--b--\r\n"), Some(Vec::new()));
    }
}
