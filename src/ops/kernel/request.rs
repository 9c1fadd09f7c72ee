//! What a kernel is asked for: an operation applied to types, in one of the kernel's variants.

use super::Kernel;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::tensor::Ty;

/// An operation with the types it is applied to, of which no kernel was asked yet.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// The operation.
    pub op: &'a dyn Op,
    /// Types of its inputs.
    pub inputs: &'a [&'a Ty],
    /// Types of its outputs.
    pub outputs: &'a [&'a Ty],
}

impl<'a> Applied<'a> {
    /// The operation on these shapes in words: the key under which a choice of kernel is remembered.
    pub fn site(&self) -> String {
        let shapes: Vec<String> = self.inputs.iter().map(ToString::to_string).collect();
        [self.op.name(), &self.op.attributes(), &shapes.join(" ")].join(" ").replace("  ", " ")
    }

    /// This, asked of a kernel in one of its variants; an empty one while its variants are asked for.
    ///
    /// # Errors
    /// When the kernel does not compute the operation; the error names both.
    pub fn asked_of(&self, kernel: &dyn Kernel, variant: &'a str) -> Result<Request<'a>> {
        let Applied { op, inputs, outputs } = *self;
        let request = Request { op, inputs, outputs, variant, kernel: kernel.stem() };
        if kernel.matches(op) { Ok(request) } else { Err(request.foreign()) }
    }
}

/// An operation with the types it is applied to, asked of a kernel: made by [`Applied::asked_of`].
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The operation.
    pub op: &'a dyn Op,
    /// Types of its inputs.
    pub inputs: &'a [&'a Ty],
    /// Types of its outputs.
    pub outputs: &'a [&'a Ty],
    /// Which of the kernel's variants is meant; see [`Kernel::variants`].
    pub variant: &'a str,
    /// Stem of the kernel that is asked.
    kernel: &'static str,
}

impl<'a> Request<'a> {
    /// The operation as the type that the kernel needs.
    ///
    /// # Errors
    /// When it is of another type; the error names the operation and the kernel.
    pub fn op<O: Op>(&self) -> Result<&'a O> {
        self.op.downcast().ok_or_else(|| self.foreign())
    }

    /// The entry of a kernel's table of variants that is meant, by the names of the entries.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn variant_in<'v, V>(&self, variants: &'v [V], name: impl Fn(&V) -> &'static str) -> Result<&'v V> {
        let found = variants.iter().find(|variant| name(variant) == self.variant);
        found.ok_or_else(|| Error::graph(self.kernel, format!("has no variant '{}'", self.variant)))
    }

    /// What to say of an operation that the kernel does not compute.
    pub(in crate::ops) fn foreign(&self) -> Error {
        Error::graph(self.op.name(), format!("is no operation of the kernel '{}'", self.kernel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::OpRef;
    use crate::ops::kernel::profile::{DeviceKind, DeviceProfile};
    use crate::ops::step::sgd_step::SgdStep;
    use crate::ops::{KERNELS, kernel_named};

    fn assert_names_both(refusal: Option<Error>, op: &str, kernel: &str) {
        let text = refusal.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains(op) && text.contains(&format!("'{kernel}'")), "{kernel} says of {op}: '{text}'");
    }

    /// Every kernel is asked for an operation of every other one.
    #[test]
    fn a_kernel_refuses_foreign_operations_by_both_names() {
        let ops: Vec<OpRef> = KERNELS.iter().filter_map(|kernel| Some(kernel.cases().first()?.op.clone())).collect();
        for kernel in KERNELS {
            for op in ops.iter().filter(|op| !kernel.matches(op.as_ref())) {
                let applied = Applied { op: op.as_ref(), inputs: &[], outputs: &[] };
                assert_names_both(applied.asked_of(*kernel, "").err(), op.name(), kernel.stem());
            }
        }
    }

    /// What a kernel reads of its operation it does not make up, however the request came about.
    #[test]
    fn nothing_is_made_up_where_the_operation_is_another() {
        let op = SgdStep { momentum: 0.9, tensors: 1, ..SgdStep::default() };
        let ty = Ty::f32(&[4, 4]);
        let inputs = [&ty; 8];
        let asked = |kernel: &'static str| Request { op: &op, inputs: &inputs, outputs: &inputs, variant: "", kernel };
        for stem in [
            "activation",
            "activeness_grad",
            "adam_step",
            "clock_advance",
            "element",
            "linear_chain",
            "matmul_nt",
            "network_pass",
            "path_entropy_grad",
            "random_bits",
            "reconstruction_loss",
            "renyi_entropy",
            "transpose",
            "weight_entropies",
        ] {
            let refusal = kernel_named(stem).and_then(|kernel| kernel.launch(&asked(stem)).err());
            assert_names_both(refusal, op.name(), stem);
        }
        for stem in ["ceiling_fma", "linear_weight_grads", "matmul_nt", "network_update"] {
            let refusal = kernel_named(stem).and_then(|kernel| kernel.cost(&asked(stem)).err());
            assert_names_both(refusal, op.name(), stem);
        }
        let profile = DeviceProfile::portable(DeviceKind::Software);
        for stem in ["matmul_shared", "network_pass"] {
            let refusal = kernel_named(stem).and_then(|kernel| kernel.variants(&asked(stem), &profile).err());
            assert_names_both(refusal, op.name(), stem);
        }
        let refusal = kernel_named("matmul_tn").and_then(|kernel| kernel.rank(&asked("matmul_tn"), &profile).err());
        assert_names_both(refusal, op.name(), "matmul_tn");
    }
}
