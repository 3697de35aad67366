//! Coverage data of real programs, built and run with several Go releases, and what each release's own tools say about
//! it. For tests only.
//!
//! Owns which releases there are, what is built and run with each, and what its covdata is asked. Judges nothing: the
//! tests that compare are those of the crates that use this one.
//!
//! Needs the go command, which fetches the releases that are not installed, and a C compiler.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a failed step fails the test that asked for it"
)]

mod cache;
mod calls;
mod live;
mod recipe;
mod rewriter;
mod scenario;
mod toolchain;

pub use cache::{Extent, Release, prepare};
pub use calls::{Answer, Call, without_time};
pub use live::{Covered, Linking, LiveProgram, installed_go};
pub use scenario::Scenario;
pub use toolchain::{files_under, testdata};

/// Makes a module of tests for each release. The tests are functions beside the macro, which take a [`Release`]: those
/// of `every` release, and those that need scenarios which only a `complete` set has.
#[macro_export]
macro_rules! with_each_release {
    (every: [$($every:ident),* $(,)?], complete: [$($complete:ident),* $(,)?] $(,)?) => {
        // The oldest that has coverage data as it is today: MD5 hashes.
        $crate::with_release!(go1_21 "go1.21.13" Complete [$($every)* $($complete)*]);
        $crate::with_release!(go1_22 "go1.22.12" Selected [$($every)*]);
        $crate::with_release!(go1_23 "go1.23.12" Selected [$($every)*]);
        $crate::with_release!(go1_24 "go1.24.11" Selected [$($every)*]);
        $crate::with_release!(go1_25 "go1.25.5" Selected [$($every)*]);
        $crate::with_release!(installed "local" Complete [$($every)* $($complete)*]);
        $crate::with_release!(newest "go1.27.3" Complete [$($every)* $($complete)*]);
    };
}

/// Makes a module of tests for one release.
#[doc(hidden)]
#[macro_export]
macro_rules! with_release {
    ($module:ident $release:literal $extent:ident [$($test:ident)*]) => {
        mod $module {
            fn release() -> &'static $crate::Release {
                static RELEASE: std::sync::OnceLock<$crate::Release> = std::sync::OnceLock::new();
                RELEASE.get_or_init(|| {
                    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
                    $crate::prepare(cache, $release, $crate::Extent::$extent)
                })
            }

            $(
                #[test]
                fn $test() {
                    super::$test(release());
                }
            )*
        }
    };
}
