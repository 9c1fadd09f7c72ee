//! Graphs as ONNX files, for whoever runs a trained network elsewhere.
//!
//! What is written is the graph that this program itself computes, operation by operation in the operators of opset 17, with any
//! number of rows. What depends on parameters alone is computed here and written as numbers. Inside, images are \[N, C, H, W\] as
//! ONNX has them; what goes in and comes out are the rows of this program, with channels innermost.
//!
//! Source: the Open Neural Network Exchange's operators, version 17.

mod lowering;
mod messages;
mod writing;

use prost::Message;

use crate::error::{Error, Result};
use crate::graph::{Graph, Source};
use messages::{Entry, IR_VERSION, Model, OperatorSet, ValueInfo};
use writing::Writing;

/// Version of the operators.
const OPSET: i64 = 17;
/// Bytes that readers of such a file take.
const MOST: usize = i32::MAX as usize;

/// What a file says of itself, and what it calls what goes in and comes out.
#[derive(Clone, Debug)]
pub struct Interface<'a> {
    /// Name of the graph.
    pub name: &'a str,
    /// Source of the graph that is fed, and its name in the file.
    pub input: [&'a str; 2],
    /// Results of the graph, and their names in the file, in the file's order.
    pub outputs: &'a [[&'a str; 2]],
    /// Words about it, by keys.
    pub metadata: &'a [(&'a str, String)],
}

/// A file of a graph that makes rows of rows; `parameter` tells the numbers of a parameter or a buffer by its name, in the order in which
/// they lie on a device.
///
/// # Errors
/// When a parameter is missing, or an operation has no counterpart in ONNX, by its name.
pub fn model(
    graph: &Graph,
    interface: &Interface<'_>,
    parameter: impl Fn(&str) -> Option<Vec<f32>>,
) -> Result<Vec<u8>> {
    let [of_graph, input] = interface.input;
    let mut writing = Writing::new(graph);
    for (index, node) in graph.nodes().iter().enumerate() {
        match node.op.downcast::<Source>() {
            Some(source) if source.name == of_graph => writing.feed(index, input),
            Some(source) if source.role.is_parameter() => {
                let missing = || Error::Failed(format!("checkpoint: '{}' is missing", source.name));
                writing.parameter(index, parameter(&source.name).ok_or_else(missing)?)?;
            }
            Some(source) => return Err(no_counterpart(&format!("the source '{}'", source.name))),
            None if writing.is_done(index) => {}
            None if writing.fold(index) => {}
            None => lowering::lower(&mut writing, index)?,
        }
    }
    let mut outputs = Vec::new();
    for [result, name] in interface.outputs {
        let var = graph.results().iter().find(|(own, _)| own == result).map(|(_, var)| *var);
        let var = var.ok_or_else(|| no_counterpart(&format!("a result '{result}', which is none of the graph,")))?;
        outputs.push(ValueInfo::rows(name, writing.columns(var)));
        writing.result(var, name)?;
    }
    let features = graph.source_named(of_graph).map_or(0, |var| writing.columns(var));
    let entry = |(key, value): &(&str, String)| Entry { key: key.to_string(), value: value.clone() };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(writing.finish(interface.name, vec![ValueInfo::rows(input, features)], outputs)),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: interface.metadata.iter().map(entry).collect(),
    };
    match model.encoded_len() {
        bytes if bytes <= MOST => Ok(model.encode_to_vec()),
        bytes => {
            Err(Error::Failed(format!("a network of {bytes} bytes has no place in an ONNX file, which holds {MOST}")))
        }
    }
}

fn no_counterpart(what: &str) -> Error {
    Error::Failed(format!("{what} has no counterpart in ONNX"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::graph::Role;
    use crate::ops::array::reshape::Reshape;
    use crate::ops::pool::Pool;
    use crate::ops::pool::avg_pool::AvgPool;
    use crate::ops::random::random_uniform::RandomUniform;
    use crate::ops::step::clock;
    use crate::tensor::{Shape, Ty};

    const INTERFACE: Interface<'_> =
        Interface { name: "test", input: ["rows", "x"], outputs: &[["a", "first"], ["b", "second"]], metadata: &[] };

    /// A row may be read as images of several sizes, each of which has its own form in the file.
    #[test]
    fn a_value_has_a_form_for_each_size() {
        let g = &mut Graph::new();
        let rows = g.source(Role::Input, "rows", Ty::f32(&[1, 16]));
        let pixels = g.apply(Reshape::to(&[16, 1]), &[rows]).unwrap();
        for (name, size) in [("a", [4, 4]), ("b", [2, 8])] {
            let mean = g.apply(AvgPool(Pool::global(size)), &[pixels]).unwrap();
            g.result(name, mean);
        }
        let bytes = model(g, &INTERFACE, |_| None).unwrap();
        let graph = Model::decode(&bytes[..]).unwrap().graph.unwrap();
        let pools: Vec<_> = graph.node.iter().filter(|node| node.op_type == "GlobalAveragePool").collect();
        assert_eq!(pools.len(), 2);
        assert_ne!(pools[0].input, pools[1].input);
        let shapes: Vec<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        assert!(shapes.contains(&"-1x4x4x1") && shapes.contains(&"-1x2x8x1"), "{shapes:?}");
        let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(outputs, ["first", "second"]);
    }

    #[test]
    fn what_has_no_counterpart_is_named() {
        let g = &mut Graph::new();
        let rows = g.source(Role::Input, "rows", Ty::f32(&[1, 4]));
        g.result("a", rows);
        let clock = g.source(Role::State, "clock", clock::ty());
        let draws = g.apply(RandomUniform { shape: Shape::new(&[1, 4]), stream: 1 }, &[clock]).unwrap();
        g.result("b", draws);
        let message = model(g, &INTERFACE, |_| None).unwrap_err().to_string();
        assert!(message.contains("the source 'clock' has no counterpart in ONNX"), "{message}");
    }
}
