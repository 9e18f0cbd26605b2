use super::harness::Harness;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn hostile() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/hostile");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let only = std::env::var("ONLY").ok();
    let mut h = Harness::new();
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if only.as_ref().is_some_and(|o| !name.contains(o.as_str())) { continue; }
        let source = std::fs::read_to_string(&path).unwrap();
        let expect = source.lines().next().unwrap().strip_prefix("// expect: ").unwrap().to_owned();
        h.vm = None;
        h.options.wall = Duration::from_millis(200);
        h.options.memory_bytes = 64 << 20;
        let before = h.executor.abandoned_threads();
        let t = Instant::now();
        eprint!("{name}: ");
        let end = h.end(&source).await;
        let took = t.elapsed();
        let got = match &end.outcome { Ok(_) => "ok".to_owned(), Err(e) => e.kind.to_string() };
        let after = h.executor.abandoned_threads();
        let ok = expect.split('|').any(|k| k == got);
        let flag = if !ok { "WRONG" } else if took > Duration::from_millis(300) { "LATE" } else { "" };
        eprintln!("{got} (expect {expect}) {took:?} {} {flag} {}", if after > before { "ABANDONED" } else { "" }, if !ok { format!("{:?}", end.outcome) } else { String::new() });
    }
    eprintln!("abandoned {}", h.executor.abandoned_threads());
}
