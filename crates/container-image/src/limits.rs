//! How much an image may be. Images come from strangers; every figure has a named error.

/// What is refused as absurd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one manifest, index or configuration. Registries themselves refuse manifests of more than 4 MiB.
    pub document_bytes: u64,
    /// Layers of one image. Docker itself allows 127.
    pub layers: usize,
    /// Bytes of one blob as it is stored, and of what an engine saves.
    pub stored_bytes: u64,
    /// Bytes of one layer as a tar archive, or of an archive that is compressed as a whole.
    pub unpacked_bytes: u64,
    /// How many times its stored size a layer may unpack to, if that is more than [`Self::free_unpacked_bytes`].
    pub ratio: u64,
    /// What any layer may unpack to, however small it is stored.
    pub free_unpacked_bytes: u64,
    /// Entries of all layers together.
    pub entries: usize,
    /// Bytes of the names of all entries, and of the directories they imply: what the index takes in memory.
    pub name_bytes: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 4 * MIB,
            layers: 1000,
            stored_bytes: 32 * GIB,
            unpacked_bytes: 64 * GIB,
            ratio: 200,
            free_unpacked_bytes: GIB,
            entries: 2_000_000,
            name_bytes: 256 * MIB,
        }
    }
}

impl Limits {
    /// What `stored_bytes` may unpack to.
    pub(crate) fn unpacked(&self, stored_bytes: u64) -> u64 {
        stored_bytes.saturating_mul(self.ratio).max(self.free_unpacked_bytes).min(self.unpacked_bytes)
    }
}
