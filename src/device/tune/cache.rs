//! The memory of tuning: one file for each adapter, driver and version of this program, in the user's
//! cache. What is in the way of reading or writing it never stops a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::device::Identity;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::plan::{Choices, Fusion};
use crate::whole_file;

/// Environment variable that names the folder of the cache.
const VARIABLE: &str = "GPU_AE_CACHE";

/// What is remembered of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    version: String,
    adapter: String,
    driver: String,
    /// The best fusions of a graph, by its fingerprint.
    pub fusions: BTreeMap<String, BTreeSet<Fusion>>,
    /// Kernel and variant by site.
    pub kernels: BTreeMap<String, String>,
}

impl Stored {
    /// Nothing yet, for this device.
    fn of(identity: &Identity) -> Self {
        Stored {
            version: env!("CARGO_PKG_VERSION").into(),
            adapter: identity.adapter.clone(),
            driver: identity.driver.clone(),
            ..Stored::default()
        }
    }
}

/// A device's file of choices.
#[derive(Clone, Debug)]
pub struct Cache {
    path: PathBuf,
    empty: Stored,
}

fn short_hash(text: &str) -> String {
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// What tells one graph from another.
pub fn fingerprint(graph: &Graph) -> String {
    short_hash(&graph.to_string())
}

impl Cache {
    /// The file of a device in the folder that `GPU_AE_CACHE` names, or else the user's cache.
    ///
    /// # Errors
    /// When this user has no cache folder.
    pub fn of(identity: &Identity) -> Result<Self> {
        let named = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folder =
            named.or_else(|| directories::ProjectDirs::from("", "", "gpu-ae").map(|dirs| dirs.cache_dir().into()));
        let folder = folder.ok_or_else(|| {
            Error::Failed(format!("this user has no home folder to keep tuning choices in: name one by {VARIABLE}"))
        })?;
        Ok(Self::within(&folder, identity))
    }

    /// The file of a device in this cache folder.
    pub fn within(folder: &Path, identity: &Identity) -> Self {
        let empty = Stored::of(identity);
        let readable: String = identity
            .adapter
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .take(40)
            .collect();
        let key = short_hash(&format!("{}\n{}\n{}", empty.version, empty.adapter, empty.driver));
        Cache { path: folder.join("tuning").join(format!("{readable}-{key}.toml")), empty }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is remembered, nothing if there is no file.
    ///
    /// # Errors
    /// When the file is damaged or about something else; the message names it.
    pub fn load(&self) -> Result<Stored> {
        let text = match whole_file::read_text(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(self.empty.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::input(&self.path, "is not text"));
            }
            Err(error) => return Err(Error::io(&self.path, "read")(error)),
        };
        let stored: Stored = toml::from_str(&text).map_err(|error| Error::input(&self.path, error.to_string()))?;
        let Stored { version, adapter, driver, .. } = &self.empty;
        if (&stored.version, &stored.adapter, &stored.driver) != (version, adapter, driver) {
            let problem = format!("is about another device or version; expected {adapter}, {driver}, {version}");
            return Err(Error::input(&self.path, problem));
        }
        let choices = Choices { kernels: stored.kernels.clone(), ..Choices::default() };
        choices.check().map_err(|error| Error::input(&self.path, error.to_string()))?;
        Ok(stored)
    }

    /// Adds to what is remembered: the best fusions of a graph, and kernels. A damaged file is replaced.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember(&self, graph: String, fusions: BTreeSet<Fusion>, kernels: BTreeMap<String, String>) -> Result<()> {
        let mut stored = self.load().unwrap_or_else(|_| self.empty.clone());
        stored.fusions.insert(graph, fusions);
        stored.kernels.extend(kernels);
        let failed = |error: toml::ser::Error| Error::Failed(format!("{}: {error}", self.path.display()));
        let text = toml::to_string_pretty(&stored).map_err(failed)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        whole_file::make_folder(folder)?;
        whole_file::write(&self.path, text.as_bytes(), "remember tuning choices")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn identity(driver: &str) -> Identity {
        Identity { adapter: "A (1), vulkan".into(), driver: driver.into() }
    }

    fn kernels(chosen: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("linear relu 8x8 8x8 8".to_string(), chosen.to_string())])
    }

    #[test]
    fn what_is_remembered_is_read_back_and_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::within(folder.path(), &identity("1"));
        assert!(cache.load().unwrap().kernels.is_empty(), "no file is no failure");
        let fusions = BTreeSet::from([Fusion::Linear]);
        cache.remember("graph".into(), fusions.clone(), kernels("matmul_nt")).unwrap();
        cache.remember("other".into(), BTreeSet::new(), BTreeMap::new()).unwrap();
        let stored = cache.load().unwrap();
        assert_eq!(stored.kernels, kernels("matmul_nt"));
        assert_eq!(stored.fusions["graph"], fusions);
        assert!(stored.fusions["other"].is_empty());
    }

    #[test]
    fn another_driver_has_another_file_and_a_copied_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = ["1", "2"].map(|driver| Cache::within(folder.path(), &identity(driver)));
        old.remember("graph".into(), BTreeSet::new(), kernels("matmul_nt")).unwrap();
        assert!(new.load().unwrap().kernels.is_empty());
        std::fs::copy(old.path(), new.path()).unwrap();
        let message = new.load().unwrap_err().to_string();
        assert!(message.contains("another device") && message.contains(".toml"), "{message}");
    }

    #[test]
    fn damage_is_named_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::within(folder.path(), &identity("1"));
        cache.remember("graph".into(), BTreeSet::from([Fusion::Linear]), kernels("matmul_nt")).unwrap();
        let good = std::fs::read_to_string(cache.path()).unwrap();
        let damage: [(&[u8], &str); 4] = [
            (&good.as_bytes()[..good.len() / 2], ".toml"),
            (b"\xFF\xFE", "not text"),
            (&good.replace("\"linear\"", "\"liner\"").into_bytes(), "entropy_pair"),
            (&good.replace("matmul_nt", "matmul_never").into_bytes(), "matmul_nn"),
        ];
        for (bytes, named) in damage {
            std::fs::write(cache.path(), bytes).unwrap();
            let message = cache.load().unwrap_err().to_string();
            assert!(message.contains(named) && message.contains(".toml"), "{message} does not name {named}");
            cache.remember("graph".into(), BTreeSet::new(), kernels("matmul_nt")).unwrap();
            assert_eq!(cache.load().unwrap().kernels, kernels("matmul_nt"));
        }
    }
}
