//! Where the kernel enters, and what it left on the stack.

use core::arch::global_asm;
use core::ffi::c_char;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {enter}",
    "ud2",
    enter = sym enter,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",
    "mov x30, xzr",
    "mov x0, sp",
    "bl {enter}",
    "brk 1",
    enter = sym enter,
);

/// Argument and environment vectors of this process, each ended by a null pointer.
pub struct Arguments {
    /// As execve takes it.
    pub arguments: *const *const c_char,
    /// As execve takes it.
    pub environment: *const *const c_char,
}

extern "C" fn enter(stack: *const usize) -> ! {
    // SAFETY: the kernel's contract for a new process: the argument count is at the stack pointer, the
    // arguments and their null follow, then the environment. They stay until the process ends.
    let arguments = unsafe {
        let count = stack.read();
        let arguments = stack.add(1);
        Arguments { arguments: arguments.cast(), environment: arguments.add(count + 1).cast() }
    };
    crate::run(&arguments)
}
