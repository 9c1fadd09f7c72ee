//! A single picture of any size, to a file and back.

use std::path::{Path, PathBuf};

use gpu_ae::coding::file::{Picture, Refused, Written};
use gpu_ae::data::format::image::{Pixels, read_picture};
use gpu_ae::report::write_png;
use gpu_ae::study::pictures::fidelity::{mse, psnr};
use gpu_ae::study::pictures::{PictureCode, channels};
use gpu_ae::train::{Checkpoint, Tuning};
use gpu_ae::{Error, Result, whole_file};
use image::RgbImage;
use serde::Serialize;

use crate::cli::flags::open_device;
use crate::cli::output::{say, say_json};
use crate::cli::terminal::table;
use crate::cli::trained::RunFlags;

/// What the file of a picture costs, and how well it comes back.
#[derive(Serialize)]
struct Compressed {
    width: usize,
    height: usize,
    /// Width and height of a tile, and how many there are.
    tile: [usize; 2],
    tiles: usize,
    bytes: usize,
    bits_per_pixel: f64,
    /// By the tables, side codes among them.
    estimated_bytes: f64,
    estimated_bits_per_pixel: f64,
    /// The side codes' share of that.
    side_bits_per_pixel: f64,
    /// None where it comes back as it was.
    psnr: Option<f64>,
    model: String,
    out: PathBuf,
}

/// Compresses the picture of a file, in tiles with no side longer than `longest`, or than the images that the network was trained on.
pub fn compress(
    run: &RunFlags,
    checkpoint: &Checkpoint,
    path: &Path,
    longest: Option<usize>,
    out: PathBuf,
    json: bool,
) -> Result<()> {
    let of_run = |error: Error| match error {
        Error::Usage(problem) => Error::input(&run.run, problem),
        other => other,
    };
    let pixels = read_picture(path, channels(checkpoint).map_err(of_run)?, &checkpoint.config.data)?;
    let size = [pixels.height, pixels.width];
    let code = PictureCode::new(checkpoint, size, longest).map_err(|error| match error {
        Error::Usage(problem) => Error::input(path, problem),
        other => other,
    })?;
    let device = open_device(&checkpoint.config.device, run.quiet || json)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let (Written { bytes, bits, side_bits, .. }, restored) = code.compress(device, &choices, &pixels)?;
    whole_file::write(&out, &bytes, "write the codes")?;
    let picture = code.picture();
    let [height, width] = picture.size;
    let per_pixel = |bits: f64| bits / picture.pixels() as f64 + 0.0;
    let psnr = psnr(mse(&pixels.values, &restored.values));
    let compressed = Compressed {
        width,
        height,
        tile: [picture.tile[1], picture.tile[0]],
        tiles: picture.tiles(),
        bytes: bytes.len(),
        bits_per_pixel: per_pixel(8.0 * bytes.len() as f64),
        estimated_bytes: (bits + side_bits) / 8.0,
        estimated_bits_per_pixel: per_pixel(bits + side_bits),
        side_bits_per_pixel: per_pixel(side_bits),
        psnr: psnr.is_finite().then_some(psnr),
        model: code.code().identity().to_string(),
        out,
    };
    if json {
        return say_json(&compressed);
    }
    if !run.quiet {
        tell(&compressed);
        run.wrote(&compressed.out);
    }
    Ok(())
}

/// Prints what a picture costs.
fn tell(it: &Compressed) {
    let Compressed { width, height, tile: [across, down], tiles, .. } = it;
    let plural = if *tiles == 1 { "" } else { "s" };
    say(&format!("a picture of {width} x {height} pixels in {tiles} tile{plural} of {across} x {down}"));
    let line = |what: &str, bytes: f64, per_pixel: f64| {
        vec![what.to_string(), format!("{bytes:.0}"), format!("{per_pixel:.4}")]
    };
    let side_bytes = it.side_bits_per_pixel * (width * height) as f64 / 8.0;
    let lines = [
        line("file", it.bytes as f64, it.bits_per_pixel),
        line("by the tables", it.estimated_bytes, it.estimated_bits_per_pixel),
        line("of that side codes", side_bytes, it.side_bits_per_pixel),
    ];
    say(&table(&["", "bytes", "bits a pixel"], &lines));
    say(&match it.psnr {
        Some(psnr) => format!("it comes back with a PSNR of {psnr:.2} dB"),
        None => "it comes back as it was".to_string(),
    });
}

/// What a picture's file held, and where it went.
#[derive(Serialize)]
struct Decompressed {
    width: usize,
    height: usize,
    tiles: usize,
    of: &'static str,
    model: String,
    out: PathBuf,
}

/// Makes a picture of a file's bytes again.
pub fn decompress(
    run: &RunFlags,
    checkpoint: &Checkpoint,
    (codes, bytes): (&Path, &[u8]),
    code: &PictureCode,
    out: PathBuf,
    json: bool,
) -> Result<()> {
    let device = open_device(&checkpoint.config.device, run.quiet || json)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let restored = code.restore(device, &choices, bytes)?;
    let pixels = restored.map_err(|problem: Refused| Error::input(codes, problem.to_string()))?;
    write_picture(&out, &pixels)?;
    let picture: Picture = code.picture();
    let [height, width] = picture.size;
    if json {
        let (tiles, model) = (picture.tiles(), code.code().identity().to_string());
        return say_json(&Decompressed { width, height, tiles, of: "picture", model, out });
    }
    if !run.quiet {
        say(&format!("wrote {}: {width} x {height} pixels", out.display()));
    }
    Ok(())
}

/// Writes pixels, grey or coloured, as a PNG file.
fn write_picture(path: &Path, pixels: &Pixels) -> Result<()> {
    let values = match pixels.channels {
        1 => pixels.values.iter().flat_map(|&grey| [grey; 3]).collect(),
        _ => pixels.values.clone(),
    };
    let image = RgbImage::from_raw(pixels.width as u32, pixels.height as u32, values);
    let image = image.ok_or_else(|| Error::Failed(format!("{}: its pixels are not as many", path.display())))?;
    write_png(path, &image)
}
