//! Values as text for the console, where no JavaScript is needed for it: texts, numbers, plain objects and arrays, maps and sets, dates, errors, and
//! what is made of these. What is anything else is left to `inspect.js`, which shows these as well, in the same way.

use std::fmt::Write as _;

use crate::js::{Atom, Class, Exception, Scope, Text, TextError, Value};

/// Bytes of a text that is made here. What is longer is cut by rules that stand in `inspect.js`.
const MOST: usize = 16 << 10;
/// Items of an array, a map or a set, and names of an object. `console.js` has the same bound for what it lists.
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

/// The text of a console entry with these arguments, an array; `None` if JavaScript has to make it. `means` are what `console.js` hands over: see [`Mean`].
pub(crate) fn entry<'js>(arguments: &Value<'js>, means: &Value<'js>) -> Option<String> {
    let scope = arguments.scope();
    let (text, items, above) = (String::new(), Vec::new(), Vec::new());
    let mut inspector = Inspector { scope, means, kinds: None, text, items, above, indentation: 0 };
    match inspector.arguments(arguments) {
        Ok(()) => Some(inspector.text),
        Err(Not::Ours) => None,
        Err(Not::Thrown) => {
            drop(scope.catch());
            None
        }
    }
}

/// Where something is in the array that `console.js` hands over.
#[derive(Clone, Copy)]
enum Mean {
    /// The symbols by which an object says what it looks like.
    Custom,
    ToStringTag,
    /// What a map or a set holds, one after the other; `undefined` if it is more than [`MAX_ITEMS`].
    Listed,
    DateText,
    /// The frames of an error.
    Frames,
    /// The constructors of what is shown here, `Error` and its kin last.
    Object,
    Array,
    Map,
    Set,
    Date,
    Error,
}

struct Inspector<'a, 'js> {
    scope: Scope<'js>,
    means: &'a Value<'js>,
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
    means: Value<'js>,
    constructor: Atom<'js>,
    custom: Atom<'js>,
    to_string_tag: Atom<'js>,
    /// Those that were asked for, by their place.
    known: Vec<(u32, Kind<'js>)>,
}

/// A kind of objects.
#[derive(Clone)]
struct Kind<'js> {
    prototype: Value<'js>,
    /// Whether it is what the language makes it, and those that it goes back to.
    is_usual: bool,
}

impl<'js> Kinds<'js> {
    fn new(means: &Value<'js>) -> Result<Self, Exception> {
        Ok(Self {
            means: means.clone(),
            constructor: means.scope().atom("constructor")?,
            custom: means.get_index(Mean::Custom as u32)?.key()?,
            to_string_tag: means.get_index(Mean::ToStringTag as u32)?.key()?,
            known: Vec::new(),
        })
    }

    fn get(&mut self, place: u32) -> Result<Kind<'js>, Exception> {
        if let Some((_, kind)) = self.known.iter().find(|(known, _)| *known == place) {
            return Ok(kind.clone());
        }
        let maker = self.means.get_index(place)?;
        let prototype = maker.get_str("prototype")?;
        let below = match place {
            place if place == Mean::Object as u32 => None,
            place if place > Mean::Error as u32 => Some(Mean::Error),
            _ => Some(Mean::Object),
        };
        let mut is_usual = self.is_usual(place, &maker, &prototype)?;
        if let Some(below) = below {
            let below = self.get(below as u32)?;
            is_usual &= below.is_usual && prototype.plain_prototype().is_some_and(|of| is_same(&of, &below.prototype));
        }
        let kind = Kind { prototype, is_usual };
        self.known.push((place, kind.clone()));
        Ok(kind)
    }

    fn is_usual(&self, place: u32, maker: &Value<'js>, prototype: &Value<'js>) -> Result<bool, Exception> {
        let constructor = prototype.own(&self.constructor)?.and_then(|own| own.value);
        if constructor.is_none_or(|constructor| !is_same(&constructor, maker)) || prototype.has_own(&self.custom)? {
            return Ok(false);
        }
        // Maps and sets have a tag, which is not shown.
        let has_tag = place == Mean::Map as u32 || place == Mean::Set as u32;
        if !has_tag && prototype.has_own(&self.to_string_tag)? {
            return Ok(false);
        }
        const NAMES: [&str; 5] = ["Object", "Array", "Map", "Set", "Date"];
        let Some(name) = NAMES.get((place - Mean::Object as u32) as usize) else { return Ok(true) };
        let own = maker.plain_property("name")?;
        Ok(own.is_some_and(|own| own.is_string() && own.text().is_ok_and(|text| &*text == *name)))
    }

    /// Whether an object is what its kind is, with nothing to say for itself.
    fn are_usual_for(&mut self, value: &Value<'js>, of: Mean) -> Result<bool, Exception> {
        let kind = self.get(of as u32)?;
        let is_of_it = value.plain_prototype().is_some_and(|of| is_same(&of, &kind.prototype));
        Ok(is_of_it && kind.is_usual && !value.has_own(&self.constructor)?)
    }

    /// The kind of error that this is directly, if it is one of the language's.
    fn of_error(&mut self, error: &Value<'js>) -> Result<Option<Kind<'js>>, Exception> {
        let Some(prototype) = error.plain_prototype() else { return Ok(None) };
        for place in Mean::Error as u32..self.means.length()? as u32 {
            let kind = self.get(place)?;
            if is_same(&kind.prototype, &prototype) {
                return Ok(Some(kind).filter(|kind| kind.is_usual));
            }
        }
        Ok(None)
    }
}

