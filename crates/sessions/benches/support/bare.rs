//! What everything is measured against: rquickjs as it comes, without a hop.

use rquickjs::{Context, Function, Persistent, Promise, Runtime};

/// One runtime with one context.
pub struct Bare {
    /// Before the runtime goes.
    kept: Option<Persistent<Function<'static>>>,
    /// For what is measured apart.
    pub context: Context,
    runtime: Runtime,
}

impl Bare {
    /// With the stack limit that Perennial's VMs have.
    pub fn new() -> Self {
        let runtime = Runtime::new().expect("memory for a runtime");
        runtime.set_max_stack_size(1 << 20);
        let context = Context::full(&runtime).expect("memory for a context");
        Self { kept: None, context, runtime }
    }

    /// Runs the body of an async function that takes `args`, compiled when this is first called, to its end.
    #[expect(clippy::allow_attributes, reason = "not every benchmark has one")]
    #[allow(dead_code, reason = "not every benchmark has one")]
    pub fn run_kept(&mut self, body: &str, args: i32) -> String {
        let kept = &mut self.kept;
        self.context.with(|ctx| {
            let function: Function<'_> = match kept {
                Some(kept) => kept.clone().restore(&ctx).expect("the function"),
                None => {
                    let function: Function<'_> =
                        ctx.eval(format!("(async (args) => {{{body}\n}})")).expect("it compiles");
                    *kept = Some(Persistent::save(&ctx, function.clone()));
                    function
                }
            };
            let promise: Promise = function.call((args,)).expect("the script begins");
            while ctx.execute_pending_job() {}
            let value: rquickjs::Value = promise.finish().expect("the script returns");
            ctx.json_stringify(value).expect("JSON").map(|text| text.to_string().expect("UTF-8")).unwrap_or_default()
        })
    }

    /// Runs the body of an async function to its end, as Perennial does.
    pub fn run(&self, body: &str) -> String {
        let text = self.context.with(|ctx| {
            let source = format!("(async () => {{{body}\n}})()");
            let promise: Promise = ctx.eval(source).expect("the script compiles");
            while ctx.execute_pending_job() {}
            let value: rquickjs::Value = promise.finish().expect("the script returns");
            ctx.json_stringify(value).expect("JSON").map(|text| text.to_string().expect("UTF-8")).unwrap_or_default()
        });
        while self.runtime.execute_pending_job().unwrap_or(false) {}
        text
    }
}
