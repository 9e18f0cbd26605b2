//! A program that has not prepared for commands. Alone in its process, which others prepare.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use perennial_sessions::commands::CommandSet;
use perennial_sessions::{RunRequest, SessionTable, TableConfig, use_supervisor};
use serde_json::json;

/// One test, since a program is named once in a process.
#[tokio::test]
async fn commands_are_off_and_say_what_is_missing_or_why_a_program_is_no_supervisor() {
    let commands = CommandSet::new().with_json("true", &json!({"run": ["true"]})).unwrap();
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.commands = commands));
    let message = async || table.run("s", RunRequest::new("await commands.run('true')")).await.error.unwrap().message;
    let off = message().await;
    assert!(off.contains("perennial::supervisor_main()") && off.contains("perennial::use_supervisor"), "{off}");
    assert!(use_supervisor("/bin/cat"));
    let wrong = message().await;
    assert!(wrong.contains("/bin/cat is not a supervisor of commands: it has ended"), "{wrong}");
    assert!(!use_supervisor("/bin/true"), "the first counts");
    assert_eq!(table.sessions()[0].commands, 0);
}
