//! Looks up a few names in the symbol table, which may have a million: both tables are read piece by piece.

use crate::elf::Fields;
use crate::scan::{find, read};
use crate::{ByteSource, Error, Section, VirtualAddress};

const TABLE: &str = ".symtab";
const ENTRY: usize = 24;
const PIECE: u64 = 4096 * ENTRY as u64;

/// Whether there is a symbol table with entries.
pub(crate) fn has_table(sections: &[Section]) -> bool {
    table(sections).is_some()
}

fn table(sections: &[Section]) -> Option<&Section> {
    sections.iter().find(|section| section.name == TABLE && section.size > ENTRY as u64)
}

fn table_and_strings(sections: &[Section]) -> Option<(&Section, &Section)> {
    let table = table(sections).filter(|table| !table.is_empty_in_file)?;
    let strings = usize::try_from(table.link).ok().and_then(|link| sections.get(link))?;
    (!strings.is_empty_in_file).then_some((table, strings))
}

/// Where the names of symbols are.
pub(crate) fn strings(sections: &[Section]) -> Option<&Section> {
    table_and_strings(sections).map(|(_, strings)| strings)
}

/// Where the name of each function begins among them.
pub(crate) fn visit_functions(
    source: &impl ByteSource,
    sections: &[Section],
    mut visit: impl FnMut(u32),
) -> Result<(), Error> {
    const FUNCTION: u32 = 2;
    let Some((table, _)) = table_and_strings(sections) else { return Ok(()) };
    let mut done = 0;
    while done < table.size {
        let length = usize::try_from((table.size - done).min(PIECE)).unwrap_or(0);
        for entry in read(source, table.offset + done, length)?.as_chunks::<ENTRY>().0 {
            let mut fields = Fields(entry);
            let (name, kind_and_section) = (fields.u32(), fields.u32());
            if kind_and_section & 0xf == FUNCTION {
                visit(name);
            }
        }
        done += PIECE;
    }
    Ok(())
}

/// What the symbols of these names stand for, in their order.
pub(crate) fn look_up<const N: usize>(
    source: &impl ByteSource,
    sections: &[Section],
    names: [&str; N],
) -> Result<[Option<VirtualAddress>; N], Error> {
    let mut symbols = [None; N];
    let Some((table, strings)) = table_and_strings(sections) else { return Ok(symbols) };

    let mut name_offsets = Vec::with_capacity(N);
    for name in names {
        name_offsets.push(name_offset(source, strings, name)?);
    }
    if name_offsets.iter().all(Option::is_none) {
        return Ok(symbols);
    }
    let mut done = 0;
    while done < table.size
        && symbols.iter().zip(&name_offsets).any(|(found, name)| found.is_none() && name.is_some())
    {
        let length = usize::try_from((table.size - done).min(PIECE)).unwrap_or(0);
        for entry in read(source, table.offset + done, length)?.as_chunks::<ENTRY>().0 {
            let mut fields = Fields(entry);
            let (name, _kind_and_section) = (fields.u32(), fields.u32());
            let address = VirtualAddress(fields.u64());
            if let Some(at) = name_offsets.iter().position(|offset| *offset == Some(name)) {
                symbols[at] = Some(address);
            }
        }
        done += PIECE;
    }
    Ok(symbols)
}

/// Where a name begins in the string table. Linkers let a name be the end of a longer one.
fn name_offset(source: &impl ByteSource, strings: &Section, name: &str) -> Result<Option<u32>, Error> {
    let needle = [name.as_bytes(), &[0]].concat();
    let range = strings.offset..strings.offset + strings.size;
    let found = find(source, range, &needle)?;
    Ok(found.and_then(|offset| u32::try_from(offset - strings.offset).ok()))
}
