//! Native operations with arguments of a size: a run ends, its thread comes back, and what it says fits.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use perennial_sessions::{RunRequest, SessionTable, TableConfig};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads"));
static TABLE: LazyLock<SessionTable> = LazyLock::new(|| {
    let _inside = RUNTIME.enter();
    SessionTable::with_config(TableConfig::default())
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [size, bytes @ ..] = bytes else { return };
    let size = [10, 1000, 30_000, 1_000_000][usize::from(size % 4)];
    let mut request = RunRequest::new(perennial_testkit::hostile::call(bytes, size)).with_timeout_ms(400);
    request.memory_bytes = Some(64 << 20);
    let result = RUNTIME.block_on(TABLE.run("calls", request));
    let length = serde_json::to_vec(&result).expect("a result is JSON").len();
    assert!(length < 4 << 20, "a result of {length} bytes");
    // Late is what the timeout of the fuzzer tells; a thread that is stuck would only be told by the next runs.
    let since = computed();
    while TABLE.abandoned_threads() > 0 {
        assert!(computed() < since + 30 * TICKS, "its thread is stuck");
        std::thread::sleep(Duration::from_millis(1));
    }
});

/// Ticks a second of `/proc` (proc(5)).
const TICKS: u64 = 100;

/// CPU time of this process in ticks: the machine may have more to do than this.
fn computed() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("this process");
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields[11..13].iter().map(|field| field.parse::<u64>().expect("ticks")).sum()
}
