//! A matrix product as its kernels see it, whatever operation asks for it: layout, extents, what becomes
//! of the finished sums. Kernels of several layouts share this, the register tiles have each their own.

use super::matmul_nn::LinearInputGrad;
use super::matmul_nt::Linear;
use super::matmul_patches::Patches;
use super::matmul_tn::LinearWeightGrad;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::Activation;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::conv::conv2d_dx::After;
use crate::ops::conv::{conv2d, conv2d_dw, conv2d_dx};
use crate::ops::kernel::profile::{DeviceKind, DeviceProfile};
use crate::ops::kernel::{Bind, Cost, Dispatch, Request, Work};
use crate::ops::matmul::{Extents, MatMul};
use crate::shader::ShaderKey;
use crate::tensor::Ty;

/// What becomes of the finished sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Finish {
    /// They are the result.
    Plain,
    /// act(sum + bias), the bias the third input.
    Bias(Activation),
    /// sum ∘ act'(h), h the third input.
    Slope(Activation),
    /// They are the result, and the second output is the left operand summed over k.
    BiasSums,
}

/// How a kernel reads operands that are numbers: bytes of the data set are always read from their buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Source {
    /// From storage buffers.
    Buffers,
    /// As texels of the textures that mirror them.
    Texels,
}

/// A product to be computed.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Product {
    pub layout: MatMul,
    pub extents: Extents,
    pub finish: Finish,
    /// Whether one operand comes straight from the data set.
    pub gathered: bool,
    /// The convolution that it is, if it is one, so that an operand is read as patches.
    pub patches: Option<Patches>,
    /// How its operands are read.
    pub source: Source,
}

/// Layout and finish of an operation that is a product.
pub(in crate::ops) fn layout(op: &dyn Op) -> Option<(MatMul, Finish)> {
    if let Some(&layout) = op.downcast::<MatMul>() {
        return Some((layout, Finish::Plain));
    }
    if let Some(op) = op.downcast::<Linear>() {
        return Some((MatMul::Nt, Finish::Bias(op.0)));
    }
    if let Some(op) = op.downcast::<LinearInputGrad>() {
        return Some((MatMul::Nn, Finish::Slope(op.0)));
    }
    if op.downcast::<LinearWeightGrad>().is_some() {
        return Some((MatMul::Tn, Finish::BiasSums));
    }
    // Groups of channels are products of their own.
    if let Some((_, activation)) = conv2d::parts(op).filter(|(of, _)| of.groups == 1) {
        return Some((MatMul::Nt, activation.map_or(Finish::Plain, Finish::Bias)));
    }
    if let Some((_, after)) = conv2d_dx::parts(op).filter(|(of, _)| of.groups == 1) {
        let finish = match after {
            After::Nothing => Finish::Plain,
            After::Slope(activation) => Finish::Slope(activation),
            After::Bias(activation) => Finish::Bias(activation),
        };
        return Some((MatMul::Nn, finish));
    }
    let (_, biased) = conv2d_dw::parts(op).filter(|(of, _)| of.groups == 1)?;
    Some((MatMul::Tn, if biased { Finish::BiasSums } else { Finish::Plain }))
}

/// The same of an operation that may read the batch from the data set.
pub(in crate::ops) fn layout_of_any(op: &dyn Op) -> Option<(MatMul, Finish)> {
    let Some(gathered) = op.downcast::<Gathered>() else { return layout(op) };
    let (layout, finish) = layout(gathered.op.as_ref())?;
    matches!((gathered.position, finish), (0, Finish::Bias(_)) | (1, Finish::BiasSums)).then_some((layout, finish))
}

impl Product {
    /// The product that a request asks for.
    ///
    /// # Errors
    /// When the operation is none, or its operands do not fit.
    pub fn of(r: &Request<'_>) -> Result<Self> {
        let (layout, finish) = layout_of_any(r.op).ok_or_else(|| r.foreign())?;
        if let Some(patches) = Patches::of(r)? {
            let extents = patches.extents(layout)?;
            let (gathered, patches) = (false, Some(patches));
            return Ok(Product { layout, extents, finish, gathered, patches, source: Source::Buffers });
        }
        let Some(gathered) = r.op.downcast::<Gathered>() else {
            return Ok(Product {
                layout,
                extents: layout.extents(r.inputs[0], r.inputs[1])?,
                finish,
                gathered: false,
                patches: None,
                source: Source::Buffers,
            });
        };
        let batch = Ty::f32(&[r.inputs[1].elements(), gathered.gather.features]);
        let extents = match layout {
            MatMul::Tn => layout.extents(r.inputs[2], &batch)?,
            _ => layout.extents(&batch, r.inputs[2])?,
        };
        Ok(Product { layout, extents, finish, gathered: true, patches: None, source: Source::Buffers })
    }

