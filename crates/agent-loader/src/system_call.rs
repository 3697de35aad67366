//! The few things that the loader asks of the kernel, each behind a safe function.

use core::arch::asm;
use core::ffi::CStr;
use core::{fmt, ptr, slice};

use crate::start::Arguments;

#[cfg(target_arch = "x86_64")]
mod number {
    pub const WRITE: usize = 1;
    pub const MMAP: usize = 9;
    pub const MUNMAP: usize = 11;
    pub const EXIT: usize = 60;
    pub const FTRUNCATE: usize = 77;
    pub const MEMFD_CREATE: usize = 319;
    pub const EXECVEAT: usize = 322;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const FTRUNCATE: usize = 46;
    pub const WRITE: usize = 64;
    pub const EXIT: usize = 93;
    pub const MUNMAP: usize = 215;
    pub const MMAP: usize = 222;
    pub const MEMFD_CREATE: usize = 279;
    pub const EXECVEAT: usize = 281;
}

const MFD_CLOEXEC: usize = 0x1;
const MFD_EXEC: usize = 0x10;
const PROT_READ_WRITE: usize = 0x3;
const MAP_SHARED: usize = 0x1;
const AT_EMPTY_PATH: usize = 0x1000;
const STANDARD_ERROR: usize = 2;
const HIGHEST_ERROR: usize = 4095;

/// An errno.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorNumber(pub usize);

impl ErrorNumber {
    /// EPERM.
    pub const NOT_PERMITTED: Self = Self(1);
    /// EACCES.
    pub const ACCESS_DENIED: Self = Self(13);
    const INVALID_ARGUMENT: Self = Self(22);
}

/// An open file descriptor. Never closed: the loader is replaced or ends.
pub struct Descriptor(usize);

/// Anonymous memory that can be executed. The descriptor does not outlive the execution.
pub fn create_memory_file(name: &CStr) -> Result<Descriptor, ErrorNumber> {
    let create = |flags| {
        // SAFETY: the name is a live string with its zero; the kernel only reads it.
        unsafe { call(number::MEMFD_CREATE, [name.as_ptr().addr(), flags, 0, 0, 0, 0]) }
    };
    match create(MFD_CLOEXEC | MFD_EXEC) {
        // Linux before 6.3 does not know the flag, and lets all such memory be executed.
        Err(ErrorNumber::INVALID_ARGUMENT) => create(MFD_CLOEXEC),
        result => result,
    }
    .map(Descriptor)
}

/// Gives a file this length.
pub fn set_length(file: &Descriptor, length: usize) -> Result<(), ErrorNumber> {
    // SAFETY: takes no pointer.
    unsafe { call(number::FTRUNCATE, [file.0, length, 0, 0, 0, 0]) }.map(drop)
}

/// The whole of a file as memory; what is written there is in the file.
pub struct SharedMapping {
    address: *mut u8,
    length: usize,
}

impl SharedMapping {
    /// Maps a file that has this length and that nothing else uses.
    pub fn new(file: &Descriptor, length: usize) -> Result<Self, ErrorNumber> {
        // SAFETY: the kernel chooses the address, so no memory in use is replaced.
        let address = unsafe { call(number::MMAP, [0, length, PROT_READ_WRITE, MAP_SHARED, file.0, 0]) }?;
        Ok(Self { address: ptr::with_exposed_provenance_mut(address), length })
    }

    /// The file's bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is `length` readable and writable bytes for as long as `self`, the kernel has
        // zeroed them, and nobody else has the file.
        unsafe { slice::from_raw_parts_mut(self.address, self.length) }
    }
}

impl Drop for SharedMapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no borrow of it is left.
        let _ = unsafe { call(number::MUNMAP, [self.address.addr(), self.length, 0, 0, 0, 0]) };
    }
}

/// Becomes the program in a file. Returns only when that failed.
pub fn execute(file: &Descriptor, arguments: &Arguments) -> ErrorNumber {
    let path = c"".as_ptr().addr();
    let (vector, environment) = (arguments.arguments.addr(), arguments.environment.addr());
    // SAFETY: the vectors are those that the kernel itself gave this process, ended by null pointers.
    let result = unsafe { call(number::EXECVEAT, [file.0, path, vector, environment, AT_EMPTY_PATH, 0]) };
    result.err().unwrap_or(ErrorNumber(0))
}

/// Ends the process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: takes no pointer.
        let _ = unsafe { call(number::EXIT, [status.cast_unsigned() as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Standard error, unbuffered.
pub struct StandardError;

impl fmt::Write for StandardError {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // SAFETY: pointer and length are those of a live slice; the kernel only reads it.
            let written =
                unsafe { call(number::WRITE, [STANDARD_ERROR, rest.as_ptr().addr(), rest.len(), 0, 0, 0]) };
            rest = written.ok().and_then(|written| rest.get(written..)).ok_or(fmt::Error)?;
        }
        Ok(())
    }
}

/// # Safety
/// The arguments must be what this system call expects, with pointers valid for what it does with them.
unsafe fn call(number: usize, arguments: [usize; 6]) -> Result<usize, ErrorNumber> {
    let result: usize;
    let [first, second, third, fourth, fifth, sixth] = arguments;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel's calling convention; it changes only rax, rcx and r11, and the memory that the
    // caller vouches for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth, in("r8") fifth, in("r9") sixth,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel's calling convention; it changes only x0, and the memory that the caller vouches for.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second, in("x2") third, in("x3") fourth, in("x4") fifth, in("x5") sixth,
            options(nostack),
        );
    }
    match result.wrapping_neg() {
        error @ 1..=HIGHEST_ERROR => Err(ErrorNumber(error)),
        _ => Ok(result),
    }
}
