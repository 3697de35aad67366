//! The merged result: what of a program ran, and how often.
//!
//! Owns the plain values that everything after the merge works with. Reads and writes nothing.

/// How a program was told to count (`go build -covermode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterMode {
    /// A unit ran or it did not: counts are 0 or 1.
    Set,
    /// How often a unit ran; racing goroutines may lose increments.
    Count,
    /// How often a unit ran, exactly.
    Atomic,
}

impl CounterMode {
    /// The word that Go's text profile and meta-data hash use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Count => "count",
            Self::Atomic => "atomic",
        }
    }

    /// Adds two counts of a unit as Go does: set mode knows 0 and 1, the others stop at the largest number.
    #[must_use]
    pub const fn add(self, one: u32, other: u32) -> u32 {
        match self {
            Self::Set => (one != 0 || other != 0) as u32,
            Self::Count | Self::Atomic => one.saturating_add(other),
        }
    }

    /// The mode that this word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Set, Self::Count, Self::Atomic].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// Merged coverage of one or more programs of the same counter mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The mode of every count in it.
    pub mode: CounterMode,
    /// Sorted by import path.
    pub packages: Vec<Package>,
}

/// The instrumented functions of one Go package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// For example `example.com/shop/internal/cart`.
    pub import_path: String,
    /// In the order of the meta-data.
    pub functions: Vec<Function>,
}

/// One instrumented function. Literals (closures) in it are part of it; only those outside of any function have entries
/// of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// As the meta-data names it: `F`, `T.Method`, `*T.Method`; `func.L12.C11` for a literal outside of any function.
    pub name: String,
    /// As the meta-data names it: import path and base name, or an absolute path for `command-line-arguments`.
    pub file: String,
    /// A literal outside of any function.
    pub is_literal: bool,
    /// In the order of the meta-data.
    pub units: Vec<Unit>,
}

/// A stretch of statements that run together: Go's coverable unit (a "block" in the text profile).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// 1-based.
    pub start_line: u32,
    /// 1-based, in bytes.
    pub start_column: u32,
    /// 1-based.
    pub end_line: u32,
    /// 1-based, in bytes; the first column after the unit.
    pub end_column: u32,
    /// Number of statements in it.
    pub statements: u32,
    /// How often it ran.
    pub count: u32,
}

/// Statements in all and statements that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All statements.
    pub statements: u64,
    /// Those that ran at least once.
    pub covered: u64,
}

impl Totals {
    /// In percent; none when there is no statement to cover.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "statement counts stay far below 2^52")]
    pub fn percent(self) -> Option<f64> {
        (self.statements > 0).then(|| 100.0 * self.covered as f64 / self.statements as f64)
    }
}

impl std::iter::Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |sum, next| Self {
            statements: sum.statements + next.statements,
            covered: sum.covered + next.covered,
        })
    }
}
