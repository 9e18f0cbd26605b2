//! Sources made ready for a VM.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use swc_core::ecma::ast::Module;

use crate::cell;
use crate::diagnostics::{SourceError, line_and_column};
use crate::edits::{Edits, PositionMap};
use crate::erase::{Found, erase};
use crate::lower::{Lowered, lower, merging_names, top_level_names};
use crate::parse::{Goal, parse_module};

/// JavaScript made of a source, with the way back to it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Prepared {
    /// What the VM evaluates.
    pub text: Arc<str>,
    /// What the author wrote. Whoever sends a source to another process has it.
    #[serde(skip)]
    pub source: Arc<str>,
    map: PositionMap,
    lowered: Option<Lowered>,
}

impl Prepared {
    pub(crate) fn new(text: String, source: &str, map: PositionMap, lowered: Option<Lowered>) -> Self {
        Self { text: text.into(), source: source.into(), map, lowered }
    }

    /// The same with keys put in at offsets, which ascend.
    pub(crate) fn with_keys<'k>(&self, keys: impl Iterator<Item = (usize, &'k str)>) -> Self {
        let (mut text, mut map) = (String::with_capacity(self.text.len()), self.map.clone());
        let (mut copied, mut places) = (0, Vec::new());
        for (at, key) in keys {
            text.push_str(&self.text[copied..at]);
            places.push((at, key.len()));
            text.push_str(key);
            copied = at;
        }
        map.grown(places.into_iter());
        text.push_str(&self.text[copied..]);
        Self { text: text.into(), source: self.source.clone(), map, lowered: self.lowered.clone() }
    }

    /// The same with more text around it.
    pub(crate) fn within(&self, mut before: String, after: &str) -> Self {
        let map = self.map.clone().behind(before.len());
        before.push_str(&self.text);
        before.push_str(after);
        Self { text: before.into(), source: self.source.clone(), map, lowered: self.lowered.clone() }
    }

    /// Text that no person wrote line by line: it stands for its source as a whole.
    pub(crate) fn generated(text: String) -> Self {
        let text: Arc<str> = text.into();
        Self { source: text.clone(), text, map: PositionMap::default(), lowered: None }
    }

    /// Bytes that it takes, roughly.
    pub fn bytes(&self) -> usize {
        let lowered = self.lowered.as_ref().map_or(0, Lowered::bytes);
        self.text.len() + self.source.len() + self.map.bytes() + lowered
    }

    /// Line and column in the source, from 1 and in UTF-16 units, of a line and a column in UTF-8 bytes, from 1, in the text.
    pub fn original(&self, line: u32, column: u32) -> (u32, u32) {
        let mut start = 0;
        for _ in 1..line {
            match self.text[start..].find('\n') {
                Some(at) => start += at + 1,
                None => return line_and_column(&self.source, self.source.len()),
            }
        }
        let end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let at = (start + column.max(1) as usize - 1).min(end);
        let at = self.map.original(at);
        let at = self.lowered.as_ref().map_or(at, |lowered| lowered.original(at));
        line_and_column(&self.source, at)
    }
}

/// A cell made ready: the body of an async function that gets a helper.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The body.
    pub prepared: Prepared,
    /// The name under which the body expects the helper; `None` if it needs none.
    pub helper: Option<String>,
    /// The names that it makes globals, sorted.
    pub declares: Vec<String>,
    /// Whether the last statement assigns what the cell comes to, so that a value that cannot be returned is not lost.
    pub ends_in_assignment: bool,
}

/// Makes a cell ready.
pub(crate) fn cell_of(source: &str) -> Result<Cell, SourceError> {
    let module = parse_module(source, Goal::Cell)?;
    let (erased, found) = erased(source, &module)?;
    if !found.needs_lowering {
        let cell = cell::transform(&module, erased, &[], None)?;
        return Ok(cell.into_cell(source, None));
    }
    let (merges, own) = (merging_names(&module), top_level_names(&module));
    let lowered = lower(module, source.len())?;
    let module = parse_lowered(&lowered, Goal::Cell)?;
    let (erased, _) = self::erased(&lowered.text, &module)?;
    let cell = cell::transform(&module, erased, &merges, Some(&own)).map_err(|error| at_origin(error, &lowered))?;
    Ok(cell.into_cell(source, Some(lowered)))
}

impl cell::CellText {
    fn into_cell(self, source: &str, lowered: Option<Lowered>) -> Cell {
        Cell {
            prepared: Prepared::new(self.text, source, self.map, lowered),
            helper: self.uses_helper.then_some(self.helper),
            declares: self.declares,
            ends_in_assignment: self.ends_in_assignment,
        }
    }
}

/// The edits that make types vanish.
pub(crate) fn erased<'s>(source: &'s str, module: &Module) -> Result<(Edits<'s>, Found), SourceError> {
    let mut edits = Edits::new(source);
    let found = erase(module, &mut edits);
    if found.problems.is_empty() { Ok((edits, found)) } else { Err(SourceError { problems: found.problems }) }
}

pub(crate) fn parse_lowered(lowered: &Lowered, goal: Goal) -> Result<Module, SourceError> {
    parse_module(&lowered.text, goal).map_err(|error| at_origin(error, lowered))
}

/// Problems found in lowered text, at the places that they come from.
pub(crate) fn at_origin(mut error: SourceError, lowered: &Lowered) -> SourceError {
    for problem in &mut error.problems {
        let length = problem.range.len();
        let start = lowered.original(problem.range.start);
        problem.range = start..start + length;
    }
    error
}
