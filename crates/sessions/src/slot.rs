use perennial_protocol::ScriptError;

use crate::session::BrowserSession;
use crate::shared::Pinned;

/// A session that is held: neither reaped nor replaced until this is dropped. `remove` and `clear` end it all the same; it then
/// answers `session_ended`.
pub struct Slot(pub(crate) Pinned);

impl Slot {
    /// Waits for the execution guard of the session: whoever holds it runs, everybody else waits, in order.
    ///
    /// # Cancellation
    /// Dropping the future gives up the place in the order, and nothing else.
    ///
    /// # Errors
    /// `busy` if the session's owner has as many as it may. A session that has ended is locked all the same, and its runs say so.
    pub async fn lock(&self) -> Result<BrowserSession, ScriptError> {
        self.0.check()?;
        let state = self.0.record.exec.clone().lock_owned().await;
        Ok(BrowserSession::new(self.0.again(), state))
    }

    /// The session's name.
    pub fn name(&self) -> &str {
        self.0.record.key.name()
    }
}
