//! One source made ready, as plain data: what is asked and what comes of it can cross to another process.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::diagnostics::{Problem, SourceError};
use crate::entry::{Entry, entry_of};
use crate::look::{Look, look_as};
use crate::module::{ModuleText, module_of};
use crate::parse::{Language, with_large_stack};
use crate::prepare::{Cell, Prepared, cell_of};
use crate::survey::{Survey, ends_open, survey_of};
use crate::{commonjs, look::SHALLOW};

/// A source, and what is wanted of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Task<'s> {
    want: Want,
    source: Cow<'s, str>,
    #[serde(skip)]
    look: OnceLock<Look>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Want {
    Cell,
    Entry(Language),
    Module(Language),
    CommonJs,
    Survey { is_typescript: bool },
    IsUnfinished,
}

impl Want {
    /// What the source is parsed as.
    fn language(self) -> Language {
        match self {
            Self::Entry(language) | Self::Module(language) => language,
            Self::CommonJs => Language::JavaScript,
            Self::Cell | Self::Survey { .. } | Self::IsUnfinished => Language::TypeScript,
        }
    }
}

/// What comes of a [`Task`] whose source is right.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Product(Made);

#[derive(Clone, Debug, Deserialize, Serialize)]
enum Made {
    Cell(Cell),
    Entry(Entry),
    Module(ModuleText),
    Survey(Survey),
    IsUnfinished(bool),
}

/// Longer sources are not looked at before somebody wants to prepare them in this process.
const NEAR: usize = 256 << 10;

/// Where sources are made ready that cannot be proven to be cheap.
///
/// A parser works outside of every VM, and its time and memory can be exponential in what it reads. So this process parses only what a look at
/// the text has proven to be cheap; everything else goes through here.
pub trait Preparer: Sync {
    /// Makes a source ready, or says why not.
    ///
    /// # Errors
    /// [`Denied`] if it was not made ready; what is wrong with the source itself is in what it returns.
    fn prepare(&self, task: &Task<'_>) -> Result<Result<Product, SourceError>, Denied>;

    /// Asked between the files of a graph: whether going on is wanted.
    ///
    /// # Errors
    /// If it is not.
    fn is_wanted(&self) -> Result<(), Denied> {
        Ok(())
    }
}

/// Why a source was not made ready, though nothing need be wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody waits for it any more.
    #[error("the run was stopped while a source was prepared")]
    Stopped,
    /// It takes more than it may.
    #[error("{message}")]
    Limit {
        /// What it takes more of, and what to do.
        message: String,
        /// Bytes that it may take.
        limit: u64,
        /// Bytes that it takes, or has taken when it was stopped.
        used: u64,
    },
    /// It could only be prepared in a process of its own, and there is none.
    #[error("{0}")]
    Apart(String),
}

/// What keeps a source from being made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// Something is wrong with it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It was not looked at, or not to its end.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl PrepareError {
    /// As what is wrong with the source.
    pub fn into_source_error(self) -> SourceError {
        match self {
            Self::Source(error) => error,
            Self::Denied(denied) => Problem::at(0..0, denied.to_string()).into(),
        }
    }
}

/// Prepares in this process what is proven to take time and memory in proportion to its length, however long it is, and refuses the rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

impl Preparer for Here {
    fn prepare(&self, task: &Task<'_>) -> Result<Result<Product, SourceError>, Denied> {
        match task.look().unproven {
            None => Ok(task.run()),
            Some(why) => Err(Denied::Apart(format!(
                "the source cannot be prepared within this process ({why}): write it plainer, or prepare it in a process of its own"
            ))),
        }
    }
}

impl<'s> Task<'s> {
    pub(crate) fn new(want: Want, source: &'s str) -> Self {
        Self { want, source: Cow::Borrowed(source), look: OnceLock::new() }
    }

    /// The source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What can be said of the source without parsing it. Takes time in proportion to its length, once.
    pub fn look(&self) -> &Look {
        self.look.get_or_init(|| look_as(&self.source, self.want.language()))
    }

    /// Makes the source ready, in this process and whatever it takes; on this thread's stack if it is shallow.
    ///
    /// # Errors
    /// If something is wrong with the source.
    pub fn run(&self) -> Result<Product, SourceError> {
        if self.look().depth <= SHALLOW { self.run_here() } else { with_large_stack(|| self.run_here()) }
    }

