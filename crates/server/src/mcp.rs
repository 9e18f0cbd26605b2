use std::sync::{Arc, Mutex, PoisonError};

use perennial_protocol::{ConsoleEntry, RunRequest, ScriptResult, json_bytes};
use perennial_sessions::files::Artifacts;
use perennial_sessions::{Owner, PluginSet, RunContext};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult, ErrorCode,
    Implementation, JsonObject, ListResourcesResult, ListToolsResult, MetaObject, NumberOrString,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listing::listing;
use crate::order::Order;
use crate::resources;
use crate::text::text_for_model;
use crate::tools::{DEFAULT_SESSION, tools};
use crate::transport::{LAST_ANSWERS, Lines};

/// Bytes of calls under way, in units of which each takes one at least.
const UNDER_WAY: usize = 64 << 20;
const CALL: usize = 1 << 10;
/// Resources that are read at a time.
const READS: usize = 4;
/// Of JSON-RPC's codes for whatever a server means by them.
const BUSY: ErrorCode = ErrorCode(-32000);
/// Why a connection was not served to its end.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The client's first messages were no session of the protocol.
    #[error("the client did not begin a session of the protocol: {0}")]
    Handshake(String),
    /// A defect in Perennial.
    #[error("the connection's task failed: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

/// How a client is served.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct McpOptions {
    /// Answers have structured content besides their text, and tools the schema of it. Some clients show a model that instead of the text, which is a tenth of its size; it is for
    /// clients that are programs.
    pub structured: bool,
    /// What scripts write to as `artifacts`. Answers link to what is there, and the client reads it as resources.
    pub artifacts: Option<Artifacts>,
}

impl McpOptions {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

/// Serves one client over a pair of byte streams, one JSON message a line, until `input` ends; then every session of `owner` is ended. Give each client
/// an owner of its own ([`SessionTable::of`](perennial_sessions::SessionTable::of)), or they share sessions, and the first that leaves ends those of all.
///
/// Panics of a call are answered as protocol errors.
///
/// # Cancellation
/// Dropping the future closes the connection and leaves the sessions as they are.
///
/// # Errors
/// If the client never gets as far as a session of the protocol. A client that leaves before it has begun is no error.
pub async fn serve_mcp<R, W>(owner: Owner, input: R, output: W, options: McpOptions) -> Result<(), McpError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let closed = CancellationToken::new();
    let calls = TaskTracker::new();
    let room = Arc::new(Semaphore::new(UNDER_WAY / CALL));
    let order = Order::default();
    let server = Server {
        order: order.clone(),
        owner: owner.clone(),
        options,
        calls: calls.clone(),
        room,
        reads: Arc::new(Semaphore::new(READS)),
        tools: Arc::default(),
        closed: closed.clone(),
    };
    let transport = Lines::new(input, output, closed.clone(), order);
    // Stops every script as soon as the client is gone, so that the service has nothing to wait for. It goes with this future.
    let mut watch = JoinSet::new();
    watch.spawn({
        let (owner, closed) = (owner.clone(), closed.clone());
        async move {
            closed.cancelled().await;
            owner.clear();
        }
    });
    let served = match server.serve(transport).await {
        Ok(service) => {
            let (peer, closed) = (service.peer().clone(), closed.clone());
            let mut changes = owner.plugin_changes();
            watch.spawn(async move {
                loop {
                    tokio::select! {
                        biased;
                        () = closed.cancelled() => return,
                        changed = changes.changed() => if !changed { return },
                    }
                    tokio::select! {
                        biased;
                        () = closed.cancelled() => return,
                        sent = peer.notify_tool_list_changed() => if sent.is_err() { return },
                    }
                }
            });
            service.waiting().await.map(drop).map_err(McpError::from)
        }
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(McpError::Handshake(error.to_string())),
    };
    closed.cancel();
    calls.close();
    let _ = tokio::time::timeout(LAST_ANSWERS, calls.wait()).await;
    while let Some(watched) = watch.join_next().await {
        watched?;
    }
    // A call that came together with the end may have made a session since.
    owner.clear();
    served
}

/// One connection.
#[derive(Clone)]
struct Server {
    order: Order,
    owner: Owner,
    options: McpOptions,
    calls: TaskTracker,
    /// Room for calls under way, in units of [`CALL`].
    room: Arc<Semaphore>,
    /// Room for resources that are read.
    reads: Arc<Semaphore>,
    /// The tools as they are with the plugins that there are.
    tools: Arc<Mutex<Option<Known>>>,
    closed: CancellationToken,
}

/// The tools, and the plugins that they tell of.
type Known = (PluginSet, Arc<Vec<Tool>>);

