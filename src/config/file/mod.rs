//! Configurations as files: keys over what they do not mention, the models there are, lines for errors.

mod all;
mod block_keys;
mod keys;
mod meaning;
mod models;
mod places;
mod setting;
mod suggestion;

pub use models::{MODELS, model_file};
#[cfg(feature = "native")]
pub use places::in_file;
pub use setting::Assignment;
pub(in crate::config) use setting::whole_name;

#[cfg(test)]
mod tests;