    /// As [`Self::run`], on this thread's stack in any case.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_here(&self) -> Result<Product, SourceError> {
        // A panic of the parser or of a pass is a defect of theirs; it makes the source one that cannot be used, and nothing else.
        let made = catch_unwind(AssertUnwindSafe(|| self.make())).unwrap_or_else(|_| {
            let message = "the parser fails on this source; something in it is wrong, or it is a defect of the parser";
            Err(Problem::at(0..0, message).into())
        });
        made.map(Product).map_err(SourceError::cut)
    }

    fn make(&self) -> Result<Made, SourceError> {
        let source = &*self.source;
        Ok(match self.want {
            Want::Cell => Made::Cell(cell_of(source)?),
            Want::Entry(language) => Made::Entry(entry_of(source, language)?),
            Want::Module(language) => Made::Module(module_of(source, language)?),
            Want::CommonJs => Made::Module(commonjs::commonjs_of(source)?),
            Want::Survey { is_typescript } => Made::Survey(survey_of(source, is_typescript)?),
            Want::IsUnfinished => Made::IsUnfinished(ends_open(source)),
        })
    }

    /// Where the source is proven to be cheap, here; else where `preparer` does it.
    fn prepared_by(&self, preparer: &dyn Preparer) -> Result<Made, PrepareError> {
        let is_cheap = self.source.len() <= NEAR && self.look().is_cheap();
        let done = if is_cheap { self.run() } else { preparer.prepare(self)? };
        let Product(made) = done?;
        Ok(made.with_source(&self.source))
    }
}

impl Made {
    /// The source of what comes from another process, to which it was sent.
    fn with_source(mut self, source: &str) -> Self {
        let prepared: Option<&mut Prepared> = match &mut self {
            Self::Cell(cell) => Some(&mut cell.prepared),
            Self::Entry(entry) => Some(&mut entry.prepared),
            Self::Module(module) => Some(&mut module.prepared),
            Self::Survey(_) | Self::IsUnfinished(_) => None,
        };
        if let Some(prepared) = prepared.filter(|prepared| *prepared.source != *source) {
            prepared.source = source.into();
        }
        self
    }
}

/// What is said when something else comes back than was asked for.
fn another_product() -> PrepareError {
    Denied::Apart("the process that prepares sources answers something else than it was asked".to_owned()).into()
}

/// Makes a cell ready.
///
/// # Errors
/// If it does not parse, declares what cannot be declared, or is not prepared.
pub fn prepare_cell_with(source: &str, preparer: &dyn Preparer) -> Result<Cell, PrepareError> {
    match Task::new(Want::Cell, source).prepared_by(preparer)? {
        Made::Cell(cell) => Ok(cell),
        _ => Err(another_product()),
    }
}

/// Makes a cell ready in this process; see [`Here`].
///
/// # Errors
/// If it does not parse, declares what cannot be declared, or cannot be proven to be cheap.
pub fn prepare_cell(source: &str) -> Result<Cell, SourceError> {
    prepare_cell_with(source, &Here).map_err(PrepareError::into_source_error)
}

/// Makes an entry ready.
///
/// # Errors
/// If it does not parse, or is not prepared.
pub fn prepare_entry_with(source: &str, is_typescript: bool, preparer: &dyn Preparer) -> Result<Entry, PrepareError> {
    match Task::new(Want::Entry(Language::of(is_typescript)), source).prepared_by(preparer)? {
        Made::Entry(entry) => Ok(entry),
        _ => Err(another_product()),
    }
}

/// Makes an entry ready in this process; see [`Here`].
///
/// # Errors
/// If it does not parse, or cannot be proven to be cheap.
pub fn prepare_entry(source: &str, is_typescript: bool) -> Result<Entry, SourceError> {
    prepare_entry_with(source, is_typescript, &Here).map_err(PrepareError::into_source_error)
}

/// Looks a source over.
///
/// # Errors
/// If it does not parse, or is not looked over.
pub fn survey(source: &str, is_typescript: bool, preparer: &dyn Preparer) -> Result<Survey, PrepareError> {
    match Task::new(Want::Survey { is_typescript }, source).prepared_by(preparer)? {
        Made::Survey(survey) => Ok(survey),
        _ => Err(another_product()),
    }
}

/// Whether a source ends in the middle of something, so that more lines may make it whole.
pub fn is_unfinished(source: &str, preparer: &dyn Preparer) -> bool {
    matches!(Task::new(Want::IsUnfinished, source).prepared_by(preparer), Ok(Made::IsUnfinished(true)))
}

pub(crate) fn prepare_module(
    source: &str,
    language: Language,
    preparer: &dyn Preparer,
) -> Result<ModuleText, PrepareError> {
    match Task::new(Want::Module(language), source).prepared_by(preparer)? {
        Made::Module(module) => Ok(module),
        _ => Err(another_product()),
    }
}

pub(crate) fn prepare_commonjs(source: &str, preparer: &dyn Preparer) -> Result<ModuleText, PrepareError> {
    match Task::new(Want::CommonJs, source).prepared_by(preparer)? {
        Made::Module(module) => Ok(module),
        _ => Err(another_product()),
    }
}
