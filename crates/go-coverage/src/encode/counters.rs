//! Counter files, as `internal/coverage/encodecounter` writes them.

use std::borrow::Cow;

use super::push_uleb128;
use super::strings::StringTable;
use crate::counters::MAGIC;
use crate::{CounterFlavor, MetaDataHash, RunArguments};

/// A counter file that is being made: one segment, since Go's own tools read no more of a file.
///
/// ```
/// use go_coverage::{CounterFile, CounterFileWriter, CounterFlavor, MetaDataHash, RunArguments};
///
/// let arguments = RunArguments { program: vec![b"/bin/api".to_vec()], ..RunArguments::default() };
/// let mut writer = CounterFileWriter::new(MetaDataHash([7; 16]), CounterFlavor::Uleb128, &arguments);
/// writer.function(0, 3, &[1, 0, 1200]);
/// let bytes = writer.finish();
///
/// let file = CounterFile::parse(&bytes)?;
/// assert_eq!(file.arguments().map(|arguments| arguments.program().collect()), Some(vec!["/bin/api".into()]));
/// let counters: Vec<u32> = file.segments()[0].functions().flat_map(|function| function.counters()).collect();
/// assert_eq!(counters, [1, 0, 1200]);
/// # Ok::<(), go_coverage::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CounterFileWriter {
    flavor: CounterFlavor,
    bytes: Vec<u8>,
    functions: u64,
}

/// Where the number of functions is.
const FUNCTION_COUNT: std::ops::Range<usize> = 32..40;

impl CounterFileWriter {
    /// For the counters of the program with this hash.
    #[must_use]
    pub fn new(hash: MetaDataHash, flavor: CounterFlavor, arguments: &RunArguments) -> Self {
        let mut bytes = Vec::from(MAGIC);
        bytes.extend_from_slice(&1_u32.to_le_bytes());
        bytes.extend_from_slice(&hash.0);
        bytes.push(match flavor {
            CounterFlavor::Raw => 1,
            CounterFlavor::Uleb128 => 2,
        });
        bytes.extend_from_slice(&[0; 7]);

        let mut strings = StringTable::new();
        let mut pairs = Vec::new();
        let arguments = arguments.pairs();
        push_uleb128(&mut pairs, u32::try_from(arguments.len()).unwrap_or(u32::MAX));
        for (key, value) in arguments {
            for string in [Cow::Owned(key.into_bytes()), value] {
                push_uleb128(&mut pairs, strings.index(string));
            }
        }
        let strings = strings.encode();
        // The padding counts as a part of the arguments.
        pairs.resize(pairs.len() + (strings.len() + pairs.len()).wrapping_neg() % 4, 0);
        bytes.extend_from_slice(&[0; 8]);
        for part in [&strings, &pairs] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        bytes.extend_from_slice(&strings);
        bytes.extend_from_slice(&pairs);
        Self { flavor, bytes, functions: 0 }
    }

    /// Adds the counters of a function, one per unit. Go leaves out functions that did not run.
    pub fn function(&mut self, package: u32, function: u32, counters: &[u32]) {
        self.functions += 1;
        let length = u32::try_from(counters.len()).unwrap_or(u32::MAX);
        for number in [length, package, function].iter().chain(counters) {
            match self.flavor {
                CounterFlavor::Raw => self.bytes.extend_from_slice(&number.to_le_bytes()),
                CounterFlavor::Uleb128 => push_uleb128(&mut self.bytes, *number),
            }
        }
    }

    /// The whole file.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if let Some(count) = self.bytes.get_mut(FUNCTION_COUNT) {
            count.copy_from_slice(&self.functions.to_le_bytes());
        }
        self.bytes.extend_from_slice(&MAGIC);
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&1_u32.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes
    }
}
