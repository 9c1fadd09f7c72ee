//! A file under way: its nodes and numbers so far, and how the values of the graph lie in it.

use std::collections::HashMap;

use super::messages::{self, Attribute, Element, Tensor, ValueInfo};
use super::no_counterpart;
use crate::error::Result;
use crate::graph::{Graph, Node, Var};
use crate::ops::array::broadcast::Broadcast;
use crate::tensor::HostTensor;

/// How the matrix of a value lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layout {
    /// \[rows, columns\]
    Rows,
    /// All elements in their order, whatever the shape.
    Loose,
    /// \[1, columns\]: every row is the same.
    Shared,
    /// \[N, C, H, W\], for the matrix \[N·H·W, C\] of images of this height and width.
    Image([usize; 2]),
}

/// A value of the graph in the file.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub name: String,
    pub layout: Layout,
}

/// A file under way.
pub(super) struct Writing<'a> {
    graph: &'a Graph,
    uses: Vec<Vec<Vec<(usize, usize)>>>,
    nodes: Vec<messages::Node>,
    numbers: Vec<Tensor>,
    /// What does not depend on what is fed.
    constants: HashMap<Var, HostTensor<f64>>,
    values: HashMap<Var, Value>,
    /// Forms of values other than that in which they were made.
    forms: HashMap<(Var, Layout), String>,
}

impl<'a> Writing<'a> {
    pub fn new(graph: &'a Graph) -> Self {
        Writing {
            graph,
            uses: graph.uses(),
            nodes: Vec::new(),
            numbers: Vec::new(),
            constants: HashMap::new(),
            values: HashMap::new(),
            forms: HashMap::new(),
        }
    }

    /// The source that is fed.
    pub fn feed(&mut self, index: usize, name: &str) {
        self.values.insert(output(index), Value { name: name.into(), layout: Layout::Rows });
    }

    /// The numbers of a parameter.
    pub fn parameter(&mut self, index: usize, numbers: Vec<f32>) -> Result<()> {
        let shape = &self.graph.ty(output(index)).shape;
        if numbers.len() != shape.elements() {
            return Err(no_counterpart(&format!("a parameter of {} numbers where {shape} are meant", numbers.len())));
        }
        let wide: Vec<f64> = numbers.into_iter().map(f64::from).collect();
        let data = crate::tensor::Data::Real(wide);
        self.constants.insert(output(index), HostTensor { shape: shape.clone(), data });
        Ok(())
    }

    /// Computes a node here if it depends on parameters alone, and says whether it does. What spreads over the rows of a batch has as
    /// many as the batch and stays.
    pub fn fold(&mut self, index: usize) -> bool {
        let node = &self.graph.nodes()[index];
        if matches!(node.op.downcast::<Broadcast>(), Some(Broadcast::Rows(_))) {
            return false;
        }
        let inputs: Option<Vec<_>> = node.inputs.iter().map(|var| self.constants.get(var)).collect();
        let Some(inputs) = inputs else { return false };
        let mut outputs: Vec<HostTensor<f64>> = node.outputs.iter().map(HostTensor::zeros).collect();
        node.op.eval_f64(&inputs, &mut outputs);
        let folded = outputs.into_iter().enumerate().map(|(port, tensor)| (Var { node: index, port }, tensor));
        self.constants.extend(folded);
        true
    }

    /// Whether a node is in the file already, as a part of one before it.
    pub fn is_done(&self, index: usize) -> bool {
        self.values.contains_key(&output(index))
    }

