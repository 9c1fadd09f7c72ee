//! The codes of a network that was trained under a price on their bits, as whole numbers: from rows to a file, and back.

use sha2::{Digest, Sha256};

use super::lone_part::LonePart;
use crate::coding::file::{self, Identity, Picture, Reader, Refused, Written};
use crate::coding::prior::{Grid, Kind, Lie, Prior};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::model::part::Part;
use crate::nn::builder::Parameter;
use crate::nn::rate::{CodedShape, EntropyModelKind};
use crate::plan::Choices;
use crate::train::Checkpoint;
use crate::train::session::State;

/// The code of a trained network: how its whole numbers lie, where they are expected, and which network that is.
#[derive(Clone, Debug)]
pub struct Code {
    prior: Prior,
    identity: Identity,
}

impl Code {
    /// The code of a checkpoint's network.
    ///
    /// # Errors
    /// When its codes are no whole numbers, or a parameter is missing, of another shape, or no number where a distribution has to come
    /// of it.
    pub fn of(checkpoint: &Checkpoint) -> Result<Self> {
        let network = network(&mut Graph::new(), &checkpoint.config, checkpoint.features()?)?;
        let Some(model) = &network.entropy_model else {
            let problem = "expected a network with [rate]; no other one's codes are whole numbers";
            return Err(Error::Usage(problem.into()));
        };
        let identity = identity(&network.parameters, &checkpoint.state)?;
        let floats = |name: &str| checkpoint.state.get(name).map(|(_, bytes)| bytemuck::pod_collect_to_vec(bytes));
        let kind = match model.spec.model {
            EntropyModelKind::Gaussian => Kind::Gaussian,
            EntropyModelKind::Factorized => Kind::Factorized,
            EntropyModelKind::Hyperprior => Kind::Hyperprior,
        };
        Ok(Code { prior: Prior::new(kind, lie(model.shape), &floats)?, identity })
    }

    /// Which network this is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whole numbers of a row.
    pub fn symbols(&self) -> usize {
        self.prior.symbols()
    }

    /// Those of its side code; 0 if there is none.
    pub fn side_symbols(&self) -> usize {
        self.prior.side_symbols()
    }

    /// The shape of the whole numbers of a row: \[channels\], of more than one cell \[cells, channels\].
    pub fn shape(&self) -> Vec<usize> {
        let Lie { cells, channels, .. } = self.prior.lie();
        if cells > 1 { vec![cells, channels] } else { vec![channels] }
    }

    /// Makes a file of rows. `part` is [`Part::Symbols`] of the network of this code's checkpoint; `through` gives what a part makes of
    /// the rows, and is called a second time where there is a side code.
    ///
    /// # Errors
    /// When the device fails, or a number is beyond what a file holds; the row is named.
    pub fn compress(
        &self,
        part: &mut LonePart,
        with: (&Checkpoint, &Choices),
        through: impl FnMut(&mut LonePart) -> Result<Vec<f32>>,
    ) -> Result<Written> {
        let [side, symbols] = self.coded(part, with, through)?;
        file::write(&self.prior, self.identity, &side, &symbols)
    }

    /// The same of the tiles of a picture.
    ///
    /// # Errors
    /// As [`compress`](Self::compress); and when there are not as many rows as tiles.
    pub fn compress_picture(
        &self,
        part: &mut LonePart,
        with: (&Checkpoint, &Choices),
        picture: Picture,
        through: impl FnMut(&mut LonePart) -> Result<Vec<f32>>,
    ) -> Result<Written> {
        let [side, symbols] = self.coded(part, with, through)?;
        file::write_picture(&self.prior, self.identity, picture, [&side, &symbols])
    }

    /// The side symbols and symbols of rows.
    fn coded(
        &self,
        part: &mut LonePart,
        (checkpoint, choices): (&Checkpoint, &Choices),
        mut through: impl FnMut(&mut LonePart) -> Result<Vec<f32>>,
    ) -> Result<[Vec<i32>; 2]> {
        let symbols = whole(&through(part)?, self.symbols(), "symbol")?;
        let mut side = Vec::new();
        if self.side_symbols() > 0 {
            part.turn(checkpoint, choices, Part::SideSymbols)?;
            side = whole(&through(part)?, self.side_symbols(), "side symbol")?;
        }
        Ok([side, symbols])
    }

    /// Begins with the bytes of a file that this network is to have made.
    ///
    /// # Errors
    /// When it is no such file, its header is damaged, or another network made it.
    pub fn reader<'a>(&'a self, bytes: &'a [u8]) -> Result<Reader<'a>, Refused> {
        Reader::new(bytes, &self.prior, self.identity)
    }
}

