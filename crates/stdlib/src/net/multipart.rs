//! Bodies of the type `multipart/form-data`, as browsers write them: <https://andreubotella.github.io/multipart-form-data/>.

/// One entry of a form.
#[derive(Debug, PartialEq)]
pub struct Part<'a> {
    /// Its name.
    pub name: String,
    /// Of a file.
    pub filename: Option<String>,
    /// Its type, if it says one.
    pub kind: Option<String>,
    /// What it holds.
    pub content: &'a [u8],
}

/// All parts; `None` if the body is not what its boundary says.
pub fn parse<'a>(boundary: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let line = [b"--", boundary.as_bytes()].concat();
    let separator = [b"\r\n", line.as_slice()].concat();
    let mut rest = body.strip_prefix(line.as_slice())?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return matches!(end, b"" | b"\r\n").then_some(parts);
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
        let end = find(rest, &separator)?;
        let content = &rest[..end];
        rest = &rest[end + separator.len()..];
        let kind = kind.filter(|_| filename.is_some());
        parts.push(Part { name: name?, filename, kind, content });
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

    #[test]
    fn what_browsers_write_is_read_and_nothing_that_is_cut() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b\r\ncontent-type: text/x\r\nContent-Disposition: form-data; name=\"f%22\"; filename=\"x.txt\"\r\n\r\n--x\r\n--b--\r\n";
        let parts = parse("b", body).expect("a form");
        assert_eq!(parts[0], Part { name: "a".into(), filename: None, kind: None, content: b"one" });
        assert_eq!(parts[1].content, b"--x");
        assert_eq!(
            (parts[1].name.as_str(), parts[1].filename.as_deref(), parts[1].kind.as_deref()),
            ("f\"", Some("x.txt"), Some("text/x"))
        );
        for cut in 0..body.len() - 2 {
            assert_eq!(parse("b", &body[..cut]), None, "{cut}");
        }
        for bad in [
            &b"--b\r\n\r\nx\r\n--b--"[..],
            b"--b\r\nno colon\r\n\r\nx\r\n--b--",
            b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--",
            b"x--b--",
            b"--b--more",
        ] {
            assert_eq!(parse("b", bad), None);
        }
        assert_eq!(parse("b", b"--b--\r\n"), Some(Vec::new()));
    }
}
