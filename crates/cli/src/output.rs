//! What people see: values on stdout, everything else on stderr, colours on a terminal only.

use std::io::{IsTerminal, Write};

use perennial_sessions::ScriptResult;
use perennial_sessions::protocol::{ConsoleEntry, ConsoleLevel, ErrorKind, ScriptError};

#[derive(Clone, Copy)]
enum Style {
    Dim = 2,
    Red = 31,
    Yellow = 33,
    Bold = 1,
}

fn styled(style: Style, text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    if plain { text.to_owned() } else { format!("\u{1b}[{}m{text}\u{1b}[0m", style as u8) }
}

/// Writes a line to stderr. If that is closed, there is nobody to tell.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what the program itself has to complain about.
pub(crate) fn complain(message: &str) {
    say(&format!("{} {}", styled(Style::Red, "perennial:"), harmless(message)));
}

/// Tells of something that is wrong with a file.
pub(crate) fn problem(text: &str) {
    let (title, rest) = text.split_once('\n').unwrap_or((text, ""));
    say(&styled(Style::Red, &harmless(title)));
    if !rest.is_empty() {
        say(&harmless(rest));
    }
}

/// Says something that nobody has to act on.
pub(crate) fn remark(text: &str) {
    say(&styled(Style::Dim, &harmless(text)));
}

/// Names the file that the output below belongs to.
pub(crate) fn heading(name: &str) {
    say(&styled(Style::Bold, &format!("── {name}")));
}

/// Writes one line to stdout. `false` if that fails; a reader that has gone is no failure worth a word.
pub(crate) fn line(text: &str) -> bool {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Ok(()) => true,
        Err(error) => {
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                complain(&format!("writing failed: {error}"));
            }
            false
        }
    }
}

/// Text of a script for a terminal: what would steer it is shown instead.
fn harmless(text: &str) -> String {
    if !std::io::stderr().is_terminal() {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Shows what a script wrote.
pub(crate) fn console(entry: &ConsoleEntry) {
    let style = match entry.level {
        ConsoleLevel::Debug => Some(Style::Dim),
        ConsoleLevel::Warn => Some(Style::Yellow),
        ConsoleLevel::Error => Some(Style::Red),
        ConsoleLevel::Log | ConsoleLevel::Info => None,
    };
    let text = if entry.background { format!("[between runs] {}", entry.message) } else { entry.message.clone() };
    let text = harmless(&text);
    say(&style.map_or(text.clone(), |style| styled(style, &text)));
}

/// Shows a result to a person. `false` if stdout is closed.
pub(crate) fn result(result: &ScriptResult) -> bool {
    result.console.iter().for_each(console);
    if result.console_dropped > 0 {
        note(&format!("{} console entries did not fit and were dropped", result.console_dropped));
    }
    for sentence in perennial_server::state_notes(result) {
        note(&sentence);
    }
    match &result.error {
        Some(error) => {
            say_error(error);
            true
        }
        None => result.value.as_ref().is_none_or(|value| line(&value.to_string())),
    }
}

fn note(text: &str) {
    say(&styled(Style::Yellow, &format!("note: {text}")));
}

fn say_error(error: &ScriptError) {
    if let Some(report) = error.report() {
        return problem(report);
    }
    say(&format!("{} {}", styled(Style::Red, &format!("{}:", harmless(&error.name))), harmless(&error.message)));
    if let Some(excerpt) = &error.excerpt {
        if let (Some(file), Some(line), Some(column)) = (&error.file, error.line, error.column) {
            say(&styled(Style::Dim, &format!("  at {file}:{line}:{column}")));
        }
        for line in excerpt.lines() {
            say(&format!("  {line}"));
        }
    }
    if let Some(stack) = error.stack.as_deref().filter(|stack| stack.lines().count() > 1) {
        say(&styled(Style::Dim, stack));
    }
    if error.kind == ErrorKind::Permission {
        // Whoever reads this may grant; scripts and models are told what, and not how.
        say(&styled(Style::Dim, &format!("hint: {}", how_to_grant(&error.message))));
    }
    let mut cause = error.cause.as_deref();
    while let Some(known) = cause {
        say(&format!("{} {}: {}", styled(Style::Dim, "caused by"), known.name, known.message));
        cause = known.cause.as_deref();
    }
}

/// What of the command line grants what was refused.
fn how_to_grant(refusal: &str) -> String {
    let like = refusal.split_once("a rule for the network like \"").and_then(|(_, rest)| rest.split_once('"'));
    if let Some((rule, _)) = like {
        return format!("--allow-net '{rule}', or `net` in perennial.toml");
    }
    let ways = [
        ("in its allow", "[allow] in perennial.toml is the most that plugins are granted"),
        ("in the plugin's allow", "[allow.commands] in perennial.toml is the most that plugins are granted"),
        ("for the network", "--allow-net RULE, or `net` in perennial.toml"),
        ("running ", "--allow-run PROGRAM, or [commands] in perennial.toml"),
        ("a secret of this name", "--secret NAME=ORIGIN, with its value in the environment variable NAME"),
        ("artifacts", "--artifacts FOLDER"),
        ("mount", "--mount HOST:PATH:rw, or `mounts` in perennial.toml"),
        ("import", "--modules FOLDER, or [modules] in perennial.toml"),
    ];
    let way = ways.iter().find(|(part, _)| refusal.contains(part));
    way.map_or("perennial help says what grants something", |(_, way)| way).to_owned()
}
