//! What people look at after a run: pictures for the run folder, tables for the terminal.
//!
//! The pictures are made in memory ([`reconstruction_grid`], [`loss_plot`]) and written by
//! [`write_png`]; their text is set in an embedded font, so that they look the same on a server
//! without any fonts.

pub mod bars;
mod chart;
pub mod features;
pub mod fitted;
mod fold;
pub mod grid;
pub mod heat;
pub mod line;
pub mod loss;
pub mod matrix;
pub mod page;
pub mod plot;
pub mod png;
mod printable;
pub mod screen;
pub mod sheet;
pub mod table;
mod text;
mod thumbnail;
pub mod weights;
pub mod widths;

pub use bars::{Bar, bar_picture};
pub use chart::{Mark, Marked, marked_plot};
pub use features::{Features, feature_grid};
pub use fitted::fitted_table;
pub use fold::{brief, wrapped};
pub use grid::{Band, image_grid, reconstruction_grid};
pub use heat::{Heat, heat_picture};
pub use loss::{Curves, Losses, loss_plot};
pub use matrix::Matrix;
pub use page::{Chart, Section, is_page, page};
pub use plot::{Colors, Plot, Series, line_plot, line_plots, scatter_plot, share_plot};
pub use png::{check_png, png_bytes, write_png};
pub use printable::{printable, printable_line};
pub use sheet::{Strip, image_sheet};
pub use table::{format_number, text_table};
pub use weights::weight_picture;
pub use widths::width_plot;
