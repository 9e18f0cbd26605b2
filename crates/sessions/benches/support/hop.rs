//! Bare rquickjs on a thread of its own, behind the same hop.

use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::bare::Bare;

/// Work for the thread: gets the VM of the thread, which it may replace.
type Job = Box<dyn FnOnce(&mut Option<Bare>) + Send>;

/// A thread with a VM.
pub struct BareThread {
    jobs: mpsc::Sender<Job>,
}

impl BareThread {
    /// Starts it; the VM is built when it is first used.
    pub fn start() -> Self {
        let (jobs, received) = mpsc::channel::<Job>();
        thread::Builder::new()
            .stack_size(4 << 20)
            .spawn(move || {
                let mut vm = None;
                for job in received {
                    job(&mut vm);
                }
            })
            .expect("a thread");
        Self { jobs }
    }

    /// Runs `work` on the thread and waits for it without blocking.
    pub async fn hop<T: Send + 'static>(&self, work: impl FnOnce(&mut Option<Bare>) -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        let job = Box::new(move |vm: &mut Option<Bare>| {
            let _ = done.send(work(vm));
        });
        self.jobs.send(job).expect("the thread lives");
        result.await.expect("the work ends")
    }

    /// Runs a script on its VM.
    pub async fn run(&self, body: &'static str) -> String {
        self.hop(move |vm| vm.get_or_insert_with(Bare::new).run(body)).await
    }

    /// Runs a script that it keeps compiled.
    #[expect(clippy::allow_attributes, reason = "not every benchmark has one")]
    #[allow(dead_code, reason = "not every benchmark has one")]
    pub async fn run_kept(&self, body: &'static str) -> String {
        self.hop(move |vm| vm.get_or_insert_with(Bare::new).run_kept(body, 0)).await
    }
}
