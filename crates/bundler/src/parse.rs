//! From text to a syntax tree, without surprises: bad input is an error, never a crash.

use std::path::Path;

use serde::{Deserialize, Serialize};
use swc_core::common::{BytePos, Spanned};
use swc_core::ecma::ast::{EsVersion, Module, Program};
use swc_core::ecma::parser::error::SyntaxError;
use swc_core::ecma::parser::{EsSyntax, Lexer, Parser, StringInput, Syntax, TsSyntax};

use crate::diagnostics::{MAX_KEPT, Problem, SourceError};
use crate::syntax::{BASE, range};
use crate::text::{is_line_break, skip_trivia};

/// Longer sources are refused: offsets are 32 bits, and nobody writes these by hand.
const MAX_SOURCE: usize = 256 << 20;

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Goal {
    /// `return` and `await` may stand at the top level.
    Cell,
    /// An ES module.
    Module,
    /// The body of a CommonJS function.
    CommonJs,
}

/// Whether a file is TypeScript by its name; one without an extension is.
pub fn is_typescript(path: &Path) -> bool {
    !matches!(path.extension().and_then(|extension| extension.to_str()), Some("js" | "mjs" | "cjs"))
}

/// What a source is written in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
pub(crate) enum Language {
    TypeScript,
    /// `a<b>(c)` compares.
    JavaScript,
}

impl Language {
    pub(crate) fn of(is_typescript: bool) -> Self {
        if is_typescript { Self::TypeScript } else { Self::JavaScript }
    }
}

/// Parses a source.
pub(crate) fn parse(source: &str, language: Language, goal: Goal) -> Result<Program, SourceError> {
    // The parser takes a top-level `await` at the end of a line for a name. Where it does, it is shown a text with spaces there; offsets
    // stay what they are.
    let mut patched = None;
    for _ in 0..MAX_PATCHES {
        match parse_once(patched.as_deref().unwrap_or(source), language, goal) {
            Ok(program) => return Ok(program),
            Err((error, awaits)) if awaits.is_empty() || goal == Goal::CommonJs => return Err(error),
            Err((error, awaits)) => {
                let mut text = patched.take().unwrap_or_else(|| source.to_owned());
                let mut changed = false;
                for end in awaits {
                    let operand = skip_trivia(&text, end);
                    if text[end..operand].contains(is_line_break) {
                        text.replace_range(end..operand, &" ".repeat(operand - end));
                        changed = true;
                    }
                }
                if !changed {
                    return Err(error);
                }
                patched = Some(text);
            }
        }
    }
    parse_once(source, language, goal).map_err(|(error, _)| error)
}

/// How often a source may be parsed again for the sake of an `await` at the end of a line; one pass finds all that stand beside each other.
const MAX_PATCHES: usize = 10;

