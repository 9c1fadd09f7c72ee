//! The operations, one file each: gradient rule, CPU twin, and the host side of the kernel with its
//! cases and cost. This file is their one registry.
//!
//! # To add a kernel
//!
//! Three files, and no other:
//!
//! 1. `shaders/<family>/<stem>.wgsl`, the shader: bindings, workgroup size and parameter block, which the host learns by
//!    reflection. Its first line, `//!use …`, names the snippets that it is assembled with. It is found by itself, and
//!    is known by its stem.
//! 2. `src/ops/<family>/<stem>.rs`, the operation: an [`Op`] with name, type rule, gradient rule and twin (one
//!    `eval<T: Real>`, and `crate::twin!()`), and a [`Kernel`] with launch, cost, and the cases that it is proved on, each
//!    with a tolerance and its reason. What the kernel needs of the operation it asks as `r.op::<X>()?`, what it needs of
//!    a shape as `check::matrix(…)?`, which variant is meant as `r.variant_in(…)?`: what is not there is an error that
//!    names operation and kernel, never a default.
//! 3. This file: `pub mod <stem>;` in the module of the family, and `<stem> => <family>::<stem>::<Stem>Kernel` below.
//!
//! From that line the kernel has its test against the twin on every device (`tests/kernels/twins.rs`), its
//! translations (`tests/kernels/shaders.rs`), its check by central differences (`tests/graphs/gradients.rs`; an
//! operation without a gradient rule is listed in `tests/graphs/gradients_exceptions.rs` with the reason), its row in
//! `cargo bench` and in `gpu-ae doctor`, and plans choose it wherever its operation stands. A family of its own is a
//! folder of each kind and its line in `tests/architecture/rooms.rs`.

pub mod kernel;

pub mod array {
    //! Arithmetic on arrays: element by element, along an axis, over everything.

    pub mod activation;
    pub mod activation_grad;
    pub mod add_bias;
    pub mod binary;
    pub mod broadcast;
    pub mod element;
    pub mod join_rows;
    pub(super) mod log_sum_exp;
    pub mod reshape;
    pub mod scale_columns;
    pub mod scale_gradient;
    pub mod slice_rows;
    pub mod stop_gradient;
    pub mod sum_all;
    pub mod sum_axis;
    pub mod transpose;
    pub mod unary;
}

pub mod augment;
pub mod batch;
pub mod conv;
pub mod matmul;
pub mod norm;
pub mod pool;
pub mod rate;

pub mod random {
    //! Draws, and what is decided by them.

    pub mod corrupt;
    mod draw;
    pub mod random_bits;
    pub mod random_normal;
    pub mod random_uniform;
    pub mod threshold;
}

pub mod loss {
    //! Losses of a batch.

    pub mod bures;
    pub mod gaussian_kl;
    pub mod gaussian_kl_grad;
    mod loss_kind;
    pub mod mmd;
    pub mod mmd_grad;
    pub mod nt_xent;
    pub mod nt_xent_grad;
    pub mod reconstruction_loss;
    pub mod reconstruction_loss_grad;
    pub mod softmax_cross_entropy;
    pub mod softmax_cross_entropy_grad;
    pub mod softmax_divergence;
    pub mod softmax_divergence_grad;
    mod softmax_rows;
    pub mod sparsity;
    pub mod sparsity_grad;
}

pub mod entropy {
    //! Entropies of weights, of paths and of activations.

    pub mod activeness;
    pub mod activeness_grad;
    pub mod path_chain;
    pub mod path_entropy;
    pub mod path_entropy_grad;
    pub(super) mod path_layout;
    pub mod renyi_entropy;
    pub mod softmax_entropy;
    pub mod softmax_entropy_grad;
    pub(super) mod tilted_mean;
    pub mod weight_entropies;
}

pub mod energy {
    //! Networks with an energy.

    pub mod hopfield_sweep;
}

pub mod step {
    //! The end of a training step: clock, rates, weights of the losses, parameters.

    pub mod adam_step;
    pub mod all_reduce;
    pub mod average_step;
    pub mod clip_norm;
    pub mod clock;
    pub mod clock_advance;
    pub mod clock_ahead;
    pub mod clock_part;
    pub mod clock_views;
    pub mod decayed;
    pub mod lars_step;
    pub mod learning_rate_step;
    pub mod multiplier_step;
    mod packed_step;
    pub mod sgd_step;
    pub mod unscale;
}

pub mod fused {
    //! Several operations in one kernel, which plans put in their place.

