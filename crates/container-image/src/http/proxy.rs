//! The way through a proxy, where the environment names one: a tunnel, so that it sees no more than the name.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::Environment;

/// A proxy that speaks HTTP.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    /// `Proxy-Authorization`, with the line's end.
    authorization: String,
}

// Without its password.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Proxy({}:{})", self.host, self.port)
    }
}

/// Of a proxy's answer. Ours never says so much.
const MAX_ANSWER: usize = 16 << 10;

impl Proxy {
    /// That of `HTTPS_PROXY`, unless `NO_PROXY` excepts the host. What is no URL of HTTP counts as none, as in Go.
    pub(crate) fn for_host(environment: &Environment, host: &str) -> Option<Self> {
        let either =
            |name: &str| environment.variable(name).or_else(|| environment.variable(&name.to_lowercase()));
        if is_excepted(either("NO_PROXY").unwrap_or_default(), host) {
            return None;
        }
        let address = either("HTTPS_PROXY")?;
        let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let url = Url::parse(&address).ok().filter(|url| url.scheme() == "http")?;
        let authorization = if url.username().is_empty() {
            String::new()
        } else {
            let decode = |text: &str| {
                let pair = format!("x={}", text.replace('+', "%2B"));
                url::form_urlencoded::parse(pair.as_bytes())
                    .next()
                    .map_or_else(String::new, |(_, text)| text.into_owned())
            };
            let pair = format!("{}:{}", decode(url.username()), decode(url.password().unwrap_or_default()));
            format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(pair))
        };
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { host, port: url.port_or_known_default().unwrap_or(80), authorization })
    }

    /// A connection to `host` through the proxy.
    pub(super) async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let request =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{}\r\n", self.authorization);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Byte by byte: what comes after the header is the other end's.
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
            if answer.len() > MAX_ANSWER {
                return Err(io::Error::other("the proxy's answer does not end"));
            }
        }
        let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let status = line.split(|byte| *byte == b' ').nth(1);
        if line.starts_with(b"HTTP/1.") && status == Some(b"200") {
            return Ok(stream);
        }
        let line = crate::path::printable(line);
        Err(io::Error::other(format!("the proxy {}:{} answers {line:?}", self.host, self.port)))
    }
}

/// Names, which stand for what is below them too, and addresses; `*` is everything. This machine always is.
fn is_excepted(exceptions: &str, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return true;
    }
    exceptions.split(',').map(str::trim).filter(|exception| !exception.is_empty()).any(|exception| {
        let name = exception.trim_start_matches('.');
        exception == "*" || host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn proxy(variables: &[(&str, &str)], host: &str) -> Option<Proxy> {
        Proxy::for_host(&Environment::of_variables("/", variables.iter().copied()), host)
    }

    #[test]
    fn exceptions_are_those_of_no_proxy() {
        let set = ("HTTPS_PROXY", "http://proxy.example:3128");
        assert!(proxy(&[set], "ghcr.io").is_some());
        assert!(proxy(&[("https_proxy", "proxy.example:3128")], "ghcr.io").is_some());
        assert!(proxy(&[set], "127.0.0.1").is_none());
        for exceptions in ["ghcr.io", ".io", "a.example, ghcr.io", "*"] {
            assert!(proxy(&[set, ("NO_PROXY", exceptions)], "ghcr.io").is_none(), "{exceptions}");
        }
        for exceptions in ["", "cr.io", "x.ghcr.io", ","] {
            assert!(proxy(&[set, ("NO_PROXY", exceptions)], "ghcr.io").is_some(), "{exceptions}");
        }
    }

    #[tokio::test]
    async fn it_is_told_the_name_and_the_password_and_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://user:p%40ss@{}", listener.local_addr().unwrap());
        let proxy = proxy(&[("HTTPS_PROXY", &address)], "ghcr.io").unwrap();
        assert!(!format!("{proxy:?}").contains("p@ss"));
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\nhello").await.unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        };
        let (request, stream) = tokio::join!(serve, proxy.connect("ghcr.io", 443));
        // `printf user:p@ss | base64`
        let expected = "CONNECT ghcr.io:443 HTTP/1.1\r\nHost: ghcr.io:443\r\n\
                        Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n";
        assert_eq!(request, expected);
        let mut rest = String::new();
        stream.unwrap().read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "hello");
    }

    #[tokio::test]
    async fn what_it_refuses_with_is_said() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let proxy = proxy(&[("HTTPS_PROXY", &address)], "ghcr.io").unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 407 Log in\r\n\r\n").await.unwrap();
            stream
        };
        let (_stream, refused) = tokio::join!(serve, proxy.connect("ghcr.io", 443));
        let expected = format!("the proxy {address} answers \"HTTP/1.1 407 Log in\"");
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }
}
