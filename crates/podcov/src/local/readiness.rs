//! Whether services are ready: what --ready names answers, and they turn out to be built with coverage.
//!
//! Waits by condition and deadline, and notices a service that dies meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::capture::NOT_INSTRUMENTED;
use super::service::{self, Plan, Service};
use crate::coverage_data::{self, CovdataDirectory};
use crate::error::CommandError;
use crate::instrumented;
use crate::terminal::{self, Progress};

const INTERVAL: Duration = Duration::from_millis(50);
const LONGEST_ANSWER: Duration = Duration::from_secs(5);
/// Go writes the meta-data before the program's own initialisation: well before it can be ready.
const METADATA_AFTER_READY: Duration = Duration::from_secs(2);
const METADATA_AFTER_START: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whose readiness it shows, if the user said so.
    service: Option<String>,
    address: Address,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Http(Url),
    Tcp(String),
}

/// Reads the values of --ready.
pub fn probes(values: &[String], plans: &[Plan]) -> Result<Vec<Probe>, CommandError> {
    values.iter().map(|value| probe(value, plans)).collect()
}

fn probe(value: &str, plans: &[Plan]) -> Result<Probe, CommandError> {
    let is_name = |name: &str| !name.is_empty() && !name.contains([':', '/', '?']);
    let Some((name, address)) = value.split_once('=').filter(|(name, _)| is_name(name)) else {
        return Ok(Probe { service: None, address: parse_address(value)? });
    };
    if !plans.iter().any(|plan| plan.name == name) {
        let names: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
        return Err(CommandError::usage(format!("--ready {value}: there is no service {name}"))
            .hint(format!("the services are called {}", names.join(", "))));
    }
    Ok(Probe { service: Some(name.to_owned()), address: parse_address(address)? })
}

fn parse_address(text: &str) -> Result<Address, CommandError> {
    let wrong = || {
        CommandError::usage(format!("--ready {text}: this is no address to wait for"))
            .hint("write http://localhost:8080/healthz, localhost:8080 or :8080")
    };
    if text.starts_with("https://") {
        return Err(wrong().hint("of a service that speaks https only, name host:port"));
    }
    if text.starts_with("http://") {
        let url = Url::parse(text).map_err(|error| wrong().caused_by(error))?;
        return Ok(Address::Http(url));
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().map_err(|_| wrong())?;
    if host.contains(['/', ' ', '=']) {
        return Err(wrong());
    }
    let host = if host.is_empty() { "localhost" } else { host };
    Ok(Address::Tcp(format!("{host}:{port}")))
}

impl Probe {
    fn name(&self) -> &str {
        match &self.address {
            Address::Http(url) => url.as_str(),
            Address::Tcp(address) => address,
        }
    }

    /// Host and port.
    fn endpoint(&self) -> String {
        match &self.address {
            Address::Http(url) => {
                let host = url.host_str().unwrap_or("localhost");
                format!("{host}:{}", url.port_or_known_default().unwrap_or(80))
            }
            Address::Tcp(address) => address.clone(),
        }
    }

    /// Asks once; the error is what was seen instead.
    async fn ask(&self) -> Result<(), String> {
        let answer = async {
            let stream = TcpStream::connect(self.endpoint()).await.map_err(|error| error.to_string())?;
            match &self.address {
                Address::Tcp(_) => Ok(()),
                Address::Http(url) => ask_http(stream, url).await,
            }
        };
        timeout(LONGEST_ANSWER, answer).await.unwrap_or_else(|_| Err("no answer".to_owned()))
    }
}

/// Success is what a kubelet takes for it: 200 to 399.
async fn ask_http(mut stream: TcpStream, url: &Url) -> Result<(), String> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: podcov\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let mut limited = stream.take(4096);
    while !answer.contains(&b'\n') {
        if limited.read_buf(&mut answer).await.map_err(|error| error.to_string())? == 0 {
            break;
        }
    }
    let status_line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    let status: Option<u16> = status_line
        .strip_prefix("HTTP/")
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    match status {
        Some(200..=399) => Ok(()),
        Some(status) => Err(format!("HTTP status {status}")),
        None => Err("an answer that is not HTTP".to_owned()),
    }
}

/// Another program at the address would pass for the service, and the tests would measure nothing.
pub async fn check_nobody_answers_yet(probes: &[Probe]) -> Result<(), CommandError> {
    for probe in probes {
        let endpoint = probe.endpoint();
        if let Ok(Ok(_)) = timeout(Duration::from_millis(500), TcpStream::connect(&endpoint)).await {
            return Err(CommandError::failure(format!(
                "something listens on {endpoint} already, before the services are started"
            ))
            .hint("stop it, or let the services listen on another port"));
        }
    }
    Ok(())
}

