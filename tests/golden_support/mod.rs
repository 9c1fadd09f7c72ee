//! What the golden tests are made of: the vectors, the rule of comparison, the machines, and one
//! runner a formula.

pub mod augment;
pub mod bits;
pub mod classes;
pub mod codes;
pub mod compare;
pub mod contractive;
pub mod conv;
pub mod energy;
pub mod family;
pub mod images;
pub mod judging;
pub mod machine;
pub mod network;
pub mod norm;
pub mod optimisers;
pub mod paths;
pub mod proof;
pub mod reconstruction;
pub mod vectors;
pub mod wasserstein;
pub mod weights;

use std::collections::BTreeMap;

use machine::Machine;
use vectors::Case;

/// Computed values by the names the index gives them: `out/…`, `grad/…`.
pub type Answers = BTreeMap<String, Vec<f64>>;

/// How a formula is computed with the project's own building blocks.
pub struct Runner {
    /// The formula's name in the index.
    pub formula: &'static str,
    /// Computes everything a case asks for.
    pub run: fn(&Case, &mut dyn Machine) -> Answers,
    /// Puts right what is known to be wrong in the references.
    pub correct: fn(&mut Case),
    /// How close the f64 twins must come to the value of this name, relative to its largest element.
    pub exactness: fn(&str) -> f64,
    /// Why not closer.
    pub why: &'static str,
}

/// As close as two float64 implementations that add in different orders.
pub fn exact(_: &str) -> f64 {
    1e-9
}

/// For a formula whose references are right as they are.
pub fn as_they_are(_: &mut Case) {}

/// Formulas of the index that the project does not implement yet.
pub const NOT_IMPLEMENTED: &[&str] = &[];

/// An order written as in the index: `a1` is 1, `a05` 0.5, `a15` 1.5, `ainf` infinity.
pub fn order(word: &str) -> Option<f32> {
    let digits = word.strip_prefix('a')?;
    if digits == "inf" {
        return Some(f32::INFINITY);
    }
    let (whole, fraction) = digits.split_at_checked(1)?;
    format!("{whole}.{fraction}0").parse().ok()
}

/// Reads every result of a graph that was loaded and run.
pub fn read_results(machine: &mut dyn Machine, names: &[String]) -> Answers {
    names.iter().map(|name| (name.clone(), machine.read(name))).collect()
}
