//! What `commands.ts` asks the host for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use perennial_engine::{Bound, Denied, OpContext, OpError, OpResult, OpTable, OpValue};
use perennial_keeper::{Process, Request, StartError};
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::declaration::{CommandSet, Declaration};
use super::fill::fill;
use super::once;
use super::ports::{Ports, ready};
use super::registry::{Place, SessionProcs};
use super::started::{Identity, Started};
use crate::{number, text};

/// How long what was asked to end is waited for before it is killed, unless something else is said.
const GRACE: Duration = Duration::from_secs(5);
/// The longest time that somebody may wait for anything.
const DAY: f64 = 86_400_000.0;
/// What a command that is run holds outside the heap besides its output.
const BYTES: usize = 256 << 10;

/// What others than scripts may run, by name: plugins, each its own commands whatever script calls it. Part of what a VM is made of.
#[derive(Clone, Debug, Default)]
pub struct CommandGrants(Arc<BTreeMap<String, Arc<CommandSet>>>);

impl CommandGrants {
    /// These sets.
    pub fn new(sets: BTreeMap<String, Arc<CommandSet>>) -> Self {
        Self(Arc::new(sets))
    }

    /// The commands of whoever asks, who is a plugin or the run.
    fn set(&self, context: &OpContext, owner: Option<&str>) -> CommandSet {
        let set = match owner {
            Some(plugin) => self.0.get(plugin).cloned(),
            None => context.extensions.get::<CommandSet>(),
        };
        set.map(|set| (*set).clone()).unwrap_or_default()
    }

    /// One of them.
    fn declared(
        &self,
        context: &OpContext,
        owner: Option<&str>,
        name: &str,
    ) -> Result<(CommandSet, Arc<Declaration>), OpError> {
        let set = self.set(context, owner);
        match set.get(name).cloned() {
            Some(declaration) => Ok((set, declaration)),
            None => {
                let grant = match owner {
                    Some(_) => "`commands` in the plugin's allow, within what the operator grants in [allow.commands],",
                    None => "a declaration of this name among the commands",
                };
                let denied =
                    Denied::new(format!("running {name:?}"), grant).with_granted(set.names().map(str::to_owned));
                Err(match owner {
                    Some(plugin) => denied.to_plugin(plugin),
                    None => denied,
                }
                .into())
            }
        }
    }
}

fn procs(context: &OpContext) -> Result<Arc<SessionProcs>, OpError> {
    context.extensions.get::<SessionProcs>().ok_or_else(|| OpError::permission("running a command", "a session"))
}

/// What is to be run of a declaration with its values.
fn request(
    set: &CommandSet,
    declaration: &Declaration,
    values: &Map<String, Value>,
    ports: &Ports,
    place: &Place,
) -> Result<Request, OpError> {
    let (argv, variables) = fill(declaration, values, &ports.0).map_err(OpError::type_error)?;
    let home = place.scratch.path().display().to_string();
    let mut env = set.variables(declaration);
    env.push(("HOME".to_owned(), home.clone()));
    env.extend(variables);
    let cwd = declaration.cwd.as_ref().map_or(home, |cwd| cwd.display().to_string());
    Ok(Request { argv, env, cwd, limits: declaration.limits() })
}

fn take(args: &mut [OpValue], index: usize) -> OpValue {
    args.get_mut(index).map_or(OpValue::Undefined, |value| std::mem::replace(value, OpValue::Undefined))
}

fn values(args: &mut [OpValue], index: usize) -> Result<Map<String, Value>, OpError> {
    match take(args, index) {
        OpValue::Json(Value::Object(values)) => Ok(values),
        OpValue::Undefined => Ok(Map::new()),
        _ => Err(OpError::type_error(
            "the values of a command are an object, each by its name, as in commands.run(name, { value: 1 })",
        )),
    }
}

fn milliseconds(args: &[OpValue], index: usize) -> Option<Duration> {
    let ms = args.get(index).and_then(OpValue::as_f64).filter(|ms| *ms >= 0.0)?;
    Some(Duration::from_secs_f64(ms.min(DAY) / 1000.0))
}

fn owner(args: &[OpValue]) -> Option<&str> {
    args.first().and_then(OpValue::as_str)
}

fn failed(name: &str, error: StartError) -> OpError {
    match error {
        StartError::Command(why) => OpError::new("Error", format!("{name} could not be started: {why}")),
        StartError::Host(why) => OpError::new("Error", why.to_string()),
    }
}

