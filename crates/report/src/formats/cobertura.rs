//! Cobertura's XML, as `coverage-04.dtd` has it. A class is a file. Go counts no branches, so there are none.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Document, printable};
use crate::Error;
use crate::lines::{LineTotals, Lines};
use crate::tree::{FileNode, FunctionNode, Tree};

const DOCTYPE: &str = "coverage SYSTEM \"http://cobertura.sourceforge.net/xml/coverage-04.dtd\"";

pub(super) fn write(document: &Document<'_>, tree: &Tree<'_>, output: &mut impl Write) -> Result<(), Error> {
    let run = document.report.run;
    let root = document.report.files.root();
    let root = root.map_or_else(|| ".".to_owned(), |root| printable(&root.to_string_lossy()));
    let mut writer = Writer::new_with_indent(&mut *output, b' ', 1);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.write_event(Event::DocType(BytesText::from_escaped(DOCTYPE)))?;
    writer
        .create_element("coverage")
        .with_attribute(("line-rate", rate(tree.lines).as_str()))
        .with_attribute(("branch-rate", NO_BRANCHES))
        .with_attribute(("lines-covered", tree.lines.covered.to_string().as_str()))
        .with_attribute(("lines-valid", tree.lines.lines.to_string().as_str()))
        .with_attribute(("branches-covered", "0"))
        .with_attribute(("branches-valid", "0"))
        .with_attribute(("complexity", "0"))
        .with_attribute(("version", format!("podcov {}", printable(&run.podcov_version)).as_str()))
        .with_attribute(("timestamp", milliseconds(&run.started).to_string().as_str()))
        .write_inner_content(|writer| {
            writer.create_element("sources").write_inner_content(|writer| {
                writer.create_element("source").write_text_content(BytesText::new(&root)).map(drop)
            })?;
            writer.create_element("packages").write_inner_content(|writer| write_packages(writer, tree))?;
            Ok(())
        })?;
    writeln!(output)?;
    Ok(())
}

const NO_BRANCHES: &str = "0";

fn write_packages<W: Write>(writer: &mut Writer<W>, tree: &Tree<'_>) -> io::Result<()> {
    for package in &tree.packages {
        writer
            .create_element("package")
            .with_attribute(("name", printable(package.import_path).as_str()))
            .with_attribute(("line-rate", rate(package.lines).as_str()))
            .with_attribute(("branch-rate", NO_BRANCHES))
            .with_attribute(("complexity", "0"))
            .write_inner_content(|writer| {
                writer.create_element("classes").write_inner_content(|writer| {
                    package.files.iter().try_for_each(|file| write_class(writer, file))
                })?;
                Ok(())
            })?;
    }
    Ok(())
}

fn write_class<W: Write>(writer: &mut Writer<W>, file: &FileNode<'_>) -> io::Result<()> {
    let path = printable(file.path);
    let name = path.rsplit('/').next().unwrap_or(&path);
    writer
        .create_element("class")
        .with_attribute(("name", name))
        .with_attribute(("filename", path.as_str()))
        .with_attribute(("line-rate", rate(file.lines.totals()).as_str()))
        .with_attribute(("branch-rate", NO_BRANCHES))
        .with_attribute(("complexity", "0"))
        .write_inner_content(|writer| {
            writer.create_element("methods").write_inner_content(|writer| {
                let mut named = file.functions.iter().filter(|function| !function.name.is_empty());
                named.try_for_each(|function| write_method(writer, function))
            })?;
            write_lines(writer, &file.lines)
        })
        .map(drop)
}

fn write_method<W: Write>(writer: &mut Writer<W>, function: &FunctionNode<'_>) -> io::Result<()> {
    let lines = Lines::of(&function.function.units);
    writer
        .create_element("method")
        .with_attribute(("name", printable(function.name).as_str()))
        .with_attribute(("signature", ""))
        .with_attribute(("line-rate", rate(lines.totals()).as_str()))
        .with_attribute(("branch-rate", NO_BRANCHES))
        .with_attribute(("complexity", "0"))
        .write_inner_content(|writer| write_lines(writer, &lines))
        .map(drop)
}

fn write_lines<W: Write>(writer: &mut Writer<W>, lines: &Lines) -> io::Result<()> {
    writer
        .create_element("lines")
        .write_inner_content(|writer| {
            for line in lines.iter() {
                writer
                    .create_element("line")
                    .with_attribute(("number", line.number.to_string().as_str()))
                    .with_attribute(("hits", line.hits.to_string().as_str()))
                    .with_attribute(("branch", "false"))
                    .write_empty()?;
            }
            Ok(())
        })
        .map(drop)
}

/// Four digits after the point, cut off: 1 means every line.
#[expect(clippy::cast_precision_loss, reason = "below 10,000")]
fn rate(lines: LineTotals) -> String {
    if lines.lines == 0 {
        return "0".to_owned();
    }
    let parts = lines.covered * 10_000 / lines.lines;
    format!("{}", parts as f64 / 10_000.0)
}

/// Since 1970, as Java has it; 0 if that is not known.
fn milliseconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond)
}
