//! Whether a path fits a pattern, by characters and in time that is bounded by the product of their lengths.
//!
//! `*` is any run of characters of a name, `**` as a whole name any run of names, `?` one character, `[a-z]` and `[!a-z]` one of a class,
//! `{a,b}` one of some patterns, `\` takes the next character as it is, and `!` at the beginning turns the answer round. A bracket or a brace
//! that is not closed is a character like any other.
//!
//! The pattern is a nondeterministic automaton that reads the path once (<https://swtch.com/~rsc/regexp/regexp1.html>): alternatives add up
//! and never multiply.

use perennial_engine::{Budget, OpError};

/// Bytes of a pattern, and of a path that is matched.
const MAX: usize = 4 << 10;
/// Braces within braces.
const MAX_NESTED: usize = 50;
/// States that are looked at before the budget is.
const STEPS: usize = 1 << 14;

#[derive(Debug)]
enum Step {
    Char(char),
    /// One character of a name.
    Any,
    /// One of a class; with its ranges, and whether it is none of them.
    Class(Vec<(char, char)>, bool),
    /// Whatever it is, `/` too.
    All,
    /// Goes on at each of these, without reading anything.
    Split(Vec<usize>),
    End,
}

struct Compiler<'p> {
    pattern: &'p [char],
    at: usize,
    states: Vec<Step>,
}

/// Whether a path fits.
///
/// # Errors
/// If either is too long or the pattern is nested too deep, or when the budget is over.
pub(super) fn matches(pattern: &str, path: &str, budget: &Budget) -> Result<bool, OpError> {
    for (what, text) in [("pattern", pattern), ("path", path)] {
        if text.len() > MAX {
            let message = format!("a {what} has at most {MAX} bytes, and this one has {}", text.len());
            return Err(OpError::quota(message, MAX as u64, text.len() as u64));
        }
    }
    let all: Vec<char> = pattern.chars().collect();
    let turned = all.iter().take_while(|c| **c == '!').count();
    let mut compiler = Compiler { pattern: &all[turned..], at: 0, states: Vec::new() };
    compiler.sequence(0, true)?;
    compiler.states.push(Step::End);
    let fits = run(&compiler.states, path, budget)?;
    Ok(fits != (turned % 2 == 1))
}

impl Compiler<'_> {
    fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    /// Up to the end, or to what ends an alternative of braces. `begins` says whether a name begins here.
    fn sequence(&mut self, depth: usize, mut begins: bool) -> Result<(), OpError> {
        while let Some(c) = self.peek() {
            if depth > 0 && matches!(c, ',' | '}') {
                return Ok(());
            }
            self.at += 1;
            let began = std::mem::replace(&mut begins, c == '/');
            match c {
                '*' => {
                    let mut stars = 1;
                    while self.peek() == Some('*') {
                        self.at += 1;
                        stars += 1;
                    }
                    let ends = match self.peek() {
                        None => true,
                        Some(c) => depth > 0 && matches!(c, ',' | '}'),
                    };
                    if stars > 1 && began && self.peek() == Some('/') {
                        self.at += 1;
                        begins = true;
                        self.names();
                    } else {
                        self.repeat(if stars > 1 && began && ends { Step::All } else { Step::Any });
                    }
                }
                '?' => self.states.push(Step::Any),
                '[' => match self.class() {
                    Some(class) => self.states.push(class),
                    None => self.states.push(Step::Char('[')),
                },
                '{' if self.closes() => self.alternatives(depth, began)?,
                '\\' if self.peek().is_some() => {
                    let next = self.pattern[self.at];
                    self.at += 1;
                    self.states.push(Step::Char(next));
                }
                c => self.states.push(Step::Char(c)),
            }
        }
        Ok(())
    }

    /// Any number of what reads one character.
    fn repeat(&mut self, one: Step) {
        let split = self.states.len();
        self.states.push(Step::Split(vec![split + 1, split + 3]));
        self.states.push(one);
        self.states.push(Step::Split(vec![split]));
    }

    /// Any number of names, each with the `/` behind it.
    fn names(&mut self) {
        let split = self.states.len();
        self.states.push(Step::Split(Vec::new()));
        self.repeat(Step::Any);
        self.states.push(Step::Char('/'));
        self.states.push(Step::Split(vec![split]));
        let after = self.states.len();
        self.states[split] = Step::Split(vec![split + 1, after]);
    }

    fn class(&mut self) -> Option<Step> {
        let mut at = self.at;
        let negated = matches!(self.pattern.get(at), Some('!' | '^'));
        at += usize::from(negated);
        let (first, mut ranges) = (at, Vec::new());
        loop {
            let mut low = *self.pattern.get(at)?;
            if low == ']' && at > first {
                break;
            }
            if low == '\\' {
                at += 1;
                low = *self.pattern.get(at)?;
            }
            at += 1;
            let mut high = low;
            if self.pattern.get(at) == Some(&'-') && self.pattern.get(at + 1).is_some_and(|c| *c != ']') {
                at += 1;
                if self.pattern[at] == '\\' {
                    at += 1;
                }
                high = *self.pattern.get(at)?;
                at += 1;
            }
            ranges.push((low, high));
        }
        self.at = at + 1;
        Some(Step::Class(ranges, negated))
    }

    /// Whether the brace that was just read is closed.
    fn closes(&self) -> bool {
        let (mut open, mut at) = (1, self.at);
        while let Some(c) = self.pattern.get(at) {
            match c {
                '\\' => at += 1,
                '{' => open += 1,
                '}' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return true;
            }
            at += 1;
        }
        false
    }

    fn alternatives(&mut self, depth: usize, begins: bool) -> Result<(), OpError> {
        if depth >= MAX_NESTED {
            return Err(OpError::type_error(format!("a pattern has at most {MAX_NESTED} braces within each other")));
        }
        let split = self.states.len();
        self.states.push(Step::Split(Vec::new()));
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        loop {
            starts.push(self.states.len());
            self.sequence(depth + 1, begins)?;
            ends.push(self.states.len());
            self.states.push(Step::Split(Vec::new()));
            let ended = self.peek() != Some(',');
            self.at += 1;
            if ended {
                break;
            }
        }
        let after = self.states.len();
        ends.into_iter().for_each(|end| self.states[end] = Step::Split(vec![after]));
        self.states[split] = Step::Split(starts);
        Ok(())
    }
}

