//! `podcov covdata` is `go tool covdata`, byte for byte: real programs built and run with several Go releases, each
//! subcommand compared with the covdata of the same release.
//!
//! Needs the go command; it fetches the releases that are not installed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command_line;
mod comparison;
mod read_by_go;

use command_line::{
    a_directory_that_is_not_there_fails_as_with_covdata, command_lines_without_sense_end_as_those_of_covdata,
    flags_are_spelled_as_go_spells_them,
};
use comparison::Comparison;
use podcov_go_programs::{Call, Release};
use read_by_go::{covdata_reads_what_merge_wrote, covdata_reads_what_merging_programs_wrote};

podcov_go_programs::with_each_release! {
    every: [
        percent_prints_what_covdata_percent_prints,
        func_prints_what_covdata_func_prints,
        pkglist_prints_what_covdata_pkglist_prints,
        textfmt_writes_what_covdata_textfmt_writes,
        debugdump_prints_what_covdata_debugdump_prints,
        merge_writes_the_files_of_covdata_merge,
        merging_programs_writes_the_files_of_covdata_merge_pcombine,
        subtract_writes_the_files_of_covdata_subtract,
        intersect_writes_the_files_of_covdata_intersect,
        covdata_reads_what_merge_wrote,
        covdata_reads_what_merging_programs_wrote,
    ],
    complete: [
        flags_are_spelled_as_go_spells_them,
        command_lines_without_sense_end_as_those_of_covdata,
        a_directory_that_is_not_there_fails_as_with_covdata,
    ],
}

fn percent_prints_what_covdata_percent_prints(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "percent");
}

fn func_prints_what_covdata_func_prints(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "func");
}

fn pkglist_prints_what_covdata_pkglist_prints(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "pkglist");
}

fn textfmt_writes_what_covdata_textfmt_writes(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "textfmt");
}

fn debugdump_prints_what_covdata_debugdump_prints(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "debugdump");
}

fn merge_writes_the_files_of_covdata_merge(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "merge" && !combines_programs(call));
}

fn merging_programs_writes_the_files_of_covdata_merge_pcombine(release: &Release) {
    Comparison::of(release, combines_programs);
}

fn subtract_writes_the_files_of_covdata_subtract(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "subtract");
}

fn intersect_writes_the_files_of_covdata_intersect(release: &Release) {
    Comparison::of(release, |call| call.subcommand == "intersect");
}

fn combines_programs(call: &Call) -> bool {
    call.name.starts_with("merge-pcombine")
}
