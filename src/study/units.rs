//! Parameters with some units held at their means, and without them.
//!
//! A unit that is always the same adds the same to whatever reads it, which its biases can hold. Of a convolution with padding that is
//! true within the image alone, since padding is 0 and not the mean; and what a transposed convolution adds differs from pixel to
//! pixel. There the biases get the mean over all pixels of what the unit would add, the constant nearest to it. What reads
//! the unit has a batch norm in the place of biases, if any: then the norm's mean moves.

use std::collections::{BTreeMap, BTreeSet};

use super::tensors::{add, cut, floats, put};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::nn::wired::{Weights, Wired, narrow};
use crate::nn::wiring::wiring;
use crate::tensor::Shape;
use crate::train::session::{Session, State};

/// A hidden unit, a neuron or a channel: number of its layer, from 1, and its number in it, from 0.
pub type Unit = (usize, usize);

/// The parts of a norm that have a number for each of its columns.
const OF_NORM: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// The layers of a network, with mean and variance of every number that each of them reads.
pub struct Units<'a> {
    /// The layers.
    pub layers: &'a [Wired],
    /// Of each layer the means and the variances of what it reads.
    pub read: &'a [[Vec<f64>; 2]],
}

/// Those of a layer, by its number from 1.
fn of(units: &[Unit], number: usize) -> BTreeSet<usize> {
    units.iter().filter(|(layer, _)| *layer == number).map(|(_, unit)| *unit).collect()
}

impl Units<'_> {
    /// All units that could go.
    pub fn all(&self) -> Vec<Unit> {
        let units = |(index, layer): (usize, &Wired)| {
            let units = layer.reading().map_or(0, |reading| reading.units);
            (0..units).map(move |unit| (index + 1, unit)).collect::<Vec<_>>()
        };
        self.layers.iter().enumerate().flat_map(units).collect()
    }

    /// Of every unit that could go whether nothing changes without it: nothing reads it, or it is always the same and what
    /// reads it can take that.
    ///
    /// # Errors
    /// When the state lacks something.
    pub fn silent(&self, state: &State) -> Result<BTreeSet<Unit>> {
        let mut silent = BTreeSet::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let Some(reading) = layer.reading() else { continue };
            let (reader, [means, variances]) = (&self.layers[reading.by], &self.read[reading.by]);
            let is_taken = reader.has_bias || reader.norm.is_some();
            let is_exact = is_taken && reader.shares()?.iter().all(|&share| share >= 1.0);
            let (ty, w) = floats(state, &format!("{}.weight", reader.name))?;
            let columns = ty.shape.matrix().map_or(1, |(_, columns)| columns);
            let [mut is_read, mut moves] = [vec![false; reading.units], vec![false; reading.units]];
            for (at, _) in w.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                is_read[reader.joins(at / columns, at % columns)[1] % reading.units] = true;
            }
            for (at, (mean, variance)) in means.iter().zip(variances).enumerate() {
                moves[at % reading.units] |= *variance > 0.0 || (*mean != 0.0 && !is_exact);
            }
            let units = (0..reading.units).filter(|&unit| !is_read[unit] || !moves[unit]);
            silent.extend(units.map(|unit| (index + 1, unit)));
        }
        Ok(silent)
    }

    /// The parameters with these units held at their means: nothing reads them any more, and what they would add is in
    /// the biases of what did.
    ///
    /// # Errors
    /// When the state lacks something.
    pub fn held(&self, state: &State, units: &[Unit]) -> Result<State> {
        let mut changed = state.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            let held = of(units, index + 1);
            let Some(reading) = layer.reading().filter(|_| !held.is_empty()) else { continue };
            let (reader, [means, _]) = (&self.layers[reading.by], &self.read[reading.by]);
            let (weight, shares) = (format!("{}.weight", reader.name), reader.shares()?);
            let (ty, mut w) = floats(&changed, &weight)?;
            let dims = ty.shape.dims().to_vec();
            let columns = ty.shape.matrix().map_or(1, |(_, columns)| columns);
            let mut added = vec![0.0; reader.outputs];
            for (at, w) in w.iter_mut().enumerate() {
                let [written, read, pixel] = reader.joins(at / columns, at % columns);
                if held.contains(&(read % reading.units)) {
                    added[written] += f64::from(*w) * shares[pixel] * means[read];
                    *w = 0.0;
                }
            }
            put(&mut changed, weight, &dims, &w);
            match (&reader.norm, reader.has_bias) {
                (_, true) => add(&mut changed, format!("{}.bias", reader.name), added.into_iter())?,
                // What is taken off by the norm is what is no longer added before it.
                (Some(norm), false) => {
                    add(&mut changed, format!("{norm}.running_mean"), added.into_iter().map(|added| -added))?;
                }
                // Nothing can hold a mean, so the unit is held at 0.
                (None, false) => {}
            }
        }
        Ok(changed)
    }

    /// The smaller network: held units cut out of parameters, of what an optimiser keeps of them, of norms and of the
    /// configuration.
    ///
    /// # Errors
    /// When the state lacks something.
    pub fn without(&self, config: &RunConfig, state: &State, units: &[Unit]) -> Result<(RunConfig, State)> {
        let (mut config, mut state) = (config.clone(), self.held(state, units)?);
        let mut removed = BTreeMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let own = of(units, index + 1);
            let own_units = layer.reading().map_or(1, |reading| reading.units);
            let read = self.layers.iter().enumerate().find_map(|(before, layer)| {
                let reading = layer.reading().filter(|reading| reading.by == index)?;
                Some((of(units, before + 1), reading.units))
            });
            let (read, read_units) = read.unwrap_or_default();
            let is_own = |at: usize| own.contains(&(at % own_units));
            let is_read = |at: usize| !read.is_empty() && read.contains(&(at % read_units));
            let weight = format!("{}.weight", layer.name);
            match layer.weights {
                Weights::Transposed(_) => cut(&mut state, &weight, is_read, |column| is_own(column % layer.outputs))?,
                _ => cut(&mut state, &weight, is_own, |column| is_read(column % layer.inputs))?,
            }
            let Some(reading) = layer.reading().filter(|_| !own.is_empty()) else { continue };
            if layer.has_bias {
                cut(&mut state, &format!("{}.bias", layer.name), is_own, |_| false)?;
            }
            for (norm, part) in reading.norms.iter().flat_map(|norm| OF_NORM.map(|part| (norm, part))) {
                cut(&mut state, &format!("{norm}.{part}"), is_own, |_| false)?;
            }
            removed.insert(layer.key.clone(), own.len() * (layer.outputs / own_units));
            removed.extend(reading.images.iter().map(|key| (key.clone(), own.len())));
        }
        narrow(&mut config.encoder, "encoder", &removed);
        narrow(&mut config.decoder, "decoder", &removed);
        Ok((config, state))
    }
}

