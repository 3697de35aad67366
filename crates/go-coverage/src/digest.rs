//! The two functions that Go has made meta-data hashes with, and which of them a package was made with.

use md5::{Digest, Md5};

use crate::{FunctionMetaData, PackageMetaData, Unit};

/// How the hash of meta-data is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashFunction {
    /// Up to Go 1.23.
    Md5,
    /// From Go 1.24 on.
    Fnv128a,
}

/// A hash that is being made.
#[derive(Clone)]
pub(crate) enum Hasher {
    Md5(Box<Md5>),
    Fnv128a(u128),
}

impl Hasher {
    pub(crate) fn new(function: HashFunction) -> Self {
        match function {
            HashFunction::Md5 => Self::Md5(Box::default()),
            // http://www.isthe.com/chongo/tech/comp/fnv: the offset basis of 128 bits.
            HashFunction::Fnv128a => Self::Fnv128a(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        const PRIME: u128 = (1 << 88) + 0x13b;
        match self {
            Self::Md5(md5) => md5.update(bytes),
            Self::Fnv128a(hash) => {
                for byte in bytes {
                    *hash = (*hash ^ u128::from(*byte)).wrapping_mul(PRIME);
                }
            }
        }
    }

    pub(crate) fn finish(self) -> [u8; 16] {
        match self {
            Self::Md5(md5) => md5.finalize().into(),
            Self::Fnv128a(hash) => hash.to_be_bytes(),
        }
    }

    /// As the compiler does for each function of a package.
    pub(crate) fn update_function(
        &mut self,
        name: &str,
        file: &str,
        units: impl Iterator<Item = Unit>,
        literal: bool,
    ) {
        self.update(name.as_bytes());
        self.update(file.as_bytes());
        for unit in units {
            let Unit { start_line, start_column, end_line, end_column, statements, .. } = unit;
            for number in [start_line, start_column, end_line, end_column, statements] {
                self.update(&number.to_le_bytes());
            }
        }
        self.update(&u32::from(literal).to_le_bytes());
    }
}

impl PackageMetaData<'_> {
    /// What its hash was made with; none if it was made in neither way.
    ///
    /// ```
    /// # let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/coverage/go1.22.12");
    /// # let files = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    /// # let files = files.collect::<Result<Vec<_>, _>>()?;
    /// # let path = files.iter().find(|path| path.to_string_lossy().contains("covmeta.")).ok_or("none")?;
    /// use go_coverage::{HashFunction, MetaDataFile};
    ///
    /// let bytes = std::fs::read(path)?; // written by a program that Go 1.22 built
    /// let metadata = MetaDataFile::parse(&bytes)?;
    /// for package in metadata.packages() {
    ///     assert_eq!(package.hash_function(), Some(HashFunction::Md5));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn hash_function(&self) -> Option<HashFunction> {
        let own: [u8; 16] = self.as_bytes().get(16..32)?.try_into().ok()?;
        [HashFunction::Fnv128a, HashFunction::Md5].into_iter().find(|function| {
            let mut hasher = Hasher::new(*function);
            for part in [self.import_path(), self.name(), self.module_path()] {
                hasher.update(part.as_bytes());
            }
            for function in self.functions() {
                hasher.update_metadata(&function);
            }
            hasher.finish() == own
        })
    }
}

impl Hasher {
    fn update_metadata(&mut self, function: &FunctionMetaData<'_>) {
        self.update_function(
            function.name(),
            function.source_file(),
            function.units(),
            function.is_literal(),
        );
    }
}
