//! Any text is a Dockerfile, or one that is not understood: it is read and judged without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podcov_doctor::{Facts, dockerfile, examine};

fuzz_target!(|text: &str| {
    let file = dockerfile::parse("Dockerfile", text);
    let _ = examine(&Facts { dockerfiles: vec![file], ..Facts::default() });
});
