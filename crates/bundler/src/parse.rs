//! From text to a syntax tree, without surprises: bad input is an error, never a crash.

use std::ops::Range;

use swc_core::common::{BytePos, Span, Spanned};
use swc_core::ecma::ast::{EsVersion, Module, Program};
use swc_core::ecma::parser::error::SyntaxError;
use swc_core::ecma::parser::{EsSyntax, Lexer, Parser, StringInput, Syntax, TsSyntax};

use crate::diagnostics::{Problem, SourceError};
use crate::scan::check_nesting;

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

/// The first offset of a source; swc keeps 0 for "nowhere".
const BASE: u32 = 1;

/// The bytes of the source that a span covers.
pub(crate) fn range(span: Span) -> Range<usize> {
    offset(span.lo)..offset(span.hi)
}

pub(crate) fn offset(position: BytePos) -> usize {
    position.0.saturating_sub(BASE) as usize
}

/// What a source is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    TypeScript,
    /// `a<b>(c)` compares.
    JavaScript,
}

/// Parses a source.
pub(crate) fn parse(source: &str, language: Language, goal: Goal) -> Result<Program, SourceError> {
    if source.len() > MAX_SOURCE {
        let message = format!("the source has {} bytes, more than the {MAX_SOURCE} that can be compiled", source.len());
        return Err(Problem::at(0..0, message).into());
    }
    check_nesting(source)?;
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
    let mut problems: Vec<Problem> =
        errors.iter().filter(|error| !is_allowed(error.kind(), goal)).map(|error| problem(error, source)).collect();
    // Recovering from one error the parser often finds the same place wrong again.
    problems.sort_by_key(|problem| problem.range.start);
    problems.dedup_by_key(|problem| problem.range.start);
    match program {
        Some(program) if problems.is_empty() => Ok(program),
        _ if problems.is_empty() => Err(Problem::at(0..0, "the source cannot be parsed").into()),
        _ => Err(SourceError { problems }),
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

fn problem(error: &swc_core::ecma::parser::error::Error, source: &str) -> Problem {
    let mut range = range(error.span());
    range.end = range.end.clamp(range.start, source.len().max(range.start));
    let rest = &source[range.start.min(source.len())..];
    let (at_end, next) = (rest.trim().is_empty(), rest.chars().next());
    let message = match error.kind() {
        SyntaxError::Eof => {
            "unexpected end of the script: a bracket, string, template or comment is still open".to_owned()
        }
        SyntaxError::Expected(..) | SyntaxError::Unexpected { .. } | SyntaxError::TS1109 | SyntaxError::TS1005
            if at_end =>
        {
            range = source.trim_end().len()..source.trim_end().len();
            "unexpected end of the script: a bracket, string, template or comment is still open".to_owned()
        }
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

/// Stack of the thread that parses: what [`check_nesting`] lets pass needs a fraction of it. Only what is touched takes memory.
const STACK: usize = 512 << 20;

/// Sources that are so short and open so few brackets, whatever these are part of, cannot be nested deep enough for any stack.
const SHORT: usize = 1024;
const FEW: usize = 64;

thread_local! {
    /// Whether this thread has a large stack.
    static IS_LARGE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs something that recurses as deep as `source` is nested, on a thread with a large stack unless the source is short, and waits for it.
///
/// # Panics
/// If `work` does; the panic is passed on.
pub(crate) fn on_large_stack<R: Send>(source: &str, work: impl FnOnce() -> R + Send) -> R {
    let opened = || source.bytes().filter(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<')).count();
    if source.len() <= SHORT && opened() <= FEW { work() } else { with_large_stack(work) }
}

/// Runs something on a thread with a large stack, unless this is one, and waits for it.
///
/// # Panics
/// If `work` does; the panic is passed on.
pub(crate) fn with_large_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if IS_LARGE.get() {
        return work();
    }
    let mut result = None;
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("perennial-parse".to_owned()).stack_size(STACK).spawn_scoped(
            scope,
            || {
                IS_LARGE.set(true);
                result = Some(work());
            },
        );
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread: `work` is gone with the closure.
            Err(_) => {}
        }
    });
    result.expect("the thread ran")
}
