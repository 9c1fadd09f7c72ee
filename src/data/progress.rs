//! What a download tells.

/// What a download has to tell while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The file is there already, and is what it should be.
    Present {
        /// Name of the file.
        file: &'a str,
    },
    /// A mirror has begun to answer.
    Started {
        /// Name of the file.
        file: &'a str,
        /// Where it comes from.
        url: &'a str,
        /// Bytes to come, if the mirror says so.
        total: Option<u64>,
    },
    /// More bytes have come.
    Received {
        /// Name of the file.
        file: &'a str,
        /// Bytes so far.
        bytes: u64,
    },
    /// A mirror did not deliver; the next one, if any, is tried.
    MirrorFailed {
        /// Name of the file.
        file: &'a str,
        /// What was asked for.
        url: &'a str,
        /// Why it was not accepted.
        reason: &'a str,
    },
    /// The file is in place.
    Done {
        /// Name of the file.
        file: &'a str,
        /// Bytes downloaded.
        bytes: u64,
    },
}
