//! Manifests that are prepared without a cluster, and the entry points that this takes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::{fs, thread};

use crate::place::{Ended, Place, free_address};

const MANIFEST: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers:
      - {name: api, image: shop-api:1, args: [--port=80]}
      - {name: said, image: "localhost:1/said:1", command: [/bin/said, $(HOME)]}
"#;

/// What Docker's API says of an image, as far as it matters.
const INSPECTED: &str = r#"{
    "Id": "sha256:562875726ceb65394445fc5df11804e78cdc2f466f0929141411e114e8aca90e",
    "Os": "linux", "Architecture": "amd64",
    "Config": {"Entrypoint": ["/app", "$(NOT)"], "Cmd": ["serve"]}
}"#;

/// An engine that has one image, at the address that is returned.
fn engine() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.find(String::is_empty);
            let (status, body) = if request.starts_with("GET /images/shop-api:1/json ") {
                ("200 OK", INSPECTED)
            } else {
                ("404 Not Found", "{}")
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            connection.write_all((head + body).as_bytes()).unwrap();
        }
    });
    format!("tcp://{address}")
}

fn inject(place: &Place, engine: &str, options: &[&str]) -> Ended {
    inject_into(MANIFEST, place, engine, options)
}

/// With an image that no engine has, of a registry that is not there.
fn inject_unknown(place: &Place, options: &[&str]) -> Ended {
    inject_into(&MANIFEST.replace("shop-api:1", "localhost:1/shop-api:2"), place, &engine(), options)
}

fn inject_into(manifest: &str, place: &Place, engine: &str, options: &[&str]) -> Ended {
    fs::write(place.path("api.yaml"), manifest).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.args(["inject", "-f", "api.yaml"]).args(options).current_dir(place.path(""));
    command.env("DOCKER_HOST", engine).stdin(Stdio::null());
    place.start_command(command).end()
}

/// The lines of a container's command in the manifests that were printed.
fn command_of(ended: &Ended, container: &str) -> String {
    let start = ended.output.find(&format!("- name: {container}\n")).unwrap();
    let lines = ended.output[start..].lines().skip(1).take_while(|line| !line.starts_with("      - name: "));
    let words = lines.skip_while(|line| line.trim() != "command:").skip(1);
    let words = words.map_while(|line| line.trim().strip_prefix("- "));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn containers_are_supervised_where_manifest_or_image_say_what_they_run() {
    let place = Place::new();
    let ended = inject(&place, &engine(), &[])
        .with_code(0)
        .saying(&["instrumented   deployment shop/api (supervised)"]);
    assert_eq!(command_of(&ended, "api"), "/podcov/bin/agent supervise -- /app $$(NOT) --port=80");
    assert_eq!(command_of(&ended, "said"), "/podcov/bin/agent supervise -- /bin/said $(HOME)");
    assert!(!ended.errors.contains("warning"), "{}", ended.errors);

    fs::write(place.path("prepared.yaml"), &ended.output).unwrap();
    let ejected = place.podcov(["eject", "-f", "prepared.yaml"]).with_code(0);
    assert!(!ejected.output.contains("podcov"), "{}", ejected.output);
    assert_eq!(command_of(&ejected, "said"), "/bin/said $(HOME)");
    assert!(ejected.output.contains("args:\n        - --port=80"), "{}", ejected.output);
}

#[test]
fn an_image_that_nobody_has_is_captured_from_files_with_the_reason() {
    let ended = inject_unknown(&Place::new(), &[]).with_code(0).saying(&[
        "container api: read from files, because its entry point is not known: no image localhost:1/shop-api:2 in tcp://",
        "no answer from localhost",
        "name it with --entrypoint, or set command in the manifest",
        "instrumented   deployment shop/api (supervised; api from files)",
    ]);
    assert_eq!(command_of(&ended, "api"), "");
}

#[test]
fn an_entry_point_that_is_named_asks_nobody() {
    let place = Place::new();
    let nobody = format!("tcp://{}", free_address());
    let ended =
        inject(&place, &nobody, &["--entrypoint", "api='/my app' --verbose", "--capture", "supervised"])
            .with_code(0)
            .saying(&["deployment shop/api (supervised)"]);
    assert_eq!(command_of(&ended, "api"), "/podcov/bin/agent supervise -- /my app --verbose --port=80");
}

#[test]
fn files_leave_every_command_as_it_is() {
    let place = Place::new();
    let nobody = format!("tcp://{}", free_address());
    let ended = inject(&place, &nobody, &["--capture", "files"])
        .with_code(0)
        .saying(&["instrumented   deployment shop/api (files)"]);
    assert_eq!(command_of(&ended, "api"), "");
    assert_eq!(command_of(&ended, "said"), "/bin/said $(HOME)");
    assert!(!ended.errors.contains("warning"), "{}", ended.errors);
}

#[test]
fn supervision_that_is_asked_for_and_not_possible_is_an_error_with_the_way_out() {
    let ended = inject_unknown(&Place::new(), &["--capture", "supervised"]).with_code(1).saying(&[
        "container api cannot be supervised, because its entry point is not known",
        "Hint: name it with --entrypoint 'api=PROGRAM ARGUMENT...'",
        "--capture auto",
    ]);
    assert_eq!(ended.output, "");
}

#[test]
fn entry_points_that_make_no_sense_are_refused() {
    let place = Place::new();
    for (options, message) in [
        (&["--entrypoint", "web=/app"][..], "no such container is captured"),
        (&["--entrypoint", "said=/app", "-c", "api"], "no such container is captured"),
        (&["--entrypoint", "api=/a", "--entrypoint", "api=/b"], "it is named more than once"),
        (&["--entrypoint", "api=/a", "--capture", "files"], "--capture files supervises none"),
        (&["--entrypoint", "api"], "a container and its command"),
        (&["--entrypoint", "api='/a"], "a quote is not closed"),
    ] {
        inject(&place, "tcp://127.0.0.1:1", options).with_code(2).saying(&[message]);
    }
}
