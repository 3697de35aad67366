//! How a program was started, as its counter file tells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::Error;
use crate::counters::ArgumentTables;
use crate::cursor::length;

/// Command line and platform of the run that a segment comes from.
///
/// After `go tool covdata merge`, only that is left in which all runs agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments<'a> {
    pairs: Vec<(&'a [u8], &'a [u8])>,
    count: usize,
}

impl<'a> Arguments<'a> {
    /// `os.Args`: the program first. Empty after a merge of runs that were started differently.
    #[must_use]
    pub fn program(&self) -> impl ExactSizeIterator<Item = Cow<'a, str>> {
        (0..self.count).map(|number| self.value(&format!("argv{number}")).unwrap_or_default())
    }

    /// For example `linux`.
    #[must_use]
    pub fn operating_system(&self) -> Option<Cow<'a, str>> {
        self.value("GOOS")
    }

    /// For example `amd64`.
    #[must_use]
    pub fn architecture(&self) -> Option<Cow<'a, str>> {
        self.value("GOARCH")
    }

    fn value(&self, key: &str) -> Option<Cow<'a, str>> {
        find(&self.pairs, key).map(String::from_utf8_lossy)
    }

    pub(crate) fn read(tables: ArgumentTables<'a>) -> Result<Self, Error> {
        let mut strings = tables.strings;
        let string_count = strings.uleb128_length("a segment's string table")?;
        if string_count > strings.remaining() {
            return Err(Error::Truncated { offset: strings.offset(), what: "a segment's string table" });
        }
        let mut table = Vec::with_capacity(string_count);
        for _ in 0..string_count {
            let length = strings.uleb128_length("a segment's string table")?;
            table.push(strings.take(length, "a segment's string table")?);
        }

        let mut cursor = tables.pairs;
        let pair_count = cursor.uleb128_length("a segment's arguments")?;
        if pair_count > cursor.remaining() / 2 {
            return Err(Error::Truncated { offset: cursor.offset(), what: "a segment's arguments" });
        }
        let mut pairs = Vec::with_capacity(pair_count);
        let offset = cursor.offset();
        for _ in 0..pair_count {
            let mut string = || {
                let offset = cursor.offset();
                let index = cursor.uleb128("a segment's arguments")?;
                let string = table.get(length(index)).copied();
                string.ok_or(Error::Malformed { offset, reason: "an index outside of the string table" })
            };
            pairs.push((string()?, string()?));
        }
        // Go writes them sorted by key, but does not promise it.
        pairs.sort_by_key(|(key, _)| *key);
        if pairs.windows(2).any(|neighbours| matches!(neighbours, [one, other] if one.0 == other.0)) {
            return Err(Error::Malformed { offset, reason: "an argument given twice" });
        }
        let count = match find(&pairs, "argc") {
            None => 0,
            Some(text) => str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .filter(|count| *count <= pairs.len())
                .ok_or(Error::Malformed { offset, reason: "argc is not the number of arguments" })?,
        };
        Ok(Self { pairs, count })
    }
}

impl Arguments<'_> {
    /// The same, with its own copy of the bytes.
    #[must_use]
    pub fn to_run_arguments(&self) -> RunArguments {
        let value = |key: &str| find(&self.pairs, key).unwrap_or_default().to_vec();
        RunArguments {
            program: (0..self.count).map(|number| value(&format!("argv{number}"))).collect(),
            operating_system: value("GOOS"),
            architecture: value("GOARCH"),
        }
    }
}

/// How a program was started, or that in which several runs agree. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunArguments {
    /// `os.Args`, which need not be UTF-8: the program first.
    pub program: Vec<Vec<u8>>,
    /// `GOOS`, for example `linux`.
    pub operating_system: Vec<u8>,
    /// `GOARCH`, for example `amd64`.
    pub architecture: Vec<u8>,
}

impl RunArguments {
    /// Keeps that in which it agrees with another run, as `go tool covdata merge` does.
    pub(crate) fn agree(&mut self, other: &Arguments<'_>) {
        let value = |key: &str| find(&other.pairs, key).unwrap_or_default();
        let same_program = self.program.len() == other.count
            && self.program.iter().enumerate().all(|(number, own)| value(&format!("argv{number}")) == own);
        if !same_program {
            self.program.clear();
        }
        for (own, key) in [(&mut self.operating_system, "GOOS"), (&mut self.architecture, "GOARCH")] {
            if value(key) != own.as_slice() {
                own.clear();
            }
        }
    }

    /// Keeps that in which both agree.
    pub fn agree_with(&mut self, other: &Self) {
        if self.program != other.program {
            self.program.clear();
        }
        if self.operating_system != other.operating_system {
            self.operating_system.clear();
        }
        if self.architecture != other.architecture {
            self.architecture.clear();
        }
    }

    /// The same for what may not be known yet.
    pub(crate) fn agree_on(own: &mut Option<Self>, other: Option<&Self>) {
        match (own, other) {
            (Some(own), Some(other)) => own.agree_with(other),
            (own @ None, Some(other)) => *own = Some(other.clone()),
            (_, None) => {}
        }
    }

    /// As they stand in a counter file, sorted by key.
    pub(crate) fn pairs(&self) -> BTreeMap<String, Cow<'_, [u8]>> {
        let mut pairs = BTreeMap::new();
        if !self.program.is_empty() {
            pairs.insert("argc".to_owned(), Cow::Owned(self.program.len().to_string().into_bytes()));
        }
        for (number, argument) in self.program.iter().enumerate() {
            pairs.insert(format!("argv{number}"), Cow::Borrowed(argument.as_slice()));
        }
        for (key, value) in [("GOOS", &self.operating_system), ("GOARCH", &self.architecture)] {
            if !value.is_empty() {
                pairs.insert(key.to_owned(), Cow::Borrowed(value.as_slice()));
            }
        }
        pairs
    }
}

fn find<'a>(pairs: &[(&'a [u8], &'a [u8])], key: &str) -> Option<&'a [u8]> {
    let found = pairs.binary_search_by_key(&key.as_bytes(), |(key, _)| *key).ok()?;
    pairs.get(found).map(|(_, value)| *value)
}
