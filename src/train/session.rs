//! A model on a device: its plans loaded, its data in place, ready to step and to be judged.

use std::collections::BTreeMap;

use super::feed::{Feed, Further, Rows};
#[cfg(feature = "native")]
use super::group::Together;
use super::moments::MomentsProgram;
use super::neighbours::distances;
use super::passage::Passage;
use super::room;
use super::room::sizing::load_step;
use crate::config::RunConfig;
use crate::data::{Dataset, ImageShape};
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::graph::{Graph, Role};
use crate::model::forward::network;
use crate::model::graph;
use crate::model::optimiser::average_of;
use crate::model::part::Part;
use crate::model::start::{settings, start_values};
use crate::nn::Network;
use crate::ops::step::clock;
use crate::plan::{Choices, Plan};
use crate::tensor::Ty;

/// A tensor of the training state by name.
pub type State = BTreeMap<String, (Ty, Vec<u8>)>;

/// A model on a device.
pub struct Session {
    pub(crate) device: Box<dyn Device>,
    pub(super) train: Option<ProgramId>,
    pub(super) evaluate: ProgramId,
    /// The evaluation on rows set aside, and how many they are, where there are some.
    pub(super) validate: Option<(ProgramId, Feed)>,
    /// Programs for less common tasks, by what they do, once they were used.
    pub(super) further: BTreeMap<&'static str, ProgramId>,
    /// What takes a batch's moments, once it is known.
    pub(super) moments: Option<MomentsProgram>,
    /// Parameters as they are trained, while their means have their place.
    pub(super) learnt: Option<State>,
    /// The programs of parts of the network for so many rows at a time, once they were used.
    pub(crate) parts: BTreeMap<(Part, usize), ProgramId>,
    /// The rows that are trained on, and how far the training program is in them.
    pub(super) training: Option<(Feed, Passage)>,
    pub(crate) test: Feed,
    /// The processes that train with this one, which leads them.
    #[cfg(feature = "native")]
    pub(super) together: Option<Together>,
    image: ImageShape,
    pub(crate) config: RunConfig,
    pub(crate) choices: Choices,
    /// The network, in a graph of its own: its parameters, in order.
    pub(crate) network: Network,
}

/// Loads a graph by these choices; what this device does not have of them is chosen as if it were not
/// there.
pub(crate) fn load(device: &mut dyn Device, name: &str, graph: &Graph, choices: &Choices) -> Result<ProgramId> {
    let (choices, _) = choices.resolved(graph, device.profile())?;
    device.load(Plan::chosen(name, graph, device.profile(), &choices)?)
}

/// Writes what does not change while a program runs, as far as it asks for it.
pub(crate) fn set(device: &mut dyn Device, program: ProgramId, config: &RunConfig) -> Result<()> {
    for (name, values) in settings(config) {
        if device.plan(program).sources.contains_key(&name) {
            device.write(program, &name, bytemuck::cast_slice(&values))?;
        }
    }
    Ok(())
}

/// Names and types of a program's sources whose role is `kept`.
fn types_of(device: &dyn Device, program: ProgramId, kept: fn(Role) -> bool) -> Vec<(String, Ty)> {
    let sources = device.plan(program).sources.iter().filter(|(_, (role, _))| kept(*role));
    sources.map(|(name, (_, place))| (name.clone(), place.ty.clone())).collect()
}

/// Writes those sources of a program whose role is `kept` as a checkpoint has them.
///
/// # Errors
/// When one is missing or has another shape, or the device fails.
pub(crate) fn restore(
    device: &mut dyn Device,
    program: ProgramId,
    state: &State,
    kept: fn(Role) -> bool,
) -> Result<()> {
    for (name, ty) in types_of(device, program, kept) {
        match state.get(&name) {
            Some((found, bytes)) if *found == ty => device.write(program, &name, bytes)?,
            Some((found, _)) => {
                return Err(Error::Usage(format!("checkpoint: '{name}' is {found}, the configuration says {ty}")));
            }
            None => return Err(Error::Usage(format!("checkpoint: '{name}' is missing"))),
        }
    }
    Ok(())
}

impl Session {
    /// Prepares a device to train and evaluate; parameters and moments are still zero. Where an objective needs to know
    /// how far rows are from one another, `tell` hears of how many of how many that is known.
    ///
    /// # Errors
    /// When the model does not fit the data or the device.
    pub async fn for_training(
        mut device: Box<dyn Device>,
        config: &RunConfig,
        data: &Dataset,
        choices: &Choices,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        if data.train.rows == 0 {
            return Err(Error::Usage(format!("data '{}' has no training rows", data.name)));
        }
        let holding = room::of_training(config, &data.train, device.profile());
        let graph = graph::training(config, holding)?;
        // Before anything is loaded, since what is computed for it takes the whole device.
        let further = match Further::is_wanted(&graph) {
            true => Further::distances(distances(device.as_mut(), config, &data.train, tell).await?),
            false => Further::default(),
        };
        let mut session = Self::for_evaluation(device, config, data, choices)?;
        let program = load_step(session.device.as_mut(), config, &data.train, &graph, choices)?;
        let rows = Rows::new(&data.train, further);
        let feed = Feed::new(session.device.as_mut(), program, "train", rows, holding)?;
        set(session.device.as_mut(), program, config)?;
        session.train = Some(program);
        session.training = Some((feed, Passage::of_all(program)));
        session.set_aside(&data.validation)?;
        Ok(session)
    }

