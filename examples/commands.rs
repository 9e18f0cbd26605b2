//! A session that keeps a program running over several runs, one of which loses its VM.
//!
//! `cargo run -p perennial --example commands`

use perennial::commands::{CommandSet, Declaration, Run};
use perennial::{RunRequest, SessionTable, TableConfig};
use serde_json::json;

#[tokio::main]
async fn work() -> Result<(), Box<dyn std::error::Error>> {
    let mut echo = Declaration::new(Run::Argv(vec!["cat".into()]));
    echo.persistent = true;
    let commands = CommandSet::new().with_environment(std::env::vars()).with("echo", echo)?;
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.commands = commands));

    let script =
        "const { id } = await commands.start('echo'); vars.set('echo', id); await commands.write(id, 'from run 1\\n')";
    let first = table.run("ada", RunRequest::new(script)).await;
    assert!(first.is_ok(), "{:?}", first.error);
    let stopped = table.run("ada", RunRequest::new("for (;;) {}").with_timeout_ms(50)).await;
    assert_eq!(stopped.error.as_ref().map(|error| error.kind.as_str()), Some("timeout"));

    let script =
        "const id = vars.get('echo'); await commands.write(id, 'from run 3\\n'); await commands.write(id, null);
        await commands.wait(id); commands.logs(id).lines.map((line) => line.text)";
    let third = table.run("ada", RunRequest::new(script)).await;
    assert_eq!(third.value, Some(json!(["from run 1", "from run 3"])), "{:?}", third.error);
    #[expect(clippy::print_stdout, reason = "an example shows something")]
    {
        println!("what runs saw three runs and lost no line, though the VM was rebuilt ({:?})", third.rebuilt_because);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Commands are started by this program, started again; there this does not return.
    perennial::supervisor_main();
    work()
}
