//! Trace files of lcov: `man geninfo`, section FILES. Lines and functions; Go counts no branches.

use std::io::Write;

use super::printable;
use crate::Error;
use crate::tree::{FileNode, FunctionNode, Tree};

pub(super) fn write(tree: &Tree<'_>, output: &mut impl Write) -> Result<(), Error> {
    for file in tree.files() {
        write_file(file, output)?;
    }
    Ok(())
}

fn write_file(file: &FileNode<'_>, output: &mut impl Write) -> Result<(), Error> {
    writeln!(output, "TN:\nSF:{}", printable(file.path))?;
    let functions = named_functions(file);
    for (name, function) in &functions {
        writeln!(output, "FN:{},{name}", function.line)?;
    }
    for (name, function) in &functions {
        writeln!(output, "FNDA:{},{name}", function.hits)?;
    }
    let hit = functions.iter().filter(|(_, function)| function.hits > 0).count();
    writeln!(output, "FNF:{}\nFNH:{hit}", functions.len())?;
    let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
    let [number, hits] = &mut digits;
    for line in file.lines.iter() {
        for part in ["DA:", number.format(line.number), ",", hits.format(line.hits), "\n"] {
            output.write_all(part.as_bytes())?;
        }
    }
    let lines = file.lines.totals();
    writeln!(output, "LF:{}\nLH:{}\nend_of_record", lines.lines, lines.covered)?;
    Ok(())
}

/// Each name once: of two functions that are called the same, lcov would take one to be the other.
fn named_functions<'a>(file: &'a FileNode<'_>) -> Vec<(String, &'a FunctionNode<'a>)> {
    let mut functions: Vec<(String, &FunctionNode<'_>)> = Vec::with_capacity(file.functions.len());
    let mut known = std::collections::HashSet::new();
    for function in file.functions.iter().filter(|function| !function.name.is_empty()) {
        let name = printable(function.name).replace(',', ";");
        let name = if known.contains(&name) { format!("{name}:{}", function.line) } else { name };
        if known.insert(name.clone()) {
            functions.push((name, function));
        }
    }
    functions
}
