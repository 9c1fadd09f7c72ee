//! Configurations from files, each over what it does not mention.

use std::path::Path;

use toml::{Table, Value};

use super::places::in_text;
use super::suggestion::suggested;
use crate::config::{RunConfig, Said};
use crate::error::{Error, Result};
use crate::nn::BlockConfig;

/// What an error about a section begins with that is not complete.
pub(super) const MISSING: &str = "missing field";

/// Writes `over` into `under`, table by table. A table that names another kind of the same thing replaces it
/// whole.
pub(super) fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over))
                if over.get("kind").is_none_or(|kind| under.get("kind") == Some(kind)) =>
            {
                merge(under, over);
            }
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// A file as it is written today: the share that is set aside was once no key of `[data]`.
fn modern(mut file: Table) -> Table {
    if let Some(share) = file.remove("validation") {
        let data = match file.remove("data") {
            Some(Value::Table(data)) => data,
            Some(path) => Table::from_iter([("path".to_string(), path)]),
            None => Table::new(),
        };
        let data = Table::from_iter([("validation".to_string(), share)].into_iter().chain(data));
        file.insert("data".into(), Value::Table(data));
    }
    file
}

/// What a file says of its network.
fn said(file: &Table) -> Said {
    file.keys().fold(Said::default(), |said, key| said.or_by(key))
}

/// Refuses what is no block, by its place: a list of them has no line for each.
fn check_blocks(file: &Table) -> Result<()> {
    for half in ["encoder", "decoder"] {
        let blocks = file.get(half).and_then(Value::as_array).into_iter().flatten();
        for (index, block) in blocks.enumerate() {
            let read = |block: Value| -> Result<BlockConfig, toml::de::Error> { block.try_into() };
            let Err(error) = read(block.clone()) else { continue };
            // The key that it would be a block without, or else its first.
            let keys = block.as_table().map_or(Vec::new(), |table| table.keys().cloned().collect());
            let without = |key: &String| {
                let mut block = block.clone();
                block.as_table_mut().map(|table| table.remove(key));
                read(block).is_ok()
            };
            let key =
                keys.iter().find(|key| without(key)).or(keys.first()).map_or(String::new(), |key| format!(".{key}"));
            return Err(Error::Usage(format!("{half}.{}{key}: {}", index + 1, suggested(error.message()))));
        }
    }
    Ok(())
}

impl RunConfig {
    /// Reads a configuration file over the model that it names, or else `model`, and over `recipe`, or else the one
    /// that it names.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, or has a key or value that means nothing; the message
    /// names file and line.
    #[cfg(feature = "native")]
    pub fn read(path: &Path, model: Option<&str>, recipe: Option<&str>) -> Result<Self> {
        let text = crate::whole_file::read_text(path).map_err(Error::io(path, "read"))?;
        Self::parse(&text, path, model, recipe)
    }

    /// What a configuration file says of its network, so that it follows no data.
    ///
    /// # Errors
    /// When the file cannot be read or is no TOML.
    #[cfg(feature = "native")]
    pub fn said(path: &Path) -> Result<Said> {
        let text = crate::whole_file::read_text(path).map_err(Error::io(path, "read"))?;
        let file: Table = toml::from_str(&text).map_err(|error| Error::input(path, error.to_string()))?;
        Ok(said(&file))
    }

    /// Reads a configuration file's text; errors call it by `path`. Else as `read`.
    ///
    /// # Errors
    /// When it is no TOML, or has a key or value that means nothing; the message names file and line.
    pub fn parse(text: &str, path: &Path, model: Option<&str>, recipe: Option<&str>) -> Result<Self> {
        let invalid = |error: &dyn std::fmt::Display| Error::input(path, suggested(&error.to_string()));
        let file: Table = toml::from_str(text).map_err(|error| invalid(&error))?;
        check_blocks(&file).map_err(|error| in_text(path, text, &error))?;
        // Keys and values are checked where they stand, so that an error can name their line; what is missing of a section
        // may be the model's to say.
        let is_modern = !file.contains_key("validation");
        let file = modern(file);
        let alone: Result<RunConfig, toml::de::Error> =
            if is_modern { toml::from_str(text) } else { file.clone().try_into() };
        if let Some(error) = alone.err().filter(|error| !error.message().starts_with(MISSING)) {
            return Err(invalid(&error));
        }
        let named = |key: &str| file.get(key).and_then(Value::as_str);
        let (model, recipe) = (named("model").or(model), recipe.or(named("recipe")));
        let base = RunConfig::base(model, recipe).map_err(|error| invalid(&error))?;
        let mut table = base.table()?;
        let said = said(&file);
        let names: Vec<String> = file.keys().cloned().collect();
        merge(&mut table, file);
        let read: Result<RunConfig, toml::de::Error> = table.try_into();
        let mut config = read.map_err(|error| {
            let is_missing = error.message().starts_with(MISSING);
            let foreign = || names.iter().find_map(|name| Some((name, base.owner(name)?)));
            match is_missing.then(foreign).flatten() {
                Some((section, belongs)) => {
                    let problem = format!("{section}: {belongs}; {}", error.message());
                    in_text(path, text, &Error::Usage(problem))
                }
                None => invalid(&error),
            }
        })?;
        // Flags may name other data yet, so nothing is read of files here.
        if crate::data::is_named(&config.data.path) {
            config.follow_data(said).map_err(|error| in_text(path, text, &error))?;
        }
        config.check().map_err(|error| in_text(path, text, &error))?;
        Ok(config)
    }

    /// A configuration that was stored whole, by this version or one before.
    ///
    /// # Errors
    /// When it is no TOML, or has a key or value that means nothing.
    pub fn stored(text: &str) -> Result<Self, String> {
        let file: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        modern(file).try_into().map_err(|error: toml::de::Error| error.to_string())
    }

    pub(in crate::config) fn table(&self) -> Result<Table> {
        Table::try_from(self).map_err(|error| Error::Failed(format!("the configuration cannot be written: {error}")))
    }
}
