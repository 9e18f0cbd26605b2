use std::sync::Arc;

use perennial_sessions::{RunContext, ScriptResult};
use tokio::sync::mpsc::unbounded_channel;

use crate::output;

/// Runs a script and shows its console while it runs; the result holds what has not been shown.
pub(crate) async fn shown(run: impl AsyncFnOnce(RunContext) -> ScriptResult, context: RunContext) -> ScriptResult {
    // What a run may write is bounded, so this is, too. The script's thread does not wait for whoever reads.
    let (sender, mut entries) = unbounded_channel();
    let context = context.on_console(Arc::new(move |entry| _ = sender.send(entry.clone())));
    let mut run = std::pin::pin!(run(context));
    let mut result = loop {
        tokio::select! {
            Some(entry) = entries.recv() => output::console(&entry),
            result = &mut run => break result,
        }
    };
    while let Ok(entry) = entries.try_recv() {
        output::console(&entry);
    }
    result.console.retain(|entry| entry.background);
    result
}
