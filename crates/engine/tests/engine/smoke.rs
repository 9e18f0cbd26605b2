use super::harness::Harness;
use serde_json::json;

#[tokio::test]
async fn smoke() {
    let mut h = Harness::new();
    assert_eq!(h.value("return 1 + 1").await, json!(2));
    println!("{:?}", h.value("globalThis.x = 5; await new Promise(r => setTimeout(r, 5)); return {x, m: new Map([[1,{a:1n}]]), d: new Date(0)}").await);
    println!("{:#?}", h.error("let a = 1;\n  null.foo").await);
    println!("{:#?}", h.error("function f() { throw new TypeError('é') }\nlet s = 'é😀'; f()").await);
    println!("{:#?}", h.error("let a = ;\n  null.foo").await);
    println!("{:#?}", h.error("if (x) {").await);
    println!("{:#?}", h.error("}").await);
    println!("{:#?}", h.error("}}); (async () => {{").await);
    for src in ["}", "}}", "}});(async()=>{{", "foo(1", "'abc", "`abc", "/* x", "if (1) { foo(", "let x = 5; let x = 6", "break foo", "a b", "\n\n  var é = 'é' +;", "await await", "return }", "class {", "\"use strict\"; with(a){}", "import x from 'y'", "export const a = 1", "return;\n)"] { h.error(src).await; }
    let e = h.end("console.log('a', {x:1, f(){}, y:[1,2,,'s']}, new Map([[1,2]]), new Error('boo')); console.error(1)").await;
    println!("{:#?} {:?} {:?}", e.console, e.usage, e.outcome);
    h.options.wall = std::time::Duration::from_millis(100);
    let t = std::time::Instant::now();
    println!("{:#?} {:?}", h.error("for(;;){}").await, t.elapsed());
    println!("{:?}", h.vm);
    let e = h.end("return typeof x").await;
    println!("{:?} {:?}", e.outcome, e.usage);
}
