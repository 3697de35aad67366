//! Names of images, as people and pods write them.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, Error};

/// What a name without a registry means.
const DOCKER_HUB: &str = "docker.io";
/// What Docker's own tools write in a configuration for Docker Hub.
const OLD_DOCKER_HUB: &str = "index.docker.io";

/// The name of an image in a registry: `REGISTRY/REPOSITORY:TAG@DIGEST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Host, and port where there is one.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path within the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The digest that the image has to have.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The tag. A digest counts more: then the tag is only said.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }

    /// What a registry is asked for: digest, else tag.
    pub(crate) fn selector(&self) -> String {
        self.digest.map_or_else(|| self.tag().to_owned(), |digest| digest.to_string())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        match (&self.tag, &self.digest) {
            (Some(tag), Some(digest)) => write!(formatter, ":{tag}@{digest}"),
            (None, Some(digest)) => write!(formatter, "@{digest}"),
            (_, None) => write!(formatter, ":{}", self.tag()),
        }
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |reason| Error::BadReference { reference: text.to_owned(), reason };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| bad("its digest is no sha256"))?)),
            None => (text, None),
        };
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[last..].rfind(':').map(|colon| name.split_at(last + colon)) {
            Some((name, tag)) => (name, Some(tag[1..].to_owned())),
            None => (name, None),
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(bad("its tag has other characters than letters, digits, '_', '.' and '-'"));
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest.to_owned()),
            _ => (DOCKER_HUB, name.to_owned()),
        };
        let registry = if registry == OLD_DOCKER_HUB { DOCKER_HUB } else { registry };
        let repository = if registry == DOCKER_HUB && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository
        };
        if !is_host(registry) {
            return Err(bad("its registry is no host name"));
        }
        if !is_repository(&repository) {
            return Err(bad("its repository is not of lower-case letters, digits, '.', '_', '-' and '/'"));
        }
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

/// Docker's rule: `shop/api` is on Docker Hub, `shop.example/api` is not.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.chars().any(|letter| letter.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    let (host, port) = split_port(text);
    let host_is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    };
    host_is_good && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Host and port of `HOST[:PORT]`; an IPv6 address is in brackets.
pub(crate) fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn is_repository(text: &str) -> bool {
    text.len() <= 255
        && text.split('/').all(|part| {
            let ends = [part.bytes().next(), part.bytes().last()];
            ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
                && part.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
                })
        })
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn short_names_are_those_of_docker_hub() {
        for (text, whole) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("shop/api:1.2", "docker.io/shop/api:1.2"),
            ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
            ("localhost/api", "localhost/api:latest"),
            ("localhost:5000/shop/api:v1", "localhost:5000/shop/api:v1"),
            ("[::1]:5000/api", "[::1]:5000/api:latest"),
            ("ghcr.io/shop/api_x.y-z", "ghcr.io/shop/api_x.y-z:latest"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), whole, "{text}");
        }
    }

    #[test]
    fn a_digest_counts_more_than_a_tag() {
        let reference: Reference = format!("ghcr.io/shop/api:v1@{DIGEST}").parse().unwrap();
        assert_eq!(reference.selector(), DIGEST);
        assert_eq!(reference.to_string(), format!("ghcr.io/shop/api:v1@{DIGEST}"));
    }

    #[test]
    fn what_would_change_the_request_is_no_reference() {
        for text in [
            "",
            "/",
            "a b",
            "ghcr.io/../api",
            "ghcr.io//api",
            "ghcr.io/api?x=1",
            "ghcr.io/api:a/b",
            "ghcr.io/api:",
            "ghcr.io/api@sha256:12",
            "ghcr.io:99999/api",
            "user@ghcr.io/api",
            "ghcr.io/API",
            "ghcr.io/api%2f",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
