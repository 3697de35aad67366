//! What is to be read, as the user names it.

use std::fmt;
use std::num::NonZeroU32;

use podcov_cluster::Kind;

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A process of this machine, and when it is no Go program, those that it started.
    Process(NonZeroU32),
    /// The processes of a container of Docker or Podman on this machine, by name or ID.
    Container(String),
    /// The pods of a workload of the cluster, as kubectl names it.
    Workload(String),
}

impl Target {
    /// Reads `process/4711` and `container/api`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some(("process", number)) => {
                let number =
                    number.parse().ok().filter(|number: &NonZeroU32| i32::try_from(number.get()).is_ok());
                number
                    .map(Self::Process)
                    .ok_or_else(|| "process/ is followed by a process ID, such as 4711".to_owned())
            }
            Some(("container", name)) if !name.is_empty() => Ok(Self::Container(name.to_owned())),
            Some((kind, name)) if Kind::from_argument(kind).is_some() && !name.is_empty() => {
                Ok(Self::Workload(text.to_owned()))
            }
            _ => Err("a target is process/PID, container/NAME, or a workload such as deploy/api".to_owned()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(number) => write!(formatter, "process/{number}"),
            Self::Container(name) => write!(formatter, "container/{name}"),
            Self::Workload(target) => write!(formatter, "{target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_kind() {
        for target in
            ["process/4711", "container/api", "container/shop_api.1", "deploy/api", "pod/api-0", "sts/db"]
        {
            assert_eq!(Target::parse(target).unwrap().to_string(), target);
        }
        for wrong in [
            "4711",
            "process/",
            "process/0",
            "process/-1",
            "process/4294967295",
            "process/api",
            "thread/1",
            "container/",
            "container",
            "deploy/",
            "service/api",
            "",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
