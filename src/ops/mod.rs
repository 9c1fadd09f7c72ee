//! The operations, one file each: gradient rule, CPU twin, and the host side of the kernel with its
//! cases and cost. This file is their one registry.

pub mod activation;
pub mod activation_grad;
pub mod activeness;
pub mod activeness_grad;
pub mod adam_step;
pub mod add_bias;
pub mod batch_gather;
pub mod batch_labels;
pub mod batch_norm;
pub mod batch_norm_grad;
pub mod batch_rows;
pub mod binary;
pub mod broadcast;
pub mod bures;
pub mod ceiling_copy;
pub mod ceiling_fma;
mod check;
pub mod clip_norm;
pub mod clock;
pub mod clock_advance;
pub mod corrupt;
pub mod element;
pub mod gathered;
pub mod gaussian_kl;
pub mod gaussian_kl_grad;
pub mod hopfield_sweep;
mod jacobi;
pub mod kernel;
pub mod learning_rate_step;
pub mod linear_chain;
pub mod linear_chain_grad;
pub mod linear_weight_grads;
pub mod matmul;
pub mod matmul_cooperative;
pub mod matmul_nn;
pub mod matmul_nt;
mod matmul_product;
pub mod matmul_shared;
pub mod matmul_subgroup;
mod matmul_tiles;
pub mod matmul_tn;
pub mod matmul_uniform;
pub mod mmd;
pub mod mmd_grad;
pub mod moments;
pub mod moments_grad;
pub mod multiplier_step;
pub mod network;
pub mod network_pass;
pub mod network_update;
pub mod normalise_rows;
pub mod path_chain;
pub mod path_entropy;
pub mod path_entropy_grad;
mod path_layout;
pub mod profile;
pub mod random_bits;
pub mod random_normal;
pub mod random_uniform;
pub mod reconstruction_loss;
pub mod renyi_entropy;
mod samples;
pub mod sgd_step;
pub mod softmax_cross_entropy;
pub mod softmax_cross_entropy_grad;
pub mod softmax_divergence;
pub mod softmax_divergence_grad;
pub mod softmax_entropy;
pub mod softmax_entropy_grad;
pub mod sparsity;
pub mod sparsity_grad;
pub mod sum_all;
pub mod sum_axis;
pub mod threshold;
mod tilted_mean;
pub mod transpose;
pub mod unary;
pub mod valid_ones;
pub mod valid_share;
pub mod weight_entropies;

pub use kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};

use crate::graph::Op;
use crate::tensor::Ty;

/// Alignment in bytes of every tensor in an arena: what any adapter accepts as a binding's offset.
pub const ALIGNMENT: usize = 256;

/// Bytes of the widest load. Arenas and bindings are whole numbers of them, so that a kernel may take
/// any tensor four elements at a time; what lies between a tensor's end and the next multiple belongs
/// to no one, and holds nothing that may be relied on.
pub const VECTOR: usize = 16;

/// Words that tensors take when packed into one arena, padding between them included.
pub fn packed_words(types: &[&Ty]) -> usize {
    let (last, others) = types.split_last().map_or((0, &[][..]), |(last, others)| (last.bytes(), others));
    (others.iter().map(|ty| ty.bytes().next_multiple_of(ALIGNMENT)).sum::<usize>() + last) / 4
}

/// Declares the kernels: the registry itself, and `for_each_kernel!`, by which tests and benchmarks
/// stamp one named item per kernel.
macro_rules! kernels {
    ($($stem:ident => $kernel:expr),+ $(,)?) => {
        /// Every kernel, in alphabetical order.
        pub static KERNELS: &[&dyn Kernel] = &[$(&$kernel),+];

        /// Calls `$callback!` with the stems of all kernels.
        #[macro_export]
        macro_rules! for_each_kernel {
            ($callback:ident) => {
                $callback! { $($stem)+ }
            };
        }
    };
}

