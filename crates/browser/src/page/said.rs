//! What pages write to their console, and what their scripts throw.

use perennial_stdlib::browser::{ConsoleMessage, PageError};
use serde_json::Value;

use super::network::cut;
use super::text;

/// Characters of a message. What a page says beyond that no one reads.
const MOST: usize = 4 << 10;
const MAX_URL: usize = 1 << 10;
/// What is told of what a message was written with.
const MAX_ARGS: usize = 20;

pub(super) fn message(params: &Value) -> ConsoleMessage {
    let mut words = Vec::new();
    for argument in params["args"].as_array().into_iter().flatten() {
        words.push(word(argument));
    }
    let frame = &params["stackTrace"]["callFrames"][0];
    let number = |name: &str| frame[name].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    ConsoleMessage {
        kind: text(&params["type"]).to_owned(),
        text: cut(&words.join(" "), MOST),
        url: cut(text(&frame["url"]), MAX_URL),
        line: number("lineNumber"),
        column: number("columnNumber"),
        args: params["args"].as_array().into_iter().flatten().take(MAX_ARGS).map(argument).collect(),
    }
}

/// One thing as a handle of it.
fn argument(value: &Value) -> Value {
    let mut told = crate::perform::evaluate::kept_as(value);
    for text in ["value", "said"] {
        if let Some(long) = told[text].as_str().filter(|text| text.len() > MOST) {
            told[text] = cut(long, MOST).into();
        }
    }
    told
}

/// One thing as a word or two, as far as the browser's preview of it goes.
fn word(value: &Value) -> String {
    if let Some(plain) = value.get("value") {
        return plain.as_str().map_or_else(|| plain.to_string(), str::to_owned);
    }
    if let Some(number) = value["unserializableValue"].as_str() {
        return number.to_owned();
    }
    let properties = || value["preview"]["properties"].as_array().into_iter().flatten();
    if value["subtype"] == "array" && value.get("preview").is_some() {
        let mut items = Vec::new();
        for property in properties() {
            let Ok(index) = text(&property["name"]).parse::<usize>() else { continue };
            if items.len() < index {
                items.push(format!("empty x {}", index - items.len()));
            }
            items.push(text(&property["value"]).to_owned());
        }
        return format!("[{}]", items.join(", "));
    }
    match value["description"].as_str() {
        Some("Object") if value.get("preview").is_some() => {
            let properties = properties().map(|of| format!("{}: {}", text(&of["name"]), text(&of["value"])));
            format!("{{{}}}", properties.collect::<Vec<_>>().join(", "))
        }
        Some(description) => description.to_owned(),
        None => text(&value["type"]).to_owned(),
    }
}

pub(super) fn thrown(details: &Value) -> PageError {
    let thrown = &details["exception"];
    if thrown.is_null() {
        // Of functions that a script has handed to the page the browser only says a line.
        let said = text(&details["text"]);
        let said = said.strip_prefix("Uncaught ").unwrap_or(said);
        let (name, message) = said.split_once(": ").filter(|(name, _)| name.ends_with("Error")).unwrap_or(("", said));
        return PageError { name: cut(name, MAX_URL), message: cut(message, MOST), stack: cut(said, MOST) };
    }
    if thrown["subtype"] != "error" {
        return PageError { message: cut(&word(thrown), MOST), ..PageError::default() };
    }
    let said = text(&thrown["description"]);
    let head = said.find("\n    at ").map_or(said, |end| &said[..end]);
    let (name, message) = head.split_once(": ").unwrap_or((head, ""));
    PageError { name: cut(name, MAX_URL), message: cut(message, MOST), stack: cut(said, MOST) }
}
