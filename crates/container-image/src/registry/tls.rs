//! Whom to believe: this machine's authorities, and those that Docker or Podman were given for one registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::{Environment, Error};

/// Made when it is first needed: it reads many files.
#[derive(Debug)]
pub(super) struct Tls {
    directories: Vec<PathBuf>,
    configuration: Option<Arc<ClientConfig>>,
}

/// Where certificates for a registry are.
pub(super) fn directories(environment: &Environment, registry: &str) -> Vec<PathBuf> {
    let mut directories = vec![
        environment.system("etc/docker/certs.d").join(registry),
        environment.system("etc/containers/certs.d").join(registry),
    ];
    directories.extend(environment.docker_directory().map(|docker| docker.join("certs.d").join(registry)));
    directories.retain(|directory| directory.is_dir());
    directories
}

impl Tls {
    pub(super) const fn new(directories: Vec<PathBuf>) -> Self {
        Self { directories, configuration: None }
    }

    pub(super) fn configuration(&mut self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(configuration) = &self.configuration {
            return Ok(Arc::clone(configuration));
        }
        let configuration = Arc::new(self.make()?);
        self.configuration = Some(Arc::clone(&configuration));
        Ok(configuration)
    }

    fn make(&self) -> Result<ClientConfig, Error> {
        let mut authorities = Vec::new();
        for directory in &self.directories {
            authorities.extend(certificates(directory)?);
        }
        let provider = Arc::new(ring::default_provider());
        let unusable =
            |error: rustls::Error| Error::Certificates("of this machine".to_owned(), Box::new(error));
        let verifier =
            Verifier::new_with_extra_roots(authorities, Arc::clone(&provider)).map_err(unusable)?;
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    }
}

/// Files of the name `*.crt` are authorities; others are for clients.
fn certificates(directory: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = |source| Error::unreadable(directory.display().to_string(), source);
    let mut certificates = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_none_or(|extension| extension != "crt") {
            continue;
        }
        let unusable = |error| Error::Certificates(format!("in {}", file.display()), Box::new(error));
        let found = CertificateDer::pem_file_iter(&file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        certificates.extend(found.map_err(unusable)?);
    }
    Ok(certificates)
}
