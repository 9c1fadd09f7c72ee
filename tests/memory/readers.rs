//! What the readers of files ask for, whatever a file says of itself: no more than its size times a factor, and a limit that
//! is stated where the reader is. Numbers in good files are made huge, one place after the other.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use gpu_ae::coding::file::{Header, Reader, Refused, write};
use gpu_ae::coding::prior::Kind;
use gpu_ae::data::DataOptions;
use gpu_ae::data::columns::encode;
use gpu_ae::data::format::{array, image, table};
use gpu_ae::data::found::{Found, Silent};

use crate::anew::write_anew;
use crate::counting::{measured, turn};
use crate::made_codes::{self, drawn};

/// What may be held at once while a file is read.
#[derive(Clone, Copy)]
struct Bound {
    /// So many bytes for each of the file, unpacked.
    factor: usize,
    /// And so many besides.
    besides: usize,
}

/// What `src/data/format/array/mod.rs` states.
const ARRAYS: Bound = Bound { factor: 64, besides: (64 << 20) + (2 << 20) };
/// What `src/data/format/table/mod.rs` states.
const TABLES: Bound = Bound { factor: 64, besides: 64 << 20 };
/// Pixels that images may have here.
const PIXELS: usize = 100_000;
/// What `src/data/format/image/mod.rs` states.
const IMAGES: Bound = Bound { factor: 2, besides: 64 * PIXELS + (32 << 20) };

/// Numbers that say much, as files spell them: the largest of four bytes with a sign and without one in either order, of
/// eight, and of those that are written seven bits a byte.
const HUGE: [&[u8]; 6] = [
    &[0xff, 0xff, 0xff, 0x7f],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff; 4],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff],
];

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// Reads a file of these bytes and sees what that asked for; whether it was read.
#[track_caller]
fn within(bound: Bound, unpacked: usize, path: &Path, bytes: &[u8], read: Read, label: &str) -> bool {
    write_anew(path, bytes);
    let (is_read, asked) = measured(|| read(path));
    let most = unpacked.max(bytes.len()) * bound.factor + bound.besides;
    assert!(
        asked.largest.max(asked.held) <= most,
        "{label} of {} bytes: {asked:?}, expected at most {most}",
        bytes.len()
    );
    is_read
}

type Read = fn(&Path) -> bool;

fn arrays(path: &Path) -> bool {
    array::read(path, &DataOptions::of("x"), &mut Silent).is_ok_and(|found| found.is_some())
}

fn tables(path: &Path) -> bool {
    let options = DataOptions::of("x");
    match table::read(path, &options, &mut Silent) {
        Ok(Found::Table(tables)) => encode(path, &tables, &options, 1, None).is_ok(),
        _ => false,
    }
}

/// A folder of one image, which is brought to a size.
fn images(path: &Path) -> bool {
    let size = Some("8x8".parse().unwrap());
    let options = DataOptions { size, most_pixels: Some(PIXELS as u64), ..DataOptions::of("x") };
    image::read_with(path.parent().unwrap(), &options, None, &mut Silent).is_ok()
}

