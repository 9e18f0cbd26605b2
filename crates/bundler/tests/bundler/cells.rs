use perennial_bundler::prepare_cell;

#[test]
fn show() {
    for source in [
        "1 + 1",
        "let x = 1, y: number = 2, z;",
        "const {a, b: {c = 1}, ...rest}: any = e, f = () => 1",
        "const [p = await q()] = r\nlet s = <T>t",
        "if (a) var x = 1; for (var i = 0, {j} = k; ;) {} for (var q of w) var async; for (var async of []);",
        "function f<T>(a: T, b?: string): void {}\nasync function g() { return f }\nf",
        "class A<T> extends B<T> implements C, D { private x: number = 1; y?: string; constructor(a: number) { super() } abstract z(): void; get\n q() {} }\nfoo as any\n(bar)",
        "import d, { a as b, type T } from 'zod'; import * as ns from './x.json' with { type: 'json' }\nb.c!",
        "using x = open(); await using y = z(); x.read()",
        "enum E { A, B = A << 1 } E.A",
        "namespace N { export const x = 1 } class P { constructor(private a: number, readonly b = 2) {} }",
        "function dec(v, c) {} @dec class Q { @dec m() { return 1 } accessor z = 1 }\n{ using q = r; q }",
        "let __proto__ = 1; let {__proto__: w} = e; var v = (a: number): a is string =>\n 1",
        "x = async <T,\n U>(a: T)\n : Promise<T> => a",
        "interface I { a: string }\ntype T = string\nlet u = a<!--b",
        "for await (const x of y) { z(x) }\nreturn 5",
        "let a; let a",
        "const vars = 1, undefined = 2",
        "let x = ;\nlet y = 1 +;\nfoo(",
        "export const a = 1",
    ] {
        match prepare_cell(source) {
            Ok(cell) => println!("--- {source}\n=== {}", cell.prepared.text),
            Err(error) => println!("--- {source}\n!!! {error}\n{}", error.render("cell 1", source)),
        }
    }
}
