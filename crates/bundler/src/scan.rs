//! A look at a source before it is parsed: the parser and all passes recurse, and overflowing a stack would take the process with it.

use crate::diagnostics::Problem;

/// Brackets within brackets. QuickJS itself gives up at fewer.
const MAX_BRACKETS: usize = 600;
/// Tokens that may hang on each other without a bracket: `a + b + c …`, `!!!x`, `x => y => z`.
const MAX_CHAIN: usize = 20_000;
/// Casts like `<T>x` within each other, and arrow functions in the branches of each other: the parser reads ahead at each and twice as long
/// for every level.
const MAX_AMBIGUOUS: usize = 10;
/// Brackets within each other that have a `<` before them, which might begin type arguments, and that follow a `=`, which might be a
/// parameter's default: the same, with other factors.
const MAX_ANGLES: usize = 8;
const MAX_ASSIGNED: usize = 16;
/// Brackets opened inside of strings, templates, comments and regular expressions and not closed there. None of them counts, unless
/// what this scan takes for a string is none; so many of them are not to be found in a text that people write.
const MAX_HIDDEN: usize = 50_000;

/// Refuses what is nested too deep.
///
/// Two scans, because what a `/` means after `)` and `}` is the parser's knowledge: one takes it for a division there, one for the start of
/// a regular expression, and both have to find the text shallow.
pub(crate) fn check_nesting(source: &str) -> Result<(), Problem> {
    // Shorter texts can be neither deep nor slow.
    if source.len() <= 30 {
        return Ok(());
    }
    scan(source).map(drop).map_err(|(at, why)| Problem::at(at..at + 1, why))
}

/// Both scans: the larger number of tokens, and whether anything may have to be lowered.
fn scan(source: &str) -> Result<(usize, bool), Deep> {
    [false, true].into_iter().try_fold((0, false), |(most, lowered), regexp_after_bracket| {
        let scan = Scan { bytes: source.as_bytes(), at: 0, regexp_after_bracket, hidden: 0 };
        let (tokens, also_lowered) = scan.run()?;
        Ok((most.max(tokens), lowered || also_lowered))
    })
}

/// Bytes that the parser and the passes take for a token, measured: a syntax tree is much larger than its source.
const TOKEN: u64 = 130;
/// The same for a source with what swc has to transform and to write anew, of which the worst are enums.
const LOWERED_TOKEN: u64 = 1000;
/// Shorter sources take so little that nobody need count.
const SMALL: usize = 10_000;

/// How much memory preparing a source takes, roughly; 0 if that is next to nothing. What is refused for its nesting takes none.
pub fn preparation_bytes(source: &str) -> u64 {
    if source.len() <= SMALL {
        return 0;
    }
    let token = |lowered| if lowered { LOWERED_TOKEN } else { TOKEN };
    scan(source).map_or(0, |(tokens, lowered)| token(lowered) * tokens as u64 + 4 * source.len() as u64)
}

struct Scan<'s> {
    bytes: &'s [u8],
    at: usize,
    regexp_after_bracket: bool,
    hidden: usize,
}

/// What the last token was, as far as it matters for the next.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// An operand ends here; a `/` divides, and a new line may begin a statement.
    Operand,
    Bracket,
    Operator,
}

/// What holds around an open bracket.
struct Open {
    bracket: u8,
    chain: usize,
    elses: usize,
    ambiguous: usize,
    questions: usize,
    angle: bool,
    after_equals: bool,
}

type Deep = (usize, String);

