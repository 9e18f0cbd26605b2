//! A look at a source before anything parses it: whether parsing it is proven to be cheap.
//!
//! swc recurses, and where TypeScript is ambiguous it tries: `a<b` may begin type arguments, `(a):` the head of an arrow function. What it has tried
//! and given up it reads again, and what it tries may try in its turn, so time is exponential in how deep such places lie within each other. Nothing
//! stops a parser that has begun. So this scan adds up, token by token, how often each may be read, by an upper bound that follows the parser's
//! sources (swc_ecma_parser 47: `try_parse_ts`, `ts_look_ahead` and the places that copy). What it cannot tell, it does not prove.
//!
//! A bracket that opens within something that is tried is read as often as that; `Level::readings` says how often a token of one level is. The
//! constants are the parser's attempts at one place; tests run families of sources against them. JavaScript is never read twice.

mod level;
mod tokens;
mod words;

use self::level::{Level, Pattern};
use self::tokens::{Kind, Slash, Token, Tokens, Unproven};
use self::words::{
    begins_operand, is_behind_block, is_infix, is_modifier, is_no_type, is_prefix, is_recursive, is_statement,
};
use crate::parse::Language;

/// Brackets within brackets, operators and words that the parser recurses for on one level, open `<` of one level, and tokens that hang on each other
/// in one statement: what is within these needs a fraction of a large stack.
const MAX_BRACKETS: usize = 600;
const MAX_RECURSION: usize = 400;
const MAX_ANGLES: u64 = 48;
const MAX_CHAIN: usize = 20_000;
/// What these count for in [`Look::depth`], and how much any stack has room for.
const BRACKET: usize = 16;
const RECURSION: usize = 8;
pub(crate) const SHALLOW: usize = 1024;
/// How often a token may be read on average, and how often all together where there are few: some milliseconds.
const READINGS: [u64; 2] = [8, 20_000];
/// The same for what takes longer, and still in proportion to its length.
const MOST_READINGS: [u64; 2] = [64, 1_000_000];
/// Bytes and brackets of a source that is taken for a mistake.
const MAX_MISTAKE: usize = 4 << 10;
const MAX_BRACKETS_OF_MISTAKE: usize = 200;
/// Bytes that preparing may take in this process.
const MOST: u64 = 8 << 20;
/// Bytes that the parser and the passes take, measured: a syntax tree is much larger than its source. Lists in it have room before there is anything
/// in them, those of a class most of all.
const TOKEN: u64 = 130;
const LIST: u64 = 250;
const CLASS: u64 = 6000;
/// What a pair of labels takes: an error, which takes as long as reading this many tokens.
const LABEL: u64 = 130;
const PAIR: u64 = 8;
/// Brackets within each other of a source whose passes are taken to be quick: two of them took time exponential in these, and a third may.
const PASSED_BRACKETS: usize = 12;
/// A token of a source with what swc has to transform and to write anew, of which the worst are enums.
const LOWERED_TOKEN: u64 = 1000;

/// What can be said of a source without parsing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Bytes of memory that preparing it takes, roughly.
    pub bytes: u64,
    /// How deep the parser recurses at most, in tokens that hang on each other.
    pub(crate) depth: usize,
    /// Nothing in it is read so often that it would be felt.
    is_quick: bool,
    /// Why it is not proven that preparing it takes time in proportion to its length, and a stack that there is.
    pub unproven: Option<&'static str>,
}

impl Look {
    /// Whether it is proven to take so little that it may be done anywhere at any time.
    pub fn is_cheap(&self) -> bool {
        self.unproven.is_none() && self.is_quick && self.bytes <= MOST
    }
}

/// Looks at a source as TypeScript, which is the worse; see [`Look`]. Takes time in proportion to its length and next to no memory.
pub fn look(source: &str) -> Look {
    look_as(source, Language::TypeScript)
}

