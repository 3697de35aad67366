//! What `docker login` and `podman login` stored, and the programs that keep secrets for them.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::path::printable;
use crate::{Environment, Error};

/// Something to log in with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    Password {
        user: String,
        password: String,
    },
    /// To be changed into a token of the registry.
    IdentityToken(String),
    /// The registry's own.
    RegistryToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::IdentityToken(_) => "IdentityToken(…)",
            Self::RegistryToken(_) => "RegistryToken(…)",
        })
    }
}

/// What was found for a registry.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) credentials: Option<Credentials>,
    /// The file, or the program that it names.
    pub(crate) from: Option<String>,
}

/// The key of Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: HashMap<String, Entry>,
    cred_helpers: HashMap<String, String>,
    creds_store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

/// The first credentials for a repository. Files that do not exist have none.
pub(crate) fn find(environment: &Environment, registry: &str, repository: &str) -> Result<Stored, Error> {
    for path in files(environment) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => return Err(Error::Credentials { file: path, reason: error.to_string() }),
        };
        let file: File = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Credentials { file: path.clone(), reason: error.to_string() })?;
        if let Some(helper) = file.helper(registry)
            && let Some(credentials) = ask(environment, helper, registry, &path)?
        {
            let from = format!("{PREFIX}{helper}");
            return Ok(Stored { credentials: Some(credentials), from: Some(from) });
        }
        if let Some(credentials) = file.entry(registry, repository, &path)? {
            return Ok(Stored { credentials: Some(credentials), from: Some(path.display().to_string()) });
        }
    }
    Ok(Stored::default())
}

/// In the order in which Docker's and Podman's tools look.
fn files(environment: &Environment) -> Vec<PathBuf> {
    let of_user = environment.variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let of_user = of_user.or_else(|| Some(environment.home()?.join(".config")));
    [
        environment.variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
        environment.docker_directory().map(|docker| docker.join("config.json")),
        environment.runtime_directory().map(|runtime| runtime.join("containers/auth.json")),
        of_user.map(|config| config.join("containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl File {
    fn helper(&self, registry: &str) -> Option<&str> {
        let keys = [registry, if registry == "docker.io" { DOCKER_HUB } else { registry }, "index.docker.io"];
        let keys = if registry == "docker.io" { &keys[..] } else { &keys[..1] };
        let of_registry = keys.iter().find_map(|key| self.cred_helpers.get(*key));
        of_registry.or(Some(&self.creds_store)).map(String::as_str).filter(|helper| !helper.is_empty())
    }

    /// The entry of the longest part of `registry/repository`: Podman has them for parts of a registry.
    fn entry(&self, registry: &str, repository: &str, path: &Path) -> Result<Option<Credentials>, Error> {
        let whole = format!("{registry}/{repository}");
        let mut wanted = Some(whole.as_str());
        while let Some(part) = wanted {
            let found = self.auths.iter().find(|(key, entry)| place(key) == part && !entry.is_empty());
            if let Some((key, entry)) = found {
                let bad =
                    |reason| Error::Credentials { file: path.to_owned(), reason: format!("{key}: {reason}") };
                return entry.credentials().map(Some).map_err(bad);
            }
            wanted = part.rsplit_once('/').map(|(part, _)| part);
        }
        Ok(None)
    }
}

/// The registry, or the part of it, that a key means: old ones are URLs.
fn place(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    if matches!(key, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { key }
}

impl Entry {
    /// As those are whose secrets a program keeps.
    const fn is_empty(&self) -> bool {
        self.auth.is_empty()
            && self.username.is_empty()
            && self.identitytoken.is_empty()
            && self.registrytoken.is_empty()
    }

    fn credentials(&self) -> Result<Credentials, &'static str> {
        if !self.registrytoken.is_empty() {
            return Ok(Credentials::RegistryToken(self.registrytoken.clone()));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Credentials::IdentityToken(self.identitytoken.clone()));
        }
        if self.auth.is_empty() {
            return Ok(Credentials::Password {
                user: self.username.clone(),
                password: self.password.clone(),
            });
        }
        let pair = STANDARD.decode(self.auth.trim()).map_err(|_| "its auth is no base64")?;
        let pair = String::from_utf8(pair).map_err(|_| "its auth is no text")?;
        let (user, password) = pair.split_once(':').ok_or("its auth has no colon")?;
        // Docker has written such an end.
        let password = password.trim_end_matches('\0');
        Ok(Credentials::Password { user: user.to_owned(), password: password.to_owned() })
    }
}

const PREFIX: &str = "docker-credential-";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    #[serde(default)]
    username: String,
    secret: String,
}

/// Asks `docker-credential-HELPER get`.
fn ask(
    environment: &Environment,
    helper: &str,
    registry: &str,
    file: &Path,
) -> Result<Option<Credentials>, Error> {
    let program = format!("{PREFIX}{helper}");
    let failed = |reason: String| Error::CredentialHelper {
        helper: program.clone(),
        file: file.to_owned(),
        registry: registry.to_owned(),
        reason,
    };
    if helper.contains(['/', '\\']) {
        return Err(failed("its name is a path".to_owned()));
    }
    let server = if registry == "docker.io" { DOCKER_HUB } else { registry };
    let mut command = Command::new(&program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.envs(environment.variables()).spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read fails, or has its reasons.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        // On standard output, in practice.
        let words = [output.stdout, output.stderr].concat();
        let words = printable(words.trim_ascii());
        if words.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(if words.is_empty() { output.status.to_string() } else { words }));
    }
    let answer: HelperAnswer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is not that of a credential helper".to_owned()))?;
    Ok(Some(match &answer.username[..] {
        "<token>" => Credentials::IdentityToken(answer.secret),
        _ => Credentials::Password { user: answer.username, password: answer.secret },
    }))
}
