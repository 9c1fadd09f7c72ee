//! The running mean of the weights in their place: what is judged, shown and handed on is the mean, where there is one; what is
//! trained is not.

use super::record::checkpoint::Checkpoint;
use super::session::{Session, State};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::model::optimiser::average_of;
use crate::nn::Parameter;
use crate::nn::builder::transposed;

/// Puts the means where the parameters are, and those that are tied in line with them; the means are gone.
fn put_means(state: &mut State, parameters: &[Parameter]) -> Result<()> {
    let missing = |name: &str| Error::Failed(format!("checkpoint: '{name}' is missing"));
    for Parameter { name, .. } in parameters.iter().filter(|parameter| parameter.trained) {
        let mean = average_of(name);
        let mean = state.remove(&mean).ok_or_else(|| missing(&mean))?;
        state.insert(name.clone(), mean);
    }
    for Parameter { name, ty, tied, .. } in parameters {
        let Some(owner) = tied else { continue };
        let (_, own) = state.get(owner).ok_or_else(|| missing(owner))?;
        // As many rows as what it is the transpose of has columns.
        let columns = ty.shape.dims().first().copied().unwrap_or(1);
        let values = transposed(&bytemuck::pod_collect_to_vec::<u8, f32>(own), columns);
        state.insert(name.clone(), (ty.clone(), bytemuck::cast_slice(&values).to_vec()));
    }
    Ok(())
}

impl Checkpoint {
    /// The same for whoever uses the network and does not train it: its parameters are the means of a run that has them, and it
    /// has no means.
    ///
    /// # Errors
    /// When one is missing.
    pub fn judged(mut self) -> Result<Self> {
        if self.config.optimiser.average.take().is_some() {
            let network = network(&mut Graph::new(), &self.config, self.features()?)?;
            put_means(&mut self.state, &network.parameters)?;
        }
        Ok(self)
    }
}

impl Session {
    /// Has the means of the weights take their place, if there are any, until [`learn_on`](Self::learn_on).
    ///
    /// # Errors
    /// When the device fails.
    pub async fn show_means(&mut self) -> Result<()> {
        let Some(program) = self.train.filter(|_| self.learnt.is_none() && self.config.optimiser.average.is_some())
        else {
            return Ok(());
        };
        let moved = |parameter: &&Parameter| parameter.trained || parameter.tied.is_some();
        let moved: Vec<&Parameter> = self.network.parameters.iter().filter(moved).collect();
        let means = moved.iter().filter(|parameter| parameter.trained).map(|parameter| average_of(&parameter.name));
        let own = moved.iter().map(|parameter| parameter.name.clone());
        let names: Vec<String> = own.chain(means).collect();
        let bytes = self.device.fetch(program, &names.iter().map(String::as_str).collect::<Vec<&str>>()).await?;
        let types = |name: &str| self.device.plan(program).sources[name].1.ty.clone();
        let read: State = names.iter().zip(bytes).map(|(name, bytes)| (name.clone(), (types(name), bytes))).collect();
        let mut shown = read.clone();
        put_means(&mut shown, &self.network.parameters)?;
        for (name, (_, bytes)) in &shown {
            self.device.write(program, name, bytes)?;
        }
        self.learnt = Some(read.into_iter().filter(|(name, _)| shown.contains_key(name)).collect());
        Ok(())
    }

    /// Puts the weights back that the means had taken the place of.
    ///
    /// # Errors
    /// When the device fails.
    pub fn learn_on(&mut self) -> Result<()> {
        let program = self.trainer()?;
        for (name, (_, bytes)) in self.learnt.take().into_iter().flatten() {
            self.device.write(program, &name, &bytes)?;
        }
        Ok(())
    }

    /// The state as [`Checkpoint::judged`] has it.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn judged_state(&mut self) -> Result<State> {
        let mut state = self.state().await?;
        if self.config.optimiser.average.is_some() {
            put_means(&mut state, &self.network.parameters)?;
        }
        Ok(state)
    }
}
