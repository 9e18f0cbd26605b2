//! `commands`: programs that scripts run.

mod capability;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use perennial_protocol::EndReason;
use perennial_stdlib::commands::{self, CommandGrants, CommandSet, Declaration, ProcessLimits, SessionProcs};

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{BoxFuture, Description, Ended, Holds, InRun, Own, Provided, Provision, RunScope};

pub(super) struct CommandsProvision {
    set: Option<Arc<CommandSet>>,
    limits: ProcessLimits,
    /// Whether a session with a command that runs counts as used.
    is_use: bool,
}

impl CommandsProvision {
    pub(super) fn new(set: CommandSet, limits: ProcessLimits, is_use: bool) -> Self {
        Self { set: (!set.is_empty()).then(|| Arc::new(set)), limits, is_use }
    }
}

impl Provision for CommandsProvision {
    type Session = Procs;

    fn name(&self) -> &'static str {
        "commands"
    }

    fn declare(&self, library: &mut Library) {
        let grants = library.capability(capability::CommandsCapability);
        library.ops(commands::ops(&CommandGrants::new(grants)));
        commands::areas().into_iter().for_each(|area| library.area(area));
        let Some(set) = &self.set else { return library.tell("`commands` runs nothing here.", [""; 0]) };
        let of = |persistent: bool| {
            let declared = set.names().filter_map(|name| Some((name, set.get(name)?)));
            declared.filter(move |(_, command)| command.persistent == persistent)
        };
        let named = |(name, command): (&str, &Arc<Declaration>)| match command.values() {
            values if values.is_empty() => name.to_owned(),
            values => format!("{name} {{ {} }}", values.join(", ")),
        };
        if of(false).next().is_some() {
            let text =
                "`await commands.run(name, { values }, { stdin: \"text\" })` gives { stdout, stderr, exitCode } of";
            library.tell(text, of(false).map(named));
        }
        if of(true).next().is_some() {
            library.tell("`await commands.start(name, { values })` keeps running", of(true).map(named));
        }
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) -> Procs {
        Procs { procs: Arc::new(SessionProcs::new(self.limits)), is_use: self.is_use, told: AtomicU64::new(0) }
    }

    fn begin(&self, session: Own<'_, Procs>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        if let Some(set) = &self.set {
            run.provide_default(set);
        }
        // For plugins too, which have commands of their own.
        run.provide(session.get().procs.clone());
        None
    }
}

/// What a session has running.
pub(crate) struct Procs {
    pub(crate) procs: Arc<SessionProcs>,
    is_use: bool,
    /// Commands that runs have been told of.
    told: AtomicU64,
}

impl Provided for Procs {
    fn holds(&self) -> Holds {
        Holds { expiry: self.is_use && self.procs.usage().running > 0 }
    }

    fn report(&self, ended: &mut Ended<'_>) {
        let (usage, of_run) = (self.procs.usage(), &mut ended.result.usage);
        of_run.commands_begun = usage.begun - self.told.swap(usage.begun, Ordering::Relaxed);
        of_run.commands_running = usage.running as u64;
        of_run.command_log_bytes = usage.log_bytes as u64;
    }

    fn describe(&self, description: &mut Description) {
        let usage = self.procs.usage();
        (description.commands, description.command_log_bytes) = (usage.running, usage.log_bytes);
    }

    fn end(&self, _: EndReason) {
        self.procs.end();
    }

    fn gone(&self) -> BoxFuture<'static, ()> {
        let procs = self.procs.clone();
        Box::pin(async move { procs.gone().await })
    }
}
