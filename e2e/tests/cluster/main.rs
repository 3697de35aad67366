//! podcov on a real cluster, as users meet it.

mod attached;
mod deployed;
mod diagnoses;
mod dockerfiles;
mod endings;
mod inside;
mod inside_interrupted;
mod interruption;
mod kinds;
mod live;
mod lost;
mod mistakes;
mod original_report;
mod per_test;
mod permissions;
mod shop;
mod steps;
