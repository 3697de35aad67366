//! Where engines listen: what the user set, else where they usually do.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Engine, PATIENCE};
use crate::http::{Address, Server};
use crate::{Digest, Environment, Error};

/// The engines to ask, in this order. Nobody may listen there.
pub(super) fn engines(environment: &Environment) -> Result<Vec<Engine>, Error> {
    if let Some(address) = environment.variable("DOCKER_HOST") {
        return Ok(vec![set(environment, address, "DOCKER_HOST")?]);
    }
    let mut engines = Vec::new();
    if let Some((address, file)) = of_context(environment)? {
        engines.push(set(environment, &address, &file)?);
    }
    if let Some(address) = environment.variable("CONTAINER_HOST") {
        engines.push(set(environment, address, "CONTAINER_HOST")?);
    }
    for engine in usual(environment) {
        if engines.iter().all(|other: &Engine| other.address != engine.address) {
            engines.push(engine);
        }
    }
    Ok(engines)
}

/// One whose address a variable or a file says.
fn set(environment: &Environment, address: &str, said_by: &str) -> Result<Engine, Error> {
    let bad =
        |reason| Error::EngineAddress { address: address.to_owned(), said_by: said_by.to_owned(), reason };
    let (scheme, place) = address.split_once("://").ok_or_else(|| bad("it has no scheme such as unix://"))?;
    match scheme {
        "unix" => socket(Path::new(place)).ok_or_else(|| bad("there are no Unix sockets on this system")),
        "tcp" | "http" => {
            if environment.variable("DOCKER_TLS_VERIFY").is_some()
                || environment.variable("DOCKER_CERT_PATH").is_some()
            {
                return Err(bad("TLS to an engine is not supported; forward its socket with ssh -L"));
            }
            let (host, port) = crate::reference::split_port(place.trim_end_matches('/'));
            let port = port.map_or(Ok(2375), str::parse).map_err(|_| bad("its port is no number"))?;
            let address = Address::Tcp { host: host.to_owned(), port, tls: None, proxy: None };
            Ok(engine(format!("{scheme}://{place}"), address))
        }
        "ssh" => Err(bad("ssh is not supported; forward the engine's socket with ssh -L")),
        "npipe" => Err(bad("named pipes are not supported; have the engine listen on tcp://localhost:2375")),
        _ => Err(bad("only unix:// and tcp:// are supported")),
    }
}

const fn engine(address: String, to: Address) -> Engine {
    Engine { address, server: Server { address: to, patience: PATIENCE } }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn socket(path: &Path) -> Option<Engine> {
    Some(engine(format!("unix://{}", path.display()), Address::Socket(path.to_owned())))
}

#[cfg(not(unix))]
fn socket(_: &Path) -> Option<Engine> {
    None
}

/// Where Docker and Podman listen, for everybody and for one user, and Docker Desktop, Rancher Desktop and Colima.
fn usual(environment: &Environment) -> Vec<Engine> {
    let mut paths = vec![environment.system("var/run/docker.sock")];
    if let Some(home) = environment.home() {
        let of_user = [
            ".docker/run/docker.sock",
            ".docker/desktop/docker.sock",
            ".rd/docker.sock",
            ".colima/default/docker.sock",
        ];
        // Most machines have none of them, and the list of what was tried is for people.
        paths.extend(of_user.iter().map(|path| home.join(path)).filter(|path| path.exists()));
    }
    if let Some(runtime) = environment.runtime_directory() {
        paths.extend(["docker.sock", "podman/podman.sock"].map(|path| runtime.join(path)));
    }
    paths.push(environment.system("run/podman/podman.sock"));
    let mut engines: Vec<Engine> = paths.iter().filter_map(|path| socket(path)).collect();
    if engines.is_empty() {
        let address = Address::Tcp { host: "localhost".to_owned(), port: 2375, tls: None, proxy: None };
        engines.push(engine("tcp://localhost:2375".to_owned(), address));
    }
    engines
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

/// The address in Docker's current context, and the file that says it. The context `default` has none.
fn of_context(environment: &Environment) -> Result<Option<(String, String)>, Error> {
    let Some(directory) = environment.docker_directory() else { return Ok(None) };
    let name = match environment.variable("DOCKER_CONTEXT") {
        Some(name) => Some(name.to_owned()),
        None => {
            read::<DockerConfig>(&directory.join("config.json"))?.and_then(|config| config.current_context)
        }
    };
    let Some(name) = name.filter(|name| name != "default" && !name.is_empty()) else { return Ok(None) };
    let digits = Digest::of(name.as_bytes()).hexadecimal();
    let file = directory.join("contexts/meta").join(digits).join("meta.json");
    let host = read::<Context>(&file)?.and_then(|context| context.endpoints.docker?.host);
    Ok(host.map(|host| (host, file.display().to_string())))
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<Option<T>, Error> {
    let Ok(bytes) = fs::read(file) else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::json(file.display().to_string(), source))
}
