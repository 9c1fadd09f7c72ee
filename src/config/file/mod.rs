//! Configurations as files: keys over what they do not mention, the models there are, lines for errors.

mod keys;
mod models;
mod places;

pub use models::{MODELS, model_file};
#[cfg(feature = "native")]
pub use places::in_file;
