use std::any::Any;

/// Something that is held while a VM is out: a session's place, say. It is dropped when the VM is back or gone and no thread works on it, whatever became of
/// the caller.
pub trait Held: Any + Send {
    /// The run was answered or given up, and its VM's thread has not come back. Called while the executor is locked.
    fn thread_is_out(&mut self) {}
}

impl Held for () {}
