//! A picture of any size through a network that was trained on images of one size, tile by tile.
//!
//! A network of convolutions alone is built anew for tiles of another size with the same parameters; of any other one tiles have the
//! size that it was trained on. That is also what tiles are no larger than if nothing is said: behind zeros around an image a network
//! has learnt what comes of them, and larger tiles have fewer of these than it knows. Each tile is coded by itself, so at their edges reconstructions may not meet: nothing is blended.

use crate::coding::file::{Header, Picture, Refused, Written};
use crate::config::RunConfig;
use crate::data::ImageShape;
use crate::data::format::image::Pixels;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::model::part::{Part, coded_shape};
use crate::plan::Choices;
use crate::study::lone_part::LonePart;
use crate::study::symbols::Code;
use crate::train::Checkpoint;

/// Pixels that pass through a network at a time, unless one tile has more.
const PIXELS_AT_ONCE: usize = 1 << 18;
/// Most tiles at a time.
const TILES_AT_ONCE: usize = 64;

/// A network on its way through a picture.
pub struct PictureCode {
    /// The network for tiles of the picture.
    checkpoint: Checkpoint,
    code: Code,
    picture: Picture,
    channels: usize,
}

/// Channels of the pictures that the network of a checkpoint codes.
///
/// # Errors
/// When it codes none, or not bytes as shares of 255.
pub fn channels(checkpoint: &Checkpoint) -> Result<usize> {
    let config = &checkpoint.config;
    let Some([_, _, channels]) = config.images().filter(|_| config.coded_pixels().is_some()) else {
        let problem =
            "expected a network that reconstructs images and codes them by [rate], such as one of --model codec";
        return Err(Error::Usage(problem.into()));
    };
    let is_of_bytes = checkpoint.encoding.as_ref().is_none_or(|it| it.is_unit() && it.scale.is_empty());
    match is_of_bytes {
        true => Ok(channels),
        false => Err(Error::Usage("expected a network whose rows are bytes from black to white, not scaled".into())),
    }
}

/// The size of a tile along an axis: as few tiles as none longer than `longest` are, all of the same size, a multiple of `unit`.
fn side(extent: usize, longest: usize, unit: usize) -> usize {
    let longest = (longest / unit).max(1) * unit;
    extent.div_ceil(extent.div_ceil(longest)).next_multiple_of(unit)
}

impl PictureCode {
    /// For a picture of this height and width, in tiles with no side longer than that, or than the images that the network was
    /// trained on.
    ///
    /// # Errors
    /// When the network codes no pictures, or the picture is larger than a file holds.
    pub fn new(checkpoint: &Checkpoint, size: [usize; 2], longest: Option<usize>) -> Result<Self> {
        channels(checkpoint)?;
        let own = checkpoint.config.images().map_or([1; 2], |[height, width, _]| [height, width]);
        let tile = match checkpoint.config.code_stride() {
            Some(stride) => {
                let patch = patch(&checkpoint.config)?;
                [0, 1].map(|axis| side(size[axis].max(1), longest.unwrap_or(own[axis]), stride[axis] * patch))
            }
            None => own,
        };
        let picture = Picture::new(size, tile).map_err(|problem| Error::Usage(problem.to_string()))?;
        PictureCode::of(checkpoint, picture)
    }

    /// For the picture of a file, if this network made it and it has one.
    ///
    /// # Errors
    /// When the file is no file of codes, its header is damaged, or another network made it.
    pub fn of_file(checkpoint: &Checkpoint, bytes: &[u8]) -> Result<Result<Option<Self>, Refused>> {
        let header = match Header::take(&mut &bytes[..]) {
            Ok((header, _)) => header,
            Err(refused) => return Ok(Err(refused)),
        };
        let expected = Code::of(checkpoint)?.identity();
        if header.model != expected {
            return Ok(Err(Refused::Model { found: header.model, expected }));
        }
        let Some(picture) = header.picture else { return Ok(Ok(None)) };
        PictureCode::of(checkpoint, picture).map(|code| Ok(Some(code)))
    }

