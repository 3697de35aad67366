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
    assert_eq!(injected.notes.len(), 1);
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

/// A key that is absent, null, empty or filled: as people and templates write manifests.
fn optional(filled: impl Strategy<Value = Value> + 'static, empty: Value) -> BoxedStrategy<Option<Value>> {
    prop_oneof![Just(None), Just(Some(Value::Null)), Just(Some(empty)), filled.prop_map(Some),].boxed()
}

fn map_of(entries: Vec<(&'static str, Option<Value>)>) -> Value {
    let entries = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn any_container(name: &'static str) -> BoxedStrategy<Value> {
    let variable = prop_oneof![Just("A"), Just("B"), Just("GOCOVERDIR")]
        .prop_map(|name| json!({"name": name, "value": "v"}));
    let environment = prop::collection::vec(variable, 0..5).prop_map(Value::from);
    let mounts = Just(json!([{"name": "v", "mountPath": "/v"}]));
    (optional(environment, json!([])), optional(mounts, json!([])))
        .prop_map(move |(environment, mounts)| {
            map_of(vec![
                ("name", Some(json!(name))),
                ("env", environment),
                ("image", Some(json!("i"))),
                ("volumeMounts", mounts),
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
    fn ejecting_what_was_injected_gives_the_original_to_the_byte(object in any_object()) {
        let injected = inject(&object, &injection(ContainerChoice::All)).unwrap().object;
        prop_assert_ne!(&injected, &object);
        // As text, so that the order of keys counts too.
        prop_assert_eq!(eject(&injected).unwrap().to_string(), object.to_string());
    }
}
