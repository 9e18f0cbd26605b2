//! From the bytes of a file to what a graph holds of it.

use std::path::Path;
use std::sync::Arc;

use super::inner::{ImportError, ImportErrorKind, Kind, Request};
use super::json;
use crate::commonjs::looks_like_commonjs;
use crate::node::Content;
use crate::parse::Language;
use crate::prepare::Prepared;
use crate::task::{PrepareError, Preparer, prepare_commonjs, prepare_module};

/// What is in a file. `name` is what positions call it.
pub(super) fn content(
    path: &Path,
    kind: Kind,
    name: &str,
    bytes: Vec<u8>,
    request: &Request<'_>,
    preparer: &dyn Preparer,
) -> Result<Content, ImportError> {
    if kind == Kind::Bytes {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
        return Ok(Content::Data(Prepared::generated(format!("export default Uint8Array.fromBase64(\"{encoded}\");"))));
    }
    let Ok(source) = String::from_utf8(bytes) else {
        return Err(request.error(
            ImportErrorKind::WrongKind,
            format!("{name} is no UTF-8 text; `with {{ type: \"bytes\" }}` imports any file"),
        ));
    };
    let wrong = |error: PrepareError| match error {
        PrepareError::Source(error) => {
            request.error(ImportErrorKind::Syntax, format!("{error}\n{}", error.render(name, &source)))
        }
        PrepareError::Denied(denied) => request.error(ImportErrorKind::Limit, denied.to_string()),
    };
    let language = match path.extension().and_then(|extension| extension.to_str()) {
        Some("ts" | "mts") => Language::TypeScript,
        _ => Language::JavaScript,
    };
    let module =
        |source: &str| prepare_module(source, language, preparer).map(|text| Content::EsModule(Arc::new(text)));
    let commonjs = |source: &str| prepare_commonjs(source, preparer).map(|text| Content::CommonJs(Arc::new(text)));
    match kind {
        Kind::EsModule => module(&source).map_err(wrong),
        Kind::CommonJs if path.extension().is_some_and(|extension| extension == "cjs") => {
            commonjs(&source).map_err(wrong)
        }
        // What imports or exports does not parse as CommonJS. What parses as neither is taken for a module with a mistake.
        Kind::CommonJs | Kind::Either => {
            let first_commonjs = kind == Kind::CommonJs || looks_like_commonjs(&source);
            let first = if first_commonjs { commonjs(&source) } else { module(&source) };
            match first {
                Err(PrepareError::Source(_)) if first_commonjs => module(&source).map_err(wrong),
                Err(PrepareError::Source(error)) => match commonjs(&source) {
                    Err(PrepareError::Source(_)) => Err(wrong(error.into())),
                    second => second.map_err(wrong),
                },
                first => first.map_err(wrong),
            }
        }
        Kind::Json => {
            let text = source.strip_prefix('\u{feff}').unwrap_or(&source);
            match json::module(text) {
                Ok(module) => Ok(Content::Data(Prepared::generated(module))),
                Err(error) => Err(request.error(ImportErrorKind::Syntax, format!("{name} is no valid JSON: {error}"))),
            }
        }
        Kind::Text => {
            let text = serde_json::Value::from(source).to_string();
            Ok(Content::Data(Prepared::generated(format!("export default {text};"))))
        }
        Kind::Bytes => unreachable!("returned above"),
    }
}
