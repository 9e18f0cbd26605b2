use perennial_browser::ChromiumSession;
use perennial_stdlib::browser::{Action, Answer, BrowserError, Driver, Failure};
use serde_json::{Value, json};

use super::common::chromium;

async fn act(session: &ChromiumSession, action: Value) -> Result<Value, BrowserError> {
    let action: Action = serde_json::from_value(action).unwrap();
    match session.perform(action).await? {
        Answer::Value(value) => Ok(value),
        Answer::Bytes(bytes) => Ok(bytes.len().into()),
    }
}

async fn show(session: &ChromiumSession, html: &str) {
    act(session, json!({ "do": "setContent", "page": 1, "html": html, "wait": "load", "timeout": 10000 }))
        .await
        .unwrap();
}

fn role(role: &str, name: &str) -> Value {
    json!([{ "by": "role", "role": role, "name": { "text": name, "exact": false } }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clicks_fills_and_reads() {
    let session = chromium().session("ada");
    show(&session, "<label>Name <input id=n></label><button onclick=\"out.textContent = 'hello ' + n.value\">Greet</button><p id=out></p>").await;
    let label = json!([{ "by": "label", "text": "Name", "exact": false }]);
    act(
        &session,
        json!({ "do": "fill", "page": 1, "selector": label, "strict": true, "timeout": 2000, "value": "Ada" }),
    )
    .await
    .unwrap();
    act(&session, json!({ "do": "click", "page": 1, "selector": role("button", "Greet"), "strict": true, "timeout": 2000, "clicks": 1 })).await.unwrap();
    let out = json!([{ "by": "css", "css": "#out" }]);
    let text = act(
        &session,
        json!({ "do": "query", "page": 1, "selector": out, "strict": true, "timeout": 2000, "what": "textContent" }),
    )
    .await;
    assert_eq!(text, Ok("hello Ada".into()));
    let snapshot = act(&session, json!({ "do": "snapshot", "page": 1, "most": 10000, "isDiff": false, "urls": false }))
        .await
        .unwrap();
    assert_eq!(
        snapshot["text"],
        "- text: Name\n- textbox \"Name\" [e1]: \"Ada\"\n- button \"Greet\" [focused] [e2]\n- text: hello Ada"
    );
    let missing = act(&session, json!({ "do": "click", "page": 1, "selector": role("button", "Leave"), "strict": true, "timeout": 300, "clicks": 1 })).await;
    let error = missing.unwrap_err();
    assert_eq!(error.kind, Failure::Timeout);
    assert!(error.log.iter().any(|line| line.contains("names of this role here: \"Greet\"")), "{error:?}");
}