kernels! {
    activation => activation::ActivationKernel,
    activation_grad => activation_grad::ActivationGradKernel,
    activeness => activeness::ActivenessKernel,
    activeness_grad => activeness_grad::ActivenessGradKernel,
    adam_step => adam_step::AdamStepKernel,
    add_bias => add_bias::AddBiasKernel,
    batch_gather => batch_gather::BatchGatherKernel,
    batch_labels => batch_labels::BatchLabelsKernel,
    batch_norm => batch_norm::BatchNormKernel,
    batch_norm_grad => batch_norm_grad::BatchNormGradKernel,
    batch_rows => batch_rows::BatchRowsKernel,
    binary => binary::BinaryKernel,
    broadcast => broadcast::BroadcastKernel,
    bures => bures::BuresKernel,
    ceiling_copy => ceiling_copy::CeilingCopyKernel,
    ceiling_fma => ceiling_fma::CeilingFmaKernel,
    clip_norm => clip_norm::ClipNormKernel,
    clock_advance => clock_advance::ClockAdvanceKernel,
    corrupt => corrupt::CorruptKernel,
    element => element::ElementKernel,
    gaussian_kl => gaussian_kl::GaussianKlKernel,
    gaussian_kl_grad => gaussian_kl_grad::GaussianKlGradKernel,
    hopfield_sweep => hopfield_sweep::HopfieldSweepKernel,
    learning_rate_step => learning_rate_step::LearningRateStepKernel,
    linear_chain => linear_chain::LinearChainKernel,
    linear_chain_grad => linear_chain_grad::LinearChainGradKernel,
    linear_weight_grads => linear_weight_grads::LinearWeightGradsKernel,
    matmul_cooperative => matmul_cooperative::MatMulCooperativeKernel,
    matmul_nn => matmul_nn::MatMulNnKernel,
    matmul_nt => matmul_nt::MatMulNtKernel,
    matmul_shared => matmul_shared::MatMulSharedKernel,
    matmul_subgroup => matmul_subgroup::MatMulSubgroupKernel,
    matmul_tn => matmul_tn::MatMulTnKernel,
    matmul_uniform => matmul_uniform::MatMulUniformKernel,
    mmd => mmd::MmdKernel,
    mmd_grad => mmd_grad::MmdGradKernel,
    moments => moments::MomentsKernel,
    moments_grad => moments_grad::MomentsGradKernel,
    multiplier_step => multiplier_step::MultiplierStepKernel,
    network_pass => network_pass::NetworkPassKernel,
    network_update => network_update::NetworkUpdateKernel,
    normalise_rows => normalise_rows::NormaliseRowsKernel,
    path_entropy => path_entropy::PathEntropyKernel,
    path_entropy_grad => path_entropy_grad::PathEntropyGradKernel,
    random_bits => random_bits::RandomBitsKernel,
    random_normal => random_normal::RandomNormalKernel,
    random_uniform => random_uniform::RandomUniformKernel,
    reconstruction_loss => reconstruction_loss::ReconstructionLossKernel,
    renyi_entropy => renyi_entropy::RenyiEntropyKernel,
    sgd_step => sgd_step::SgdStepKernel,
    softmax_cross_entropy => softmax_cross_entropy::SoftmaxCrossEntropyKernel,
    softmax_cross_entropy_grad => softmax_cross_entropy_grad::SoftmaxCrossEntropyGradKernel,
    softmax_divergence => softmax_divergence::SoftmaxDivergenceKernel,
    softmax_divergence_grad => softmax_divergence_grad::SoftmaxDivergenceGradKernel,
    softmax_entropy => softmax_entropy::SoftmaxEntropyKernel,
    softmax_entropy_grad => softmax_entropy_grad::SoftmaxEntropyGradKernel,
    sparsity => sparsity::SparsityKernel,
    sparsity_grad => sparsity_grad::SparsityGradKernel,
    sum_all => sum_all::SumAllKernel,
    sum_axis => sum_axis::SumAxisKernel,
    threshold => threshold::ThresholdKernel,
    transpose => transpose::TransposeKernel,
    unary => unary::UnaryKernel,
    valid_ones => valid_ones::ValidOnesKernel,
    valid_share => valid_share::ValidShareKernel,
    weight_entropies => weight_entropies::WeightEntropiesKernel,
}

/// The kernels that compute `op`.
pub fn kernels_for(op: &dyn Op) -> impl Iterator<Item = &'static dyn Kernel> {
    KERNELS.iter().copied().filter(move |kernel| kernel.matches(op))
}

/// The kernel of this stem.
pub fn kernel_named(stem: &str) -> Option<&'static dyn Kernel> {
    KERNELS.iter().copied().find(|kernel| kernel.stem() == stem)
}
