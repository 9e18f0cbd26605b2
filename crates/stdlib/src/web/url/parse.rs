//! The basic URL parser, state by state: <https://url.spec.whatwg.org/#concept-basic-url-parser>.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::record::{Path, Record, host, is_drive_letter, is_special, special_port};

/// <https://url.spec.whatwg.org/#fragment-percent-encode-set> and the others there.
const FRAGMENT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');
const SPECIAL_QUERY: &AsciiSet = &QUERY.add(b'\'');
const PATH: &AsciiSet = &QUERY.add(b'?').add(b'`').add(b'{').add(b'}');
const USERINFO: &AsciiSet =
    &PATH.add(b'/').add(b':').add(b';').add(b'=').add(b'@').add(b'[').add(b'\\').add(b']').add(b'^').add(b'|');

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    SchemeStart,
    Scheme,
    NoScheme,
    SpecialRelativeOrAuthority,
    PathOrAuthority,
    Relative,
    RelativeSlash,
    SpecialAuthoritySlashes,
    SpecialAuthorityIgnoreSlashes,
    Authority,
    Host,
    Hostname,
    Port,
    File,
    FileSlash,
    FileHost,
    PathStart,
    Path,
    OpaquePath,
    Query,
    Fragment,
}

/// What a state did with a character.
enum Flow {
    /// On with the next one.
    Next,
    /// Again with the same, in another state.
    Again,
    /// A setter has what it wanted, or must not have it.
    Over,
}

/// Parses a URL.
pub(super) fn parse(input: &str, base: Option<&Record>) -> Option<Record> {
    let input = input.trim_matches(|c| c <= ' ');
    let mut parser = Parser::new(Record::default(), input, base, None, State::SchemeStart);
    parser.run().map(|()| parser.url)
}

/// Parses a part of a URL, as its setters do. What was changed before something did not parse stays changed, as the standard has it.
pub(super) fn parse_part(url: &mut Record, input: &str, state: State) {
    let mut parser = Parser::new(std::mem::take(url), input, None, Some(state), state);
    let _: Option<()> = parser.run();
    *url = parser.url;
}

struct Parser<'a> {
    url: Record,
    input: Vec<char>,
    base: Option<&'a Record>,
    /// The state that a setter begins in.
    setter: Option<State>,
    state: State,
    at: usize,
    buffer: String,
    has_at: bool,
    in_brackets: bool,
    in_password: bool,
}

impl<'a> Parser<'a> {
    fn new(url: Record, input: &str, base: Option<&'a Record>, setter: Option<State>, state: State) -> Self {
        Self {
            url,
            input: input.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect(),
            base,
            setter,
            state,
            at: 0,
            buffer: String::new(),
            has_at: false,
            in_brackets: false,
            in_password: false,
        }
    }

    /// `None` is failure.
    fn run(&mut self) -> Option<()> {
        loop {
            let c = self.input.get(self.at).copied();
            match self.step(c)? {
                Flow::Over => return Some(()),
                Flow::Again => {}
                Flow::Next if c.is_none() => return Some(()),
                Flow::Next => self.at += 1,
            }
        }
    }

    fn to(&mut self, state: State) -> Flow {
        self.state = state;
        Flow::Next
    }

    fn again(&mut self, state: State) -> Flow {
        self.state = state;
        Flow::Again
    }

    fn is_slash(&self, c: Option<char>) -> bool {
        c == Some('/') || (c == Some('\\') && self.url.is_special())
    }

    /// Where a host, a user or a port ends.
    fn ends_authority(&self, c: Option<char>) -> bool {
        matches!(c, None | Some('?' | '#')) || self.is_slash(c)
    }

    /// Begins a query or a fragment.
    fn tail(&mut self, c: Option<char>) -> Flow {
        if c == Some('?') {
            self.url.query = Some(String::new());
            self.to(State::Query)
        } else {
            self.url.fragment = Some(String::new());
            self.to(State::Fragment)
        }
    }

