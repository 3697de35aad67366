//! Gives the blocks of a text profile to the functions of the sources, as `go tool cover -func` does: the profile itself
//! knows no functions.

use go_coverage::{Function, Profile, Unit};
use go_source::{DeclaredFunction, declared_functions};

use crate::SourceFiles;

/// Names the functions without a name. Blocks that lie in no declaration, or whose source is not here, stay as they are.
pub fn name_blocks(profile: &mut Profile, files: &SourceFiles) {
    for package in &mut profile.packages {
        let is_unnamed = |function: &Function| function.name.is_empty();
        if !package.functions.iter().any(is_unnamed) {
            continue;
        }
        let functions = std::mem::take(&mut package.functions);
        for function in functions {
            match files.text(&function.file) {
                Some(text) if is_unnamed(&function) => {
                    package.functions.extend(named(&function, &declared_functions(text)));
                }
                _ => package.functions.push(function),
            }
        }
    }
}

fn named(blocks: &Function, declared: &[DeclaredFunction]) -> Vec<Function> {
    let mut units = vec![Vec::<Unit>::new(); declared.len()];
    let mut others = Vec::new();
    for unit in &blocks.units {
        let start = (unit.start_line, unit.start_column);
        let index = declared.partition_point(|function| function.end <= start);
        let own = declared.get(index).is_some_and(|function| function.start <= start);
        match units.get_mut(index).filter(|_| own) {
            Some(units) => units.push(*unit),
            None => others.push(*unit),
        }
    }
    let functions = declared.iter().zip(units).filter(|(_, units)| !units.is_empty());
    let functions = functions.map(|(declared, units)| Function {
        name: declared.name.clone(),
        file: blocks.file.clone(),
        is_literal: false,
        units,
    });
    let others = (!others.is_empty()).then(|| Function { units: others, ..blocks.clone() });
    functions.chain(others).collect()
}
