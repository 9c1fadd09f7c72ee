//! Files that change between being listed and being decoded, disks that are full, and rows of the cache that are damaged.

use std::fs::{self, File};
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};

use super::*;
use crate::data::found::Silent;

fn grey(path: &Path, value: u8) {
    let image: DynamicImage = GrayImage::from_pixel(2, 2, Luma([value])).into();
    image.save_with_format(path, ImageFormat::Png).unwrap();
}

/// Lists a folder of three images, changes it, and decodes what was listed.
fn changed(change: impl Fn(&Path), skip_broken: bool) -> Result<Found> {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png"] {
        grey(&folder.path().join(name), 7);
    }
    let options = DataOptions { skip_broken, ..DataOptions::of("a folder") };
    let listed = list(folder.path(), skip_broken).unwrap();
    change(&folder.path().join("b.png"));
    let cache = tempfile::tempdir().unwrap();
    let keys = Keys { cache: &Cache::within(cache.path(), 1 << 30), outline: [1; 32], stamp: None };
    let read = fresh(folder.path(), &options, &listed, Some(&keys), &mut Silent).map(|(found, _)| found);
    let left = fs::read_dir(cache.path().join("decoded")).unwrap().count();
    assert_eq!(left, usize::from(read.is_ok()), "what a broken reading left");
    read
}

#[test]
fn files_that_change_while_a_folder_is_read_are_named() {
    let changes: [fn(&Path); 5] = [
        |path| fs::write(path, [&fs::read(path).unwrap()[..], b"more"].concat()).unwrap(),
        |path| fs::write(path, &fs::read(path).unwrap()[..40]).unwrap(),
        |path| fs::remove_file(path).unwrap(),
        // Of the same length, a moment later.
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes).unwrap();
            let later = SystemTime::now() + std::time::Duration::from_secs(5);
            File::options().append(true).open(path).unwrap().set_modified(later).unwrap();
        },
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        // Whatever is broken may be left out, but not what is still being written.
        for skip_broken in [false, true] {
            let message = match changed(change, skip_broken) {
                Err(error) => error.to_string(),
                // A folder cannot be read as a file, which is no change that happens to a file.
                Ok(_) if number == 4 && skip_broken => continue,
                Ok(_) => panic!("change {number} went unnoticed"),
            };
            assert!(message.contains("b.png"), "{message}");
            assert!(number == 4 || message.contains("was changed or removed while the folder was read"), "{message}");
        }
    }
    assert!(changed(|_| (), false).is_ok());
}

#[test]
fn damaged_rows_of_the_cache_are_decoded_again() {
    let [folder, kept] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for number in 0..9 {
        grey(&folder.path().join(format!("{number}.png")), number);
    }
    let cache = Cache::within(kept.path(), 1 << 30);
    let read = || {
        let found = read_with(folder.path(), &DataOptions::of("x"), Some(&cache), &mut Silent).unwrap();
        let Found::Rows { parts, .. } = found else { panic!("a table") };
        parts[0].values.raw().to_vec()
    };
    let good = read();
    let files = || fs::read_dir(kept.path().join("decoded")).unwrap().map(|entry| entry.unwrap().path());
    let rows = || files().find(|path| path.extension().is_some_and(|end| end == "rows")).unwrap();
    for at in [0, 17, good.len() - 1] {
        let mut bytes = fs::read(rows()).unwrap();
        bytes[at] ^= 4;
        fs::write(rows(), bytes).unwrap();
        assert!(read() == good, "byte {at}");
        assert!(fs::read(rows()).unwrap().starts_with(&good), "byte {at} is still damaged");
    }
}
