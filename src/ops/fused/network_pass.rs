//! Forward and backward pass of a whole network, and the entropies of its weights: the first half of the
//! small-network path (see [`super::network`]).

use std::ops::Range;
use std::sync::Arc;

use super::network::{Network, examples};
use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::batch::gathered;
use crate::ops::entropy::renyi_entropy::RenyiEntropyPair;
use crate::ops::kernel::check::{matrix, same};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::loss::reconstruction_loss::LossKind;
use crate::ops::loss::reconstruction_loss_grad::ReconstructionLossGrad;
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::ops::matmul::matmul_nt::Linear;
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Ty};

/// (rows, workspace) for inputs (data, clock, gradient of the loss, gradients of the entropies…, W, b, …).
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkPass(pub Arc<Network>);

impl NetworkPass {
    fn state(&self) -> Range<usize> {
        1..3 + self.0.seeds
    }

    fn parameters(&self) -> Range<usize> {
        self.state().end..self.state().end + 2 * self.0.layers.len()
    }

    fn eval<T: Precision>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let network = &*self.0;
        let parameters = &x[self.parameters()];
        let zeros = |dims: &[usize]| HostTensor::<T>::zeros(&Ty::f32(dims));
        let one = |op: &dyn Op, inputs: &[&HostTensor<T>], dims: &[usize]| {
            let mut outputs = [zeros(dims)];
            T::eval(op, inputs, &mut outputs);
            let [output] = outputs;
            output
        };
        T::eval(&BatchRows(network.batch), &[x[1]], &mut y[..1]);
        let batch = one(&network.gather, &[x[0], &y[0]], &[network.batch, network.gather.features]);
        let mut values = vec![batch];
        for (i, &(width, activation)) in network.layers.iter().enumerate() {
            let inputs = [&values[i], parameters[2 * i], parameters[2 * i + 1]];
            values.push(one(&Linear(activation), &inputs, &[network.batch, width]));
        }
        let places = network.workspace();
        let workspace = y[1].real_mut();
        let mut put = |place: usize, tensor: &[T]| workspace[place..place + tensor.len()].copy_from_slice(tensor);
        let last = network.layers.len() - 1;
        let activation = network.layers[last].1;
        let prediction = &values[last + 1];
        let gradient = ReconstructionLossGrad { kind: network.loss, activation, rows_per_sample: 1 };
        let mut delta = one(&gradient, &[prediction, &values[0], x[1], x[2]], prediction.shape.dims());
        put(places.losses, &network.loss.of_rows(prediction, &values[0], x[1].words()));
        for i in (0..=last).rev() {
            put(places.deltas[i], delta.real());
            if i > 0 {
                put(places.values[i - 1], values[i].real());
                let op = LinearInputGrad(network.layers[i - 1].1);
                delta = one(&op, &[&delta, parameters[2 * i], &values[i]], values[i].shape.dims());
            }
        }
        for (t, term) in network.terms.iter().enumerate() {
            let [w, b] = term.parameters.map(|i| parameters[i]);
            let a = one(&term.activeness, &[w, b], b.shape.dims());
            let mut pair = [zeros(&[]), zeros(b.shape.dims())];
            T::eval(&RenyiEntropyPair(term.entropy), &[&a, x[3 + term.seed]], &mut pair);
            put(places.entropies[t], pair[0].real());
            put(places.slopes[t], pair[1].real());
        }
    }
}

impl Op for NetworkPass {
    fn name(&self) -> &'static str {
        "network_pass"
    }

    fn attributes(&self) -> String {
        self.0.describe()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let network = &*self.0;
        if inputs.len() != self.parameters().end || network.loss == LossKind::Bce || network.layers.is_empty() {
            return Err(Error::graph(self.name(), "takes data, clock, seeds and parameters; a squared error"));
        }
        let rows = Ty::u32(&[network.batch]);
        network.gather.check_bytes(self.name(), inputs[0])?;
        network.gather.infer(&[inputs[0], &rows])?;
        same(self.name(), "the clock", inputs[1], &clock::ty())?;
        for seed in &inputs[2..self.state().end] {
            same(self.name(), "a seed", seed, &Ty::f32(&[]))?;
        }
        for (input, ty) in inputs[self.parameters()].iter().zip(network.parameters()) {
            same(self.name(), "a parameter", input, &ty)?;
        }
        Ok(vec![rows, Ty::f32(&[network.workspace().elements])])
    }

    fn spanned_inputs(&self, _: usize) -> Vec<Range<usize>> {
        vec![self.state()]
    }

    fn packed_inputs(&self, _: usize) -> Vec<(&'static str, Range<usize>)> {
        vec![("params", self.parameters())]
    }

    crate::twin!();
}

/// `shaders/fused/network_pass.wgsl`
pub struct NetworkPassKernel;

/// Invocations of a workgroup.
const WORKGROUP: usize = 256;

/// Samples of a tile by variant.
const TILES: [(&str, usize); 2] = [("4 samples", 4), ("2 samples", 2)];

/// Vectors that a sample needs in workgroup memory: its input, then the hidden layers. The deltas of the
/// output take the place of the input.
fn floats(network: &Network) -> usize {
    let hidden: usize = network.layers[..network.layers.len() - 1].iter().map(|(width, _)| width).sum();
    network.gather.features + hidden
}

fn most_neurons(network: &Network) -> usize {
    network.terms.iter().map(|term| network.neurons(term)).max().unwrap_or(1)
}

/// Bytes of workgroup memory, those of the reductions included.
fn shared_bytes(network: &Network, tile: usize) -> usize {
    4 * ((floats(network) + WORKGROUP) * tile + most_neurons(network) + 2 * WORKGROUP + tile)
}

