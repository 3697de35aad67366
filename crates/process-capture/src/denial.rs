//! Why the kernel refuses: its rules (`ptrace(2)`, "Ptrace access mode checking"), asked one by one.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::proc_files::{ProcFiles, status_field};

const SYS_PTRACE: u64 = 1 << 19;

/// The rule that forbids to read a process's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// It runs as another user, and there is no CAP_SYS_PTRACE.
    OtherUser {
        /// The user of this process.
        own: u32,
        /// The user of that one.
        target: u32,
    },
    /// It runs as another group, and there is no CAP_SYS_PTRACE.
    OtherGroup {
        /// The group of this process.
        own: u32,
        /// The group of that one.
        target: u32,
    },
    /// It has capabilities that this process does not have, and there is no CAP_SYS_PTRACE.
    MoreCapabilities,
    /// It is not dumpable: its executable may not be read, or it has changed its user or called `prctl`.
    NotDumpable,
    /// Its memory may be read, but not the file that it runs.
    ExecutableNotReadable,
    /// Yama is in the way.
    Yama {
        /// `/proc/sys/kernel/yama/ptrace_scope`.
        scope: u32,
    },
    /// Everything that can be asked would allow it: perhaps seccomp, SELinux or AppArmor, or another user namespace.
    Unknown,
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherUser { own, target } => {
                write!(formatter, "it runs as user {target}, and this one as {own} without CAP_SYS_PTRACE")
            }
            Self::OtherGroup { own, target } => {
                write!(formatter, "it runs as group {target}, and this one as {own} without CAP_SYS_PTRACE")
            }
            Self::MoreCapabilities => {
                formatter.write_str("it has capabilities that this one does not have, not even CAP_SYS_PTRACE")
            }
            Self::NotDumpable => formatter.write_str(
                "it is not dumpable, because its executable may not be read or it changed its user: CAP_SYS_PTRACE is needed",
            ),
            Self::ExecutableNotReadable => formatter.write_str(
                "the file that it runs may be run, but not read: chmod a+r, or run as its owner",
            ),
            Self::Yama { scope: 1 } => formatter.write_str(
                "kernel.yama.ptrace_scope is 1: only the process that started it may, or one with CAP_SYS_PTRACE",
            ),
            Self::Yama { scope: 2 } => {
                formatter.write_str("kernel.yama.ptrace_scope is 2: CAP_SYS_PTRACE is needed")
            }
            Self::Yama { scope } => {
                write!(formatter, "kernel.yama.ptrace_scope is {scope}: nobody may until the next boot")
            }
            Self::Unknown => formatter.write_str(
                "users, capabilities and Yama would allow it; seccomp, SELinux, AppArmor or a user namespace may not",
            ),
        }
    }
}

/// Who a process is, as its status tells.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    /// Real, effective and saved.
    users: [u32; 3],
    groups: [u32; 3],
    permitted: u64,
    effective: u64,
}

impl Identity {
    fn parse(status: &str) -> Option<Self> {
        let identifiers = |name: &str| {
            let mut numbers = status_field(status, name)?.split_whitespace().map(str::parse);
            Some([numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?])
        };
        let capabilities = |name: &str| u64::from_str_radix(status_field(status, name)?, 16).ok();
        Some(Self {
            users: identifiers("Uid")?,
            groups: identifiers("Gid")?,
            permitted: capabilities("CapPrm")?,
            effective: capabilities("CapEff")?,
        })
    }
}

/// The first rule that forbids it.
pub(crate) fn explain(target: ProcFiles) -> Denial {
    let own = fs::read_to_string("/proc/self/status").ok();
    let own = own.as_deref().and_then(Identity::parse);
    let identity = target.status().ok().as_deref().and_then(Identity::parse);
    let (Some(own), Some(identity)) = (own, identity) else { return Denial::Unknown };
    let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok();
    let yama = yama.and_then(|scope| scope.trim().parse().ok()).unwrap_or(0);
    // The files of a process that is not dumpable belong to root; their directory does not.
    let owner = fs::metadata(target.path("status")).map(|metadata| metadata.uid()).ok();
    judge(&own, &identity, owner, yama)
}

fn judge(own: &Identity, target: &Identity, owner: Option<u32>, yama: u32) -> Denial {
    let may_trace = own.effective & SYS_PTRACE != 0;
    // The kernel looks at the user for file system access, which is the effective one.
    let ([_, user, _], [_, group, _]) = (own.users, own.groups);
    let other = |own: u32, targets: [u32; 3]| targets.into_iter().find(|target| *target != own);
    if !may_trace {
        if let Some(target) = other(user, target.users) {
            return Denial::OtherUser { own: user, target };
        }
        if let Some(target) = other(group, target.groups) {
            return Denial::OtherGroup { own: group, target };
        }
        if target.permitted & !own.permitted != 0 {
            return Denial::MoreCapabilities;
        }
        if owner.is_some_and(|owner| owner != user) {
            return Denial::NotDumpable;
        }
    }
    match yama {
        1 | 2 if !may_trace => Denial::Yama { scope: yama },
        3.. => Denial::Yama { scope: yama },
        _ => Denial::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Identity = Identity { users: [1000; 3], groups: [1000; 3], permitted: 0, effective: 0 };

    #[test]
    fn each_rule_is_named() {
        let root = Identity { users: [0; 3], groups: [0; 3], permitted: 0, effective: 0 };
        let other_group = Identity { groups: [1000, 1000, 7], ..USER };
        let able = Identity { permitted: 1, effective: 0, ..USER };
        assert_eq!(judge(&root, &USER, Some(1000), 0), Denial::OtherUser { own: 0, target: 1000 });
        assert_eq!(judge(&USER, &other_group, Some(1000), 0), Denial::OtherGroup { own: 1000, target: 7 });
        assert_eq!(judge(&USER, &able, Some(1000), 0), Denial::MoreCapabilities);
        assert_eq!(judge(&USER, &USER, Some(0), 1), Denial::NotDumpable);
        assert_eq!(judge(&USER, &USER, Some(1000), 1), Denial::Yama { scope: 1 });
        assert_eq!(judge(&USER, &USER, Some(1000), 0), Denial::Unknown);
        let tracer = Identity { permitted: SYS_PTRACE, effective: SYS_PTRACE, ..root };
        assert_eq!(judge(&tracer, &USER, Some(1000), 2), Denial::Unknown);
        assert_eq!(judge(&tracer, &USER, Some(1000), 3), Denial::Yama { scope: 3 });
    }
}
