use std::time::Duration;

#[cfg(feature = "commands")]
use perennial_stdlib::commands::CommandSet;
use perennial_stdlib::files::Mounts;
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetPolicy, Secrets};
use perennial_stdlib::node::Environment;

use crate::config::TableConfig;
use crate::library::LibraryError;
#[cfg(feature = "modules")]
use crate::modules::ModuleAccess;
#[cfg(feature = "modules")]
use crate::plugins::PluginSet;
use crate::provision::Provision;
use crate::provisions::Provisions;
use crate::table::SessionTable;

/// Makes a table step by step: [`SessionTable::builder`]. What is not said is as in [`TableConfig::default`], and scripts reach nothing.
#[derive(Clone, Default)]
#[must_use = "nothing is made before build()"]
pub struct TableBuilder(TableConfig);

impl SessionTable {
    /// A table made step by step.
    pub fn builder() -> TableBuilder {
        TableBuilder::default()
    }
}

impl TableBuilder {
    /// VMs kept warm at the most; those that run count.
    pub fn max_vms(self, most: usize) -> Self {
        self.configure(|config| config.max_vms = most)
    }

    /// How long a session may be unused before it ends.
    pub fn idle_ttl(self, time: Duration) -> Self {
        self.configure(|config| config.idle_ttl = time)
    }

    /// Wall-clock limit of runs that state none.
    pub fn timeout(self, most: Duration) -> Self {
        self.configure(|config| config.defaults.wall = most)
    }

    /// Heap limit, in bytes, of runs that state none.
    pub fn memory(self, bytes: u64) -> Self {
        self.configure(|config| config.defaults.memory_bytes = usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Folders of the host that scripts see among their files.
    pub fn mounts(self, mounts: Mounts) -> Self {
        self.configure(|config| config.mounts = Some(mounts))
    }

    /// What scripts may fetch.
    #[cfg(feature = "net")]
    pub fn net(self, policy: NetPolicy) -> Self {
        self.configure(|config| config.net = Some(policy))
    }

    /// Secrets that scripts use and never see.
    #[cfg(feature = "net")]
    pub fn secrets(self, secrets: Secrets) -> Self {
        self.configure(|config| config.secrets = secrets)
    }

    /// What scripts see in `process.env`.
    pub fn env(self, env: Environment) -> Self {
        self.configure(|config| config.env = env)
    }

    /// What scripts may run.
    #[cfg(feature = "commands")]
    pub fn commands(self, commands: CommandSet) -> Self {
        self.configure(|config| config.commands = commands)
    }

    /// What scripts may import.
    #[cfg(feature = "modules")]
    pub fn modules(self, access: ModuleAccess) -> Self {
        self.configure(|config| config.modules = Some(access))
    }

    /// Plugins whose tools every script can call.
    #[cfg(feature = "modules")]
    pub fn plugins(self, plugins: PluginSet) -> Self {
        self.configure(|config| config.plugins = Some(plugins))
    }

    /// One more thing that sessions have.
    pub fn provision(self, provision: impl Provision) -> Self {
        self.configure(|config| config.provisions = std::mem::take(&mut config.provisions).with(provision))
    }

    /// More things that sessions have: those that plugins were loaded with, say.
    pub fn provisions(self, provisions: &Provisions) -> Self {
        self.configure(|config| config.provisions = std::mem::take(&mut config.provisions).and(provisions))
    }

    /// Sets whatever else [`TableConfig`] has; what is set takes the place of what was.
    pub fn configure(mut self, set: impl FnOnce(&mut TableConfig)) -> Self {
        set(&mut self.0);
        self
    }

    /// Makes the table.
    ///
    /// # Errors
    /// If two provisions bring the same name, of their own, of a global or of an op; or if a limit is 0.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled: the table's tasks run on the one it is made in.
    pub fn build(self) -> Result<SessionTable, LibraryError> {
        SessionTable::try_with_config(self.0)
    }
}

impl std::fmt::Debug for TableBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableBuilder").field("max_vms", &self.0.max_vms).finish_non_exhaustive()
    }
}
