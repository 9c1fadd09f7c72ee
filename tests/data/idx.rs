//! IDX files: what is good is read exactly, what is bad is refused by name.

use std::fs;

use crate::files::{assert_refused, gzip, idx_file, on_disk, pixels};
use gpu_ae::data::format::idx;
use proptest::prelude::*;

/// Checks that `images` of 3 x 2 and `labels` below 10 are refused, raw and gzipped.
#[track_caller]
fn refuse_images(content: &[u8], words: &[&str]) {
    for bytes in [content.to_vec(), gzip(content)] {
        let (_dir, path) = on_disk(&bytes);
        assert_refused(idx::images(&path, 3, 2), &path, words);
    }
}

#[track_caller]
fn refuse_labels(content: &[u8], words: &[&str]) {
    for bytes in [content.to_vec(), gzip(content)] {
        let (_dir, path) = on_disk(&bytes);
        assert_refused(idx::labels(&path, 10), &path, words);
    }
}

#[test]
fn good_files_are_read_exactly_whatever_their_names() {
    let body = pixels(5 * 3 * 2);
    let images = idx_file(&[5, 3, 2], &body);
    let labels = idx_file(&[5], &[0, 9, 3, 1, 4]);
    for (images, labels) in [(images.clone(), labels.clone()), (gzip(&images), gzip(&labels)), (images, gzip(&labels))]
    {
        let (_images_dir, images) = on_disk(&images);
        let (_labels_dir, labels) = on_disk(&labels);
        let split = idx::split(&images, &labels, 3, 2, 10).unwrap();
        assert_eq!((split.rows, split.width), (5, 6));
        assert_eq!((0..5).flat_map(|row| split.raw(row)).copied().collect::<Vec<u8>>(), body);
        assert_eq!(split.labels, [0, 9, 3, 1, 4]);
    }
}

#[test]
fn gzip_in_several_members_is_one_file() {
    let body = pixels(6);
    let file = idx_file(&[1, 3, 2], &body);
    let (_dir, path) = on_disk(&[gzip(&file[..9]), gzip(&file[9..])].concat());
    assert_eq!(idx::images(&path, 3, 2).unwrap(), body);
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("absent");
    assert_refused(idx::labels(&path, 10), &path, &["expected an IDX file", "no such file"]);
}

#[test]
fn a_folder_in_place_of_a_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = idx::labels(dir.path(), 10).unwrap_err();
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn a_short_header_is_refused() {
    let file = idx_file(&[5, 3, 2], &[]);
    for length in 0..file.len() {
        let found = format!("found {length}");
        refuse_images(&file[..length], &["truncated", "header of 16 bytes", &found]);
    }
}

#[test]
fn a_wrong_magic_is_refused() {
    refuse_images(b"\x89PNG\r\n\x1a\n and so on, for long enough", &["IDX file", "[89, 50, 4e, 47]"]);
    // Labels where images belong, and the other way round.
    refuse_images(&idx_file(&[5], &[0; 5]), &["[00, 00, 08, 03]", "found [00, 00, 08, 01]"]);
    refuse_labels(&idx_file(&[1, 1, 1], &[0]), &["[00, 00, 08, 01]", "found [00, 00, 08, 03]"]);
    // Signed bytes.
    refuse_labels(&[0, 0, 9, 1, 0, 0, 0, 1, 5], &["found [00, 00, 09, 01]"]);
}

#[test]
fn a_short_body_is_refused() {
    let file = idx_file(&[5, 3, 2], &pixels(30));
    for found in [0, 1, 29] {
        let words = ["truncated", "expected 5 x 3 x 2 bytes", &format!("found {found}")];
        refuse_images(&file[..16 + found], &words);
    }
    refuse_labels(&idx_file(&[5], &[1, 2]), &["truncated", "expected 5 bytes", "found 2"]);
}

#[test]
fn trailing_bytes_are_refused() {
    refuse_images(&idx_file(&[5, 3, 2], &pixels(31)), &["too long", "expected 5 x 3 x 2 bytes"]);
    refuse_labels(&idx_file(&[2], &[1, 2, 3, 4]), &["too long", "expected 2 bytes"]);
}

#[test]
fn wrong_dimensions_are_refused() {
    let words = ["expected images of 3 x 2", "found images of 2 x 3"];
    refuse_images(&idx_file(&[5, 2, 3], &pixels(30)), &words);
    refuse_images(&idx_file(&[0, 3, 2], &[]), &["expected between 1 byte", "0 x 3 x 2"]);
    refuse_images(&idx_file(&[1, 0, 0], &[]), &["expected between 1 byte", "1 x 0 x 0"]);
    refuse_labels(&idx_file(&[0], &[]), &["expected between 1 byte", "says 0"]);
}

