//! What `--version` prints beside the number: of which commit the program is, and what it computes on.

/// Interfaces to adapters that this program was compiled for.
const BACKENDS: &str = if cfg!(windows) {
    "Vulkan, DX12"
} else if cfg!(target_vendor = "apple") {
    "Metal"
} else {
    "Vulkan"
};

/// Version, commit where one is known, and what there is to compute on, a line each.
pub fn long_version() -> String {
    let commit = match env!("GPU_AE_COMMIT") {
        "" => String::new(),
        commit => format!("commit {commit}\n"),
    };
    format!("{}\n{commit}adapters by {BACKENDS}; a CPU device of its own", env!("CARGO_PKG_VERSION"))
}