    /// The same with its operands read so.
    pub fn reading(self, source: Source) -> Self {
        Product { source, ..self }
    }

    /// Bindings 1 and 2: the operands.
    pub fn sources(&self) -> Vec<Bind> {
        // Gathered inputs are the data, the row numbers and the other operand.
        match (self.gathered, self.layout) {
            (false, _) => vec![Bind::Input(0), Bind::Input(1)],
            (true, MatMul::Tn) => vec![Bind::Input(2), Bind::Input(0)],
            (true, _) => vec![Bind::Input(0), Bind::Input(2)],
        }
    }

    /// The row numbers behind the other bindings, where an operand is gathered.
    pub fn add_rows(&self, shader: &mut ShaderKey, bindings: &mut Vec<Bind>) {
        if self.gathered {
            shader.snippets.push(if bindings.len() == 3 { "rows_binding4" } else { "rows_binding5" });
            bindings.push(Bind::Input(1));
        }
    }

    /// Whether all row lengths are multiples of four, so that rows can be read as vectors.
    pub fn aligned(&self) -> bool {
        if let Some(patches) = self.patches {
            return patches.aligned();
        }
        let Extents { m, n, k } = self.extents;
        let left = if self.layout == MatMul::Tn { m } else { k };
        left.is_multiple_of(4) && n.is_multiple_of(4) && (self.layout != MatMul::Nt || k.is_multiple_of(4))
    }

    /// Snippets that read the operands and write the results, by vectors or by elements.
    pub fn access(&self) -> Vec<&'static str> {
        let mut access = access(self.aligned());
        match (self.gathered, self.layout) {
            (false, layout) => self.patches.iter().for_each(|patches| patches.access(layout, &mut access)),
            (true, MatMul::Tn) => access[1] = "right_gather",
            (true, _) => access[0] = "left_gather",
        }
        let sources = [
            ["left_buffer", "left_texels", "left_texels_scalar"],
            ["right_buffer", "right_texels", "right_texels_scalar"],
        ];
        let [left, right] = [0, 1].map(|operand| {
            let [buffer, texels, scalar] = sources[operand];
            match (self.source, access[operand]) {
                (Source::Buffers, _) | (_, "left_gather" | "right_gather") => buffer,
                (Source::Texels, way) if way.ends_with("scalar") => scalar,
                (Source::Texels, _) => texels,
            }
        });
        let place = (self.source == Source::Texels).then_some("texels");
        place.into_iter().chain([left, right]).chain(access).collect()
    }

    /// Constants and the snippet by which an operand is read as patches.
    pub fn add_patches(&self, shader: &mut ShaderKey) {
        if let Some(patches) = &self.patches {
            shader.constants.extend(patches.constants(self.layout));
            shader.snippets.push(patches.pixel(self.layout));
        }
    }

    /// Snippets that give access to the operands, block by block.
    pub fn operands(&self) -> Vec<&'static str> {
        let blocks = match self.layout {
            MatMul::Nt => ["left_rows", "right_rows"],
            MatMul::Nn => ["left_rows", "right_columns"],
            MatMul::Tn => ["left_columns", "right_columns"],
        };
        [&self.access()[..], &blocks].concat()
    }

    /// The snippet that reads a third matrix of the result's shape.
    pub fn mask(&self) -> &'static str {
        if self.aligned() { "mask_vec4" } else { "mask_scalar" }
    }

    /// Snippets that finish the sums.
    pub fn finish(&self) -> Vec<&'static str> {
        let mask = self.mask();
        match self.finish {
            Finish::Plain => vec!["finish_plain", "no_bias_sums"],
            Finish::Bias(_) => vec!["activation_value", "finish_bias", "no_bias_sums"],
            Finish::Slope(_) => vec!["finish_slope", "activation_slope", mask, "no_bias_sums"],
            Finish::BiasSums => vec!["finish_plain", "bias_sums"],
        }
    }

    /// Bindings from 3 on: the result, and what its finish needs.
    pub fn results(&self) -> Vec<Bind> {
        match self.finish {
            Finish::Plain => vec![Bind::Output(0)],
            Finish::Bias(_) | Finish::Slope(_) => vec![Bind::Output(0), Bind::Input(2 + usize::from(self.gathered))],
            Finish::BiasSums => vec![Bind::Output(0), Bind::Output(1)],
        }
    }

    /// What a sum in so many parts takes beside: bytes of the parts, those of the bias's sums behind them, and the dispatch that
    /// joins and finishes them.
    pub fn split(&self, splits: usize) -> (Vec<usize>, Dispatch) {
        let Extents { m, n, .. } = self.extents;
        let sums = self.finish == Finish::BiasSums;
        let shader = ShaderKey {
            stem: "matmul_join",
            constants: vec![("SPLITS", splits as u32), self.activation()],
            snippets: [vec!["left_buffer", "right_buffer"], access(self.aligned()).to_vec(), self.finish()].concat(),
        };
        let bindings = [vec![Bind::Scratch(0), Bind::Scratch(1)], self.results()].concat();
        let work = Work::Invocations(m * n.div_ceil(4) + if sums { m.div_ceil(4) } else { 0 });
        (vec![4 * splits * m * n, 4 * splits * m], Dispatch::new(shader, bindings, self.params(), work))
    }

    /// The uniform block of all these kernels: m, n, k.
    pub fn params(&self) -> Vec<u32> {
        let Extents { m, n, k } = self.extents;
        [m, n, k].map(|extent| extent as u32).to_vec()
    }

    /// The header's constant for the activation of the finish.
    pub fn activation(&self) -> (&'static str, u32) {
        let activation = match self.finish {
            Finish::Bias(activation) | Finish::Slope(activation) => activation,
            Finish::Plain | Finish::BiasSums => Activation::Identity,
        };
        ("ACTIVATION", activation as u32)
    }
}

