//! Functions that a VM has compiled and keeps, for programs that it is given again and again.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use crate::js::{Saved, Scope, Value};
use crate::program::Program;

/// Programs that are remembered.
pub(crate) const MOST: usize = 32;
/// Bytes of heap that kept functions may take.
const MOST_BYTES: usize = 256 << 10;

/// The programs of recent runs, the last one at the back. What is given once is only remembered; from the second time on its function is kept.
#[derive(Default)]
pub(crate) struct Kept {
    recent: VecDeque<Entry>,
    bytes: usize,
}

struct Entry {
    /// Says which one it is, as long as it is there: its address is nobody else's while this lives.
    program: Weak<Program>,
    hides_args: bool,
    compiled: Option<Compiled>,
    pace: Pace,
}

/// How long the runs of a program have taken whose function was kept.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// Short ones since the last that was not.
    short: u32,
    /// Those that were not, a thousand short ones making up for one: now and then a machine is slow.
    strikes: u32,
    /// One has waited for something, or has stayed where it was called until others needed the place.
    is_long: bool,
}

impl Pace {
    const PROVEN: u32 = 3;
    const FORGIVEN: u32 = 1000;
    const STRIKES: u32 = 3;

    fn note(&mut self, ran: Ran) {
        match ran {
            Ran::Short => {
                self.short = self.short.saturating_add(1);
                if self.short.is_multiple_of(Self::FORGIVEN) {
                    self.strikes = self.strikes.saturating_sub(1);
                }
            }
            Ran::Longer => {
                self.short = 0;
                self.strikes += 1;
                self.is_long |= self.strikes > Self::STRIKES;
            }
            Ran::TooLong => self.is_long = true,
        }
    }

    fn is_short(self) -> bool {
        !self.is_long && self.short >= Self::PROVEN
    }
}

/// How long a run has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    Short,
    Longer,
    /// Its program is no more for anybody else's thread.
    TooLong,
}

/// A compiled program.
struct Compiled {
    function: Saved,
    /// What QuickJS calls its source.
    file: String,
    bytes: usize,
}

impl Kept {
    /// The function of a program and what QuickJS calls its source, if it is kept.
    pub(crate) fn find<'js>(
        &mut self,
        scope: Scope<'js>,
        program: &Arc<Program>,
        hides_args: bool,
    ) -> Option<(Value<'js>, &str)> {
        let at = self.position(program, hides_args)?;
        let entry = self.recent.remove(at)?;
        self.recent.push_back(entry);
        let compiled = self.recent.back()?.compiled.as_ref()?;
        Some((scope.load(&compiled.function), &compiled.file))
    }

    /// Takes note of a function that was compiled because it was not kept, and that takes so many bytes.
    pub(crate) fn add<'js>(
        &mut self,
        scope: Scope<'js>,
        program: &Arc<Program>,
        hides_args: bool,
        function: &Value<'js>,
        file: &str,
        bytes: usize,
    ) {
        // What is kept under the same name would have its places looked for in this one's source.
        let of_this_file = |compiled: &mut Compiled| compiled.file == file;
        let taken = self.recent.iter_mut().find_map(|entry| entry.compiled.take_if(of_this_file));
        self.let_go(scope, taken);
        let Some(at) = self.position(program, hides_args) else {
            let program = Arc::downgrade(program);
            self.recent.push_back(Entry { program, hides_args, compiled: None, pace: Pace::default() });
            if self.recent.len() > MOST
                && let Some(oldest) = self.recent.pop_front()
            {
                self.let_go(scope, oldest.compiled);
            }
            return;
        };
        if bytes > MOST_BYTES {
            return;
        }
        while self.bytes + bytes > MOST_BYTES {
            let Some(oldest) = self.recent.iter_mut().find_map(|entry| entry.compiled.take()) else { break };
            self.let_go(scope, Some(oldest));
        }
        self.bytes += bytes;
        let function = scope.save(function.clone());
        self.recent[at].compiled = Some(Compiled { function, file: file.to_owned(), bytes });
    }

    /// Notes how long the run has taken whose program was asked for last.
    pub(crate) fn note(&mut self, ran: Ran) {
        if let Some(entry) = self.recent.back_mut() {
            entry.pace.note(ran);
        }
    }

    /// Whether the function of a program is kept and its last runs were short.
    pub(crate) fn is_short(&self, program: &Arc<Program>, hides_args: bool) -> bool {
        let entry = self.position(program, hides_args).map(|at| &self.recent[at]);
        entry.is_some_and(|entry| entry.compiled.is_some() && entry.pace.is_short())
    }

    /// Lets go of all functions, for their memory.
    pub(crate) fn clear(&mut self, scope: Scope<'_>) {
        for entry in std::mem::take(&mut self.recent) {
            self.let_go(scope, entry.compiled);
        }
    }

    fn position(&self, program: &Arc<Program>, hides_args: bool) -> Option<usize> {
        let is_it = |entry: &Entry| entry.program.as_ptr() == Arc::as_ptr(program) && entry.hides_args == hides_args;
        self.recent.iter().rposition(is_it)
    }

    fn let_go(&mut self, scope: Scope<'_>, compiled: Option<Compiled>) {
        if let Some(Compiled { function, bytes, .. }) = compiled {
            self.bytes -= bytes;
            drop(scope.restore(function));
        }
    }
}
