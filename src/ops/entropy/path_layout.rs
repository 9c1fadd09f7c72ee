//! How the kernels of the path entropy lay out their nodes, and the dispatches they share.

use super::path_chain::PathBias;
use super::path_entropy::PathEntropy;
use crate::error::Result;
use crate::ops::kernel::profile::{DeviceKind, DeviceProfile};
use crate::ops::kernel::{Bind, Dispatch, Request, Work};
use crate::shader::ShaderKey;

/// Level 0 forward: all ones, the source too. The shader knows these two instead of memory.
const BEGIN: u32 = u32::MAX;
/// Level L backward: all ones but the source.
const END: u32 = u32::MAX - 1;

/// The variants, and how many invocations share a node in each.
const VARIANTS: [(&str, u32); 2] = [("64 lanes", 64), ("1 lane", 1)];

/// Nodes of all levels in one array: of every level but the first, weight and entropy forward; of every
/// level but the last, weight and entropy backward; each with the source behind it.
pub(in crate::ops) struct PathLayout {
    op: PathEntropy,
    levels: Vec<usize>,
    /// Invocations that share a node.
    lanes: u32,
}

/// Invocations of a workgroup.
fn workgroup(lanes: u32) -> u32 {
    if lanes == 1 { 8 } else { lanes }
}

impl PathLayout {
    /// For levels of these widths; the request's variant says how many invocations share a node.
    pub fn new(op: PathEntropy, levels: Vec<usize>, r: &Request<'_>) -> Result<Self> {
        let (_, lanes) = *r.variant_in(&VARIANTS, |(name, _)| name)?;
        Ok(PathLayout { op, levels, lanes })
    }

    /// Software pays for every barrier, hardware for every serial step.
    pub fn variants(profile: &DeviceProfile) -> Vec<&'static str> {
        let mut names = VARIANTS.map(|(name, _)| name);
        if profile.kind == DeviceKind::Software {
            names.reverse();
        }
        names.to_vec()
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.levels.len() - 1
    }

    /// Nodes of a level that edges lead from: the source is one where biases are.
    fn nodes(&self, level: usize) -> u32 {
        (self.levels[level] + usize::from(self.op.bias == PathBias::Source)) as u32
    }

    /// Where a level's forward values lie.
    fn forward(&self, level: usize) -> u32 {
        if level == 0 { BEGIN } else { self.levels[1..level].iter().map(|n| 2 * (n + 1)).sum::<usize>() as u32 }
    }

    /// Where a level's backward values lie.
    fn backward(&self, level: usize) -> u32 {
        if level == self.layers() {
            return END;
        }
        let behind: usize = self.levels[..level].iter().map(|n| 2 * (n + 1)).sum();
        self.levels[1..].iter().map(|n| 2 * (n + 1)).sum::<usize>() as u32 + behind as u32
    }

    /// Sizes of the scratch buffers in bytes: nodes, and totals (two a level and H).
    pub fn scratch(&self) -> [usize; 2] {
        let ends = self.levels[0] + self.levels[self.layers()] + 2;
        let nodes = 2 * self.levels.iter().map(|n| 2 * (n + 1)).sum::<usize>() - 2 * ends;
        [4 * nodes.max(1), 4 * (2 * self.levels.len() + 1)]
    }

    /// Order and bias, as all three shaders take them.
    fn order(&self) -> [u32; 4] {
        let alpha = self.op.alpha;
        let [value, t] = if alpha.is_infinite() { [0.0; 2] } else { [alpha, (1.0 - f64::from(alpha)) as f32] };
        [value.to_bits(), t.to_bits(), u32::from(alpha.is_infinite()), self.op.bias as u32]
    }

    fn key(&self, stem: &'static str) -> ShaderKey {
        let constants = vec![("WORKGROUP", workgroup(self.lanes)), ("LANES", self.lanes)];
        ShaderKey { constants, ..ShaderKey::plain(stem) }
    }

    fn groups(&self, nodes: u32) -> u32 {
        nodes.div_ceil(workgroup(self.lanes) / self.lanes)
    }

    /// The dispatches that compute the value: nodes and totals into scratch, and the outputs.
    pub fn value(&self, nodes: Bind, totals: Bind, outputs: [Bind; 4]) -> Vec<Dispatch> {
        let layers = self.layers();
        let mut dispatches = Vec::new();
        for step in 0..layers {
            // Layer `step` forward, and the one as far from the end backward.
            let back = layers - 1 - step;
            let groups = [self.nodes(step + 1), self.nodes(back)].map(|nodes| self.groups(nodes));
            let half =
                |layer: usize, from: u32, to: u32| [self.levels[layer + 1] as u32, self.levels[layer] as u32, from, to];
            let params = [
                half(step, self.forward(step), self.forward(step + 1)),
                half(back, self.backward(back + 1), self.backward(back)),
                self.order(),
                [groups[0], 0, 0, 0],
            ];
            let parameters = [2 * step, 2 * step + 1, 2 * back, 2 * back + 1].map(Bind::Input);
            let bindings = [parameters.to_vec(), vec![nodes.clone()]].concat();
            let work = Work::Groups((groups[0] + groups[1]) as usize);
            dispatches.push(Dispatch::new(self.key("path_entropy_sweep"), bindings, params.concat(), work));
        }
        let levels = self.levels.len().next_power_of_two();
        let mut params = self.order().to_vec();
        params.extend([self.levels.len() as u32, 0, 0, 0]);
        let mut marginal = 0;
        for (level, &width) in self.levels.iter().enumerate() {
            params.extend([self.forward(level), self.backward(level), width as u32, marginal]);
            marginal += width as u32;
        }
        params.resize(8 + 4 * levels, 0);
        let constants = vec![("WORKGROUP", 64), ("LANES", 64), ("LEVELS", levels as u32)];
        let key = ShaderKey { constants, ..ShaderKey::plain("path_entropy_totals") };
        let bindings = [vec![nodes, totals], outputs.to_vec()].concat();
        dispatches.push(Dispatch::new(key, bindings, params, Work::Groups(self.levels.len())));
        dispatches
    }

    /// The dispatch that computes the gradient of layer l, once nodes and totals are there.
    pub fn gradient(&self, l: usize, [nodes, totals, dh]: [Bind; 3], [dw, db]: [Bind; 2], add: bool) -> Dispatch {
        let mut params = vec![self.levels[l + 1] as u32, self.levels[l] as u32, self.forward(l), self.backward(l + 1)];
        params.extend(self.order());
        params.extend([2 * l as u32, self.levels.len() as u32, u32::from(add)]);
        let bindings = vec![Bind::Input(2 * l), Bind::Input(2 * l + 1), nodes, totals, dh, dw, db];
        let work = Work::Groups(self.groups(self.levels[l + 1] as u32) as usize);
        Dispatch::new(self.key("path_entropy_grad"), bindings, params, work)
    }
}