    fn of(checkpoint: &Checkpoint, picture: Picture) -> Result<Self> {
        let channels = channels(checkpoint)?;
        let checkpoint =
            Checkpoint { config: tiled(&checkpoint.config, picture.tile, channels)?, ..checkpoint.clone() };
        Ok(PictureCode { code: Code::of(&checkpoint)?, checkpoint, picture, channels })
    }

    /// The network for tiles.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The code of a tile.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The picture, and its tiles.
    pub fn picture(&self) -> Picture {
        self.picture
    }

    /// Makes a file of a picture; with it the picture that comes back of the file.
    ///
    /// # Errors
    /// When it is another picture than this code is for, the device fails, or a number is beyond what a file holds.
    pub fn compress(&self, device: Box<dyn Device>, choices: &Choices, pixels: &Pixels) -> Result<(Written, Pixels)> {
        if [pixels.height, pixels.width] != self.picture.size || pixels.channels != self.channels {
            return Err(Error::Failed("the picture is not the one that the tiles were made for".into()));
        }
        let mut part = self.part(device, choices, Part::Symbols)?;
        let with = (&self.checkpoint, choices);
        let written = self.code.compress_picture(&mut part, with, self.picture, |part| {
            let mut all = Vec::new();
            for first in (0..self.picture.tiles()).step_by(self.at_once()) {
                let last = self.picture.tiles().min(first + self.at_once());
                let mut tiles = Vec::new();
                (first..last).for_each(|number| cut(pixels, self.picture, number, &mut tiles));
                all.extend(part.run(&tiles)?);
            }
            Ok(all)
        })?;
        part.turn(&self.checkpoint, choices, Part::Restore)?;
        let restored = self.restored(&mut part, &written.bytes)?;
        Ok((written, restored.map_err(|problem| Error::Failed(problem.to_string()))?))
    }

    /// The picture of a file.
    ///
    /// # Errors
    /// The outer one when the device fails, the inner one when the file is not to be read.
    pub fn restore(&self, device: Box<dyn Device>, choices: &Choices, bytes: &[u8]) -> Result<Result<Pixels, Refused>> {
        self.restored(&mut self.part(device, choices, Part::Restore)?, bytes)
    }