    pub fn node(&self, index: usize) -> &'a Node {
        &self.graph.nodes()[index]
    }

    /// Columns of the matrix of a value.
    pub fn columns(&self, var: Var) -> usize {
        let ty = self.graph.ty(var);
        ty.shape.matrix().map_or(1, |(_, columns)| columns)
    }

    /// The numbers of a value that depends on parameters alone.
    ///
    /// # Errors
    /// When it does not.
    pub fn constant(&self, var: Var, what: &str) -> Result<&HostTensor<f64>> {
        self.constants.get(&var).ok_or_else(|| no_counterpart(&format!("{what} that depends on the rows")))
    }

    /// The node that alone reads what a node computes, if there is one.
    pub fn only_user(&self, index: usize) -> Option<usize> {
        let is_result = self.graph.results().iter().any(|(_, var)| *var == output(index));
        match self.uses[index][0][..] {
            [(user, 0)] if !is_result => Some(user),
            _ => None,
        }
    }

    /// A value as it was made.
    pub fn value(&mut self, var: Var) -> Result<Value> {
        if let Some(value) = self.values.get(&var) {
            return Ok(value.clone());
        }
        // A parameter that is a matrix of rows.
        let (rows, columns) = self.graph.ty(var).shape.matrix().unwrap_or((1, self.graph.ty(var).elements()));
        let numbers = self.constant(var, "an operand")?.real().to_vec();
        let name = self.floats(&self.name(var.node), &[rows, columns], &numbers);
        let value = Value { name, layout: if rows == 1 { Layout::Shared } else { Layout::Rows } };
        self.values.insert(var, value.clone());
        Ok(value)
    }

    /// Says how a node's first output lies in the file.
    pub fn made(&mut self, index: usize, name: String, layout: Layout) {
        self.values.insert(output(index), Value { name, layout });
    }

    /// The name of a value as \[rows, columns\].
    pub fn rows(&mut self, var: Var) -> Result<String> {
        let Value { name, layout } = self.value(var)?;
        match layout {
            Layout::Rows | Layout::Shared => Ok(name),
            _ => self.form(var, Layout::Rows, |w| {
                let pixels = match layout {
                    Layout::Image([height, width]) if height * width > 1 => w.pixels_innermost(&name, false),
                    _ => name,
                };
                Ok(w.reshaped(&pixels, &[-1, w.columns(var) as i64]))
            }),
        }
    }

    /// The name of a value as all its elements in their order.
    pub fn loose(&mut self, var: Var) -> Result<String> {
        let Value { name, layout } = self.value(var)?;
        match layout {
            Layout::Image([height, width]) if height * width > 1 => {
                self.form(var, Layout::Loose, |w| Ok(w.pixels_innermost(&name, false)))
            }
            _ => Ok(name),
        }
    }

    /// The name of a value as \[N, C, H, W\].
    pub fn image(&mut self, var: Var, size: [usize; 2]) -> Result<String> {
        let Value { name, layout } = self.value(var)?;
        let columns = self.columns(var) as i64;
        match layout {
            Layout::Image(own) if own == size => Ok(name),
            Layout::Shared => self.form(var, Layout::Image(size), |w| Ok(w.reshaped(&name, &[1, columns, 1, 1]))),
            _ => {
                let loose = self.loose(var)?;
                self.form(var, Layout::Image(size), |w| {
                    let pixels = w.reshaped(&loose, &[-1, size[0] as i64, size[1] as i64, columns]);
                    Ok(w.pixels_innermost(&pixels, true))
                })
            }
        }
    }

    fn form(&mut self, var: Var, form: Layout, make: impl FnOnce(&mut Self) -> Result<String>) -> Result<String> {
        if let Some(name) = self.forms.get(&(var, form)) {
            return Ok(name.clone());
        }
        let name = make(self)?;
        self.forms.insert((var, form), name.clone());
        Ok(name)
    }

    /// \[N, H, W, C\] of \[N, C, H, W\], or the other way round, after which pixels are innermost.
    fn pixels_innermost(&mut self, of: &str, they_become: bool) -> String {
        let axes = if they_become { [0, 3, 1, 2] } else { [0, 2, 3, 1] };
        self.add("Transpose", &[of.into()], vec![Attribute::ints("perm", &axes)])
    }

    /// The same elements under another shape, of which one extent may be −1: as many as there are.
    pub fn reshaped(&mut self, of: &str, shape: &[i64]) -> String {
        let shape = self.ints(shape);
        self.add("Reshape", &[of.into(), shape], Vec::new())
    }

    /// A node of one output, by the name of that.
    pub fn add(&mut self, op: &str, inputs: &[String], attribute: Vec<Attribute>) -> String {
        let name = format!("{}_{}", op.to_lowercase(), self.nodes.len());
        let (input, output) = (inputs.to_vec(), vec![name.clone()]);
        self.nodes.push(messages::Node { input, output, name: name.clone(), op_type: op.into(), attribute });
        name
    }

    /// Numbers of this shape, by their name: a wish, which is made unlike all others.
    pub fn floats(&mut self, name: &str, dims: &[usize], numbers: &[f64]) -> String {
        let raw = numbers.iter().flat_map(|&number| (number as f32).to_le_bytes()).collect();
        self.tensor(name, dims, Element::Float, raw)
    }

    /// A number.
    pub fn float(&mut self, number: f32) -> String {
        self.floats(&number.to_string(), &[], &[f64::from(number)])
    }

    fn ints(&mut self, numbers: &[i64]) -> String {
        let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let raw = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensor(&words.join("x"), &[numbers.len()], Element::Int64, raw)
    }

    /// Whole numbers that an operator wants as an input.
    pub fn sizes(&mut self, numbers: &[usize]) -> String {
        let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
        self.ints(&numbers)
    }

    /// Numbers under a name; the same ones are there once.
    fn tensor(&mut self, wish: &str, dims: &[usize], element: Element, raw_data: Vec<u8>) -> String {
        let dims: Vec<i64> = dims.iter().map(|&extent| extent as i64).collect();
        let data_type = element as i32;
        let mut name = wish.to_string();
        while let Some(own) = self.numbers.iter().find(|own| own.name == name) {
            if own.dims == dims && own.data_type == data_type && own.raw_data == raw_data {
                return name;
            }
            name.push('\'');
        }
        self.numbers.push(Tensor { dims, data_type, name: name.clone(), raw_data });
        name
    }

    /// What the numbers of a constant are called: as the parameter, or what is made of parameters by its place.
    pub fn name(&self, node: usize) -> String {
        match self.graph.nodes()[node].op.downcast::<crate::graph::Source>() {
            Some(source) => source.name.clone(),
            None => format!("folded.{node}"),
        }
    }

    /// Gives a value that is wanted the name that it is wanted under.
    pub fn result(&mut self, var: Var, name: &str) -> Result<()> {
        let rows = self.rows(var)?;
        let is_made = self.nodes.iter().any(|node| node.output[0] == rows);
        let rows = if is_made { rows } else { self.add("Identity", &[rows], Vec::new()) };
        self.rename(&rows, name);
        Ok(())
    }

    fn rename(&mut self, old: &str, new: &str) {
        for node in &mut self.nodes {
            node.input
                .iter_mut()
                .chain(&mut node.output)
                .filter(|name| *name == old)
                .for_each(|name| *name = new.into());
        }
        for value in self.values.values_mut().filter(|value| value.name == old) {
            value.name = new.into();
        }
        self.forms.values_mut().filter(|name| *name == old).for_each(|name| *name = new.into());
    }

    /// The graph of the file.
    pub fn finish(self, name: &str, input: Vec<ValueInfo>, output: Vec<ValueInfo>) -> messages::Graph {
        messages::Graph { node: self.nodes, name: name.into(), initializer: self.numbers, input, output }
    }
}

fn output(node: usize) -> Var {
    Var { node, port: 0 }
}
