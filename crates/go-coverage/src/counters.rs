//! Reads counter files (`covcounters.*`): how often the units of one program ran. Knows no names; those are in the
//! meta-data file with the same hash.

use crate::cursor::{Cursor, length};
use crate::{Arguments, Error, MetaDataHash};

pub(crate) const MAGIC: [u8; 4] = *b"\0cwm";
const FILE: &str = "counter";
const FOOTER_LENGTH: usize = 16;
const SEGMENT_HEADER_LENGTH: usize = 16;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterFlavor {
    /// Four bytes each.
    Raw,
    /// Seven bits per byte. What every Go release writes.
    Uleb128,
}

impl CounterFlavor {
    /// The fewest bytes that `numbers` numbers take.
    const fn smallest(self, numbers: usize) -> usize {
        match self {
            Self::Raw => numbers.saturating_mul(4),
            Self::Uleb128 => numbers,
        }
    }

    fn number(self, cursor: &mut Cursor<'_>, what: &'static str) -> Result<u32, Error> {
        match self {
            Self::Raw => cursor.u32(what),
            Self::Uleb128 => cursor.uleb128(what),
        }
    }
}

/// A counter file, checked whole. It borrows the bytes and decodes them again where they are asked for.
///
/// Go writes one segment per file, and its own tools read only the first. All of them are read here.
#[derive(Clone, Debug)]
pub struct CounterFile<'a> {
    header: Header<'a>,
    segments: Vec<Segment<'a>>,
}

impl<'a> CounterFile<'a> {
    /// Checks the whole file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let header = Header::read(bytes)?;
        let mut segments = Segments { flavor: header.flavor, found: Vec::new() };
        header.visit(&mut segments)?;
        Ok(Self { header, segments: segments.found })
    }

    /// The hash in the header, if there is one. Nothing else is checked.
    #[must_use]
    pub fn hash_of(bytes: &[u8]) -> Option<MetaDataHash> {
        Header::read(bytes).ok().map(|header| header.hash)
    }

    /// The meta-data that the counters belong to.
    #[must_use]
    pub const fn hash(&self) -> MetaDataHash {
        self.header.hash
    }

    /// How the numbers are written.
    #[must_use]
    pub const fn flavor(&self) -> CounterFlavor {
        self.header.flavor
    }

    /// One per run, or part of a run, of the program. There is always one.
    #[must_use]
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// How the program was started; that of the first segment.
    #[must_use]
    pub fn arguments(&self) -> Option<&Arguments<'a>> {
        self.segments.first().map(Segment::arguments)
    }
}

/// The counters of a run, or part of a run.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    arguments: Arguments<'a>,
    flavor: CounterFlavor,
    function_count: u64,
    payload: Cursor<'a>,
}

impl<'a> Segment<'a> {
    /// How the program was started.
    #[must_use]
    pub const fn arguments(&self) -> &Arguments<'a> {
        &self.arguments
    }

    /// How many functions have counters: those that ran.
    #[must_use]
    pub const fn function_count(&self) -> u64 {
        self.function_count
    }

    /// The functions that ran, in the order of the file.
    pub fn functions(&self) -> impl Iterator<Item = FunctionCounters<'a>> + use<'a> {
        let (flavor, mut cursor) = (self.flavor, self.payload);
        // The segment was checked when the file was parsed: no error is left to meet here.
        (0..self.function_count).map_while(move |_| {
            let function = FunctionHeader::read(flavor, &mut cursor).ok()?;
            let counters = cursor;
            function.read_counters(flavor, &mut cursor, |_| ()).ok()?;
            Some(FunctionCounters { function, flavor, counters })
        })
    }
}

/// The counters of a function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionCounters<'a> {
    function: FunctionHeader,
    flavor: CounterFlavor,
    counters: Cursor<'a>,
}

impl<'a> FunctionCounters<'a> {
    /// Index of the package in the meta-data file, from 0.
    #[must_use]
    pub const fn package(&self) -> u32 {
        self.function.package
    }

    /// Index of the function in the package, from 0.
    #[must_use]
    pub const fn function(&self) -> u32 {
        self.function.function
    }

    /// One per unit of the function, in the order of the meta-data.
    pub fn counters(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (flavor, mut cursor) = (self.flavor, self.counters);
        (0..self.function.counters).map_while(move |_| flavor.number(&mut cursor, "a counter").ok())
    }
}

