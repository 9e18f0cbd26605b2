use perennial_bundler::prepare_cell;

/// The text a cell is prepared to.
fn becomes(source: &str, expected: &str) {
    let cell = prepare_cell(source).unwrap_or_else(|error| panic!("{source}\n{}", error.render("cell", source)));
    assert_eq!(&*cell.prepared.text, expected, "{source}");
}

fn problem(source: &str) -> String {
    match prepare_cell(source) {
        Ok(cell) => panic!("{source} became {}", cell.prepared.text),
        Err(error) => {
            let (line, column) = error.position(source).unwrap();
            format!("{line}:{column} {error}")
        }
    }
}

#[test]
fn declarations_become_properties_in_place() {
    becomes("1 + 1", "return (1 + 1)");
    becomes("let x = 1, y, z = f()", "void ( $cell.let({x : 1}), $cell.let({y: undefined}), $cell.let({z : f()}))");
    becomes("const {a, b: [c = 1]} = e", "void ( $cell.const((({a, b: [c = 1]} ) => ({a, c}))( e)))");
    becomes("if (a) var x = 1", "$cell.var([\"x\"]);if (a) void ( x = 1)");
    becomes("for (var i of a) {}", "$cell.var([\"i\"]);for (    i of a) {}");
    becomes("f()\nfunction f() {}", "$cell.functions({f: $cell_f});return (f())\nfunction $cell_f() {}");
    becomes("class A {}\n(1)", "void $cell.let({A: class A {}});\nreturn ((1))");
    becomes("let __proto__ = 1", "void ( $cell.let({[\"__proto__\"] : 1}))");
    becomes(
        "import d, {a as b} from 'm'\nb",
        "await $cell.import(\"m\", undefined, [[\"d\", \"default\"], [\"b\", \"a\"]]);;                          \nreturn (b)",
    );
    becomes("import('m')", "return ($cell.load('m'))");
}

#[test]
fn the_helper_is_called_what_the_source_is_not() {
    becomes("let $cell = 1", "void ( $cell$.let({$cell : 1}))");
}

#[test]
fn types_become_spaces_and_nothing_else_moves() {
    becomes("let x: Map<string, number> = y as any", "void ( $cell.let({x                      : y       }))");
    becomes("f<T>(a!, <U>b)", "return (f   (a , (  b)))");
    becomes(
        "let f = (a?: string, ...b: any[]): a is string => a",
        "void ( $cell.let({f : (a         , ...b       )              => a}))",
    );
    becomes("interface A {\n  b: C\n}\n(1)", ";            \n      \n \nreturn ((1))");
    becomes(
        "class A<T> extends B<T> implements C { private x!: T; y?: T\n abstract? = 1 }",
        "void $cell.let({A: class A    extends B                 { ;       x;   ; y;   \n abstract  = 1 }});",
    );
    becomes("x = y as T\n[1]", "x = y     ;\nreturn ([1])");
    becomes("let z\n(() => 1)()", "void ( $cell.let({z: undefined}));\nreturn ((() => 1)())");
    becomes("(a: number) /* :) */ :\n number => a", "return ((a                    \n        )=> a)");
    becomes(
        "class A { é(a: string): void; é(a: any) {} ééé\\u0061 = 1 }",
        "void $cell.let({A: class A { ;                    é(a     ) {} ééé\\u0061 = 1 }});",
    );
    becomes("a + b as any ** 2", "return ((a + b)        ** 2)");
}

#[test]
fn problems_are_said_where_they_are() {
    for (source, expected) in [
        ("let a\nlet a", "2:5 'a' is declared twice in this cell (the other declaration is at 1:5)"),
        ("let a; var a", "1:12 'a' is declared twice"),
        ("import a from 'm'; function a() {}", "1:29 'a' is declared twice"),
        ("const vars = 1", "1:7 'vars' is what the session provides"),
        ("let undefined", "1:5 'undefined' cannot be declared"),
        ("export default 1", "1:1 a cell exports nothing"),
        ("f(() => import.meta)", "1:9 a cell has no import.meta"),
        ("let é = ;", "1:9 expression expected"),
        ("function f()\nf()", "1:10 function 'f' has no body"),
        ("{ import a from 'b' }", "1:3 imports and exports belong to the top level"),
        ("if (1) {", "1:9 unexpected end of the script"),
        ("}", "1:1 unexpected '}'"),
        ("module 'x' {}", "1:1 a module with a name in quotes"),
        ("import a = require('b')", "1:1 `import … = require(…)`"),
        (
            "enum E { a = 'xxxx', b = a + a + a, c = `${b}${b}` + b + b, d = c + c + c + c + c + c + c + c, e = d + d + d + d + d + d + d + d, f = e + e + e + e + e + e + e + e, g = f + f + f + f + f + f + f + f }",
            "1:166 the value of 'g'",
        ),
    ] {
        let problem = problem(source);
        assert!(problem.starts_with(expected), "{source}\n{problem}\nshould begin with\n{expected}");
    }
}

#[test]
fn what_the_parser_gets_wrong_is_put_right() {
    becomes("await\nf()", "return (await\nf())");
    becomes("let x = await // why\n  f()", "void ( $cell.let({x : await // why\n  f()}))");
    // The parser panics on this one; it is an error like any other.
    assert!(prepare_cell("(v, c: any => {})").is_err());
}

#[test]
fn positions_in_the_prepared_text_are_found_in_the_source() {
    for source in [
        "let é: string = 'ü', boom = MARK()",
        "import { a } from 'b'; import c from 'd'\nfor (var x of y) MARK()",
        "const { a, b } = MARK(), c: any = 1",
        "enum E { A }\n\nfunction f(x: E) {\n  return MARK(x)\n}",
        "class A { constructor(private b: string) {} m() { return MARK() } }",
        "using a = b();\nfoo<T>(MARK())",
    ] {
        let prepared = prepare_cell(source).unwrap().prepared;
        let at = prepared.text.find("MARK").unwrap();
        let line = prepared.text[..at].matches('\n').count() as u32 + 1;
        let column = (at - prepared.text[..at].rfind('\n').map_or(0, |at| at + 1)) as u32 + 1;
        let expected = perennial_bundler::line_and_column(source, source.find("MARK").unwrap());
        assert_eq!(prepared.original(line, column), expected, "{source}\n{}", prepared.text);
    }
}
