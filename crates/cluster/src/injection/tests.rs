use podcov_container_image::ImageConfig;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::RunId;

fn injection(containers: ContainerChoice) -> Injection {
    Injection {
        run: RunId::new("r1").unwrap(),
        by: "ann@laptop".into(),
        since: "2026-01-01T00:00:00Z".into(),
        agent_config_map: "podcov-agent-r1".into(),
        containers,
        capture: CaptureMode::Auto,
        entry_points: EntryPoints::default(),
        image: None,
        deadline_seconds: 60,
        data_limit: None,
        data_in_memory: false,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "called with json!")]
fn deployment(spec: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "api"}}, "spec": spec}},
    })
}

fn restricted_container() -> Value {
    json!({
        "name": "api", "image": "shop-api:1",
        "securityContext": {
            "allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": 65532,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    })
}

/// All containers, where the image `i` has this entry point and command.
fn supervising(entrypoint: &[&str], command: &[&str]) -> Injection {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let config =
        ImageConfig { entrypoint: words(entrypoint), command: words(command), ..ImageConfig::default() };
    let images = [("i".to_owned(), Ok(config)), ("unknown".to_owned(), Err("nobody has it".to_owned()))];
    let entry_points = EntryPoints { images: images.into(), ..EntryPoints::default() };
    Injection { entry_points, ..injection(ContainerChoice::All) }
}

fn sidecar_of(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]["initContainers"][0]
}

#[test]
fn the_sidecar_asks_for_no_more_than_the_application() {
    let object = deployment(json!({"containers": [restricted_container()]}));
    let injected = inject(&object, &injection(ContainerChoice::All)).unwrap().object;
    let sidecar = sidecar_of(&injected);
    assert_eq!(sidecar["image"], "shop-api:1");
    assert_eq!(
        sidecar["securityContext"],
        json!({
            "runAsUser": 65532, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"},
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        })
    );
}

#[test]
fn a_privileged_application_does_not_make_a_privileged_sidecar() {
    let mut container = restricted_container();
    container["securityContext"] = json!({"privileged": true, "runAsUser": 0});
    let object = deployment(json!({"containers": [container]}));
    let injected = inject(&object, &injection(ContainerChoice::All)).unwrap().object;
    assert!(sidecar_of(&injected)["securityContext"].get("privileged").is_none());
    assert_eq!(sidecar_of(&injected)["securityContext"]["allowPrivilegeEscalation"], false);
}

