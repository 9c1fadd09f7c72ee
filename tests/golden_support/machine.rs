//! The machines a formula is computed on: the f64 interpreter, and devices that run plans.

use gpu_ae::device::{Device, ProgramId};
use gpu_ae::graph::{Feeds, Graph, Role, Values, Var, interpret};
use gpu_ae::plan::Plan;
use gpu_ae::tensor::{DType, Data, HostTensor, Shape};

/// Something that runs graphs.
pub trait Machine {
    /// Takes a graph, and the values of all its sources.
    fn load(&mut self, setup: Setup);
    /// Gives a source another value.
    fn feed(&mut self, name: &str, value: &HostTensor<f64>);
    /// Runs the graph once; what it updates in place stays updated.
    fn run(&mut self);
    /// Reads a result or a source.
    fn read(&mut self, name: &str) -> Vec<f64>;
}

/// A graph under construction, with the values of its sources.
#[derive(Default)]
pub struct Setup {
    /// The graph.
    pub graph: Graph,
    /// The values.
    pub feeds: Feeds<f64>,
}

impl Setup {
    /// A source with a value.
    pub fn source(&mut self, role: Role, name: &str, value: &HostTensor<f64>) -> Var {
        self.feeds.insert(name.to_string(), value.clone());
        self.graph.source(role, name, value.ty())
    }

    /// A scalar that the host sets, such as the weight of a loss.
    pub fn scalar(&mut self, name: &str, value: f64) -> Var {
        self.source(Role::State, name, &scalar(value))
    }

    /// The clock of a full batch.
    pub fn clock(&mut self, rows: usize) -> Var {
        let words = gpu_ae::ops::step::clock::start(rows, rows, false, 0);
        self.source(Role::State, "clock", &HostTensor::from_words(&[words.len()], &words))
    }

    /// Zeros for every source that has no value yet, such as an optimiser's moments.
    pub fn zero_the_rest(&mut self) {
        for (_, source) in self.graph.sources() {
            self.feeds.entry(source.name.clone()).or_insert_with(|| HostTensor::zeros(&source.ty));
        }
    }

    /// Asks for the gradient of Σ weight · loss with respect to each of `wrt`, as results named
    /// `grad/<name>/<input>`.
    pub fn gradients(&mut self, name: &str, weighted: &[(Var, Var)], wrt: &[(&str, Var)]) {
        let vars: Vec<Var> = wrt.iter().map(|(_, var)| *var).collect();
        let gradients = gpu_ae::autodiff::grad(&mut self.graph, weighted, &vars).unwrap();
        for ((input, _), gradient) in wrt.iter().zip(gradients) {
            let gradient = gradient.unwrap_or_else(|| panic!("{name} does not depend on {input}"));
            self.graph.result(format!("grad/{name}/{input}"), gradient);
        }
    }
}

/// A scalar as a tensor.
pub fn scalar(value: f64) -> HostTensor<f64> {
    HostTensor { shape: Shape::new(&[]), data: Data::Real(vec![value]) }
}

/// The oracle: node by node through the twins at f64.
#[derive(Default)]
pub struct Interpreter {
    setup: Setup,
    values: Option<Values<f64>>,
}

impl Machine for Interpreter {
    fn load(&mut self, setup: Setup) {
        (self.setup, self.values) = (setup, None);
    }

    fn feed(&mut self, name: &str, value: &HostTensor<f64>) {
        self.setup.feeds.insert(name.to_string(), value.clone());
    }

    fn run(&mut self) {
        self.values = Some(interpret(&self.setup.graph, &mut self.setup.feeds).unwrap());
    }

    fn read(&mut self, name: &str) -> Vec<f64> {
        if let Some(value) = self.setup.feeds.get(name) {
            return numbers(value);
        }
        let results = self.setup.graph.results();
        let (_, var) = results.iter().find(|(result, _)| result == name).unwrap_or_else(|| panic!("no '{name}'"));
        numbers(self.values.as_ref().expect("it has run").get(*var))
    }
}

/// Floats or words as numbers.
fn numbers(tensor: &HostTensor<f64>) -> Vec<f64> {
    match &tensor.data {
        Data::Words(words) => words.iter().map(|&word| f64::from(word)).collect(),
        _ => tensor.real().to_vec(),
    }
}

/// A device, with plans fused as in training or left as the graph is.
pub struct OnDevice<'a> {
    device: &'a mut dyn Device,
    fused: bool,
    program: Option<ProgramId>,
}

/// A NaN that no arithmetic produces, for whatever a plan forgets to write.
const POISON: u32 = 0x7FC0_DEAD;

impl<'a> OnDevice<'a> {
    /// That device.
    pub fn new(device: &'a mut dyn Device, fused: bool) -> Self {
        OnDevice { device, fused, program: None }
    }

    fn program(&self) -> ProgramId {
        self.program.expect("a graph is loaded")
    }
}

impl Machine for OnDevice<'_> {
    fn load(&mut self, setup: Setup) {
        let make = if self.fused { Plan::new } else { Plan::unfused };
        let plan = make("golden", &setup.graph, self.device.profile()).unwrap();
        let arenas: Vec<usize> = plan.arenas.iter().map(|arena| arena.bytes).collect();
        let sources: Vec<String> = plan.sources.keys().cloned().collect();
        self.device.clear();
        let program = self.device.load(plan).unwrap();
        self.program = Some(program);
        for (arena, bytes) in arenas.into_iter().enumerate() {
            let poison = vec![POISON; bytes / 4];
            self.device.write_bytes(program, arena, 0, bytemuck::cast_slice(&poison)).unwrap();
        }
        for name in sources {
            self.feed(&name, &setup.feeds[&name]);
        }
    }

    fn feed(&mut self, name: &str, value: &HostTensor<f64>) {
        let program = self.program();
        // A source that nothing reads is not part of the plan.
        if self.device.plan(program).sources.contains_key(name) {
            self.device.write(program, name, &value.to_device_bytes()).unwrap();
        }
    }

    fn run(&mut self) {
        let program = self.program();
        self.device.run(program, 1).unwrap();
    }

    fn read(&mut self, name: &str) -> Vec<f64> {
        let program = self.program();
        let place = self.device.plan(program).results.get(name);
        if place.is_some_and(|place| place.ty.dtype == DType::U32) {
            return self.device.read_u32(program, name).unwrap().into_iter().map(f64::from).collect();
        }
        self.device.read_f32(program, name).unwrap().into_iter().map(f64::from).collect()
    }
}
