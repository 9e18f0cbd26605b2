//! What scripts produced, as resources of the protocol: `artifact:///NAME`.

use perennial_sessions::files::Artifacts;
use rmcp::ErrorData;
use rmcp::model::{ContentBlock, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents};

const SCHEME: &str = "artifact:///";
/// Of one that is read. It goes out as one line.
const MAX_READ: u64 = 4 << 20;
/// Of those that are listed at once.
const PAGE: usize = 500;

/// A link to one, for an answer.
pub(crate) fn link(name: &str, bytes: u64) -> ContentBlock {
    ContentBlock::resource_link(resource(name, bytes))
}

/// Some of those that there are, from a cursor on, and the next cursor.
pub(crate) fn page(artifacts: &Artifacts, cursor: Option<&str>) -> (Vec<Resource>, Option<String>) {
    let from: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let all = artifacts.list();
    let page = all.iter().skip(from).take(PAGE).map(|file| resource(&file.name, file.bytes)).collect();
    (page, (all.len() > from.saturating_add(PAGE)).then(|| (from + PAGE).to_string()))
}

fn resource(name: &str, bytes: u64) -> Resource {
    let resource = Resource::new(uri(name), name).with_size(bytes);
    match mime_type(name) {
        Some(mime_type) => resource.with_mime_type(mime_type),
        None => resource,
    }
}

/// Reads one. Blocks.
pub(crate) fn read(artifacts: &Artifacts, uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let name = uri.strip_prefix(SCHEME).and_then(decoded).ok_or_else(|| missing(uri))?;
    let file = artifacts.list().into_iter().find(|file| file.name == name).ok_or_else(|| missing(uri))?;
    if file.bytes > MAX_READ {
        let message = format!("{uri} has {} bytes, more than the {MAX_READ} that are read at once", file.bytes);
        return Err(ErrorData::invalid_params(message, None));
    }
    let bytes = artifacts.read(&name).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    // Control characters would be six times as long.
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\n\r\t".contains(byte);
    let contents = match String::from_utf8(bytes) {
        Ok(text) if !text.as_bytes().iter().any(is_control) => ResourceContents::text(text, uri),
        other => {
            use base64::Engine as _;
            let bytes = other.map_or_else(|error| error.into_bytes(), String::into_bytes);
            ResourceContents::blob(base64::engine::general_purpose::STANDARD.encode(bytes), uri)
        }
    };
    let contents = match mime_type(&name) {
        Some(mime_type) => contents.with_mime_type(mime_type),
        None => contents,
    };
    Ok(ReadResourceResult::new(vec![contents]).into())
}

pub(crate) fn missing(uri: &str) -> ErrorData {
    ErrorData::resource_not_found(format!("there is no resource {uri:?}"), None)
}

/// A name in an address: what may not stand in one is written by its bytes.
fn uri(name: &str) -> String {
    let mut uri = SCHEME.to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// The name in an address.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut name = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        name.push(if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(name).ok()
}

/// By the end of the name, for the kinds that clients show.
fn mime_type(name: &str) -> Option<&'static str> {
    let (_, end) = name.rsplit_once('.')?;
    Some(match end.to_ascii_lowercase().as_str() {
        "css" => "text/css",
        "csv" => "text/csv",
        "gif" => "image/gif",
        "html" | "htm" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "md" => "text/markdown",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" | "log" => "text/plain",
        "webp" => "image/webp",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_out_of_their_addresses() {
        for name in ["a.txt", "in/ä b.png", "100%.csv", "a?b#c"] {
            let uri = uri(name);
            assert!(uri.is_ascii() && !uri.contains(['?', '#', ' ']), "{uri}");
            assert_eq!(uri.strip_prefix(SCHEME).and_then(decoded).as_deref(), Some(name));
        }
        assert_eq!(decoded("%zz"), None);
        assert_eq!(decoded("%F"), None);
    }
}
