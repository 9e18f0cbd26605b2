//! A program whose scripts only compute: with no features of this crate it builds little besides the engine.
//!
//! `cargo run -p perennial --no-default-features --example compute`

use perennial::{Run, SessionTable};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let table = SessionTable::builder().build()?;
    let ada = table.session("ada");

    // Without the feature `typescript` a script is the body of an async function: it returns, and keeps what it puts on globalThis.
    ada.run(Run::script("globalThis.prices = new Map([['tea', 3], ['cake', 4]])")).await.outcome()?;
    let order =
        Run::script("return args.reduce((sum, what) => sum + prices.get(what), 0)").args(json!(["tea", "cake"]));
    let sum: u32 = ada.run(order).await.value()?;
    assert_eq!(sum, 7);

    // Durable values and files are there, and limits hold.
    ada.run(Run::script("vars.set('sum', 7); await fs.writeFile('/sum', '7')")).await.outcome()?;
    assert_eq!(ada.vars().await?.get("sum"), Some(json!(7)));
    let endless = ada.run(Run::script("for (;;) {}").timeout(std::time::Duration::from_millis(50))).await;
    assert!(endless.outcome().is_err());

    // What an error says is about the author's own line.
    let thrown = ada.run(Run::script("let x = 1;\n  '😀'; x.y.z()")).await;
    let error = thrown.outcome().err().ok_or("it throws")?;
    assert_eq!((error.line, error.column, error.name.as_str()), (Some(2), Some(9), "TypeError"));

    #[expect(clippy::print_stdout, reason = "an example shows something")]
    {
        println!("tea and cake are {sum}");
    }
    Ok(())
}