impl Scan<'_> {
    /// The number of tokens and whether some may have to be lowered, unless something is nested too deep.
    fn run(mut self) -> Result<(usize, bool), Deep> {
        let (mut tokens, mut lowered) = (0, false);
        // For each open bracket, what it is, how long the chain is that goes on after it, and how many `else` hang on each other there.
        let mut open: Vec<Open> = Vec::new();
        let (mut chain, mut chains, mut elses) = (0_usize, 0_usize, 0_usize);
        let mut may_end = false;
        // Likewise casts and questioned arrows, and question marks that wait for an arrow.
        let (mut ambiguous, mut ambiguous_around, mut questions) = (0_usize, 0_usize, 0_usize);
        let (mut last, mut new_line, mut last_byte) = (Last::Operator, false, b';');
        // Open brackets with a `<` before them in their statement, and those that follow a `=`.
        let (mut angle, mut angles, mut assigned) = (false, 0_usize, 0_usize);
        while let Some(&byte) = self.bytes.get(self.at) {
            let (start, depth) = (self.at, open.len());
            let mut next = Last::Operator;
            let mut ends_statement = false;
            let mut opened = None;
            match byte {
                b'\n' | b'\r' => {
                    new_line = true;
                    self.at += 1;
                    continue;
                }
                b' ' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                b'/' if self.peek(1) == Some(b'/') => {
                    self.skip_hidden(|scan| scan.until_line_end());
                    continue;
                }
                b'/' if self.peek(1) == Some(b'*') => {
                    self.skip_hidden(|scan| scan.until_text(b"*/"));
                    continue;
                }
                b'/' if last == Last::Operator || (last == Last::Bracket && self.regexp_after_bracket) => {
                    self.skip_hidden(Self::regexp);
                    next = Last::Operand;
                }
                b'"' | b'\'' => {
                    self.skip_hidden(|scan| scan.string(byte));
                    next = Last::Operand;
                }
                b'`' => {
                    self.at += 1;
                    if self.template_text() {
                        opened = Some(b'`');
                    } else {
                        next = Last::Operand;
                    }
                }
                b'(' | b'[' | b'{' => {
                    self.at += 1;
                    opened = Some(byte);
                    // A block behind a block is a statement of its own.
                    if byte == b'{' && last == Last::Bracket && last_byte == b'}' {
                        (chain, ambiguous, questions, angle) = (0, 0, 0, false);
                    }
                }
                b')' | b']' | b'}' => {
                    self.at += 1;
                    let template = open.last().is_some_and(|open| open.bracket == b'`') && byte == b'}';
                    if !(template && self.template_text()) {
                        if let Some(before) = open.pop() {
                            (chain, elses) = (before.chain, before.elses);
                            (ambiguous, questions, angle) = (before.ambiguous, before.questions, before.angle);
                            angles -= usize::from(angle);
                            assigned -= usize::from(before.after_equals);
                            chains = chains.saturating_sub(if before.bracket == b'`' { 0 } else { chain });
                            ambiguous_around -= ambiguous;
                        }
                        next = if template { Last::Operand } else { Last::Bracket };
                    }
                }
                b';' | b',' => {
                    self.at += 1;
                    ends_statement = true;
                }
                _ if is_word(byte) => {
                    while self.bytes.get(self.at).is_some_and(|byte| is_word(*byte)) {
                        self.at += 1;
                    }
                    let word = &self.bytes[start..self.at];
                    lowered |= matches!(word, b"enum" | b"namespace" | b"accessor");
                    if word == b"else" {
                        elses += 1;
                    } else if may_end {
                        elses = 0;
                    }
                    // A word after an operand begins a statement: nothing else may stand there but an operator that is spelled out.
                    let continues = matches!(
                        word,
                        b"else"
                            | b"in"
                            | b"instanceof"
                            | b"of"
                            | b"as"
                            | b"satisfies"
                            | b"extends"
                            | b"is"
                            | b"catch"
                            | b"finally"
                            | b"while"
                    );
                    // What stands behind `if (…)` is part of it.
                    let is_body = last_byte == b')'
                        && (!new_line
                            || matches!(
                                word,
                                b"if" | b"for" | b"while" | b"with" | b"do" | b"switch" | b"try" | b"return" | b"throw"
                            ));
                    if last != Last::Operator && !continues && !is_body && (new_line || last == Last::Bracket) {
                        (chain, ambiguous, questions, angle) = (0, 0, 0, false);
                    }
                    let operator = matches!(
                        word,
                        b"return"
                            | b"typeof"
                            | b"case"
                            | b"do"
                            | b"else"
                            | b"in"
                            | b"instanceof"
                            | b"new"
                            | b"void"
                            | b"delete"
                            | b"throw"
                            | b"yield"
                            | b"await"
                            | b"of"
                            | b"keyof"
                            | b"infer"
                            | b"unique"
                            | b"readonly"
                            | b"asserts"
                    );
                    next = if operator { Last::Operator } else { Last::Operand };
                }
                _ => {
                    self.at += 1;
                    lowered |= byte == b'@';
                    // A decorator behind a block begins something new.
                    if byte == b'@' && last != Last::Operator && (new_line || last_byte == b'}') {
                        (chain, ambiguous, questions, angle) = (0, 0, 0, false);
                    }
                    match (byte, self.peek(0)) {
                        (b'<', _) => {
                            angle = true;
                            ambiguous += usize::from(last == Last::Operator);
                        }
                        (b'?', Some(b'?' | b'.')) => self.at += 1,
                        (b'?', _) => questions += 1,
                        (b'=', Some(b'>')) if questions > 0 => ambiguous += 1,
                        _ => {}
                    }
                }
            }
            if let Some(bracket) = opened {
                let after_equals = last_byte == b'=' && depth > 0;
                open.push(Open { bracket, chain, elses, ambiguous, questions, angle, after_equals });
                chains += if bracket == b'`' { 0 } else { chain };
                ambiguous_around += ambiguous;
                angles += usize::from(angle);
                assigned += usize::from(after_equals);
                (chain, elses, ambiguous, questions, angle) = (0, 0, 0, 0, false);
            }
            if ends_statement {
                (chain, ambiguous, questions, angle) = (0, 0, 0, false);
            } else {
                chain += 1;
            }
            tokens += 1;
            may_end = matches!(byte, b';' | b'}') || (next == Last::Operand && self.line_ends());
            (last, new_line, last_byte) = (next, false, byte);
            if open.len() > MAX_BRACKETS {
                return Err((start, format!("this is nested more than {MAX_BRACKETS} brackets deep")));
            }
            if chain + chains > MAX_CHAIN || elses > MAX_BRACKETS {
                return Err((start, format!("more than {MAX_CHAIN} tokens hang on each other in one statement")));
            }
            if angles > MAX_ANGLES || assigned > MAX_ASSIGNED {
                return Err((start, "brackets behind `<` or `=` are nested too deep for the parser".to_owned()));
            }
            if ambiguous + ambiguous_around > MAX_AMBIGUOUS {
                let what = "casts of the form `<T>x` or arrow functions behind `?`";
                return Err((start, format!("more than {MAX_AMBIGUOUS} {what} are nested in each other")));
            }
            if self.hidden > MAX_HIDDEN {
                return Err((
                    start,
                    format!("more than {MAX_HIDDEN} brackets in strings and comments are never closed"),
                ));
            }
        }
        Ok((tokens, lowered))
    }

    fn line_ends(&self) -> bool {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Skips something, and counts the brackets in it that stay open.
    fn skip_hidden(&mut self, skip: impl FnOnce(&mut Self)) {
        let start = self.at;
        skip(self);
        let mut depth = 0_usize;
        let mut deepest = 0;
        for byte in &self.bytes[start..self.at.min(self.bytes.len())] {
            match byte {
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        self.hidden += if depth > 0 { deepest } else { 0 };
    }

    fn until_line_end(&mut self) {
        while self.at < self.bytes.len() && !self.at_line_end() {
            self.at += 1;
        }
    }

    /// Whether a line ends here, as JavaScript understands it.
    fn at_line_end(&self) -> bool {
        matches!(self.peek(0), Some(b'\n' | b'\r'))
            || self.bytes[self.at..].starts_with(b"\xe2\x80\xa8")
            || self.bytes[self.at..].starts_with(b"\xe2\x80\xa9")
    }

    fn until_text(&mut self, end: &[u8]) {
        self.at += 2;
        while self.at < self.bytes.len() && !self.bytes[self.at..].starts_with(end) {
            self.at += 1;
        }
        self.at = (self.at + end.len()).min(self.bytes.len());
    }

    fn string(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'\n' => return,
                _ if byte == quote => return,
                _ => {}
            }
        }
    }

    fn regexp(&mut self) {
        self.at += 1;
        let mut class = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                _ if self.at_line_end() => return,
                b'\\' => self.at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// From behind a backtick or the end of a substitution: `true` if another substitution begins.
    fn template_text(&mut self) -> bool {
        let mut opened = false;
        self.skip_hidden(|scan| {
            while let Some(&byte) = scan.bytes.get(scan.at) {
                scan.at += 1;
                match byte {
                    b'\\' => scan.at += 1,
                    b'`' => return,
                    b'$' if scan.peek(0) == Some(b'{') => {
                        opened = true;
                        return;
                    }
                    _ => {}
                }
            }
        });
        if opened {
            self.at += 1;
        }
        opened
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::check_nesting;

    #[test]
    fn deep_brackets_and_long_chains_are_refused() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("`${", "}`"), ("f(", ")"), ("{a:", "}")] {
            let source = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            assert!(check_nesting(&source).is_err(), "{open}");
        }
        for link in [
            "!",
            "a=>",
            "1+",
            "a?b:",
            "a.",
            "new ",
            "typeof ",
            "()",
            "-\n",
            "else if(a)b\n",
            "a\n.b",
            "if(a)",
            "for(;;)",
            "while(a)\n",
            "keyof\n",
        ] {
            assert!(check_nesting(&link.repeat(100_000)).is_err(), "{link}");
        }
    }

    #[test]
    fn every_line_break_of_the_language_ends_a_comment() {
        for unit in ["(//\u{2028}/)/+", "(//x\u{2029}/)/+", "[// \u{2028}/]/", "(//\n/)/+"] {
            assert!(check_nesting(&unit.repeat(200_000)).is_err(), "{unit:?}");
        }
    }

    #[test]
    fn what_takes_the_parser_exponential_time_is_refused() {
        for link in [
            "<a>(",
            "<a>[",
            "<a>{x:",
            "<a>f(",
            "a?(b):c=>",
            "a<{[",
            "(({a = (y: ",
            "async<T>(a = ",
            "a ? (b) : keyof\nT => {",
        ] {
            assert!(check_nesting(&format!("{}{}", link.repeat(40), " ".repeat(600))).is_err(), "{link}");
        }
    }

    #[test]
    fn long_flat_sources_are_not() {
        for line in [
            "const a = f(b, { c: [1, 2, 3] }, `x ${d} y`);\n",
            "x = y + 1\n",
            "function f(a) { return a / 2 } ",
            "if (a) { b() } else { c() }\n",
            "s = 'a (b' + \"))\" // :-) (see there)\n",
            "r = a.replace(/[(/]\\//g, '') / 2; t = (a) / 2 / 3;\n",
            "class A { x: number = 1\n y(): void { }\n static z = [] }\n",
            "export const a = `<${b}>`\n",
            "{}\n",
            "@d class A {}\n",
        ] {
            assert_eq!(check_nesting(&line.repeat(10_000)), Ok(()), "{line}");
        }
    }

    #[test]
    fn brackets_hidden_from_one_reading_of_a_slash_are_found_by_the_other() {
        let source = format!("x = (a) /`/; {}1", "(".repeat(100_000));
        assert!(check_nesting(&source).is_err());
    }
}
