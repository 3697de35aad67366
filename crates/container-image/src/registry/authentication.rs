//! How a registry lets somebody in: a password with each request, or a token that another server gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::client::{Client, request_target};
use crate::Error;
use crate::credentials::Credentials;
use crate::http::Request;

/// Tokens are a few kilobytes.
const MAX_TOKEN_BYTES: u64 = 1 << 20;

/// One `WWW-Authenticate`: a scheme, and what to do for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(super) fn read(header: &str) -> Option<Self> {
        let header = header.trim();
        let (scheme, mut rest) = header.split_once(' ').unwrap_or((header, ""));
        let mut parameters = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', ',', '\t']);
            if rest.is_empty() {
                return Some(Self { scheme: scheme.to_ascii_lowercase(), parameters });
            }
            let (key, after) = rest.split_once('=')?;
            let (value, after) = if let Some(quoted) = after.trim_start().strip_prefix('"') {
                unquote(quoted)?
            } else {
                let (value, after) = after.split_at(after.find(',').unwrap_or(after.len()));
                (value.trim().to_owned(), after)
            };
            parameters.push((key.trim().to_ascii_lowercase(), value));
            rest = after;
        }
    }

    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme == scheme
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The text up to the quote, and what comes after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(offset + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// A password with each request.
pub(super) fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    match credentials {
        Credentials::Password { user, password } => {
            secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        }
        Credentials::IdentityToken(_) | Credentials::RegistryToken(_) => None,
    }
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

/// A token for reading this repository, from the server that the registry names.
pub(super) async fn bearer(
    client: &mut Client,
    challenge: &Challenge,
    credentials: Option<Credentials>,
) -> Result<HeaderValue, Error> {
    let token = match credentials {
        Some(Credentials::RegistryToken(token)) => token,
        credentials => fetch_token(client, challenge, credentials).await?,
    };
    secret(&format!("Bearer {token}")).ok_or_else(|| client.answer("its token is none"))
}

async fn fetch_token(
    client: &mut Client,
    challenge: &Challenge,
    credentials: Option<Credentials>,
) -> Result<String, Error> {
    let realm = challenge.parameter("realm").unwrap_or_default();
    let mut realm =
        Url::parse(realm).map_err(|_| client.answer(format!("it gives out tokens at {realm:?}")))?;
    // Not what the registry asks for: reading is enough.
    let scope = format!("repository:{}:pull", client.repository());
    let mut parameters = vec![("scope", scope)];
    parameters.extend(challenge.parameter("service").map(|service| ("service", service.to_owned())));
    let request = match credentials {
        Some(Credentials::IdentityToken(token)) => {
            parameters.extend([
                ("grant_type", "refresh_token".to_owned()),
                ("client_id", "podcov".to_owned()),
                ("refresh_token", token),
            ]);
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(parameters);
            Request { form: Some(form.finish()), ..Request::get(request_target(&realm)) }
        }
        credentials => {
            realm.query_pairs_mut().extend_pairs(parameters);
            let mut request = Request::get(request_target(&realm));
            let password = credentials.as_ref().and_then(basic);
            request.headers.extend(password.map(|password| (AUTHORIZATION, password)));
            request
        }
    };
    let response = client.send(&realm, request).await?;
    match response.status.as_u16() {
        200 => {}
        // As if the registry had: it says nothing more about the image.
        400 | 401 | 403 => return Err(client.unauthorized()),
        status => {
            return Err(Error::RegistryRefused {
                registry: realm.host_str().unwrap_or_default().to_owned(),
                what: "a token".to_owned(),
                status,
                message: response.message().await,
            });
        }
    }
    let bytes = response.bytes(MAX_TOKEN_BYTES).await.map_err(|error| client.failed(error))?;
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| client.answer("its token is no JSON"))?;
    answer.token.or(answer.access_token).ok_or_else(|| client.answer("it gives no token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_with_its_parameters() {
        let challenge = Challenge::read(
            r#"Bearer realm="https://auth.example/token?x=1,2",service="registry \"x\"" , scope="repository:a:pull""#,
        );
        let challenge = challenge.unwrap();
        assert!(challenge.is("bearer"));
        assert_eq!(challenge.parameter("realm"), Some("https://auth.example/token?x=1,2"));
        assert_eq!(challenge.parameter("service"), Some("registry \"x\""));
        assert_eq!(Challenge::read("Basic realm=shop, x=y").unwrap().parameter("realm"), Some("shop"));
        assert!(Challenge::read("Basic").unwrap().is("basic"));
    }

    #[test]
    fn a_damaged_challenge_is_none() {
        for header in [r#"Bearer realm="https://a"#, "Bearer realm", r#"Bearer realm="a\"#, "Bearer ="] {
            let challenge = Challenge::read(header);
            assert!(challenge.is_none_or(|it| it.parameter("realm").is_none()), "{header}");
        }
    }
}
