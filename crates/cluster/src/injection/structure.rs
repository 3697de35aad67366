//! Steps into a manifest that create what is missing and remember that they did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::InjectionError;

/// How a list or map looked before it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Missing {
    /// No such key.
    Absent,
    /// The key with the value null, as templates render an empty value.
    Null,
}

/// The keys of one map whose lists and maps had to be created.
pub(super) type Created = BTreeMap<String, Missing>;

/// The map under `key`, created if missing.
pub(super) fn map_in<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
    created: &mut Created,
) -> Result<&'a mut Map<String, Value>, InjectionError> {
    child(parent, key, created, || Value::Object(Map::new()))
        .as_object_mut()
        .ok_or_else(|| InjectionError::Malformed(key.to_owned()))
}

/// The list under `key`, created if missing.
pub(super) fn list_in<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
    created: &mut Created,
) -> Result<&'a mut Vec<Value>, InjectionError> {
    child(parent, key, created, || Value::Array(Vec::new()))
        .as_array_mut()
        .ok_or_else(|| InjectionError::Malformed(key.to_owned()))
}

fn child<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
    created: &mut Created,
    empty: impl FnOnce() -> Value,
) -> &'a mut Value {
    let missing = match parent.get(key) {
        None => Some(Missing::Absent),
        Some(Value::Null) => Some(Missing::Null),
        Some(_) => None,
    };
    if let Some(missing) = missing {
        created.insert(key.to_owned(), missing);
        parent.insert(key.to_owned(), empty());
    }
    parent.entry(key).or_insert(Value::Null)
}

/// Takes away what was created, where nothing else has been put into it since.
pub(super) fn remove_created(parent: &mut Map<String, Value>, created: &Created) {
    for (key, missing) in created {
        let is_empty = match parent.get(key) {
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            _ => false,
        };
        if is_empty {
            match missing {
                Missing::Absent => drop(parent.shift_remove(key)),
                Missing::Null => drop(parent.insert(key.clone(), Value::Null)),
            }
        }
    }
}

/// An object's map, or the error that names it.
pub(super) fn object<'a>(
    value: Option<&'a mut Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, InjectionError> {
    value.and_then(Value::as_object_mut).ok_or_else(|| InjectionError::Malformed(name.to_owned()))
}

/// The `name` field.
pub(super) fn name_of(value: &Value) -> Option<&str> {
    value.get("name").and_then(Value::as_str)
}
