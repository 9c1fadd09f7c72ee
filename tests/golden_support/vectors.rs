//! The golden vectors: values computed by an independent float64 implementation, read from a folder
//! of safetensors files and the `index.json` that describes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gpu_ae::tensor::{Data, HostTensor, Shape};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// The folder of golden vectors under test.
pub struct Golden {
    /// Where it lies.
    pub folder: PathBuf,
    /// Whether it is the project's own, rather than one named by `GPU_AE_GOLDEN`.
    pub own: bool,
    index: Value,
}

/// What the index says of one formula.
pub struct Vectors {
    /// Its cases.
    pub cases: Vec<Case>,
    /// Tolerances on a GPU are this many times those of the index.
    pub gpu_factor: f64,
}

/// One case of a formula.
pub struct Case {
    /// Its name.
    pub name: String,
    params: serde_json::Map<String, Value>,
    inputs: BTreeMap<String, HostTensor<f64>>,
    expected: BTreeMap<String, Expected>,
}

/// A reference value and how close to it one has to come.
pub struct Expected {
    /// Extents.
    pub shape: Vec<usize>,
    /// Elements.
    pub values: Vec<f64>,
    /// Absolute part of the tolerance; both parts are 0 where the index says "exact".
    pub atol: f64,
    /// Relative part.
    pub rtol: f64,
    /// Whether the relative part multiplies each element rather than the largest.
    pub elementwise: bool,
}

impl Golden {
    /// The folder that `GPU_AE_GOLDEN` names, else the project's own.
    pub fn open() -> Golden {
        let named = std::env::var_os("GPU_AE_GOLDEN");
        let own = named.is_none();
        let folder =
            named.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("golden"), PathBuf::from);
        let path = folder.join("index.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let index: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(index["formulas"].is_object(), "{}: no object 'formulas'", path.display());
        Golden { folder, own, index }
    }

    /// Names of the formulas of the index.
    pub fn formulas(&self) -> Vec<String> {
        self.index["formulas"].as_object().map_or_else(Vec::new, |formulas| formulas.keys().cloned().collect())
    }

    /// Number of cases of a formula.
    pub fn count(&self, formula: &str) -> usize {
        self.index["formulas"][formula]["cases"].as_object().map_or(0, serde_json::Map::len)
    }

    /// The vectors of a formula; `None` when the index does not know it.
    pub fn vectors(&self, formula: &str) -> Option<Vectors> {
        let entry = self.index["formulas"].get(formula)?;
        let gpu_factor = self.index["gpu_factor"].as_f64().expect("the index gives 'gpu_factor'");
        let path = self.folder.join(format!("{formula}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tensors = SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let elementwise = entry["elementwise"].as_bool().unwrap_or(false);
        let cases = entry["cases"].as_object().expect("a formula has cases");
        let cases = cases.iter().map(|(name, case)| Case::read(name, case, elementwise, &tensors)).collect();
        Some(Vectors { cases, gpu_factor })
    }
}

impl Case {
    fn read(name: &str, entry: &Value, elementwise: bool, tensors: &SafeTensors<'_>) -> Case {
        let params = entry["params"].as_object().cloned().unwrap_or_default();
        let mut case = Case { name: name.to_string(), params, inputs: BTreeMap::new(), expected: BTreeMap::new() };
        for (key, shape) in entry["shapes"].as_object().expect("a case has shapes") {
            let full = format!("{name}/{key}");
            let shape: Vec<usize> = serde_json::from_value(shape.clone()).expect("a shape is a list of extents");
            let values = read_f64(tensors, &full, &shape);
            if let Some(input) = key.strip_prefix("in/") {
                let tensor = HostTensor { shape: Shape::new(&shape), data: Data::Real(values) };
                case.inputs.insert(input.to_string(), tensor);
                continue;
            }
            let tolerance = &entry["tol"][key];
            let part = |name: &str| match tolerance.as_str() {
                Some("exact") => 0.0,
                _ => tolerance[name].as_f64().unwrap_or_else(|| panic!("{full} has no {name}")),
            };
            let (atol, rtol) = (part("atol"), part("rtol"));
            case.expected.insert(key.clone(), Expected { shape, values, atol, rtol, elementwise });
        }
        case
    }

    /// A parameter.
    pub fn number(&self, name: &str) -> f64 {
        self.optional(name).unwrap_or_else(|| panic!("case '{}' has no parameter '{name}'", self.name))
    }

    /// A parameter that not every case has. Infinity is written as the string "inf".
    pub fn optional(&self, name: &str) -> Option<f64> {
        match self.params.get(name)? {
            Value::String(word) => Some(word.parse().unwrap_or_else(|_| panic!("'{name}' is '{word}'"))),
            value => Some(value.as_f64().unwrap_or_else(|| panic!("'{name}' is {value}"))),
        }
    }

    /// An input.
    pub fn input(&self, name: &str) -> &HostTensor<f64> {
        self.inputs.get(name).unwrap_or_else(|| panic!("case '{}' has no input '{name}'", self.name))
    }

    /// Whether there is such an input.
    pub fn has(&self, name: &str) -> bool {
        self.inputs.contains_key(name)
    }

    /// Rows and columns of an input.
    pub fn extents(&self, name: &str) -> (usize, usize) {
        self.input(name).shape.matrix().unwrap_or_else(|| panic!("input '{name}' is no matrix"))
    }

    /// Everything that is to be computed, by name.
    pub fn expected(&self) -> &BTreeMap<String, Expected> {
        &self.expected
    }

    /// One of these, to be put right.
    pub fn expected_mut(&mut self, name: &str) -> Option<&mut Expected> {
        self.expected.get_mut(name)
    }

    /// No longer expects a value of this name.
    pub fn forget(&mut self, name: &str) {
        self.expected.remove(name);
    }

    /// Whether a value is to be computed.
    pub fn wants(&self, name: &str) -> bool {
        self.expected.contains_key(name)
    }

    /// What comes after `prefix` and before the next slash in the names to be computed.
    pub fn names_after(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for rest in self.expected.keys().filter_map(|name| name.strip_prefix(prefix)) {
            let name = rest.split('/').next().unwrap_or(rest);
            if !names.iter().any(|known| known == name) {
                names.push(name.to_string());
            }
        }
        names
    }
}

fn read_f64(tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Vec<f64> {
    let tensor = tensors.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(tensor.shape(), shape, "{name}: the index and the file disagree");
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F64 => bytes.as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect(),
        Dtype::I32 => bytes.as_chunks::<4>().0.iter().map(|&b| f64::from(i32::from_le_bytes(b))).collect(),
        other => panic!("{name}: elements of type {other:?}"),
    }
}
