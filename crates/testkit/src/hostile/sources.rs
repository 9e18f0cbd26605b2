//! Sources: a path through the grammar, walked again and again until the size is reached.

use super::Choices;

/// What stands at a place of the grammar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Expression,
    Type,
    Pattern,
    Statement,
    Member,
}

use Sort::{Expression as E, Member as M, Pattern as P, Statement as S, Type as T};

/// Productions with one place left open: what is produced, the text before the place, what may stand there, the text after it.
const RULES: &[(Sort, &str, Sort, &str)] = &[
    (E, "(", E, ")"),
    (E, "[", E, "]"),
    (E, "[a,", E, ",b]"),
    (E, "({a:", E, "})"),
    (E, "({[", E, "]:1})"),
    (E, "{a:", E, "}"),
    (E, "{...", E, ",}"),
    (E, "a+", E, ""),
    (E, "", E, "+a"),
    (E, "a**", E, ""),
    (E, "a?", E, ":b"),
    (E, "a?b:", E, ""),
    (E, "a?(b):", E, ""),
    (E, "a?(b)=>", E, ":c"),
    (E, "a?(b):c=>", E, ":d"),
    (E, "", E, "?(a):b"),
    (E, "(a)=>", E, ""),
    (E, "a=>", E, ""),
    (E, "async a=>", E, ""),
    (E, "async(a)=>", E, ""),
    (E, "async(", E, ")"),
    (E, "(a:", T, ")=>b"),
    (E, "(a):", T, "=>b"),
    (E, "(", P, ")=>a"),
    (E, "(a=", E, ")=>b"),
    (E, "({a=", E, "})=>b"),
    (E, "([", P, "])=>a"),
    (E, "<A>(a)=>", E, ""),
    (E, "<A,>(a:", T, ")=>b"),
    (E, "<", T, ">a"),
    (E, "<A>", E, ""),
    (E, "<a>", E, "</a>"),
    (E, "<a b={", E, "}/>"),
    (E, "a<", T, ">(b)"),
    (E, "a<", E, ""),
    (E, "a<b>(", E, ")"),
    (E, "f(", E, ")"),
    (E, "f(a,", E, ",)"),
    (E, "f<", T, ">`a`"),
    (E, "new A<", T, ">"),
    (E, "new ", E, ""),
    (E, "`${", E, "}`"),
    (E, "a`${", E, "}`"),
    (E, "", E, " as A"),
    (E, "a as ", T, ""),
    (E, "a satisfies ", T, ""),
    (E, "", E, "!"),
    (E, "", E, ".a"),
    (E, "", E, "?.[a]"),
    (E, "", E, "[a]"),
    (E, "a[", E, "]"),
    (E, "!", E, ""),
    (E, "typeof ", E, ""),
    (E, "await ", E, ""),
    (E, "yield ", E, ""),
    (E, "a??", E, ""),
    (E, "a=", E, ""),
    (E, "[a=", E, "]=b"),
    (E, "{a=", E, "}"),
    (E, "(a,", E, ")"),
    (E, "function(){", S, "}"),
    (E, "function*(a=", E, "){}"),
    (E, "async function(){", S, "}"),
    (E, "class{", M, "}"),
    (E, "class extends ", E, "{}"),
    (E, "@a(", E, ")class{}"),
    (E, "import(", E, ")"),
    (E, "{get a(){", S, "}}"),
    (E, "{async*[", E, "](){}}"),
    (E, "/a/.b(", E, ")"),
    (E, "a/", E, "/b"),
    (T, "(", T, ")"),
    (T, "[", T, "]"),
    (T, "[a:", T, ",...b]"),
    (T, "A<", T, ">"),
    (T, "A<B,", T, ">"),
    (T, "A<B<", T, ">>"),
    (T, "", T, "[]"),
    (T, "", T, "[A]"),
    (T, "A|", T, ""),
    (T, "A&", T, ""),
    (T, "|", T, ""),
    (T, "{a:", T, "}"),
    (T, "{[a:string]:", T, "}"),
    (T, "{[A in ", T, "]:B}"),
    (T, "{(a:", T, "):B}"),
    (T, "{new(", P, "):A}"),
    (T, "(a:", T, ")=>B"),
    (T, "(a)=>", T, ""),
    (T, "(", P, ")=>A"),
    (T, "new(a:", T, ")=>B"),
    (T, "abstract new()=>", T, ""),
    (T, "<A extends ", T, ">()=>A"),
    (T, "A extends ", T, "?B:C"),
    (T, "A extends B?", T, ":C"),
    (T, "A extends B?C:", T, ""),
    (T, "A extends infer B extends ", T, "?C:D"),
    (T, "keyof ", T, ""),
    (T, "readonly ", T, "[]"),
    (T, "typeof a<", T, ">"),
    (T, "import('a').B<", T, ">"),
    (T, "`${", T, "}`"),
    (T, "asserts a is ", T, ""),
    (T, "unique ", T, ""),
    (T, "{a?(b?:", T, "):void;get c():A}"),
    (P, "{a:", P, "}"),
    (P, "{[", E, "]:a}"),
    (P, "[", P, "]"),
    (P, "[,...", P, "]"),
    (P, "{a=", E, "}"),
    (P, "[a=", E, "]"),
    (P, "...", P, ""),
    (P, "a:", T, ""),
    (P, "a=", E, ""),
    (P, "a?:", T, ",b"),
    (P, "this:", T, ",b"),
    (P, "public a:", T, ""),
    (P, "@a(", E, ")b"),
    (S, "", E, ";"),
    (S, "let a=", E, ";"),
    (S, "let ", P, "=a;"),
    (S, "let a:", T, ";"),
    (S, "const{", P, "}=a;"),
    (S, "using a=", E, ";"),
    (S, "if(a)", S, ""),
    (S, "if(a)b;else ", S, ""),
    (S, "if(", E, ");"),
    (S, "for(;;)", S, ""),
    (S, "for(let a of ", E, ");"),
    (S, "for(", E, ";;);"),
    (S, "for await(const ", P, " of a);"),
    (S, "while(a)", S, ""),
    (S, "do ", S, "while(a);"),
    (S, "a:", S, ""),
    (S, "if(a)b:", S, ""),
    (S, "{", S, "}"),
    (S, "", S, "a;"),
    (S, "a;", S, ""),
    (S, "try{", S, "}catch{}"),
    (S, "try{}catch(", P, "){}"),
    (S, "switch(a){case ", E, ":}"),
    (S, "switch(a){default:", S, "}"),
    (S, "with(a)", S, ""),
    (S, "return ", E, ";"),
    (S, "throw ", E, ";"),
    (S, "function f(){", S, "}"),
    (S, "function f(", P, "){}"),
    (S, "function f(a:A);", S, ""),
    (S, "async function*f<A extends ", T, ">(){}"),
    (S, "class A{", M, "}"),
    (S, "class A<B=", T, ">extends C<D>implements E{}"),
    (S, "abstract class A{", M, "}"),
    (S, "@a class A{", M, "}"),
    (S, "@(", E, ")class A{}"),
    (S, "enum A{B=", E, "}"),
    (S, "enum A{B,", E, "}"),
    (S, "namespace A{", S, "}"),
    (S, "namespace A{export ", S, "}"),
    (S, "declare module 'a'{", S, "}"),
    (S, "declare global{", S, "}"),
    (S, "type A=", T, ";"),
    (S, "type A<B extends ", T, ">=C;"),
    (S, "interface A extends B<", T, ">{}"),
    (S, "interface A{a:", T, "}"),
    (S, "export default ", E, ";"),
    (S, "export const a=", E, ";"),
    (S, "export{a as b};", S, ""),
    (S, "import a from 'a';", S, ""),
    (S, "import a=", E, ";"),
    (S, "export=", E, ";"),
    (S, "type\n", S, ""),
    (S, "abstract\n", S, ""),
    (S, "declare\n", S, ""),
    (S, "/*", S, "*/"),
    (S, "//\n", S, ""),
    (M, "a=", E, ";"),
    (M, "a:", T, ";"),
    (M, "@a(", E, ")b;"),
    (M, "[", E, "]=1;"),
    (M, "a(){", S, "}"),
    (M, "a(", P, "){}"),
    (M, "a():", T, "{}"),
    (M, "a<A extends ", T, ">(){}"),
    (M, "constructor(private a:", T, "){}"),
    (M, "static{", S, "}"),
    (M, "static async*#a(){", S, "}"),
    (M, "declare readonly a?:", T, ";"),
    (M, "get a(){", S, "}"),
    (M, "[a:string]:", T, ";"),
    (M, "a;", M, ""),
    (M, "accessor a=", E, ";"),
];

