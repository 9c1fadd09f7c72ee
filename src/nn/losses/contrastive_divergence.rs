//! Contrastive divergence: data made likelier than what a restricted Boltzmann machine makes of it.
//!
//! mean F(v₀) − mean F(v_k) over the valid rows, v₀ data and v_k the state after k Gibbs steps from there, taken as a
//! constant. Since dF/dW = −p(h | v) vᵀ, its gradient is the update of CD-k with hidden probabilities in both
//! statistics, times −1. Source: Hinton (2002); see [`Boltzmann`].

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::boltzmann::Boltzmann;
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_all::SumAll;
use crate::ops::batch::valid_share::ValidShare;

/// The difference of free energies in nats, a scalar, for rows v₀ and v_k \[rows, visible\] and a clock that says how
/// many rows count. It is no measure of progress: it is near 0 at the start and at the end.
///
/// # Errors
/// When the shapes differ.
pub fn contrastive_divergence(
    g: &mut Graph,
    machine: &Boltzmann,
    data: Var,
    chain_end: Var,
    clock: Var,
) -> Result<Var> {
    let (positive, negative) = (machine.free_energy(g, data)?, machine.free_energy(g, chain_end)?);
    let difference = g.apply(Binary::Sub, &[positive, negative])?;
    let share = g.apply(ValidShare { rows_per_sample: 1 }, &[difference, clock])?;
    g.apply(SumAll, &[share])
}
