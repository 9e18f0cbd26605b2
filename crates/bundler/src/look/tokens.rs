//! Tokens of a source, exactly or not at all: where a `/` could divide or begin a regular expression, both readings have to come together again.

pub(crate) type Unproven = &'static str;

const LEXICAL: Unproven =
    "something in it is not closed, or is written with unusual characters or escapes outside of texts";
const SLASH: Unproven = "a `/` in it may divide or begin a regular expression";
const NUMBER: Unproven = "it has a number of hundreds of digits";
const HTML: Unproven = "it has what may be a comment of HTML or the mark of a conflict";

/// Digits of a number; the parser takes the square of their number for a BigInt.
const MAX_NUMBER: usize = 300;
/// How far the other reading of a slash is followed, and how many of these are under way.
const MAX_REGEXP: usize = 20_000;
const MAX_SLASHES: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Literal,
    Open,
    Close,
    Operator,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s [u8],
    /// A line has ended before it.
    pub(super) after_line: bool,
}

impl Token<'_> {
    pub(super) const START: Self = Token { kind: Kind::Operator, text: b";", after_line: true };

    pub(super) fn is_dot(&self) -> bool {
        matches!(self.text, b"." | b"?.")
    }

    /// The beginning of a template, up to its first substitution.
    pub(super) fn is_template(&self) -> bool {
        self.text.starts_with(b"`")
    }
}

/// What a `/` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slash {
    Divides,
    /// A regular expression.
    Begins,
    Either,
}

/// The other reading of a slash that may be either: it ends here, and must do so between two tokens at this depth.
struct Reading {
    end: usize,
    depth: usize,
}

pub(super) struct Tokens<'s> {
    bytes: &'s [u8],
    at: usize,
    readings: Vec<Reading>,
}

/// Operators of several characters, longer ones first.
const OPERATORS: [&[u8]; 31] = [
    b">>>=", b"...", b"===", b"!==", b"**=", b"<<=", b">>=", b">>>", b"&&=", b"||=", b"??=", b"=>", b"==", b"!=",
    b"<=", b">=", b"&&", b"||", b"??", b"?.", b"++", b"--", b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"|=", b"^=",
    b"<<",
];
const OPERATORS_TOO: [&[u8]; 2] = [b">>", b"**"];

impl<'s> Tokens<'s> {
    pub(super) fn new(bytes: &'s [u8]) -> Self {
        let mut tokens = Self { bytes, at: 0, readings: Vec::new() };
        if bytes.starts_with(b"\xef\xbb\xbf") {
            tokens.at = 3;
        }
        if bytes[tokens.at..].starts_with(b"#!") {
            tokens.until_line_end();
        }
        tokens
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'s [u8] {
        &self.bytes[self.at..]
    }

