//! What losses of rows of logits and their gradients share: how they are launched, and the cases that prove them.

use crate::error::Result;
use crate::ops::kernel::check::matrix;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Launch, Request, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::HostTensor;

/// One dispatch with the parameters of `shaders/loss/parts/softmax_rows.wgsl`: all inputs, the first of them logits
/// \[M, N\], then all outputs; `work` is given M.
pub(super) fn launch(
    stem: &'static str,
    r: &Request<'_>,
    rows_per_sample: usize,
    work: fn(usize) -> Work,
) -> Result<Launch> {
    let (m, n) = matrix(stem, "the logits", r.inputs[0])?;
    let bindings = (0..r.inputs.len()).map(Bind::Input).chain((0..r.outputs.len()).map(Bind::Output)).collect();
    let params = vec![m as u32, n as u32, rows_per_sample as u32];
    Ok(Launch::single(ShaderKey::plain(stem), bindings, params, work(m)))
}

/// Cases with logits up to `largest` either way: `inputs` makes what is compared, of M rows of N logits up to a
/// size; `make` a case of rows per sample, inputs with the clock behind them, and a label.
pub(super) fn cases(
    s: &mut Samples,
    largest: f32,
    inputs: impl Fn(&mut Samples, usize, usize, f32) -> [HostTensor<f32>; 2],
    make: impl Fn(usize, Vec<HostTensor<f32>>, String) -> Case,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for (m, n, valid, rows_per_sample, scale) in [
        (1, 1, 1, 1, 1.0),
        (3, 2, 3, 1, 1.0),
        (67, 13, 41, 1, 4.0),
        (65, 5, 65, 1, largest),
        (256, 10, 256, 1, 3.0),
        (6, 5, 1, 3, 1.0),
        (130, 7, 9, 10, 4.0),
    ] {
        let inputs = inputs(s, m, n, scale).into_iter().chain([clock::with_valid_rows(valid)]).collect();
        let case = make(rows_per_sample, inputs, format!("{m}x{n} of {rows_per_sample}, {valid} valid, to {scale}"));
        cases.push(if m == 256 { case.benched() } else { case });
    }
    cases
}
