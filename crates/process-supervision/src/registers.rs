//! What the registers of a thread mean, on each processor. Only for programs with 64 bits.

use nix::libc::{self, c_long, user_regs_struct};

#[cfg(target_arch = "x86_64")]
pub use x86_64::{SYSTEM_CALL_INSTRUCTION, prepare_execve, stack, system_call};

#[cfg(target_arch = "aarch64")]
pub use aarch64::{SYSTEM_CALL_INSTRUCTION, prepare_execve, stack, system_call};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::{c_long, libc, user_regs_struct};

    /// `syscall`, and an instruction that does not exist, for it does not return.
    pub const SYSTEM_CALL_INSTRUCTION: c_long = 0x0b0f_050f;

    fn is_long(registers: &user_regs_struct) -> bool {
        const USER_CODE: u64 = 0x33;
        registers.cs == USER_CODE
    }

    /// Where the stack is.
    pub fn stack(registers: &user_regs_struct) -> Option<u64> {
        is_long(registers).then_some(registers.rsp)
    }

    /// The system call in which a thread is, or -1.
    pub fn system_call(registers: &user_regs_struct) -> Option<c_long> {
        is_long(registers).then_some(registers.orig_rax.cast_signed())
    }

    /// Sets up `execve`, and tells where its instruction has to be.
    pub fn prepare_execve(registers: &mut user_regs_struct, arguments: [u64; 3]) -> u64 {
        registers.rax = libc::SYS_execve.cast_unsigned();
        [registers.rdi, registers.rsi, registers.rdx] = arguments;
        registers.rip
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::{c_long, libc, user_regs_struct};

    /// `svc #0`, and an instruction that does not exist, for it does not return.
    pub const SYSTEM_CALL_INSTRUCTION: c_long = 0xd400_0001;

    fn is_long(registers: &user_regs_struct) -> bool {
        const IS_SHORT: u64 = 1 << 4;
        registers.pstate & IS_SHORT == 0
    }

    /// Where the stack is.
    pub fn stack(registers: &user_regs_struct) -> Option<u64> {
        is_long(registers).then_some(registers.sp)
    }

    /// The system call in which a thread is, or was last.
    pub fn system_call(registers: &user_regs_struct) -> Option<c_long> {
        is_long(registers).then_some(registers.regs[8].cast_signed())
    }

    /// Sets up `execve`, and tells where its instruction has to be.
    pub fn prepare_execve(registers: &mut user_regs_struct, arguments: [u64; 3]) -> u64 {
        registers.regs[8] = libc::SYS_execve.cast_unsigned();
        registers.regs[..3].copy_from_slice(&arguments);
        registers.pc
    }
}