const LEAVES: &[&str] = &[
    "a",
    "1",
    "",
    "'b'",
    "`c`",
    "/d/g",
    "(a",
    "a)",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "=>",
    "()=>{}",
    ":",
    "?",
    "@",
    "#a",
    "\u{e9}",
    "\\u0061",
    "0x",
    "'",
    "`",
    "/*",
    "*/",
    "async",
    "a\n",
    "</a>",
    "...",
    "=",
    "1n",
    "yield",
    "await",
    "<!--",
    "\u{2028}",
    "\0",
    "\u{1f4a9}",
    "this",
    "super()",
    "A<B>",
    "a.b?.c!",
    "new.target",
    "import.meta",
    "infer A",
    "({})",
];

/// What the whole stands behind.
const STARTS: &[&str] = &[
    "",
    "let x=",
    "let x: ",
    "type A=",
    "export default ",
    "class A{",
    "(",
    "x?",
    "function f(",
    "await ",
    "f<",
    "`${",
    "for(",
    "@",
    "if(1)",
    "let {",
    "interface A{",
    "const f=async(",
    "return ",
    "label:",
];

/// How the places that were opened end.
const ENDS: &[&str] = &["\0all", "\0all", "\0none", "\0half", ")", "]", "}", ">", "=>1", ":1", ";", ",", "*/"];

