use std::sync::Arc;
use std::time::Duration;

use perennial_engine::{ExecutorConfig, Placement, RunOptions};

#[cfg(feature = "browser")]
use perennial_stdlib::browser::Browsers;
#[cfg(feature = "commands")]
use perennial_stdlib::commands::{CommandSet, ProcessLimits};
use perennial_stdlib::files::{FilesQuota, Mounts};
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetPolicy, Network, Secrets};
use perennial_stdlib::node::Environment;

use crate::clock::{Clock, SystemClock};
#[cfg(feature = "modules")]
use crate::modules::ModuleAccess;
#[cfg(feature = "modules")]
use crate::plugins::PluginSet;
use crate::provisions::{Provisions, Standard};
use crate::registry::OwnerLimits;
use crate::vars::VarsQuota;

/// The policy of a table. The defaults are those of the command line.
#[derive(Clone)]
#[non_exhaustive]
pub struct TableConfig {
    /// VMs kept warm at the most; those that run count. With none each run has a new VM, and only what is durable stays.
    pub max_vms: usize,
    /// How long a session may be unused before it ends.
    pub idle_ttl: Duration,
    /// How long a session may live at all, checked when a run begins or ends.
    pub hard_lifetime: Option<Duration>,
    /// Heap of all idle warm VMs together; beyond it the least recently used go.
    pub memory_budget: Option<usize>,
    /// CPU time that one session's callbacks may take in a minute between runs. Zero turns background work off.
    pub background_budget: Duration,
    /// Limits of a run that states none.
    pub defaults: RunOptions,
    /// The most a run may ask for.
    pub ceilings: RunOptions,
    /// How much each session's `vars` may hold.
    pub vars_quota: VarsQuota,
    /// How much each session's files may take.
    pub files_quota: FilesQuota,
    /// Folders of the host that scripts see among their files, unless the call brings [`Mounts`] of its own.
    pub mounts: Option<Mounts>,
    /// What scripts may fetch, unless the call brings a [`NetPolicy`] of its own. None: nothing.
    #[cfg(feature = "net")]
    pub net: Option<NetPolicy>,
    /// What scripts see in `process.env`, unless the call brings an [`Environment`] of its own.
    pub env: Environment,
    /// Secrets that scripts use and never see, unless the call brings [`Secrets`] of its own.
    #[cfg(feature = "net")]
    pub secrets: Secrets,
    /// What scripts may run, unless the call brings a [`CommandSet`] of its own.
    #[cfg(feature = "commands")]
    pub commands: CommandSet,
    /// How many commands may run at a time.
    #[cfg(feature = "commands")]
    pub process_limits: ProcessLimits,
    /// Whether a session with a command that runs counts as used, so that it does not end by being idle.
    #[cfg(feature = "commands")]
    pub busy_with_commands: bool,
    /// Names, roots of trust and idle connections behind `fetch`.
    #[cfg(feature = "net")]
    pub network: Network,
    /// What scripts may import, unless the call brings a [`ModuleAccess`] of its own. None: what the host provides.
    #[cfg(feature = "modules")]
    pub modules: Option<ModuleAccess>,
    /// Plugins whose tools every script can call.
    #[cfg(feature = "modules")]
    pub plugins: Option<PluginSet>,
    /// What gives each session a browser, unless the call lends a [`Browser`](crate::browser::Browser) of its own. None: scripts have no `page`.
    #[cfg(feature = "browser")]
    pub browsers: Option<Arc<dyn Browsers>>,
    /// What else sessions have.
    pub provisions: Provisions,
    /// What each owner other than the local one may have; see [`SessionTable::of`](crate::SessionTable::of).
    pub owner_limits: OwnerLimits,
    /// The threads.
    pub executor: ExecutorConfig,
    /// Where scripts compute that have proven short.
    pub placement: Placement,
    /// The clock of everything above but `defaults`.
    pub clock: Arc<dyn Clock>,
}

impl Default for TableConfig {
    fn default() -> Self {
        Self {
            max_vms: 1000,
            idle_ttl: Duration::from_secs(30 * 60),
            hard_lifetime: None,
            memory_budget: None,
            background_budget: Duration::from_millis(250),
            defaults: RunOptions::default(),
            ceilings: RunOptions::ceilings(),
            vars_quota: VarsQuota::default(),
            files_quota: FilesQuota::default(),
            mounts: None,
            #[cfg(feature = "net")]
            net: None,
            env: Environment::new(),
            #[cfg(feature = "net")]
            secrets: Secrets::new(),
            #[cfg(feature = "commands")]
            commands: CommandSet::new(),
            #[cfg(feature = "commands")]
            process_limits: ProcessLimits::default(),
            #[cfg(feature = "commands")]
            busy_with_commands: false,
            #[cfg(feature = "net")]
            network: shared_network(),
            #[cfg(feature = "modules")]
            modules: None,
            #[cfg(feature = "modules")]
            plugins: None,
            #[cfg(feature = "browser")]
            browsers: None,
            provisions: Provisions::new(),
            owner_limits: OwnerLimits::default(),
            executor: ExecutorConfig::default(),
            placement: Placement::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl TableConfig {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }

    /// What sessions have: what those of every table have, and the embedder's own.
    pub(crate) fn all_provisions(&self) -> Provisions {
        let standard = Standard {
            vars: self.vars_quota,
            files: self.files_quota,
            mounts: self.mounts.clone(),
            env: self.env.clone(),
            #[cfg(feature = "net")]
            net: self.net.clone(),
            #[cfg(feature = "net")]
            secrets: self.secrets.clone(),
            #[cfg(feature = "net")]
            network: self.network.clone(),
            #[cfg(feature = "commands")]
            commands: self.commands.clone(),
            #[cfg(feature = "commands")]
            process_limits: self.process_limits,
            #[cfg(feature = "commands")]
            busy_with_commands: self.busy_with_commands,
            #[cfg(feature = "modules")]
            modules: self.modules.clone(),
            #[cfg(feature = "browser")]
            browsers: self.browsers.clone(),
        };
        Provisions::of_every_table(standard, &self.clock).and(&self.provisions)
    }
}

/// Reading the roots of trust takes milliseconds; tables of one process share them.
#[cfg(feature = "net")]
fn shared_network() -> Network {
    static SHARED: std::sync::LazyLock<Network> = std::sync::LazyLock::new(Network::default);
    SHARED.clone()
}
