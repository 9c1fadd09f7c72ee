//! Tensors in a safetensors file, with what is said of them: JSON under the metadata's one key, with a hash for each tensor
//! and one for what is said.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Display, Write as _};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::tensor::{DType, Ty};
use crate::train::session::State;

/// The key of the metadata.
const KEY: &str = "gpu_ae";
/// Among the hashes, that of what is said without it; no tensor is called so.
const OWN: &str = "metadata";

/// What is said of tensors, and the hashes of both.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    #[serde(flatten)]
    said: T,
    sha256: BTreeMap<String, String>,
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn dtype(ty: &Ty) -> Dtype {
    match ty.dtype {
        DType::F32 => Dtype::F32,
        DType::U32 => Dtype::U32,
        DType::U8 => Dtype::U8,
    }
}

/// A safetensors file of these tensors and what is said of them, which has to be a struct.
///
/// # Errors
/// When that is nothing that JSON can hold.
pub fn sealed<T: Serialize>(tensors: &State, said: T) -> Result<Vec<u8>> {
    let written = |error: &dyn Display| Error::Failed(format!("tensors cannot be written: {error}"));
    let sha256 = tensors.iter().map(|(name, (_, bytes))| (name.clone(), hash(bytes))).collect();
    let mut sealed = Sealed { said, sha256 };
    let own = hash(&serde_json::to_vec(&sealed).map_err(|error| written(&error))?);
    sealed.sha256.insert(OWN.into(), own);
    let json = serde_json::to_string(&sealed).map_err(|error| written(&error))?;
    let views = tensors.iter().map(|(name, (ty, bytes))| {
        let view = TensorView::new(dtype(ty), ty.shape.dims().to_vec(), bytes).map_err(|error| written(&error))?;
        Ok((name.clone(), view))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = Some(HashMap::from([(KEY.to_string(), json)]));
    safetensors::serialize(views, metadata).map_err(|error| written(&error))
}

/// Reads such a file, which errors call a `what`, and checks everything against its hash; what is said is first looked at
/// by `check`, so that a file of another version is no damaged one.
///
/// # Errors
/// When the bytes are no such file or not what was written, or `check` refuses what is said.
pub fn opened<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    what: &str,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<(T, State), String> {
    let damaged = |error: &dyn Display| format!("damaged {what} ({error})");
    // Eight bytes of a length, then JSON: what begins otherwise was never such a file.
    if bytes.get(8).is_some_and(|&first| first != b'{') {
        return Err(format!("not a {what} of gpu-ae"));
    }
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
    let json = header.metadata().as_ref().and_then(|map| map.get(KEY));
    let json = json.ok_or_else(|| format!("not a {what} of gpu-ae"))?;
    let mut sealed: Sealed<T> = serde_json::from_str(json).map_err(|e| damaged(&e))?;
    check(&sealed.said)?;
    let own = sealed.sha256.remove(OWN);
    if own != Some(hash(&serde_json::to_vec(&sealed).map_err(|e| damaged(&e))?)) {
        return Err(damaged(&"the hash of its metadata does not match"));
    }
    let read = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
    let mut tensors = State::new();
    for (name, view) in read.tensors() {
        if sealed.sha256.get(&name) != Some(&hash(view.data())) {
            return Err(damaged(&format!("the hash of '{name}' does not match")));
        }
        let ty = match view.dtype() {
            Dtype::F32 => Ty::f32(view.shape()),
            Dtype::U32 => Ty::u32(view.shape()),
            other => return Err(format!("'{name}' has element type {other:?}, expected F32 or U32")),
        };
        let (mut bytes, length) = (Vec::new(), view.data().len());
        let reserved = bytes.try_reserve_exact(length);
        reserved.map_err(|_| format!("there is no memory for the {length} bytes of '{name}'"))?;
        bytes.extend_from_slice(view.data());
        tensors.insert(name, (ty, bytes));
    }
    if tensors.len() != sealed.sha256.len() {
        return Err(damaged(&"a tensor is missing"));
    }
    Ok((sealed.said, tensors))
}
