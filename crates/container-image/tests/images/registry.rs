//! Images of a real registry, which asks for logins in every way there is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use podcov_container_image::{Digest, Environment, Error, HttpError, ImageReader, Platform, Reference};
use serde_json::{Value, json};

use crate::layout::{Layout, file};
use crate::tools::{
    Registry, assert_same, crane, docker, exported, has_engine, listing, local, reader, shape_image, story,
};

const USER: &str = "shop";
const PASSWORD: &str = "correct horse: battery";
/// `USER:PASSWORD` by `base64`.
const AUTH: &str = "c2hvcDpjb3JyZWN0IGhvcnNlOiBiYXR0ZXJ5";

impl Registry {
    /// Puts a small image there.
    fn with_image(self, name: &str) -> Self {
        let layout = Layout::of_layers(&[file("app/server", b"binary")]);
        crane(&["push", "--insecure", layout.path().to_str().unwrap(), &self.name(name)]);
        self
    }

    async fn read(&self, reader: &ImageReader, image: &str) -> Result<Vec<String>, Error> {
        let reference: Reference = self.name(image).parse().unwrap();
        let image = reader.from_registry(&reference, &local()).await?;
        let files = image.into_file_system().await?;
        Ok(files.regular_files().map(|(path, _)| path.to_string()).collect())
    }
}

/// A home directory with this `config.json`.
fn with_docker_config(config: &Value) -> (tempfile::TempDir, ImageReader) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".docker")).unwrap();
    std::fs::write(home.path().join(".docker/config.json"), config.to_string()).unwrap();
    let reader = reader_at(home.path());
    (home, reader)
}

fn reader_at(home: &Path) -> ImageReader {
    let path = format!("{}:/usr/bin:/bin", home.display());
    ImageReader::new(Environment::of_variables(home, [("HOME", home.to_str().unwrap()), ("PATH", &path)]))
}

#[tokio::test]
async fn it_is_what_crane_says_and_docker_exports() {
    if !has_engine("it_is_what_crane_says_and_docker_exports") {
        return;
    }
    let registry = Registry::serve(&[]);
    let name = registry.name("shop/shape:v1");
    let saved = tempfile::NamedTempFile::new().unwrap();
    docker(&["save", "--output", saved.path().to_str().unwrap(), shape_image()]);
    crane(&["push", saved.path().to_str().unwrap(), &name]);

    let image = reader().from_registry(&name.parse().unwrap(), &local()).await.unwrap();
    let config: Value = serde_json::from_str(&crane(&["config", &name])).unwrap();
    assert_eq!(json!(image.config().entrypoint), config["config"]["Entrypoint"]);
    assert_eq!(json!(image.config().command), config["config"]["Cmd"]);
    assert_eq!(json!(image.config().environment), config["config"]["Env"]);
    let digest = crane(&["digest", &name]);
    assert_eq!(image.digests().manifest.unwrap().to_string(), digest);
    let engines = reader().from_engine(shape_image(), &local()).await.unwrap();
    assert_eq!(image.digests().config, engines.digests().config);
    assert_same(&listing(&image.into_file_system().await.unwrap()), &exported(shape_image()));

    let by_digest = format!("{}@{digest}", registry.name("shop/shape"));
    let by_digest = reader().from_registry(&by_digest.parse().unwrap(), &local()).await.unwrap();
    assert_eq!(by_digest.digests().manifest.unwrap().to_string(), digest);
}

#[tokio::test]
async fn an_engine_remembers_the_digest_of_what_it_pushed() {
    if !has_engine("an_engine_remembers_the_digest_of_what_it_pushed") {
        return;
    }
    let registry = Registry::serve(&[]);
    let name = registry.name("shop/pushed:v1");
    docker(&["tag", shape_image(), &name]);
    docker(&["push", "--quiet", &name]);
    let image = reader().from_engine(&name, &local()).await.unwrap();
    docker(&["rmi", &name]);
    assert!(image.has_digest(crane(&["digest", &name]).parse().unwrap()));
    assert!(!image.has_digest(Digest::of(b"another image")));
}

