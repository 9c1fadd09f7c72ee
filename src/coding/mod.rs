//! Symbols to bytes and back, the same on every machine: probabilities in integers, and the coder that spends them.
//!
//! Nothing here knows a device or a network, and nothing is computed in floating point once a table stands: what one machine
//! writes another one reads to the same symbols.
//!
//! * [`table`]: probabilities of symbols as shares of 2¹⁶.
//! * [`gaussian`]: the tables of rounded normal distributions, one for each scale and phase of the mean.
//! * [`rans`]: the coder.
//! * [`symbols`]: whole numbers of any size as symbols of a table, with an escape for those that it does not know.
//! * [`hyper_decoder`]: means and scales from a side code, in integers.
//! * [`portable`]: the few functions that tables are computed with; [`cumulative`]: tables of other distributions.
//! * [`prior`]: what a network expects of the symbols of a row, as tables.
//! * [`interleaved`]: several streams at once, by turns; [`file`](mod@file): the file of the codes of many rows.

pub mod cumulative;
pub mod file;
pub mod gaussian;
pub mod hyper_decoder;
pub mod interleaved;
pub mod portable;
pub mod prior;
pub mod rans;
pub mod symbols;
pub mod table;