    fn encode(&mut self, c: char, set: &'static AsciiSet) {
        self.buffer.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), set));
    }

    /// Whether a drive letter begins here.
    fn at_drive_letter(&self) -> bool {
        let rest = &self.input[self.at.min(self.input.len())..];
        let is_letter = |letter: &[char]| is_drive_letter(&letter.iter().collect::<String>());
        rest.get(..2).is_some_and(is_letter) && matches!(rest.get(2), None | Some('/' | '\\' | '?' | '#'))
    }

    fn step(&mut self, c: Option<char>) -> Option<Flow> {
        Some(match self.state {
            State::SchemeStart => match c {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.buffer.push(letter.to_ascii_lowercase());
                    self.to(State::Scheme)
                }
                _ if self.setter.is_none() => self.again(State::NoScheme),
                _ => return None,
            },
            State::Scheme => return self.scheme(c),
            State::NoScheme => {
                let base = self.base?;
                match &base.path {
                    Path::Opaque(_) if c != Some('#') => return None,
                    Path::Opaque(_) => {
                        self.url = Record { fragment: Some(String::new()), ..base.clone() };
                        self.to(State::Fragment)
                    }
                    Path::Segments(_) if base.scheme == "file" => self.again(State::File),
                    Path::Segments(_) => self.again(State::Relative),
                }
            }
            State::SpecialRelativeOrAuthority => {
                if c == Some('/') && self.input.get(self.at + 1) == Some(&'/') {
                    self.at += 1;
                    self.to(State::SpecialAuthorityIgnoreSlashes)
                } else {
                    self.again(State::Relative)
                }
            }
            State::PathOrAuthority => {
                if c == Some('/') {
                    self.to(State::Authority)
                } else {
                    self.again(State::Path)
                }
            }
            State::Relative => return self.relative(c),
            State::RelativeSlash => {
                if self.url.is_special() && self.is_slash(c) {
                    self.to(State::SpecialAuthorityIgnoreSlashes)
                } else if c == Some('/') {
                    self.to(State::Authority)
                } else {
                    let base = self.base?;
                    let scheme = std::mem::take(&mut self.url.scheme);
                    self.url = Record { scheme, path: Path::default(), query: None, fragment: None, ..base.clone() };
                    self.again(State::Path)
                }
            }
            State::SpecialAuthoritySlashes => {
                if c == Some('/') && self.input.get(self.at + 1) == Some(&'/') {
                    self.at += 1;
                    self.to(State::SpecialAuthorityIgnoreSlashes)
                } else {
                    self.again(State::SpecialAuthorityIgnoreSlashes)
                }
            }
            State::SpecialAuthorityIgnoreSlashes => {
                if matches!(c, Some('/' | '\\')) {
                    Flow::Next
                } else {
                    self.again(State::Authority)
                }
            }
            State::Authority => return self.authority(c),
            State::Host | State::Hostname => return self.host(c),
            State::Port => return self.port(c),
            State::File => return self.file(c),
            State::FileSlash => {
                if matches!(c, Some('/' | '\\')) {
                    return Some(self.to(State::FileHost));
                }
                if let Some(base) = self.base.filter(|base| base.scheme == "file") {
                    self.url.host.clone_from(&base.host);
                    if !self.at_drive_letter()
                        && let Some(letter) = base.drive_letter()
                    {
                        self.url.segments().push(letter.clone());
                    }
                }
                self.again(State::Path)
            }
            State::FileHost => return self.file_host(c),
            State::PathStart => {
                if self.url.is_special() {
                    if self.is_slash(c) { self.to(State::Path) } else { self.again(State::Path) }
                } else if self.setter.is_none() && matches!(c, Some('?' | '#')) {
                    self.tail(c)
                } else if c.is_some() {
                    if c == Some('/') { self.to(State::Path) } else { self.again(State::Path) }
                } else {
                    if self.setter.is_some() && self.url.host.is_none() {
                        self.url.segments().push(String::new());
                    }
                    Flow::Next
                }
            }
            State::Path => self.path(c),
            State::OpaquePath => match c {
                Some('?' | '#') => self.tail(c),
                Some(c) => {
                    self.encode(c, CONTROLS);
                    let text = std::mem::take(&mut self.buffer);
                    if let Path::Opaque(path) = &mut self.url.path {
                        path.push_str(&text);
                    }
                    Flow::Next
                }
                None => Flow::Next,
            },
            State::Query => match c {
                Some('#') if self.setter.is_none() => self.tail(c),
                Some(c) => {
                    self.encode(c, if self.url.is_special() { SPECIAL_QUERY } else { QUERY });
                    let text = std::mem::take(&mut self.buffer);
                    self.url.query.get_or_insert_default().push_str(&text);
                    Flow::Next
                }
                None => Flow::Next,
            },
            State::Fragment => {
                if let Some(c) = c {
                    self.encode(c, FRAGMENT);
                    let text = std::mem::take(&mut self.buffer);
                    self.url.fragment.get_or_insert_default().push_str(&text);
                }
                Flow::Next
            }
        })
    }

    fn scheme(&mut self, c: Option<char>) -> Option<Flow> {
        match c {
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.') => {
                self.buffer.push(c.to_ascii_lowercase());
                return Some(Flow::Next);
            }
            Some(':') => {}
            _ if self.setter.is_none() => {
                self.buffer.clear();
                self.at = 0;
                return Some(self.again(State::NoScheme));
            }
            _ => return None,
        }
        let scheme = std::mem::take(&mut self.buffer);
        if self.setter.is_some() {
            let has_authority = self.url.has_credentials() || self.url.port.is_some();
            let is_kept = self.url.is_special() != is_special(&scheme)
                || (has_authority && scheme == "file")
                || (self.url.scheme == "file" && self.url.host.as_deref() == Some(""));
            if !is_kept {
                self.url.scheme = scheme;
                if special_port(&self.url.scheme) == Some(self.url.port) {
                    self.url.port = None;
                }
            }
            return Some(Flow::Over);
        }
        self.url.scheme = scheme;
        Some(if self.url.scheme == "file" {
            self.to(State::File)
        } else if self.url.is_special() {
            let is_relative = self.base.is_some_and(|base| base.scheme == self.url.scheme);
            self.to(if is_relative { State::SpecialRelativeOrAuthority } else { State::SpecialAuthoritySlashes })
        } else if self.input.get(self.at + 1) == Some(&'/') {
            self.at += 1;
            self.to(State::PathOrAuthority)
        } else {
            self.url.path = Path::Opaque(String::new());
            self.to(State::OpaquePath)
        })
    }

    fn relative(&mut self, c: Option<char>) -> Option<Flow> {
        let base = self.base?;
        self.url.scheme.clone_from(&base.scheme);
        if self.is_slash(c) {
            return Some(self.to(State::RelativeSlash));
        }
        self.url = Record { fragment: None, ..base.clone() };
        Some(match c {
            Some('?' | '#') => self.tail(c),
            None => Flow::Next,
            Some(_) => {
                self.url.query = None;
                self.url.shorten();
                self.again(State::Path)
            }
        })
    }

    fn authority(&mut self, c: Option<char>) -> Option<Flow> {
        if c == Some('@') {
            let mut text = std::mem::take(&mut self.buffer);
            if self.has_at {
                text.insert_str(0, "%40");
            }
            self.has_at = true;
            for c in text.chars() {
                if c == ':' && !self.in_password {
                    self.in_password = true;
                    continue;
                }
                self.encode(c, USERINFO);
                let encoded = std::mem::take(&mut self.buffer);
                let part = if self.in_password { &mut self.url.password } else { &mut self.url.username };
                part.push_str(&encoded);
            }
            return Some(Flow::Next);
        }
        if self.ends_authority(c) {
            if self.has_at && self.buffer.is_empty() {
                return None;
            }
            self.at -= self.buffer.chars().count();
            self.buffer.clear();
            return Some(self.again(State::Host));
        }
        self.buffer.extend(c);
        Some(Flow::Next)
    }

    fn host(&mut self, c: Option<char>) -> Option<Flow> {
        if self.setter.is_some() && self.url.scheme == "file" {
            return Some(self.again(State::FileHost));
        }
        let special = self.url.is_special();
        if c == Some(':') && !self.in_brackets {
            if self.buffer.is_empty() || self.setter == Some(State::Hostname) {
                return None;
            }
            self.url.host = Some(host(&self.buffer, special)?);
            self.buffer.clear();
            return Some(self.to(State::Port));
        }
        if self.ends_authority(c) {
            let has_authority = self.url.has_credentials() || self.url.port.is_some();
            if self.buffer.is_empty() && (special || (self.setter.is_some() && has_authority)) {
                return None;
            }
            let parsed = if self.buffer.is_empty() { String::new() } else { host(&self.buffer, special)? };
            self.url.host = Some(parsed);
            self.buffer.clear();
            return Some(if self.setter.is_some() { Flow::Over } else { self.again(State::PathStart) });
        }
        match c {
            Some('[') => self.in_brackets = true,
            Some(']') => self.in_brackets = false,
            _ => {}
        }
        self.buffer.extend(c);
        Some(Flow::Next)
    }

    fn port(&mut self, c: Option<char>) -> Option<Flow> {
        if let Some(digit) = c.filter(char::is_ascii_digit) {
            self.buffer.push(digit);
            return Some(Flow::Next);
        }
        if !self.ends_authority(c) && self.setter.is_none() {
            return None;
        }
        if !self.buffer.is_empty() {
            let digits = self.buffer.trim_start_matches('0');
            let port: u16 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
            self.url.port = Some(port).filter(|port| special_port(&self.url.scheme) != Some(Some(*port)));
            self.buffer.clear();
        }
        Some(if self.setter.is_some() { Flow::Over } else { self.again(State::PathStart) })
    }

    fn file(&mut self, c: Option<char>) -> Option<Flow> {
        "file".clone_into(&mut self.url.scheme);
        self.url.host = Some(String::new());
        if matches!(c, Some('/' | '\\')) {
            return Some(self.to(State::FileSlash));
        }
        let Some(base) = self.base.filter(|base| base.scheme == "file") else {
            return Some(self.again(State::Path));
        };
        self.url.host.clone_from(&base.host);
        self.url.path = base.path.clone();
        self.url.query.clone_from(&base.query);
        Some(match c {
            Some('?' | '#') => self.tail(c),
            None => Flow::Next,
            Some(_) => {
                self.url.query = None;
                if self.at_drive_letter() {
                    self.url.path = Path::default();
                } else {
                    self.url.shorten();
                }
                self.again(State::Path)
            }
        })
    }

    fn file_host(&mut self, c: Option<char>) -> Option<Flow> {
        if !matches!(c, None | Some('/' | '\\' | '?' | '#')) {
            self.buffer.extend(c);
            return Some(Flow::Next);
        }
        if self.setter.is_none() && is_drive_letter(&self.buffer) {
            // The buffer is the beginning of the path.
            return Some(self.again(State::Path));
        }
        let parsed = if self.buffer.is_empty() { String::new() } else { host(&self.buffer, true)? };
        self.url.host = Some(if parsed == "localhost" { String::new() } else { parsed });
        self.buffer.clear();
        Some(if self.setter.is_some() { Flow::Over } else { self.again(State::PathStart) })
    }

    fn path(&mut self, c: Option<char>) -> Flow {
        let is_slash = self.is_slash(c);
        let is_tail = self.setter.is_none() && matches!(c, Some('?' | '#'));
        let Some(inside) = c.filter(|_| !is_slash && !is_tail) else {
            let mut segment = std::mem::take(&mut self.buffer);
            if is_double_dot(&segment) {
                self.url.shorten();
                segment.clear();
                if !is_slash {
                    self.url.segments().push(segment);
                }
            } else if is_single_dot(&segment) {
                if !is_slash {
                    self.url.segments().push(String::new());
                }
            } else {
                if self.url.scheme == "file" && self.url.segments().is_empty() && is_drive_letter(&segment) {
                    segment.replace_range(1.., ":");
                }
                self.url.segments().push(segment);
            }
            return if is_tail { self.tail(c) } else { Flow::Next };
        };
        self.encode(inside, PATH);
        Flow::Next
    }
}

/// A text as the user or the password of a URL has it.
pub(super) fn userinfo(text: &str) -> String {
    utf8_percent_encode(text, USERINFO).to_string()
}

fn is_single_dot(segment: &str) -> bool {
    segment == "." || segment.eq_ignore_ascii_case("%2e")
}

fn is_double_dot(segment: &str) -> bool {
    segment.len() <= 6 && segment.to_ascii_lowercase().replace("%2e", ".") == ".."
}
