//! What a snapshot costs: `snapshot_cost PROGRAM ROUNDS`, for the program in `testdata/bench/snapshot`.
//!
//! First its time against that of reading as much memory of the process; then what the program gets done while it is
//! read 200 times a second, against what it gets done alone, in turn: in a hot loop, and in one that counts everywhere, whose
//! counters have to go from one processor's cache to the other's and back. So the same memory is also read without more.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::hint::black_box;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::fs::FileExt;
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use podcov_process_capture::{Process, ProcessId};

    type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

    const READS: usize = 500;
    const BETWEEN_SNAPSHOTS: Duration = Duration::from_millis(5);
    const MILLISECONDS: u64 = 250;
    const HOT: u64 = 10;

    pub fn main() -> Result<()> {
        let arguments: Vec<String> = std::env::args().collect();
        let [_, program, rounds] = arguments.as_slice() else {
            return Err("usage: snapshot_cost PROGRAM ROUNDS".into());
        };
        let (mut program, functions) = Program::start(program)?;
        let mut process = Process::attach(program.id()?)?;
        let snapshot = process.snapshot()?;
        let length = snapshot.counters().bytes();
        let memory = Range::find(program.id()?, length)?;

        let (mut reading, mut taking) = (Vec::new(), Vec::new());
        for _ in 0..READS {
            reading.push(timed(|| memory.read())?.as_secs_f64() * 1e6);
            taking.push(timed(|| Ok(process.snapshot().map(black_box).map(drop)?))?.as_secs_f64() * 1e6);
        }
        let (reading, taking) = (median(reading), median(taking));
        println!("{functions} functions, {} KiB of counters", length / 1024);
        println!(
            "reading as much memory {reading:.0} µs, snapshot {taking:.0} µs: {:.1} times",
            taking / reading
        );

        let rounds: usize = rounds.parse()?;
        for called in [HOT, functions] {
            let (mut snapshots, mut reads, mut again) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                let alone = program.turn(called)?;
                let difference = |calls: f64| 100.0 * (calls / alone - 1.0);
                let snapshot =
                    || process.snapshot().map(black_box).map(drop).map_err(|error| error.to_string());
                snapshots.push(difference(while_repeated(snapshot, || program.turn(called))?));
                let read = || memory.read().map_err(|error| error.to_string());
                reads.push(difference(while_repeated(read, || program.turn(called))?));
                again.push(difference(program.turn(called)?));
            }
            println!(
                "a loop of {called} functions, calls: {:+.2} % with 200 snapshots a second, {:+.2} % with 200 times the memory \
                 read, {:+.2} % with nothing",
                median(snapshots),
                median(reads),
                median(again)
            );
        }
        Ok(())
    }

    struct Program {
        child: Child,
        input: ChildStdin,
        output: BufReader<ChildStdout>,
    }

    impl Program {
        fn start(path: &str) -> Result<(Self, u64)> {
            let mut child = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let input = child.stdin.take().ok_or("no input")?;
            let output = BufReader::new(child.stdout.take().ok_or("no output")?);
            let mut program = Self { child, input, output };
            let functions = program.answer()?;
            Ok((program, functions))
        }

        fn id(&self) -> Result<ProcessId> {
            Ok(ProcessId::new(self.child.id()).ok_or("no process")?)
        }

        /// How many calls it can do of so many functions.
        fn turn(&mut self, functions: u64) -> Result<f64> {
            writeln!(self.input, "{MILLISECONDS} {functions}")?;
            Ok(f64::from(u32::try_from(self.answer()?)?))
        }

        fn answer(&mut self) -> Result<u64> {
            let mut line = String::new();
            self.output.read_line(&mut line)?;
            Ok(line.trim().parse()?)
        }
    }

    impl Drop for Program {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Memory of the process that it writes to.
    struct Range {
        memory: File,
        start: u64,
        length: usize,
    }

    impl Range {
        fn find(process: ProcessId, length: usize) -> Result<Self> {
            let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
            let writable = maps.lines().filter(|line| line.contains(" rw-p "));
            let ranges = writable.filter_map(|line| {
                let (start, end) = line.split_once(' ')?.0.split_once('-')?;
                let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
                Some((hexadecimal(start)?, hexadecimal(end)?))
            });
            let long_enough = |(start, end): &(u64, u64)| end - start >= length as u64;
            let (start, _) = ranges.clone().find(long_enough).ok_or("no memory of that length")?;
            Ok(Self { memory: File::open(format!("/proc/{process}/mem"))?, start, length })
        }

        /// Into memory of its own, which a snapshot needs, too.
        fn read(&self) -> Result<()> {
            let mut bytes = vec![0; self.length];
            self.memory.read_exact_at(&mut bytes, self.start)?;
            black_box(bytes);
            Ok(())
        }
    }

    fn while_repeated<T>(
        mut repeated: impl FnMut() -> std::result::Result<(), String> + Send,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let has_ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut due = Instant::now();
                while !has_ended.load(Ordering::Relaxed) {
                    repeated()?;
                    due += BETWEEN_SNAPSHOTS;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                }
                Ok::<_, String>(())
            });
            let result = act();
            has_ended.store(true, Ordering::Relaxed);
            reader.join().map_err(|_| "the reader panicked")??;
            result
        })
    }

    fn timed(act: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let start = Instant::now();
        act()?;
        Ok(start.elapsed())
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}