    /// The next token. `slash` is what one would be on the same line, `depth` that of brackets.
    pub(super) fn next(&mut self, slash: Slash, depth: usize) -> Result<Option<Token<'s>>, Unproven> {
        let end = self.at;
        let after_line = self.blanks()? || (end == 0 && self.at == 0);
        self.check_slashes(end, depth)?;
        let Some(byte) = self.peek(0) else { return Ok(None) };
        let start = self.at;
        let mut kind = Kind::Operator;
        match byte {
            b'"' | b'\'' => {
                self.string(byte)?;
                kind = Kind::Literal;
            }
            b'`' => {
                self.at += 1;
                kind = if self.goes_on_in_template()? { Kind::Open } else { Kind::Literal };
            }
            b'(' | b'[' | b'{' => {
                self.at += 1;
                kind = Kind::Open;
            }
            b')' | b']' | b'}' => {
                self.at += 1;
                kind = Kind::Close;
            }
            b'0'..=b'9' => {
                self.number()?;
                kind = Kind::Literal;
            }
            b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => {
                self.number()?;
                kind = Kind::Literal;
            }
            b'/' if self.slash(slash, after_line, depth)? => kind = Kind::Literal,
            b'/' => {}
            _ if is_word(byte) => {
                self.word()?;
                kind = Kind::Word;
            }
            _ => self.operator(after_line)?,
        }
        let text = &self.bytes[start..self.at];
        Ok(Some(Token { kind, text, after_line }))
    }

    /// Skips blanks and comments; whether a line has ended.
    fn blanks(&mut self) -> Result<bool, Unproven> {
        let mut after_line = false;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' | b'\r' => {
                    after_line = true;
                    self.at += 1;
                }
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                0xe2 if self.at_line_end() => {
                    after_line = true;
                    self.at += 3;
                }
                b'/' if self.peek(1) == Some(b'/') => self.until_line_end(),
                b'/' if self.peek(1) == Some(b'*') => {
                    let start = self.at;
                    let rest = &self.bytes[(start + 2).min(self.bytes.len())..];
                    let end = memchr::memmem::find(rest, b"*/").ok_or(LEXICAL)?;
                    self.at = start + 2 + end + 2;
                    after_line |= rest[..end].iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0xe2));
                }
                _ => break,
            }
        }
        Ok(after_line)
    }

    /// Where the other reading of a slash ends must be between two tokens, at the depth of that slash and never below it.
    fn check_slashes(&mut self, last_end: usize, depth: usize) -> Result<(), Unproven> {
        if self.readings.is_empty() {
            return Ok(());
        }
        let at = self.at;
        if self.readings.len() > MAX_SLASHES || self.readings.iter().any(|reading| depth < reading.depth) {
            return Err(SLASH);
        }
        let differs = |reading: &Reading| reading.end <= at && (reading.end < last_end || reading.depth != depth);
        if self.readings.iter().any(differs) {
            return Err(SLASH);
        }
        self.readings.retain(|reading| reading.end > at);
        Ok(())
    }

    /// Whether a regular expression was read; otherwise it is a division.
    fn slash(&mut self, slash: Slash, after_line: bool, depth: usize) -> Result<bool, Unproven> {
        let end = self.regexp_end()?;
        // Behind a type that ends with its line a statement may begin.
        let slash = if after_line && slash == Slash::Divides { Slash::Either } else { slash };
        if slash == Slash::Begins {
            self.at = end.ok_or(LEXICAL)?;
            while self.peek(0).is_some_and(is_word) {
                self.at += 1;
            }
            return Ok(true);
        }
        if let (Slash::Either, Some(mut end)) = (slash, end) {
            while self.bytes.get(end).copied().is_some_and(is_word) {
                end += 1;
            }
            self.readings.push(Reading { end, depth });
        }
        self.at += 1 + usize::from(self.peek(1) == Some(b'='));
        Ok(false)
    }

    /// Where a regular expression ends that begins here, if it is closed on its line.
    fn regexp_end(&self) -> Result<Option<usize>, Unproven> {
        let (mut at, mut class) = (self.at + 1, false);
        while let Some(byte) = self.bytes.get(at) {
            if at > self.at + MAX_REGEXP {
                return Err(SLASH);
            }
            match byte {
                b'\n' | b'\r' => return Ok(None),
                0xe2 if is_line_separator(&self.bytes[at..]) => return Ok(None),
                b'\\' => at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => return Ok(Some(at + 1)),
                _ => {}
            }
            at += 1;
        }
        Ok(None)
    }

    fn until_line_end(&mut self) {
        while self.at < self.bytes.len() && !matches!(self.bytes[self.at], b'\n' | b'\r') && !self.at_line_end() {
            self.at += 1;
        }
    }

    fn at_line_end(&self) -> bool {
        is_line_separator(self.rest())
    }

    fn string(&mut self, quote: u8) -> Result<(), Unproven> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => return Err(LEXICAL),
                Some(b'\\') => {
                    let is_pair = self.peek(1) == Some(b'\r') && self.peek(2) == Some(b'\n');
                    self.at += 2 + usize::from(is_pair);
                }
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// From behind a backtick or the end of a substitution: whether another substitution begins.
    pub(super) fn goes_on_in_template(&mut self) -> Result<bool, Unproven> {
        loop {
            match self.peek(0).ok_or(LEXICAL)? {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    return Ok(false);
                }
                b'$' if self.peek(1) == Some(b'{') => {
                    self.at += 2;
                    return Ok(true);
                }
                _ => self.at += 1,
            }
            if self.at > self.bytes.len() {
                return Err(LEXICAL);
            }
        }
    }

    fn number(&mut self) -> Result<(), Unproven> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            let is_exponent = matches!(byte, b'+' | b'-')
                && matches!(self.bytes[self.at - 1], b'e' | b'E')
                && !matches!(self.bytes.get(start + 1), Some(b'x' | b'X'));
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || is_exponent) {
                break;
            }
            self.at += 1;
        }
        if self.at - start > MAX_NUMBER { Err(NUMBER) } else { Ok(()) }
    }

    fn word(&mut self) -> Result<(), Unproven> {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        if word.is_ascii() {
            return Ok(());
        }
        // What is no letter may be a blank to the parser.
        let text = std::str::from_utf8(word).map_err(|_| LEXICAL)?;
        if text.chars().all(|c| c.is_ascii() || c.is_alphanumeric()) { Ok(()) } else { Err(LEXICAL) }
    }

    fn operator(&mut self, after_line: bool) -> Result<(), Unproven> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            return Err(HTML);
        }
        let marks: [&[u8]; 5] = [b"-->", b"<<<<<<<", b">>>>>>>", b"=======", b"|||||||"];
        if after_line && marks.iter().any(|mark| rest.starts_with(mark)) {
            return Err(HTML);
        }
        let byte = rest[0];
        if byte == b'\\' || byte < b' ' || byte == 0x7f {
            return Err(LEXICAL);
        }
        let known = OPERATORS.iter().chain(&OPERATORS_TOO).find(|operator| rest.starts_with(operator));
        let mut length = known.map_or(1, |operator| operator.len());
        // A conditional before a number without a digit in front.
        if rest.starts_with(b"?.") && rest.get(2).is_some_and(u8::is_ascii_digit) {
            length = 1;
        }
        self.at += length;
        Ok(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

fn is_line_separator(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xe2\x80\xa8") || bytes.starts_with(b"\xe2\x80\xa9")
}
