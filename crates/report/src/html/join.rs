//! Which kinds of test ran each statement of a file.

use std::collections::HashMap;

use go_coverage::{Function, Unit};

/// The page names every combination, which nobody reads for more kinds.
const MOST_KINDS: usize = 3;

/// Statements by the kinds that ran them. The position in the list is a set of kinds, the first kind being its lowest
/// bit: with two of them neither, the first alone, the second alone, both. Empty for one kind, or for many.
///
/// Blocks of different builds are the same where they have the same position; what only one build has is counted as it
/// is there.
pub(super) fn statements_by_kinds(kinds: &[Vec<&Function>]) -> Vec<u64> {
    if !(2..=MOST_KINDS).contains(&kinds.len()) {
        return Vec::new();
    }
    let mut blocks = HashMap::<[u32; 4], (u32, usize)>::new();
    for (kind, functions) in kinds.iter().enumerate() {
        for unit in functions.iter().flat_map(|function| &function.units) {
            let (statements, ran_by) = blocks.entry(place(unit)).or_default();
            *statements = unit.statements.max(*statements);
            *ran_by |= usize::from(unit.count > 0) << kind;
        }
    }
    let mut by_kinds = vec![0; 1 << kinds.len()];
    for (statements, ran_by) in blocks.into_values() {
        if let Some(sum) = by_kinds.get_mut(ran_by) {
            *sum += u64::from(statements);
        }
    }
    by_kinds
}

fn place(unit: &Unit) -> [u32; 4] {
    [unit.start_line, unit.start_column, unit.end_line, unit.end_column]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(counts: &[u32]) -> Function {
        let unit = |(line, count): (u32, &u32)| Unit {
            start_line: line,
            start_column: 2,
            end_line: line,
            end_column: 9,
            statements: line,
            count: *count,
        };
        Function {
            name: "F".to_owned(),
            file: "m/f.go".to_owned(),
            is_literal: false,
            units: (1..).zip(counts).map(unit).collect(),
        }
    }

    #[test]
    fn a_statement_is_of_one_kind_of_the_other_of_both_or_of_neither() {
        // Statements are numbered by their line, so each sum says which lines are in it.
        let (unit, e2e) = (function(&[1, 0, 5, 0]), function(&[0, 2, 1, 0]));
        assert_eq!(statements_by_kinds(&[vec![&unit], vec![&e2e]]), [4, 1, 2, 3]);
    }

    #[test]
    fn what_only_one_build_has_is_not_lost() {
        let (unit, e2e) = (function(&[1]), function(&[0, 2, 0]));
        assert_eq!(statements_by_kinds(&[vec![&unit], vec![&e2e]]), [3, 1, 2, 0]);
        assert_eq!(statements_by_kinds(&[vec![&unit], Vec::new()]), [0, 1, 0, 0]);
    }

    #[test]
    fn one_kind_needs_no_telling_apart() {
        let unit = function(&[1]);
        assert!(statements_by_kinds(&[vec![&unit]]).is_empty());
    }
}
