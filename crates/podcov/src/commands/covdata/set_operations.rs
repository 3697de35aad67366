//! `subtract` and `intersect`: the first input, less or only what is in others.

use go_coverage::{Counts, ProgramCounts};

use super::merged::Merged;
use super::written::{Output, check_directories, refuse_texts};
use super::{IntersectArgs, OutputArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::{self, Terminal};

/// `podcov covdata subtract`
pub fn subtract(args: &OutputArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    check_directories(&args.input, 2, "subtract")?;
    if args.input.inputs().len() > 2 {
        return Err(CommandError::usage("subtract takes exactly two inputs: -i=DIR1,DIR2"));
    }
    let mut sides = Sides::read(args)?;
    let subtracted = sides.sum_of(1);
    sides.merged.check(&args.input)?;
    let results = sides.first_counts().enumerate().map(|(index, first)| {
        let mut first = first?;
        if let Some(subtracted) = subtracted.get(index) {
            first.subtract(subtracted);
        }
        Some(first)
    });
    write(&sides.merged, args, &results.collect::<Vec<_>>(), terminal)
}

/// `podcov covdata intersect`
pub fn intersect(args: &IntersectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let IntersectArgs { output: args, by_directory } = args;
    let mut sides = Sides::read(args)?;
    let mut strict: Vec<_> = sides.first_counts().collect();
    let mut by_union = strict.clone();
    if args.input.inputs().len() == 1 && strict.len() > 1 {
        terminal.warning("there is nothing to intersect the one input with: all of its programs are kept");
    }
    for origin in 1..args.input.inputs().len() {
        let union = sides.sum_of(origin);
        sides.keep(&mut by_union, |index| union.get(index));
        sides.name_programs_without(&union, origin, terminal);
        if !by_directory {
            for file in sides.files_of(origin) {
                let own = sides.merged.add(&[file]);
                sides.keep_where_recorded(&mut strict, |index| own.get(index));
            }
            sides.keep(&mut strict, |index| union.get(index));
        }
    }
    sides.merged.inputs.refused.dedup();
    sides.merged.check(&args.input)?;
    if *by_directory {
        return write(&sides.merged, args, &by_union, terminal);
    }
    let units = |counts: &[Option<ProgramCounts>]| -> usize {
        counts.iter().flatten().map(ProgramCounts::units_that_ran).sum()
    };
    let lost = units(&by_union).saturating_sub(units(&strict));
    if lost > 0 {
        terminal.warning(&format!(
            "{} ran in each input, but not in every process of the later ones, and go tool covdata leaves them out",
            terminal::count(lost, "block")
        ));
        terminal.hint("--by-directory keeps what ran in any process of each input");
    }
    write(&sides.merged, args, &strict, terminal)
}

fn write(
    merged: &Merged,
    args: &OutputArgs,
    results: &[Option<ProgramCounts>],
    terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    let output = Output::create(&args.output)?;
    for (program, counts) in merged.programs.iter().zip(results) {
        output.program(merged, program, counts.as_ref(), None)?;
    }
    Ok(merged.conclude(terminal))
}

/// The programs, and the sum of the first input.
struct Sides {
    merged: Merged,
}

impl Sides {
    fn read(args: &OutputArgs) -> Result<Self, CommandError> {
        let mut merged = Merged::programs(&args.input)?;
        refuse_texts(&merged)?;
        let mut sides = Self { merged };
        let first = sides.sum_of(0);
        merged = sides.merged;
        merged.counts = first;
        merged.check(&args.input)?;
        Ok(Self { merged })
    }

    fn files_of(&self, origin: usize) -> Vec<usize> {
        let files = self.merged.inputs.counters.iter().enumerate();
        files.filter(|(_, file)| file.origin == origin).map(|(index, _)| index).collect()
    }

    fn sum_of(&mut self, origin: usize) -> Counts {
        self.merged.add(&self.files_of(origin))
    }

    /// Of each program, in their order.
    fn first_counts(&self) -> impl Iterator<Item = Option<ProgramCounts>> {
        (0..self.merged.programs.iter().len()).map(|index| self.merged.counts.get(index).cloned())
    }

    /// A program of which an input has nothing has nothing in common with it. Go then keeps all of it, or panics.
    fn name_programs_without(&self, union: &Counts, origin: usize, terminal: &Terminal) {
        for (index, program) in self.merged.programs.iter().enumerate() {
            if self.merged.counts.get(index).is_some() && union.get(index).is_none() {
                terminal.warning(&format!(
                    "input {} has no counters of the program {}: nothing of it is in all inputs",
                    origin + 1,
                    program.hash()
                ));
            }
        }
    }

    /// Keeps what ran in `other` as well.
    fn keep<'c>(
        &self,
        counts: &mut [Option<ProgramCounts>],
        other: impl Fn(usize) -> Option<&'c ProgramCounts>,
    ) {
        for ((index, program), own) in self.merged.programs.iter().enumerate().zip(counts) {
            let Some(own) = own else { continue };
            let nothing = ProgramCounts::zero(program);
            let other = other(index).unwrap_or(&nothing);
            own.keep_where_recorded(program, other);
            own.keep_functions(program, other);
        }
    }

    fn keep_where_recorded<'c>(
        &self,
        counts: &mut [Option<ProgramCounts>],
        other: impl Fn(usize) -> Option<&'c ProgramCounts>,
    ) {
        for ((index, program), own) in self.merged.programs.iter().enumerate().zip(counts) {
            if let (Some(own), Some(other)) = (own, other(index)) {
                own.keep_where_recorded(program, other);
            }
        }
    }
}
