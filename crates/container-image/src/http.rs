//! One HTTP request over one connection: a socket of this machine, TCP, or TLS.
//!
//! Owns connecting, patience, and that no answer is larger than expected. Knows no engine and no registry. A connection
//! serves one request: an image takes a handful, and nothing is left to keep alive.

mod proxy;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) use proxy::Proxy;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// Nobody listens there, or the name is unknown.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The other end is not who it has to be, or speaks no TLS.
    #[error("cannot agree on an encrypted connection")]
    Tls(#[source] io::Error),
    /// The name is none that a certificate could have.
    #[error("{0:?} is no name of a server")]
    ServerName(String),
    /// It takes too long.
    #[error("nothing came for {} s", .0.as_secs())]
    Timeout(Duration),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection failed")]
    Protocol(#[source] hyper::Error),
    /// A request cannot be made of it.
    #[error("cannot make a request of {0:?}")]
    Request(String),
    /// The answer is larger than it may be.
    #[error("it is of more than {0} bytes")]
    TooLarge(u64),
    /// The answer cannot be kept.
    #[error("cannot write it to a temporary file")]
    Keep(#[source] io::Error),
}

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a server is.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    #[cfg(unix)]
    Socket(std::path::PathBuf),
    Tcp {
        host: String,
        port: u16,
        /// None for plain HTTP.
        tls: Option<Arc<ClientConfig>>,
        proxy: Option<Proxy>,
    },
}

/// A server, and how long it may take from one byte to the next.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) address: Address,
    pub(crate) patience: Duration,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Of a form; makes it a POST.
    pub(crate) form: Option<String>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Server {
    pub(crate) async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let stream = within(CONNECT, self.connect()).await?;
        let (mut sender, connection) = within(CONNECT, async {
            http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::Protocol)
        })
        .await?;
        // It ends with the sender and the body.
        tokio::spawn(connection);
        let request = self.request(request)?;
        let response =
            within(self.patience, async { sender.send_request(request).await.map_err(HttpError::Protocol) });
        let (head, body) = response.await?.into_parts();
        Ok(Response { status: head.status, headers: head.headers, body, patience: self.patience })
    }

    fn request(&self, request: Request) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
        let host = match &self.address {
            #[cfg(unix)]
            Address::Socket(_) => "localhost".to_owned(),
            Address::Tcp { host, port, tls, .. } => {
                let usual = if tls.is_some() { 443 } else { 80 };
                if *port == usual { host.clone() } else { format!("{host}:{port}") }
            }
        };
        let mut built = hyper::Request::builder()
            .method(if request.form.is_some() { Method::POST } else { Method::GET })
            .uri(&request.path)
            .header(HOST, host)
            .header(USER_AGENT, concat!("podcov/", env!("CARGO_PKG_VERSION")));
        if request.form.is_some() {
            built = built.header(hyper::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        let body = Full::from(request.form.unwrap_or_default());
        built.body(body).map_err(|_| HttpError::Request(request.path))
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, HttpError> {
        match &self.address {
            #[cfg(unix)]
            Address::Socket(path) => {
                let stream = tokio::net::UnixStream::connect(path).await.map_err(HttpError::Connect)?;
                Ok(Box::new(stream))
            }
            Address::Tcp { host, port, tls, proxy } => {
                // An IPv6 address is in brackets in URLs only.
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let stream = match proxy {
                    Some(proxy) => proxy.connect(host, *port).await,
                    None => TcpStream::connect((host, *port)).await,
                }
                .map_err(HttpError::Connect)?;
                let Some(tls) = tls else { return Ok(Box::new(stream)) };
                let name = ServerName::try_from(host.to_owned())
                    .map_err(|_| HttpError::ServerName(host.to_owned()))?;
                let connector = TlsConnector::from(Arc::clone(tls));
                let stream = connector.connect(name, stream).await.map_err(HttpError::Tls)?;
                Ok(Box::new(stream))
            }
        }
    }
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    tokio::time::timeout(patience, work).await.unwrap_or(Err(HttpError::Timeout(patience)))
}

/// An answer, of which the body is still to come.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: hyper::HeaderMap,
    body: Incoming,
    patience: Duration,
}

impl Response {
    /// A header as text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next bytes; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let frame = within(self.patience, async {
                self.body.frame().await.transpose().map_err(HttpError::Protocol)
            });
            let Some(frame) = frame.await? else { return Ok(None) };
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// The whole body, in memory.
    pub(crate) async fn bytes(mut self, limit: u64) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if (bytes.len() as u64).saturating_add(chunk.len() as u64) > limit {
                return Err(HttpError::TooLarge(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// What the server says about an error: the `message` of its JSON, else its first words.
    pub(crate) async fn message(self) -> String {
        const LIMIT: u64 = 64 << 10;
        const SHOWN: usize = 300;
        let status = self.status;
        let body = self.bytes(LIMIT).await.unwrap_or_default();
        let message = message_in(&body).unwrap_or_else(|| String::from_utf8_lossy(&body).trim().to_owned());
        let message: String = crate::path::printable(message.as_bytes()).chars().take(SHOWN).collect();
        if message.is_empty() {
            status.canonical_reason().unwrap_or("no reason given").to_owned()
        } else {
            message
        }
    }
}

/// An engine has `{"message": …}`, a registry `{"errors": [{"code": …, "message": …}]}`.
fn message_in(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let of = |value: &serde_json::Value| value.get("message")?.as_str().map(str::to_owned);
    of(&value).or_else(|| value.get("errors")?.get(0).and_then(of))
}
