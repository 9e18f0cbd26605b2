//! A program that starts no processes. Alone in its process, which others prepare.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use perennial_sessions::{RunRequest, SessionTable, TableConfig};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_proven_to_be_cheap_runs_however_long_and_the_rest_says_how_to_lift_that() {
    let table = SessionTable::with_config(TableConfig::default());
    let run = async |source: String| table.run("s", RunRequest::new(source)).await;
    let long = "{ const f = (a: number): number => a < 3 ? (a) : a / 2; f(1); }\n".repeat(10_000);
    let honest = run(format!("{long}const f = (a: number) => a / 2; f(8)")).await;
    assert_eq!(honest.value, Some(json!(4)), "{:?}", honest.error);
    let refused = run(format!("{}x", "<a>x?".repeat(60))).await.error.unwrap();
    assert_eq!(refused.kind.as_str(), "invalid_request");
    assert!(refused.message.contains("perennial::supervisor_main()"), "{}", refused.message);
    let mut request = RunRequest::new(format!("0 && [{}]", "{a:1,b:[1]},".repeat(300_000)));
    request.memory_bytes = Some(64 << 20);
    let large = table.run("s", request).await.error.unwrap();
    assert_eq!((large.kind.as_str(), large.limit), ("invalid_request", Some(64 << 20)), "{}", large.message);
    // Mistakes are told as such.
    for (source, message) in [
        ("if (1) {", "unexpected end of the script"),
        ("let x = 'a", "unterminated string"),
        ("f(1))", "expected"),
        ("let \u{a0}é = 1; let \\u0061b = @", "expected ident"),
    ] {
        let error = run(source.to_owned()).await.error.unwrap();
        assert_eq!(error.kind.as_str(), "syntax", "{source}: {}", error.message);
        assert!(error.message.contains(message), "{source}: {}", error.message);
    }
}
