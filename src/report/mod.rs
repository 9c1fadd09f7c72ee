//! What people look at after a run: pictures for the run folder, tables for the terminal.
//!
//! The pictures are made in memory ([`reconstruction_grid`], [`loss_plot`]) and written by
//! [`write_png`]; their text is set in an embedded font, so that they look the same on a server
//! without any fonts.

mod axis;
mod canvas;
pub mod features;
pub mod fitted;
mod fold;
pub mod grid;
pub mod line;
pub mod loss;
mod marks;
pub mod matrix;
pub mod plot;
pub mod png;
pub mod sheet;
pub mod table;
mod text;
pub mod weights;

pub use features::{Features, feature_grid};
pub use fitted::fitted_table;
pub use grid::{Band, image_grid, reconstruction_grid};
pub use loss::{Curves, loss_plot};
pub use marks::{Mark, Marked, marked_plot};
pub use matrix::Matrix;
pub use plot::{Series, line_plot, scatter_plot};
pub use png::{check_png, write_png};
pub use sheet::{Strip, image_sheet};
pub use table::{format_number, text_table};
pub use weights::weight_picture;
