//! A browser that somebody else has started, at the address of its DevTools.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::pipe::MAX_MESSAGE;

/// How long it has to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of what it says of itself.
const MAX_VERSION: usize = 64 << 10;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Whether this is an address that can be connected to.
///
/// # Errors
/// What is wanted instead.
pub(crate) fn check(url: &str) -> Result<(), String> {
    let rest = ["http://", "ws://", "wss://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    match rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default()) {
        Some(authority) if !authority.is_empty() => Ok(()),
        _ => Err(format!(
            "{url:?} is no address of a browser: http://127.0.0.1:9222 is one, or all of ws://… that the browser says when it is started"
        )),
    }
}

/// Connects to the browser that listens there.
pub(crate) async fn connect(url: &str) -> Result<Socket, String> {
    check(url)?;
    let connected = tokio::time::timeout(PATIENCE, async {
        let url = if url.starts_with("http://") { socket_of(url).await? } else { url.to_owned() };
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        connect_async_with_config(url, Some(config), true)
            .await
            .map(|(socket, _)| socket)
            .map_err(|error| error.to_string())
    });
    let why = match connected.await {
        Ok(Ok(socket)) => return Ok(socket),
        Ok(Err(why)) => why,
        Err(_) => format!("it has not answered within {PATIENCE:?}"),
    };
    Err(format!("no browser answers at {url}: {why}. One does that was started with --remote-debugging-port"))
}

/// The address of the socket, which has a number that changes with each start.
async fn socket_of(url: &str) -> Result<String, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let authority = url["http://".len()..].split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let place = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(&place).await.map_err(|error| text(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("/json/version").header("host", authority).body(Empty::<Bytes>::new());
    let answer = async {
        let response =
            sender.send_request(request.map_err(|error| text(&error))?).await.map_err(|error| text(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("/json/version answers {status}"));
        }
        let body =
            Limited::new(response.into_body(), MAX_VERSION).collect().await.map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_slice(&body.to_bytes()).map_err(|error| text(&error))?;
        let socket = said["webSocketDebuggerUrl"].as_str().filter(|socket| check(socket).is_ok());
        socket.map(str::to_owned).ok_or_else(|| "what it says of itself has no webSocketDebuggerUrl".to_owned())
    };
    let answer = answer.await;
    connection.abort();
    answer
}
