//! Why a report could not be written.

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The destination refused.
    #[error("report cannot be written")]
    Write(#[from] std::io::Error),
    /// A format that can only say numbers has none to say.
    #[error("there is no coverage data, and this format could only say 0 %")]
    NoData,
    /// The page's frame could not be filled in.
    #[error("report page cannot be rendered")]
    Template(#[from] askama::Error),
    /// The figures could not be put into the page.
    #[error("report data cannot be encoded")]
    Encode(#[from] serde_json::Error),
}
