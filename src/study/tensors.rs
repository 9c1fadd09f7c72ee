//! Tensors of a training state, read and changed.

use crate::error::{Error, Result};
use crate::model::optimiser::kept_of;
use crate::tensor::Ty;
use crate::train::session::State;

/// The elements of a tensor of a state, with its type.
///
/// # Errors
/// When there is none of this name.
pub(super) fn floats<'a>(state: &'a State, name: &str) -> Result<(&'a Ty, Vec<f32>)> {
    let missing = || Error::Failed(format!("checkpoint: '{name}' is missing"));
    let (ty, bytes) = state.get(name).ok_or_else(missing)?;
    Ok((ty, bytemuck::pod_collect_to_vec(bytes)))
}

/// Sets a tensor of floats.
pub(super) fn put(state: &mut State, name: String, dims: &[usize], values: &[f32]) {
    state.insert(name, (Ty::f32(dims), bytemuck::cast_slice(values).to_vec()));
}

/// Adds numbers to the elements of a tensor.
///
/// # Errors
/// As [`floats`].
pub(super) fn add(state: &mut State, name: String, added: impl Iterator<Item = f64>) -> Result<()> {
    let (ty, mut values) = floats(state, &name)?;
    let dims = ty.shape.dims().to_vec();
    values.iter_mut().zip(added).for_each(|(value, added)| *value = (f64::from(*value) + added) as f32);
    put(state, name, &dims, &values);
    Ok(())
}

/// A parameter with all that an optimiser keeps of it.
fn with_kept(state: &State, name: &str) -> Vec<String> {
    kept_of(name).into_iter().filter(|kept| state.contains_key(kept)).chain([name.to_string()]).collect()
}

/// Leaves out rows and columns of a matrix, or elements of a vector, with all that an optimiser keeps of it: those for which `row` and
/// `column` say so.
///
/// # Errors
/// As [`floats`].
pub(super) fn cut(
    state: &mut State,
    name: &str,
    row: impl Fn(usize) -> bool,
    column: impl Fn(usize) -> bool,
) -> Result<()> {
    for name in with_kept(state, name) {
        let (ty, values) = floats(state, &name)?;
        let dims = ty.shape.dims();
        let width = dims.get(1).copied().unwrap_or(1).max(1);
        let columns: Vec<usize> = (0..width).filter(|&at| !column(at)).collect();
        let rows: Vec<&[f32]> =
            values.chunks_exact(width).enumerate().filter(|(at, _)| !row(*at)).map(|(_, row)| row).collect();
        let kept: Vec<f32> = rows.iter().flat_map(|row| columns.iter().map(|&at| row[at])).collect();
        let smaller = [rows.len(), columns.len()][..dims.len().clamp(1, 2)].to_vec();
        put(state, name, &smaller, &kept);
    }
    Ok(())
}