fn run(states: &[Step], path: &str, budget: &Budget) -> Result<bool, OpError> {
    // When each state was last reached.
    let mut reached = vec![usize::MAX; states.len()];
    let (mut now, mut next, mut todo) = (Vec::new(), Vec::new(), vec![0]);
    let mut steps = 0;
    let mut follow = |todo: &mut Vec<usize>, into: &mut Vec<usize>, turn: usize| {
        while let Some(state) = todo.pop() {
            if std::mem::replace(&mut reached[state], turn) == turn {
                continue;
            }
            match &states[state] {
                Step::Split(ways) => todo.extend(ways),
                _ => into.push(state),
            }
        }
    };
    follow(&mut todo, &mut now, 0);
    for (turn, c) in path.chars().enumerate() {
        for &state in &now {
            steps += 1;
            if steps % STEPS == 0 && budget.is_stopped() {
                return Err(OpError::new("Error", "the script was stopped"));
            }
            let reads = match &states[state] {
                Step::Char(wanted) => *wanted == c,
                Step::Any => c != '/',
                Step::All => true,
                Step::Class(ranges, negated) => {
                    c != '/' && ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
                }
                Step::Split(_) | Step::End => false,
            };
            if reads {
                todo.push(state + 1);
            }
        }
        next.clear();
        follow(&mut todo, &mut next, turn + 1);
        std::mem::swap(&mut now, &mut next);
        if now.is_empty() {
            return Ok(false);
        }
    }
    Ok(now.iter().any(|state| matches!(states[*state], Step::End)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        matches(pattern, path, &Budget::default()).expect("neither is too long")
    }

    #[test]
    fn patterns_match_names_and_characters() {
        for (pattern, path) in [
            ("*.txt", "a.txt"),
            ("*", ".hidden"),
            ("a/*/c", "a/b/c"),
            ("**/c", "c"),
            ("**/c", "a/b/c"),
            ("a/**", "a/b/c"),
            ("a/**/c", "a/c"),
            ("a/**/c", "a/x/y/c"),
            ("a**b", "axxb"),
            ("?", "é"),
            ("??", "e\u{301}"),
            ("[é-ü]x", "öx"),
            ("[!a]", "é"),
            ("[]]", "]"),
            ("{a,b{c,d},}e", "bde"),
            ("{a,b{c,d},}e", "e"),
            ("x/{**/y,z}", "x/a/b/y"),
            ("\\*", "*"),
            ("{a", "{a"),
            ("[a", "[a"),
            ("!*.js", "a.ts"),
            ("!!a", "a"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.txt", "a/b.txt"),
            ("a/*/c", "a/c"),
            ("?", "/"),
            ("[!a]", "/"),
            ("a/**", "a"),
            ("a**b", "a/b"),
            ("\\*", "a"),
            ("{a,b}", "c"),
            ("!*.js", "a.js"),
            ("", "a"),
        ] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn what_multiplies_elsewhere_adds_up_here() {
        assert!(!fits(&format!("{}b", "{a,aa,aaa}".repeat(300)), &"a".repeat(2000)));
        assert!(!fits(&format!("{}b", "*a".repeat(1000)), &"a".repeat(4000)));
        assert!(!fits(&"{**/a,b}".repeat(400), &"a/".repeat(2000)));
    }

    #[test]
    fn longer_patterns_and_paths_and_deeper_braces_are_errors() {
        assert!(matches(&"a".repeat(5000), "a", &Budget::default()).is_err());
        assert!(matches("a", &"a".repeat(5000), &Budget::default()).is_err());
        assert!(matches(&format!("{}{}", "{".repeat(60), "}".repeat(60)), "a", &Budget::default()).is_err());
    }
}
