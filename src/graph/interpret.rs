//! The interpreter: runs a graph node by node through the CPU twins. At f64 it is the oracle that
//! plans, fusions and training curves are judged by.

use std::collections::HashMap;

use super::{Graph, Precision, Source, Var};
use crate::error::{Error, Result};
use crate::tensor::HostTensor;

/// Values of the sources by name.
pub type Feeds<T> = HashMap<String, HostTensor<T>>;

/// Every value of a graph after a run.
#[derive(Clone, Debug)]
pub struct Values<T>(Vec<Vec<HostTensor<T>>>);

impl<T> Values<T> {
    /// The value of `var`.
    pub fn get(&self, var: Var) -> &HostTensor<T> {
        &self.0[var.node][var.port]
    }
}

/// Computes every node of `graph`. Sources are taken from `feeds`; values that an operation updates
/// in place are written back there, so that calling again continues where this call stopped.
///
/// # Errors
/// When a source has no feed, or one of another type.
pub fn interpret<T: Precision>(graph: &Graph, feeds: &mut Feeds<T>) -> Result<Values<T>> {
    let mut values: Vec<Vec<HostTensor<T>>> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        if let Some(source) = node.op.downcast::<Source>() {
            let feed = feeds
                .get(&source.name)
                .ok_or_else(|| Error::graph("source", format!("nothing feeds '{}'", source.name)))?;
            if feed.ty() != source.ty {
                return Err(Error::graph(
                    "source",
                    format!("'{}' is {} but was fed {}", source.name, source.ty, feed.ty()),
                ));
            }
            values.push(vec![feed.clone()]);
            continue;
        }
        let inputs: Vec<&HostTensor<T>> = node.inputs.iter().map(|v| &values[v.node][v.port]).collect();
        let mut outputs: Vec<HostTensor<T>> = node.outputs.iter().map(HostTensor::zeros).collect();
        T::eval(node.op.as_ref(), &inputs, &mut outputs);
        for (input, output) in node.op.aliases() {
            // What overwrites a view of a source overwrites the source.
            if let Some(source) = graph.node(graph.viewed(node.inputs[input])).op.downcast::<Source>() {
                let value = HostTensor { shape: source.ty.shape.clone(), data: outputs[output].data.clone() };
                feeds.insert(source.name.clone(), value);
            }
        }
        values.push(outputs);
    }
    Ok(Values(values))
}
