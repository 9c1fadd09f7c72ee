//! Images of what a network makes of a few test rows, or of codes, epoch by epoch.

use std::sync::Arc;

use gpu_ae::data::{Dataset, Encoding};
use gpu_ae::device::wait;
use gpu_ae::report::Strip;
use gpu_ae::report::screen::{Depth, Pictures};
use gpu_ae::train::Session;

use super::Shared;
use crate::cli::launch::Launched;
use crate::cli::pictures::random_codes;

/// Images that are seen at most.
const IMAGES: usize = 8;

/// What images are made of.
enum Made {
    /// Rows as the network sees them.
    Rows(Vec<f32>),
    Codes(Vec<f32>),
}

/// Has a run show images of what its network makes, where it makes any and the terminal has colours.
pub fn show(launched: &mut Launched, shared: &Arc<Shared>) {
    let Launched { run, config, data, .. } = launched;
    let is_picture = data.encoding.columns.is_none() && data.image().height > 1;
    let (Some(depth), true, true) = (depth(), is_picture, config.makes_rows()) else { return };
    let strip = |caption: &str, pixels: Vec<f32>| Strip { caption: caption.into(), headings: Vec::new(), pixels };
    let (made, strips) = if config.reconstructs() {
        let rows = some_rows(data);
        let originals = strip("originals", data.encoding.shown(&rows));
        (Made::Rows(rows), vec![originals, strip("reconstructions", Vec::new())])
    } else {
        (Made::Codes(random_codes(config, IMAGES)), vec![strip("images that nobody drew", Vec::new())])
    };
    let mut pictures = Pictures { image: data.image(), strips, depth };
    shared.change(|seen| seen.picture(Arc::new(pictures.clone())));
    let (shared, encoding) = (Arc::clone(shared), data.encoding.clone());
    run.show_network(move |session| {
        let pixels = images(session, &made, &encoding)?;
        if let Some(strip) = pictures.strips.last_mut() {
            strip.pixels = pixels;
        }
        shared.change(|seen| seen.picture(Arc::new(pictures.clone())));
        Ok(())
    });
}

/// Test rows from all over their file, whose first ones need not be like the rest.
fn some_rows(data: &Dataset) -> Vec<f32> {
    let (all, count) = (data.test.rows, IMAGES.min(data.test.rows));
    (0..count).map(|number| number * all / count).flat_map(|row| data.test.values(row..row + 1)).collect()
}

fn images(session: &mut Session, made: &Made, encoding: &Encoding) -> gpu_ae::Result<Vec<f32>> {
    let encoded = match made {
        Made::Rows(rows) => &wait(session.encode(rows))?,
        Made::Codes(codes) => codes,
    };
    Ok(encoding.shown(&wait(session.decode(encoded))?))
}

/// The colours that the terminal says it has; nothing where it is to have none.
fn depth() -> Option<Depth> {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if said("NO_COLOR").is_some() {
        return None;
    }
    match said("COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => Some(Depth::Full),
        _ => Some(Depth::Table),
    }
}