/// Makes the numbers of a good file huge, one place after the other: all places within so many bytes of either end.
fn exaggerated(name: &str, good: &[u8], near: usize, bound: Bound, read: Read) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    // Some of these are packed.
    let unpacked = 16 * good.len();
    assert!(within(bound, unpacked, &path, good, read, name), "{name} is no good file");
    let is_near = |place: &usize| *place < near || *place + near >= good.len();
    for place in (0..good.len()).filter(is_near) {
        for huge in HUGE {
            let mut bytes = good.to_vec();
            let end = good.len().min(place + huge.len());
            bytes[place..end].copy_from_slice(&huge[..end - place]);
            within(bound, unpacked, &path, &bytes, read, &format!("{name} with {huge:02x?} at {place}"));
        }
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A .npy of version 1 with this header and body.
fn npy(descr: &str, order: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
}

#[test]
fn arrays_ask_for_no_more_than_they_hold() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let shapes =
        ["3, 4", "1073741824, 4", "4, 1073741824", "4294967295, 1", "1, 9223372036854775807", "99999999999, 0"];
    for shape in shapes {
        for descr in ["<f4", "|u1", "|b1", ">f8", "<U1000000", "|S4294967295", "|O"] {
            for order in ["False", "True"] {
                let label = format!("{descr} {order} {shape}");
                let bytes = npy(descr, order, shape, &[0; 48]);
                let is_read = within(ARRAYS, 0, &path, &bytes, arrays, &label);
                assert!(!is_read || shape == "3, 4", "{label}");
                // What is packed may be larger than the file, so the header is believed a while longer.
                within(ARRAYS, 1 << 10, &path, &packed(&bytes), arrays, &format!("packed {label}"));
            }
        }
    }
    // The most that a file becomes: elements of a byte each, in another order than memory has them.
    let bytes = npy("|b1", "True", "1048576, 4", &[1; 4 << 20]);
    assert!(within(ARRAYS, 0, &path, &bytes, arrays, "truth values"));
    assert!(within(ARRAYS, bytes.len(), &path, &packed(&bytes), arrays, "packed truth values"));
    let word = |huge: u32| huge.to_be_bytes();
    for (code, dims) in
        [(8u8, [u32::MAX, 28, 28]), (0x0e, [1 << 20, 1 << 20, 1]), (0x0d, [u32::MAX; 3]), (9, [1 << 28, 1, 1])]
    {
        let bytes = [&[0, 0, code, 3][..], &dims.map(word).concat(), &[0; 64]].concat();
        assert!(!within(ARRAYS, 0, &folder.path().join("x-idx3-ubyte"), &bytes, arrays, &format!("IDX {dims:?}")));
    }
}

#[test]
fn exaggerated_arrays_ask_for_no_more_than_they_hold() {
    let _turn = turn();
    let idx = [&[0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2][..], &[7; 24]].concat();
    exaggerated("x-idx3-ubyte", &idx, 24, ARRAYS, arrays);
    exaggerated("x-idx3-ubyte.gz", &packed(&idx), 40, ARRAYS, arrays);
    exaggerated("x.npy", &sample("numpy/version_3.npy"), 40, ARRAYS, arrays);
    for name in ["keras", "texts", "every_type_packed"] {
        let options = |path: &Path| {
            let key = path.ends_with("every_type_packed.npz").then(|| "float32_big_F".to_string());
            array::read(path, &DataOptions { key, ..DataOptions::of("x") }, &mut Silent)
                .is_ok_and(|found| found.is_some())
        };
        exaggerated(&format!("{name}.npz"), &sample(&format!("numpy/{name}.npz")), 160, ARRAYS, options);
    }
    let batch: Vec<u8> = (0..2u8).flat_map(|label| [&[label][..], &[7; 3072]].concat()).collect();
    exaggerated("data_batch_1.bin", &batch, 4, ARRAYS, arrays);
}

#[test]
fn exaggerated_tables_ask_for_no_more_than_they_hold() {
    let _turn = turn();
    exaggerated("kinds.parquet", &sample("tables/kinds.parquet"), 200, TABLES, tables);
    exaggerated("kinds.feather", &sample("tables/kinds.feather"), 200, TABLES, tables);
    exaggerated("kinds.csv.gz", &sample("tables/kinds.csv.gz"), 40, TABLES, tables);
}