/// What stands before a function's counters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionHeader {
    /// Where it begins in the file.
    pub(crate) offset: usize,
    /// Index of the package.
    pub(crate) package: u32,
    /// Index of the function in the package.
    pub(crate) function: u32,
    counters: usize,
}

impl FunctionHeader {
    fn read(flavor: CounterFlavor, cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let offset = cursor.offset();
        let counters = length(flavor.number(cursor, "a function's number of counters")?);
        let package = flavor.number(cursor, "a function's package")?;
        let function = flavor.number(cursor, "a function's index")?;
        if flavor.smallest(counters) > cursor.remaining() {
            return Err(Error::Truncated { offset: cursor.offset(), what: "the counters of a function" });
        }
        Ok(Self { offset, package, function, counters })
    }

    /// How many there are.
    pub(crate) const fn counters(self) -> usize {
        self.counters
    }

    #[inline]
    fn read_counters(
        self,
        flavor: CounterFlavor,
        cursor: &mut Cursor<'_>,
        mut each: impl FnMut(u32),
    ) -> Result<(), Error> {
        for _ in 0..self.counters {
            each(flavor.number(cursor, "a counter")?);
        }
        Ok(())
    }
}

/// Takes what a counter file holds, in its order.
pub(crate) trait Visitor<'a> {
    /// A segment begins. `payload` is at its functions, and goes on to the end of the file.
    fn segment(&mut self, arguments: ArgumentTables<'a>, payload: Cursor<'a>) -> Result<(), Error>;

    /// A function that ran. Its counters come next.
    fn function(&mut self, function: FunctionHeader) -> Result<(), Error>;

    /// The next counter of the function.
    fn counter(&mut self, count: u32);
}

/// Where a segment's arguments are: indices into its string table.
#[derive(Clone, Copy)]
pub(crate) struct ArgumentTables<'a> {
    pub(crate) strings: Cursor<'a>,
    pub(crate) pairs: Cursor<'a>,
}

/// Finds the segments.
struct Segments<'a> {
    flavor: CounterFlavor,
    found: Vec<Segment<'a>>,
}

impl<'a> Visitor<'a> for Segments<'a> {
    fn segment(&mut self, arguments: ArgumentTables<'a>, payload: Cursor<'a>) -> Result<(), Error> {
        let arguments = Arguments::read(arguments)?;
        self.found.push(Segment { arguments, flavor: self.flavor, function_count: 0, payload });
        Ok(())
    }

    fn function(&mut self, _function: FunctionHeader) -> Result<(), Error> {
        if let Some(segment) = self.found.last_mut() {
            segment.function_count += 1;
        }
        Ok(())
    }

    fn counter(&mut self, _count: u32) {}
}

/// The beginning of a counter file, and the number of segments that its end tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    /// The meta-data that the counters belong to.
    pub(crate) hash: MetaDataHash,
    flavor: CounterFlavor,
    segment_count: u32,
    segments: Cursor<'a>,
}

