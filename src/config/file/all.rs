//! A configuration with every key that there is and what it means: where one's own begins.

use serde::Serialize;
use toml::{Table, Value};

use super::block_keys::BLOCKS;
use super::keys::merge;
use super::meaning::{KEYS, Key};
use crate::config::{EntropyConfig, MODELS, RunConfig};
use crate::error::{Error, Result};
use crate::nn::BlockConfig;

/// Column at which meanings begin, where the value leaves room.
const MEANINGS: usize = 32;

/// The network as a file spells it.
#[derive(Serialize)]
struct Network<'a> {
    encoder: &'a [BlockConfig],
    decoder: &'a [BlockConfig],
}

/// What a file need not say because it is the default.
#[derive(Serialize)]
struct Unsaid {
    lambda_mse: f32,
    lambda_entropy: f32,
    tied: bool,
    entropy: EntropyConfig,
}

fn failed(error: toml::ser::Error) -> Error {
    Error::Failed(format!("the configuration cannot be written: {error}"))
}

/// A table of what TOML makes of a value: numbers as short as they are written.
fn table(value: &impl Serialize) -> Result<Table> {
    let text = toml::to_string(value).map_err(failed)?;
    toml::from_str(&text).map_err(|error| Error::Failed(format!("the configuration cannot be read again: {error}")))
}

/// The value of a key behind the names of its tables, in a line.
fn value(table: &Table, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    match table.get(name)? {
        Value::Table(inner) => value(inner, rest),
        value => Some(value.to_string()).filter(|_| rest.is_empty()),
    }
}

/// A line of the file, behind a `#` if the configuration does not say it.
fn line(said: bool, name: &str, value: &str, meaning: &str) -> String {
    let mark = if said { "" } else { "# " };
    format!("{:<MEANINGS$}  # {meaning}\n", format!("{mark}{name} = {value}"))
}

