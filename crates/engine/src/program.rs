use std::sync::Arc;

use perennial_protocol::ScriptError;

use crate::budget::Budget;

/// JavaScript that is ready to run as a cell: the body of a strict async function.
#[derive(Clone)]
pub struct Program {
    /// The body.
    pub text: Arc<str>,
    /// Where it comes from.
    pub origin: Arc<dyn Origin>,
    /// The name under which the body expects the cell helper; `None` if it needs none.
    pub helper: Option<String>,
    /// The name under which the body expects the arguments of the run, if it is not `args`.
    pub args: Option<String>,
    /// The names that the body makes globals.
    pub declares: Arc<[String]>,
    /// Whether a result that cannot be returned is none instead of an error: the script has it in a variable.
    pub result_is_optional: bool,
}

/// The text that somebody wrote and that a prepared text was made of.
pub trait Origin: Send + Sync {
    /// What the author wrote.
    fn source(&self) -> &str;
    /// Line and column there, from 1, the column in UTF-16 units, of a line and a column in the prepared text, from 1, the column in UTF-8
    /// bytes.
    fn place(&self, line: u32, column: u32) -> (u32, u32);
}

impl Program {
    /// A body that is run as it is written.
    pub fn plain(source: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = source.into();
        Self {
            text: text.clone(),
            origin: Arc::new(Plain(text)),
            helper: None,
            args: None,
            declares: [].into(),
            result_is_optional: false,
        }
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("text", &self.text).field("helper", &self.helper).finish_non_exhaustive()
    }
}

struct Plain(Arc<str>);

impl Origin for Plain {
    fn source(&self) -> &str {
        &self.0
    }

    fn place(&self, line: u32, column: u32) -> (u32, u32) {
        let text = self.0.split('\n').nth(line.saturating_sub(1) as usize);
        (line, text.map_or(column, |text| utf16_column(text, column)))
    }
}

/// Turns a column in UTF-8 bytes, as QuickJS counts, into one in UTF-16 units.
fn utf16_column(line: &str, column: u32) -> u32 {
    let bytes = (column.max(1) - 1) as usize;
    let units: usize = line.char_indices().take_while(|(at, _)| *at < bytes).map(|(_, c)| c.len_utf16()).sum();
    // A column past the end (at a line break or the end of input) stays past the end.
    units as u32 + 1 + bytes.saturating_sub(line.len()) as u32
}

/// What makes a run's program.
pub type MakeProgram = Box<dyn FnOnce(&Budget) -> Result<Arc<Program>, ScriptError> + Send>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_utf16_units() {
        assert_eq!(utf16_column("aé😀x", 1), 1);
        assert_eq!(utf16_column("aé😀x", 2), 2);
        assert_eq!(utf16_column("aé😀x", 4), 3);
        assert_eq!(utf16_column("aé😀x", 8), 5);
        assert_eq!(utf16_column("ab", 4), 4);
    }
}
