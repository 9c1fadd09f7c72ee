//! What a checkpoint must hold. Its hashes say that it is whole, not who made it: before anything uses a tensor, all of them
//! are compared with what the configuration's own training step has, and the clock with what a run can have come to.

use std::collections::BTreeSet;
use std::path::Path;

use super::checkpoint::Checkpoint;
use crate::config::RunConfig;
use crate::data::ValueKind;
use crate::error::{Error, Result};
use crate::graph::{Graph, Source};
use crate::model::graph::{DataShape, training};
use crate::ops::step::clock;
use crate::tensor::Ty;

/// Most rows of a data set, and most steps of a run, that a clock is believed to have counted.
const MOST: u32 = 1 << 31;

/// Most values of a row that a first tensor is believed to take; it may have none, and so be of any width.
const MOST_VALUES: usize = 1 << 24;

/// The tensors that a checkpoint of this training step holds.
fn stored(step: &Graph) -> impl Iterator<Item = &Source> {
    step.sources().map(|(_, source)| source).filter(|source| source.role.is_stored())
}

impl Checkpoint {
    /// The same without what its configuration has no use for, such as the weight of a term that it no longer has.
    ///
    /// # Errors
    /// When a parameter or the clock is missing, a tensor has another type than the configuration says, or the clock tells
    /// of what no run comes to; the message names the tensor. What else is missing only resuming asks for.
    pub(super) fn fitted(mut self) -> Result<Self, String> {
        let words = self.clock_words()?;
        check_clock(&words, &self.config)?;
        let features = self.features().map_err(|error| error.to_string())?;
        if features == 0 || features > MOST_VALUES {
            return Err(format!("its network takes rows of {features} values, expected 1 to {MOST_VALUES}"));
        }
        // How values are stored changes nothing of what is kept.
        let data = DataShape { rows: words[clock::ROWS] as usize, features, kind: ValueKind::Byte };
        let step = training(&self.config, data).map_err(|error| format!("its configuration: {error}"))?;
        let mut known = BTreeSet::new();
        for Source { role, name, ty } in stored(&step) {
            match self.state.get(name) {
                Some((found, _)) if found == ty => {}
                Some((found, _)) => return Err(wrong(name, found, ty)),
                None if role.is_parameter() => return Err(format!("'{name}' is missing")),
                None => {}
            }
            known.insert(name.as_str());
        }
        self.state.retain(|name, _| known.contains(name.as_str()));
        Ok(self)
    }

    /// The same with the state of another one, that of the file `path`, such as that of the best epoch.
    ///
    /// # Errors
    /// When that is of another network.
    pub fn with_state_of(self, other: Checkpoint, path: &Path) -> Result<Self> {
        let both = Checkpoint { state: other.state, sums: other.sums, ..self };
        both.fitted()
            .map_err(|problem| Error::input(path, format!("does not go with the newest checkpoint: {problem}")))
    }

    fn clock_words(&self) -> Result<Vec<u32>, String> {
        match self.state.get("clock") {
            Some((ty, bytes)) if *ty == clock::ty() => Ok(bytemuck::pod_collect_to_vec(bytes)),
            Some((ty, _)) => Err(wrong("clock", ty, &clock::ty())),
            None => Err("'clock' is missing".into()),
        }
    }
}

fn wrong(name: &str, found: &Ty, expected: &Ty) -> String {
    format!("'{name}' is {found}, expected {expected}, as the configuration says")
}