/// Parses a source once. With the error come the ends of `await`s that were taken for names.
fn parse_once(source: &str, language: Language, goal: Goal) -> Result<Program, (SourceError, Vec<usize>)> {
    if source.len() > MAX_SOURCE {
        let message = format!("the source has {} bytes, more than the {MAX_SOURCE} that can be compiled", source.len());
        return Err((Problem::at(0..0, message).into(), Vec::new()));
    }
    let end = BytePos(source.len() as u32 + BASE);
    let syntax = match language {
        Language::TypeScript => Syntax::Typescript(TsSyntax { decorators: true, ..TsSyntax::default() }),
        Language::JavaScript => Syntax::Es(EsSyntax {
            decorators: true,
            decorators_before_export: true,
            import_attributes: true,
            allow_super_outside_method: true,
            allow_return_outside_function: goal != Goal::Module,
            auto_accessors: true,
            explicit_resource_management: true,
            ..EsSyntax::default()
        }),
    };
    let lexer = Lexer::new(syntax, EsVersion::EsNext, StringInput::new(source, BytePos(BASE), end), None);
    let mut parser = Parser::new_from(lexer);
    let parsed = match goal {
        Goal::Cell | Goal::Module => parser.parse_module().map(Program::Module),
        Goal::CommonJs => parser.parse_commonjs().map(Program::Script),
    };
    let mut errors = parser.take_errors();
    let program = match parsed {
        Ok(program) => Some(program),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    // Recovering from one error the parser often finds the same place wrong again, thousands of times where labels lie within each other.
    let mut found: Vec<_> = errors.iter().filter(|error| !is_allowed(error.kind(), goal)).collect();
    found.sort_by_key(|error| error.span().lo);
    found.dedup_by_key(|error| error.span().lo);
    found.truncate(MAX_KEPT);
    let mut problems: Vec<Problem> = found.into_iter().map(|error| problem(error, source)).collect();
    problems.sort_by_key(|problem| problem.range.start);
    problems.dedup_by_key(|problem| problem.range.start);
    let awaits = errors.iter().filter(|error| matches!(error.kind(), SyntaxError::InvalidIdentInAsync));
    let awaits = awaits.map(|error| range(error.span()).end).filter(|end| source[..*end].ends_with("await")).collect();
    match program {
        Some(program) if problems.is_empty() => Ok(program),
        _ if problems.is_empty() => Err((Problem::at(0..0, "the source cannot be parsed").into(), awaits)),
        _ => Err((SourceError { problems }, awaits)),
    }
}

/// Parses TypeScript that is a module or a cell.
pub(crate) fn parse_module(source: &str, goal: Goal) -> Result<Module, SourceError> {
    match parse(source, Language::TypeScript, goal)? {
        Program::Module(module) => Ok(module),
        Program::Script(_) => unreachable!("only CommonJS is parsed as a script"),
    }
}

/// What the parser reports though it is right here.
fn is_allowed(error: &SyntaxError, goal: Goal) -> bool {
    match error {
        SyntaxError::ReturnNotAllowed => goal != Goal::Module,
        // TypeScript's opinions about code that runs: types are not checked here either.
        SyntaxError::TS1038
        | SyntaxError::TS2371
        | SyntaxError::TS2414
        | SyntaxError::TS2491
        | SyntaxError::TS4112
        | SyntaxError::TsAssertionBinaryOp => true,
        // Sloppy code may declare a function as the body of an `if`.
        SyntaxError::DeclNotAllowed => goal == Goal::CommonJs,
        _ => false,
    }
}

const UNFINISHED: &str =
    "unexpected end of the script: a bracket, string, template, comment or statement is not finished";

fn problem(error: &swc_core::ecma::parser::error::Error, source: &str) -> Problem {
    let mut range = range(error.span());
    range.end = range.end.clamp(range.start, source.len().max(range.start));
    let rest = &source[range.start.min(source.len())..];
    let (at_end, next) = (rest.trim_start().is_empty(), rest.chars().next());
    let message = match error.kind() {
        SyntaxError::Eof => UNFINISHED.to_owned(),
        SyntaxError::Expected(..) | SyntaxError::Unexpected { .. } | SyntaxError::TS1109 | SyntaxError::TS1005
            if at_end =>
        {
            range = source.trim_end().len()..source.trim_end().len();
            UNFINISHED.to_owned()
        }
        SyntaxError::UnterminatedRegExp if source[..range.start].ends_with('<') => "JSX is not supported".to_owned(),
        SyntaxError::TS1109 if matches!(next, Some('}' | ')' | ']')) => {
            format!("unexpected '{}'", next.unwrap_or_default())
        }
        SyntaxError::ImportExportInScript | SyntaxError::NonTopLevelImportExport => {
            "imports and exports belong to the top level".to_owned()
        }
        kind => {
            let message = kind.msg();
            let mut letters = message.chars();
            // Sentences of this project begin in lower case.
            letters.next().map(|first| first.to_lowercase().collect::<String>() + letters.as_str()).unwrap_or_default()
        }
    };
    Problem::at(range, message)
}

/// Stack of the thread that parses: what [`crate::look`] proves needs a fraction of it. Only what is touched takes memory.
const STACK: usize = 512 << 20;

thread_local! {
    /// Whether this thread has a large stack.
    static IS_LARGE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs something on a thread with a large stack, unless this is one, and waits for it.
///
/// # Panics
/// If `work` does; the panic is passed on.
pub(crate) fn with_large_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if IS_LARGE.get() {
        return work();
    }
    let (mut work, mut result) = (Some(work), None);
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("perennial-parse".to_owned()).stack_size(STACK).spawn_scoped(
            scope,
            || {
                IS_LARGE.set(true);
                result = work.take().map(|work| work());
            },
        );
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread is to be had; what the scan lets pass fits most stacks.
            Err(_) => {}
        }
    });
    match work {
        Some(work) => work(),
        None => result.expect("the thread took the work and ended"),
    }
}
