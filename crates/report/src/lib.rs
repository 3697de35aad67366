//! A coverage profile and the record of its run, as people and programs read them.
//!
//! Owns the forms: terminal summary, HTML page, and the model of `run.json`. Reads no coverage data itself
//! (go-coverage does) and finds no sources itself (go-source does).

pub mod run;
