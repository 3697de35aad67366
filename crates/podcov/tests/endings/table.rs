//! Which cells are tried, and what has to be seen in each.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::builds::Build;
use crate::counts::Kept;
use crate::document::{self, Row};
use crate::endings::{self, Ending};
use crate::seen::{Place, Seen};
use crate::{container, local};

/// Most of the time is waiting for others.
const AT_ONCE: usize = 4;

type Cell = (Place, Ending, Build);

fn alone(place: Place, ending: &Ending, build: Build) -> Seen {
    match place {
        Place::Local => local::alone(ending, build),
        Place::Container => container::alone(ending, build),
        Place::Pod => unreachable!("on a cluster only"),
    }
}

fn below_podcov(place: Place, ending: &Ending, build: Build) -> Seen {
    match place {
        Place::Local => local::below_podcov(ending, build),
        Place::Container => container::below_agent(ending, build),
        Place::Pod => unreachable!("on a cluster only"),
    }
}

/// Tries cells, and returns the rows that they make. A cell in which podcov has not everything fails, all others are
/// tried before.
fn rows(cells: &[Cell]) -> Vec<Row> {
    let (next, rows, failures) = (AtomicUsize::new(0), Mutex::default(), Mutex::new(Vec::new()));
    let work = || {
        while let Some((place, ending, build)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            let try_it = || (alone(*place, ending, *build), below_podcov(*place, ending, *build));
            match std::panic::catch_unwind(try_it) {
                Ok((alone, supervised)) => {
                    let is_right = supervised.kept == Kept::Everything && supervised.code == alone.code;
                    if !is_right {
                        let failure =
                            format!("{place:?}: {}: {build:?}: {alone:?}, {supervised:?}", ending.name);
                        failures.lock().unwrap().push(failure);
                    }
                    let mut rows: std::sync::MutexGuard<'_, BTreeMap<_, Row>> = rows.lock().unwrap();
                    rows.entry((*place, ending.name))
                        .or_insert_with(|| Row::new(*place, ending.name))
                        .add(alone, supervised);
                }
                Err(_) => failures.lock().unwrap().push(format!("{place:?}: {}: {build:?}", ending.name)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cells:\n{}", failures.len(), cells.len(), failures.join("\n"));
    rows.into_inner().unwrap().into_values().collect()
}

fn every_cell(place: Place) -> Vec<Cell> {
    let endings = place.endings();
    endings.flat_map(|ending| Build::all().into_iter().map(move |build| (place, ending, build))).collect()
}

/// Every ending and every build, each at least once.
fn some_cells(place: Place) -> Vec<Cell> {
    let (endings, builds) = (place.endings().collect::<Vec<_>>(), Build::all());
    let number = endings.len().max(builds.len());
    // So that not always the same ways to build meet the same endings.
    (0..number).map(|i| (place, endings[i % endings.len()], builds[(i * 7) % builds.len()])).collect()
}

/// Every ending once, but the one whose outcome depends on when the agent gets the processor: the kernel takes the memory of
/// a process that it has killed for want of memory, whether it was read or not.
fn few_cells(place: Place) -> Vec<Cell> {
    let builds = Build::all();
    let endings = place.endings().filter(|ending| ending.name != endings::OUT_OF_MEMORY);
    endings.enumerate().map(|(i, ending)| (place, ending, builds[(i * 7) % builds.len()])).collect()
}

fn has_containers(test: &str) -> bool {
    let obstacle = container::obstacle();
    if let Some(reason) = obstacle {
        // Not captured by the test harness.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
    }
    obstacle.is_none()
}

#[test]
fn however_a_program_ends_podcov_has_what_it_counted() {
    document::compare(&rows(&some_cells(Place::Local)));
}

#[test]
fn however_a_container_ends_the_agent_has_what_it_counted() {
    if has_containers("however_a_container_ends_the_agent_has_what_it_counted") {
        document::compare(&rows(&few_cells(Place::Container)));
    }
}

#[test]
fn the_document_has_a_row_for_each_ending() {
    for place in [Place::Local, Place::Container] {
        let names: Vec<_> = place.endings().map(|ending| ending.name).collect();
        assert_eq!(document::names(place), names, "in docs/endings.md");
    }
}

#[test]
#[ignore = "long: every ending of every build"]
fn every_ending_of_every_build() {
    document::compare(&rows(&every_cell(Place::Local)));
}

#[test]
#[ignore = "long: every ending of every build, in containers"]
fn every_ending_of_every_build_in_containers() {
    if has_containers("every_ending_of_every_build_in_containers") {
        document::compare(&rows(&every_cell(Place::Container)));
    }
}