    pub mod layer_table;
    pub mod linear_chain;
    pub mod linear_chain_grad;
    pub mod linear_weight_grads;
    pub mod network;
    pub mod network_pass;
    pub mod network_update;
}

pub mod ceiling {
    //! Kernels that do nothing useful as fast as a device can: what others are measured against.

    pub mod ceiling_copy;
    pub mod ceiling_fma;
}

pub use kernel::{Applied, Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};

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

/// Of tensors packed into one arena the first vector of four words of each, its elements, and two zeros: what a kernel goes
/// through tensor by tensor, so that what lies between two of them counts for nothing.
pub fn packed_table(types: &[&Ty]) -> Vec<u32> {
    let each = types.iter().enumerate().flat_map(|(t, ty)| {
        let first = packed_words(&types[..=t]) - ty.elements();
        [first as u32 / 4, ty.elements() as u32, 0, 0]
    });
    each.collect()
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
    activation => array::activation::ActivationKernel,
    activation_grad => array::activation_grad::ActivationGradKernel,
    activeness => entropy::activeness::ActivenessKernel,
    activeness_grad => entropy::activeness_grad::ActivenessGradKernel,
    adam_step => step::adam_step::AdamStepKernel,
    add_bias => array::add_bias::AddBiasKernel,
    augment_apply => augment::augment_apply::AugmentApplyKernel,
    augment_blur => augment::augment_blur::AugmentBlurKernel,
    augment_colour => augment::augment_colour::AugmentColourKernel,
    augment_draw => augment::augment_draw::AugmentDrawKernel,
    average_step => step::average_step::AverageStepKernel,
    avg_pool => pool::avg_pool::AvgPoolKernel,
    avg_pool_grad => pool::avg_pool_grad::AvgPoolGradKernel,
    batch_gather => batch::batch_gather::BatchGatherKernel,
    batch_gather_shards => batch::batch_gather_shards::BatchGatherShardsKernel,
    batch_labels => batch::batch_labels::BatchLabelsKernel,
    batch_norm => norm::batch_norm::BatchNormKernel,
    batch_norm_grad => norm::batch_norm_grad::BatchNormGradKernel,
    batch_rows => batch::batch_rows::BatchRowsKernel,
    binary => array::binary::BinaryKernel,
    broadcast => array::broadcast::BroadcastKernel,
    bures => loss::bures::BuresKernel,
    ceiling_copy => ceiling::ceiling_copy::CeilingCopyKernel,
    ceiling_fma => ceiling::ceiling_fma::CeilingFmaKernel,
    clip_norm => step::clip_norm::ClipNormKernel,
    clock_advance => step::clock_advance::ClockAdvanceKernel,
    clock_ahead => step::clock_ahead::ClockAheadKernel,
    clock_part => step::clock_part::ClockPartKernel,
    clock_views => step::clock_views::ClockViewsKernel,
    conv2d => conv::conv2d::Conv2dKernel,
    conv2d_dw => conv::conv2d_dw::Conv2dDwKernel,
    conv2d_dx => conv::conv2d_dx::Conv2dDxKernel,
    corrupt => random::corrupt::CorruptKernel,
    cumulative => rate::cumulative::CumulativeKernel,
    cumulative_grad => rate::cumulative_grad::CumulativeGradKernel,
    element => array::element::ElementKernel,
    gaussian_bits => rate::gaussian_bits::GaussianBitsKernel,
    gaussian_bits_grad => rate::gaussian_bits_grad::GaussianBitsGradKernel,
    gaussian_kl => loss::gaussian_kl::GaussianKlKernel,
    gaussian_kl_grad => loss::gaussian_kl_grad::GaussianKlGradKernel,
    group_norm => norm::group_norm::GroupNormKernel,
    group_norm_grad => norm::group_norm_grad::GroupNormGradKernel,
    hopfield_sweep => energy::hopfield_sweep::HopfieldSweepKernel,
    interval_bits => rate::interval_bits::IntervalBitsKernel,
    interval_bits_grad => rate::interval_bits_grad::IntervalBitsGradKernel,
    join_rows => array::join_rows::JoinRowsKernel,
    lars_step => step::lars_step::LarsStepKernel,
    learning_rate_step => step::learning_rate_step::LearningRateStepKernel,
    linear_chain => fused::linear_chain::LinearChainKernel,
    linear_chain_grad => fused::linear_chain_grad::LinearChainGradKernel,
    linear_weight_grads => fused::linear_weight_grads::LinearWeightGradsKernel,
    matmul_cooperative => matmul::matmul_cooperative::MatMulCooperativeKernel,
    matmul_nn => matmul::matmul_nn::KERNEL,
    matmul_nt => matmul::matmul_nt::KERNEL,
    matmul_shared => matmul::matmul_shared::MatMulSharedKernel,
    matmul_subgroup => matmul::matmul_subgroup::MatMulSubgroupKernel,
    matmul_tn => matmul::matmul_tn::KERNEL,
    matmul_uniform => matmul::matmul_uniform::MatMulUniformKernel,
    max_pool => pool::max_pool::MaxPoolKernel,
    max_pool_grad => pool::max_pool_grad::MaxPoolGradKernel,
    max_pool_pick => pool::max_pool_pick::MaxPoolPickKernel,
    mmd => loss::mmd::MmdKernel,
    mmd_grad => loss::mmd_grad::MmdGradKernel,
    moments => norm::moments::MomentsKernel,
    moments_grad => norm::moments_grad::MomentsGradKernel,
    multiplier_step => step::multiplier_step::MultiplierStepKernel,
    network_pass => fused::network_pass::NetworkPassKernel,
    network_update => fused::network_update::NetworkUpdateKernel,
    normalise_rows => norm::normalise_rows::NormaliseRowsKernel,
    nt_xent => loss::nt_xent::NtXentKernel,
    nt_xent_grad => loss::nt_xent_grad::NtXentGradKernel,
    pad_reflect => pool::pad_reflect::PadReflectKernel,
    pad_reflect_grad => pool::pad_reflect_grad::PadReflectGradKernel,
    path_entropy => entropy::path_entropy::PathEntropyKernel,
    path_entropy_grad => entropy::path_entropy_grad::PathEntropyGradKernel,
    pixel_shuffle => pool::pixel_shuffle::PixelShuffleKernel,
    random_bits => random::random_bits::RandomBitsKernel,
    random_normal => random::random_normal::RandomNormalKernel,
    random_uniform => random::random_uniform::RandomUniformKernel,
    reconstruction_loss => loss::reconstruction_loss::ReconstructionLossKernel,
    renyi_entropy => entropy::renyi_entropy::RenyiEntropyKernel,
    repeat_rows => batch::repeat_rows::RepeatRowsKernel,
    scale_columns => array::scale_columns::ScaleColumnsKernel,
    sgd_step => step::sgd_step::SgdStepKernel,
    slice_rows => array::slice_rows::SliceRowsKernel,
    softmax_cross_entropy => loss::softmax_cross_entropy::SoftmaxCrossEntropyKernel,
    softmax_cross_entropy_grad => loss::softmax_cross_entropy_grad::SoftmaxCrossEntropyGradKernel,
    softmax_divergence => loss::softmax_divergence::SoftmaxDivergenceKernel,
    softmax_divergence_grad => loss::softmax_divergence_grad::SoftmaxDivergenceGradKernel,
    softmax_entropy => entropy::softmax_entropy::SoftmaxEntropyKernel,
    softmax_entropy_grad => entropy::softmax_entropy_grad::SoftmaxEntropyGradKernel,
    sparsity => loss::sparsity::SparsityKernel,
    sparsity_grad => loss::sparsity_grad::SparsityGradKernel,
    ste_round => rate::ste_round::SteRoundKernel,
    sum_all => array::sum_all::SumAllKernel,
    sum_axis => array::sum_axis::SumAxisKernel,
    threshold => random::threshold::ThresholdKernel,
    transpose => array::transpose::TransposeKernel,
    unary => array::unary::UnaryKernel,
    unit_rows => norm::unit_rows::UnitRowsKernel,
    unit_rows_grad => norm::unit_rows_grad::UnitRowsGradKernel,
    unscale => step::unscale::UnscaleKernel,
    upsample => pool::upsample::UpsampleKernel,
    upsample_grad => pool::upsample_grad::UpsampleGradKernel,
    valid_ones => batch::valid_ones::ValidOnesKernel,
    valid_share => batch::valid_share::ValidShareKernel,
    weight_entropies => entropy::weight_entropies::WeightEntropiesKernel,
}

/// The kernels that compute `op`.
pub fn kernels_for(op: &dyn Op) -> impl Iterator<Item = &'static dyn Kernel> {
    KERNELS.iter().copied().filter(move |kernel| kernel.matches(op))
}

/// The kernel of this stem.
pub fn kernel_named(stem: &str) -> Option<&'static dyn Kernel> {
    KERNELS.iter().copied().find(|kernel| kernel.stem() == stem)
}
