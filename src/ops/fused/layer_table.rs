//! What the kernels of narrow layers, forward and back, have in common: their limits, what they say of
//! themselves, the uniform block, and what they are proved on.
//!
//! The block begins with layers, batch, inputs of the first layer and tiles; behind them every entry of the
//! table has three vectors (`Layer` of `shaders/fused/parts/network_tile.wgsl`): inputs, outputs and activation;
//! places of weight, bias, values and deltas; places of inputs and outputs among the neurons of a sample.

use crate::error::{Error, Result};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::matrix;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::Ty;

/// Widest layer of a chain.
pub const WIDEST: usize = 128;
/// Most layers of a chain: with x, all of them fit in 16 KiB of workgroup memory.
pub const LONGEST: usize = 6;

/// Invocations of a workgroup, and samples of a tile.
const WORKGROUP: usize = 128;
const TILE: usize = 4;

/// Activations in words.
pub(super) fn words(activations: &[Activation]) -> String {
    activations.iter().map(|a| format!("{a:?}").to_lowercase()).collect::<Vec<_>>().join(" ")
}

/// Refuses a chain, whose first input this is, with a layer that is too wide.
pub(super) fn check_widths(op: &str, first: &Ty, outputs: &[Ty]) -> Result<()> {
    if std::iter::once(first).chain(outputs).any(|ty| ty.shape.dims()[1] > WIDEST) {
        return Err(Error::graph(op, format!("a layer is wider than {WIDEST}")));
    }
    Ok(())
}

/// A value that an entry places: the binding (counted from 0) that it lies in, and which it is.
pub(super) type Placed = Option<(usize, Bind)>;

/// The uniform block of a launch in the making.
pub(super) struct LayerTable {
    params: Vec<usize>,
    offsets: Vec<(usize, usize, Bind)>,
    entries: usize,
    tiles: usize,
}

impl LayerTable {
    /// The head, for a batch of this many rows and inputs.
    pub fn new(layers: usize, batch: usize, inputs: usize) -> Self {
        let tiles = batch.div_ceil(TILE);
        LayerTable { params: vec![layers, batch, inputs, tiles], offsets: Vec::new(), entries: 0, tiles }
    }

    /// An entry behind the others: inputs and outputs; activation; places of weight, bias, values and deltas; where
    /// inputs and outputs lie among the neurons.
    pub fn push(&mut self, [inputs, outputs]: [usize; 2], of: Activation, placed: [Placed; 4], neurons: [usize; 2]) {
        let at = self.params.len() + 4;
        self.params.extend([inputs, outputs, of as usize, 0, 0, 0, 0, 0, neurons[0], neurons[1], 0, 0]);
        let placed = placed.into_iter().enumerate();
        self.offsets.extend(placed.filter_map(|(i, placed)| placed.map(|(binding, bind)| (at + i, binding, bind))));
        self.entries += 1;
    }

    /// The one dispatch of a kernel, given the neurons of a sample.
    pub fn launch(self, stem: &'static str, neurons: usize, bindings: Vec<Bind>) -> Launch {
        let constants = [("WORKGROUP", WORKGROUP), ("FLOATS", neurons), ("ENTRIES", self.entries)];
        let dispatch = Dispatch {
            shader: ShaderKey {
                stem,
                constants: constants.map(|(name, value)| (name, value as u32)).to_vec(),
                snippets: vec!["samples4"],
            },
            bindings,
            params: self.params.into_iter().map(|word| word as u32).collect(),
            offsets: self.offsets,
            work: Work::Groups(self.tiles),
        };
        Launch { dispatches: vec![dispatch], scratch: Vec::new() }
    }
}

/// Two operations a weight and sample.
pub(super) fn cost<'a>(r: &Request<'_>, weights: impl Iterator<Item = &'a &'a Ty>) -> Result<Cost> {
    let (batch, _) = matrix(r.op.name(), "the first input", r.inputs[0])?;
    let weights: usize = weights.map(|w| w.elements()).sum();
    Ok(Cost::streaming(r, 2.0 * (weights * batch) as f64))
}

/// Cases for both kernels, made of a batch and the widths of layers, x first.
pub(super) fn cases(mut make: impl FnMut(usize, &[usize], &str, Tolerance) -> Case) -> Vec<Case> {
    let rounding = Tolerance::new(1e-6, 1e-5, Terms::Largest, "at most six sums of at most 128 terms in a row");
    let examples = [
        (1, vec![1, 1, 1]),
        (7, vec![3, 128, 5]),
        (33, vec![127, 1, 65, 128, 17, 9, 2]),
        (128, vec![64, 20, 20, 20, 64]),
    ];
    let case = |(batch, widths): (usize, Vec<usize>)| {
        let case = make(batch, &widths, &format!("{batch} rows {widths:?}"), rounding);
        if batch == 128 { case.benched() } else { case }
    };
    examples.into_iter().map(case).collect()
}