/// Whether a device can hold a tile of this network in workgroup memory.
pub fn fits(network: &Network, profile: &DeviceProfile) -> bool {
    WORKGROUP <= profile.max_workgroup as usize && shared_bytes(network, 2) <= profile.max_shared as usize
}

impl NetworkPassKernel {
    fn params(network: &Network, tile: usize) -> Result<Vec<u32>> {
        let places = network.workspace();
        let weights = network.parameter_places();
        let last = network.layers.len() - 1;
        let mut params: Vec<usize> = vec![
            network.layers.len(),
            network.batch,
            network.gather.features,
            network.batch.div_ceil(tile),
            network.loss as usize,
            0,
            0,
            places.losses,
        ];
        let mut below = 0;
        for (i, &(width, activation)) in network.layers.iter().enumerate() {
            let (inputs, above) = (network.inputs(i), if i == last { 0 } else { below + network.inputs(i) });
            let values = places.values.get(i).copied().unwrap_or(0);
            params.extend([inputs, width, activation as usize, 0]);
            params.extend([weights[2 * i], weights[2 * i + 1], values, places.deltas[i], below, above, 0, 0]);
            below = above;
        }
        let mut params: Vec<u32> = params.into_iter().map(|p| p as u32).collect();
        let shapes = network.parameters();
        for (t, term) in network.terms.iter().enumerate() {
            let [w, b] = term.parameters;
            let (rows, columns) = matrix("network_pass", "W", &shapes[w])?;
            let layout = term.activeness.direction.layout(rows, columns);
            let place = [weights[w], weights[b], places.slopes[t], places.entropies[t]];
            params.extend(place.into_iter().chain(layout).map(|p| p as u32));
            let [alpha, t] = term.entropy.order();
            let infinite = u32::from(term.entropy.alpha.is_infinite());
            params.extend([term.activeness.bias_weight.to_bits(), alpha.to_bits(), t.to_bits(), 0, infinite, 0, 0, 0]);
        }
        if network.terms.is_empty() {
            params.extend([0; 16]);
        }
        Ok(params)
    }
}

impl Kernel for NetworkPassKernel {
    fn stem(&self) -> &'static str {
        "network_pass"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<NetworkPass>().is_some()
    }

    fn variants(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let op = r.op::<NetworkPass>()?;
        let fits = |tile: usize| shared_bytes(&op.0, tile) <= profile.max_shared as usize;
        Ok(TILES.iter().filter(|(_, tile)| fits(*tile)).map(|(name, _)| *name).collect())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<NetworkPass>()?;
        let network = &*op.0;
        let (_, tile) = *r.variant_in(&TILES, |(name, _)| name)?;
        let terms = network.terms.len();
        let constants = [
            ("WORKGROUP", WORKGROUP),
            ("FLOATS", floats(network)),
            ("LAYERS", network.layers.len()),
            ("TERMS", terms.max(1)),
            ("TERMS_USED", terms),
            ("NEURONS", most_neurons(network)),
        ];
        let first_term = 8 + 12 * network.layers.len();
        let mut offsets = vec![(5, 0, Bind::Input(1)), (6, 0, Bind::Input(2))];
        offsets.extend(
            network.terms.iter().enumerate().map(|(t, term)| (first_term + 16 * t + 13, 0, Bind::Input(3 + term.seed))),
        );
        let dispatch = Dispatch {
            shader: ShaderKey {
                stem: self.stem(),
                constants: constants.iter().map(|&(name, value)| (name, value as u32)).collect(),
                snippets: vec![if tile == 4 { "samples4" } else { "samples2" }],
            },
            bindings: vec![
                Bind::Span(op.state().map(Bind::Input).collect()),
                Bind::Input(0),
                Bind::Inputs(op.parameters()),
                Bind::Output(0),
                Bind::Output(1),
            ],
            params: Self::params(network, tile)?,
            offsets,
            work: Work::Groups(network.batch.div_ceil(tile) + terms),
        };
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let op = r.op::<NetworkPass>()?;
        let first = 2.0 * (op.0.inputs(0) * op.0.layers[0].0 * op.0.batch) as f64;
        let data = r.inputs[0].bytes() as f64 - (op.0.batch * op.0.gather.stride()) as f64;
        Ok(Cost { bytes: Cost::streaming(r, 0.0).bytes - data, flops: 2.0 * op.0.flops() - first })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            2e-6,
            2e-4,
            Terms::Largest,
            "six layers of sums of up to 784 terms, 1e-6 each, and entropies; the workspace holds all of them",
        );
        let mut s = Samples::new("network_pass");
        let case = |network: Network| {
            let (features, batch) = (network.gather.features, network.batch);
            let mut words = clock::start(2 * batch + 3, batch, true, 5);
            words[clock::VALID_ROWS] = (batch - batch / 5) as u32;
            let mut inputs = vec![gathered::batch(&mut s, batch, features).swap_remove(0)];
            inputs.push(HostTensor::from_words(&[clock::WORDS], &words));
            inputs.extend([0.7, 0.3, -0.2][..1 + network.seeds].iter().map(|&x| HostTensor::from_f32(&[], &[x])));
            inputs.extend(network.parameters().iter().map(|ty| {
                let bound = 1.0 / (ty.shape.dims().last().copied().unwrap_or(1) as f32).sqrt();
                s.uniform(ty.shape.dims(), -bound, bound)
            }));
            let label = network.describe();
            let case = Case::new(label, NetworkPass(Arc::new(network)), inputs, rounding);
            if features == 784 { case.benched() } else { case }
        };
        examples().into_iter().map(case).collect()
    }
}