#[test]
fn texts_become_no_more_than_is_stated() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let letters = |mut number: usize| {
        let mut word = [b'a'; 4];
        word.iter_mut().for_each(|letter| {
            *letter = b'a' + (number % 26) as u8;
            number /= 26;
        });
        String::from_utf8(word.to_vec()).unwrap()
    };
    let cases = [
        ("digits", "1\n".repeat(1 << 20)),
        ("few words", "a,b\nb,a\n".repeat(1 << 18)),
        ("different words", (0..400_000).map(|number| letters(number) + "\n").collect()),
        ("empty cells", ",".repeat(65_535) + "\n" + &",".repeat(65_535) + "\n"),
        ("narrow columns", ("1,".repeat(65_535) + "1\n").repeat(8)),
        ("too many columns", "1,".repeat(1 << 21)),
        ("a quote without an end", "a,b\n\"".to_string() + &"x,".repeat(1 << 20)),
        ("empty lines", "\n".repeat(1 << 21)),
    ];
    for (label, text) in cases {
        within(TABLES, 0, &path, text.as_bytes(), tables, label);
        within(TABLES, text.len(), &path, &packed(text.as_bytes()), tables, &format!("packed {label}"));
    }
}

#[test]
fn exaggerated_images_ask_for_no_more_than_is_stated() {
    let _turn = turn();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    let picture = ::image::open(folder.join("420-10x8.png")).unwrap();
    let mut samples: Vec<(String, Vec<u8>)> = Vec::new();
    for format in
        [::image::ImageFormat::Bmp, ::image::ImageFormat::Tiff, ::image::ImageFormat::WebP, ::image::ImageFormat::Gif]
    {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        samples.push((format!("x.{}", format.extensions_str()[0]), bytes.into_inner()));
    }
    let names =
        ["420-10x8.png", "palette.png", "420.jpg", "progressive.jpg", "turned.jpg", "lossy.webp", "animated.gif"];
    samples.extend(names.map(|name| (name.to_string(), fs::read(folder.join(name)).unwrap())));
    for (name, bytes) in samples {
        exaggerated(&name, &bytes, 80, IMAGES, images);
    }
    // A small file of a large picture, which no limit of this test refuses.
    let mut bytes = std::io::Cursor::new(Vec::new());
    let blank = ::image::RgbaImage::new(316, 316);
    blank.write_to(&mut bytes, ::image::ImageFormat::Png).unwrap();
    let (folder, bytes) = (tempfile::tempdir().unwrap(), bytes.into_inner());
    let path: PathBuf = folder.path().join("blank.png");
    assert!(within(IMAGES, 0, &path, &bytes, images, "blank"));
}

/// What `src/coding/file/mod.rs` states: the symbols of a block and its side symbols, whatever a file of codes says of itself.
#[test]
fn codes_ask_for_no_more_than_a_block() {
    const BLOCK: usize = (2 * 4) << 22;
    let _turn = turn();
    let prior = made_codes::prior(Kind::Hyperprior, made_codes::plain(16), [4, 6], 1.0);
    let [side, symbols] = drawn(&prior, 200);
    let good = write(&prior, made_codes::MODEL, &side, &symbols).unwrap().bytes;
    let read = |bytes: &[u8]| {
        let mut reader = Reader::new(bytes, &prior, made_codes::MODEL)?;
        while reader.block()?.is_some() {}
        Ok::<(), Refused>(())
    };
    assert_eq!(read(&good), Ok(()));
    // Sums of headers are put right, so that nothing but what they say is wrong.
    let mut rest = &good[..];
    let (header, _) = Header::take(&mut rest).unwrap();
    for rows in [0, 1, 200, 1 << 16, 1 << 22, 1 << 40, u64::MAX] {
        for block in [0, 1, 200, 1 << 18, 1 << 22, u64::MAX] {
            let bytes = [&Header { rows, block, ..header }.bytes()[..], rest].concat();
            let (refused, asked) = measured(|| read(&bytes).is_err());
            assert!(asked.largest.max(asked.held) <= bytes.len() + BLOCK + (1 << 20), "{rows}, {block}: {asked:?}");
            assert!(refused || (rows == 200 && block == header.block), "{rows}, {block}");
        }
    }
}