impl Session {
    /// Holds these units at their means, in place of those that were held before; of none, gives the network back what it
    /// learnt. `learnt` is that state, as a training session's [`state`](Session::state) is.
    ///
    /// # Errors
    /// When a unit cannot go, or the device fails.
    pub async fn hold(&mut self, learnt: &State, units: &[Unit]) -> Result<()> {
        self.restore(learnt).await?;
        if units.is_empty() {
            return Ok(());
        }
        let layers = wiring(&self.config.network_spec(), &Shape::new(&[self.test.holding.data.features]))?;
        let read = self.observe_readings(&layers).await?;
        let of_network = Units { layers: &layers, read: &read };
        let all = of_network.all();
        if let Some((layer, unit)) = units.iter().find(|unit| !all.contains(unit)) {
            return Err(Error::Usage(format!("unit {unit} of layer {layer} cannot be taken away")));
        }
        self.restore(&of_network.held(learnt, units)?).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::graph::{Feeds, Graph, Role, interpret};
    use crate::model::forward::network;
    use crate::nn::builder::initial_values;
    use crate::rng::Rng;
    use crate::tensor::{HostTensor, Ty};

    /// A configuration of these blocks, and the state that its network begins with; moments of norms are random.
    fn begun(encoder: &str, decoder: &str, features: usize) -> (RunConfig, State) {
        let blocks = |text: &str| toml::from_str::<toml::Table>(&format!("b = [{text}]")).unwrap()["b"].clone();
        let (encoder, decoder) = (blocks(encoder).try_into().unwrap(), blocks(decoder).try_into().unwrap());
        let config = RunConfig { encoder, decoder, ..RunConfig::default() };
        let parameters = network(&mut Graph::new(), &config, features).unwrap().parameters;
        let (values, mut rng) = (initial_values(&parameters, 3), Rng::new([5, 7]));
        let mut state = State::new();
        for (parameter, (name, mut value)) in parameters.iter().zip(values) {
            if parameter.is_buffer {
                value.iter_mut().for_each(|value| *value = rng.range(0.5, 1.5));
            }
            put(&mut state, name, parameter.ty.shape.dims(), &value);
        }
        (config, state)
    }

    fn layers(config: &RunConfig, features: usize) -> Vec<Wired> {
        wiring(&config.network_spec(), &Shape::new(&[features])).unwrap()
    }

    /// What a network answers to three rows, at f64.
    fn answers(config: &RunConfig, state: &State, features: usize) -> Vec<f64> {
        let g = &mut Graph::new();
        let network = network(g, config, features).unwrap();
        let mut rng = Rng::new([1, 2]);
        let rows: Vec<f32> = (0..3 * features).map(|_| rng.range(0.0, 1.0)).collect();
        let x = g.source(Role::Data, "x", Ty::f32(&[3, features]));
        let code = network.encode(g, x).unwrap();
        let answer = network.decode(g, code).unwrap();
        let tensor = |(name, (ty, bytes)): (&String, &(Ty, Vec<u8>))| {
            (name.clone(), HostTensor::<f64>::from_device_bytes(ty, bytes))
        };
        let mut feeds: Feeds<f64> = state.iter().map(tensor).collect();
        feeds.insert("x".into(), HostTensor::from_f32(&[3, features], &rows));
        interpret(g, &mut feeds).unwrap().get(answer).real().to_vec()
    }

    fn furthest(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    fn edit(state: &mut State, name: &str, change: impl FnOnce(&mut [f32])) {
        let (ty, mut values) = floats(state, name).unwrap();
        let dims = ty.shape.dims().to_vec();
        change(&mut values);
        put(state, name.into(), &dims, &values);
    }

    /// Moments of what each layer reads: these means, and no constants.
    fn moving(layers: &[Wired], mean: impl Fn(usize) -> f64) -> Vec<[Vec<f64>; 2]> {
        layers.iter().map(|layer| [(0..layer.inputs).map(&mean).collect(), vec![1.0; layer.inputs]]).collect()
    }

    #[test]
    fn the_smaller_network_is_the_one_whose_units_are_held() {
        let inner = "{ conv = 3, kernel = 3, padding = 1, bias = false }, { norm = 'batch' }, { activation = 'relu' }, \
                     { conv = 4, kernel = 3, padding = 1, bias = false }, { norm = 'batch' }";
        let encoder = format!(
            "{{ unflatten = '8x8x1' }}, {{ conv = 6, kernel = 3, padding = 1, bias = false }}, {{ norm = 'batch' }}, \
             {{ activation = 'tanh' }}, {{ pool = 'max', kernel = 2 }}, {{ conv = 4, kernel = 3, padding = 1 }}, \
             {{ residual = [{inner}] }}, {{ conv = 5, kernel = 2, activation = 'softplus' }}, {{ flatten = true }}, \
             {{ linear = 3, bias = false }}, {{ activation = 'tanh' }}"
        );
        let decoder = "{ linear = 20, bias = false }, { norm = 'batch' }, { activation = 'sigmoid' }, \
                       { unflatten = '2x2x5' }, { upsample = 2 }, \
                       { conv_transpose = 4, kernel = 4, stride = 2, padding = 1, activation = 'tanh' }, \
                       { conv_transpose = 1, kernel = 1 }, { flatten = true }";
        let (config, mut state) = begun(&encoder, decoder, 64);
        for name in ["autoencoder.1.weight", "autoencoder.3.bias"] {
            state.insert(format!("adam.m.{name}"), state[name].clone());
        }
        let layers = layers(&config, 64);
        let read = moving(&layers, |at| 0.1 * at as f64 - 0.4);
        let units = Units { layers: &layers, read: &read };
        // All of the layers but the ones whose units are added up.
        let numbers: BTreeSet<usize> = units.all().iter().map(|(number, _)| *number).collect();
        assert_eq!(Vec::from_iter(numbers), [1, 3, 5, 6, 7, 8]);
        let removed = [(1, 0), (1, 4), (3, 1), (5, 4), (5, 0), (6, 2), (7, 1), (7, 3), (8, 0)];
        let held = units.held(&state, &removed).unwrap();
        let before = answers(&config, &state, 64);
        let (smaller, left) = units.without(&config, &state, &removed).unwrap();
        let [one, other] = [answers(&config, &held, 64), answers(&smaller, &left, 64)];
        assert!(furthest(&one, &other) < 1e-12, "they differ by {}", furthest(&one, &other));
        assert!(furthest(&one, &before) > 1e-3, "nothing was held");
        let dims = |name: &str| left[name].0.shape.dims().to_vec();
        assert_eq!(dims("adam.m.autoencoder.1.weight"), [4, 9]);
        assert_eq!(dims("adam.m.autoencoder.3.bias"), [4]);
        let shapes = smaller.shapes(&Shape::new(&[64])).unwrap();
        let image = |key: &str| shapes.iter().find(|(found, ..)| found == key).unwrap().2.dims().to_vec();
        assert_eq!(image("decoder.4"), [2, 2, 3]);
    }

    #[test]
    fn what_is_always_the_same_goes_without_a_trace_where_there_is_no_padding() {
        for (padding, bias) in [(0, true), (0, false), (1, true)] {
            let norm = if bias { "" } else { "{ norm = 'batch' }," };
            let encoder = format!(
                "{{ unflatten = '5x5x1' }}, {{ conv = 3, kernel = 3, activation = 'relu' }}, \
                 {{ conv = 2, kernel = 2, padding = {padding}, bias = {bias} }}, {norm} {{ flatten = true }}"
            );
            let (config, mut state) = begun(&encoder, "{ linear = 25 }", 25);
            // Channel 1 is 0.75 everywhere, channel 2 is 0.
            edit(&mut state, "autoencoder.1.weight", |w| w[9..].fill(0.0));
            edit(&mut state, "autoencoder.1.bias", |b| b[1..].copy_from_slice(&[0.75, 0.0]));
            let layers = layers(&config, 25);
            let mut read = moving(&layers, |at| [0.2, 0.75, 0.0][at % 3]);
            read[1][1] = vec![1.0, 0.0, 0.0];
            let units = Units { layers: &layers, read: &read };
            let silent = units.silent(&state).unwrap();
            let is_exact = padding == 0;
            assert!(silent.contains(&(1, 2)) && silent.contains(&(1, 1)) == is_exact, "{silent:?}");
            let before = answers(&config, &state, 25);
            let without = |unit: usize| {
                let (smaller, left) = units.without(&config, &state, &[(1, unit)]).unwrap();
                furthest(&answers(&smaller, &left, 25), &before)
            };
            assert!(without(2) < 1e-12, "a channel that is 0: {}", without(2));
            assert!(if is_exact { without(1) < 1e-6 } else { without(1) > 1e-4 }, "{padding}: {}", without(1));
        }
    }

    /// Where a constant cannot be had, the biases are as near as a constant comes: what they are off by is 0 on average.
    #[test]
    fn at_the_border_of_an_image_biases_are_right_on_average() {
        for block in ["conv = 1, kernel = 3, padding = 1, stride = 2", "conv_transpose = 1, kernel = 3, stride = 2"] {
            let encoder = format!("{{ unflatten = '5x5x1' }}, {{ conv = 2, kernel = 1 }}, {{ {block} }}");
            let (config, mut state) = begun(&encoder, "{ flatten = true }", 25);
            edit(&mut state, "autoencoder.1.weight", |w| w[1] = 0.0);
            edit(&mut state, "autoencoder.1.bias", |b| b[1] = 2.0);
            let layers = layers(&config, 25);
            let read = moving(&layers, |_| 2.0);
            let units = Units { layers: &layers, read: &read };
            let held = units.held(&state, &[(1, 1)]).unwrap();
            let [before, after] = [answers(&config, &state, 25), answers(&config, &held, 25)];
            let off: f64 = before.iter().zip(&after).map(|(a, b)| a - b).sum();
            assert!(off.abs() < 1e-5 && furthest(&before, &after) > 1e-2, "{block}: {off}");
        }
    }
}
