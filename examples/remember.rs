//! One session, several scripts, one of which is stopped: what is kept, and what is said to be lost.
//!
//! `cargo run -p perennial --example remember`

use std::time::Duration;

use perennial::{RunRequest, SessionTable};
use serde_json::json;

#[tokio::main]
async fn main() {
    let table = SessionTable::new(100, Duration::from_secs(600));

    // Globals stay in the session's VM, vars stay with the session.
    let result = table
        .run(
            "ada",
            RunRequest::new("globalThis.seen = [args.page]; vars.set('visits', 1)").with_args(json!({"page": "home"})),
        )
        .await;
    assert!(result.is_ok());

    // A script that never ends is stopped, and costs the session its VM.
    let result = table.run("ada", RunRequest::new("for (;;) {}").with_timeout_ms(50)).await;
    assert_eq!(result.error.as_ref().map(|error| error.kind.as_str()), Some("timeout"));

    // The next run says so. The vars are still there.
    let result = table.run("ada", RunRequest::new("return [typeof seen, vars.get('visits')]")).await;
    assert_eq!(result.lost_globals, ["seen"]);
    assert_eq!(result.value, Some(json!(["undefined", 1])));
    #[expect(clippy::print_stdout, reason = "an example shows something")]
    {
        println!("{}", serde_json::to_string_pretty(&result).expect("results are JSON"));
    }
}
