//! A bounded run of what `fuzz/` does without end: no input crashes or hangs the preparation, and what comes out keeps its promises.

use perennial_bundler::{Here, is_unfinished, prepare_cell, prepare_entry, survey};
use proptest::prelude::*;

/// Pieces of TypeScript that get into each other's way.
const PIECES: &[&str] = &[
    "let ",
    "const ",
    "var ",
    "class A ",
    "function f",
    "async ",
    "await ",
    "import ",
    "export ",
    "enum E ",
    "namespace N ",
    "using ",
    "type T = ",
    "interface I ",
    "declare ",
    "abstract ",
    "as any",
    " satisfies T",
    "!",
    "?",
    ":",
    ": string",
    "<T>",
    "<",
    ">",
    "=>",
    "=",
    "==",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    ".",
    "...",
    "`",
    "${",
    "'",
    "\"",
    "/",
    "//",
    "/*",
    "*/",
    "\n",
    "\u{2028}",
    "\r\n",
    " ",
    "x",
    "y",
    "1",
    "é",
    "😀",
    "\\u0061",
    "#p",
    "@d ",
    "return ",
    "yield ",
    "of ",
    "in ",
    "from 'm'",
    "with { type: 'json' }",
    "default ",
    "extends B",
    "implements C",
    "private ",
    "static ",
    "get ",
    "set ",
    "constructor(",
    "this",
    "super",
    "new ",
    "typeof ",
    "if (",
    "else ",
    "for (",
    "while (",
    "try {",
    "catch {",
    "finally {",
    "case ",
    "0x",
    "1n",
    "\0",
    "<!--",
    "-->",
    "#!",
    "readonly ",
    "override ",
    "accessor ",
    "module ",
    "global ",
    "keyof ",
    "infer ",
    "is ",
    "asserts ",
    "unique symbol",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => "\\PC{0,3}"],
        0..40,
    )
    .prop_map(|pieces| pieces.concat())
}

/// Sources that mean something, cut and put together.
fn cut_up() -> impl Strategy<Value = String> {
    const WHOLE: &[&str] = &[
        "enum Color { Red, Green = 'g', Blue = Red << 2 }\n",
        "class A<T> extends B<T> implements C { @d private readonly x?: T = 1; constructor(public y: number) { super() } get z(): string { return `${this.x}` } }\n",
        "const { a, b: [c = 1, ...d], ...e }: any = f as unknown as T\n",
        "for (var i = 0, { j } = k; i < 1; i++) { let m = <T>n; }\n",
        "import def, { type Q, r as s } from './t' with { type: 'json' }\n",
        "async function* g<T>(this: void, a?: T, ...b: T[]): AsyncGenerator<T> { for await (using h of i) yield* h! }\n",
        "namespace N.M { export const o = 1; export function p() {} }\n",
        "export default (q: number): q is 5 => ({ q } satisfies R)\n",
        "label: while (true) { if (s) break label; else switch (t) { case 1: continue; default: u() } }\n",
    ];
    prop::collection::vec((prop::sample::select(WHOLE), 0.0..1.0_f64, 0.0..1.0_f64), 1..5).prop_map(|parts| {
        let mut text = String::new();
        for (part, from, to) in parts {
            let chars: Vec<char> = part.chars().collect();
            let at = |share: f64| (share * chars.len() as f64) as usize;
            let (from, to) = (at(from.min(to) * 0.5), at(0.5 + from.max(to) * 0.5));
            text.extend(&chars[from..to]);
        }
        text
    })
}

/// What holds whatever the input is.
fn check(source: &str) {
    if let Ok(cell) = prepare_cell(source) {
        let prepared = &cell.prepared;
        assert_eq!(&*prepared.source, source);
        let lines = source.matches('\n').count() as u32 + 1;
        // Wherever an error is, it is somewhere in the source.
        for (index, line) in prepared.text.split('\n').enumerate().take(50) {
            for column in [1, line.len() as u32 / 2 + 1, line.len() as u32 + 1] {
                let (original, _) = prepared.original(index as u32 + 1, column);
                assert!(
                    (1..=lines).contains(&original),
                    "{source:?}: {}:{column} is line {original} of {lines}",
                    index + 1
                );
            }
        }
        // Preparing is a function.
        assert_eq!(prepare_cell(source).as_ref(), Ok(&cell));
    }
    match prepare_entry(source, true) {
        Ok(entry) => assert!(entry.prepared.text.contains(&entry.helper)),
        Err(error) => assert!(!error.problems.is_empty() && !error.render("f", source).is_empty()),
    }
    let _ = prepare_entry(source, false);
    let _ = (survey(source, true, &Here), is_unfinished(source, &Here));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_soup_of_tokens_crashes_the_preparation(source in soup()) {
        check(&source);
    }

    #[test]
    fn no_cut_up_source_crashes_the_preparation(source in cut_up()) {
        check(&source);
    }
}

#[test]
fn what_is_nested_100_000_deep_is_an_error() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("`${", "}`"),
        ("a=>", ""),
        ("!", ""),
        ("1+", ""),
        ("a?b:", ""),
        ("if(a)", ""),
        ("<a>(", ")"),
    ] {
        let source = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(prepare_cell(&source).is_err(), "{open}");
    }
}

#[test]
fn odd_characters_and_a_huge_cell_are_errors_or_fine_and_never_more() {
    assert!(prepare_cell("let a = 1\0").is_err());
    assert!(prepare_cell("\u{feff}1").is_ok());
    assert!(prepare_cell("'\\ud800'").is_ok());
    let huge = "x = x + 1;\n".repeat((4 << 20) / 11);
    assert!(prepare_cell(&huge).is_ok());
}
