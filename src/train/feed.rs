//! What the data sources of a plan are fed with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::neighbours::distances;
use crate::data::{IMAGES, LABELS, NEIGHBOUR_DISTANCES, Split};
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::graph::{Graph, Role};

/// What objectives need of a split beside its rows and labels, by name: computed, not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Further(BTreeMap<&'static str, Vec<u8>>);

impl Further {
    /// What a graph needs of a split. Forgets what the device held; `tell` hears how many rows of how many are done.
    pub fn of(
        graph: &Graph,
        split: &Split,
        device: &mut dyn Device,
        seed: u64,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let mut further = BTreeMap::new();
        if graph.sources().any(|(_, source)| source.role == Role::Data && source.name.ends_with(NEIGHBOUR_DISTANCES)) {
            let distances = distances(device, split, seed, tell)?;
            further.insert(NEIGHBOUR_DISTANCES, bytemuck::cast_slice(&distances).to_vec());
        }
        Ok(Further(further))
    }

    /// The same with every row as far from its neighbours as any other: to measure how fast a step is.
    pub fn assumed(rows: usize) -> Self {
        let distances = vec![1.0_f32; rows];
        Further(BTreeMap::from([(NEIGHBOUR_DISTANCES, bytemuck::cast_slice(&distances).to_vec())]))
    }
}

/// Bytes of what is called `what` of a split.
pub(super) fn bytes<'a>(split: &'a Split, what: &str, further: &'a Further) -> Result<Cow<'a, [u8]>> {
    match what {
        IMAGES => Ok(split.device_rows()),
        LABELS => Ok(split.device_labels().into()),
        _ => further.0.get(what).map(Cow::from).ok_or_else(|| Error::graph(what, "is nothing that rows have")),
    }
}

/// Names of the data of a split, `train`, `validation` or `test`, that a plan or graph has, without the split's own.
pub(super) fn wanted<'a>(names: impl Iterator<Item = (&'a str, Role)>, split: &str) -> Vec<String> {
    let data = names.filter(|(_, role)| *role == Role::Data);
    data.filter_map(|(name, _)| Some(name.strip_prefix(split)?.strip_prefix(' ')?.to_string())).collect()
}

/// Writes a split to a plan.
pub(super) fn feed(
    device: &mut dyn Device,
    program: ProgramId,
    name: &str,
    split: &Split,
    further: &Further,
) -> Result<()> {
    let sources = device.plan(program).sources.iter().map(|(name, (role, _))| (name.as_str(), *role));
    for what in wanted(sources, name) {
        device.write(program, &format!("{name} {what}"), &bytes(split, &what, further)?)?;
    }
    Ok(())
}
