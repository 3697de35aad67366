//! A web server for one page, for whoever sits at this machine.
//!
//! Owns who is answered: only requests to a loopback address under its own name, so that no other site's name can be made
//! to lead here (DNS rebinding), and no other page may read or frame the answers. Only GET and HEAD. Knows no coverage.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::Shown;
use crate::error::CommandError;

/// A browser opens half a dozen.
const MOST_CONNECTIONS: usize = 64;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that nobody is answered by yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    port: u16,
}

impl Server {
    /// Takes the port on 127.0.0.1; 0 is one that is free.
    pub async fn bind(port: u16) -> Result<Self, CommandError> {
        let cannot = |error: std::io::Error| {
            let error = CommandError::failure(format!("cannot listen on 127.0.0.1:{port}")).caused_by(error);
            if port == 0 { error } else { error.hint("leave out --port, for one that is free") }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(cannot)?;
        let port = listener.local_addr().map_err(cannot)?.port();
        Ok(Self { listener, port })
    }

    /// Where the page is.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Answers until this is dropped.
    pub async fn answer(self, shown: watch::Receiver<Arc<Shown>>) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            // One that was gone before it was taken concerns nobody.
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let (shown, port) = (shown.clone(), self.port);
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let answer = answer(&request, port, &shown.borrow());
                    async move { Ok::<_, std::convert::Infallible>(answer) }
                });
                let mut server = hyper::server::conn::http1::Builder::new();
                server.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
                // The browser went away.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
                drop(place);
            });
        }
    }
}

type Answer = Response<Full<Bytes>>;

fn answer(request: &Request<Incoming>, port: u16, shown: &Shown) -> Answer {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let plain = |status, text: &'static str| respond(status, "text/plain; charset=utf-8", text.into());
    if !host.is_some_and(|host| is_own_name(host, port)) {
        return plain(StatusCode::FORBIDDEN, "podcov answers only to 127.0.0.1 and localhost\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "there is nothing to change here\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match request.uri().path() {
        "/" if shown.version == 0 => {
            let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, "the data is being read\n");
            answer
                .headers_mut()
                .insert(header::HeaderName::from_static("refresh"), HeaderValue::from_static("1"));
            answer
        }
        "/" => respond(StatusCode::OK, "text/html; charset=utf-8", shown.page.clone()),
        "/state" => respond(StatusCode::OK, "application/json", state(shown).into()),
        _ => plain(StatusCode::NOT_FOUND, "there is only /\n"),
    }
}

fn is_own_name(host: &str, port: u16) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, text)) if text.parse() == Ok(port) => name,
        // A browser leaves out the port of http.
        None if port == 80 => host,
        _ => return false,
    };
    name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost")
}

fn state(shown: &Shown) -> String {
    // A clock that was set back makes it none.
    let age = shown.newest.map(|newest| newest.elapsed().unwrap_or_default().as_secs());
    serde_json::json!({
        "version": shown.version,
        "age": age,
        "is_running": shown.is_running,
        "problem": shown.problem,
    })
    .to_string()
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_name_is_answered() {
        for host in ["127.0.0.1:8095", "localhost:8095", "LOCALHOST:8095"] {
            assert!(is_own_name(host, 8095), "{host}");
        }
        for host in [
            "evil.example:8095",
            "127.0.0.1.evil.example:8095",
            "127.0.0.1",
            "127.0.0.1:8096",
            "localhost",
            "localhost:8095:8095",
            "[::1]:8095",
            "",
        ] {
            assert!(!is_own_name(host, 8095), "{host}");
        }
        assert!(is_own_name("localhost", 80));
    }
}