#[tokio::test]
async fn of_an_index_the_wanted_platform_is_read() {
    let registry = Registry::serve(&[]).with_image("api:one");
    let (one, all) = (registry.name("api:one"), registry.name("api:all"));
    for architecture in ["amd64", "arm64"] {
        let tag = registry.name(&format!("api:{architecture}"));
        let platform = format!("linux/{architecture}");
        crane(&[
            "mutate",
            &one,
            "--entrypoint",
            &format!("/{architecture}"),
            "--set-platform",
            &platform,
            "--tag",
            &tag,
        ]);
    }
    let (amd64, arm64) = (registry.name("api:amd64"), registry.name("api:arm64"));
    crane(&["index", "append", "--manifest", &amd64, "--manifest", &arm64, "--tag", &all]);
    for (architecture, tag) in [("amd64", &amd64), ("arm64", &arm64)] {
        let platform = Platform::linux(architecture);
        let image = reader().from_registry(&all.parse().unwrap(), &platform).await.unwrap();
        assert_eq!(image.config().entrypoint, [format!("/{architecture}")]);
        assert_eq!(image.digests().manifest.unwrap().to_string(), crane(&["digest", tag]));
        assert_eq!(image.digests().index.unwrap().to_string(), crane(&["digest", &all]));
    }
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    crane(&["pull", "--format", "oci", &all, layout.to_str().unwrap()]);
    let image = reader().from_archive(&layout, None, &Platform::linux("arm64")).await.unwrap();
    assert_eq!(image.config().entrypoint, ["/arm64"]);
    assert_eq!(image.digests().index.unwrap().to_string(), crane(&["digest", &all]));
    let error = reader().from_registry(&all.parse().unwrap(), &Platform::linux("s390x")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{all} is not for linux/s390x; it is for: linux/amd64, linux/arm64")
    );
    let error = reader().from_registry(&arm64.parse().unwrap(), &Platform::linux("amd64")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{arm64} is not for linux/amd64; it is for: linux/arm64"));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let registry = Registry::serve(&[]).with_image("api");
    let error = registry.read(&reader(), "other:v1").await.unwrap_err();
    assert_eq!(error.to_string(), format!("no image {} in its registry", registry.name("other:v1")));
    let address = registry.address.clone();
    drop(registry);
    let reference: Reference = format!("{address}/api").parse().unwrap();
    let error = reader().from_registry(&reference, &local()).await.unwrap_err();
    assert!(matches!(&error, Error::Http(_, HttpError::Connect(_))), "{}", story(&error));
}

#[tokio::test]
async fn a_password_opens_a_registry() {
    for login in ["basic", "bearer"] {
        let registry = Registry::serve(&["--login", login]).with_image("api");
        let (_home, reader) = with_docker_config(&json!({"auths": {&registry.address: {"auth": AUTH}}}));
        assert_eq!(registry.read(&reader, "api").await.unwrap(), ["/app/server"], "{login}");
        let old_key = format!("https://{}/v1/", registry.address);
        let (_home, reader) = with_docker_config(&json!({"auths": {old_key: {"auth": AUTH}}}));
        registry.read(&reader, "api").await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_password_names_the_file() {
    for login in ["basic", "bearer"] {
        let registry = Registry::serve(&["--login", login]).with_image("api");
        let entry = json!({"username": USER, "password": "wrong"});
        let (home, reader) = with_docker_config(&json!({"auths": {&registry.address: entry}}));
        let error = registry.read(&reader, "api").await.unwrap_err();
        let file = home.path().join(".docker/config.json");
        let Error::Unauthorized { credentials, .. } = &error else { panic!("{}", story(&error)) };
        assert_eq!(credentials.as_deref(), file.to_str());
        assert!(error.to_string().contains(&format!("`docker login {}`", registry.address)), "{error}");
        assert!(!format!("{error:?}").contains("wrong"), "{error:?}");

        let error = registry.read(&crate::tools::reader(), "api").await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { credentials: None, .. }), "{}", story(&error));
    }
}

#[tokio::test]
async fn anybody_gets_a_token_for_what_is_public() {
    let registry = Registry::serve(&["--login", "bearer"]).with_image("public/api");
    assert_eq!(registry.read(&reader(), "public/api").await.unwrap(), ["/app/server"]);
}

#[tokio::test]
async fn an_identity_token_is_changed_for_one_of_the_registry() {
    let registry = Registry::serve(&["--login", "bearer"]).with_image("api");
    let entry = json!({"auth": "c2hvcDo=", "identitytoken": "identity-of-shop"});
    let (_home, reader) = with_docker_config(&json!({"auths": {&registry.address: entry}}));
    registry.read(&reader, "api").await.unwrap();
    let (_home, reader) =
        with_docker_config(&json!({"auths": {&registry.address: {"identitytoken": "of another"}}}));
    assert!(matches!(registry.read(&reader, "api").await.unwrap_err(), Error::Unauthorized { .. }));
}

/// A credential helper that knows one registry.
fn install_helper(directory: &Path, registry: &str, answer: &Value) {
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = get ] || exit 2\nread -r registry\nif [ \"$registry\" = '{registry}' ]; then\n\
         echo '{answer}'\nelse echo 'credentials not found in native keychain'; exit 1; fi\n"
    );
    let file = directory.join("docker-credential-test");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_credential_helper_is_asked() {
    let registry = Registry::serve(&["--login", "bearer"]).with_image("api").with_image("public/api");
    let answers = [
        json!({"ServerURL": "x", "Username": USER, "Secret": PASSWORD}),
        json!({"ServerURL": "x", "Username": "<token>", "Secret": "identity-of-shop"}),
    ];
    for answer in answers {
        for config in [json!({"credsStore": "test"}), json!({"credHelpers": {&registry.address: "test"}})] {
            let (home, reader) = with_docker_config(&config);
            install_helper(home.path(), &registry.address, &answer);
            registry.read(&reader, "api").await.unwrap();
            // It has none for others, which is no mistake.
            install_helper(home.path(), "another.example", &answer);
            registry.read(&reader, "public/api").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_credential_helper_that_fails_is_named() {
    let registry = Registry::serve(&["--login", "bearer"]).with_image("api");
    let (home, reader) = with_docker_config(&json!({"credsStore": "test"}));
    let error = registry.read(&reader, "api").await.unwrap_err();
    assert!(error.to_string().starts_with("docker-credential-test, which "), "{error}");
    let file = home.path().join("docker-credential-test");
    std::fs::write(&file, "#!/bin/sh\necho the keychain is locked; exit 1\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = registry.read(&reader, "api").await.unwrap_err();
    assert!(error.to_string().ends_with("failed: the keychain is locked"), "{error}");
}

#[tokio::test]
async fn a_damaged_configuration_of_docker_is_named() {
    let registry = Registry::serve(&["--login", "basic"]).with_image("api");
    let (home, reader) = with_docker_config(&json!({"auths": {&registry.address: {"auth": "no base64!"}}}));
    let error = registry.read(&reader, "api").await.unwrap_err();
    let file = home.path().join(".docker/config.json");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot use the credentials in {}: {}: its auth is no base64",
            file.display(),
            registry.address
        )
    );
}

#[tokio::test]
async fn an_authority_for_one_registry_is_believed_there() {
    let home = tempfile::tempdir().unwrap();
    let authority = home.path().join("authority.crt");
    let registry = Registry::serve(&["--login", "bearer", "--certificate", authority.to_str().unwrap()])
        .with_image("api");
    let directory = home.path().join("etc/docker/certs.d").join(&registry.address);
    std::fs::create_dir_all(&directory).unwrap();
    let reader = reader_at(home.path());
    let error = registry.read(&reader, "api").await.unwrap_err();
    assert!(matches!(error, Error::Http(_, HttpError::Tls(_))), "{}", story(&error));
    assert!(story(&error).contains("UnknownIssuer"), "{}", story(&error));

    std::fs::copy(&authority, directory.join("ca.crt")).unwrap();
    std::fs::create_dir(home.path().join(".docker")).unwrap();
    let config = json!({"auths": {&registry.address: {"auth": AUTH}}});
    std::fs::write(home.path().join(".docker/config.json"), config.to_string()).unwrap();
    assert_eq!(registry.read(&reader, "api").await.unwrap(), ["/app/server"]);
}

#[tokio::test]
async fn credentials_stay_with_the_registry_when_blobs_are_elsewhere() {
    let registry = Registry::serve(&["--login", "basic", "--elsewhere"]).with_image("api");
    let (_home, reader) = with_docker_config(&json!({"auths": {&registry.address: {"auth": AUTH}}}));
    assert_eq!(registry.read(&reader, "api").await.unwrap(), ["/app/server"]);
}

#[tokio::test]
async fn a_layer_that_is_another_on_arrival_is_refused() {
    let registry = Registry::serve(&[]).with_image("damaged/api");
    let error = registry.read(&reader(), "damaged/api").await.unwrap_err();
    assert!(matches!(error, Error::OtherDigest { .. }), "{}", story(&error));
    assert!(error.to_string().starts_with("layer 1 of 1 of "), "{error}");
}
