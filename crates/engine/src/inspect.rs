//! Values as text for the console, where no JavaScript is needed for it: texts, numbers, plain objects and arrays, and what is made of these. What is
//! anything else is left to `inspect.js`, which shows these as well, in the same way.

use std::fmt::Write as _;

use crate::js::{Atom, Class, Exception, Scope, Text, TextError, Value};

/// Bytes of a text that is made here. What is longer is cut by rules that stand in `inspect.js`.
const MOST: usize = 16 << 10;
/// Items of an array, and names of an object.
const MAX_ITEMS: usize = 100;
/// Levels below the first that are shown.
const DEPTH: usize = 2;
const LINE: usize = 80;
/// UTF-16 units of a text in something else.
const MAX_STRING: u64 = 10_000;
/// A longer text that goes over several lines is shown as several.
const SHORT: usize = 16;

/// Why there is no text.
enum Not {
    /// It is shown elsewhere.
    Ours,
    /// An exception is pending.
    Thrown,
}

impl From<Exception> for Not {
    fn from(Exception: Exception) -> Self {
        Self::Thrown
    }
}

/// The text of a console entry with these arguments, an array; `None` if JavaScript has to make it. `kinds` are `Object`, `Array`, and the
/// symbols by which an object says what it looks like.
pub(crate) fn entry<'js>(arguments: &Value<'js>, kinds: &Value<'js>) -> Option<String> {
    let scope = arguments.scope();
    let (text, items, above) = (String::new(), Vec::new(), Vec::new());
    let mut inspector = Inspector { scope, given: kinds, kinds: None, text, items, above, indentation: 0 };
    match inspector.arguments(arguments) {
        Ok(()) => Some(inspector.text),
        Err(Not::Ours) => None,
        Err(Not::Thrown) => {
            drop(scope.catch());
            None
        }
    }
}

struct Inspector<'a, 'js> {
    scope: Scope<'js>,
    given: &'a Value<'js>,
    /// Made for the first object.
    kinds: Option<Kinds<'js>>,
    text: String,
    /// Where the items of objects that are being written begin.
    items: Vec<usize>,
    /// The objects that are being written.
    above: Vec<usize>,
    indentation: usize,
}

/// What objects are looked at by.
struct Kinds<'js> {
    object: Kind<'js>,
    array: Kind<'js>,
    constructor: Atom<'js>,
    says_itself: [Atom<'js>; 2],
}

/// A kind of objects.
struct Kind<'js> {
    maker: Value<'js>,
    prototype: Value<'js>,
    name: &'static str,
    /// Whether it is what the language makes it; `None` until that was looked at.
    is_usual: Option<bool>,
}

impl<'js> Kind<'js> {
    fn new(maker: Value<'js>, name: &'static str) -> Result<Self, Exception> {
        let prototype = maker.get_str("prototype")?;
        Ok(Self { maker, prototype, name, is_usual: None })
    }
}

impl<'js> Kinds<'js> {
    fn new(given: &Value<'js>) -> Result<Self, Exception> {
        Ok(Self {
            object: Kind::new(given.get_index(0)?, "Object")?,
            array: Kind::new(given.get_index(1)?, "Array")?,
            constructor: given.scope().atom("constructor")?,
            says_itself: [given.get_index(2)?.key()?, given.get_index(3)?.key()?],
        })
    }

    /// Whether an object is what its kind is, with nothing to say for itself.
    fn are_usual_for(&mut self, value: &Value<'js>, is_array: bool) -> Result<bool, Exception> {
        let kind = if is_array { &self.array } else { &self.object };
        let is_of_it = value.plain_prototype().is_some_and(|of| of.address() == kind.prototype.address());
        if !is_of_it || value.has_own(&self.constructor)? {
            return Ok(false);
        }
        if let Some(is_usual) = kind.is_usual {
            return Ok(is_usual);
        }
        let mut is_usual = self.is_usual(&self.object)?;
        if is_array {
            let below = self.array.prototype.plain_prototype();
            is_usual &= self.is_usual(&self.array)?;
            is_usual &= below.is_some_and(|below| below.address() == self.object.prototype.address());
        }
        let kind = if is_array { &mut self.array } else { &mut self.object };
        kind.is_usual = Some(is_usual);
        Ok(is_usual)
    }

    fn is_usual(&self, kind: &Kind<'js>) -> Result<bool, Exception> {
        let constructor = kind.prototype.own(&self.constructor)?.and_then(|own| own.value);
        if constructor.is_none_or(|constructor| constructor.address() != kind.maker.address()) {
            return Ok(false);
        }
        for says in &self.says_itself {
            if kind.prototype.has_own(says)? {
                return Ok(false);
            }
        }
        let name = kind.maker.plain_property("name")?;
        Ok(name.is_some_and(|name| name.is_string() && name.text().is_ok_and(|text| &*text == kind.name)))
    }
}

