//! Ten thousand sessions, ended in every way there is; then nothing of them is left. Alone in its process, since it counts what the
//! process holds.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::time::Duration;

use perennial_sessions::{ExecutorConfig, RunRequest, SessionTable, TableConfig};
use perennial_testkit::{Footprint, eventually};

/// What may stay resident: the allocator's own slack after ten thousand VMs of 200 KiB each.
const RESIDENT_BOUND_KIB: usize = 24 << 10;
const SESSIONS: usize = 10_000;

async fn life(table: &SessionTable, i: usize) {
    let name = format!("s{i}");
    let (script, timeout) = match i % 10 {
        0 => ("for (;;) {}", 2),
        1 => ("const a = []; for (;;) a.push(new Array(1000).fill(0))", 1000),
        2 => ("throw new Error('x')", 1000),
        3 => ("setInterval(() => {}, 1); return 1", 1000),
        4 => (
            "vars.set('k', 'x'.repeat(1000)); console.log('y'.repeat(1000)); return [1, { a: new Map([[1, 2]]) }]",
            1000,
        ),
        5 => ("Array.prototype.sort.call({ length: 2 ** 53 - 1 })", 2),
        _ => ("globalThis.n = 1; await new Promise((r) => setTimeout(r, 1)); return n", 1000),
    };
    let mut request = RunRequest::new(script).with_timeout_ms(timeout);
    request.memory_bytes = Some(2 << 20);
    if i % 10 == 6 {
        // Its future is dropped in the middle.
        let _ = tokio::time::timeout(Duration::from_micros(500), table.run(&name, request)).await;
    } else {
        table.run(&name, request).await;
    }
    if i.is_multiple_of(3) {
        table.remove(&name);
    }
}

async fn generation(sessions: usize) {
    let config = TableConfig::default().configure(|config| {
        config.max_vms = 50;
        config.executor = ExecutorConfig::default().configure(|config| config.keep_alive = Duration::from_millis(50));
    });
    let table = SessionTable::with_config(config);
    let next = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let workers: Vec<_> = (0..20)
        .map(|_| {
            let (table, next) = (table.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if i >= sessions {
                        return;
                    }
                    life(&table, i).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    table.clear();
    eventually("no VM is left", || table.live_vm_count() == 0).await;
    eventually("no thread is late", || table.abandoned_threads() == 0).await;
}

#[test]
fn ten_thousand_sessions_leave_no_thread_no_descriptor_no_vm_and_no_memory() {
    // tokio's own threads for blocking work, which memory is handed back on, are not to be taken for leaked ones.
    let keep_alive = Duration::from_millis(50);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(keep_alive)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // What is made once per process is made by the first few.
        generation(500).await;
        let quiet = || {
            let now = Footprint::now();
            now.runtimes == 0 && now.vm_threads == 0
        };
        eventually("the first VMs and their threads are gone", quiet).await;
        perennial_engine::trim_memory();
        let before = Footprint::now();

        generation(SESSIONS).await;
        eventually("VMs and their threads are gone", quiet).await;
        eventually("descriptors are back", || Footprint::now().descriptors <= before.descriptors).await;
        eventually("threads are back", || Footprint::now().threads <= before.threads).await;
        perennial_engine::trim_memory();
        let after = Footprint::now();
        assert!(after.resident_kib < before.resident_kib + RESIDENT_BOUND_KIB, "{before:?} became {after:?}");
    });
}