    fn restored(&self, part: &mut LonePart, bytes: &[u8]) -> Result<Result<Pixels, Refused>> {
        let [height, width] = self.picture.size;
        let mut pixels = Pixels { width, height, channels: self.channels, values: Vec::new() };
        pixels.values.resize(height * width * self.channels, 0);
        let values_of_tile = self.picture.tile.iter().product::<usize>() * self.channels;
        let mut reader = match self.code.reader(bytes) {
            Ok(reader) => reader,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut number = 0;
        loop {
            let symbols: Vec<f32> = match reader.block() {
                Ok(Some(symbols)) => symbols.into_iter().map(|symbol| symbol as f32).collect(),
                Ok(None) => return Ok(Ok(pixels)),
                Err(refused) => return Ok(Err(refused)),
            };
            for some in symbols.chunks(self.at_once() * self.code.symbols()) {
                for tile in part.run(some)?.chunks_exact(values_of_tile) {
                    join(tile, self.picture, number, &mut pixels);
                    number += 1;
                }
            }
        }
    }

    fn part(&self, device: Box<dyn Device>, choices: &Choices, which: Part) -> Result<LonePart> {
        LonePart::open_for(device, &self.checkpoint, choices, which, self.at_once())
    }

    /// Tiles that pass through the network at a time.
    fn at_once(&self) -> usize {
        let of_tile = self.picture.tile.iter().product::<usize>();
        (PIXELS_AT_ONCE / of_tile).clamp(1, TILES_AT_ONCE).min(self.picture.tiles())
    }
}

/// Pixels of a map that a cell of its side code tells of, 1 where there is none.
fn patch(config: &RunConfig) -> Result<usize> {
    let features = config.images().map_or(0, |image| image.iter().product());
    let side = coded_shape(config, Part::Symbols, features)?.side;
    Ok(side.filter(|side| side.is_map).map_or(1, |side| side.factor))
}

/// A network's configuration for tiles of this size.
fn tiled(config: &RunConfig, [height, width]: [usize; 2], channels: usize) -> Result<RunConfig> {
    if config.images() == Some([height, width, channels]) {
        return Ok(config.clone());
    }
    let resized = config.resized(ImageShape { height, width, channels });
    let mut resized = resized.ok_or_else(|| {
        let own = config.images().map_or_else(String::new, |[height, width, _]| format!("{width} x {height}"));
        Error::Usage(format!("tiles of {width} x {height} pixels: expected {own}, as the network was trained on"))
    })?;
    let patch = patch(config)?;
    if let Some(rate) = &mut resized.rate {
        rate.patch = patch;
    }
    Ok(resized)
}

/// Where the tile of this number begins: its first row and column of pixels.
fn begin(picture: Picture, number: usize) -> [usize; 2] {
    let [_, across] = picture.grid();
    [number / across * picture.tile[0], number % across * picture.tile[1]]
}

/// Adds the values of a tile, from 0 to 1, the last pixels of the picture over and over where it ends.
fn cut(pixels: &Pixels, picture: Picture, number: usize, tiles: &mut Vec<f32>) {
    let ([top, left], [height, width]) = (begin(picture, number), picture.tile);
    for y in (top..top + height).map(|y| y.min(pixels.height - 1)) {
        let row = &pixels.values[y * pixels.width * pixels.channels..][..pixels.width * pixels.channels];
        for x in (left..left + width).map(|x| x.min(pixels.width - 1)) {
            tiles.extend(row[x * pixels.channels..][..pixels.channels].iter().map(|&byte| f32::from(byte) / 255.0));
        }
    }
}

/// Puts what of a tile lies within the picture where it belongs.
fn join(tile: &[f32], picture: Picture, number: usize, pixels: &mut Pixels) {
    let ([top, left], [height, width]) = (begin(picture, number), picture.tile);
    let channels = pixels.channels;
    let [height, shown] = [height.min(pixels.height - top), width.min(pixels.width - left)];
    for y in 0..height {
        let to = &mut pixels.values[((top + y) * pixels.width + left) * channels..][..shown * channels];
        let from = &tile[y * width * channels..][..shown * channels];
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = byte(from));
    }
}

/// The byte that is nearest to a share of 255.
pub(super) fn byte(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_few_and_alike() {
        for (extent, longest, unit, expected) in [
            (1, 256, 32, 32),
            (33, 256, 32, 64),
            (256, 256, 32, 256),
            (257, 256, 32, 160),
            (1000, 256, 32, 256),
            (700, 256, 32, 256),
            (50, 10, 32, 32),
        ] {
            assert_eq!(side(extent, longest, unit), expected, "{extent}");
        }
    }

    /// Whatever the size, what was cut is put together again.
    #[test]
    fn pictures_of_any_size_come_back() {
        for (height, width, channels, tile) in
            [(1, 1, 3, [8, 8]), (33, 7, 1, [16, 8]), (17, 40, 3, [8, 16]), (16, 16, 1, [16, 16])]
        {
            let values = (0..height * width * channels).map(|at| (at * 7 % 251) as u8).collect();
            let pixels = Pixels { width, height, channels, values };
            let picture = Picture::new([height, width], tile).unwrap();
            let mut tiles = Vec::new();
            (0..picture.tiles()).for_each(|number| cut(&pixels, picture, number, &mut tiles));
            let of_tile = tile[0] * tile[1] * channels;
            assert_eq!(tiles.len(), picture.tiles() * of_tile);
            let mut back = Pixels { values: vec![0; pixels.values.len()], ..pixels.clone() };
            for (number, tile) in tiles.chunks_exact(of_tile).enumerate() {
                join(tile, picture, number, &mut back);
            }
            assert_eq!(back, pixels);
            let last = &tiles[tiles.len() - channels..];
            assert_eq!(
                last.iter().map(|&share| byte(share)).collect::<Vec<_>>(),
                pixels.values[pixels.values.len() - channels..]
            );
        }
    }
}
