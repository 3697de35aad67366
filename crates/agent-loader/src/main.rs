//! Carries podcov's agent compressed, and starts it from memory.
//!
//! A ConfigMap holds at most 1 MiB, and the agent is larger. This executable holds it deflated, inflates it
//! into anonymous memory and executes that with its own arguments and environment. It needs nothing of the
//! image it runs in: no libc, no writable directory, no allocator.
//!
//! The only unsafe code of the repository is in this crate: [`system_call`] asks the kernel, [`memory`] gives
//! the compiler the functions that a libc would, [`start`] is where the kernel enters.

#![no_std]
#![no_main]

mod memory;
mod payload;
mod start;
mod system_call;

use core::fmt::Write;
use core::panic::PanicInfo;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::start::Arguments;
use crate::system_call::{ErrorNumber, SharedMapping, StandardError};

/// What a shell exits with when it cannot start a program.
const EXIT_CANNOT_START: i32 = 127;

/// Why the agent cannot be started: what was tried, and the kernel's answer if it was the kernel.
struct Failure {
    attempt: &'static str,
    error: Option<ErrorNumber>,
}

/// Starts the agent, or says why not.
fn run(arguments: &Arguments) -> ! {
    let Err(failure) = start_agent(arguments);
    let mut output = StandardError;
    // Nothing is left to do when even this cannot be said.
    let _ = write!(output, "podcov-agent: cannot start from memory: {}", failure.attempt);
    if let Some(ErrorNumber(number)) = failure.error {
        let _ = write!(output, ": error {number}");
        if let ErrorNumber::NOT_PERMITTED | ErrorNumber::ACCESS_DENIED = ErrorNumber(number) {
            let _ = write!(output, " (the node's sysctl vm.memfd_noexec or a security profile forbids it)");
        }
    }
    let _ = output.write_str("\n");
    system_call::exit(EXIT_CANNOT_START)
}

fn start_agent(arguments: &Arguments) -> Result<core::convert::Infallible, Failure> {
    let failed = |attempt| move |error| Failure { attempt, error: Some(error) };
    let file = system_call::create_memory_file(c"podcov-agent").map_err(failed("memfd_create"))?;
    system_call::set_length(&file, payload::AGENT_LENGTH).map_err(failed("ftruncate"))?;
    let mut mapping = SharedMapping::new(&file, payload::AGENT_LENGTH).map_err(failed("mmap"))?;
    inflate(payload::DEFLATED_AGENT, mapping.bytes())?;
    drop(mapping);
    Err(failed("execveat")(system_call::execute(&file, arguments)))
}

fn inflate(deflated: &[u8], output: &mut [u8]) -> Result<(), Failure> {
    let mut decompressor = DecompressorOxide::new();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, length) = decompress(&mut decompressor, deflated, output, 0, flags);
    if status == TINFLStatus::Done && length == output.len() {
        Ok(())
    } else {
        Err(Failure { attempt: "the agent inside is damaged", error: None })
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    let _ = StandardError.write_str("podcov-agent: the loader has a defect\n");
    system_call::exit(EXIT_CANNOT_START)
}