/// Refuses a clock that no run of this configuration comes to: who goes on by it divides by its numbers and counts with them.
fn check_clock(words: &[u32], config: &RunConfig) -> Result<(), String> {
    let word = |at: usize| u64::from(words[at]);
    let refuse = |problem: String| Err(format!("its clock makes no sense: {problem}"));
    let [rows, batch_size, batch] = [clock::ROWS, clock::BATCH_SIZE, clock::BATCH].map(word);
    let [step, epoch, valid] = [clock::STEP, clock::EPOCH, clock::VALID_ROWS].map(word);
    if rows == 0 || rows > u64::from(MOST) {
        return refuse(format!("{rows} training rows, expected 1 to {MOST}"));
    }
    // Of fewer rows than a batch has, the clock may say either.
    let of_config = config.step_rows(rows as usize) as u64;
    if batch_size == 0 || batch_size.min(rows) != of_config {
        return refuse(format!("batches of {batch_size} rows, the configuration says {of_config}"));
    }
    let batches = rows.div_ceil(batch_size);
    if batch >= batches {
        return refuse(format!("{batch} batches of an epoch are done, which has {batches}"));
    }
    let of_batch = batch_size.min(rows - batch * batch_size);
    if valid != of_batch {
        return refuse(format!("{valid} rows in a batch that has {of_batch}"));
    }
    if step != epoch * batches + batch || step > u64::from(MOST) {
        return refuse(format!("{step} steps, {epoch} epochs of {batches} and {batch} steps are done"));
    }
    if word(clock::SHUFFLE) > 1 {
        return refuse(format!("shuffled {} times, expected 0 or 1", word(clock::SHUFFLE)));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::config::MODELS;
    use crate::data::{DataOptions, source};
    use crate::nn::BlockConfig;
    use crate::ops::array::activation::Activation;
    use crate::train::TermSums;
    use crate::train::session::State;

    /// The state of a run of `config` after `steps` steps of its first epoch, nothing learnt.
    pub fn state(config: &RunConfig, data: DataShape, steps: u32) -> State {
        let step = training(config, data).unwrap();
        let mut state: State = stored(&step)
            .map(|source| (source.name.clone(), (source.ty.clone(), vec![0; source.ty.bytes()])))
            .collect();
        let batch_size = config.step_rows(data.rows);
        let mut words = clock::start(data.rows, batch_size, true, config.seed);
        (words[clock::STEP], words[clock::BATCH]) = (steps, steps);
        words[clock::VALID_ROWS] = batch_size.min(data.rows - steps as usize * batch_size) as u32;
        state.insert("clock".into(), (clock::ty(), bytemuck::cast_slice(&words).to_vec()));
        state
    }

    /// A network of 4-2-4 under a budget, and its data.
    pub fn small() -> (RunConfig, DataShape) {
        let mut config = RunConfig::recipe("bottleneck").unwrap();
        config.data = DataOptions::of("one-hot-4");
        config.entropy.layers.clear();
        config.set_layers(&[BlockConfig::linear(2, Activation::Relu), BlockConfig::linear(4, Activation::Sigmoid)], 1);
        (config.settled(), DataShape { rows: 2000, features: 4, kind: ValueKind::Byte })
    }

    fn checkpoint(config: &RunConfig, data: DataShape) -> Checkpoint {
        let state = state(config, data, 3);
        let (config, sums) = (config.clone(), TermSums::default());
        Checkpoint { config, tuning: None, encoding: None, rows: None, state, sums }
    }

    fn saved(checkpoint: &Checkpoint) -> Result<Checkpoint> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        checkpoint.save(&path).unwrap();
        Checkpoint::load(&path)
    }

    #[test]
    fn what_runs_of_every_model_leave_is_read() {
        for model in MODELS.iter().filter(|model| **model != "hopfield") {
            let config = RunConfig::model(model).unwrap().settled();
            let features = source(&config.data.path).unwrap().image.values();
            let made = checkpoint(&config, DataShape { rows: 1000, features, kind: ValueKind::Byte });
            assert_eq!(saved(&made).unwrap(), made, "{model}");
        }
    }

    #[test]
    fn a_tensor_of_another_type_is_refused_by_name() {
        let (config, data) = small();
        let spoilt: [(&str, Ty); 9] = [
            ("autoencoder.1.weight", Ty::f32(&[3, 4])),
            ("autoencoder.3.weight", Ty::f32(&[8])),
            ("autoencoder.3.bias", Ty::f32(&[])),
            ("adam.m.autoencoder.1.weight", Ty::f32(&[])),
            ("adam.v.autoencoder.1.bias", Ty::u32(&[2])),
            ("lambda_entropy", Ty::f32(&[0])),
            ("clock", Ty::u32(&[0])),
            ("clock", Ty::u32(&[1])),
            ("clock", Ty::f32(&[clock::WORDS])),
        ];
        for (name, ty) in spoilt {
            let mut made = checkpoint(&config, data);
            assert!(made.state.contains_key(name), "{name}: {:?}", made.state.keys());
            let said = format!("'{name}' is {ty}");
            made.state.insert(name.into(), (ty.clone(), vec![0; ty.bytes()]));
            let message = saved(&made).unwrap_err().to_string();
            assert!(message.contains(&said) && message.contains("checkpoint.safetensors"), "{said}: {message}");
        }
        for name in ["autoencoder.3.weight", "autoencoder.1.bias", "clock"] {
            let mut made = checkpoint(&config, data);
            made.state.remove(name);
            let message = saved(&made).unwrap_err().to_string();
            assert!(message.contains(&format!("'{name}' is missing")), "{message}");
        }
        let empty = Checkpoint { state: State::new(), ..checkpoint(&config, data) };
        assert!(saved(&empty).is_err());
        for dims in [[2, 0], [0, usize::MAX]] {
            let mut hollow = checkpoint(&config, data);
            hollow.state.insert("autoencoder.1.weight".into(), (Ty::f32(&dims), Vec::new()));
            let message = saved(&hollow).unwrap_err().to_string();
            assert!(message.contains(&format!("rows of {} values", dims[1])), "{message}");
        }
    }

    #[test]
    fn a_clock_that_no_run_comes_to_is_refused() {
        type Spoil = fn(&mut [u32]);
        let (config, data) = small();
        let of = |change: Spoil| {
            let mut made = checkpoint(&config, data);
            let bytes = &mut made.state.get_mut("clock").unwrap().1;
            let mut words: Vec<u32> = bytemuck::pod_collect_to_vec(bytes);
            change(&mut words);
            *bytes = bytemuck::cast_slice(&words).to_vec();
            saved(&made).map(|read| read.step()).map_err(|error| error.to_string())
        };
        let spoilt: [(Spoil, &str); 10] = [
            (|words| words.fill(0), "0 training rows"),
            (|words| words.fill(u32::MAX), "4294967295 training rows"),
            (|words| words[clock::BATCH_SIZE] = 0, "batches of 0 rows"),
            (|words| words[clock::BATCH_SIZE] = 127, "batches of 127 rows"),
            (|words| words[clock::BATCH] = 16, "16 batches"),
            (|words| words[clock::BATCH] = 4, "3 steps"),
            (|words| words[clock::VALID_ROWS] = 129, "129 rows"),
            (|words| words[clock::STEP] = u32::MAX, "4294967295 steps"),
            (|words| words[clock::EPOCH] = u32::MAX, "4294967295 epochs"),
            (|words| words[clock::SHUFFLE] = 2, "shuffled 2 times"),
        ];
        for (change, named) in spoilt {
            let message = of(change).unwrap_err();
            assert!(message.contains(named) && message.contains("checkpoint.safetensors"), "{named}: {message}");
        }
        // Where the last epoch ended, and at its last, shorter batch.
        let later = |words: &mut [u32]| (words[clock::EPOCH], words[clock::STEP]) = (2, 2 * 16 + 3);
        assert_eq!(of(later), Ok(35));
        let last = |words: &mut [u32]| {
            (words[clock::BATCH], words[clock::STEP], words[clock::VALID_ROWS]) = (15, 15, 2000 - 15 * 128);
        };
        assert_eq!(of(last), Ok(15));
    }

    #[test]
    fn what_a_configuration_has_no_use_for_is_left_out() {
        let (config, data) = small();
        let made = checkpoint(&config, data);
        let mut more = made.clone();
        more.state.insert("sgd.u.autoencoder.1.weight".into(), (Ty::f32(&[]), vec![0; 4]));
        assert_eq!(saved(&more).unwrap(), made);
        let mut evaluated = made.clone();
        evaluated.state.retain(|name, _| !name.starts_with("adam."));
        assert_eq!(saved(&evaluated).unwrap(), evaluated, "moments are missed only by who goes on");
    }

    #[test]
    fn the_best_epoch_must_be_of_the_same_network() {
        let (config, data) = small();
        let newest = checkpoint(&config, data);
        let mut wider = config.clone();
        wider.set("--set", "width", "3").unwrap();
        let path = Path::new("checkpoint.best.safetensors");
        let message = newest.clone().with_state_of(checkpoint(&wider, data), path).unwrap_err().to_string();
        assert!(message.contains("checkpoint.best.safetensors: does not go with"), "{message}");
        let best = Checkpoint { state: state(&config, data, 2), ..newest.clone() };
        assert_eq!(newest.with_state_of(best.clone(), path).unwrap().state, best.state);
    }
}