    /// Prepares a device to evaluate and reconstruct; parameters are still zero.
    ///
    /// # Errors
    /// When the model does not fit the data or the device.
    pub fn for_evaluation(
        mut device: Box<dyn Device>,
        config: &RunConfig,
        data: &Dataset,
        choices: &Choices,
    ) -> Result<Self> {
        if data.test.rows == 0 {
            return Err(Error::Usage(format!("data '{}' has no test rows", data.name)));
        }
        let holding = room::of_judging(config, &data.test, device.profile());
        let graph = graph::evaluation(config, "test", holding, room::evaluation_batch(config, holding.data))?;
        let evaluate = load(device.as_mut(), "evaluate", &graph, choices)?;
        let rows = Rows::new(&data.test, Further::default());
        let test = Feed::new(device.as_mut(), evaluate, "test", rows, holding)?;
        let network = network(&mut Graph::new(), config, holding.data.features)?;
        let (config, choices) = (config.clone(), choices.clone());
        Ok(Session {
            device,
            train: None,
            evaluate,
            validate: None,
            further: BTreeMap::new(),
            moments: None,
            learnt: None,
            parts: BTreeMap::new(),
            training: None,
            test,
            #[cfg(feature = "native")]
            together: None,
            image: data.image(),
            config,
            choices,
            network,
        })
    }

    /// The device.
    pub fn device_name(&self) -> &str {
        self.device.name()
    }

    /// The device, without what this session had on it.
    pub fn into_device(mut self) -> Box<dyn Device> {
        self.device.clear();
        self.device
    }

    /// Layout of an image of the data.
    pub fn image(&self) -> ImageShape {
        self.image
    }

    /// The training plan's clock.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn clock(&mut self) -> Result<Vec<u32>> {
        let program = self.trainer()?;
        self.device.fetch_u32(program, "clock").await
    }

    pub(super) fn trainer(&self) -> Result<ProgramId> {
        self.train.ok_or_else(|| Error::Failed("this session was opened to evaluate only".into()))
    }

    /// Writes the initial parameters of the configuration's seed, those of the encoder from `encoder` if it has any,
    /// and starts the clock.
    ///
    /// # Errors
    /// When `encoder` is another network's, or the device fails.
    pub async fn initialise(&mut self, rows: usize, encoder: Option<&State>) -> Result<()> {
        let program = self.trainer()?;
        for (name, bytes) in start_values(&self.config, self.test.holding.data.features, rows)? {
            self.device.write(program, &name, &bytes)?;
        }
        self.go_on().await?;
        let Some(encoder) = encoder else { return Ok(()) };
        for parameter in self.network.encoder_parameters() {
            let name = &parameter.name;
            match encoder.get(name) {
                Some((found, bytes)) if *found == parameter.ty => {
                    self.device.write(program, name, bytes)?;
                    let mean = average_of(name);
                    if self.device.plan(program).sources.contains_key(&mean) {
                        self.device.write(program, &mean, bytes)?;
                    }
                }
                _ => return Err(Error::Usage(format!("--from: the encoder's '{name}' has another shape here"))),
            }
        }
        Ok(())
    }

    /// Names of the network's parameters and buffers, in order.
    pub fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.network.parameters.iter().map(|parameter| parameter.name.as_str())
    }

    /// What a checkpoint holds, which roles decide; of an evaluation session's, the parameters alone, since its clock is
    /// its own.
    fn kept(&self) -> fn(Role) -> bool {
        if self.train.is_some() { Role::is_stored } else { Role::is_parameter }
    }

    /// Reads everything that training needs to go on.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn state(&mut self) -> Result<State> {
        let program = self.trainer()?;
        let types = types_of(self.device.as_ref(), program, self.kept());
        let names: Vec<&str> = types.iter().map(|(name, _)| name.as_str()).collect();
        let bytes = self.device.fetch(program, &names).await?;
        let mut state: State = types.into_iter().zip(bytes).map(|((name, ty), bytes)| (name, (ty, bytes))).collect();
        state.extend(self.learnt.clone().unwrap_or_default());
        // How rows get to a device is no part of the training.
        if let Some(word) =
            state.get_mut("clock").and_then(|(_, words)| words.as_chunks_mut::<4>().0.get_mut(clock::WINDOW))
        {
            *word = [0; 4];
        }
        Ok(state)
    }

    /// Writes what [`state`](Self::state) read; an evaluation session takes the parameters alone.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape, or the device fails.
    pub async fn restore(&mut self, state: &State) -> Result<()> {
        self.learnt = None;
        let program = self.train.unwrap_or(self.evaluate);
        let kept = self.kept();
        restore(self.device.as_mut(), program, state, kept)?;
        if self.train.is_some() { self.go_on().await } else { Ok(()) }
    }

    /// The plan of a training step.
    ///
    /// # Errors
    /// When this session was opened to evaluate only.
    pub fn training_plan(&self) -> Result<&Plan> {
        Ok(self.device.plan(self.trainer()?))
    }

    /// The run's configuration, as far as it was adjusted.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }
}
