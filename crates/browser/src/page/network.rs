//! Requests and answers, as the browser tells of them.

use perennial_stdlib::browser::{Happened, Request, Response, Timing};
use serde_json::{Map, Value, json};

use super::{Page, text};

/// What is told of a text at most: an event is a part of what may wait for a script.
const MAX_URL: usize = 16 << 10;
const MAX_HEADERS: usize = 32 << 10;
const MAX_BODY: usize = 64 << 10;

impl Page {
    /// An event of `Network` or `Fetch`. `None` if it is no concern of a script's.
    pub(super) fn of_network(&self, method: &str, params: &Value) -> Option<Happened> {
        let request = || text(&params["requestId"]).to_owned();
        Some(match method {
            "Network.requestWillBeSent" => {
                let mut told = asked(params, "type");
                if let (Some(wall), Some(clock)) = (params["wallTime"].as_f64(), params["timestamp"].as_f64()) {
                    self.lock().clock_began = Some(wall - clock);
                }
                told.request = request();
                told.is_navigation = params["requestId"] == params["loaderId"] && told.kind == "document";
                told.redirected = Some(&params["redirectResponse"])
                    .filter(|response| !response.is_null())
                    .map(|response| Box::new(self.answered(&told.request, response)));
                Happened::Request(Box::new(told))
            }
            "Network.responseReceived" => Happened::Response(Box::new(self.answered(&request(), &params["response"]))),
            "Network.loadingFinished" => Happened::Finished {
                request: request(),
                bytes: params["encodedDataLength"].as_f64().unwrap_or(0.0) as u64,
                at: self.since_1970(&params["timestamp"]).unwrap_or(-1.0),
            },
            "Network.loadingFailed" => {
                Happened::Failed { request: request(), why: cut(text(&params["errorText"]), MAX_URL) }
            }
            "Fetch.requestPaused" => {
                let mut told = asked(params, "resourceType");
                // What the network calls it, which has been told already or will be.
                text(&params["networkId"]).clone_into(&mut told.request);
                told.is_navigation = told.kind == "document";
                Happened::Paused { paused: request(), request: Box::new(told) }
            }
            _ => return None,
        })
    }

    /// A time by the browser's clock in milliseconds since 1970.
    fn since_1970(&self, seconds: &Value) -> Option<f64> {
        Some((seconds.as_f64()? + self.lock().clock_began?) * 1000.0)
    }

    fn answered(&self, request: &str, response: &Value) -> Response {
        let mut told = answered(request, response);
        let (given, of) = (&response["timing"], |name: &str| response["timing"][name].as_f64().unwrap_or(-1.0));
        told.timing = self.since_1970(&given["requestTime"]).map(|started| Timing {
            started,
            domain_lookup_start: of("dnsStart"),
            domain_lookup_end: of("dnsEnd"),
            connect_start: of("connectStart"),
            secure_connection_start: of("sslStart"),
            connect_end: of("connectEnd"),
            request_start: of("sendStart"),
            response_start: of("receiveHeadersEnd"),
        });
        told
    }

    /// Has a request that waits go its way.
    pub(super) fn pass_on(&self, params: &Value) {
        self.tell("Fetch.continueRequest", &json!({ "requestId": params["requestId"] }));
    }
}

fn asked(params: &Value, kind: &str) -> Request {
    let request = &params["request"];
    let mut told = Request::default();
    told.url = cut(&format!("{}{}", text(&request["url"]), text(&request["urlFragment"])), MAX_URL);
    text(&request["method"]).clone_into(&mut told.method);
    told.headers = headers(&request["headers"]);
    told.body = request["postData"].as_str().filter(|body| body.len() <= MAX_BODY).map(str::to_owned);
    told.kind = text(&params[kind]).to_ascii_lowercase();
    text(&params["frameId"]).clone_into(&mut told.frame);
    told
}

fn answered(request: &str, response: &Value) -> Response {
    let mut told = Response::default();
    request.clone_into(&mut told.request);
    told.url = cut(text(&response["url"]), MAX_URL);
    told.status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
    text(&response["statusText"]).clone_into(&mut told.status_text);
    told.headers = headers(&response["headers"]);
    told.from_service_worker = response["fromServiceWorker"] == true;
    told
}

/// Headers by their names in lower case, as many as have room.
fn headers(given: &Value) -> Map<String, Value> {
    let mut room = MAX_HEADERS;
    let mut told = Map::new();
    for (name, value) in given.as_object().into_iter().flatten() {
        let bytes = name.len() + text(value).len();
        if bytes <= room {
            room -= bytes;
            told.insert(name.to_ascii_lowercase(), text(value).into());
        }
    }
    told
}

pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_request_no_more_is_told_than_has_room() {
        let long = "x".repeat(1 << 20);
        let mut given = Map::new();
        (0..100).for_each(|number| _ = given.insert(format!("X-{number}"), "y".repeat(1 << 10).into()));
        given.insert("Large".to_owned(), long.clone().into());
        let params = json!({
            "requestId": "1", "loaderId": "1", "type": "Document",
            "request": { "url": format!("http://a.example/{long}"), "method": "POST", "headers": given, "postData": long },
        });
        let told = asked(&params, "type");
        let bytes: usize = told.headers.iter().map(|(name, value)| name.len() + text(value).len()).sum();
        assert!((MAX_HEADERS - 2000..=MAX_HEADERS).contains(&bytes) && !told.headers.contains_key("large"), "{bytes}");
        assert_eq!((told.url.len(), told.body), (MAX_URL + "…".len(), None));
        assert_eq!(cut("aé", 2), "a…", "never within a character");
    }
}
