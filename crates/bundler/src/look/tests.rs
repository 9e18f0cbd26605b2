use super::*;

fn is_proven(source: &str) -> bool {
    look(source).unproven.is_none()
}

/// Beginnings that are repeated, and what stands before and behind all of them.
const EXPONENTIAL: &[(&str, &str)] = &[
    ("", "a?(b):{["),
    ("switch(0){", "case(a):{[function(){switch(0){"),
    ("type X=", "infer A extends["),
    ("", "for(var of of[function(){"),
    ("namespace N{", "for(await of[function(){"),
    ("let x:", "({a=0 as"),
    ("type X={get\n", "[0 as{get\n"),
    ("", "export enum A{a=function(){namespace N{"),
    ("", "<a>("),
    ("", "f()<b>("),
    ("", "a?(b):c=>"),
    ("", "a<{["),
    ("", "async<T>()=>("),
    ("", "<a>x?"),
    ("", "<a>x="),
    ("", "a<{\"\"["),
    ("", "a?(b):(c=["),
    ("", "a?(b):(c,@(["),
    ("", "x?(a):({["),
    ("", "a ? (b) : keyof\nT => {"),
    ("", "({a = (y: "),
    ("let x:", "(readonly[a=0 as"),
    ("var a ", "<T>x="),
    ("", "a<b>(x?(y):{["),
    ("", "@(class{m(){"),
    ("", "x=@a(()=>{"),
];

#[test]
fn what_takes_the_parser_exponential_time_is_not_proven() {
    for (start, unit) in EXPONENTIAL {
        for count in [40, 100] {
            let open = format!("{start}{}", unit.repeat(count));
            assert!(!is_proven(&open), "{unit}");
            // Closed as far as brackets go, so that nothing else keeps it from being proven.
            let mut brackets = Vec::new();
            for byte in open.bytes() {
                match byte {
                    b'(' => brackets.push(')'),
                    b'[' => brackets.push(']'),
                    b'{' => brackets.push('}'),
                    b')' | b']' | b'}' => _ = brackets.pop(),
                    _ => {}
                }
            }
            brackets.reverse();
            let closed: String = brackets.into_iter().collect();
            assert!(!is_proven(&format!("{open}{closed}")), "{unit} closed");
        }
    }
}

#[test]
fn labels_within_each_other_and_decorators_of_classes_count_for_what_they_multiply() {
    let is_cheap = |source: String| look(&source).is_cheap();
    assert!(is_cheap("a:".repeat(50) + ";"));
    assert!(!is_cheap("a:".repeat(300) + ";"));
    assert!(!is_cheap("{a:".repeat(300)));
    assert!(!is_cheap("if(a)b;else a:".repeat(300) + ";"));
    // Objects are none.
    assert!(is_cheap(format!("x = {{{}}}", "a: {b: 1},\n".repeat(2000))));
    let decorated = |count| "@(class { m() { ".repeat(count) + &"} }) class A {} ".repeat(count);
    assert!(is_cheap(decorated(3)));
    assert!(!is_cheap(decorated(18)));
    assert!(!is_cheap("@a class A { m() { ".repeat(30) + &"} }".repeat(30)));
    assert!(is_cheap("class A { @a() m() { f(1) } @b accessor c = 1 }\n".repeat(20)));
}

#[test]
fn what_takes_more_than_linear_time_or_stack_is_not_proven() {
    let long = |unit: &str, count: usize| unit.repeat(count);
    for source in [
        format!("[{}]", long("a<b,", 100_000)),
        format!("let x: {}", long("A<B,", 260_000)),
        format!("{};", long("a:", 9000)),
        format!("x\n{}", long("<!--;\n", 100_000)),
        format!("x\n{}", long("-->;\n", 100_000)),
        format!("x={}n", long("1", 1_000_000)),
        format!("(a{})", long(",b:c=>d", 100_000)),
        format!("(a{})", long(",b.c=>d", 100_000)),
        format!("{}a<[{}]", long("new ", 9000), long("b,", 100_000)),
        long("class extends ", 6000),
        format!("namespace a{}{{}}", long(".a", 9000)),
        format!("function f():{}x{{}}", long("this is ", 9000)),
        long("!", 100_000),
        long("a=>", 100_000),
        long("a?b:", 100_000),
        long("new ", 100_000),
        long("if(a)", 100_000),
        format!("if(a)b\n{}", long("else if(a)b\n", 100_000)),
        format!("if(a);{}", long("else if(a);", 100_000)),
        format!("if(a){{}}{}", long("else if(a){}", 100_000)),
        long("while(a)\nfor(;;)\n", 100_000),
        long("do ", 100_000),
        format!("let x: {}T", long("keyof ", 10_000)),
        format!("let x: {}T", long("()=>", 10_000)),
        format!("x = 1{}", long("+1", 30_000)),
        format!("x = a{}", long(".a", 30_000)),
        format!("x = a{}", long(" as T", 30_000)),
    ] {
        assert!(!is_proven(&source), "{}", &source[..60.min(source.len())]);
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("`${", "}`"), ("f(", ")"), ("{a:", "}")] {
        let source = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(!is_proven(&source), "{open}");
    }
}

