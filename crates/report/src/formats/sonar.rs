//! SonarQube's generic test coverage, `sonar.coverageReportPaths`.
//!
//! Files that are not here as they were built are left out: SonarQube refuses the whole report if a line lies beyond the end
//! of its file. Files that it does not know it ignores.

use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use super::printable;
use crate::tree::Tree;
use crate::{Error, SourceFiles};

pub(super) fn write(tree: &Tree<'_>, files: &SourceFiles, output: &mut impl Write) -> Result<(), Error> {
    let mut writer = Writer::new_with_indent(&mut *output, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("coverage").with_attribute(("version", "1")).write_inner_content(|writer| {
        for file in tree.files().filter(|file| !files.is_another_version(file.name)) {
            let path = printable(file.path);
            writer.create_element("file").with_attribute(("path", path.as_str())).write_inner_content(
                |writer| {
                    for line in file.lines.iter() {
                        writer
                            .create_element("lineToCover")
                            .with_attribute(("lineNumber", line.number.to_string().as_str()))
                            .with_attribute(("covered", if line.hits > 0 { "true" } else { "false" }))
                            .write_empty()?;
                    }
                    Ok(())
                },
            )?;
        }
        Ok(())
    })?;
    writeln!(output)?;
    Ok(())
}