/// Arguments: the owner, the token, the name, values, input, a timeout.
async fn run(grants: CommandGrants, context: OpContext, mut args: Vec<OpValue>) -> OpResult {
    let values = values(&mut args, 3)?;
    let input = match take(&mut args, 4) {
        OpValue::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    let token = context.resources.get::<CancellationToken>(number(&args, 1)? as u32)?;
    let name = text(&args, 2)?;
    let (set, declaration) = grants.declared(&context, owner(&args), name)?;
    if declaration.persistent {
        return Err(OpError::type_error(format!("{name} is persistent: commands.start starts it")));
    }
    // What was declared is the most.
    let most = declaration.timeout_ms.map_or(Duration::MAX, Duration::from_millis);
    let timeout = milliseconds(&args, 5).map_or(declaration.timeout(), |wanted| wanted.min(most));
    let ports = Ports::find(&declaration.ports).map_err(|error| OpError::new("Error", error.to_string()))?;
    let (since, procs) = (Instant::now(), procs(&context)?);
    let work = async {
        let place = procs.place_in_turn().await?;
        let request = request(&set, &declaration, &values, &ports, &place)?;
        place.count_begun();
        let started = Process::start(&place.session.clone(), request, input.is_some(), (place, ports)).await;
        let (process, streams) = started.map_err(|error| failed(name, error))?;
        once::run(process, streams, input, &declaration, timeout, since, &context).await
    };
    tokio::select! {
        biased;
        () = token.cancelled() => Err(OpError::new("AbortError", format!("{name} was aborted"))),
        done = work => done,
    }
}

async fn start(grants: CommandGrants, context: OpContext, mut args: Vec<OpValue>) -> OpResult {
    let values = values(&mut args, 2)?;
    let (owner, name) = (owner(&args), text(&args, 1)?);
    let (set, declaration) = grants.declared(&context, owner, name)?;
    if !declaration.persistent {
        return Err(OpError::type_error(format!("{name} is not persistent: commands.run runs it")));
    }
    let procs = procs(&context)?;
    let starting = procs.starting(owner, name);
    let _guard = starting.lock().await;
    if let Some(running) = procs.named(owner, name) {
        return Ok(running.told().into());
    }
    let place = procs.place().await?;
    let ports = Ports::find(&declaration.ports).map_err(|error| OpError::new("Error", error.to_string()))?;
    let request = request(&set, &declaration, &values, &ports, &place)?;
    let identity = Identity { id: procs.next_id(), name: name.to_owned(), owner: owner.map(str::to_owned), ports };
    let started = Started::start(identity, declaration.clone(), request, place).await;
    let started = started.map_err(|error| failed(name, error))?;
    procs.keep(&started);
    // Whoever stops waiting does not want it any more.
    let mut unready = Unready(Some((procs, started.clone())));
    until_ready(&started, 0).await?;
    unready.0 = None;
    Ok(started.told().into())
}

/// Waits until a command is ready, if it says when. Lines count from a cursor on.
async fn until_ready(started: &Started, cursor: u64) -> Result<(), OpError> {
    let Some(wanted) = &started.declaration.ready else { return Ok(()) };
    let why = tokio::select! {
        () = ready(wanted, &started.ports, &started.logs, cursor) => return Ok(()),
        state = started.over() => match state.ended.and_then(|ended| ended.code) {
            Some(code) => format!("it exited with {code}"),
            None => "it was killed".to_owned(),
        },
        () = tokio::time::sleep(wanted.timeout()) => format!("{} ms are over", wanted.timeout().as_millis()),
    };
    let last = started.logs.tail(10);
    let last = if last.is_empty() { "it wrote nothing".to_owned() } else { format!("its last lines:\n{last}") };
    Err(OpError::new("Error", format!("{} was not ready before {why}; {last}", started.name)))
}

/// A command that is waited for to be ready: dropped, it is killed and forgotten.
struct Unready(Option<(Arc<SessionProcs>, Arc<Started>)>);

impl Drop for Unready {
    fn drop(&mut self) {
        if let Some((procs, started)) = self.0.take() {
            started.kill();
            procs.forget(started.id);
        }
    }
}

fn found(context: &OpContext, args: &[OpValue]) -> Result<Arc<Started>, OpError> {
    procs(context)?.find(owner(args), number(args, 1)? as u32)
}

async fn status(context: OpContext, args: Vec<OpValue>) -> OpResult {
    let started = found(&context, &args)?;
    let measured = started.measure().await;
    let mut status = started.told();
    let ended_ms = started.state.borrow().ended.map(|ended| ended.cpu_ms);
    status["cpuMs"] = json!(measured.map(|measured| measured.cpu_ms).or(ended_ms).unwrap_or(0));
    status["rssBytes"] = json!(measured.map_or(0, |measured| measured.rss_bytes));
    status["processes"] = json!(measured.map_or(0, |measured| measured.processes));
    Ok(status.into())
}

/// Arguments after the owner and the number: a timeout.
async fn wait(context: OpContext, args: Vec<OpValue>) -> OpResult {
    let started = found(&context, &args)?;
    let timeout = async {
        match milliseconds(&args, 2) {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = started.over() => Ok(started.told().into()),
        () = timeout => Err(OpError::new("TimeoutError", format!("{} runs on", started.name))),
    }
}

/// Arguments after the owner and the number: bytes, or nothing for the end.
async fn write(context: OpContext, args: Vec<OpValue>) -> OpResult {
    let started = found(&context, &args)?;
    let input = started.input();
    let mut stdin = input.lock().await;
    let Some(pipe) = stdin.as_mut() else {
        return Err(OpError::new(
            "Error",
            format!("{} reads nothing any more: it has ended, or its input was closed", started.name),
        ));
    };
    match args.get(2) {
        Some(OpValue::Bytes(bytes)) => {
            let written = pipe.write_all(bytes).await;
            written.map_err(|error| OpError::new("Error", format!("writing to {}: {error}", started.name)))?;
        }
        _ => *stdin = None,
    }
    Ok(OpValue::Undefined)
}

/// Arguments after the owner and the number: the grace, and whether it is started again.
async fn stop(context: OpContext, args: Vec<OpValue>) -> OpResult {
    let (procs, started) = (procs(&context)?, found(&context, &args)?);
    let is_restart = crate::flag(&args, 3);
    let (_, cursor, _) = started.logs.since(u64::MAX);
    let stopped = started.stop(milliseconds(&args, 2).unwrap_or(GRACE), is_restart).await;
    stopped.map_err(|why| OpError::new("Error", format!("{}: {why}", started.name)))?;
    if is_restart {
        until_ready(&started, cursor).await?;
    } else {
        procs.forget(started.id);
    }
    Ok(started.told().into())
}

/// The ops behind them, and what others than scripts may run.
pub fn ops(grants: &CommandGrants) -> OpTable {
    let (running, starting, declaring) = (grants.clone(), grants.clone(), grants.clone());
    OpTable::new()
        .sync("command_open", Bound::SMALL, |context, _| {
            Ok(json!(context.resources.add(CancellationToken::new(), BYTES, &context.budget)?).into())
        })
        .sync("command_close", Bound::SMALL, |context, args| {
            let id = number(&args, 0)? as u32;
            if let Ok(token) = context.resources.get::<CancellationToken>(id) {
                token.cancel();
            }
            context.resources.remove(id);
            Ok(OpValue::Undefined)
        })
        .asynchronous("command_run", Bound::DATA, move |context, args| Box::pin(run(running.clone(), context, args)))
        .asynchronous("command_start", Bound::bytes(2 << 20), move |context, args| {
            Box::pin(start(starting.clone(), context, args))
        })
        .sync("command_declared", Bound::SMALL, move |context, args| {
            let set = declaring.set(context, owner(&args));
            let declared = set.names().filter_map(|name| Some((name, set.get(name)?)));
            let told = declared.map(
                |(name, command)| json!({"name": name, "values": command.values(), "persistent": command.persistent}),
            );
            Ok(told.collect::<Value>().into())
        })
        .sync("command_list", Bound::SMALL, |context, args| {
            let all = procs(context)?.all(owner(&args));
            Ok(all.iter().map(|started| started.told()).collect::<Value>().into())
        })
        .asynchronous("command_status", Bound::SMALL, |context, args| Box::pin(status(context, args)))
        .sync("command_logs", Bound::SMALL, |context, args| {
            let cursor = args.get(2).and_then(OpValue::as_f64).unwrap_or(0.0) as u64;
            let (lines, next, missed) = found(context, &args)?.logs.since(cursor);
            Ok(json!({"lines": lines, "next": next, "missed": missed}).into())
        })
        .asynchronous("command_wait", Bound::SMALL, |context, args| Box::pin(wait(context, args)))
        .asynchronous("command_write", Bound::DATA, |context, args| Box::pin(write(context, args)))
        .sync("command_signal", Bound::SMALL, |context, args| {
            let name = text(&args, 2)?;
            let signal: Signal =
                name.parse().map_err(|_| OpError::type_error(format!("{name:?} is no signal: SIGINT is one")))?;
            found(context, &args)?.signal(signal as i32);
            Ok(OpValue::Undefined)
        })
        .asynchronous("command_stop", Bound::SMALL, |context, args| Box::pin(stop(context, args)))
}
