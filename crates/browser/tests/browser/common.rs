//! The browser that the tests are run in.

use std::time::Duration;

use perennial_browser::{Chromium, ChromiumOptions};

use super::site::Site;

/// The one that `PERENNIAL_TEST_BROWSER` says, or whichever there is. The tests run as whoever builds, who may be root, and pages are the tests' own: there is no sandbox.
pub fn chromium() -> Chromium {
    chromium_with(|_| {})
}

pub fn chromium_with(set: impl FnOnce(&mut ChromiumOptions)) -> Chromium {
    perennial_keeper::use_supervisor(env!("CARGO_BIN_EXE_perennial-browser-supervisor"));
    let program = std::env::var("PERENNIAL_TEST_BROWSER").unwrap_or_else(|_| "auto".to_owned());
    Chromium::new(ChromiumOptions::default().configure(|options| {
        options.program = program.parse().unwrap();
        options.sandbox = false;
        set(options);
    }))
}

/// A script that asks a site for `/waits`, and then waits in its page for what never comes.
pub fn waits(site: &Site) -> String {
    let address = site.address("/waits");
    format!("await page.goto({address:?}); await page.locator('#never').click({{ timeout: 20_000 }})")
}

/// Kills processes of the browser that this test has started, the first of it or those of a kind, until the run that waits for it has ended.
pub async fn ended<T>(run: &tokio::task::JoinHandle<T>, kind: &str) {
    let scratch = perennial_keeper::scratch().await.unwrap();
    let scratch = scratch.to_string_lossy();
    let killing = async {
        let mut found = false;
        while !found || !run.is_finished() {
            found |= kill(&scratch, kind);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), killing).await.expect("the run ends with what it waits for");
}

/// Whether there was something to kill.
fn kill(scratch: &str, kind: &str) -> bool {
    let mut found = false;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let is_it = if kind.is_empty() { !line.contains("--type=") } else { line.contains(kind) };
        if line.contains("--user-data-dir=") && line.contains(scratch) && is_it {
            found = true;
            let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
    found
}

/// How many browsers this test has running.
pub async fn browsers() -> usize {
    let scratch = perennial_keeper::scratch().await.unwrap();
    let scratch = scratch.to_string_lossy();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines
        .filter(|line| line.contains("--user-data-dir=") && line.contains(&*scratch) && !line.contains("--type="))
        .count()
}
