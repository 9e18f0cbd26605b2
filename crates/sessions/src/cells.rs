use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use perennial_bundler::{PrepareError, Prepared, SourceError, prepare_cell_with};
use perennial_engine::{MakeProgram, Origin, Program};
use perennial_protocol::{ErrorKind, ScriptError};

use crate::info::CacheCounts;
use crate::preparer::LimitedPreparer;

/// Bytes of cells that are kept ready, at the most twice this.
const KEPT_BYTES: usize = 8 << 20;

/// What an entry takes besides its texts, roughly.
const ENTRY: usize = 600;

/// Cells made ready, by their source: whoever sends the same again does not wait for it to be parsed.
#[derive(Debug, Default)]
pub(crate) struct CellCache(Mutex<Generations>);

/// Entries move to the young generation when they are used; when that is full, the old one goes.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Arc<str>, (Arc<Program>, usize)>,
    old: HashMap<Arc<str>, (Arc<Program>, usize)>,
    bytes: usize,
    hits: u64,
    misses: u64,
}

impl CellCache {
    /// What makes the program of a cell. `name` is what positions call it.
    pub(crate) fn prepare(self: &Arc<Self>, source: String, name: String) -> MakeProgram {
        let programs = self.clone();
        Box::new(move |budget| {
            if let Some(program) = programs.find(&source) {
                return Ok(program);
            }
            if source.trim_start().starts_with("```") {
                let message = "the script begins with the fence of a Markdown block: send what is between the fences";
                return Err(ScriptError::new(ErrorKind::Syntax, message)
                    .configure(|error| error.name = "SyntaxError".to_owned()));
            }
            let preparation = LimitedPreparer::of_run(budget);
            match prepare_cell_with(&source, &preparation) {
                Ok(cell) => {
                    let bytes = cell.prepared.bytes();
                    let program = Arc::new(Program {
                        text: cell.prepared.text.clone(),
                        helper: cell.helper,
                        args: None,
                        declares: cell.declares.into(),
                        result_is_optional: cell.ends_in_assignment,
                        origin: Arc::new(Author(cell.prepared)),
                    });
                    programs.keep(source.into(), program.clone(), bytes);
                    Ok(program)
                }
                Err(PrepareError::Source(error)) => Err(syntax_error(&error, &name, &source)),
                Err(PrepareError::Denied(denied)) => Err(preparation.error(&denied)),
            }
        })
    }

    /// The program of a cell that was made ready not long ago.
    pub(crate) fn known(&self, source: &str) -> Option<Arc<Program>> {
        let mut generations = self.lock();
        let program = generations.young.get(source).map(|(program, _)| program.clone())?;
        generations.hits += 1;
        Some(program)
    }

    pub(crate) fn counts(&self) -> CacheCounts {
        let generations = self.lock();
        CacheCounts { hits: generations.hits, misses: generations.misses }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, source: &str) -> Option<Arc<Program>> {
        let mut generations = self.lock();
        if let Some((program, _)) = generations.young.get(source).cloned() {
            generations.hits += 1;
            return Some(program);
        }
        let Some((source, (program, bytes))) = generations.old.remove_entry(source) else {
            generations.misses += 1;
            return None;
        };
        generations.hits += 1;
        generations.add(source, program.clone(), bytes);
        Some(program)
    }

    fn keep(&self, source: Arc<str>, program: Arc<Program>, bytes: usize) {
        self.lock().add(source, program, bytes);
    }
}

impl Generations {
    fn add(&mut self, source: Arc<str>, program: Arc<Program>, bytes: usize) {
        self.bytes += bytes + ENTRY;
        self.young.insert(source, (program, bytes));
        if self.bytes > KEPT_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

/// The source behind a prepared text.
pub(crate) struct Author(pub(crate) Prepared);

impl Origin for Author {
    fn source(&self) -> &str {
        &self.0.source
    }

    fn place(&self, line: u32, column: u32) -> (u32, u32) {
        self.0.original(line, column)
    }
}

/// What is wrong with a source, as the result of a run says it.
pub(crate) fn syntax_error(error: &SourceError, name: &str, source: &str) -> ScriptError {
    let mut result = ScriptError::new(ErrorKind::Syntax, error.to_string());
    result.name = "SyntaxError".to_owned();
    if let Some((line, column)) = error.position(source) {
        (result.line, result.column) = (Some(line), Some(column));
        result.file = Some(name.to_owned());
        result.excerpt = Some(error.render(name, source));
    }
    result
}
