//! Code that lost coverage, in real programs that moved on. The expected values follow from which lines were made
//! to run, which the test says itself.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use go_coverage::{CounterMode, Function, Package, Profile, Totals, Unit};
use podcov_patch::{Comparison, compare};

/// `LINE.COLUMN,LINE.COLUMN STATEMENTS COUNT`, as in Go's text profile.
fn unit(text: &str) -> Unit {
    let numbers: Vec<u32> = text.split([' ', ',', '.']).map(|number| number.parse().unwrap()).collect();
    let [start_line, start_column, end_line, end_column, statements, count] = numbers.try_into().unwrap();
    Unit { start_line, start_column, end_line, end_column, statements, count }
}

fn function(name: &str, units: &[&str]) -> Function {
    Function {
        name: name.to_owned(),
        file: "example.com/shop/cart.go".to_owned(),
        is_literal: name.starts_with("func.") || name.is_empty(),
        units: units.iter().map(|text| unit(text)).collect(),
    }
}

fn profile(functions: Vec<Function>) -> Profile {
    let package = Package { import_path: "example.com/shop".to_owned(), functions };
    Profile { mode: CounterMode::Atomic, packages: vec![package] }
}

fn compared(before: Vec<Function>, after: Vec<Function>) -> Comparison {
    compare(&profile(before), &profile(after), |_, _| false)
}

const ADD: [&str; 3] = ["3.20,4.10 1 7", "4.10,6.3 2 3", "7.2,7.12 1 4"];
/// The same, ten lines further down; its middle did not run.
const ADD_MOVED: [&str; 3] = ["13.20,14.10 1 7", "14.10,16.3 2 0", "17.2,17.12 1 4"];

#[test]
fn a_function_that_moved_is_compared_where_it_is_now() {
    let other = function("Total", &["3.9,9.2 4 1"]);
    let comparison =
        compared(vec![function("*Cart.Add", &ADD)], vec![other, function("*Cart.Add", &ADD_MOVED)]);
    assert_eq!(comparison.functions_compared, 1);
    let [lost] = comparison.lost.as_slice() else { panic!("{comparison:?}") };
    assert_eq!((lost.name.as_str(), lost.statements()), ("*Cart.Add", 2));
    assert_eq!(lost.units, [unit("14.10,16.3 2 0")]);
    let totals = |covered| Totals { statements: 4, covered };
    assert_eq!((lost.before, lost.after), (totals(4), totals(2)));
    assert_eq!(comparison.statements_lost(), 2);
}

#[test]
fn nothing_is_lost_where_nothing_ran_before_or_everything_runs_now() {
    assert!(compared(vec![function("F", &ADD_MOVED)], vec![function("F", &ADD)]).lost.is_empty());
    assert!(compared(vec![function("F", &ADD)], vec![function("F", &ADD)]).lost.is_empty());
    // How often it ran does not matter.
    let less = ["3.20,4.10 1 1", "4.10,6.3 2 1", "7.2,7.12 1 1"];
    assert!(compared(vec![function("F", &ADD)], vec![function("F", &less)]).lost.is_empty());
}

#[test]
fn a_new_branch_in_a_function_does_not_hide_the_rest_of_it() {
    let longer = ["3.20,4.10 1 7", "5.15,8.3 3 0", "10.10,12.3 2 0", "13.2,13.12 1 0"];
    let comparison = compared(vec![function("F", &ADD)], vec![function("F", &longer)]);
    // The new branch is no loss; what comes after it is.
    assert_eq!(comparison.lost[0].units, [unit("10.10,12.3 2 0"), unit("13.2,13.12 1 0")]);
}

#[test]
fn code_that_was_changed_is_new_and_not_lost() {
    let (before, after) = (profile(vec![function("F", &ADD)]), profile(vec![function("F", &ADD_MOVED)]));
    let comparison = compare(&before, &after, |file, unit| {
        file == "example.com/shop/cart.go" && (unit.start_line..=unit.end_line).contains(&15)
    });
    assert!(comparison.lost.is_empty());
}

#[test]
fn literals_are_found_by_their_shape_for_their_names_change_when_they_move() {
    let other = ["30.5,33.2 3 1"];
    let before = vec![function("func.L3.C20", &ADD), function("func.L30.C5", &other)];
    let after = vec![function("func.L13.C20", &ADD_MOVED), function("func.L40.C5", &["40.5,43.2 3 1"])];
    let comparison = compared(before, after);
    assert_eq!(comparison.functions_compared, 2);
    assert_eq!(comparison.lost[0].name, "func.L13.C20");
    assert_eq!(comparison.lost[0].units, [unit("14.10,16.3 2 0")]);
}

#[test]
fn what_is_gone_is_counted_and_a_package_that_is_gone_is_named() {
    let mut before = profile(vec![function("F", &ADD), function("G", &ADD)]);
    before
        .packages
        .push(Package { import_path: "example.com/gone".to_owned(), functions: vec![function("H", &ADD)] });
    let comparison = compare(&before, &profile(vec![function("F", &ADD)]), |_, _| false);
    assert_eq!((comparison.functions_compared, comparison.functions_gone), (1, 1));
    let gone = ("example.com/gone".to_owned(), "example.com/shop/cart.go".to_owned());
    assert_eq!(comparison.packages_gone, [gone]);
    assert!(comparison.lost.is_empty());
}

#[test]
fn a_text_profile_is_compared_by_file() {
    let before = function("", &[&ADD[..], &["30.5,33.2 3 1"]].concat());
    let after = vec![
        function("Total", &["1.9,2.2 4 1"]),
        function("*Cart.Add", &ADD_MOVED),
        function("G", &["40.5,43.2 3 1"]),
    ];
    let comparison = compared(vec![before], after);
    assert_eq!(comparison.lost[0].name, "cart.go");
    assert_eq!(comparison.lost[0].units, [unit("14.10,16.3 2 0")]);
}

#[test]
fn functions_that_take_too_long_to_compare_are_named() {
    let long = |column: u32| -> Function {
        let units = (1..5_000).map(|line| unit(&format!("{line}.{},{line}.9 1 1", column + line % 2)));
        Function { units: units.collect(), ..function("F", &[]) }
    };
    let comparison = compared(vec![long(1)], vec![long(4)]);
    assert_eq!(comparison.not_comparable, ["example.com/shop.F"]);
}
