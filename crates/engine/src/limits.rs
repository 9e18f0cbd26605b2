use std::time::Duration;

use perennial_protocol::{Limits, ScriptError};

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

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(5 * 60),
            cpu: None,
            memory_bytes: 256 << 20,
            stack_bytes: 1 << 20,
            result_bytes: 1 << 20,
            console_entries: 1000,
            console_bytes: 1 << 20,
            console_entry_bytes: 8 << 10,
            source_bytes: 4 << 20,
            name: None,
            atomic: false,
            changes: false,
        }
    }
}

impl RunOptions {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }

    /// The largest limits a caller may ask for, unless the embedder says otherwise.
    pub fn ceilings() -> Self {
        Self {
            wall: Duration::from_secs(24 * 60 * 60),
            cpu: Some(Duration::from_secs(24 * 60 * 60)),
            memory_bytes: 4 << 30,
            stack_bytes: THREAD_STACK / 2,
            result_bytes: 64 << 20,
            console_entries: 100_000,
            console_bytes: 64 << 20,
            console_entry_bytes: 1 << 20,
            source_bytes: 64 << 20,
            name: None,
            atomic: false,
            changes: false,
        }
    }

    /// These options with what `limits` states in place of the defaults.
    #[must_use]
    pub fn with(mut self, limits: &Limits) -> Self {
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        if let Some(ms) = limits.timeout_ms {
            self.wall = Duration::from_millis(ms);
        }
        if let Some(ms) = limits.cpu_ms {
            self.cpu = Some(Duration::from_millis(ms));
        }
        for (target, value) in [
            (&mut self.memory_bytes, limits.memory_bytes),
            (&mut self.stack_bytes, limits.stack_bytes),
            (&mut self.result_bytes, limits.result_bytes),
            (&mut self.console_entries, limits.console_entries),
            (&mut self.console_bytes, limits.console_bytes),
            (&mut self.console_entry_bytes, limits.console_entry_bytes),
        ] {
            if let Some(value) = value {
                *target = size(value);
            }
        }
        self
    }

    /// Refuses limits of zero and limits beyond `ceilings`.
    ///
    /// # Errors
    /// `invalid_request`, naming the limit with both numbers.
    pub fn check(&self, ceilings: &Self) -> Result<(), ScriptError> {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let cpu_ceiling = ceilings.cpu.map_or(u64::MAX, ms);
        let checks: [(&str, u64, u64); 9] = [
            ("timeout_ms", ms(self.wall), ms(ceilings.wall)),
            ("cpu_ms", self.cpu.map_or(1, ms), cpu_ceiling),
            ("memory_bytes", self.memory_bytes as u64, ceilings.memory_bytes as u64),
            ("stack_bytes", self.stack_bytes as u64, ceilings.stack_bytes.min(THREAD_STACK / 2) as u64),
            ("result_bytes", self.result_bytes as u64, ceilings.result_bytes as u64),
            ("console_entries", self.console_entries as u64, ceilings.console_entries as u64),
            ("console_bytes", self.console_bytes as u64, ceilings.console_bytes as u64),
            ("console_entry_bytes", self.console_entry_bytes as u64, ceilings.console_entry_bytes as u64),
            ("source_bytes", self.source_bytes as u64, ceilings.source_bytes as u64),
        ];
        for (name, value, ceiling) in checks {
            if value == 0 {
                return Err(ScriptError::invalid_request(format!("{name} is zero: a limit is at least 1")));
            }
            if value > ceiling {
                return Err(ScriptError::invalid_request(format!(
                    "{name} is {value}, more than the {ceiling} allowed here"
                ))
                .with_limit(ceiling, value));
            }
        }
        if self.name.as_ref().is_some_and(|name| name.is_empty() || name.len() > 256 || name.contains(['\0', '\n'])) {
            return Err(ScriptError::invalid_request("name is 1 to 256 bytes without NUL and line breaks"));
        }
        Ok(())
    }
}