pub(crate) fn look_as(source: &str, language: Language) -> Look {
    let mut scan = Scan::new(language);
    let mut unproven = scan.run(source).err();
    // Whoever forgets a bracket or a quote is told so, wherever it is prepared.
    if matches!(unproven, Some(why) if why != AMBIGUOUS && why != DEEP)
        && let Some(readings) = readings_of_mistake(source)
    {
        unproven = None;
        (scan.readings, scan.depth) = (scan.readings.max(readings), usize::MAX);
    }
    if scan.lowered {
        scan.readings = scan.readings.saturating_add(scan.passed_tokens);
        if unproven.is_none() && !scan.is_within(MOST_READINGS) {
            unproven = Some(AMBIGUOUS);
        }
    }
    // What was not looked at to its end is taken for as many tokens as it can have.
    let tokens = if unproven.is_some() { source.len() as u64 } else { scan.copied_tokens };
    let token = if scan.lowered { LOWERED_TOKEN } else { TOKEN };
    let bytes = [token.saturating_mul(tokens), LIST * scan.lists, CLASS * scan.classes, LABEL * scan.label_pairs];
    let bytes = bytes.into_iter().fold(4 * source.len() as u64, u64::saturating_add);
    let is_quick = scan.is_within(READINGS) && !(scan.lowered && scan.most_brackets > PASSED_BRACKETS);
    Look { bytes, depth: scan.depth, is_quick, unproven }
}

/// How often all tokens may be read of a short source that the scan did not come through, if that is not too often: each place where the parser may try
/// something, wherever it stands, makes it six times as many.
fn readings_of_mistake(source: &str) -> Option<u64> {
    let bytes = source.as_bytes();
    let count = |wanted: &[u8]| memchr::memmem::find_iter(bytes, wanted).count();
    let brackets = bytes.iter().filter(|byte| matches!(byte, b'(' | b'[' | b'{')).count();
    if bytes.len() > MAX_MISTAKE || brackets > MAX_BRACKETS_OF_MISTAKE {
        return None;
    }
    let patterns = bytes.iter().enumerate().filter(|(at, byte)| {
        let next = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
        **byte == b'(' && matches!(next, Some(b'{' | b'[' | b'/'))
    });
    let tries = count(b"<")
        + count(b")").min(count(b":"))
        + patterns.count()
        + [b"infer".as_slice(), b"get", b"set", b"await", b"yield", b"of", b"new", b"\\u"]
            .map(count)
            .iter()
            .sum::<usize>();
    let readings = 6_u64.checked_pow(u32::try_from(tries).ok()?)?.checked_mul(bytes.len() as u64)?;
    (readings <= MOST_READINGS[1]).then_some(readings)
}

const AMBIGUOUS: Unproven = "what may be types or comparisons lies too deep within each other";
const DEEP: Unproven = "it is nested too deep, or too much hangs on each other in one statement";
const UNBALANCED: Unproven = "its brackets are not balanced";
const NAMES: Unproven = "it uses words of the language as names where that is ambiguous";

struct Scan<'s> {
    is_typescript: bool,
    levels: Vec<Level>,
    around_recursion: usize,
    around_chain: usize,
    around_labels: u64,
    /// Labels within each other, in pairs: the parser tells of each that has the name of one around it.
    label_pairs: u64,
    tokens: u64,
    /// Tokens with those that are made anew.
    copied_tokens: u64,
    /// How often the passes look at tokens besides the first time, if it comes to that.
    passed_tokens: u64,
    readings: u64,
    lists: u64,
    classes: u64,
    lowered: bool,
    most_brackets: usize,
    depth: usize,
    last: Token<'s>,
    before: Token<'s>,
    /// The last token closed what stands behind `if`, `for`, `while` or `with`.
    closed_head: bool,
    /// The last token was a `!` before an operand.
    negates: bool,
    /// Names with dots are nested namespaces.
    in_namespace: bool,
    exported_enum: bool,
    /// An interface has begun, at this many brackets: its header must reach its own brace.
    interface: Option<usize>,
}