/// Waits until everything that was named answers.
pub async fn wait(
    probes: &[Probe],
    services: &mut [Service],
    deadline: Duration,
    progress: &Progress,
) -> Result<(), CommandError> {
    let started = Instant::now();
    for probe in probes {
        progress.update(format!("waiting for {}", probe.name()));
        loop {
            // A service that died is the better explanation, and the one behind the address may be another's.
            check_alive(services, probe.service.as_deref())?;
            let Err(seen) = probe.ask().await else { break };
            if started.elapsed() >= deadline {
                return Err(not_ready(probe, services, deadline, &seen));
            }
            sleep(INTERVAL).await;
        }
    }
    probes.iter().try_for_each(|probe| check_alive(services, probe.service.as_deref()))
}

/// An error when a service has failed, or the one that is waited for has ended at all. Any other may have done
/// its work, such as a migration.
pub fn check_alive(services: &mut [Service], awaited: Option<&str>) -> Result<(), CommandError> {
    for service in services {
        let Some(status) = service.status() else { continue };
        let name = service.name();
        if !status.success() || awaited == Some(name) {
            let how = service::ending(status);
            let error = CommandError::failure(format!("{name} ended with {how} before it was ready"));
            return Err(with_log(error, service));
        }
        service.end_is_known = true;
    }
    Ok(())
}

fn not_ready(probe: &Probe, services: &[Service], deadline: Duration, seen: &str) -> CommandError {
    let (name, deadline) = (probe.name(), terminal::duration(deadline));
    let error = CommandError::failure(format!("{name} was not ready within {deadline}: {seen}"))
        .hint("a service that needs longer is given it with --ready-timeout");
    let suspects = |service: &&Service| probe.service.as_ref().is_none_or(|name| name == service.name());
    services.iter().filter(suspects).fold(error, with_log)
}

fn with_log(error: CommandError, service: &Service) -> CommandError {
    error.excerpt(service.log.display().to_string(), service::log_tail(&service.log))
}

/// Waits until every service has shown that it is built with coverage. Says what they are, or who is not.
pub async fn wait_for_metadata(services: &[Service], are_ready: bool) -> Result<String, CommandError> {
    let deadline = Instant::now() + if are_ready { METADATA_AFTER_READY } else { METADATA_AFTER_START };
    let mut programs = Vec::new();
    for service in services {
        programs.extend(metadata(service, deadline).await?);
    }
    let go_versions = services.iter().flat_map(|service| instrumented::go_versions(service.process_id));
    Ok(instrumented::describe(go_versions, &programs))
}

async fn metadata(service: &Service, deadline: Instant) -> Result<Vec<PathBuf>, CommandError> {
    loop {
        // Asked before its files are looked at: once it has ended, no more will come.
        let has_ended = service.status().is_some();
        let found = coverage_data::find(&service.program.directory)?.directories;
        let metadata: Vec<_> = found.iter().flat_map(|covdata| &covdata.metadata).cloned().collect();
        if !metadata.is_empty() {
            return Ok(metadata);
        }
        if has_ended || Instant::now() >= deadline {
            return Err(not_instrumented(service, &found));
        }
        sleep(INTERVAL).await;
    }
}

fn not_instrumented(service: &Service, found: &[CovdataDirectory]) -> CommandError {
    let error =
        CommandError::failure(format!("{} runs without coverage: {NOT_INSTRUMENTED}", service.name())).hint(
            "rebuild it with go build -cover; a -coverpkg must include the import path of its main package",
        );
    let error = if found.iter().any(|covdata| !covdata.unfinished.is_empty()) {
        error.hint("it left unfinished tmp.cov* files: is the disk full?")
    } else {
        error
    };
    with_log(error, service)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Probe, CommandError> {
        let plans =
            [Plan { name: "api".to_owned(), environment: Vec::new(), words: vec!["./api".to_owned()] }];
        probe(value, &plans)
    }

    #[test]
    fn addresses_may_name_their_service() {
        let probe = read("api=http://localhost:8080/healthz?full=1").unwrap();
        assert_eq!(probe.service.as_deref(), Some("api"));
        assert_eq!(probe.name(), "http://localhost:8080/healthz?full=1");
        assert_eq!(probe.endpoint(), "localhost:8080");

        let probe = read("http://localhost/?service=api").unwrap();
        assert_eq!((probe.service.as_deref(), probe.endpoint().as_str()), (None, "localhost:80"));
        assert_eq!(read(":8080").unwrap().name(), "localhost:8080");
        assert_eq!(read("api=[::1]:8080").unwrap().name(), "[::1]:8080");
    }

    #[test]
    fn what_cannot_be_waited_for_is_refused() {
        for wrong in
            ["8080", "localhost", "localhost:http", "https://localhost", "worker=:8080", "=:8080", ""]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
