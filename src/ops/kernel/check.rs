//! Checks of input types shared by the operations' `infer`.

use crate::error::{Error, Result};
use crate::tensor::{DType, Ty};

/// Exactly `N` inputs.
pub(in crate::ops) fn arity<'a, const N: usize>(op: &str, inputs: &[&'a Ty]) -> Result<[&'a Ty; N]> {
    inputs.try_into().map_err(|_| Error::graph(op, format!("takes {N} inputs, got {}", inputs.len())))
}

/// A float matrix: its rows and columns.
pub(in crate::ops) fn matrix(op: &str, what: &str, ty: &Ty) -> Result<(usize, usize)> {
    match ty.shape.matrix() {
        Some((rows, columns)) if ty.dtype == DType::F32 && rows > 0 && columns > 0 => Ok((rows, columns)),
        _ => Err(Error::graph(op, format!("{what} must be a non-empty float matrix, got {ty}"))),
    }
}

/// A float tensor of any shape.
pub(in crate::ops) fn float(op: &str, what: &str, ty: &Ty) -> Result<()> {
    if ty.dtype == DType::F32 && ty.elements() > 0 {
        return Ok(());
    }
    Err(Error::graph(op, format!("{what} must be a non-empty float tensor, got {ty}")))
}

/// A float vector: its length.
pub(in crate::ops) fn vector(op: &str, what: &str, ty: &Ty) -> Result<usize> {
    match ty.shape.dims() {
        [n] if ty.dtype == DType::F32 && *n > 0 => Ok(*n),
        _ => Err(Error::graph(op, format!("{what} must be a non-empty float vector, got {ty}"))),
    }
}

/// Exactly this type.
pub(in crate::ops) fn same(op: &str, what: &str, ty: &Ty, expected: &Ty) -> Result<()> {
    if ty == expected {
        return Ok(());
    }
    Err(Error::graph(op, format!("{what} must be {expected}, got {ty}")))
}