impl<'js> Inspector<'_, 'js> {
    fn arguments(&mut self, arguments: &Value<'js>) -> Result<(), Not> {
        let count = arguments.length()?;
        for index in 0..u32::try_from(count).map_err(|_| Not::Ours)? {
            let value = arguments.get_index(index)?;
            if index > 0 {
                self.text.push(' ');
            }
            if value.is_string() {
                // Before anything is made of it.
                if value.length()? > MOST as u64 {
                    return Err(Not::Ours);
                }
                let text = text_of(&value)?;
                // A format with something for it.
                if index == 0 && count > 1 && text.contains('%') {
                    return Err(Not::Ours);
                }
                self.push(&text)?;
            } else {
                self.value(&value, 0)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, text: &str) -> Result<(), Not> {
        if self.text.len() + text.len() > MOST {
            return Err(Not::Ours);
        }
        self.text.push_str(text);
        Ok(())
    }

    fn value(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        match value.class() {
            Class::Undefined => self.push("undefined"),
            Class::Null => self.push("null"),
            Class::Bool(value) => self.push(if value { "true" } else { "false" }),
            Class::Int(number) => {
                let _ = write!(self.text, "{number}");
                self.push("")
            }
            Class::Float(number) if number == 0.0 && number.is_sign_negative() => self.push("-0"),
            Class::Float(_) => self.push(&text_of(value)?),
            Class::String if value.length()? > MAX_STRING => Err(Not::Ours),
            Class::String => {
                let text = text_of(value)?;
                if text.len() > SHORT && text.contains('\n') {
                    return Err(Not::Ours);
                }
                self.quoted(&text)
            }
            Class::Array if !value.is_proxy() => self.array(value, depth),
            Class::Object if !value.is_proxy() => self.object(value, depth),
            _ => Err(Not::Ours),
        }
    }

    fn object(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        let address = self.enter(value, false)?;
        let keys = value.all_keys()?;
        if keys.len() > MAX_ITEMS || value.symbols()?.len() > 0 {
            return Err(Not::Ours);
        }
        let (begin, first) = self.begin('{', address);
        for key in keys.iter() {
            let own = value.own(&key)?.ok_or(Not::Ours)?;
            if !own.is_enumerable {
                continue;
            }
            let item = own.value.ok_or(Not::Ours)?;
            if depth > DEPTH {
                self.give_up(begin, first);
                return self.push("[Object]");
            }
            self.item(first)?;
            let name = key.text().map_err(not_text)?;
            match &*name {
                "__proto__" => self.push("['__proto__']")?,
                name if is_word(name) => self.push(name)?,
                name => self.quoted(name)?,
            }
            self.push(": ")?;
            self.below(&item, depth)?;
        }
        self.end(begin, first, '}', None)
    }

    fn array(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        let length = value.length()?;
        if length > MAX_ITEMS as u64 {
            return Err(Not::Ours);
        }
        let address = self.enter(value, true)?;
        // Its items and `length`. One that has another name instead of an item lacks that below.
        if value.all_keys()?.len() as u64 != length + 1 || value.symbols()?.len() > 0 {
            return Err(Not::Ours);
        }
        let (begin, first) = self.begin('[', address);
        let mut are_numbers = true;
        for index in 0..length as u32 {
            let item = value.own(&self.scope.index(index))?.filter(|own| own.is_enumerable);
            let item = item.and_then(|own| own.value).ok_or(Not::Ours)?;
            if depth > DEPTH {
                self.give_up(begin, first);
                return self.push("[Array]");
            }
            are_numbers &= matches!(item.class(), Class::Int(_) | Class::Float(_));
            self.item(first)?;
            self.below(&item, depth)?;
        }
        self.end(begin, first, ']', Some(are_numbers))
    }

    /// Looks at an object before it is shown, and returns its address.
    fn enter(&mut self, value: &Value<'js>, is_array: bool) -> Result<usize, Not> {
        self.scope.leave_if_stopped();
        let kinds = match &mut self.kinds {
            Some(kinds) => kinds,
            none => none.insert(Kinds::new(self.given)?),
        };
        let address = value.address();
        if kinds.are_usual_for(value, is_array)? && !self.above.contains(&address) {
            Ok(address)
        } else {
            Err(Not::Ours)
        }
    }

    /// Where its text begins, and its items in the list.
    fn begin(&mut self, open: char, address: usize) -> (usize, usize) {
        self.above.push(address);
        let begin = self.text.len();
        self.text.push(open);
        (begin, self.items.len())
    }

    fn item(&mut self, first: usize) -> Result<(), Not> {
        self.push(if self.items.len() == first { " " } else { ", " })?;
        self.items.push(self.text.len());
        Ok(())
    }

    fn below(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        self.indentation += 2;
        self.value(value, depth + 1)?;
        self.indentation -= 2;
        Ok(())
    }

    fn give_up(&mut self, begin: usize, first: usize) {
        self.text.truncate(begin);
        self.items.truncate(first);
        self.above.pop();
    }

    /// Closes an object, whose items go into lines if they are too long for one. `columns` for an array says whether all of it are numbers.
    fn end(&mut self, begin: usize, first: usize, close: char, columns: Option<bool>) -> Result<(), Not> {
        let count = self.items.len() - first;
        self.above.pop();
        if count == 0 {
            self.text.push(close);
            return self.push("");
        }
        let ends = self.items[first + 1..].iter().map(|next| next - ", ".len()).chain([self.text.len()]);
        let items: Vec<&str> =
            self.items[first..].iter().zip(ends).map(|(start, end)| &self.text[*start..end]).collect();
        let lines = columns.filter(|_| count > 6).and_then(|are_numbers| self.in_columns(&items, are_numbers));
        let break_line = |more: usize| format!("\n{:1$}", "", self.indentation + more);
        let lines = match lines {
            Some(lines) => Some(lines.join(&format!(",{}", break_line(2)))),
            None if self.fits(&items) => None,
            None => Some(items.join(&format!(",{}", break_line(2)))),
        };
        self.items.truncate(first);
        match lines {
            None => self.text.push(' '),
            Some(lines) => {
                self.text.truncate(begin + 1);
                let _ = write!(self.text, "{}{lines}{}", break_line(2), break_line(0));
            }
        }
        self.text.push(close);
        self.push("")
    }

    fn fits(&self, items: &[&str]) -> bool {
        let mut total = 2 * items.len() + self.indentation + 1 + 10;
        for item in items {
            total += units(item);
            if total > LINE || item.contains('\n') {
                return false;
            }
        }
        true
    }

    /// Many short items side by side, as Node arranges them; `None` if they are better one below the other.
    fn in_columns(&self, items: &[&str], are_numbers: bool) -> Option<Vec<String>> {
        let lengths: Vec<usize> = items.iter().map(|item| units(item)).collect();
        let total: usize = lengths.iter().map(|length| length + 2).sum();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let widest = longest + 2;
        if widest * 3 + self.indentation >= LINE || (total as f64 / widest as f64 <= 5.0 && longest > 6) {
            return None;
        }
        let count = items.len() as f64;
        let bias = (widest as f64 - total as f64 / count).sqrt();
        let biased = (widest as f64 - 3.0 - bias).max(1.0);
        let square = ((2.5 * biased * count).sqrt() / biased + 0.5).floor() as usize;
        let columns = square.min((LINE - self.indentation) / widest).min(12);
        if columns <= 1 {
            return None;
        }
        let width_of = |column: usize| lengths.iter().skip(column).step_by(columns).copied().max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        let rows = items.chunks(columns).map(|row| {
            let mut line = String::new();
            for (at, (item, width)) in row.iter().zip(&widths).enumerate() {
                let is_last = at + 1 == row.len();
                let missing = width - units(item);
                let padding = if are_numbers || !is_last { missing } else { 0 };
                if are_numbers {
                    line.extend(std::iter::repeat_n(' ', padding));
                }
                line.push_str(item);
                if !is_last {
                    line.push_str(", ");
                }
                if !are_numbers {
                    line.extend(std::iter::repeat_n(' ', padding));
                }
            }
            line
        });
        Some(rows.collect())
    }

    fn quoted(&mut self, text: &str) -> Result<(), Not> {
        let mark = if !text.contains('\'') {
            '\''
        } else if !text.contains('"') {
            '"'
        } else if !text.contains('`') && !text.contains("${") {
            '`'
        } else {
            '\''
        };
        self.text.push(mark);
        for c in text.chars() {
            let _ = match c {
                '\\' => write!(self.text, "\\\\"),
                c if c == mark => write!(self.text, "\\{c}"),
                '\u{8}' => write!(self.text, "\\b"),
                '\t' => write!(self.text, "\\t"),
                '\n' => write!(self.text, "\\n"),
                '\u{c}' => write!(self.text, "\\f"),
                '\r' => write!(self.text, "\\r"),
                c if c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c) => write!(self.text, "\\x{:02X}", c as u32),
                c => {
                    self.text.push(c);
                    Ok(())
                }
            };
            if self.text.len() > MOST {
                return Err(Not::Ours);
            }
        }
        self.text.push(mark);
        Ok(())
    }
}

fn text_of<'js>(value: &Value<'js>) -> Result<Text<'js>, Not> {
    value.text().map_err(not_text)
}

fn not_text(error: TextError) -> Not {
    match error {
        TextError::LoneSurrogate => Not::Ours,
        TextError::Exception => Not::Thrown,
    }
}

/// UTF-16 units, as JavaScript counts.
fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

fn is_word(text: &str) -> bool {
    let is_start = |c: char| c == '_' || c.is_ascii_alphabetic();
    text.starts_with(is_start) && text.chars().all(|c| is_start(c) || c.is_ascii_digit())
}