/// A source of about `size` bytes, and of at most that many and a few hundred.
pub fn source(bytes: &[u8], size: usize) -> String {
    let mut choices = Choices::new(bytes);
    let start = choices.of(STARTS);
    let parts = 1 + choices.below(3);
    let mut text = start.to_owned();
    for _ in 0..parts {
        part(&mut choices, size / parts, &mut text);
    }
    text
}

fn part(choices: &mut Choices<'_>, size: usize, text: &mut String) {
    let mut sort = choices.of(&[E, T, S, P, M]);
    let (mut before, mut after) = (String::new(), Vec::new());
    for _ in 0..=choices.below(5) {
        // Now and then what cannot stand there.
        let is_wild = choices.below(16) == 15;
        let fitting: Vec<_> = RULES.iter().filter(|rule| is_wild || rule.0 == sort).collect();
        // Two bytes: there are more rules than a byte has values for each to be as likely.
        let at = choices.next() * 256 + choices.next();
        let &(_, open, inner, close) = fitting[at % fitting.len()];
        before.push_str(open);
        after.push(close);
        sort = inner;
    }
    let after: String = after.into_iter().rev().collect();
    let (leaf, end) = (choices.of(LEAVES), choices.of(ENDS));
    let is_flat = choices.below(4) == 3;
    let length = (before.len() + if end == "\0all" || is_flat { after.len() } else { 0 }).max(1);
    let turns = (size / (length + if is_flat { leaf.len() } else { 0 })).max(1);
    if is_flat {
        (0..turns).for_each(|_| text.extend([&*before, leaf, &*after]));
        return;
    }
    (0..turns).for_each(|_| text.push_str(&before));
    text.push_str(leaf);
    match end {
        "\0none" => {}
        "\0all" => (0..turns).for_each(|_| text.push_str(&after)),
        "\0half" => (0..turns / 2).for_each(|_| text.push_str(&after)),
        other => text.push_str(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_about_the_size_that_is_asked_for() {
        for seed in 0..=255_u8 {
            let bytes: Vec<u8> =
                (0..20).map(|n: u8| seed.wrapping_mul(31).wrapping_add(n.wrapping_mul(n ^ seed))).collect();
            for size in [10, 1000, 100_000] {
                let text = source(&bytes, size);
                assert!(text.len() < 2 * size + 500, "{} bytes of {size}: {text:.100}", text.len());
            }
        }
    }

    #[test]
    fn every_rule_stands_behind_some_bytes() {
        for sort in [E, T, P, S, M] {
            assert!(RULES.iter().filter(|rule| rule.0 == sort).count() > 5);
        }
        assert_eq!(source(&[], 6), "(((a)))");
    }
}
