//! What `browser-page.ts` asks the host for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use perennial_engine::{Bound, OpContext, OpError, OpTable, OpValue};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    Action, Answer, Browser, BrowserError, Driver, Event, EventSink, Failure, Generation, Interest, Listening, Unheard,
};

/// Bytes that an answer may have.
const MAX_ANSWER: usize = 16 << 20;

/// The browser of one run, which is over with it: what a script has not waited for is ended then.
#[derive(Debug)]
pub struct BrowserRun {
    browser: Browser,
    /// Which one it was when the run began.
    generation: Generation,
    over: CancellationToken,
    /// Whether a script of the run is told what happens, and how much it was.
    listens: AtomicBool,
    sent: Arc<AtomicU64>,
}

impl BrowserRun {
    /// A run with this browser.
    pub fn begin(browser: Browser) -> Self {
        browser.driver().run_begins();
        let generation = browser.driver().generation();
        Self {
            browser,
            generation,
            over: CancellationToken::new(),
            listens: AtomicBool::new(false),
            sent: Arc::default(),
        }
    }

    /// The run is over. To be called once.
    pub fn end(&self) {
        self.over.cancel();
        if self.listens.swap(false, Ordering::AcqRel) {
            self.driver().listen(None);
        }
        self.driver().run_ends();
    }

    fn driver(&self) -> &Arc<dyn Driver> {
        self.browser.driver()
    }
}

fn lent(context: &OpContext) -> Result<Arc<BrowserRun>, OpError> {
    context.lent.get().ok_or_else(|| OpError::permission("using a browser", "a call that lends one"))
}

/// Tells a listener of the script's. What does not reach it is counted there as missed.
fn sink(sender: perennial_engine::EventSender, sent: Arc<AtomicU64>) -> EventSink {
    Arc::new(move |event: &Event| {
        let is_sent = sender.send(json!(event)).is_ok();
        sent.fetch_add(is_sent.into(), Ordering::AcqRel);
        is_sent
    })
}

/// Whether the browser is still the one that the run was lent, and a handle of it.
fn check(run: &BrowserRun, handle: Option<f64>) -> Result<(), OpError> {
    let now = run.driver().generation();
    if now != run.generation {
        let message = "the browser is gone: it crashed or was killed. The next run has a new one";
        return Err(error(BrowserError::new(Failure::Stale, message)));
    }
    if handle.is_none_or(|handle| handle as u64 == now.number()) {
        return Ok(());
    }
    let why = run.driver().ended_because().unwrap_or_else(|| "the browser is gone".to_owned());
    let message = format!("the handle is of what is not there any more ({why}): take `page` or a locator anew");
    Err(error(BrowserError::new(Failure::Stale, message)))
}

fn error(error: BrowserError) -> OpError {
    if error.kind == Failure::Denied {
        return denied(&error.message);
    }
    let class = match error.kind {
        Failure::Timeout => "TimeoutError",
        Failure::Stale => "StaleHandleError",
        Failure::Invalid => "TypeError",
        Failure::Denied | Failure::Strict | Failure::Closed | Failure::Failed => "Error",
    };
    let mut message = error.message;
    if !error.log.is_empty() {
        message.push_str("\ncall log:");
        for line in &error.log {
            message.push_str("\n  - ");
            message.push_str(line);
        }
    }
    OpError::new(class, message)
}

/// A refusal is the run's, as those of other ops are.
fn denied(message: &str) -> OpError {
    let mut made = OpError::new("PermissionError", message);
    made.denied = Some(Box::new(perennial_engine::Denied::new(message, "a rule for the network")));
    made
}

/// The ops behind `page`.
pub fn ops() -> OpTable {
    OpTable::new()
        .sync("browser_look", Bound::SMALL, |context, _| {
            let run = lent(context)?;
            check(&run, None)?;
            let mut look = json!(run.driver().look());
            look["generation"] = run.driver().generation().number().into();
            Ok(look.into())
        })
        // Whether the run is told what happens. Fails where its browser is gone.
        .sync("browser_listens", Bound::SMALL, |context, _| {
            let run = lent(context)?;
            check(&run, None)?;
            Ok(Value::from(run.listens.load(Ordering::Acquire)).into())
        })
        // A listener that nothing sends to yet, or `undefined` if there is one; what is of interest; whether it goes on with what an earlier run has begun.
        .sync("browser_listen", Bound::SMALL, |context, mut args| {
            let run = lent(context)?;
            check(&run, None)?;
            let Some(OpValue::Json(interest)) = args.get_mut(1).map(|interest| std::mem::replace(interest, OpValue::Undefined)) else {
                return Err(OpError::type_error("an interest is wanted"));
            };
            let interest: Interest = serde_json::from_value(interest).map_err(|why| OpError::type_error(why.to_string()))?;
            if let Some(number) = args.first().and_then(OpValue::as_f64) {
                let sender = context.listener(number as u32);
                let sender = sender.ok_or_else(|| OpError::new("Error", "the run that was lent the browser is over"))?;
                run.listens.store(true, Ordering::Release);
                let goes_on = matches!(args.get(2), Some(OpValue::Json(Value::Bool(true))));
                let of = sender.clone();
                let unheard = Arc::new(move || Unheard { is_over: of.is_gone(), events: of.waiting() });
                run.driver().listen(Some(Listening { sink: sink(sender, run.sent.clone()), goes_on, unheard }));
            }
            run.driver().set_interest(interest);
            Ok(OpValue::Undefined)
        })
        // How much has been told so far.
        .sync("browser_sent", Bound::SMALL, |context, _| Ok(Value::from(lent(context)?.sent.load(Ordering::Acquire)).into()))
        .asynchronous("browser_do", Bound::bytes(24 << 20).with_values_from(2), |context, mut args| {
            Box::pin(async move {
                let run = lent(&context)?;
                check(&run, args.get(1).and_then(OpValue::as_f64).or(Some(0.0)))?;
                let Some(OpValue::Json(action)) = args.first_mut().map(|action| std::mem::replace(action, OpValue::Undefined)) else {
                    return Err(OpError::type_error("an action is wanted"));
                };
                let mut action: Action =
                    serde_json::from_value(action).map_err(|why| OpError::type_error(format!("no action of a browser: {why}")))?;
                if let (Action::Evaluate { argument, .. }, Some(OpValue::Json(given))) = (&mut action, args.get_mut(2)) {
                    *argument = std::mem::take(given);
                }
                // Not begun for a run that is over.
                let answer = tokio::select! {
                    biased;
                    () = run.over.cancelled() => return Err(OpError::new("Error", "the run that was lent the browser is over")),
                    answer = run.driver().perform(action) => answer.map_err(error)?,
                };
                let (bytes, answer) = match answer {
                    Answer::Bytes(bytes) => (bytes.len(), OpValue::Bytes(bytes)),
                    Answer::Value(Value::String(text)) => (text.len(), Value::String(text).into()),
                    Answer::Value(value) => (perennial_protocol::json_bytes(&value), value.into()),
                };
                if bytes > MAX_ANSWER {
                    let message = format!("the page answers with {bytes} bytes, and {MAX_ANSWER} may come at a time: ask for less");
                    return Err(OpError::quota(message, MAX_ANSWER as u64, bytes as u64));
                }
                Ok(answer)
            })
        })
}
