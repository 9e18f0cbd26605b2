//! What the host does with the checkpoints of a session, and forks.

use std::sync::Arc;

use perennial_protocol::{Checkpoint, CheckpointRef, ScriptError, StateChanges};

use crate::checkpoints::{CheckpointError, Checkpoints, Maker};
use crate::custody::Permit;
use crate::durable::Whole;
use crate::owner::Session;
use crate::provision::Has;
use crate::session::BrowserSession;
use crate::slot::Slot;

const BY: Maker = Maker::Host;

/// A session of which nothing runs as long as this is held.
struct Still {
    session: BrowserSession,
    _permit: Permit,
}

impl Still {
    /// Waits its turn.
    async fn of(slot: &Slot) -> Result<Self, ScriptError> {
        let session = slot.lock().await?;
        let permit = session.still().await?;
        Ok(Self { session, _permit: permit })
    }
}

/// The checkpoints of a session, and what they are of.
struct Of {
    list: Arc<Checkpoints>,
    whole: Arc<dyn Whole>,
}

impl Of {
    fn slot(Slot(pinned): &Slot) -> Self {
        let provisions = &pinned.shared.provisions;
        let list = provisions.session(&pinned.record).expect("every table has them");
        Self { list, whole: provisions.of(&pinned.record).whole() }
    }
}

/// # Checkpoints
///
/// What is durable of a session at one moment: `vars`, files with the working directory, and what provisions of the embedder's call durable. Not what is in a VM
/// (globals and what waits), cookies, commands, and folders of the host that are mounted to be written to. Scripts have the same as `session`.
///
/// A session's host may have a hundred, and its scripts a hundred of their own, which are told apart: a script forgets none of the host's. They end with the
/// session. What they keep counts for the memory of `vars` and files, which may refuse to be written to because of them.
impl Session {
    /// Keeps what is durable as it is between two runs, in constant time. Of a hundred, the oldest without a name makes way; one that had the name before
    /// has none from here on. Makes the session if there is none.
    ///
    /// What a script has begun to write and not awaited may be in it or not.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use perennial_sessions::{Run, SessionTable};
    /// let table = SessionTable::builder().build()?;
    /// let ada = table.session("ada");
    /// ada.run(Run::script("vars.set('plan', 'a')")).await;
    /// let before = ada.checkpoint(Some("before")).await?;
    /// ada.run(Run::script("vars.set('plan', 'b'); await fs.writeFile('/notes', 'b')")).await;
    /// assert_eq!(ada.changes(&before, None).await?.changes.len(), 2);
    /// ada.rollback("before").await?;
    /// assert_eq!(ada.run(Run::script("return vars.get('plan')")).await.value::<String>()?, "a");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancellation
    /// Dropping the future gives up its turn, and nothing else.
    ///
    /// # Errors
    /// `invalid_request` if the name is none or all there may be have names, `session_ended`, and `busy` as for a run.
    pub async fn checkpoint(&self, name: Option<&str>) -> Result<Checkpoint, ScriptError> {
        let slot = self.acquire();
        let (_still, of) = (Still::of(&slot).await?, Of::slot(&slot));
        Ok(of.list.make(&*of.whole, name.map(str::to_owned), BY)?)
    }

    /// All there are, the oldest first. Waits for nothing.
    ///
    /// # Cancellation
    /// Nothing is waited for yet.
    pub async fn checkpoints(&self) -> Vec<Checkpoint> {
        self.existing().map(|slot| Of::slot(&slot).list.list()).unwrap_or_default()
    }

    /// Makes everything durable what it was, between two runs: all of it, or with an error none. The checkpoint stays, and so do later ones. The VM stays too, with
    /// its globals: [`Self::reset`] drops it. What callbacks of earlier runs try to change is refused until the next run.
    ///
    /// # Cancellation
    /// Dropping the future gives up its turn, and nothing else.
    ///
    /// # Errors
    /// `invalid_request` if there is no such checkpoint, or no such session; otherwise as [`Self::checkpoint`].
    pub async fn rollback(&self, to: impl Into<CheckpointRef>) -> Result<Checkpoint, ScriptError> {
        let to = to.into();
        let slot = self.find(&to)?;
        let (_still, of) = (Still::of(&slot).await?, Of::slot(&slot));
        Ok(of.list.roll_back(&*of.whole, &to, BY)?)
    }

    /// What differs between a checkpoint and another one, or what there is now. Waits for nothing: of a run that is under way it has what that did so far.
    ///
    /// # Cancellation
    /// Nothing is waited for yet.
    ///
    /// # Errors
    /// `invalid_request` if there is no such checkpoint, or no such session.
    pub async fn changes(
        &self,
        from: impl Into<CheckpointRef>,
        to: Option<CheckpointRef>,
    ) -> Result<StateChanges, ScriptError> {
        let from = from.into();
        let of = Of::slot(&self.find(&from)?);
        Ok(of.list.changes(&*of.whole, &from, to.as_ref(), BY)?)
    }

    /// Lets go of a checkpoint, whoever made it, and what it alone keeps. Waits for nothing.
    ///
    /// # Cancellation
    /// Nothing is waited for yet.
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub async fn forget(&self, which: impl Into<CheckpointRef>) -> Result<(), ScriptError> {
        let which = which.into();
        let slot = self.find(&which)?;
        Ok(Of::slot(&slot).list.forget(&which, BY)?)
    }

    /// Makes a session of this name that has what is durable of this one as it is between two runs. Neither notices what the other does. The fork has a VM of its own, no
    /// checkpoints, no cookies and no commands.
    ///
    /// # Cancellation
    /// Dropping the future gives up its turn, and nothing else.
    ///
    /// # Errors
    /// `invalid_request` if there is a session of that name already, or none of this one's; otherwise as [`Self::checkpoint`].
    pub async fn fork(&self, name: impl Into<String>) -> Result<Self, ScriptError> {
        let Some(slot) = self.existing() else {
            let message = format!("there is no session {:?} to make a fork of", self.name());
            return Err(ScriptError::invalid_request(message));
        };
        let still = Still::of(&slot).await?;
        let fork = self.sibling(name.into());
        still.session.fork(fork.name())?;
        Ok(fork)
    }

    /// The session, if there is one: asked for its checkpoints, it is not made.
    fn find(&self, which: &CheckpointRef) -> Result<Slot, ScriptError> {
        self.existing().ok_or_else(|| {
            let there_are = "there is no session of this name".to_owned();
            CheckpointError::Missing { which: which.clone(), there_are }.into()
        })
    }
}
