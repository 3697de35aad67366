//! `podcov mark`: tests say themselves which one begins. An HTTP server on the loopback interface for as long as the tests
//! run, and its client. They can ask as well which tests are known to run.
//!
//! The address holds a secret, so that no other user of the machine can mark. It is in the environment of the tests.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use url::Url;

use super::Message;
use crate::error::CommandError;
use crate::run_directory::new_id;
use crate::terminal::printable;

/// The variable with the address.
pub const VARIABLE: &str = "PODCOV_MARK";
/// Of a name.
const LONGEST_NAME: usize = 4096;
/// The names of all tests that run at the same time.
const LONGEST_ANSWER: usize = 1 << 20;
/// For all targets to be read; they have their own deadlines.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a mark has come to: what is missing of the test that ended with it.
pub type Answer = Result<(), String>;

/// Listens until it is dropped.
pub struct Marks {
    url: String,
    _task: JoinSet<()>,
}

impl Marks {
    /// Listens, and hands on what comes.
    pub async fn listen(messages: mpsc::UnboundedSender<Message>) -> Result<Self, CommandError> {
        let failed = |error| CommandError::failure("cannot listen for podcov mark").caused_by(error);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let path = format!("/{}", new_id());
        let url = format!("http://{}{path}", listener.local_addr().map_err(failed)?);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, path.clone(), messages.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, _task: task })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn serve(stream: TcpStream, path: String, messages: mpsc::UnboundedSender<Message>) {
    let service = service_fn(|request| answer(request, &path, &messages));
    // A client that goes away needs no answer.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    path: &str,
    messages: &mpsc::UnboundedSender<Message>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, text) = match hand_on(request, path, messages).await {
        Ok(text) => (StatusCode::OK, text),
        Err((status, text)) => (status, format!("{text}\n")),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

async fn hand_on(
    request: Request<Incoming>,
    path: &str,
    messages: &mpsc::UnboundedSender<Message>,
) -> Result<String, (StatusCode, String)> {
    let failed = |status, text: &str| (status, text.to_owned());
    if request.uri().path() != path {
        return Err(failed(StatusCode::NOT_FOUND, "this is not the address in PODCOV_MARK"));
    }
    let over = || failed(StatusCode::GONE, "the tests are over");
    let name = match *request.method() {
        Method::GET => {
            let (reply, tests) = oneshot::channel();
            messages.send(Message::Ask { reply }).map_err(|_| over())?;
            let tests = tests.await.map_err(|_| over())?;
            return Ok(tests.into_iter().map(|test| printable(&test) + "\n").collect());
        }
        Method::POST => Some(name_in(request).await.map_err(|(status, text)| failed(status, text))?),
        Method::DELETE => None,
        _ => {
            let ways = "POST the name of the test that begins, DELETE, or GET which ones run";
            return Err(failed(StatusCode::METHOD_NOT_ALLOWED, ways));
        }
    };
    let (reply, answer) = oneshot::channel();
    messages.send(Message::Mark { name, reply }).map_err(|_| over())?;
    let answer = answer.await.map_err(|_| over())?;
    answer.map(|()| String::new()).map_err(|missing| (StatusCode::BAD_GATEWAY, missing))
}

async fn name_in(request: Request<Incoming>) -> Result<String, (StatusCode, &'static str)> {
    let body = Limited::new(request.into_body(), LONGEST_NAME).collect().await;
    let body = body.map_err(|_| (StatusCode::PAYLOAD_TOO_LARGE, "the name is too long"))?.to_bytes();
    let name = printable(String::from_utf8_lossy(&body).trim());
    if name.is_empty() { Err((StatusCode::BAD_REQUEST, "the name of the test is missing")) } else { Ok(name) }
}

/// Tells the podcov at this address that a test begins, or that none does, and waits until it has read everything.
pub async fn send(address: &str, name: Option<&str>) -> Result<(), CommandError> {
    match name {
        Some(name) => exchange(address, Method::POST, name).await?,
        None => exchange(address, Method::DELETE, "").await?,
    };
    Ok(())
}

/// Asks the podcov at this address which tests run: a line for each. What ran before they began is read.
pub async fn ask(address: &str) -> Result<String, CommandError> {
    exchange(address, Method::GET, "").await
}

async fn exchange(address: &str, method: Method, body: &str) -> Result<String, CommandError> {
    let response = tokio::time::timeout(PATIENCE, request(address, method, body)).await;
    let unreachable = |cause: String| {
        CommandError::failure(format!("no podcov answers at {VARIABLE}={address}"))
            .caused_by(cause)
            .hint("it is there while podcov run --per-test runs the tests")
    };
    let (status, text) =
        response.map_err(|_| unreachable("no answer in time".to_owned()))?.map_err(unreachable)?;
    match status {
        StatusCode::OK => Ok(text),
        StatusCode::BAD_GATEWAY => Err(CommandError::failure("not everything was read").caused_by(text)),
        _ => Err(unreachable(text)),
    }
}

async fn request(address: &str, method: Method, body: &str) -> Result<(StatusCode, String), String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let stream = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let mut task = JoinSet::new();
    task.spawn(connection);
    let body = Full::new(Bytes::from(body.to_owned()));
    let request = Request::builder().method(method).uri(url.path()).header("host", host).body(body);
    let request = request.map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    let text = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let text = text.map(|text| String::from_utf8_lossy(&text.to_bytes()).trim().to_owned());
    Ok((status, text.unwrap_or_default()))
}
