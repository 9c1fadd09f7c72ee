//! What a run shows while it trains: the screen, and where its time goes.

mod profile;
#[cfg(unix)]
mod screen;
