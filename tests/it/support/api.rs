//! The desk's side: REST with a bearer token, and `/metrics`.

use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub struct Api {
    client: Client,
    base: String,
    token: String,
}

impl Api {
    #[track_caller]
    pub fn sign_in(at: SocketAddr, user: &str, password: &str) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(10)).build().expect("an HTTP client");
        let base = format!("http://{at}");
        let body = json!({"username": user, "password": password});
        let answer = client.post(format!("{base}/api/v1/session")).json(&body).send().expect("sign in");
        let status = answer.status();
        let body = answer.text().unwrap_or_default();
        assert!(status.is_success(), "sign-in as {user}: {status} {body}");
        let token =
            serde_json::from_str::<Value>(&body).ok().and_then(|v| v["token"].as_str().map(str::to_owned));
        Self { client, base, token: token.unwrap_or_else(|| panic!("no token in {body}")) }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    fn request(&self, path: &str) -> reqwest::Result<reqwest::blocking::Response> {
        self.client.get(format!("{}/api/v1/{path}", self.base)).bearer_auth(&self.token).send()
    }

    /// One answer; `None` when the server is not there or says anything but 200.
    pub fn try_get(&self, path: &str) -> Option<Value> {
        self.request(path).ok().filter(|a| a.status().is_success())?.json().ok()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let answer = self.request(path).unwrap_or_else(|e| panic!("GET {path}: {e}"));
        let status = answer.status();
        let body = answer.text().unwrap_or_default();
        assert!(status.is_success(), "GET {path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("GET {path}: {e} in {body}"))
    }

    /// A change, and what it left.
    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/v1/{path}", self.base);
        let answer = self.client.patch(url).bearer_auth(&self.token).json(body).send();
        let answer = answer.unwrap_or_else(|e| panic!("PATCH {path}: {e}"));
        let status = answer.status();
        let body = answer.text().unwrap_or_default();
        assert!(status.is_success(), "PATCH {path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("PATCH {path}: {e} in {body}"))
    }

    /// What is posted, with the answer's status.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v1/{path}", self.base);
        let answer = self.client.post(url).bearer_auth(&self.token).json(body).send();
        let answer = answer.unwrap_or_else(|e| panic!("POST {path}: {e}"));
        let status = answer.status().as_u16();
        (status, answer.json().unwrap_or(Value::Null))
    }

    /// The status of a question, whatever it is.
    #[track_caller]
    pub fn status(&self, path: &str) -> u16 {
        self.request(path).unwrap_or_else(|e| panic!("GET {path}: {e}")).status().as_u16()
    }

    /// The bytes behind a path, as a recording is.
    #[track_caller]
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.request(path).unwrap_or_else(|e| panic!("GET {path}: {e}"));
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.bytes().expect("a whole body").to_vec()
    }

    /// A whole list, page by page, newest first.
    #[track_caller]
    pub fn list(&self, noun: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{noun}?limit=200{next}"));
            items.extend(page["items"].as_array().cloned().unwrap_or_else(|| panic!("no items in {page}")));
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// The call with this SIP Call-ID, if the database has it yet.
    pub fn call_by_sip_id(&self, sip_call_id: &str) -> Option<Value> {
        let page = self.try_get("calls?limit=200")?;
        page["items"].as_array()?.iter().find(|call| call["sip_call_id"] == sip_call_id).cloned()
    }

    /// Its events, oldest first.
    #[track_caller]
    pub fn events(&self, call: &Value) -> Vec<Value> {
        let id = call["id"].as_str().unwrap_or_else(|| panic!("no id in {call}"));
        let answer = self.get(&format!("calls/{id}/events?limit=200"));

        answer["items"].as_array().cloned().unwrap_or_else(|| panic!("no items in {answer}"))
    }

    pub fn tickets(&self) -> Vec<Value> {
        self.list("tickets")
    }
}

/// A scrape, by the sample's name with its labels as they are written.
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    pub fn get(&self, sample: &str) -> Option<f64> {
        self.0.get(sample).copied()
    }

    /// A counter that may not have been written yet.
    pub fn count(&self, sample: &str) -> f64 {
        self.get(sample).unwrap_or(0.0)
    }
}

#[track_caller]
pub fn metrics(at: SocketAddr) -> Metrics {
    let client = Client::builder().timeout(Duration::from_secs(10)).build().expect("an HTTP client");
    let text = client.get(format!("http://{at}/metrics")).send().and_then(reqwest::blocking::Response::text);
    let text = text.unwrap_or_else(|e| panic!("/metrics: {e}"));
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Metrics(samples.collect())
}
