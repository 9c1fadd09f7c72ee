//! A trained network judged: its losses on the test data and on rows set aside, its layers and their weights.

use super::TermSums;
use super::feed::{Feed, Further, Rows};
use super::room;
use super::session::{Session, load};
use super::stepping::bad_term;
use crate::config::RunConfig;
use crate::data::Split;
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::model::graph::{self, terms};
use crate::nn::Pass;
use crate::ops::step::clock;
use crate::tensor::Ty;

impl Session {
    /// Mean of every loss term over the test data.
    ///
    /// # Errors
    /// When the device fails or a term is not finite.
    pub async fn evaluate(&mut self) -> Result<TermSums> {
        judge(self.device.as_mut(), &self.config, ("test", self.evaluate), &self.test).await
    }

    /// Mean of every loss term over the rows set aside for validation; nothing without such rows, or in a session that was
    /// opened to evaluate.
    ///
    /// # Errors
    /// When the device fails or a term is not finite.
    pub async fn validate(&mut self) -> Result<Option<TermSums>> {
        let Some((program, rows)) = &self.validate else { return Ok(None) };
        judge(self.device.as_mut(), &self.config, ("validation", *program), rows).await.map(Some)
    }

    /// Prepares [`validate`](Self::validate) on these rows, if there are any.
    pub(super) fn set_aside(&mut self, rows: &Split) -> Result<()> {
        if rows.rows == 0 {
            return Ok(());
        }
        let holding = room::of_judging(&self.config, rows, self.device.profile());
        let graph =
            graph::evaluation(&self.config, "validation", holding, room::evaluation_batch(&self.config, holding.data))?;
        let program = load(self.device.as_mut(), "validate", &graph, &self.choices)?;
        let rows = Rows::new(rows, Further::default());
        self.validate = Some((program, Feed::new(self.device.as_mut(), program, "validation", rows, holding)?));
        Ok(())
    }

    /// Rows, columns and elements of every layer's weights.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn matrices(&mut self) -> Result<Vec<(usize, usize, Vec<f32>)>> {
        let program = self.evaluate;
        let named = self.network.layer_weights().map(|parameter| (parameter.name.clone(), parameter.ty.clone()));
        let named: Vec<(String, Ty)> = named.collect();
        let mut matrices = Vec::new();
        for (name, ty) in named {
            let (rows, columns) = ty.shape.matrix().unwrap_or((1, ty.elements()));
            matrices.push((rows, columns, self.device.fetch_f32(program, &name).await?));
        }
        Ok(matrices)
    }
}

/// Mean of every loss term over the rows of a split that a program evaluates.
async fn judge(
    device: &mut dyn Device,
    config: &RunConfig,
    (split, program): (&str, ProgramId),
    rows: &Feed,
) -> Result<TermSums> {
    let batch = room::evaluation_batch(config, rows.holding.data);
    let steps = rows.count().div_ceil(batch) as u32;
    let names = terms(config, Pass::Judge);
    let clock = clock::start(rows.count(), batch, false, 0);
    rows.begin(device, program, clock, steps)?.run(device, steps)?;
    let after = device.fetch_u32(program, "clock").await?;
    if after[clock::BAD_STEP] != 0 {
        let term = bad_term(&names, &after);
        return Err(Error::Failed(format!("the {term} of the {split} data is not finite")));
    }
    let ring = device.fetch_f32(program, "ring").await?;
    let mut sums = TermSums::default();
    ring.chunks_exact(1 + names.len()).for_each(|row| sums.add_row(&names, row));
    Ok(sums)
}