#[test]
fn the_grace_period_covers_the_hand_over() {
    for (before, after) in [(json!({}), 95), (json!({"terminationGracePeriodSeconds": 5}), 70)] {
        let mut spec = before;
        spec["containers"] = json!([restricted_container()]);
        let injected = inject(&deployment(spec), &injection(ContainerChoice::All)).unwrap().object;
        assert_eq!(injected["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], after);
    }
}

#[test]
fn a_guaranteed_pod_stays_guaranteed() {
    let mut container = restricted_container();
    container["resources"] = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    let object = deployment(json!({"containers": [container]}));
    let injected = inject(&object, &injection(ContainerChoice::All)).unwrap().object;
    let resources = &sidecar_of(&injected)["resources"];
    assert_eq!(resources["requests"], resources["limits"]);
}

#[test]
fn an_overridden_variable_is_said_and_keeps_its_place() {
    let mut container = restricted_container();
    container["env"] = json!([
        {"name": "A", "value": "1"}, {"name": "GOCOVERDIR", "value": "/old"}, {"name": "B", "value": "$(GOCOVERDIR)/x"},
    ]);
    let object = deployment(json!({"containers": [container]}));
    let injected = inject(&object, &injection(ContainerChoice::All)).unwrap();
    assert!(injected.notes[0].contains("GOCOVERDIR=/old"), "{}", injected.notes[0]);
    let environment = &injected.object["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(environment[1], json!({"name": "GOCOVERDIR", "value": "/podcov/coverage"}));
    assert_eq!(eject(&injected.object).unwrap(), object);
}

#[test]
fn only_the_named_container_is_changed() {
    let object =
        deployment(json!({"containers": [restricted_container(), {"name": "proxy", "image": "proxy:1"}]}));
    let named = ContainerChoice::Named(vec!["proxy".into()]);
    let injected = inject(&object, &injection(named)).unwrap();
    assert_eq!(injected.containers, ["proxy"]);
    assert_eq!(injected.object["spec"]["template"]["spec"]["containers"][0], restricted_container());
    assert_eq!(sidecar_of(&injected.object)["image"], "proxy:1");
}

#[test]
fn an_unknown_container_is_answered_with_those_there_are() {
    let object = deployment(json!({"containers": [restricted_container()]}));
    let named = ContainerChoice::Named(vec!["web".into()]);
    let error = inject(&object, &injection(named)).unwrap_err();
    assert_eq!(error.to_string(), "there is no container \"web\"; it has: api");
}

#[test]
fn a_prepared_object_is_refused_with_who_prepared_it() {
    let object = deployment(json!({"containers": [restricted_container()]}));
    let injected = inject(&object, &injection(ContainerChoice::All)).unwrap().object;
    let error = inject(&injected, &injection(ContainerChoice::All)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is already prepared by run r1 (ann@laptop, since 2026-01-01T00:00:00Z)"
    );
}

#[test]
fn changes_that_others_made_meanwhile_survive() {
    let object = deployment(json!({"containers": [restricted_container()]}));
    let mut injected = inject(&object, &injection(ContainerChoice::All)).unwrap().object;
    let mut expected = object;
    for value in [&mut injected, &mut expected] {
        value["spec"]["replicas"] = json!(7);
        value["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop-api:2");
        value["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(12);
    }
    assert_eq!(eject(&injected).unwrap(), expected);
}

#[test]
fn what_is_no_workload_is_named() {
    assert_eq!(
        inject(&json!({"kind": "Service"}), &injection(ContainerChoice::All)),
        Err(InjectionError::UnsupportedKind("Service".into()))
    );
    assert_eq!(eject(&deployment(json!({"containers": []}))), Err(InjectionError::NotPrepared));
}

#[test]
fn a_supervised_container_runs_what_kubernetes_would_run_there() {
    let injection = supervising(&["/app", "$(HOME)"], &["serve"]);
    for (container, words) in [
        (json!({}), &["/app", "$$(HOME)", "serve"][..]),
        (json!({"command": [], "args": null}), &["/app", "$$(HOME)", "serve"]),
        (json!({"args": ["$(PORT)"]}), &["/app", "$$(HOME)", "$(PORT)"]),
        (json!({"command": ["/other"]}), &["/other"]),
        (json!({"command": ["/other"], "args": ["-v", "$(PORT)"]}), &["/other", "-v", "$(PORT)"]),
    ] {
        let mut container = container;
        container["name"] = json!("api");
        container["image"] = json!("i");
        let object = deployment(json!({"containers": [container]}));
        let injected = inject(&object, &injection).unwrap();
        assert_eq!(injected.supervised, ["api"]);
        assert!(injected.notes.is_empty(), "{:?}", injected.notes);
        let changed = &injected.object["spec"]["template"]["spec"]["containers"][0];
        let agent = ["/podcov/bin/agent", "supervise", "--"];
        assert_eq!(changed["command"], json!([&agent, words].concat()));
        let arguments = changed.get("args").unwrap_or(&Value::Null);
        assert!(arguments.is_null() || arguments == &json!([]), "{arguments}");
        let mounts = changed["volumeMounts"].as_array().unwrap();
        let agent = json!({"name": "podcov-agent", "mountPath": "/podcov/bin", "readOnly": true});
        assert!(mounts.contains(&agent), "{mounts:?}");
        assert_eq!(changed["env"], json!([{"name": "GOCOVERDIR", "value": "/podcov/coverage"}]));
        assert_eq!(eject(&injected.object).unwrap(), object);
    }
}

#[test]
fn everything_but_the_command_line_of_a_supervised_container_stays() {
    let container = json!({
        "name": "api", "image": "i", "workingDir": "/srv", "tty": true,
        "livenessProbe": {"exec": {"command": ["/app", "health"]}},
        "lifecycle": {"preStop": {"exec": {"command": ["/app", "drain"]}}},
    });
    let object = deployment(json!({"containers": [container]}));
    let injected = inject(&object, &supervising(&["/app"], &[])).unwrap().object;
    let changed = &injected["spec"]["template"]["spec"]["containers"][0];
    for key in ["image", "workingDir", "tty", "livenessProbe", "lifecycle"] {
        assert_eq!(changed[key], container[key], "{key}");
    }
}

#[test]
fn init_containers_and_native_sidecars_are_supervised_too() {
    let object = deployment(json!({
        "initContainers": [
            {"name": "migrate", "image": "i", "args": ["migrate"]},
            {"name": "proxy", "image": "i", "restartPolicy": "Always"},
        ],
        "containers": [{"name": "api", "image": "i"}],
    }));
    let injected = inject(&object, &supervising(&["/app"], &[])).unwrap();
    assert_eq!(injected.supervised, ["api", "migrate", "proxy"]);
    let init_containers = &injected.object["spec"]["template"]["spec"]["initContainers"];
    assert_eq!(init_containers[1]["command"].as_array().unwrap().last().unwrap(), "migrate");
    assert_eq!(init_containers[2]["restartPolicy"], "Always");
    assert_eq!(eject(&injected.object).unwrap(), object);
}

#[test]
fn where_the_entry_point_is_not_known_files_are_read_and_that_is_said() {
    let object = deployment(json!({"containers": [
        {"name": "api", "image": "unknown"}, {"name": "web", "image": "i"}, {"name": "odd", "command": "sh"},
    ]}));
    let injected = inject(&object, &supervising(&["/app"], &[])).unwrap();
    assert_eq!(injected.containers, ["api", "web", "odd"]);
    assert_eq!(injected.supervised, ["web"]);
    assert_eq!(
        injected.notes[0],
        "container api: read from files, because its entry point is not known: nobody has it; \
         name it with --entrypoint, or set command in the manifest"
    );
    assert!(injected.notes[1].contains("container odd: read from files"), "{:?}", injected.notes);
    let containers = &injected.object["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0].get("command"), None);
    assert_eq!(containers[0]["volumeMounts"].as_array().unwrap().len(), 1);
    let pod = &injected.object["spec"]["template"]["metadata"]["annotations"]["podcov.dev/capture"];
    let capture: Value = serde_json::from_str(pod.as_str().unwrap()).unwrap();
    assert_eq!(capture["supervised"], json!(["web"]));
}

#[test]
fn an_entry_point_that_the_user_names_counts_first() {
    let mut injection = supervising(&["/app"], &["serve"]);
    injection.entry_points.named.insert("api".to_owned(), vec!["/named".to_owned()]);
    for (container, last) in [
        (json!({"name": "api", "image": "unknown"}), "/named"),
        (json!({"name": "api", "image": "i", "args": ["-v"]}), "-v"),
        (json!({"name": "api", "image": "i", "command": ["sh"]}), "/named"),
    ] {
        let object = deployment(json!({"containers": [container]}));
        let injected = inject(&object, &injection).unwrap().object;
        let command = injected["spec"]["template"]["spec"]["containers"][0]["command"].as_array().unwrap();
        assert_eq!(command[3], "/named");
        assert_eq!(command.last().unwrap(), last);
        assert_eq!(eject(&injected).unwrap(), object);
    }
}

#[test]
fn nothing_is_supervised_when_files_are_asked_for() {
    let object = deployment(json!({"containers": [{"name": "api", "image": "i", "command": ["/app"]}]}));
    let injection = Injection { capture: CaptureMode::Files, ..supervising(&["/app"], &[]) };
    let injected = inject(&object, &injection).unwrap();
    assert_eq!((injected.supervised.len(), injected.notes.len()), (0, 0));
    let container = &injected.object["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["/app"]));
}

#[test]
fn an_unknown_entry_point_is_an_error_when_supervision_is_asked_for() {
    let object = deployment(json!({"containers": [{"name": "api", "image": "unknown"}]}));
    let injection = Injection { capture: CaptureMode::Supervised, ..supervising(&["/app"], &[]) };
    assert_eq!(
        inject(&object, &injection).unwrap_err().to_string(),
        "container api cannot be supervised, because its entry point is not known: nobody has it"
    );
}

#[test]
fn a_container_that_is_not_captured_is_not_supervised() {
    let proxy = json!({"name": "proxy", "image": "i", "command": ["/proxy"]});
    let object = deployment(json!({"containers": [{"name": "api", "image": "i"}, proxy]}));
    let named = ContainerChoice::Named(vec!["api".into()]);
    let injection = Injection { containers: named, ..supervising(&["/app"], &[]) };
    let injected = inject(&object, &injection).unwrap();
    assert_eq!(injected.supervised, ["api"]);
    assert_eq!(injected.object["spec"]["template"]["spec"]["containers"][1], proxy);
}

#[test]
fn a_command_that_somebody_else_set_meanwhile_survives() {
    let object = deployment(json!({"containers": [{"name": "api", "image": "i", "args": ["serve"]}]}));
    let mut injected = inject(&object, &supervising(&["/app"], &[])).unwrap().object;
    let container = "/spec/template/spec/containers/0";
    injected.pointer_mut(container).unwrap()["command"] = json!(["/newer"]);
    let ejected = eject(&injected).unwrap();
    let container = ejected.pointer(container).unwrap();
    assert_eq!(*container, json!({"name": "api", "image": "i", "args": [], "command": ["/newer"]}));
}

/// The API server leaves out what is empty.
#[test]
fn a_command_line_comes_back_from_an_api_server_too() {
    for container in [
        json!({"name": "api", "image": "i", "args": ["serve"]}),
        json!({"name": "api", "image": "i", "command": ["/app"], "args": ["serve"]}),
        json!({"name": "api", "image": "i", "command": ["/app"]}),
        json!({"name": "api", "image": "i"}),
    ] {
        let object = deployment(json!({"containers": [container]}));
        let mut injected = inject(&object, &supervising(&["/app"], &[])).unwrap().object;
        let container = injected.pointer_mut("/spec/template/spec/containers/0").unwrap();
        if container["args"] == json!([]) {
            container.as_object_mut().unwrap().remove("args");
        }
        assert_eq!(eject(&injected).unwrap(), object);
    }
}

#[test]
fn a_preparation_of_an_older_podcov_is_still_put_back() {
    let object = deployment(json!({"containers": [{"name": "api", "image": "i"}]}));
    let files = Injection { capture: CaptureMode::Files, ..supervising(&["/app"], &[]) };
    let injected = inject(&object, &files).unwrap().object;
    let preparation = injected["metadata"]["annotations"]["podcov.dev/preparation"].as_str().unwrap();
    assert!(!preparation.contains("command_line"), "{preparation}");
    assert_eq!(eject(&injected).unwrap(), object);
}

#[test]
fn an_agent_that_nobody_answers_for_is_not_wrapped_again() {
    let command = json!(["/podcov/bin/agent", "supervise", "--", "/app"]);
    let object = deployment(json!({"containers": [{"name": "api", "image": "i", "command": command}]}));
    assert_eq!(
        inject(&object, &injection(ContainerChoice::All)),
        Err(InjectionError::LeftOver("api".to_owned()))
    );
}

#[test]
fn pods_for_windows_are_refused() {
    for spec in [
        json!({"os": {"name": "windows"}, "containers": [{"name": "api"}]}),
        json!({"nodeSelector": {"kubernetes.io/os": "windows"}, "containers": [{"name": "api"}]}),
    ] {
        let refused = inject(&deployment(spec), &injection(ContainerChoice::All));
        assert_eq!(refused, Err(InjectionError::Windows));
    }
}

#[test]
fn images_are_asked_only_of_captured_containers_that_say_no_command() {
    let object = deployment(json!({
        "initContainers": [{"name": "migrate", "image": "m", "command": []}],
        "containers": [{"name": "api", "image": "i"}, {"name": "web", "image": "w", "command": ["/web"]}],
    }));
    let asked = |object: &Value, choice: &ContainerChoice| -> Vec<(String, Option<String>)> {
        let containers = captured_containers(object, choice).unwrap();
        containers.into_iter().map(|container| (container.name, container.entry_point_in)).collect()
    };
    let image = |name: &str| Some(name.to_owned());
    let expected =
        [("api".to_owned(), image("i")), ("web".to_owned(), None), ("migrate".to_owned(), image("m"))];
    assert_eq!(asked(&object, &ContainerChoice::All), expected);
    let prepared = inject(&object, &supervising(&["/app"], &[])).unwrap().object;
    assert_eq!(asked(&prepared, &ContainerChoice::All), expected, "also of one that is prepared");
    let named = ContainerChoice::Named(vec!["web".into()]);
    assert_eq!(asked(&object, &named), [("web".to_owned(), None)]);
}

/// A key that is absent, null, empty or filled: as people and templates write manifests.
fn optional(filled: impl Strategy<Value = Value> + 'static, empty: Value) -> BoxedStrategy<Option<Value>> {
    prop_oneof![Just(None), Just(Some(Value::Null)), Just(Some(empty)), filled.prop_map(Some),].boxed()
}

fn map_of(entries: Vec<(&'static str, Option<Value>)>) -> Value {
    let entries = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn any_container(name: &'static str) -> BoxedStrategy<Value> {
    let words = || optional(Just(json!(["$(A)", "b"])), json!([]));
    let image = prop_oneof![Just("i"), Just("unknown")];
    let variable = prop_oneof![Just("A"), Just("B"), Just("GOCOVERDIR")]
        .prop_map(|name| json!({"name": name, "value": "v"}));
    let environment = prop::collection::vec(variable, 0..5).prop_map(Value::from);
    let mounts = Just(json!([{"name": "v", "mountPath": "/v"}]));
    (optional(environment, json!([])), optional(mounts, json!([])), words(), words(), image, any::<bool>())
        .prop_map(move |(environment, mounts, command, arguments, image, is_sidecar)| {
            map_of(vec![
                ("name", Some(json!(name))),
                ("args", arguments),
                ("env", environment),
                ("command", command),
                ("image", Some(json!(image))),
                ("volumeMounts", mounts),
                ("restartPolicy", is_sidecar.then(|| json!("Always"))),
            ])
        })
        .boxed()
}

fn any_object() -> BoxedStrategy<Value> {
    let metadata = || optional(Just(json!({"k": "v"})), json!({}));
    let template = (
        (any_container("a"), any_container("b")),
        optional(any_container("c").prop_map(|container| json!([container])), json!([])),
        optional(Just(json!([{"name": "v", "emptyDir": {}}])), json!([])),
        prop_oneof![Just(None), Just(Some(Value::Null)), (0u64..99).prop_map(|s| Some(json!(s)))],
        (metadata(), metadata()),
        (metadata(), metadata()),
        any::<bool>(),
    );
    template
        .prop_map(|((a, b), init_containers, volumes, grace, outer, inner, is_pod)| {
            let spec = map_of(vec![
                ("terminationGracePeriodSeconds", grace),
                ("initContainers", init_containers),
                ("containers", Some(json!([a, b]))),
                ("volumes", volumes),
            ]);
            let meta = |(labels, annotations)| {
                map_of(vec![("labels", labels), ("name", Some(json!("x"))), ("annotations", annotations)])
            };
            if is_pod {
                return json!({"kind": "Pod", "metadata": meta(outer), "spec": spec});
            }
            json!({
                "kind": "StatefulSet", "metadata": meta(outer),
                "spec": {"template": {"metadata": meta(inner), "spec": spec}, "serviceName": "s"},
            })
        })
        .boxed()
}

proptest! {
    #[test]
    fn ejecting_what_was_injected_gives_the_original_to_the_byte(
        object in any_object(),
        capture in prop_oneof![Just(CaptureMode::Auto), Just(CaptureMode::Files)],
    ) {
        let injection = Injection { capture, ..supervising(&["/app"], &[]) };
        let injected = inject(&object, &injection).unwrap().object;
        prop_assert_ne!(&injected, &object);
        // As text, so that the order of keys counts too.
        prop_assert_eq!(eject(&injected).unwrap().to_string(), object.to_string());
    }
}
