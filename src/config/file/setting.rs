//! Single keys of a configuration, set as `KEY=VALUE` on a command line.

use toml::{Table, Value};

use super::keys::{MISSING, merge};
use super::meaning::KEYS;
use super::models::{MODELS, model_file};
use super::suggestion::{nearest, suggested};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::nn::BlockConfig;

/// Short names of keys, as people write them in a grid.
const SHORT: &[(&str, &str)] = &[
    ("activity", "entropy.activity"),
    ("alpha", "entropy.alpha"),
    ("budget", "entropy.schedule.mse"),
    ("entropy", "entropy.of"),
    ("data", "data.path"),
    ("lambda", "lambda_entropy"),
    ("validation", "data.validation"),
    ("warm_up", "entropy.schedule.warm_up"),
];

/// The key that sets the width of the code layer.
const WIDTH: &str = "width";

/// A key and its value, as they are written.
pub type Assignment<'a> = (&'a str, &'a str);

/// The whole name of a key that may be a short one.
pub(in crate::config) fn whole_name(key: &str) -> &str {
    SHORT.iter().find(|(short, _)| *short == key).map_or(key, |(_, path)| path)
}

/// What an error about a key begins with that there is not.
const UNKNOWN: &str = "unknown field";

/// That there is no such key, and which are near it; of a block the keys that it has, which `problem` tells.
fn unknown(path: &str, problem: &str) -> String {
    if ["encoder", "decoder"].contains(&section(path)) {
        return suggested(problem);
    }
    let keys = KEYS.iter().map(|key| key.path).chain(SHORT.iter().map(|(short, _)| *short)).chain([WIDTH]);
    format!("there is no key '{path}'; the nearest are {}", nearest(path, keys).join(", "))
}

/// The first table that a key is in, or the key itself.
fn section(key: &str) -> &str {
    whole_name(key).split('.').next().unwrap_or_default()
}

/// The model that alone has this section by itself.
fn model_of(section: &str) -> Option<&'static str> {
    let has = |model: &&&str| {
        let file = model_file(model).ok().and_then(|file| toml::from_str::<Table>(file).ok());
        file.is_some_and(|file| file.get(section).is_some_and(Value::is_table))
    };
    // What the first model has, every model may have.
    let common = RunConfig::model(MODELS[0]).ok()?.table().ok()?.contains_key(section);
    MODELS.iter().find(has).copied().filter(|_| !common)
}

/// Puts a value, or a table over what is there, where a key belongs; `alone` takes away what stands beside it.
fn place(table: &mut Table, path: &str, value: Value, alone: bool) -> Result<(), String> {
    let mut inner = table;
    let mut names: Vec<&str> = path.split('.').collect();
    let last = names.pop().unwrap_or_default();
    let mut names = names.into_iter();
    while let Some(name) = names.next() {
        // A table that is not there yet begins with its defaults, if there is such a one.
        let next = match inner.entry(name).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(next) => Some(next),
            // A layer, by its number from 1.
            Value::Array(items) => {
                let number = names.next().and_then(|number| number.parse::<usize>().ok());
                let index = number.and_then(|number| number.checked_sub(1));
                index.and_then(|index| items.get_mut(index)).and_then(Value::as_table_mut)
            }
            _ => None,
        };
        inner = next.ok_or_else(|| format!("there is no key '{path}' here"))?;
    }
    if alone {
        inner.clear();
    }
    // What is not there has no value yet, or means nothing, which is refused by whoever reads the table.
    merge(inner, Table::from_iter([(last.to_string(), value)]));
    Ok(())
}

impl RunConfig {
    /// Sets one key, such as `entropy.alpha` or its short name `alpha`, to a value as TOML has it; the quotes
    /// of a word may be left out.
    ///
    /// # Errors
    /// When there is no such key, or the value means nothing to it; the message begins with `flag`.
    pub fn set(&mut self, flag: &str, key: &str, value: &str) -> Result<()> {
        self.set_all(flag, &[(key, value)])
    }

