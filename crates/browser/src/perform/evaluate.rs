//! Scripts of scripts in the page, in the world of the page's own.

use perennial_stdlib::browser::{Answer, BrowserError, Failure, Handle, Target};
use serde_json::{Value, json};

use super::{failed, steps, try_on_elements, value_of};
use crate::page::{Asked, Deadline, Page, Spot};

pub(super) struct Source {
    pub(super) text: String,
    pub(super) is_function: bool,
    /// The first argument is the list of all elements.
    pub(super) all: bool,
    pub(super) handles: Vec<Handle>,
    /// The first argument is the first handle.
    pub(super) has_subject: bool,
    /// The result stays in the page.
    pub(super) keeps: bool,
}

/// What is kept of a run's is in this group, and goes with the run.
pub(crate) const KEPT: &str = "kept";

/// Values cross as JSON in which objects of one such key are something else: one of the script's own is `$own` then. The other half is in `browser-locator.ts`.
const CODEC: &str = r#"
// A page's own globals may be anything: what is needed of them is taken from values.
const { keys, entries, fromEntries } = ({}).constructor, isList = [].constructor.isArray;
let room = 16 << 20;
const path = [];
const encode = (value) => {
  room -= typeof value === "string" ? value.length : 8;
  if (room < 0) throw "what the page returns is larger than 16777216 characters: return less";
  switch (typeof value) {
    case "undefined": case "function": case "symbol": return { $undefined: true };
    case "bigint": return { $bigint: `${value}` };
    case "number": return value - value === 0 && (value !== 0 || 1 / value > 0) ? value : { $number: value === 0 ? "-0" : `${value}` };
    case "object": break;
    default: return value;
  }
  if (value === null) return null;
  if (path.includes(value)) throw "what the page returns has itself in it";
  path.push(value);
  try {
    if (isList(value)) return value.map(encode);
    switch (({}).toString.call(value)) {
      case "[object Date]": return { $date: value.getTime() };
      case "[object RegExp]": return { $regexp: { source: value.source, flags: value.flags } };
      case "[object Error]": case "[object DOMException]": return { $error: { name: value.name, message: value.message } };
      case "[object URL]": return value.href;
      case "[object Map]": return { $map: [...value].map(([key, item]) => [encode(key), encode(item)]) };
      case "[object Set]": return { $set: [...value].map(encode) };
      case "[object Window]": return "ref: <Window>";
    }
    if (typeof value.nodeType === "number" && typeof value.nodeName === "string") return "ref: <" + value.nodeName + ">";
    if (typeof value.toJSON === "function") return encode(value.toJSON());
    const copy = {};
    for (const key of keys(value)) if (typeof value[key] !== "function" && value[key] !== undefined) copy[key] = encode(value[key]);
    const [name, ...more] = keys(copy);
    return more.length === 0 && name?.startsWith("$") ? { $own: [name, copy[name]] } : copy;
  } finally {
    path.pop();
  }
};
const decode = (value, handles) => {
  if (typeof value !== "object" || value === null) return value;
  const each = (item) => decode(item, handles);
  if (isList(value)) return value.map(each);
  const names = keys(value);
  if (names.length === 1) {
    const inner = value[names[0]];
    switch (names[0]) {
      case "$undefined": return undefined;
      case "$handle": return handles[inner];
      case "$number": return +inner;
      case "$bigint": return BigInt(inner);
      case "$date": return new Date(inner);
      case "$regexp": return new RegExp(inner.source, inner.flags);
      case "$map": return new Map(inner.map(([key, item]) => [each(key), each(item)]));
      case "$set": return new Set(inner.map(each));
      case "$bytes": return Uint8Array.from(atob(inner), (unit) => unit.charCodeAt(0));
      case "$own": return { [inner[0]]: each(inner[1]) };
      case "$error": return Object.assign(new Error(inner.message), { name: inner.name });
    }
  }
  return fromEntries(entries(value).map(([key, item]) => [key, each(item)]));
};
"#;

