//! How far each row of a data set is from its neighbours: the scale of perturbations that leave it what it is.
//!
//! IMSAT (Hu et al., 2017) perturbs a row by a share of the distance to its tenth nearest neighbour, since classes
//! lie unequally close: for MNIST 2.4 on average among ones, 6.2 among twos. Distances come from one product of
//! matrices, ‖x − r‖² = ‖x‖² + ‖r‖² − 2 x·r, on the device. In a large data set they are estimated from a random
//! part of the rows: what is nearest among a tenth of them is as far, in expectation of its rank, as the tenth
//! nearest among all.

use super::feed::{Feed, Further, Rows};
use super::room;
use crate::config::RunConfig;
use crate::data::Split;
use crate::device::Device;
use crate::error::Result;
use crate::graph::{Graph, Role};
use crate::model::graph::DataShape;
use crate::model::holding::Holding;
use crate::ops::array::sum_all::SumAll;
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::matmul::MatMul;
use crate::ops::step::clock;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::plan::Plan;
use crate::rng::{Rng, Stream, stream_key};
use crate::tensor::Ty;

/// Which neighbour counts.
const RANK: usize = 10;

/// Most rows that are compared with all others.
const REFERENCES: usize = 8192;

/// Most bytes of those rows.
const REFERENCE_BYTES: usize = 64 << 20;

/// Rows of one product.
const BATCH: usize = 500;

/// What the rows are called.
const SPLIT: &str = "train";

/// How many rows of `rows` are compared with all others, at most `most`, and which of them, by distance, stands for the tenth.
fn sample(rows: usize, most: usize) -> (usize, usize) {
    if rows <= most {
        return (rows, RANK.min(rows.saturating_sub(1)).max(1));
    }
    let rank = (RANK * most / rows).clamp(1, RANK);
    ((rows * rank / RANK).min(most), rank)
}

/// Products of a batch of rows with all references, x · Rᵀ \[batch, references\].
fn products(holding: Holding, references: usize, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let data = holding.data;
    let clock = g.source(Role::State, "clock", clock::ty());
    let sources = holding.sources(g, SPLIT);
    let others = g.source(Role::State, "references", Ty::f32(&[references, data.features]));
    let ring = g.source(Role::State, "ring", Ty::f32(&[data.rows.div_ceil(batch), 2]));
    let rows = g.apply(BatchRows(batch), &[clock])?;
    let x = holding.gather(g, &sources, rows)?;
    let products = g.apply(MatMul::Nt, &[x, others])?;
    g.result("products", products);
    let total = g.apply(SumAll, &[x])?;
    g.push(std::sync::Arc::new(ClockAdvance { beta1: 0.0, beta2: 0.0 }), &[clock, ring, total])?;
    Ok(std::mem::take(g))
}

/// Distance of every row to its tenth nearest neighbour, in values as the network sees them; forgets what the device held. `tell` hears
/// how many rows of how many are done.
///
/// # Errors
/// When the split has no rows, or the device fails.
pub async fn distances(
    device: &mut dyn Device,
    config: &RunConfig,
    split: &Split,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Vec<f32>> {
    let data = DataShape::of(split);
    let batch = room::batch_of(BATCH, config, data);
    let holding = room::of_passing(config, split, device.profile(), batch);
    let (count, rank) = sample(data.rows, REFERENCES.min(REFERENCE_BYTES / (4 * data.features.max(1))).max(1));
    let mut chosen: Vec<usize> = (0..data.rows).collect();
    let mut rng = Rng::new(stream_key(config.seed, Stream::Data));
    for i in 0..count {
        chosen.swap(i, i + rng.below((data.rows - i) as u32) as usize);
    }
    chosen.truncate(count);
    let row = |row: usize| split.values(row..row + 1).into_iter();
    let square = |number: usize| row(number).map(|x| f64::from(x).powi(2)).sum::<f64>();
    let references: Vec<f32> = chosen.iter().flat_map(|&number| row(number)).collect();
    let squares: Vec<f64> = chosen.iter().map(|&number| square(number)).collect();

    let plan = Plan::new("neighbours", &products(holding, count, batch)?, device.profile())?;
    let program = device.load(plan)?;
    let feed = Feed::new(device, program, SPLIT, Rows::new(split, Further::default()), holding)?;
    device.write(program, "references", bytemuck::cast_slice(&references))?;
    let clock = clock::start(data.rows, batch, false, 0);
    let mut passage = feed.begin(device, program, clock, data.rows.div_ceil(batch) as u32)?;
    let mut distances = Vec::with_capacity(data.rows);
    let mut nearest = Vec::with_capacity(count);
    while distances.len() < data.rows {
        passage.run(device, 1)?;
        let products = device.fetch_f32(program, "products").await?;
        let valid = batch.min(data.rows - distances.len());
        for products in products.chunks_exact(count).take(valid) {
            let number = distances.len();
            let own = square(number);
            nearest.clear();
            let others = products.iter().zip(&squares).zip(&chosen).filter(|(_, chosen)| **chosen != number);
            nearest.extend(others.map(|((&product, square), _)| (own + square - 2.0 * f64::from(product)).max(0.0)));
            let square = if nearest.is_empty() {
                0.0
            } else {
                let rank = rank.min(nearest.len()) - 1;
                *nearest.select_nth_unstable_by(rank, f64::total_cmp).1
            };
            distances.push(square.sqrt() as f32);
        }
        tell(distances.len(), data.rows);
    }
    device.clear();
    Ok(distances)
}