    /// Sets keys, one after the other. Those of a section that this configuration does not have make it together.
    ///
    /// # Errors
    /// As [`set`](Self::set), and when a section that it does not have is not complete.
    pub fn set_all(&mut self, flag: &str, assignments: &[Assignment<'_>]) -> Result<()> {
        let mut waiting: Vec<Assignment<'_>> = Vec::new();
        let mut incomplete = None;
        for &(key, value) in assignments {
            waiting.push((key, value));
            let is_near = |(other, _): &&Assignment<'_>| section(other) == section(key);
            let together: Vec<Assignment<'_>> = waiting.iter().filter(is_near).copied().collect();
            match self.set_together(&together) {
                Ok(()) => waiting.retain(|(other, _)| section(other) != section(key)),
                Err(problem) => {
                    let error = Error::Usage(format!("{flag} {key}={value}: {problem}"));
                    // What is missing may be among what follows.
                    if !problem.starts_with(MISSING) || self.table()?.contains_key(section(key)) {
                        return Err(error);
                    }
                    incomplete = Some(problem);
                }
            }
        }
        match (waiting.first(), incomplete) {
            (Some((key, value)), Some(problem)) => {
                let error = Error::Usage(format!("{flag} {key}={value}: {problem}"));
                Err(self.belonging(flag, assignments, problem).unwrap_or(error))
            }
            _ => Ok(()),
        }
    }

    /// The error of what another model's section, which these assignments have made, cannot be beside; `self` is the
    /// configuration without them.
    #[must_use]
    pub fn beside_other_section(&self, flag: &str, assignments: &[Assignment<'_>], error: Error) -> Error {
        let problem = error.to_string();
        let about = |(key, _): &Assignment<'_>| problem.starts_with(section(key));
        match error {
            // What is wrong with a value of the section is wrong in every model.
            Error::Usage(_) if !assignments.iter().any(about) => {
                self.belonging(flag, assignments, problem).unwrap_or(error)
            }
            error => error,
        }
    }

    /// An error that says whose the first section is that this configuration does not have; none if it has all.
    fn belonging(&self, flag: &str, assignments: &[Assignment<'_>], problem: String) -> Option<Error> {
        let mut owners = assignments.iter().map(|(key, value)| (key, value, self.owner(section(key))));
        let (key, value, belongs) = owners.find_map(|(key, value, owner)| Some((key, value, owner?)))?;
        Some(Error::Usage(format!("{flag} {key}={value}: {belongs}; {problem}")))
    }

    /// In words, whose section this is that the configuration does not have and one other model has; else none.
    pub(super) fn owner(&self, section: &str) -> Option<String> {
        let model = model_of(section).filter(|_| !self.table().is_ok_and(|own| own.contains_key(section)))?;
        Some(format!("[{section}] belongs to --model {model}, and this is {}", self.model))
    }

    fn set_together(&mut self, assignments: &[Assignment<'_>]) -> Result<(), String> {
        let written = |error: Error| error.to_string();
        let (mut beside, mut alone) = (self.table().map_err(written)?, self.table().map_err(written)?);
        let mut is_kind = false;
        for &(key, value) in assignments {
            if key == WIDTH {
                return self.set_width(value);
            }
            let path = whole_name(key);
            if ["model", "recipe"].contains(&path) {
                return Err(format!("--{path} chooses it, and all that comes with it"));
            }
            let parsed: Option<Table> = toml::from_str(&format!("value = {value}")).ok();
            let word = || Value::String(value.into());
            let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(word);
            let of_kind = path.ends_with(".kind");
            is_kind |= of_kind;
            place(&mut beside, path, value.clone(), false).map_err(|problem| unknown(path, &problem))?;
            place(&mut alone, path, value, of_kind)?;
        }
        let done = self.replace(beside);
        // Another kind of a thing may have other keys than the one it was.
        let done = if is_kind { done.or_else(|_| self.replace(alone)) } else { done };
        done.map_err(|problem| match assignments {
            // Which of several it is about is not known.
            [(key, _)] if problem.starts_with(UNKNOWN) => unknown(whole_name(key), &problem),
            _ => suggested(&problem),
        })
    }

    fn set_width(&mut self, value: &str) -> Result<(), String> {
        let expected = || "expected the number of neurons of the code layer".to_string();
        let code = self.encoder.iter_mut().rev().find_map(BlockConfig::as_linear_mut).ok_or_else(expected)?;
        code.linear = value.parse().map_err(|_| expected())?;
        Ok(())
    }

    fn replace(&mut self, table: Table) -> Result<(), String> {
        *self = table.try_into().map_err(|error: toml::de::Error| error.message().trim_end().to_string())?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn set(model: &str, assignments: &[Assignment<'_>]) -> Result<RunConfig> {
        let mut config = RunConfig::model(model)?;
        config.set_all("--set", assignments)?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn keys_of_a_section_that_is_not_there_make_it_together() {
        let config = set("vae", &[("dropout.rate", "0.1"), ("lr", "0.01"), ("dropout.layers", "[1]")]).unwrap();
        let dropout = config.dropout.unwrap();
        assert_eq!((dropout.rate, dropout.layers, config.lr), (0.1, vec![1], 0.01));
        let message = set("vae", &[("dropout.rate", "0.1"), ("lr", "0.01")]).unwrap_err().to_string();
        let belongs = "--set dropout.rate=0.1: [dropout] belongs to --model dropout, and this is vae; missing field";
        assert!(message.starts_with(belongs), "{message}");
    }

    #[test]
    fn a_table_is_written_over_the_one_that_is_there() {
        let config = set("cluster", &[("optimiser", "{ clip = 2.0 }")]).unwrap();
        assert_eq!((config.optimiser.clip, config.optimiser.weight_decay), (Some(2.0), Some(0.01)));
        let config = set("entropic", &[("entropy.schedule", "{ kind = \"warm-up\", to = 2.0 }")]).unwrap();
        assert_eq!(config.entropy.schedule, crate::config::Schedule::WarmUp { from: 0.0, to: 2.0 });
    }

    #[test]
    fn what_a_section_cannot_be_beside_says_whose_it_is() {
        let before = RunConfig::model("entropic").unwrap();
        let assignments = [("clustering.balance", "1")];
        let mut config = before.clone();
        config.set_all("--set", &assignments).unwrap();
        let error = before.beside_other_section("--set", &assignments, config.check().unwrap_err()).to_string();
        assert!(error.starts_with("--set clustering.balance=1: [clustering] belongs to --model cluster"), "{error}");
        // A value that is wrong in every model is named as it is.
        let wrong = [("huber.delta", "0"), ("dropout", "{ rate = 2.0, layers = [1] }")];
        for assignment in wrong {
            let mut config = before.clone();
            config.set_all("--set", &[assignment]).unwrap();
            let problem = config.check().unwrap_err().to_string();
            let same = before.beside_other_section("--set", &[assignment], Error::Usage(problem.clone()));
            assert_eq!(same.to_string(), problem);
        }
    }
}