/// A function of ours that needs no arguments, in a frame's document.
pub(super) async fn in_frame(page: &Page, frame: &str, function: &str) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(super::UNTIMED);
    loop {
        let spot = page.spot(frame, false, deadline).await?;
        let call = page.call(
            "Runtime.callFunctionOn",
            json!({ "functionDeclaration": function, "executionContextId": spot.context, "returnByValue": true }),
        );
        let answer = tokio::select! {
            answer = call => answer,
            error = page.until::<()>(deadline, "the page to answer", |_| None) => return Err(error.err().unwrap_or_else(crate::page::closed)),
        };
        match value_of(answer) {
            Ok(value) => return Ok(Answer::Value(value)),
            Err(Asked::Again) if !deadline.is_over() => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

pub(super) async fn evaluate(
    page: &Page,
    target: &Target,
    source: &Source,
    argument: Value,
) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(target.timeout);
    let text = &source.text;
    let has_subject = source.has_subject || !target.selector.is_empty();
    let given = if has_subject { "subject, decode(argument, handles)" } else { "decode(argument, handles)" };
    let calls = match source.is_function {
        true => format!("await own({given})"),
        // An expression that is a function is called.
        false => format!("await (typeof value === 'function' ? value({given}) : value)"),
    };
    let result = if source.keeps { calls } else { format!("encode({calls})") };
    // The script's own function stands where it sees no name of ours.
    let own = if source.is_function { text.as_str() } else { "undefined" };
    let function = format!(
        "((own) => async function(subject, argument, value, ...handles) {{ {CODEC} return {result}; }})((\n{own}\n))"
    );
    let (spot, subject) = loop {
        let subject = match subject(page, target, source.all, deadline).await {
            Ok(subject) => subject,
            Err(Asked::Again) if !deadline.is_over() => continue,
            Err(error) => return Err(super::explained(page, target, failed(error))),
        };
        break subject;
    };
    let mut handles = Vec::with_capacity(source.handles.len());
    for handle in &source.handles {
        let object = match handle {
            Handle::Object { object } => object.clone(),
            Handle::Element { frame, selector } => {
                let target =
                    Target { frame: frame.clone(), selector: selector.clone(), strict: true, ..target.clone() };
                let found = self::subject(page, &target, false, deadline).await;
                let found = found.map_err(|error| super::explained(page, &target, failed(error)))?;
                if found.0.context != spot.context {
                    return Err(BrowserError::new(
                        Failure::Failed,
                        "an element of another frame is not handed to this one",
                    ));
                }
                found.1.unwrap_or_default()
            }
        };
        handles.push(json!({ "objectId": object }));
    }
    let subject = match subject {
        Some(object) => json!({ "objectId": object }),
        None if source.has_subject => handles.first().cloned().unwrap_or_default(),
        None => json!({}),
    };
    // What is no function may be statements, too.
    let value = match source.is_function {
        true => json!({}),
        false => {
            let call = page.call(
                "Runtime.evaluate",
                json!({ "expression": text, "contextId": spot.context, "userGesture": true }),
            );
            let answer = call.await;
            let object = answer.as_ref().ok().map(|answer| argument_of(&answer["result"]));
            value_of(answer).map_err(failed)?;
            object.unwrap_or_default()
        }
    };
    let arguments: Vec<Value> = [subject, json!({ "value": argument }), value].into_iter().chain(handles).collect();
    let mut params = json!({
        "functionDeclaration": function, "executionContextId": spot.context, "arguments": arguments,
        "awaitPromise": true, "returnByValue": !source.keeps, "userGesture": true,
    });
    if source.keeps {
        params["objectGroup"] = KEPT.into();
        page.keeps();
    }
    let answer = page.call("Runtime.callFunctionOn", params).await;
    let result = answer.as_ref().map_or(Value::Null, |answer| answer["result"].clone());
    match value_of(answer) {
        Ok(_) if source.keeps => kept(page, &spot, &result).await.map(Answer::Value),
        Ok(value) => Ok(Answer::Value(value)),
        Err(Asked::Again) => {
            Err(BrowserError::new(Failure::Failed, "the page went elsewhere while the script ran in it"))
        }
        Err(error) => Err(failed(error)),
    }
}

/// What a script has of a result that stays in the page.
async fn kept(page: &Page, spot: &Spot, result: &Value) -> Result<Value, BrowserError> {
    let Some(object) = result["objectId"].as_str().filter(|_| result["subtype"] == "node") else {
        return Ok(kept_as(result));
    };
    // Elements are known by references, which our own script gives them.
    let ours = page.spot(&spot.frame, false, Deadline::after(10_000)).await?;
    let node = super::called(page.call("DOM.describeNode", json!({ "objectId": object }))).await?;
    let params = json!({ "backendNodeId": node["node"]["backendNodeId"], "executionContextId": ours.context });
    let adopted = super::called(page.call("DOM.resolveNode", params)).await?;
    let refer = json!({
        "functionDeclaration": "function() { return this.nodeType === 1 ? __perennial.referenceOf(this) : null; }",
        "objectId": adopted["object"]["objectId"], "returnByValue": true,
    });
    let reference = value_of(page.call("Runtime.callFunctionOn", refer).await).map_err(failed)?;
    page.tell("Runtime.releaseObject", &json!({ "objectId": adopted["object"]["objectId"] }));
    if reference.is_null() {
        return Ok(json!({ "object": object, "said": result["description"] }));
    }
    page.tell("Runtime.releaseObject", &json!({ "objectId": object }));
    Ok(json!({ "element": reference }))
}

/// What the browser says of something, as a handle of it.
pub(crate) fn kept_as(said: &Value) -> Value {
    if let Some(object) = said["objectId"].as_str() {
        return json!({ "object": object, "said": said["description"] });
    }
    let number = said["unserializableValue"].as_str();
    let value = match (crate::page::text(&said["type"]), number) {
        ("undefined", _) => json!({ "$undefined": true }),
        ("bigint", Some(number)) => json!({ "$bigint": number.trim_end_matches('n') }),
        (_, Some(number)) => json!({ "$number": number }),
        (_, None) => said["value"].clone(),
    };
    json!({ "value": value })
}

/// A result as an argument of the next call.
fn argument_of(result: &Value) -> Value {
    match (result.get("objectId"), result.get("unserializableValue")) {
        (Some(object), _) => json!({ "objectId": object }),
        (None, Some(value)) => json!({ "unserializableValue": value }),
        (None, None) => result.get("value").map_or(json!({}), |value| json!({ "value": value })),
    }
}

/// Where a script is to run, and the elements that it is given.
async fn subject(page: &Page, target: &Target, all: bool, deadline: Deadline) -> Result<(Spot, Option<String>), Asked> {
    if target.selector.is_empty() {
        return Ok((page.spot(&page.frame(target.frame.as_ref()), true, deadline).await?, None));
    }
    let name = if all { "elements" } else { "element" };
    let (_, spot) = try_on_elements(page, target, name, &Value::Null, deadline).await?;
    let main = page.spot(&spot.frame, true, deadline).await?;
    if steps(&target.selector).last().is_some_and(|last| last.is_empty()) {
        return Ok((main, None));
    }
    // Elements are of all worlds; what refers to them is not, so it crosses by the browser's own number of the node.
    let take = |function: &str| {
        page.call(
            "Runtime.callFunctionOn",
            json!({ "functionDeclaration": function, "executionContextId": spot.context }),
        )
    };
    let object = |answer: Result<Value, crate::pipe::CallError>| {
        let object = answer.as_ref().ok().and_then(|answer| answer["result"]["objectId"].as_str()).map(str::to_owned);
        object.ok_or(answer)
    };
    let adopt = async |object: &str| {
        let node = super::called(page.call("DOM.describeNode", json!({ "objectId": object }))).await?;
        let params = json!({ "backendNodeId": node["node"]["backendNodeId"], "executionContextId": main.context });
        let adopted = super::called(page.call("DOM.resolveNode", params)).await?;
        Ok::<_, BrowserError>(crate::page::text(&adopted["object"]["objectId"]).to_owned())
    };
    if !all {
        let found = match object(take("() => __perennial.takeElements()[0]").await) {
            Ok(found) => found,
            Err(answer) => return value_of(answer).and(Err(Asked::Again)),
        };
        return Ok((main.clone(), Some(adopt(&found).await?)));
    }
    let list = match object(take("() => __perennial.takeElements()").await) {
        Ok(list) => list,
        Err(answer) => return value_of(answer).and(Err(Asked::Again)),
    };
    let properties =
        super::called(page.call("Runtime.getProperties", json!({ "objectId": list, "ownProperties": true }))).await?;
    let mut arguments = Vec::new();
    for property in properties["result"].as_array().into_iter().flatten() {
        let is_item = property["name"].as_str().is_some_and(|name| name.parse::<usize>().is_ok());
        if let (true, Some(item)) = (is_item, property["value"]["objectId"].as_str()) {
            arguments.push(json!({ "objectId": adopt(item).await? }));
        }
    }
    let gathered = page.call(
        "Runtime.callFunctionOn",
        json!({ "functionDeclaration": "(...elements) => elements", "executionContextId": main.context, "arguments": arguments }),
    );
    match object(gathered.await) {
        Ok(gathered) => Ok((main, Some(gathered))),
        Err(answer) => value_of(answer).and(Err(Asked::Again)),
    }
}
