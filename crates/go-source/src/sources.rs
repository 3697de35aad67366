//! Everything known about where sources are, gathered once.

use std::path::Path;

use crate::{Error, Missing, SourceFile};

/// Where the sources of programs are looked for.
#[derive(Clone, Debug, Default)]
pub struct Sources {}

impl Sources {
    /// Looks for modules from `root` upwards and below it.
    pub fn discover(root: &Path) -> Result<Self, Error> {
        std::fs::read_dir(root).map_err(|source| Error::Root { path: root.to_owned(), source })?;
        Ok(Self {})
    }

    /// The source of `file`, as coverage data names it.
    pub fn find(&self, file: &str) -> Result<SourceFile, Missing> {
        Err(Missing { candidates: Vec::new(), reason: format!("{file} was not looked for") })
    }
}