#[test]
fn what_the_passes_look_at_twice_is_not_proven_when_it_lies_within_itself() {
    for (open, close) in [
        ("class extends ", "{}"),
        ("class A<T> extends ", "{}"),
        ("[class extends [", "]{}]"),
        ("(class extends (", "){})"),
        ("class extends f(", "){}"),
        ("class extends `${", "}`{}"),
        ("class extends function(){return ", "}{}"),
        ("class extends class implements I, J { m() { return ", "} } {}"),
        ("class extends class extends B<{}, {}> { m() { return ", "} } {}"),
        ("(a < class extends ", "{})"),
    ] {
        let nested = format!("x = {}a{};", open.repeat(40), close.repeat(40));
        // Types may be read again in any source; else it is quick where nothing is written anew.
        assert!(open.contains('<') || is_proven(&nested), "{open}");
        for lowered in ["enum E { a }\n", "@d class D {}\n", "namespace A { f() }\n"] {
            assert!(!is_proven(&format!("{lowered}{nested}")), "{lowered}{open}");
            assert!(!is_proven(&format!("{nested}\n{lowered}")), "{open}{lowered}");
        }
    }
}

#[test]
fn what_is_written_anew_and_nested_deep_is_not_cheap_though_it_is_proven() {
    let nested = |depth: usize| format!("x = {}1{};\n", "[".repeat(depth), "]".repeat(depth));
    for (source, is_cheap) in [
        (nested(13), true),
        (nested(12) + "enum E { a }", true),
        (nested(13) + "enum E { a }", false),
        (format!("@d class D {{}}\n{}", nested(13)), false),
    ] {
        let look = look(&source);
        assert_eq!((look.unproven, look.is_cheap()), (None, is_cheap), "{source}");
    }
}

#[test]
fn a_slash_that_may_be_either_hides_nothing() {
    let hidden = "<a>(".repeat(40);
    for source in [
        format!("if(x)/'/;z=(a)/{hidden}1/1;'\n"),
        format!("x = (a) /`/; {}1", "(".repeat(100_000)),
        format!("a++ /'/; {hidden}'/1"),
        format!("{{}} /'/; {hidden}'/1"),
        format!("x!/'/; {hidden}'/1"),
        format!("a\u{2028}/'/; {hidden}'/1"),
    ] {
        assert!(!is_proven(&source), "{source:.40}");
    }
}

#[test]
fn honest_sources_are_proven_however_long() {
    let mut refused = Vec::new();
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
        "items.map((x) => x.y).filter((x: Item): x is Good => x.a < 3 && x.b > 4)\n",
        "const m = new Map<string, Array<Set<number>>>()\n",
        "for (let i = 0; i < n; i++) { if (a < b) c = d ? (e) : f }\n",
        "const r = await Promise.all(list.map(async (x: number): Promise<void> => { await g<T>(x) }))\n",
        "type U<T> = T extends (infer V)[] ? V : T extends Promise<infer W> ? W : never\n",
        "interface A<T> extends B<T> { get(x: number): string; new (y: T): A<T>; [k: string]: unknown }\n",
        "if (!/re(/.test(s) && (a + b) / 2 > (c - d) / 3) { return }\n",
        "const g = ({ a = 1, b: [c = 2] }: P): Q => ({ a, c })\n",
        "enum Color { Red = 1, Green = 'g' }\n",
        "label: for (const x of xs) { continue label }\n",
        "class A<T extends X> extends B<T> implements I, J { m() { return class extends C { } } }\n",
        "const m = { f: <T extends X>(a: T) => a, g<T extends Y>(b: T) { return b } }\n",
        "x.push(class extends A { }, class extends B { })\n",
        "enum E { a } class F extends G<{}> { }\n",
    ] {
        let unproven = look(&line.repeat(10_000)).unproven;
        if unproven.is_some() {
            refused.push((line, unproven));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn javascript_is_never_read_twice() {
    let source = "a < b, c ? (d) : e, ".repeat(1000);
    assert_eq!(look_as(&source, Language::JavaScript).unproven, None);
    assert!(look_as(&"(".repeat(1000), Language::JavaScript).unproven.is_some());
}