/// How the symbols of a row lie at a coded point.
fn lie(shape: CodedShape) -> Lie {
    let grid = shape.side.filter(|side| side.is_map).map(|side| {
        let [height, width] = side.grid;
        Grid { height, width, factor: side.factor }
    });
    Lie { cells: shape.cells, channels: shape.channels, grid }
}

/// Which network has these parameters with these values: the first bytes of a hash of their names, shapes and values, by name.
fn identity(parameters: &[Parameter], state: &State) -> Result<Identity> {
    let mut parameters: Vec<&Parameter> = parameters.iter().collect();
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hash = Sha256::new();
    let count = |count: usize, hash: &mut Sha256| hash.update((count as u64).to_le_bytes());
    for Parameter { name, ty, .. } in parameters {
        let Some((found, bytes)) = state.get(name) else {
            return Err(Error::Usage(format!("checkpoint: '{name}' is missing")));
        };
        if found != ty {
            return Err(Error::Usage(format!("checkpoint: '{name}' is {found}, the configuration says {ty}")));
        }
        // Every part behind its length, so that no two lists of parts are the same bytes.
        count(name.len(), &mut hash);
        hash.update(name);
        count(ty.shape.dims().len(), &mut hash);
        ty.shape.dims().iter().for_each(|&extent| count(extent, &mut hash));
        count(bytes.len(), &mut hash);
        hash.update(bytes);
    }
    let digest: [u8; 32] = hash.finalize().into();
    Ok(Identity(std::array::from_fn(|at| digest[at])))
}

/// Rounded numbers of rows of so many; `of` says what they are.
fn whole(values: &[f32], width: usize, of: &str) -> Result<Vec<i32>> {
    /// The first number beyond, 2³¹.
    const BEYOND: f32 = (1u32 << 31) as f32;
    let each = values.iter().enumerate().map(|(place, &value)| {
        let rounded = value.round_ties_even();
        if (-BEYOND..BEYOND).contains(&rounded) {
            return Ok(rounded as i32);
        }
        let row = place / width.max(1);
        Err(Error::Failed(format!("row {row}: a {of} of {value}, expected numbers from -2^31 to 2^31 - 1")))
    });
    each.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::model::start::start_values;
    use crate::tensor::Ty;

    /// The parameters of an untrained network, and their values.
    fn untrained(model: &str) -> (Vec<Parameter>, State) {
        let config = RunConfig::model(model).unwrap();
        let parameters = network(&mut Graph::new(), &config, 784).unwrap().parameters;
        let values: std::collections::BTreeMap<String, Vec<u8>> =
            start_values(&config, 784, 100).unwrap().into_iter().collect();
        let state = parameters.iter().map(|it| (it.name.clone(), (it.ty.clone(), values[&it.name].clone()))).collect();
        (parameters, state)
    }

    #[test]
    fn numbers_beyond_are_refused_by_row() {
        assert_eq!(whole(&[0.0, -0.0, 3.0, -2147483648.0], 2, "symbol").unwrap(), [0, 0, 3, i32::MIN]);
        for bad in [2147483648.0, -2147483904.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let problem = whole(&[1.0, 2.0, bad, 4.0], 2, "side symbol").unwrap_err().to_string();
            assert!(problem.contains("row 1: a side symbol of"), "{problem}");
        }
    }

    #[test]
    fn whatever_of_a_network_changes_makes_it_another() {
        let (parameters, state) = untrained("compressive");
        let own = identity(&parameters, &state).unwrap();
        let backwards: Vec<Parameter> = parameters.iter().rev().cloned().collect();
        assert_eq!(identity(&backwards, &state).unwrap(), own, "the order that they were built in means nothing");
        for parameter in &parameters {
            let mut other = state.clone();
            other.get_mut(&parameter.name).unwrap().1[0] ^= 1;
            assert_ne!(identity(&parameters, &other).unwrap(), own, "{}", parameter.name);
        }
        let mut more = state.clone();
        more.insert("clock".into(), (Ty::f32(&[1]), vec![0; 4]));
        assert_eq!(identity(&parameters, &more).unwrap(), own, "what is no parameter makes no difference");
        more.remove(&parameters[0].name);
        assert!(identity(&parameters, &more).unwrap_err().to_string().contains("is missing"));
        more.insert(parameters[0].name.clone(), (Ty::f32(&[1]), vec![0; 4]));
        assert!(identity(&parameters, &more).unwrap_err().to_string().contains("the configuration says"));
    }
}
