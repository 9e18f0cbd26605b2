//! What everything is measured against: rquickjs as it comes, on a thread of its own, behind the same hop.

use std::sync::mpsc;
use std::thread;

use rquickjs::{Context, Promise, Runtime};
use tokio::sync::oneshot;

/// Work for the thread: gets the VM of the thread, which it may replace.
type Job = Box<dyn FnOnce(&mut Option<Bare>) + Send>;

pub struct Bare {
    context: Context,
    runtime: Runtime,
}

impl Bare {
    pub fn new() -> Self {
        let runtime = Runtime::new().expect("memory for a runtime");
        runtime.set_max_stack_size(1 << 20);
        let context = Context::full(&runtime).expect("memory for a context");
        Self { context, runtime }
    }

    /// Runs the body of an async function to its end, as Perennial does.
    pub fn run(&self, body: &str) -> String {
        let promise_done = self.context.with(|ctx| {
            let source = format!("(async () => {{{body}\n}})()");
            let promise: Promise = ctx.eval(source).expect("the script compiles");
            while ctx.execute_pending_job() {}
            let value: rquickjs::Value = promise.finish().expect("the script returns");
            ctx.json_stringify(value).expect("JSON").map(|text| text.to_string().expect("UTF-8")).unwrap_or_default()
        });
        while self.runtime.execute_pending_job().unwrap_or(false) {}
        promise_done
    }
}

impl Bare {
    /// Evaluates an expression and hands its value over.
    #[allow(dead_code, reason = "one of the two benches uses it")]
    pub fn with_value(&self, expression: &str, use_it: impl for<'js> FnOnce(&rquickjs::Ctx<'js>, rquickjs::Value<'js>)) {
        self.context.with(|ctx| {
            let value = ctx.eval(expression).expect("the expression evaluates");
            use_it(&ctx, value);
        });
    }
}

/// A thread with a VM.
pub struct BareThread {
    jobs: mpsc::Sender<Job>,
}

impl BareThread {
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

    pub async fn run(&self, body: &'static str) -> String {
        self.hop(move |vm| vm.get_or_insert_with(Bare::new).run(body)).await
    }
}