/// A tool's answer, or a sentence about its arguments for the model.
type Answer = Result<CallToolResult, String>;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let tools = ServerCapabilities::builder().enable_tools().enable_tool_list_changed();
        let capabilities = match self.options.artifacts {
            Some(_) => tools.enable_resources().build(),
            None => tools.build(),
        };
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("perennial", env!("CARGO_PKG_VERSION")))
            .with_instructions("Runs JavaScript in named sessions that remember. Start with the tool `run`.")
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools().to_vec()))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let artifacts = self.options.artifacts.as_ref();
        let (page, next) =
            artifacts.map_or_else(Default::default, |artifacts| resources::page(artifacts, cursor.as_deref()));
        let mut listed = ListResourcesResult::with_all_items(page);
        listed.next_cursor = next;
        Ok(listed)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(artifacts) = self.options.artifacts.clone() else {
            return Err(resources::missing(&request.uri));
        };
        // Neither semaphore is ever closed.
        let turn = self.reads.clone().acquire_owned().await.ok();
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            resources::read(&artifacts, &request.uri)
        });
        read.await.map_err(|error| ErrorData::internal_error(format!("reading failed: {error}"), None))?
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        mut context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if !self.tools().iter().any(|tool| tool.name == request.name) {
            return Err(ErrorData::invalid_params(format!("there is no tool {:?}", request.name), None));
        }
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        // Of what the client sent nothing else is kept.
        let CallToolRequestParams { name, arguments, .. } = request;
        let (server, arguments) = (self.clone(), arguments.unwrap_or_default());
        let progress = context.meta.get_progress_token().filter(is_short);
        context.meta = Default::default();
        let bytes: usize = arguments.iter().map(|(name, value)| name.len() + json_bytes(value)).sum();
        let units = u32::try_from(1 + bytes / CALL).unwrap_or(u32::MAX);
        let Ok(room) = self.room.clone().try_acquire_many_owned(units) else {
            let message = format!(
                "the calls under way hold {UNDER_WAY} bytes, and this one needs {bytes} more: wait for answers"
            );
            return Err(ErrorData::new(BUSY, message, None));
        };
        // In a task of its own, since a panic in here would leave the client without an answer.
        let call = self.calls.spawn(async move {
            let call = Box::pin(server.call(&name, arguments, &context, progress));
            let answer = server.order.begin(&context.id, call).await;
            drop(room);
            answer
        });
        let answer =
            call.await.map_err(|error| ErrorData::internal_error(format!("the call failed: {error}"), None))?;
        // Wrong arguments are for the model to read and mend, so they are a tool's answer and no protocol error.
        let mut answer = answer.unwrap_or_else(|message| result(message, None, true));
        if modern {
            let mut meta = MetaObject::new();
            let info = json!({"name": "perennial", "version": env!("CARGO_PKG_VERSION")});
            meta.insert("io.modelcontextprotocol/serverInfo".into(), info);
            answer = answer.with_meta(Some(meta));
        }
        Ok(answer.into())
    }

    /// Where rmcp puts requests of a known method whose parameters it cannot read.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        match request.method.as_str() {
            method @ ("tools/call" | "tools/list" | "initialize" | "server/discover") => {
                Err(ErrorData::invalid_params(format!("the parameters of {method} are malformed"), None))
            }
            method => Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None)),
        }
    }
}

