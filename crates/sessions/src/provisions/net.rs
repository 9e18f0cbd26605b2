//! `fetch`: the network, behind rules.

mod capability;

use std::sync::Arc;

use perennial_stdlib::net::{self, NetGrants, NetPolicy, NetState, Network, Secrets};

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{InRun, Own, Provided, Provision, RunScope};

pub(super) struct NetProvision {
    policy: Option<Arc<NetPolicy>>,
    secrets: Option<Arc<Secrets>>,
    network: Arc<Network>,
}

impl NetProvision {
    pub(super) fn new(policy: Option<NetPolicy>, secrets: Secrets, network: Network) -> Self {
        Self {
            policy: policy.map(Arc::new),
            secrets: (!secrets.is_empty()).then(|| Arc::new(secrets)),
            network: Arc::new(network),
        }
    }
}

impl Provision for NetProvision {
    type Session = NetState;

    fn name(&self) -> &'static str {
        "net"
    }

    fn declare(&self, library: &mut Library) {
        let grants = library.capability(capability::NetCapability);
        library.ops(net::ops(&NetGrants::new(grants)));
        net::areas().into_iter().for_each(|area| library.area(area));
        match &self.policy {
            Some(policy) => library.tell("`fetch` reaches", policy.rules().map(ToString::to_string)),
            None => library.tell("`fetch` reaches nothing here.", [""; 0]),
        }
        if let Some(secrets) = &self.secrets {
            let first = secrets.iter().next().map_or("NAME", |(name, _)| name);
            let text = format!(
                "Secrets, which you use and never see, as `await fetch(url, {{ headers: {{ authorization: \"Bearer \" + perennial.secret(\"{first}\") }} }})`:"
            );
            library.tell(text, secrets.iter().map(|(name, origins)| format!("{name} (for {})", origins.join(" "))));
        }
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) -> NetState {
        NetState::default()
    }

    fn begin(&self, session: Own<'_, NetState>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        if let Some(policy) = &self.policy {
            run.provide_default(policy);
        }
        if let Some(secrets) = &self.secrets {
            run.provide_default(secrets);
        }
        // For plugins too, which have policies of their own.
        run.provide(self.network.clone());
        run.provide(session.get());
        None
    }
}

impl Provided for NetState {}