impl<'s> Scan<'s> {
    fn new(language: Language) -> Self {
        Self {
            is_typescript: language == Language::TypeScript,
            levels: vec![Level::new(b'{', 1, false, Pattern::No, 0)],
            around_recursion: 0,
            around_chain: 0,
            around_labels: 0,
            label_pairs: 0,
            tokens: 0,
            copied_tokens: 0,
            passed_tokens: 0,
            readings: 0,
            lists: 0,
            classes: 0,
            lowered: false,
            most_brackets: 0,
            depth: 0,
            last: Token::START,
            before: Token::START,
            closed_head: false,
            negates: false,
            in_namespace: false,
            exported_enum: false,
            interface: None,
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    /// Whether the last token ends an operand. Words of the language do not, and those that are names in some places are taken for none.
    fn ends_operand(&self) -> bool {
        match self.last.kind {
            Kind::Literal | Kind::Close => true,
            Kind::Word => self.before.is_dot() || !is_prefix(self.last.text),
            Kind::Operator | Kind::Open => false,
        }
    }

    /// What a slash would be that came next on the same line.
    fn slash(&self, ends_operand: bool) -> Slash {
        let last = &self.last;
        match last.kind {
            Kind::Open => Slash::Begins,
            Kind::Close if self.closed_head => Slash::Begins,
            // Of an object or a block.
            Kind::Close if last.text == b"}" => Slash::Either,
            Kind::Close | Kind::Literal => Slash::Divides,
            Kind::Word if ends_operand => Slash::Divides,
            Kind::Word if begins_operand(last.text) => Slash::Begins,
            Kind::Word => Slash::Either,
            Kind::Operator => match last.text {
                b"!" if !self.negates => Slash::Either,
                b"++" | b"--" | b">" | b">>" | b">>>" => Slash::Either,
                _ => Slash::Begins,
            },
        }
    }

    fn run(&mut self, source: &'s str) -> Result<(), Unproven> {
        let mut tokens = Tokens::new(source.as_bytes());
        loop {
            let ends_operand = self.ends_operand();
            let slash = self.slash(ends_operand);
            let Some(token) = tokens.next(slash, self.levels.len())? else { break };
            let continued = self.token(token, ends_operand, &mut tokens)?;
            self.negates = continued.text == b"!" && !ends_operand;
            (self.before, self.last) = (self.last, continued);
        }
        // What is not closed goes on to the end, for the parser too.
        Ok(())
    }

    /// Takes a token in; what comes of it is what stands there for the next.
    fn token(&mut self, token: Token<'s>, ends_operand: bool, tokens: &mut Tokens<'s>) -> Result<Token<'s>, Unproven> {
        self.tokens += 1;
        let is_property = self.last.is_dot() || self.last.text == b"#";
        let is_keyword = token.kind == Kind::Word && !is_property;
        if self.is_typescript {
            self.types(token, ends_operand, is_property)?;
        }
        let (last, before, in_namespace, count) = (self.last, self.before, self.in_namespace, self.tokens);
        let closed_head = self.closed_head;
        let level = self.level();
        level.decorates &= token.text != b";";
        if is_keyword && is_statement(token.text) {
            level.no_trial();
            level.heritages = 0;
        }
        // Behind `class`, its name, its type parameters.
        let is_class = |word: &Token<'_>| word.kind == Kind::Word && word.text == b"class";
        if is_keyword && token.text == b"extends" && (is_class(&last) || is_class(&before) || last.text.ends_with(b">"))
        {
            level.heritages += 1;
        }
        let goes_on = is_keyword && is_behind_block(token.text);
        // A word behind an operand begins a statement, unless it belongs to the one before it; what stands behind `if (…)` does.
        if ends_operand && token.kind == Kind::Word && !goes_on && !is_infix(token.text) && !closed_head {
            level.no_chain();
            level.heritages = 0;
        }
        if is_keyword && token.text == b"else" {
            level.elses += 1;
        } else if !goes_on && (matches!(last.text, b";" | b"}") || (ends_operand && token.after_line)) {
            (level.elses, level.labels) = (0, 0);
            // So does a block behind a block.
            if last.text == b"}" && token.text == b"{" {
                level.no_chain();
            }
        }
        let mut labels = 0;
        if token.kind == Kind::Operator {
            match token.text {
                b";" => {
                    level.no_trial();
                    level.no_chain();
                    level.heritages = 0;
                }
                b"," => {
                    // Type arguments go on behind it.
                    if level.angles == 0 {
                        (level.doubled, level.types, level.infers) = (0, 0, 0);
                        level.conditional = level.conditional_around;
                        level.no_chain();
                        // What else a comma stands behind there are names: `implements I, J`.
                        if last.text == b"}" {
                            level.heritages = 0;
                        }
                    }
                    (level.has_comma, level.has_default, level.labels) = (true, false, 0);
                }
                b":" if last.kind == Kind::Word => {
                    level.labels += 1;
                    labels = level.labels;
                }
                b"=" if level.pattern != Pattern::No => level.has_default = true,
                _ => {}
            }
        }
        // What stands before it in the parenthesis is copied.
        let copied = if token.text == b"=>" && level.bracket == b'(' && level.has_comma {
            level.around.saturating_mul(count - level.first_token)
        } else {
            0
        };
        let recurses = match token.kind {
            Kind::Operator => is_recursive(token.text) || (in_namespace && token.text == b"."),
            Kind::Word => !is_property && is_prefix(token.text),
            _ => false,
        };
        level.recursion += usize::from(recurses);
        level.chain += 1;
        level.decorates |= token.text == b"@";
        let (readings, copies, passes) = (level.readings(), level.copies, level.passes());
        self.passed_tokens = self.passed_tokens.saturating_add(copies.saturating_mul(passes - 1));
        self.copied_tokens = self.copied_tokens.saturating_add(copies);
        self.readings = self.readings.saturating_add(copies - 1);
        self.lowered |= token.text == b"@";
        if labels > 0 {
            let pairs = labels + self.around_labels;
            self.label_pairs += pairs;
            self.readings = self.readings.saturating_add(PAIR * pairs);
        }
        self.readings = self.readings.saturating_add(copied).saturating_add(readings);
        self.closed_head = false;
        if is_keyword {
            self.keyword(token.text, &last);
        }
        match token.text {
            b";" | b"{" | b"(" | b"=" => self.in_namespace = false,
            _ => {}
        }
        let continued = match token.kind {
            Kind::Open => {
                self.open(token, readings);
                token
            }
            Kind::Close => self.close(token, tokens)?,
            _ => token,
        };
        self.check()?;
        Ok(continued)
    }

    fn keyword(&mut self, word: &[u8], last: &Token<'_>) {
        self.lowered |= matches!(word, b"enum" | b"namespace" | b"module" | b"accessor");
        self.lowered |= matches!(last.text, b"(" | b",")
            && matches!(word, b"public" | b"private" | b"protected" | b"override" | b"readonly");
        self.classes += u64::from(word == b"class");
        self.in_namespace |= matches!(word, b"namespace" | b"module");
        self.exported_enum = word == b"enum" && last.text == b"export" || self.exported_enum && word != b"enum";
        if word == b"interface" && self.is_typescript {
            self.interface = Some(self.levels.len());
        }
    }

    /// What TypeScript tries.
    fn types(&mut self, token: Token<'s>, ends_operand: bool, is_property: bool) -> Result<(), Unproven> {
        let (last, before) = (self.last, self.before);
        let level = self.levels.last_mut().expect("the outermost level is never closed");
        if ends_operand {
            // No expression and no type has two operands beside each other.
            match token.kind {
                Kind::Word if !is_infix(token.text) => level.no_trial(),
                Kind::Literal => level.no_type(),
                Kind::Open if matches!(token.text, b"(" | b"{") || token.is_template() => level.no_type(),
                _ => {}
            }
        }
        match (token.kind, token.text) {
            (Kind::Operator, b"<" | b"<<") => {
                level.doubled += token.text.len() as u64;
                level.angles += token.text.len() as u64;
            }
            (Kind::Operator, b">" | b">>" | b">>>") => {
                level.angles = level.angles.saturating_sub(token.text.len() as u64);
            }
            (Kind::Operator, b"=>") => {
                if level.types > 0 && level.conditional {
                    level.doubled += 1;
                    self.readings = self.readings.saturating_add(level.around.saturating_mul(level.last_group));
                }
                if last.text != b")" {
                    level.no_type();
                }
            }
            (Kind::Operator, b"?" | b":") => {
                level.conditional |= token.text == b"?";
                if !level.extends {
                    level.no_type();
                }
                level.types += u64::from(token.text == b":" && last.text == b")");
            }
            (Kind::Operator, b"=") => (level.types, level.infers) = (0, 0),
            (Kind::Operator, text) if is_no_type(text) => level.no_type(),
            (Kind::Literal, text) if text.starts_with(b"/") => level.no_type(),
            (Kind::Word, b"extends") if !is_property => {
                level.extends = true;
                level.infers += u64::from(before.text == b"infer");
            }
            (Kind::Word, b"new") if !is_property && last.text == b"new" => return Err(AMBIGUOUS),
            (Kind::Word, b"of" | b"in") if matches!(last.text, b"var" | b"let" | b"const") && before.text == b"(" => {
                return Err(NAMES);
            }
            (Kind::Word, b"of") if matches!(last.text, b"await" | b"yield") && before.text == b"(" => {
                return Err(NAMES);
            }
            (Kind::Close, b")") if last.text == b"(" && before.text == b"import" => return Err(NAMES),
            _ => {}
        }
        // A property of a type that is called `get` or `set`.
        if last.kind == Kind::Word
            && matches!(last.text, b"get" | b"set")
            && token.after_line
            && !before.is_dot()
            && (matches!(token.kind, Kind::Word | Kind::Literal) || matches!(token.text, b"[" | b"#"))
        {
            return Err(NAMES);
        }
        Ok(())
    }

    fn open(&mut self, token: Token<'_>, readings: u64) {
        self.lists += 1;
        let bracket = if token.is_template() { b'`' } else { token.text[0] };
        let (last, before) = (self.last, self.before);
        let level = self.levels.last_mut().expect("the outermost level is never closed");
        let (mut around, mut pattern) = (readings, Pattern::No);
        // Parameters of function types: the parser looks ahead over patterns, twice at most, defaults and computed keys in them included.
        let begins = (level.bracket == b'(' && last.text == b"(")
            || (is_modifier(last.text) && before.text == b"(")
            || (level.pattern != Pattern::No && matches!(last.text, b"{" | b"[" | b"," | b":" | b"..."));
        if begins && self.is_typescript {
            match bracket {
                b'[' if level.pattern == Pattern::Object && matches!(last.text, b"{" | b",") => {
                    around = around.saturating_mul(3);
                }
                b'[' => pattern = Pattern::List,
                b'{' => pattern = Pattern::Object,
                _ => {}
            }
        }
        if bracket == b'{' && std::mem::take(&mut self.exported_enum) {
            around = around.saturating_mul(2);
        }
        if bracket == b'{' && self.interface == Some(self.levels.len()) {
            self.interface = None;
        }
        let level = self.levels.last_mut().expect("the outermost level is never closed");
        let conditional = level.conditional;
        let copies = if level.decorates { level.copies.saturating_mul(2) } else { level.copies };
        let passes = level.passes();
        self.around_recursion += level.recursion + level.elses;
        self.around_chain += level.chain;
        self.around_labels += level.labels;
        let is_head = bracket == b'(' && matches!(last.text, b"if" | b"for" | b"while" | b"with");
        // `for await (…)`, or a parenthesis that is awaited.
        let is_head = is_head || (bracket == b'(' && last.text == b"await" && before.text == b"for");
        self.levels.push(Level {
            is_head,
            copies,
            passes,
            ..Level::new(bracket, around, conditional, pattern, self.tokens)
        });
    }

    fn close(&mut self, token: Token<'s>, tokens: &mut Tokens<'s>) -> Result<Token<'s>, Unproven> {
        let wanted = match self.level().bracket {
            b'(' => b')',
            b'[' => b']',
            _ => b'}',
        };
        // An interface whose header goes on past its bracket would be read past it.
        if self.levels.len() == 1 || token.text[0] != wanted || self.interface == Some(self.levels.len()) {
            return Err(UNBALANCED);
        }
        let is_template = self.level().bracket == b'`';
        if is_template && tokens.goes_on_in_template()? {
            self.level().no_trial();
            self.level().no_chain();
            return Ok(Token { kind: Kind::Operator, text: b"${", after_line: false });
        }
        let closed = self.levels.pop().expect("there is more than one");
        self.closed_head = closed.is_head;
        let count = self.tokens;
        let level = self.level();
        level.last_group = count - closed.first_token;
        let (recursion, chain, labels) = (level.recursion + level.elses, level.chain, level.labels);
        self.around_recursion -= recursion;
        self.around_chain -= chain;
        self.around_labels -= labels;
        Ok(if is_template { Token { kind: Kind::Literal, text: b"`", after_line: false } } else { token })
    }

    fn check(&mut self) -> Result<(), Unproven> {
        let (around_recursion, around_chain, brackets) =
            (self.around_recursion, self.around_chain, self.levels.len() - 1);
        let level = self.level();
        let (recursion, angles, chain) = (level.recursion + level.elses, level.angles, level.chain + around_chain);
        let depth = BRACKET * brackets + RECURSION * (recursion + around_recursion) + chain;
        self.depth = self.depth.max(depth);
        self.most_brackets = self.most_brackets.max(brackets);
        if brackets > MAX_BRACKETS || recursion > MAX_RECURSION || angles > MAX_ANGLES || chain > MAX_CHAIN {
            return Err(DEEP);
        }
        if self.is_within(MOST_READINGS) { Ok(()) } else { Err(AMBIGUOUS) }
    }

    fn is_within(&self, [each, all]: [u64; 2]) -> bool {
        self.readings <= each * self.tokens + all
    }
}

#[cfg(test)]
mod tests;
