//! fetch: what it reaches, what it does not, and what it costs, against a server of our own and names that lead where we say.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_sessions::bundler::MemoryFiles;
use perennial_sessions::net::{NetLimits, NetPolicy, Network, Resolver, Secrets};
use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{
    Allow, PluginOptions, PluginSet, RunContext, RunRequest, ScriptResult, SessionTable, TableConfig,
};
use serde_json::{Value, json};

/// A server of HTTP/1.1 that answers by the path. It counts its connections.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream));
            }
        });
        Self { address, connections }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn rule(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk).ok()?;
            if length == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    } else if let Some(length) = headers.get("content-length").and_then(|length| length.parse::<usize>().ok()) {
        body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
    }
    Some(Asked { method, path, headers, body })
}

fn serve(stream: TcpStream) {
    let mut out = stream.try_clone().expect("a stream");
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read_request(&mut reader) {
        let respond = |status: &str, headers: &str, body: &[u8]| {
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
            [head.as_bytes(), if asked.method == "HEAD" { b"" } else { body }].concat()
        };
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let response = match path {
            "/redirect" => respond("302 Found", &format!("location: {query}\r\n"), b""),
            "/see-other" => respond("303 See Other", "location: /echo\r\n", b""),
            "/keep" => respond("307 Temporary Redirect", "location: /echo\r\n", b""),
            "/round" => respond("302 Found", "location: /round\r\n", b""),
            "/bomb" => respond("200 OK", "content-encoding: gzip\r\n", &bomb()),
            "/set" => respond("200 OK", "set-cookie: id=7; Path=/\r\nset-cookie: gone=1; Max-Age=0\r\n", b""),
            "/never" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome".to_vec(),
            "/cut" => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome");
                return;
            }
            "/silent" => {
                // Until the caller has gone.
                let _ = reader.read(&mut [0]);
                return;
            }
            "/drip" => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                for piece in query.split(',') {
                    let _ = out.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes());
                    // Each piece is to arrive by itself.
                    std::thread::sleep(Duration::from_millis(20));
                }
                b"0\r\n\r\n".to_vec()
            }
            "/raw" => {
                let authorization = asked.headers.get("authorization").map_or("", String::as_str);
                let head = format!("x-echo: {authorization}\r\n");
                let body = [asked.path.as_bytes(), b"\n", authorization.as_bytes(), b"\n", &asked.body].concat();
                respond("200 OK", &head, &body)
            }
            "/long" => respond("200 OK", &format!("x-long: {}\r\n", "x".repeat(200_000)), b""),
            "/switch" => b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec(),
            "/empty" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            _ => {
                let body = json!({
                    "method": asked.method, "path": asked.path, "headers": asked.headers, "body": String::from_utf8_lossy(&asked.body),
                });
                respond("200 OK", "content-type: application/json\r\nx-echo: yes\r\n", body.to_string().as_bytes())
            }
        };
        if out.write_all(&response).is_err() {
            return;
        }
    }
}

/// 64 MiB of zeros, packed.
fn bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![0; 1 << 20]).expect("memory");
    }
    encoder.finish().expect("memory")
}

/// Names that lead where a test says; what was asked is kept.
#[derive(Clone, Default)]
pub(super) struct Names {
    answers: Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    /// What a name leads to, the first time, the second time, and then always the last.
    pub(super) fn set(&self, name: &str, answers: &[&[&str]]) {
        let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect();
        self.answers.lock().expect("nobody panics").insert(name.to_owned(), answers.iter().map(parse).collect());
    }
}

