//! Images of the engine on this machine.

use std::io::Read;
use std::os::unix::net::UnixListener;

use podcov_container_image::{CommandLine, Environment, Error, ImageReader, Node, Platform, find_container};
use serde_json::Value;

use crate::tools::{
    assert_same, build_image, docker, environment, exported, has_engine, listing, local, reader, shape_image,
    skip, story,
};

fn words(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_configuration_is_what_docker_inspect_says() {
    if !has_engine("the_configuration_is_what_docker_inspect_says") {
        return;
    }
    let image = reader().from_engine(shape_image(), &local()).await.unwrap();
    let inspected: Value = serde_json::from_str(&docker(&["inspect", shape_image()])).unwrap();
    let (inspected, config) = (&inspected[0], image.config());
    assert_eq!(config.entrypoint, words(&inspected["Config"]["Entrypoint"]));
    assert_eq!(config.command, words(&inspected["Config"]["Cmd"]));
    assert_eq!(config.environment, words(&inspected["Config"]["Env"]));
    assert_eq!(config.user, inspected["Config"]["User"]);
    assert_eq!(config.working_directory, inspected["Config"]["WorkingDir"]);
    assert_eq!(config.stop_signal, inspected["Config"]["StopSignal"]);
    assert_eq!(config.platform.architecture, inspected["Architecture"]);
    assert_eq!(config.platform.os, inspected["Os"]);
    assert_eq!(image.digests().config.unwrap().to_string(), inspected["Id"]);
    let id = inspected["Id"].as_str().unwrap();
    for name in [id, &id["sha256:".len()..][..12]] {
        assert_eq!(reader().from_engine(name, &local()).await.unwrap().config(), config, "{name}");
    }
}

/// What containerd does at import is in a test of the manifest itself; here it is of the same image.
#[tokio::test]
async fn a_saved_image_has_the_digest_of_its_archive() {
    if !has_engine("a_saved_image_has_the_digest_of_its_archive") {
        return;
    }
    let find = || async { reader().from_engine(shape_image(), &local()).await.unwrap() };
    let saved = find().await.digests_when_saved().await.unwrap();
    assert_eq!(saved.config, find().await.digests().config);
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("image.tar");
    docker(&["save", "--output", archive.to_str().unwrap(), shape_image()]);
    let in_archive = reader().from_archive(&archive, None, &local()).await.unwrap().digests();
    assert_eq!((saved.imported, saved.manifest), (in_archive.imported, in_archive.manifest));
    assert!(saved.imported.or(saved.manifest).is_some());
}

#[tokio::test]
async fn the_files_are_those_of_docker_export() {
    if !has_engine("the_files_are_those_of_docker_export") {
        return;
    }
    let image = reader().from_engine(shape_image(), &local()).await.unwrap();
    let files = image.into_file_system().await.unwrap();
    assert_same(&listing(&files), &exported(shape_image()));
}

#[tokio::test]
async fn links_are_followed_within_the_image_only() {
    if !has_engine("links_are_followed_within_the_image_only") {
        return;
    }
    let image = reader().from_engine(shape_image(), &local()).await.unwrap();
    let files = image.into_file_system().await.unwrap();
    for path in [
        "/data/keep",
        "data/link",
        "/data/absolute",
        "/data/up",
        "/../../data/./link",
        "/data/hard-link-to-link",
    ] {
        let mut contents = String::new();
        files.open(path).unwrap().read_to_string(&mut contents).unwrap();
        assert_eq!(contents, "kept\n", "{path}");
        assert_eq!(files.resolve(path).unwrap().0.to_string(), "/data/keep");
    }
    assert_eq!(files.resolve("/lib/second").unwrap().0.to_string(), "/usr/lib/second");
    assert!(matches!(files.resolve("/"), Ok((_, Node::Directory(_)))));
    assert!(matches!(files.resolve("/data/loop-a"), Err(Error::TooManyLinks(_))));
    assert!(matches!(files.resolve("/data/dangling"), Err(Error::NoSuchFile(_))));
    assert!(matches!(files.resolve("/data/keep/x"), Err(Error::NotADirectory(_))));
    assert!(matches!(files.open("/data"), Err(Error::NotAFile(_))));
    assert_eq!(files.open("/data/caf\u{e9}").unwrap_err().to_string(), "no /data/caf\u{e9} in the image");
}

#[tokio::test]
async fn the_executable_is_found_as_the_runtime_finds_it() {
    if !has_engine("the_executable_is_found_as_the_runtime_finds_it") {
        return;
    }
    let image = reader().from_engine(shape_image(), &local()).await.unwrap();
    let config = image.config().clone();
    let line = CommandLine::of_container(&[], &[], &config).unwrap();
    assert_eq!(docker(&["run", "--rm", shape_image()]), "serving");
    let files = image.into_file_system().await.unwrap();
    let find = |program| {
        let found = files.find_executable(program, &config.working_directory, config.variable("PATH"));
        found.map(|(path, _)| path.to_string())
    };
    assert_eq!(find(line.program()).unwrap(), "/app/shape");
    assert_eq!(find("../app/shape").unwrap(), "/app/shape");
    assert_eq!(
        find("keep").unwrap_err().to_string(),
        "no executable \"keep\" in the image; looked for /nowhere/keep, /app/keep"
    );
    assert!(find("/data/keep").is_err(), "it is not executable");
    assert!(find("").is_err());
}

#[tokio::test]
async fn the_shell_form_of_a_dockerfile_is_recognised() {
    const TAG: &str = "podcov-container-image-test:shell";
    if !has_engine("the_shell_form_of_a_dockerfile_is_recognised") {
        return;
    }
    build_image(TAG, "FROM scratch\nCOPY shape /\nENTRYPOINT exec /shape \"$HOME\"\nCMD x\n");
    let image = reader().from_engine(TAG, &local()).await.unwrap();
    let line = CommandLine::of_container(&[], &[], image.config()).unwrap();
    let form = line.shell_form().unwrap();
    assert_eq!((form.shell, form.script), ("/bin/sh", "exec /shape \"$HOME\""));
    assert_eq!(line.pod_words()[2], "exec /shape \"$$HOME\"");
}

#[tokio::test]
async fn another_platform_is_refused_by_name() {
    if !has_engine("another_platform_is_refused_by_name") {
        return;
    }
    let error = reader().from_engine(shape_image(), &Platform::linux("s390x")).await.unwrap_err();
    let expected = format!("{} is not for linux/s390x; it is for: {}", shape_image(), local());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn an_image_that_no_engine_has_names_the_engines() {
    if !has_engine("an_image_that_no_engine_has_names_the_engines") {
        return;
    }
    let error = reader().from_engine("nobody.example/has:this", &local()).await.unwrap_err();
    let Error::NotInEngine { engines, .. } = &error else { panic!("{error}") };
    let usual = || "unix:///var/run/docker.sock".to_owned();
    assert!(engines.contains(&std::env::var("DOCKER_HOST").unwrap_or_else(|_| usual())), "{error}");
}

#[tokio::test]
async fn the_engine_of_docker_s_context_is_asked_first() {
    const TEST: &str = "the_engine_of_docker_s_context_is_asked_first";
    if !has_engine(TEST) {
        return;
    }
    if std::env::var_os("DOCKER_HOST").is_some() {
        return skip(TEST, "the engine is that of DOCKER_HOST");
    }
    let root = tempfile::tempdir().unwrap();
    let configuration = root.path().join("docker");
    std::fs::create_dir_all(root.path().join("var/run")).unwrap();
    drop(UnixListener::bind(root.path().join("var/run/docker.sock")).unwrap());
    let configuration_text = configuration.to_str().unwrap();
    let environment = [("DOCKER_CONFIG", configuration_text)];
    let docker = |arguments: &[&str]| {
        let mut command = std::process::Command::new("docker");
        crate::tools::output(command.envs(environment).args(arguments))
    };
    let host = "host=unix:///var/run/../run/docker.sock";
    docker(&["context", "create", "elsewhere", "--docker", host]);
    docker(&["context", "use", "elsewhere"]);
    let reader = ImageReader::new(Environment::of_variables(root.path(), environment));
    let error = reader.from_engine("nobody.example/has:this", &local()).await.unwrap_err();
    let expected = format!(
        "no image nobody.example/has:this in unix:///var/run/../run/docker.sock; \
         not asked: unix://{}/var/run/docker.sock (nobody listens)",
        root.path().display()
    );
    assert_eq!(error.to_string(), expected);
    reader.from_engine(shape_image(), &local()).await.unwrap();
}

#[tokio::test]
async fn without_an_engine_every_place_that_was_tried_is_named() {
    let root = tempfile::tempdir().unwrap();
    let sockets = root.path().join("run/podman");
    std::fs::create_dir_all(&sockets).unwrap();
    drop(UnixListener::bind(sockets.join("podman.sock")).unwrap());
    let runtime = root.path().join("runtime");
    let environment =
        Environment::of_variables(root.path(), [("XDG_RUNTIME_DIR", runtime.to_str().unwrap())]);
    let error = ImageReader::new(environment).from_engine("api", &local()).await.unwrap_err();
    let root = root.path().display();
    assert_eq!(
        error.to_string(),
        format!(
            "no container engine answers; tried unix://{root}/var/run/docker.sock (it does not exist), \
             unix://{root}/runtime/docker.sock (it does not exist), \
             unix://{root}/runtime/podman/podman.sock (it does not exist), \
             unix://{root}/run/podman/podman.sock (nobody listens)"
        )
    );
}

#[tokio::test]
async fn a_container_is_what_docker_inspect_says() {
    if !has_engine("a_container_is_what_docker_inspect_says") {
        return;
    }
    let id = docker(&["create", shape_image()]);
    let inspect = |what: &str| docker(&["inspect", "--format", what, &id]);
    let name = inspect("{{.Name}}");
    for asked in [id.as_str(), &id[..12], &name[1..]] {
        let container = find_container(&environment(), asked).await.unwrap();
        assert_eq!((&container.id, container.name.as_str()), (&id, &name[1..]));
        assert_eq!((container.status, container.process), (inspect("{{.State.Status}}"), None));
    }
    docker(&["rm", &id]);
    let error = find_container(&environment(), &id).await.unwrap_err();
    assert!(matches!(&error, Error::NoContainer { container, .. } if *container == id), "{error}");
    for name in ["", "..", "a/b", "a?b", "a b", "a\r\nX: y"] {
        let error = find_container(&environment(), name).await.unwrap_err();
        assert!(matches!(error, Error::BadContainer(_)), "{name}: {error}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_used_names_who_said_it() {
    for (address, reason) in
        [("ssh://host", "ssh is not supported"), ("docker.sock", "no scheme"), ("tcp://host:x", "port")]
    {
        let environment = Environment::of_variables("/nowhere", [("DOCKER_HOST", address)]);
        let error = ImageReader::new(environment).from_engine("api", &local()).await.unwrap_err();
        assert!(story(&error).contains("DOCKER_HOST") && story(&error).contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_name_cannot_become_another_request() {
    for name in ["", "../info", "a/../../info", "api?x", "api json", "api\r\nX: y", "/api", "api#"] {
        let error = reader().from_engine(name, &local()).await.unwrap_err();
        assert!(matches!(error, Error::BadReference { .. }), "{name}: {error}");
    }
}