fn is_same(one: &Value<'_>, other: &Value<'_>) -> bool {
    one.address() == other.address()
}

/// An object that is being written: where its text begins and goes on after the brace, and its items in the list.
#[derive(Clone, Copy)]
struct Begun {
    at: usize,
    inside: usize,
    first: usize,
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
            _ if value.is_proxy() => Err(Not::Ours),
            Class::Array => self.array(value, depth),
            Class::Object => self.object(value, depth),
            Class::Map => self.collection(value, depth, Mean::Map),
            Class::Set => self.collection(value, depth, Mean::Set),
            Class::Date => self.date(value),
            Class::Error => self.error(value),
            _ => Err(Not::Ours),
        }
    }

    fn object(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        let address = self.enter(value, Mean::Object)?;
        let keys = value.all_keys()?;
        if keys.len() > MAX_ITEMS || value.symbols()?.len() > 0 {
            return Err(Not::Ours);
        }
        let begun = self.begin("{", address);
        for key in keys.iter() {
            let own = value.own(&key)?.ok_or(Not::Ours)?;
            if !own.is_enumerable {
                continue;
            }
            let item = own.value.ok_or(Not::Ours)?;
            if depth > DEPTH {
                self.give_up(begun);
                return self.push("[Object]");
            }
            self.item(begun)?;
            let name = key.text().map_err(not_text)?;
            match &*name {
                "__proto__" => self.push("['__proto__']")?,
                name if is_word(name) => self.push(name)?,
                name => self.quoted(name)?,
            }
            self.push(": ")?;
            self.below(&item, depth)?;
        }
        self.end(begun, '}', None)
    }

    /// A map or a set.
    fn collection(&mut self, value: &Value<'js>, depth: usize, of: Mean) -> Result<(), Not> {
        let address = self.enter(value, of)?;
        self.has_no_properties(value)?;
        let is_map = matches!(of, Mean::Map);
        let listed = self.ask(Mean::Listed, value)?;
        if !listed.is_object() {
            return Err(Not::Ours);
        }
        let (step, name) = if is_map { (2, "Map") } else { (1, "Set") };
        let count = listed.length()? as u32 / step;
        if depth > DEPTH && count > 0 {
            return self.push(if is_map { "[Map]" } else { "[Set]" });
        }
        let begun = self.begin(&format!("{name}({count}) {{"), address);
        for index in 0..count {
            self.item(begun)?;
            self.below(&listed.get_index(index * step)?, depth)?;
            if is_map {
                self.push(" => ")?;
                self.below(&listed.get_index(index * step + 1)?, depth)?;
            }
        }
        self.end(begun, '}', None)
    }

    fn date(&mut self, value: &Value<'js>) -> Result<(), Not> {
        self.enter(value, Mean::Date)?;
        self.has_no_properties(value)?;
        let text = self.ask(Mean::DateText, value)?;
        self.push(&text_of(&text)?)
    }

    fn error(&mut self, value: &Value<'js>) -> Result<(), Not> {
        self.scope.leave_if_stopped();
        let kind = self.kinds()?.of_error(value)?.ok_or(Not::Ours)?;
        let message = self.scope.atom("message")?;
        let own = value.own(&message)?;
        // Its own message, which is not shown once more, is all that it may have.
        if own.as_ref().is_some_and(|own| own.is_enumerable)
            || value.all_keys()?.len() != usize::from(own.is_some())
            || value.symbols()?.len() > 0
        {
            return Err(Not::Ours);
        }
        let message = match own {
            Some(own) => own.value,
            None => kind.prototype.own(&message)?.and_then(|own| own.value),
        };
        let message = message.filter(Value::is_string).ok_or(Not::Ours)?;
        let name = kind.prototype.plain_property("name")?.filter(Value::is_string).ok_or(Not::Ours)?;
        let frames = self.ask(Mean::Frames, value)?;
        if message.length()? + name.length()? > MOST as u64 || !frames.is_string() {
            return Err(Not::Ours);
        }
        let (name, message, frames) = (text_of(&name)?, text_of(&message)?, text_of(&frames)?);
        if name.is_empty() || frames.is_empty() {
            return Err(Not::Ours);
        }
        let colon = if message.is_empty() { "" } else { ": " };
        let frames = frames.strip_suffix('\n').unwrap_or(&frames);
        let text = format!("{}{colon}{}\n{frames}", &*name, &*message);
        match self.indentation {
            0 => self.push(&text),
            indentation => self.push(&text.replace('\n', &format!("\n{:indentation$}", ""))),
        }
    }

    fn has_no_properties(&self, value: &Value<'js>) -> Result<(), Not> {
        if value.all_keys()?.len() == 0 && value.symbols()?.len() == 0 { Ok(()) } else { Err(Not::Ours) }
    }

    /// Asks what only JavaScript can say, by a function of the library's.
    fn ask(&self, mean: Mean, value: &Value<'js>) -> Result<Value<'js>, Exception> {
        self.scope.call(&self.means.get_index(mean as u32)?, &self.scope.undefined(), &[value])
    }

    fn array(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        let length = value.length()?;
        if length > MAX_ITEMS as u64 {
            return Err(Not::Ours);
        }
        let address = self.enter(value, Mean::Array)?;
        // Its items and `length`. One that has another name instead of an item lacks that below.
        if value.all_keys()?.len() as u64 != length + 1 || value.symbols()?.len() > 0 {
            return Err(Not::Ours);
        }
        let begun = self.begin("[", address);
        let mut are_numbers = true;
        for index in 0..length as u32 {
            let item = value.own(&self.scope.index(index))?.filter(|own| own.is_enumerable);
            let item = item.and_then(|own| own.value).ok_or(Not::Ours)?;
            if depth > DEPTH {
                self.give_up(begun);
                return self.push("[Array]");
            }
            are_numbers &= matches!(item.class(), Class::Int(_) | Class::Float(_));
            self.item(begun)?;
            self.below(&item, depth)?;
        }
        self.end(begun, ']', Some(are_numbers))
    }

    fn kinds(&mut self) -> Result<&mut Kinds<'js>, Exception> {
        match &mut self.kinds {
            Some(kinds) => Ok(kinds),
            none => Ok(none.insert(Kinds::new(self.means)?)),
        }
    }

    /// Looks at an object before it is shown, and returns its address.
    fn enter(&mut self, value: &Value<'js>, of: Mean) -> Result<usize, Not> {
        self.scope.leave_if_stopped();
        let address = value.address();
        if self.kinds()?.are_usual_for(value, of)? && !self.above.contains(&address) {
            Ok(address)
        } else {
            Err(Not::Ours)
        }
    }

    fn begin(&mut self, open: &str, address: usize) -> Begun {
        self.above.push(address);
        let at = self.text.len();
        self.text.push_str(open);
        Begun { at, inside: self.text.len(), first: self.items.len() }
    }

    fn item(&mut self, begun: Begun) -> Result<(), Not> {
        self.push(if self.items.len() == begun.first { " " } else { ", " })?;
        self.items.push(self.text.len());
        Ok(())
    }

    fn below(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Not> {
        self.indentation += 2;
        self.value(value, depth + 1)?;
        self.indentation -= 2;
        Ok(())
    }

    fn give_up(&mut self, begun: Begun) {
        self.text.truncate(begun.at);
        self.items.truncate(begun.first);
        self.above.pop();
    }

    /// Closes an object, whose items go into lines if they are too long for one. `columns` for an array says whether all of it are numbers.
    fn end(&mut self, Begun { at, inside, first }: Begun, close: char, columns: Option<bool>) -> Result<(), Not> {
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
            None if self.fits(&items, inside - at) => None,
            None => Some(items.join(&format!(",{}", break_line(2)))),
        };
        self.items.truncate(first);
        match lines {
            None => self.text.push(' '),
            Some(lines) => {
                self.text.truncate(inside);
                let _ = write!(self.text, "{}{lines}{}", break_line(2), break_line(0));
            }
        }
        self.text.push(close);
        self.push("")
    }

    /// Whether the items go into a line, behind so much that opens it.
    fn fits(&self, items: &[&str], open: usize) -> bool {
        let mut total = 2 * items.len() + self.indentation + open + 10;
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
