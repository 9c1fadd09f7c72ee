//! What has no gradient, or not all of it, each with the reason why that is right.

use gpu_ae::graph::OpRef;

/// Operations that nothing is differentiated through, and why that is right.
pub const REFUSED: &[(&str, &str)] = &[
    ("activeness_grad", "piecewise constant in the weights; a second derivative has no use"),
    ("activeness_grad_add", "made by a fusion of a plan, after differentiation"),
    ("adam_step", "an update of parameters, not part of a loss"),
    ("augment_apply", "its inputs are data and draws"),
    ("augment_blur", "its inputs are data and draws"),
    ("augment_colour", "its inputs are data and draws"),
    ("augment_draw", "its input is drawn"),
    ("batch_gather", "its inputs are data and row numbers"),
    ("batch_gather_shards", "its inputs are data and row numbers"),
    ("batch_labels", "words, not numbers"),
    ("batch_norm_grad", "no loss asks for its second derivative"),
    ("batch_rows", "its input is the clock"),
    ("ceiling_copy", "measures a device, no part of any model"),
    ("ceiling_fma", "measures a device, no part of any model"),
    ("clip_norm", "an update of gradients, not part of a loss"),
    ("unscale", "an update of gradients, not part of a loss"),
    ("clock_advance", "an update of the clock"),
    ("clock_ahead", "words of the clock, not numbers"),
    ("conv2d_dw_bias", "made by a fusion of a plan, after differentiation"),
    ("clock_part", "its input is the clock"),
    ("clock_views", "its input is the clock"),
    ("conv2d_dx_slope", "made by a fusion of a plan, after differentiation"),
    ("cumulative_grad", "no loss asks for its second derivative"),
    ("conv2d_layer", "made by a fusion of a plan, after differentiation"),
    ("conv_transpose2d_layer", "made by a fusion of a plan, after differentiation"),
    ("gathered", "made by a fusion of a plan, after differentiation"),
    ("gaussian_kl_grad", "no loss asks for its second derivative"),
    ("gaussian_bits_grad", "no loss asks for its second derivative"),
    ("group_norm_grad", "no loss asks for its second derivative"),
    ("interval_bits_grad", "no loss asks for its second derivative"),
    ("average_step", "an update of means, not part of a loss"),
    ("lars_step", "an update of parameters, not part of a loss"),
    ("learning_rate_step", "its input is the clock"),
    ("linear", "made by a fusion of a plan, after differentiation"),
    ("linear_chain", "made by a fusion of a plan, after differentiation"),
    ("linear_chain_grad", "made by a fusion of a plan, after differentiation"),
    ("linear_input_grad", "made by a fusion of a plan, after differentiation"),
    ("linear_weight_grad", "made by a fusion of a plan, after differentiation"),
    ("linear_weight_grads", "made by a fusion of a plan, after differentiation"),
    ("mmd_grad", "no loss asks for its second derivative"),
    ("moments_grad", "no loss asks for its second derivative"),
    ("multiplier_step", "an update of a weight, not part of a loss"),
    ("network_pass", "made by a fusion of a plan, after differentiation"),
    ("network_update", "made by a fusion of a plan, after differentiation"),
    ("nt_xent_grad", "no loss asks for its second derivative"),
    ("path_entropy_grad", "no loss asks for its second derivative"),
    ("path_entropy_pair", "made by a fusion of a plan, after differentiation"),
    ("random_bits", "words, not numbers"),
    ("random_normal", "its input is the clock"),
    ("random_uniform", "its input is the clock"),
    ("reconstruction_loss_grad", "no loss asks for its second derivative"),
    ("reconstruction_loss_pair", "made by a fusion of a plan, after differentiation"),
    ("renyi_entropy_grad", "no loss asks for its second derivative"),
    ("renyi_entropy_pair", "made by a fusion of a plan, after differentiation"),
    ("repeat_rows", "its inputs are data"),
    ("sgd_step", "an update of parameters, not part of a loss"),
    ("slice_rows", "what gradients are cut into; no loss goes through it"),
    ("softmax_cross_entropy_grad", "no loss asks for its second derivative"),
    ("softmax_divergence_grad", "no loss asks for its second derivative"),
    ("softmax_entropy_grad", "no loss asks for its second derivative"),
    ("sparsity_grad", "no loss asks for its second derivative"),
    ("transpose_into", "an update of a parameter, not part of a loss"),
    ("unit_rows_grad", "no loss asks for its second derivative"),
    ("valid_ones", "its input is the clock"),
    ("weight_entropies", "made by a fusion of a plan, after differentiation"),
];

/// Operations whose rule is not what differences say, and why that is right; each is proved beside its own rule.
pub const STOPS: &[(&str, &str)] = &[
    ("scale_gradient", "what is behind it learns at another pace"),
    ("ste_round", "a step function teaches nothing, so its gradient is that of the identity"),
    ("stop_gradient", "what is behind it counts as given"),
];

pub fn is_refused(name: &str) -> bool {
    REFUSED.iter().any(|(refused, _)| *refused == name)
}

/// Inputs that get no gradient though the output depends on them, and why that is right.
pub const CONSTANT: &[(&str, usize, &str)] = &[
    ("corrupt", 1, "draws decide, they are not changed"),
    ("hopfield_sweep", 0, "a decision is flat wherever it is smooth"),
    ("hopfield_sweep", 1, "a decision is flat wherever it is smooth"),
    ("hopfield_sweep", 2, "a decision is flat wherever it is smooth"),
    ("mmd", 1, "draws are what codes are compared with"),
    ("normalise_rows", 0, "a direction is a constant of what it is used in"),
    ("normalise_rows", 1, "the lengths are data"),
    ("reconstruction_loss", 1, "the target is data"),
    ("softmax_divergence", 0, "what is compared with is a constant"),
    ("threshold", 0, "a decision is flat wherever it is smooth"),
    ("threshold", 1, "a decision is flat wherever it is smooth"),
];

/// Outputs that carry gradients, for operations where not all do: (operation, outputs, reason).
pub const CARRIERS: &[(&str, &[usize], &str)] = &[
    ("batch_norm", &[0], "the moments are for the gradient and for use after training"),
    ("bures", &[0], "the derivative is for the gradient, eigenvalues are for people to see"),
    ("gaussian_kl", &[0], "the divergences of dimensions are for people to see"),
    ("group_norm", &[0], "the moments are for the gradient"),
    ("max_pool", &[0], "the winners are for the gradient and for people to see"),
    ("nt_xent", &[0], "sums are for the gradient, misses are for people to see"),
    ("path_entropy", &[0], "weight, marginals and entropies of levels are for people to see"),
    ("softmax_cross_entropy", &[0], "error rate and mean square are for people to see"),
    ("softmax_entropy", &[0], "the row statistics exist for the gradient alone"),
    ("sparsity", &[0], "the rates are for the gradient and for people to see"),
    ("unit_rows", &[0], "the lengths are for the gradient"),
];

/// Cases of operations with a rule that refuse all the same: (operation, how its attributes begin, reason).
pub const REFUSED_CASES: &[(&str, &str, &str)] =
    &[("path_entropy", "alpha=inf", "the value is that of the one heaviest path; no loss minimises it")];

pub fn is_refused_case(op: &OpRef) -> bool {
    let attributes = op.attributes();
    REFUSED_CASES.iter().any(|(name, begin, _)| op.name() == *name && attributes.starts_with(begin))
}
