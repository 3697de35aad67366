//! A diagnosis: what is so, how it is known, and what to do.

use serde::Serialize;

use crate::{Id, Known};

/// How much a diagnosis matters. In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Data is lost or wrong because of this.
    Error,
    /// Data may be lost or wrong because of this.
    Warning,
    /// It could not be looked at.
    Unknown,
    /// Good to know; often: not the cause.
    Note,
    /// It was looked at, and is as it should be.
    Ok,
}

/// A place on the way from the source to the data. In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hop {
    /// What the go command was told, and what it made.
    Build,
    /// What carries the binary.
    Image,
    /// What runs the image.
    Pod,
    /// Where the files go.
    Volume,
    /// What the program does, and how it ends.
    Process,
    /// What it left.
    Data,
}

impl Hop {
    /// All, from the source to the data.
    pub const ALL: [Self; 6] = [Self::Build, Self::Image, Self::Pod, Self::Volume, Self::Process, Self::Data];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "image",
            Self::Pod => "pod",
            Self::Volume => "volume",
            Self::Process => "process",
            Self::Data => "data",
        }
    }
}

/// What was seen, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Evidence {
    /// What was seen.
    pub value: String,
    /// Where a person can look it up.
    pub read_from: String,
}

impl Evidence {
    /// A value and where it was read.
    pub fn new(value: impl Into<String>, read_from: impl Into<String>) -> Self {
        Self { value: value.into(), read_from: read_from.into() }
    }

    /// A fact as evidence: its value under a name, or that it is not there, or why it is not known.
    pub fn of<T: std::fmt::Display>(name: &str, fact: &Known<T>) -> Self {
        match fact {
            Known::Found { value, read_from } => Self::new(format!("{name}={value}"), read_from),
            Known::Absent { read_from } => Self::new(format!("no {name}"), read_from),
            Known::Unknown { reason } => Self::new(format!("{name} is not known"), reason),
        }
    }
}

/// One finding of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Which one, with its page in docs/diagnoses.
    pub id: Id,
    /// How much it matters.
    pub severity: Severity,
    /// Where on the way.
    pub hop: Hop,
    /// What it is about: `bin/api`, `Dockerfile`, `deployment shop/api, container api`.
    pub subject: String,
    /// One sentence.
    pub sentence: String,
    /// How it is known.
    pub evidence: Vec<Evidence>,
    /// What to do, as something to paste.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What follows from it, and is no finding of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<Diagnosis>,
    /// Findings that follow from this one, where they are about the same workload.
    #[serde(skip)]
    pub explains: &'static [Id],
    /// Which workload or program it is about, if that is known: findings about different ones do not explain each other.
    #[serde(skip)]
    pub chain: Option<String>,
}

impl Diagnosis {
    /// A finding without evidence yet.
    pub fn new(
        id: Id,
        severity: Severity,
        hop: Hop,
        subject: impl Into<String>,
        sentence: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity,
            hop,
            subject: subject.into(),
            sentence: sentence.into(),
            evidence: Vec::new(),
            fix: None,
            consequences: Vec::new(),
            explains: &[],
            chain: None,
        }
    }

    /// The same, and how it is known.
    #[must_use]
    pub fn evidence(mut self, value: impl Into<String>, read_from: impl Into<String>) -> Self {
        self.evidence.push(Evidence::new(value, read_from));
        self
    }

    /// The same, with a fact as evidence.
    #[must_use]
    pub fn fact<T: std::fmt::Display>(mut self, name: &str, fact: &Known<T>) -> Self {
        self.evidence.push(Evidence::of(name, fact));
        self
    }

    /// The same, and what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same, and what follows from it.
    #[must_use]
    pub const fn explains(mut self, ids: &'static [Id]) -> Self {
        self.explains = ids;
        self
    }

    /// The same, about this workload or program.
    #[must_use]
    pub fn chain(mut self, chain: Option<&str>) -> Self {
        self.chain = chain.map(str::to_owned);
        self
    }
}