impl Resolver for Names {
    fn resolve(&self, name: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("nobody panics");
        let found =
            answers.get_mut(&name).map(|known| if known.len() > 1 { known.remove(0) } else { known[0].clone() });
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

fn table_with(names: &Names) -> SessionTable {
    SessionTable::with_config(
        TableConfig::default().configure(|config| config.network = Network::new(Arc::new(names.clone()))),
    )
}

fn table() -> SessionTable {
    table_with(&Names::default())
}

fn policy(rules: &[&str], limits: NetLimits) -> RunContext {
    RunContext::new().grant(NetPolicy::parse(rules, limits).expect("rules"))
}

async fn run(table: &SessionTable, script: &str, context: RunContext) -> ScriptResult {
    table.run_with("s", RunRequest::new(script), context).await
}

async fn value(table: &SessionTable, script: &str, context: RunContext) -> Value {
    let ScriptResult { value, error, .. } = run(table, script, context).await;
    assert!(error.is_none(), "{script}: {error:?}");
    value.unwrap_or(Value::Null)
}

const TRY: &str =
    "const t = (p) => p.then((r) => r instanceof Response ? r.status : r, (e) => e.name + ': ' + e.message);\n";

#[tokio::test]
async fn without_a_policy_nothing_is_fetched_and_the_error_says_what_would_grant_it() {
    let result = run(&table(), "await fetch('https://api.example.com/x?key=1')", RunContext::new()).await;
    let error = result.error.expect("an error");
    assert_eq!(error.kind, ErrorKind::Permission);
    assert_eq!(
        error.message,
        "GET https://api.example.com is not permitted; a rule for the network like \"GET api.example.com\" would grant it"
    );
}

#[tokio::test]
async fn a_request_and_its_response_come_as_they_were_sent() {
    let server = Server::start();
    let script = format!(
        "const u = {:?}; const e = async (...a) => (await fetch(...a)).json(); const form = new FormData(); form.append('a', 'b');
        const post = await e(u, {{ method: 'post', body: 'é', headers: {{ 'X-A': '1' }} }}), get = await fetch(new Request(u + '?q'));
        const stream = new ReadableStream({{ start(c) {{ c.enqueue(new TextEncoder().encode('one ')); c.enqueue(new TextEncoder().encode('two')); c.close() }} }});
        const streamed = await e(u, {{ method: 'PUT', body: stream, duplex: 'half' }}), sent = await e(u, {{ method: 'POST', body: form }}), head = await fetch(u, {{ method: 'HEAD' }});
        const query = await e(u, {{ method: 'POST', body: new URLSearchParams({{ a: 'b c' }}) }}), parts = [];
        for await (const part of (await fetch(u)).body) parts.push(part.constructor.name);
        [post.method, post.body, post.headers['x-a'], post.headers['content-type'], get.status, get.statusText, get.headers.get('X-Echo'), get.url, get.type, streamed.body, streamed.headers['transfer-encoding'],
         sent.headers['content-type'].startsWith('multipart/form-data; boundary='), sent.body.includes('name=\"a\"'), await head.text(), query.body, query.headers['content-type'], parts.length > 0, (await fetch({:?})).body]",
        server.url("/echo"),
        server.url("/empty"),
    );
    let found = value(&table(), &script, policy(&[&server.rule()], NetLimits::default())).await;
    let expected = json!([
        "POST",
        "é",
        "1",
        "text/plain;charset=UTF-8",
        200,
        "OK",
        "yes",
        server.url("/echo?q"),
        "basic",
        "one two",
        "chunked",
        true,
        true,
        "",
        "a=b+c",
        "application/x-www-form-urlencoded;charset=UTF-8",
        true,
        null
    ]);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn redirects_are_followed_as_the_standard_has_it_and_asked_for_at_every_hop() {
    let (server, other) = (Server::start(), Server::start());
    let names = Names::default();
    names.set("inside.example.com", &[&["10.0.0.1"]]);
    let script = format!(
        "{TRY} const s = {:?}, o = {:?}; const e = async (...a) => {{ const r = await fetch(...a); const j = await r.json(); return [j.method, j.body, j.headers.authorization ?? null, r.redirected, new URL(r.url).pathname] }};
        [await e(s + '/see-other', {{ method: 'POST', body: 'x' }}), await e(s + '/keep', {{ method: 'POST', body: 'x' }}), await e(s + '/redirect?/echo', {{ method: 'POST', body: 'x', headers: {{ authorization: 'a' }} }}),
         await e(s + '/redirect?' + o + '/echo', {{ headers: {{ authorization: 'a' }} }}), await t(fetch(s + '/redirect?/echo', {{ redirect: 'manual' }})), await t(fetch(s + '/redirect?/echo', {{ redirect: 'error' }})),
         await t(fetch(s + '/round')), await t(fetch(s + '/redirect?http://127.0.0.1:1234/')), await t(fetch(s + '/redirect?http://inside.example.com:8080/')), await t(fetch(s + '/redirect?file:///etc/passwd')),
         await t(fetch(s + '/redirect?' + s + '/redirect?http://[::ffff:169.254.169.254]:8080/')), await t(fetch(s + '/keep', {{ method: 'POST', duplex: 'half', body: new Blob(['x']).stream() }}))]",
        server.url(""),
        other.url(""),
    );
    let rules = [&*server.rule(), &other.rule(), "http://inside.example.com:8080"];
    let found = value(&table_with(&names), &script, policy(&rules, NetLimits::default())).await;
    assert_eq!(found[0], json!(["GET", "", null, true, "/echo"]));
    assert_eq!(found[1], json!(["POST", "x", null, true, "/echo"]));
    assert_eq!(found[2], json!(["GET", "", "a", true, "/echo"]));
    assert_eq!(found[3], json!(["GET", "", null, true, "/echo"]), "to another origin");
    assert_eq!(found[4], 302);
    for (index, part) in [
        (5, "TypeError: fetch failed"),
        (6, "more than 20 redirects"),
        (7, "PermissionError: GET http://127.0.0.1:1234 is not permitted"),
        (8, "PermissionError: fetching from http://inside.example.com:8080, whose address 10.0.0.1 is private"),
        (9, "redirected to file:"),
        (10, "PermissionError: GET http://[::ffff:a9fe:a9fe]:8080"),
        (11, "a stream is sent only once"),
    ] {
        assert!(found[index].as_str().is_some_and(|text| text.contains(part)), "{index}: {}", found[index]);
    }
}

#[tokio::test]
async fn no_name_leads_to_an_address_that_is_not_public() {
    let names = Names::default();
    let table = table_with(&names);
    let all = [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "0.1.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2001:0:1::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "fec0::1",
        "2001:db8::1",
    ];
    for (index, address) in all.iter().enumerate() {
        names.set(&format!("n{index}.example.com"), &[&[address]]);
        // One that may not be reached spoils those that may.
        names.set(&format!("m{index}.example.com"), &[&["93.184.215.14", address]]);
    }
    let script = format!(
        "const wrong = []; for (const kind of ['n', 'm']) for (let i = 0; i < {}; i++) {{
          try {{ await fetch('http://' + kind + i + '.example.com/'); wrong.push(kind + i) }} catch (e) {{ if (e.name !== 'PermissionError') wrong.push(kind + i + e.message) }}
        }} wrong",
        all.len()
    );
    assert_eq!(value(&table, &script, policy(&["http://*.example.com"], NetLimits::default())).await, json!([]));
    // Written out, in every way to write it, it is no name at all.
    let literals = [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://localhost/",
        "http://127.0.0.1./",
    ];
    let script = format!("{TRY} const out = []; for (const u of {}) out.push(await t(fetch(u))); out", json!(literals));
    let found = value(&table, &script, policy(&["http://*.example.com", "example.org"], NetLimits::default())).await;
    assert!(
        found
            .as_array()
            .expect("a list")
            .iter()
            .all(|text| text.as_str().is_some_and(|text| text.starts_with("PermissionError"))),
        "{found}"
    );
}

#[tokio::test]
async fn the_address_that_was_looked_at_is_the_one_that_is_dialled() {
    let server = Server::start();
    let names = Names::default();
    // The second answer leads elsewhere; it is asked for once a connection.
    names.set("rebind.example.com", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let table = table_with(&names);
    let port = server.address.port();
    let context = policy(&[&format!("http://rebind.example.com:{port} @127.0.0.1")], NetLimits::default());
    let script = format!(
        "{TRY} [await t(fetch('http://rebind.example.com:{port}/echo')), await t(fetch('http://rebind.example.com:{port}/echo'))]"
    );
    let found = value(&table, &script, context).await;
    assert_eq!(found[0], 200);
    assert!(found[1].as_str().is_some_and(|text| text.contains("127.0.0.2 is loopback")), "{found}");
    assert_eq!(names.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn connections_are_used_again_under_the_same_policy_only() {
    let server = Server::start();
    let table = table();
    let script = format!("await (await fetch({:?})).text()", server.url("/echo"));
    let (one, two) = (policy(&[&server.rule()], NetLimits::default()), policy(&[&server.rule()], NetLimits::default()));
    for _ in 0..3 {
        value(&table, &script, one.clone()).await;
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    value(&table, &script, two).await;
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    let other = table.run_with("other", RunRequest::new(script), one).await;
    assert!(other.is_ok());
    assert_eq!(server.connections.load(Ordering::SeqCst), 2, "sessions under one policy share");
}

#[tokio::test]
async fn an_aborted_fetch_ends_with_the_signals_reason_wherever_it_is() {
    let server = Server::start();
    let script = format!(
        "const why = (p) => p.then(() => 'done', (e) => [e instanceof DOMException, e.name ?? e]); const s = {:?}; const late = (f, reason) => {{ const c = new AbortController(); setTimeout(() => c.abort(reason), 30); return f(c.signal) }};
        [await why(fetch(s + '/echo', {{ signal: AbortSignal.abort() }})), await why(late((signal) => fetch(s + '/silent', {{ signal }}))), await why(late((signal) => fetch(s + '/silent', {{ signal }}), 'mine')),
         await why(late(async (signal) => (await fetch(s + '/never', {{ signal }})).text())), await why(fetch(s + '/silent', {{ signal: AbortSignal.timeout(20) }}))]",
        server.url("")
    );
    let found = value(&table(), &script, policy(&[&server.rule()], NetLimits::default())).await;
    assert_eq!(
        found,
        json!([
            [true, "AbortError"],
            [true, "AbortError"],
            [false, "mine"],
            [true, "AbortError"],
            [true, "TimeoutError"]
        ])
    );
}

#[tokio::test]
async fn limits_hold_for_what_is_sent_and_what_comes_back() {
    let server = Server::start();
    let table = table();
    let limits = NetLimits::default().configure(|limits| {
        limits.response_bytes = 1 << 20;
        limits.request_bytes = 1000;
        limits.requests = 8;
    });
    let script = format!(
        "const why = (p) => p.then((v) => v, (e) => e.name + ': ' + e.message); const s = {:?}, body = async (...a) => (await fetch(...a)).text();
        const out = [await why(body(s + '/bomb')), await why(body(s + '/echo', {{ method: 'POST', body: 'x'.repeat(2000) }})), await why(body(s + '/cut')), await why(body(s + '/long')), await why(body(s + '/switch'))];
        let big; try {{ await body(s + '/echo', {{ method: 'POST', duplex: 'half', body: new Blob(['x'.repeat(5000)]).stream() }}) }} catch (e) {{ big = e.name }}
        [...out, big, await why(body(s + '/echo')), await why(body(s + '/echo')), await why(body(s + '/echo'))]",
        server.url("")
    );
    let found = value(&table, &script, policy(&[&server.rule()], limits)).await;
    for (index, part) in [
        (0, "QuotaExceededError: a response may have 1048576 bytes"),
        (1, "QuotaExceededError: a request may have 1000 bytes, and this one has 2000"),
        (2, "the response broke off"),
        (3, "TypeError: fetch failed"),
        (4, "another protocol"),
        (8, "QuotaExceededError: the session may have 8 requests to the network and would have 9"),
    ] {
        assert!(found[index].as_str().is_some_and(|text| text.contains(part)), "{index}: {}", found[index]);
    }
    assert!(found[5].as_str().is_some_and(|name| name != "done"), "{found}");
    let usage = table.acquire("s").lock().await.unwrap().net_usage();
    assert!(usage.requests == 9 && usage.received >= 1 << 20 && usage.received < 2 << 20, "{usage:?}");
    // Nothing else is to come within so little time.
    let limits = NetLimits::default().configure(|limits| limits.time = Duration::from_millis(300));
    let script = format!(
        "const why = (p) => p.then((v) => v, (e) => e.message), s = {:?}, body = async (path) => (await fetch(s + path)).text();
        [await why(body('/never')), await why(body('/silent'))]",
        server.url("")
    );
    let found = value(&self::table(), &script, policy(&[&server.rule()], limits)).await;
    for (index, part) in [(0, "the response took longer than 300ms"), (1, "no response within 300ms")] {
        assert!(found[index].as_str().is_some_and(|text| text.contains(part)), "{index}: {}", found[index]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_are_all_answered() {
    let server = Server::start();
    let script = format!(
        "const all = await Promise.all(Array.from({{ length: 1000 }}, async (_, i) => (await (await fetch({:?} + i)).json()).path)); new Set(all).size",
        server.url("/n")
    );
    assert_eq!(value(&table(), &script, policy(&[&server.rule()], NetLimits::default())).await, 1000);
}

#[tokio::test]
async fn no_more_requests_than_allowed_wait_for_their_response_at_a_time() {
    let server = Server::start();
    let limits = NetLimits::default().configure(|limits| limits.concurrent = 2);
    let script = format!(
        "const s = {:?}, c = new AbortController();
        const silent = [fetch(s + '/silent', {{ signal: c.signal }}), fetch(s + '/silent')];
        const third = fetch(s + '/echo').then((r) => r.status);
        const first = await Promise.race([third, new Promise((done) => setTimeout(done, 200, 'waits'))]);
        c.abort();
        silent[0].catch(() => 0);
        [first, await third]",
        server.url("")
    );
    assert_eq!(value(&table(), &script, policy(&[&server.rule()], limits)).await, json!(["waits", 200]));
}

#[tokio::test]
async fn responses_that_nobody_reads_do_not_stand_in_the_way() {
    let server = Server::start();
    let script = format!("for (let i = 0; i < 1500; i++) await fetch({:?}); 'done'", server.url("/echo"));
    assert_eq!(value(&table(), &script, policy(&[&server.rule()], NetLimits::default())).await, "done");
}

#[tokio::test]
async fn a_secret_goes_where_it_may_and_is_seen_nowhere() {
    let (server, other) = (Server::start(), Server::start());
    let secret = "s3cr3t-value-0123";
    let secrets = Secrets::new().with("api", secret, &[&server.rule()]).expect("a secret");
    let context = policy(&[&server.rule(), &other.rule()], NetLimits::default()).grant(secrets);
    let table = table();
    let script = format!(
        "{TRY} const s = {:?}, o = {:?}, k = perennial.secret('api'); console.log(k);
        const echo = await (await fetch(s + '/echo?k=' + k, {{ method: 'POST', headers: {{ authorization: 'Bearer ' + k, x: 'Basic ' + btoa('me:' + k) }}, body: JSON.stringify({{ k }}) }})).text();
        const refused = [await t(fetch(o + '/echo?k=' + k)), await t(fetch(o, {{ headers: {{ x: k }} }})), await t(fetch(o, {{ method: 'POST', body: k }})), await t(fetch(s + '/redirect?' + o + '/echo', {{ headers: {{ x: k }} }}))];
        let none; try {{ perennial.secret('nope') }} catch (e) {{ none = e.name }}
        [echo.includes(k), echo, refused, none]",
        server.url(""),
        other.url("")
    );
    let result = run(&table, &script, context).await;
    assert_eq!(result.error, None);
    let whole = serde_json::to_string(&result).expect("JSON");
    assert!(!whole.contains(secret), "{whole}");
    let found = result.value.expect("a value");
    assert_eq!((&found[0], &found[3]), (&json!(true), &json!("PermissionError")));
    for refused in found[2].as_array().expect("a list") {
        assert!(
            refused.as_str().is_some_and(|text| text.starts_with("PermissionError: the secret api for")),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_secret_comes_back_in_none_of_the_forms_in_which_it_was_sent() {
    let server = Server::start();
    let (short, long) = (r#"p"s/ w+r%d&é"#, r#"p"s/ w+r%d&é-and-more"#);
    let secrets = Secrets::new().with("short", short, &[&server.rule()]).expect("a secret");
    let secrets = secrets.with("long", long, &[&server.rule()]).expect("a secret");
    let context = policy(&[&server.rule()], NetLimits::default()).grant(secrets);
    let script = format!(
        "const u = {:?}, k = perennial.secret('long');
        const raw = async (url, more) => {{ const r = await fetch(u + url, more); return r.headers.get('x-echo') + await r.text() }};
        const post = (type, body) => raw('', {{ method: 'POST', headers: {{ 'content-type': type }}, body }});
        ({{
            url: await raw('?k=' + k),
            component: await raw('?k=' + encodeURIComponent(k)),
            form: await post('application/x-www-form-urlencoded', new URLSearchParams({{ k }}).toString()),
            json: await post('application/json', JSON.stringify({{ k }})),
            raw: await post('text/plain', k),
            basic: await (async () => {{ const r = await fetch(u, {{ headers: {{ authorization: 'Basic ' + btoa('me:' + k) }} }}); return atob(r.headers.get('x-echo').split(' ')[1]) + await r.text() }})(),
        }})",
        server.url("/raw")
    );
    let found = value(&table(), &script, context).await;
    for (form, text) in found.as_object().expect("an object") {
        let text = text.as_str().expect("a text");
        assert!(text.contains("perennial_secret_"), "{form}: {text}");
        // What stands in some form of it as it is.
        for part in ["and-more", "w+r", "w%2Br", "r%d", "r%25d"] {
            assert!(!text.contains(part), "{form}: {text}");
        }
    }
}

#[tokio::test]
async fn what_arrives_as_the_beginning_of_a_secret_holds_nothing_up() {
    let server = Server::start();
    let secrets = Secrets::new().with("api", "abcdefgh-ijkl", &[&server.rule()]).expect("a secret");
    let context = policy(&[&server.rule()], NetLimits::default()).grant(secrets);
    let script = format!(
        "const u = {:?}, k = perennial.secret('api'), get = async (q) => (await (await fetch(u + q)).text()).replace(k, 'K'); [await get('a'), await get('a,bcd,e,x'), await get('abcd,efgh,-ijk,l'), await get('x,abcdefgh-ijkl,a')]",
        server.url("/drip?")
    );
    assert_eq!(value(&table(), &script, context).await, json!(["a", "abcdex", "K", "xKa"]));
}

#[tokio::test]
async fn cookies_are_the_sessions_and_outlive_its_vm() {
    let server = Server::start();
    let table = table();
    let context = policy(&[&server.rule()], NetLimits::default());
    let ask = format!("(await (await fetch({:?})).json()).headers.cookie ?? null", server.url("/echo"));
    value(&table, &format!("await fetch({:?})", server.url("/set")), context.clone()).await;
    let stopped = table.run("s", RunRequest::new("for (;;);").with_timeout_ms(20)).await;
    assert!(!stopped.is_ok());
    assert_eq!(value(&table, &ask, context.clone()).await, "id=7");
    let omitted = format!(
        "(await (await fetch({:?}, {{ credentials: 'omit' }})).json()).headers.cookie ?? null",
        server.url("/echo")
    );
    assert_eq!(value(&table, &omitted, context.clone()).await, Value::Null);
    let other = table.run_with("other", RunRequest::new(ask), context).await;
    assert_eq!(other.value, Some(Value::Null));
}

#[tokio::test]
async fn a_run_that_is_stopped_takes_its_requests_with_it() {
    let server = Server::start();
    let context = policy(&[&server.rule()], NetLimits::default());
    let request = RunRequest::new(format!("await fetch({:?})", server.url("/silent"))).with_timeout_ms(50);
    let result = table().run_with("s", request, context).await;
    assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::Timeout));
}

#[tokio::test]
async fn headers_that_would_make_another_request_are_refused() {
    let server = Server::start();
    let script = format!(
        "{TRY} const out = []; for (const [n, v] of [['Host', 'evil'], ['content-length', '0'], ['Transfer-Encoding', 'chunked'], ['connection', 'x-a'], ['Upgrade', 'h2c'], ['x', 'a\\r\\nb: c'], ['a b', 'c'], ['x', '\\u0100']]) {{
          try {{ out.push(await t(fetch({:?}, {{ headers: {{ [n]: v }} }}))) }} catch (e) {{ out.push(e.name) }}
        }} out",
        server.url("/echo")
    );
    let found = value(&table(), &script, policy(&[&server.rule()], NetLimits::default())).await;
    assert!(
        found
            .as_array()
            .expect("a list")
            .iter()
            .all(|text| text.as_str().is_some_and(|text| text.starts_with("TypeError"))),
        "{found}"
    );
}

#[tokio::test]
async fn what_is_too_much_or_fails_while_it_is_sent_says_so() {
    let server = Server::start();
    let script = format!(
        "{TRY} const u = {:?}; const many = Array.from({{ length: 30000 }}, (_, i) => ['x' + i, 'y']); const post = (body) => t(fetch(u, {{ method: 'POST', duplex: 'half', body }}));
        [await t(fetch(u, {{ headers: many }})), await t(fetch(u, {{ headers: {{ x: 'y'.repeat(100000) }} }})), await post(new ReadableStream({{ pull(c) {{ c.error(new RangeError('boo')) }} }})),
         await post(new ReadableStream({{ pull(c) {{ c.enqueue('text') }} }})), await t(fetch('file:///etc/passwd')), await t(fetch('blob:x')), await t(fetch(u))]",
        server.url("/echo")
    );
    let found = value(&table(), &script, policy(&[&server.rule()], NetLimits::default())).await;
    for (index, part) in [
        (0, "QuotaExceededError: a request has at most 500 headers"),
        (1, "QuotaExceededError: a request has at most 500 headers and 65536 bytes"),
        (2, "RangeError: boo"),
        (3, "TypeError: the stream of a body gives Uint8Arrays"),
        (4, "TypeError: fetch reaches http:, https: and data: only, not file:"),
        (5, "TypeError: fetch reaches http:, https: and data: only, not blob:"),
    ] {
        assert!(found[index].as_str().is_some_and(|text| text.contains(part)), "{index}: {}", found[index]);
    }
    assert_eq!(found[6], 200);
}

#[tokio::test]
async fn a_plugin_fetches_under_its_own_policy_whatever_script_calls_it() {
    let (server, other) = (Server::start(), Server::start());
    let host = |server: &Server| format!("http://localhost:{}", server.address.port());
    let plugin = |name: &str, rule: &str| {
        format!(
            "export default {{ name: '{name}', version: '1', description: 'd', allow: {{ net: ['{rule}'] }}, tools: {{ get: {{ description: 'g', input: {{}}, \
             async run({{ url }}, ctx) {{ const r = await ctx.fetch(url); return [r.status, r instanceof Response, (await r.text()).length > 0] }} }} }} }}"
        )
    };
    let files = MemoryFiles::new();
    files.write("/p/one.ts", plugin("one", &host(&server)));
    files.write("/p/two.ts", plugin("two", &host(&other)));
    let ceiling = Allow::parse(&json!({"net": [host(&server), host(&other)]})).expect("it parses");
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = ceiling;
        options.files = Arc::new(files);
    });
    let plugins = PluginSet::load(&["/p/one.ts".into(), "/p/two.ts".into()], &options).await;
    assert_eq!(plugins.failures(), []);
    let names = Names::default();
    names.set("localhost", &[&["127.0.0.1"]]);
    let network = Network::new(Arc::new(names));
    let table = SessionTable::with_config(TableConfig::default().configure(|config| {
        config.plugins = Some(plugins);
        config.network = network;
    }));
    let (one, two) = (host(&server), host(&other));
    let script = format!(
        "const t = (p) => p.then((r) => r, (e) => e.name); \
         const both = await Promise.all([tools.one.get({{ url: '{one}/echo' }}), tools.two.get({{ url: '{two}/echo' }})]); \
         [both, await t(tools.one.get({{ url: '{two}/echo' }})), await t(tools.two.get({{ url: '{one}/echo' }})), await t(fetch('{one}/echo'))]"
    );
    // Neither has what the other may, and the script has neither.
    let served = json!([200, true, true]);
    let expected = json!([[served, served], "PermissionError", "PermissionError", "PermissionError"]);
    assert_eq!(value(&table, &script, RunContext::new()).await, expected);
    // What the script may is not the plugin's.
    let granted = policy(&[&two], NetLimits::default());
    let script = format!(
        "const t = (p) => p.then((r) => r.status ?? r, (e) => e.name); [await t(fetch('{two}/echo')), await t(tools.one.get({{ url: '{two}/echo' }}))]"
    );
    assert_eq!(value(&table, &script, granted).await, json!([200, "PermissionError"]));
}

#[tokio::test]
async fn what_a_data_url_holds_takes_nobody_s_leave() {
    let script = "const r = await fetch('data:text/html;charset=utf-8,%3Cp%3Eh%C3%A9'); let why; try { await fetch('data:x') } catch (e) { why = e.name } \
                  [r.status, r.url, r.headers.get('content-type'), await r.text(), why]";
    let expected = json!([
        200,
        "data:text/html;charset=utf-8,%3Cp%3Eh%C3%A9",
        "text/html;charset=utf-8",
        "<p>h\u{e9}",
        "TypeError"
    ]);
    assert_eq!(value(&table(), script, RunContext::new()).await, expected);
}

#[tokio::test]
async fn the_time_of_all_requests_is_counted_and_has_a_limit() {
    let server = Server::start();
    let table = table();
    let limits = NetLimits::default().configure(|limits| limits.total_time = Duration::from_nanos(1));
    let script = format!(
        "const t = (p) => p.then((r) => r.status, (e) => [e.name, e.limit]); const u = {:?}; const one = await fetch(u); await one.text(); [one.status, await t(fetch(u))]",
        server.url("/echo")
    );
    assert_eq!(
        value(&table, &script, policy(&[&server.rule()], limits)).await,
        json!([200, ["QuotaExceededError", 0]])
    );
    let usage = table.acquire("s").lock().await.unwrap().net_usage();
    assert!(usage.requests == 1 && usage.time > Duration::ZERO, "{usage:?}");
}
