//! `perennial batch`: requests from a file or standard input, with a progress line where that can be seen.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use perennial_server::{BatchError, BatchOptions, Progress, serve_batch};
use perennial_sessions::SessionTable;
use perennial_sessions::files::Artifacts;

use crate::Exit;
use crate::args::Batch;
use crate::output;

/// How often the progress line is written.
const SHOWN: Duration = Duration::from_millis(100);

pub(crate) async fn batch(table: &SessionTable, command: Batch, artifacts: Option<Artifacts>) -> Exit {
    let input: Box<dyn Read + Send> = if command.file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        match File::open(&command.file) {
            Ok(file) => Box::new(file),
            Err(error) => {
                output::complain(&format!("{}: {error}", command.file.display()));
                return Exit::Failed;
            }
        }
    };
    let mut options = BatchOptions::default();
    options.concurrency = usize::from(command.concurrency);
    options.artifacts = artifacts;
    options.may_reload = true;
    let shown = Arc::new(Mutex::new((Instant::now(), Progress::default())));
    let on_terminal = io::stderr().is_terminal() && !io::stdout().is_terminal();
    if on_terminal {
        let shown = shown.clone();
        options.on_answer = Some(Arc::new(move |progress: &Progress| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.1 = *progress;
            if shown.0.elapsed() >= SHOWN {
                shown.0 = Instant::now();
                show(progress);
            }
        }));
    }
    let served = serve_batch(table.local(), input, io::stdout(), options).await;
    if on_terminal {
        show(&shown.lock().unwrap_or_else(PoisonError::into_inner).1);
        let _ = writeln!(io::stderr());
    }
    match served {
        Ok(()) => Exit::Ok,
        // A reader that has had enough is no error worth a word.
        Err(BatchError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Failed,
        Err(error) => {
            output::complain(&error.to_string());
            Exit::Failed
        }
    }
}

fn show(progress: &Progress) {
    let Progress { answered, failed, under_way, .. } = progress;
    let _ = write!(io::stderr(), "\r{answered} answered, {failed} failed, {under_way} under way \u{1b}[K");
}