impl<'a> Header<'a> {
    /// Reads the header and the last footer.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes, 0);
        if cursor.array("the counter file header")? != MAGIC {
            return Err(Error::WrongMagic { expected: FILE, offset: 0 });
        }
        let version = cursor.u32("the version")?;
        if version > 1 {
            return Err(Error::UnknownVersion { file: FILE, version });
        }
        let hash = MetaDataHash(cursor.array("the hash")?);
        let flavor_offset = cursor.offset();
        let [flavor, big_endian] = cursor.array("the counter flavor")?;
        cursor.take(6, "the counter file header")?;
        let flavor = match flavor {
            1 => CounterFlavor::Raw,
            2 => CounterFlavor::Uleb128,
            _ => return Err(Error::Malformed { offset: flavor_offset, reason: "unknown counter flavor" }),
        };
        if big_endian != 0 {
            return Err(Error::BigEndian { offset: flavor_offset + 1 });
        }
        // Go writes the footer last, so that a file without one was cut off while it was written or copied.
        let cut_off = Error::Truncated { offset: bytes.len(), what: "the footer" };
        let footer_offset = cursor.remaining().checked_sub(FOOTER_LENGTH).ok_or(cut_off)?;
        let mut end = cursor;
        end.take(footer_offset, "the segments")?;
        let segment_count = read_footer(&mut end)?;
        if segment_count == 0 {
            return Err(Error::Malformed { offset: end.offset(), reason: "no segments" });
        }
        Ok(Self { hash, flavor, segment_count, segments: cursor })
    }

    /// The segment, if there is one only and its numbers are ULEB128, which is what Go writes. Of its functions nothing
    /// is checked.
    pub(crate) fn only_uleb128_segment(&self) -> Option<OnlySegment<'a>> {
        if self.segment_count != 1 || self.flavor != CounterFlavor::Uleb128 {
            return None;
        }
        let mut cursor = self.segments;
        let (function_count, arguments) = segment_preamble(&mut cursor).ok()?;
        let length = cursor.remaining().checked_sub(FOOTER_LENGTH)?;
        let functions = cursor.take(length, "the functions").ok()?;
        Some(OnlySegment { arguments, function_count, functions })
    }

    /// Reads all segments.
    pub(crate) fn visit(&self, visitor: &mut impl Visitor<'a>) -> Result<(), Error> {
        let mut cursor = self.segments;
        let mut functions = 0;
        for number in 1..=self.segment_count {
            functions = self.segment(number, functions, &mut cursor, visitor)?;
            let offset = cursor.offset();
            if read_footer(&mut cursor)? != number {
                return Err(Error::Malformed { offset, reason: "a footer with another number of segments" });
            }
        }
        if cursor.remaining() > 0 {
            return Err(Error::Malformed { offset: cursor.offset(), reason: "bytes after the last segment" });
        }
        Ok(())
    }

    /// Reads segment `number`, counted from 1, and returns how many functions there are up to its end.
    fn segment(
        &self,
        number: u32,
        previous_functions: u64,
        cursor: &mut Cursor<'a>,
        visitor: &mut impl Visitor<'a>,
    ) -> Result<u64, Error> {
        let (function_count, arguments) = segment_preamble(cursor)?;
        visitor.segment(arguments, *cursor)?;
        for index in 0..function_count {
            // Go's writer goes on counting in a later segment: it says there how many functions the file has so far.
            // No function looks like a footer: it would have no counters, and then it would not be in the file.
            if number > 1
                && function_count - index == previous_functions
                && read_footer(&mut cursor.clone()) == Ok(number)
            {
                return Ok(function_count);
            }
            let function = FunctionHeader::read(self.flavor, cursor)?;
            visitor.function(function)?;
            function.read_counters(self.flavor, cursor, |count| visitor.counter(count))?;
        }
        Ok(previous_functions.saturating_add(function_count))
    }
}

/// A segment, as far as its functions.
pub(crate) struct OnlySegment<'a> {
    pub(crate) arguments: ArgumentTables<'a>,
    pub(crate) function_count: u64,
    pub(crate) functions: &'a [u8],
}

/// Reads what stands before the functions: how many there are, and where the arguments are.
fn segment_preamble<'a>(cursor: &mut Cursor<'a>) -> Result<(u64, ArgumentTables<'a>), Error> {
    let function_count = cursor.u64("a segment header")?;
    let strings_length = length(cursor.u32("a segment header")?);
    let arguments_length = length(cursor.u32("a segment header")?);
    let offset = cursor.offset();
    let strings = Cursor::new(cursor.take(strings_length, "a segment's string table")?, offset);
    let offset = cursor.offset();
    let pairs = Cursor::new(cursor.take(arguments_length, "a segment's arguments")?, offset);
    // Go counts the padding as arguments. A reader that does not rely on that rounds up as well, and so from
    // the beginning of the segment, for that is what the writer aligns: a later segment begins anywhere.
    let preamble = SEGMENT_HEADER_LENGTH.saturating_add(strings_length).saturating_add(arguments_length);
    cursor.take(preamble.wrapping_neg() % 4, "a segment's padding")?;
    Ok((function_count, ArgumentTables { strings, pairs }))
}

/// Returns the number of segments up to here.
fn read_footer(cursor: &mut Cursor<'_>) -> Result<u32, Error> {
    let offset = cursor.offset();
    if cursor.array("a footer")? != MAGIC {
        return Err(Error::WrongMagic { expected: FILE, offset });
    }
    cursor.take(4, "a footer")?;
    let segments = cursor.u32("a footer")?;
    cursor.take(4, "a footer")?;
    Ok(segments)
}
