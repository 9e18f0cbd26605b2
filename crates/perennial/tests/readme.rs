//! The Rust that the README shows is this test's own, line by line.
#![expect(clippy::unwrap_used, reason = "the README's example unwraps")]

use perennial::{Run, SessionTable};
use std::time::Duration;

#[tokio::test]
async fn the_example_of_the_readme_does_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    // begin
    let table = SessionTable::builder().max_vms(100).build()?;
    let ada = table.session("ada");
    ada.run(Run::script("const cart: string[] = ['apple']; vars.set('visits', 1)")).await;

    let stopped = ada.run(Run::script("for (;;) {}").timeout(Duration::from_millis(50))).await;
    assert_eq!(stopped.outcome().unwrap_err().kind.as_str(), "timeout");

    let next = ada.run(Run::script("vars.get('visits')")).await;
    assert_eq!(next.value::<u32>()?, 1);
    assert_eq!(next.lost_globals, ["cart"]);
    // end
    Ok(())
}

#[test]
fn the_readme_shows_the_example_above() {
    let readme = include_str!("../../../README.md");
    let shown = readme.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let here = include_str!("readme.rs").split("    // begin\n").nth(1).unwrap().split("    // end").next().unwrap();
    let here: String = here.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    assert_eq!(shown.split_once("\n\n").unwrap().1, here);
}