impl Server {
    /// Made once for a set of plugins.
    fn tools(&self) -> Arc<Vec<Tool>> {
        let plugins = self.owner.plugins();
        let mut known = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((of, tools)) if *of == plugins => tools.clone(),
            _ => known.insert((plugins, Arc::new(tools(&self.owner, &self.options)))).1.clone(),
        }
    }

    async fn call(
        &self,
        tool: &str,
        mut arguments: JsonObject,
        context: &RequestContext<RoleServer>,
        progress: Option<ProgressToken>,
    ) -> Answer {
        let session = match arguments.remove("session") {
            None | Some(Value::Null) => DEFAULT_SESSION.to_owned(),
            Some(Value::String(name)) if !name.is_empty() && name.len() <= 256 => name,
            Some(_) => return Err("session is a name of 1 to 256 bytes".to_owned()),
        };
        match tool {
            "run" => self.run(&session, arguments, context, progress).await,
            "sessions" => Ok(self.sessions()),
            "reset_session" => {
                drop(arguments);
                let reset = tokio::select! {
                    biased;
                    () = context.ct.cancelled() => return Err("the call was cancelled".to_owned()),
                    reset = self.owner.reset(&session) => reset,
                };
                if reset {
                    Ok(result(format!("the globals of {session:?} are discarded, its vars kept"), None, false))
                } else {
                    Err(format!("there is no session {session:?}"))
                }
            }
            "close_session" => {
                if self.owner.remove(&session) {
                    Ok(result(format!("the session {session:?} has ended"), None, false))
                } else {
                    Err(format!("there is no session {session:?}"))
                }
            }
            other => Err(format!("there is no tool {other:?}")),
        }
    }

    async fn run(
        &self,
        session: &str,
        arguments: JsonObject,
        context: &RequestContext<RoleServer>,
        progress: Option<ProgressToken>,
    ) -> Answer {
        const KNOWN: [&str; 3] = ["script", "args", "timeout_ms"];
        if let Some(unknown) = arguments.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(format!("there is no argument {unknown:?}; run takes script, session, args and timeout_ms"));
        }
        let request: RunRequest = serde_json::from_value(Value::Object(arguments))
            .map_err(|error| format!("the arguments are wrong: {error}"))?;
        // Who calls is a model: what it may take is for whoever runs the service to say.
        let most = self.owner.defaults().wall.as_millis();
        if request.timeout_ms.is_some_and(|wanted| u128::from(wanted) > most) {
            return Err(format!("timeout_ms is at most {most} here"));
        }
        let mut brought = RunContext::new().cancel_with(context.ct.clone());
        if let Some(artifacts) = &self.options.artifacts {
            brought = brought.lend(artifacts.clone());
        }
        let progress = progress.map(|token| {
            let (sender, receiver) = mpsc::unbounded_channel();
            // What is sent is bounded by the run's console limits.
            let sink = Arc::new(move |entry: &ConsoleEntry| {
                let _ = sender.send(entry.message.clone());
            });
            (token, receiver, sink)
        });
        let forwarded = match progress {
            None => None,
            Some((token, mut lines, sink)) => {
                brought = brought.on_console(sink);
                let (peer, cancelled, closed) = (context.peer.clone(), context.ct.clone(), self.closed.clone());
                Some(tokio::spawn(async move {
                    let mut count = 0.0;
                    while let Some(line) = lines.recv().await {
                        count += 1.0;
                        let note = ProgressNotificationParam::new(token.clone(), count).with_message(line);
                        // Once the client is gone nobody takes notifications, and sending one would wait for ever.
                        tokio::select! {
                            biased;
                            () = cancelled.cancelled() => return,
                            () = closed.cancelled() => return,
                            sent = peer.notify_progress(note) => if sent.is_err() { return },
                        }
                    }
                }))
            }
        };
        // A call that arrives together with the end of the input may make its session after all were ended; so the script is also
        // stopped from here.
        let outcome = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err("the client has gone".to_owned()),
            outcome = self.owner.run_with(session, request, brought) => outcome,
        };
        if let Some(forwarded) = forwarded {
            // The console sink is gone with the run, so this ends; progress has to come before the answer.
            let _ = forwarded.await;
        }
        Ok(self.script_result(outcome))
    }

    fn sessions(&self) -> CallToolResult {
        let (sessions, more) = listing(&self.owner);
        let lines = sessions.iter().map(|session| {
            let commands = match session["commands"].as_u64().unwrap_or(0) {
                0 => String::new(),
                1 => ", 1 command running".to_owned(),
                count => format!(", {count} commands running"),
            };
            let name = session["name"].as_str().unwrap_or_default();
            format!("{name}: {} runs, {} vars{commands}", session["runs"], session["vars"])
        });
        let mut text =
            if sessions.is_empty() { "no sessions".to_owned() } else { lines.collect::<Vec<_>>().join("\n") };
        let mut answer = json!({"sessions": sessions});
        if more > 0 {
            text.push_str(&format!("\n… and {more} more"));
            answer["more"] = json!(more);
        }
        result(text, self.options.structured.then_some(answer), false)
    }
}

/// A longer token is nobody's: each notification would carry it.
fn is_short(token: &ProgressToken) -> bool {
    match &token.0 {
        NumberOrString::Number(_) => true,
        NumberOrString::String(text) => text.len() <= 512,
    }
}

impl Server {
    /// The text, the images, and links to what was produced; structured content where it is wanted.
    fn script_result(&self, mut outcome: ScriptResult) -> CallToolResult {
        let (text, is_error) = (text_for_model(&outcome), !outcome.is_ok());
        let images = std::mem::take(&mut outcome.images);
        let links: Vec<ContentBlock> =
            outcome.artifacts.iter().map(|file| resources::link(&file.name, file.bytes)).collect();
        let structured = self.options.structured.then(|| {
            // The value may be large, and goes as it is; the rest of a result is made of JSON and always serialises.
            let value = outcome.value.take();
            let mut structured = serde_json::to_value(outcome).unwrap_or(Value::Null);
            if let Some(value) = value {
                structured["value"] = value;
            }
            structured
        });
        let mut result = result(text, structured, is_error);
        result.content.extend(images.into_iter().map(|image| ContentBlock::image(image.data, image.mime_type)));
        result.content.extend(links);
        result
    }
}

fn result(text: String, structured: Option<Value>, is_error: bool) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = structured;
    result.is_error = Some(is_error);
    result
}
