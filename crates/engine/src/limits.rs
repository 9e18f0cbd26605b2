use std::time::Duration;

use perennial_protocol::{RunRequest, ScriptError};

/// Stack of an executor thread. Twice the largest JavaScript stack allowed, since native code below QuickJS's own check needs room
/// too, and a JavaScript stack larger than the real one takes the process down.
pub(crate) const THREAD_STACK: usize = 4 << 20;

/// Per-call limits of a run. [`RunOptions::default`] is the documented table.
///
/// ```
/// use std::time::Duration;
/// use perennial_engine::RunOptions;
/// let options = RunOptions::default().configure(|options| {
///     options.wall = Duration::from_secs(5);
///     options.memory_bytes = 64 << 20;
/// });
/// assert!(options.check(&RunOptions::ceilings()).is_ok());
/// let none = options.configure(|options| options.result_bytes = 0);
/// assert!(none.check(&RunOptions::ceilings()).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOptions {
    /// Wall-clock time of building the VM, compiling, computing and awaiting; waiting for a thread is not counted.
    pub wall: Duration,
    /// CPU time, by the clock of the threads that run the script; `None` for no limit but `wall`.
    pub cpu: Option<Duration>,
    /// Heap of the VM, what earlier runs left in it included.
    pub memory_bytes: usize,
    /// Stack of JavaScript calls.
    pub stack_bytes: usize,
    /// The result, as JSON text.
    pub result_bytes: usize,
    /// Console entries kept.
    pub console_entries: usize,
    /// Bytes of console text kept.
    pub console_bytes: usize,
    /// Where one console entry is cut.
    pub console_entry_bytes: usize,
    /// The source itself.
    pub source_bytes: usize,
    /// What positions and stack frames call the source; `cell` and the run's number if absent.
    pub name: Option<String>,
    /// Undoes what the script does to `vars` and the session's files unless it returns. The engine itself knows neither.
    pub atomic: bool,
    /// Lists in the result what the script changed among the session's files.
    pub changes: bool,
}

/// A limit, said once: its name on the wire, what it is by default and at most, and where it stands.
struct Limit {
    name: &'static str,
    default: Option<u64>,
    ceiling: u64,
    /// What a request asks for.
    asked: fn(&RunRequest) -> Option<u64>,
    get: fn(&RunOptions) -> Option<u64>,
    set: fn(&mut RunOptions, u64),
}

macro_rules! size {
    ($name:ident, $asked:expr, $default:expr, up to $ceiling:expr) => {
        Limit {
            name: stringify!($name),
            default: Some($default),
            ceiling: $ceiling,
            asked: $asked,
            get: |options| Some(options.$name as u64),
            set: |options, value| options.$name = usize::try_from(value).unwrap_or(usize::MAX),
        }
    };
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const LIMITS: [Limit; 9] = [
    Limit {
        name: "timeout_ms",
        default: Some(5 * 60 * 1000),
        ceiling: DAY_MS,
        asked: |request| request.timeout_ms,
        get: |options| Some(milliseconds(options.wall)),
        set: |options, ms| options.wall = Duration::from_millis(ms),
    },
    Limit {
        name: "cpu_ms",
        default: None,
        ceiling: DAY_MS,
        asked: |request| request.cpu_ms,
        get: |options| options.cpu.map(milliseconds),
        set: |options, ms| options.cpu = Some(Duration::from_millis(ms)),
    },
    size!(memory_bytes, |request| request.memory_bytes, 256 << 20, up to 4 << 30),
    size!(stack_bytes, |request| request.stack_bytes, 1 << 20, up to THREAD_STACK as u64 / 2),
    size!(result_bytes, |request| request.result_bytes, 1 << 20, up to 64 << 20),
    size!(console_entries, |request| request.console_entries, 1000, up to 100_000),
    size!(console_bytes, |request| request.console_bytes, 1 << 20, up to 64 << 20),
    size!(console_entry_bytes, |request| request.console_entry_bytes, 8 << 10, up to 1 << 20),
    size!(source_bytes, |_| None, 4 << 20, up to 64 << 20),
];

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Default for RunOptions {
    fn default() -> Self {
        Self::each(|limit| limit.default)
    }
}

impl RunOptions {
    fn each(value: impl Fn(&Limit) -> Option<u64>) -> Self {
        let mut options = Self {
            wall: Duration::ZERO,
            cpu: None,
            memory_bytes: 0,
            stack_bytes: 0,
            result_bytes: 0,
            console_entries: 0,
            console_bytes: 0,
            console_entry_bytes: 0,
            source_bytes: 0,
            name: None,
            atomic: false,
            changes: false,
        };
        for limit in &LIMITS {
            if let Some(value) = value(limit) {
                (limit.set)(&mut options, value);
            }
        }
        options
    }

    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }

    /// The largest limits a caller may ask for, unless the embedder says otherwise.
    pub fn ceilings() -> Self {
        Self::each(|limit| Some(limit.ceiling))
    }

    /// These options with what a request states in their place.
    #[must_use]
    pub fn with(mut self, request: &RunRequest) -> Self {
        for limit in &LIMITS {
            if let Some(value) = (limit.asked)(request) {
                (limit.set)(&mut self, value);
            }
        }
        if request.name.is_some() {
            self.name.clone_from(&request.name);
        }
        self.atomic |= request.atomic;
        self.changes |= request.changes;
        self
    }

    /// Refuses limits of zero and limits beyond `ceilings`.
    ///
    /// # Errors
    /// `invalid_request`, naming the limit with both numbers.
    pub fn check(&self, ceilings: &Self) -> Result<(), ScriptError> {
        for limit in &LIMITS {
            let (name, Some(value)) = (limit.name, (limit.get)(self)) else { continue };
            let mut ceiling = (limit.get)(ceilings).unwrap_or(u64::MAX);
            if name == "stack_bytes" {
                // Whatever an embedder says: the threads have no more.
                ceiling = ceiling.min(limit.ceiling);
            }
            if value == 0 {
                return Err(ScriptError::invalid_request(format!("{name} is zero: a limit is at least 1")));
            }
            if value > ceiling {
                let message = format!("{name} is {value}, more than the {ceiling} allowed here");
                return Err(ScriptError::invalid_request(message).with_limit(ceiling, value));
            }
        }
        if self.name.as_ref().is_some_and(|name| name.is_empty() || name.len() > 256 || name.contains(['\0', '\n'])) {
            return Err(ScriptError::invalid_request("name is 1 to 256 bytes without NUL and line breaks"));
        }
        Ok(())
    }
}