/// Snippets that read the operands and write the results of a product whose rows are whole vectors, or not.
pub(in crate::ops) fn access(aligned: bool) -> [&'static str; 3] {
    if aligned {
        ["left_vec4", "right_vec4", "product_vec4"]
    } else {
        ["left_scalar", "right_scalar", "product_scalar"]
    }
}

/// The ways to compute a product, each a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Form {
    /// Matrices of f16 multiplied by a subgroup together; only offered where mixed precision is wanted.
    Cooperative,
    /// Tiles in the registers of one invocation each, operands loaded by each for itself.
    Registers,
    /// Tiles in workgroup memory.
    Shared,
    /// Tiles in registers, one operand shared by shuffles within a subgroup.
    Subgroup,
    /// Tiles in registers, one operand in a uniform buffer.
    Uniform,
}

/// Arithmetic from which a software adapter does better with larger tiles, which take longer to compile.
const LARGE: f64 = 3e8;

/// Place of a form among the others where nothing was measured.
pub(in crate::ops) fn rank(form: Form, r: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
    use Form::{Cooperative, Registers, Shared, Subgroup, Uniform};
    // Cooperative matrices were silently wrong on some drivers: they come first only where tuning has proved them.
    let order = match profile.kind {
        DeviceKind::Discrete | DeviceKind::Integrated => [Shared, Subgroup, Registers, Uniform, Cooperative],
        DeviceKind::Software | DeviceKind::Cpu if cost(r)?.flops > LARGE => {
            [Registers, Subgroup, Uniform, Shared, Cooperative]
        }
        DeviceKind::Software | DeviceKind::Cpu => [Subgroup, Registers, Uniform, Shared, Cooperative],
    };
    Ok(order.iter().take_while(|&&other| other != form).count() as u8)
}

/// Arithmetic and traffic of a product.
pub(in crate::ops) fn cost(r: &Request<'_>) -> Result<Cost> {
    let Extents { m, n, k } = Product::of(r)?.extents;
    Ok(gathered::cost(r, 2.0 * (m * n * k) as f64))
}
