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
use crate::{container, local, machine};

/// Most of the time is waiting for others.
const AT_ONCE: usize = 4;

type Cell = (Place, Ending, Build);

fn alone(place: Place, ending: &Ending, build: Build) -> Seen {
    match place {
        Place::Local => local::alone(ending, build),
        Place::Container => container::alone(ending, build),
        Place::Pod | Place::Arm64 => unreachable!("elsewhere"),
    }
}

fn below_podcov(place: Place, ending: &Ending, build: Build) -> Seen {
    match place {
        Place::Local => local::below_podcov(ending, build),
        Place::Container => container::below_agent(ending, build),
        Place::Pod | Place::Arm64 => unreachable!("elsewhere"),
    }
}

/// What was seen so far.
#[derive(Default)]
struct Table {
    rows: BTreeMap<(Place, &'static str), Row>,
    failures: Vec<String>,
}

impl Table {
    fn add(&mut self, (place, ending, build): Cell, alone: Seen, supervised: Seen) {
        if supervised.kept != Kept::Everything || supervised.code != alone.code {
            self.failures.push(format!("{place:?}: {}: {build:?}: {alone:?}, {supervised:?}", ending.name));
        }
        let row = self.rows.entry((place, ending.name)).or_insert_with(|| Row::new(place, ending.name));
        row.add(alone, supervised);
    }

    /// A cell in which podcov has not everything fails; all others were tried before.
    #[track_caller]
    fn rows(self) -> Vec<Row> {
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        self.rows.into_values().collect()
    }
}

/// Tries cells, and returns the rows that they make.
fn rows(cells: &[Cell]) -> Vec<Row> {
    let (next, table) = (AtomicUsize::new(0), Mutex::<Table>::default());
    let work = || {
        while let Some(&(place, ending, build)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            let try_it = || (alone(place, &ending, build), below_podcov(place, &ending, build));
            let seen = std::panic::catch_unwind(try_it);
            let mut table = table.lock().unwrap();
            match seen {
                Ok((alone, supervised)) => table.add((place, ending, build), alone, supervised),
                Err(_) => table.failures.push(format!("{place:?}: {}: {build:?}", ending.name)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    table.into_inner().unwrap().rows()
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
    for place in [Place::Local, Place::Container, Place::Arm64] {
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

#[test]
#[ignore = "long: every ending and every build, on an emulated machine"]
fn every_ending_on_arm64() {
    let Some(parts) = machine::parts() else {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED every_ending_on_arm64: PODCOV_ARM64_MACHINE is not set; see script/install-tools"
        );
        return;
    };
    let cells = some_cells(Place::Arm64);
    let mut table = Table::default();
    let programs: Vec<_> = cells.iter().map(|(_, ending, build)| (*ending, *build)).collect();
    for (cell, (alone, supervised)) in cells.into_iter().zip(machine::run(&parts, &programs)) {
        table.add(cell, alone, supervised);
    }
    document::compare(&table.rows());
}