impl RunConfig {
    /// The configuration as a file with every key there is, each with its meaning in a line; what this configuration does
    /// not say, other models' sections among it, stands behind a `#` with a value that it could have.
    ///
    /// # Errors
    /// Never for a configuration that passes [`check`](Self::check).
    pub fn with_meanings(&self) -> Result<String> {
        let unsaid = Unsaid { lambda_mse: 0.0, lambda_entropy: 0.0, tied: false, entropy: EntropyConfig::default() };
        let mut own = table(&unsaid)?;
        merge(&mut own, table(self)?);
        let others = MODELS.iter().map(|model| table(&RunConfig::model(model)?)).collect::<Result<Vec<Table>>>()?;

        let (mut text, mut section) = (String::new(), "");
        let mut rest = KEYS;
        while let Some(first) = rest.first() {
            let of = |key: &Key| key.path.rsplit_once('.').map_or("", |(section, _)| section);
            let (keys, behind) = rest.split_at(rest.iter().take_while(|key| of(key) == of(first)).count());
            rest = behind;
            if of(first) != section {
                section = of(first);
                let mark = if keys.iter().any(|key| value(&own, key.path).is_some()) { "" } else { "# " };
                text += &format!("\n{mark}[{section}]\n");
            }
            for key in keys {
                let name = key.path.rsplit('.').next().unwrap_or_default();
                let (said, shown) = match value(&own, key.path) {
                    // Blocks are tables of their own, at the end of the file; a half without any is a line.
                    Some(value) if ["encoder", "decoder"].contains(&key.path) && value != "[]" => continue,
                    Some(value) => (true, value),
                    None => {
                        (false, others.iter().find_map(|other| value(other, key.path)).unwrap_or(key.example.into()))
                    }
                };
                text += &line(said, name, &shown, key.meaning);
            }
        }
        text += "\n# Blocks, each an [[encoder]] or a [[decoder]], by the key that says what it is:\n";
        for key in BLOCKS {
            text += &line(false, &format!("  {}", key.path), key.example, key.meaning);
        }
        let network = Network { encoder: &self.encoder, decoder: &self.decoder };
        let blocks = toml::to_string(&network).map_err(failed)?;
        let mut tables = blocks.find("[[").map_or(String::new(), |place| blocks[place..].to_string());
        for key in KEYS.iter().filter(|key| ["encoder", "decoder"].contains(&key.path)) {
            let table = format!("[[{}]]", key.path);
            tables = tables.replacen(&table, &format!("# {}\n{table}", key.meaning), 1);
        }
        Ok(format!("{text}\n{tables}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::RECIPES;

    fn read(text: &str) -> RunConfig {
        RunConfig::parse(text, "config.toml".as_ref(), None, None).unwrap()
    }

    #[test]
    fn every_model_reads_back_from_a_file_with_every_key() {
        for model in MODELS {
            let config = RunConfig::model(model).unwrap().settled();
            let text = config.with_meanings().unwrap();
            assert_eq!(read(&text), config, "{text}");
            for key in KEYS {
                assert!(text.contains(key.meaning), "{model}: {} is not in {text}", key.path);
            }
        }
    }

    /// What is commented out is what one may write: with the marks taken away, a section is read.
    #[test]
    fn examples_are_values_of_their_keys() {
        for key in KEYS.iter().filter(|key| !key.example.is_empty()) {
            let mut config = RunConfig::base(Some("cluster"), None).unwrap();
            let kinds =
                [("step", "lr_schedule.every"), ("step", "lr_schedule.factor"), ("cosine", "lr_schedule.floor")];
            for (kind, _) in kinds.iter().filter(|(_, path)| *path == key.path) {
                config.set("--set", "lr_schedule.kind", kind).unwrap();
            }
            if let Some((_, name)) = key.path.split_once("entropy.schedule.") {
                let kind = if ["from", "to"].contains(&name) { "warm-up" } else { "budget" };
                config.set("--set", "entropy.schedule.kind", kind).unwrap();
            }
            if key.path.starts_with("classifier") {
                config = RunConfig::model("classifier").unwrap();
            }
            config.set("--set", key.path, key.example).unwrap();
        }
        for key in BLOCKS.iter().filter(|key| !key.meaning.starts_with("beside")) {
            let kernel = if key.path.starts_with("conv") { "kernel = 3\n" } else { "" };
            let text = format!("[[encoder]]\n{} = {}\n{kernel}", key.path, key.example);
            toml::from_str::<RunConfig>(&text).unwrap();
        }
    }

    /// Values of every kind, sensible and not.
    const VALUES: &[&str] = &[
        "0",
        "1",
        "2",
        "3",
        "7",
        "64",
        "784",
        "-1",
        "0.0",
        "-0.0",
        "0.1",
        "0.5",
        "0.999",
        "1.0",
        "1e-3",
        "1e-45",
        "3.4e38",
        "1e39",
        "inf",
        "-inf",
        "nan",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "true",
        "false",
        "[]",
        "[1]",
        "[1, 2]",
        "[0.1, 0.25]",
        "{}",
        "{ kind = \"constant\" }",
        "[{ linear = 20 }]",
        "a word",
        "\"quoted \\\" \\n\"",
        "mse",
        "loss",
        "elbo",
        "sgd",
        "adamw",
        "lars",
        "adam",
        "step",
        "cosine",
        "constant",
        "warm-up",
        "budget",
        "weights",
        "paths",
        "widths",
        "codes",
        "incoming",
        "product",
        "none",
        "edge",
        "average",
        "document",
        "gaussian",
        "masking",
        "l1",
        "divergence",
        "hutchinson",
        "exact",
        "mmd-rbf",
        "gaussian-diagonal",
        "bernoulli",
        "[\"hebbian\"]",
        "asynchronous",
        "digits",
        "mnist",
        "one-hot-8",
        "cpu",
        "relu",
        "identity",
    ];

    /// Keys of layers, as they are set on a command line.
    const LAYERS: &[&str] =
        &["width", "encoder.1.linear", "encoder.1.activation", "decoder.1.bias", "decoder.2.linear"];

    fn keys() -> Vec<&'static str> {
        KEYS.iter().map(|key| key.path).chain(LAYERS.iter().copied()).collect()
    }

    fn same(config: &RunConfig) {
        let text = config.to_toml().unwrap();
        assert_eq!(read(&text), *config, "config.toml is {text}");
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), *config, "as a checkpoint has it: {text}");
    }

    #[test]
    fn what_a_recipe_would_say_otherwise_is_said() {
        for recipe in RECIPES {
            for (key, value) in [("lambda_entropy", "0"), ("lambda_mse", "0"), ("entropy.schedule.kind", "constant")] {
                let mut config = RunConfig::base(None, Some(recipe)).unwrap();
                config.set("--set", key, value).unwrap();
                if config.check().is_ok() {
                    same(&config);
                    same(&config.settled());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(crate::cases::cases(256))]

        /// Whatever is accepted can be written, read again, and is the same.
        #[test]
        fn what_is_accepted_survives_a_file(
            model in prop::sample::select(MODELS),
            recipe in prop::sample::select(RECIPES),
            set in prop::collection::vec((prop::sample::select(keys()), prop::sample::select(VALUES)), 1..6),
            seed in any::<u64>(),
            lr in any::<f32>(),
        ) {
            let mut config = RunConfig::base(Some(model), Some(recipe)).unwrap();
            // One by one, so that what is refused keeps nothing else from being tried.
            let mut accept = |change: &dyn Fn(&mut RunConfig) -> Result<()>| {
                let mut changed = config.clone();
                if change(&mut changed).and_then(|()| changed.check()).is_ok() {
                    config = changed;
                }
            };
            for (key, value) in &set {
                accept(&|config| config.set("--set", key, value));
            }
            accept(&|config| { config.seed = seed; Ok(()) });
            accept(&|config| { config.lr = lr; Ok(()) });
            same(&config);
            same(&config.settled());
        }
    }
}