#[test]
fn a_header_that_promises_the_world_is_refused_without_allocating_it() {
    let most = u32::MAX;
    refuse_images(&idx_file(&[most, most, most], &[]), &["4 GiB", "4294967295"]);
    refuse_images(&idx_file(&[most, 3, 2], &pixels(6)), &["4 GiB", "4294967295 x 3 x 2"]);
    // Within the limit, so only the missing body gives it away.
    refuse_labels(&idx_file(&[most], &[7]), &["truncated", "expected 4294967295", "found 1"]);
}

#[test]
fn a_label_out_of_range_is_refused() {
    let words = ["expected labels below 10", "found 10 in row 2"];
    refuse_labels(&idx_file(&[4], &[0, 9, 10, 255]), &words);
}

#[test]
fn different_counts_of_images_and_labels_are_refused() {
    let (_images_dir, images) = on_disk(&idx_file(&[5, 3, 2], &pixels(30)));
    let (_labels_dir, labels) = on_disk(&idx_file(&[4], &[0; 4]));
    let words = ["expected 5 labels", "found 4", &images.display().to_string()];
    assert_refused(idx::split(&images, &labels, 3, 2, 10), &labels, &words);
    // The headers say so: what follows them, here nothing good, may be gigabytes and is not looked at.
    let whole = gzip(&idx_file(&[600_000_000, 3, 2], &pixels(9000)));
    fs::write(&images, &whole[..whole.len() / 2]).unwrap();
    assert_refused(idx::split(&images, &labels, 3, 2, 10), &labels, &["expected 600000000 labels", "found 4"]);
    fs::write(&images, idx_file(&[5, 3, 2], &pixels(30))).unwrap();
    let whole = gzip(&idx_file(&[u32::MAX], &pixels(9000)));
    fs::write(&labels, &whole[..whole.len() / 2]).unwrap();
    assert_refused(idx::split(&images, &labels, 3, 2, 10), &labels, &["expected 5 labels", "found 4294967295"]);
}

#[test]
fn damaged_gzip_is_refused() {
    let whole = gzip(&idx_file(&[40, 3, 2], &pixels(240)));
    for length in 3..whole.len() {
        let (_dir, path) = on_disk(&whole[..length]);
        assert_refused(idx::images(&path, 3, 2), &path, &["truncated", "whole gzip stream"]);
    }

    // The trailer is CRC-32, then the length.
    for offset in [8, 4] {
        let mut wrong = whole.clone();
        let at = wrong.len() - offset;
        wrong[at] ^= 1;
        let (_dir, path) = on_disk(&wrong);
        assert_refused(idx::images(&path, 3, 2), &path, &["damaged", "intact gzip stream"]);
    }

    let (_dir, path) = on_disk(&[&whole, &b"something else"[..]].concat());
    assert_refused(idx::images(&path, 3, 2), &path, &["gzip stream"]);
}

proptest! {
    #![proptest_config(crate::cases::cases(256))]

    /// However a file is cut and altered, it is refused or read in the length its header says; and
    /// gzip, which has a checksum, is never read as anything but what was compressed.
    #[test]
    fn damage_never_panics_and_never_gives_a_wrong_length(
        zipped: bool,
        keep in 0usize..400,
        changes in prop::collection::vec((0usize..400, any::<u8>()), 0..4),
        tail in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let body = pixels(40 * 3 * 2);
        let content = idx_file(&[40, 3, 2], &body);
        let mut bytes = if zipped { gzip(&content) } else { content };
        // Half of the cases are not cut.
        bytes.truncate(if keep % 2 == 0 { bytes.len() } else { keep });
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes.extend(tail);

        let (_dir, path) = on_disk(&bytes);
        match idx::images(&path, 3, 2) {
            Ok(read) if zipped => prop_assert_eq!(read, body),
            Ok(read) => {
                let rows = u32::from_be_bytes(bytes[4..8].try_into().unwrap()) as usize;
                prop_assert_eq!(read.len(), rows * 6);
                prop_assert_eq!(read.len() + 16, bytes.len());
            }
            Err(error) => prop_assert!(error.to_string().contains("expected"), "{}", error),
        }
        // As labels it has the wrong magic, unless the damage says otherwise.
        if let Ok(labels) = idx::labels(&path, 10) {
            prop_assert_eq!(labels.len() + 8, bytes.len());
        }
    }
}
