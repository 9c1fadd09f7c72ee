//! What people bring that is not as it should be: one error, which names the file and says what was expected.

use std::fs;
use std::path::Path;

use gpu_ae::data::format::image;
use gpu_ae::data::format::npy::{write_labels, write_rows};
use gpu_ae::data::found::{Found, Silent};
use gpu_ae::data::{DataOptions, load};

/// What is said of what lies at a path, as a command that reads it gets to know.
fn problem(options: &DataOptions) -> String {
    load(options, None, 0, None).expect_err("it was read").to_string()
}

fn options(path: &Path) -> DataOptions {
    DataOptions::of(path.to_str().unwrap())
}

#[track_caller]
fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
    assert!(message.len() < 1000, "{message}");
}

#[test]
fn tables_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let cases: [(&str, &str, &[&str]); 9] = [
        ("no rows", "height,width\n", &["table.csv", "rows"]),
        ("nothing", "", &["table.csv"]),
        ("one row", "height,width\n1,2\n", &["table.csv", "one row, expected at least two"]),
        ("two headers", "height,width\n1,2\n3,4\nheight,width\n5,6\n", &["table.csv: line 4", "the header once more"]),
        ("two headers of Windows", "a,b\r\n1,2\r\na,b\r\n5,6\r\n", &["table.csv: line 3", "the header once more"]),
        ("names that are the same", "a,b,a\n1,2,3\n4,5,6\n", &["columns 1 and 3 are both called 'a'"]),
        ("a ragged row", "a,b\n1,2\n3\n5,6\n", &["table.csv: line 3", "1 cell, expected 2"]),
        (
            "text among numbers",
            &("a,b\n".to_string() + &"1,2\n".repeat(200) + "x,3\n"),
            &["table.csv: line 202", "'a'"],
        ),
        ("an infinity", "a,b\n1,2\ninf,4\n5,6\n", &["table.csv: line 3", "a finite number"]),
    ];
    for (label, text, words) in cases {
        fs::write(&path, text).unwrap();
        assert_says(&format!("{label}: {}", problem(&options(&path))), words);
    }
    fs::write(&path, "a,b\n1,2\n3,4\n5,7\n").unwrap();
    let labelled = DataOptions { label: Some("species".into()), ..options(&path) };
    assert_says(&problem(&labelled), &["--label 'species'", "no such column", "'a', 'b'"]);
}

#[test]
fn tables_of_too_many_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let rows = |classes: usize| (0..classes + 10).map(|row| format!("{row},c{}\n", row % classes)).collect::<String>();
    let labelled = DataOptions { label: Some("kind".into()), ..options(&path) };
    fs::write(&path, "x,kind\n".to_string() + &rows(65_536)).unwrap();
    assert_says(&problem(&labelled), &["--label 'kind'", "65536 classes", "expected at most 65535"]);
    fs::write(&path, "x,kind\n".to_string() + &rows(65_535)).unwrap();
    assert_eq!(load(&labelled, None, 0, None).unwrap().classes(), 65_535);
}

#[test]
fn arrays_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_rows(&at("one.npy"), 3, &[1.0, 2.0, 3.0]).unwrap();
    assert_says(&problem(&options(&at("one.npy"))), &["one.npy", "one row, expected at least two"]);
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }\n";
    let none = [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat();
    fs::write(at("none.npy"), none).unwrap();
    assert_says(&problem(&options(&at("none.npy"))), &["none.npy", "expected at least one row"]);
    let labels: Vec<u16> = (0..=u16::MAX).collect();
    write_rows(&at("x.npy"), 1, &vec![0.5; labels.len()]).unwrap();
    write_labels(&at("y.npy"), &labels).unwrap();
    let labelled = DataOptions { label: Some("y.npy".into()), ..options(&at("x.npy")) };
    assert_says(&problem(&labelled), &["x.npy", "more than 65535 different labels"]);
}

#[test]
fn labels_that_are_of_other_rows_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for side in ["train", "test"] {
        write_rows(&at(&format!("x_{side}.npy")), 2, &[0.5; 8]).unwrap();
        write_labels(&at(&format!("y_{side}.npy")), &[0, 1, 0, 1]).unwrap();
        write_labels(&at(&format!("z_{side}.npy")), &[0, 1, 2, 3]).unwrap();
    }
    let of = |label: &str| DataOptions { label: Some(label.into()), ..options(folder.path()) };
    assert_eq!(load(&of("z"), None, 0, None).unwrap().classes(), 4);
    assert_says(&problem(&of("y_train")), &["--label y_train", "x_test", "--key NAME"]);
    assert_says(&problem(&of("labels/y.npy")), &["--label labels/y.npy", "no such array"]);

    let sets = tempfile::tempdir().unwrap();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2][..], &[7; 8]].concat();
    for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] {
        fs::write(sets.path().join(name), &images).unwrap();
    }
    fs::write(sets.path().join("mine-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1]).unwrap();
    let named = DataOptions { label: Some("mine-idx1-ubyte".into()), ..options(sets.path()) };
    assert_says(&problem(&named), &["--label mine-idx1-ubyte", "--data FILE"]);
}

fn pictures(folder: &Path) -> Result<Found, String> {
    image::read_with(folder, &options(folder), None, &mut Silent).map_err(|error| error.to_string())
}

fn picture(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    ::image::GrayImage::from_pixel(3, 2, ::image::Luma([9])).save_with_format(path, ::image::ImageFormat::Png).unwrap();
}

#[test]
fn pictures_that_move_or_are_made_for_print() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    for (name, words) in [
        ("cmyk.jpg", "a CMYK image, expected grey or RGB"),
        ("animated.png", "an animated PNG, expected one with a single picture"),
        ("animated.webp", "an animated WebP, expected one with a single picture"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        picture(&folder.path().join("a.png"));
        fs::copy(samples.join(name), folder.path().join(name)).unwrap();
        assert_says(&pictures(folder.path()).unwrap_err(), &[name, words, "--skip-broken"]);
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_back() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("a/deep/1.png"));
    picture(&folder.path().join("b/2.png"));
    symlink(folder.path().join("a"), folder.path().join("a/deep/back")).unwrap();
    assert_says(&pictures(folder.path()).unwrap_err(), &["a/deep/back", "leads back to", "end somewhere"]);
    fs::remove_file(folder.path().join("a/deep/back")).unwrap();
    // Two that lead to one another, and one that leads nowhere, are no folders.
    symlink("round", folder.path().join("b/about")).unwrap();
    symlink("about", folder.path().join("b/round")).unwrap();
    assert_says(&pictures(folder.path()).unwrap_err(), &["b/about", "cannot read"]);
    fs::remove_file(folder.path().join("b/about")).unwrap();
    fs::remove_file(folder.path().join("b/round")).unwrap();
    symlink("nowhere", folder.path().join("b/3.png")).unwrap();
    assert_says(&pictures(folder.path()).unwrap_err(), &["b/3.png", "cannot read"]);
    let skipping = DataOptions { skip_broken: true, ..options(folder.path()) };
    let read = image::read_with(folder.path(), &skipping, None, &mut Silent);
    assert!(matches!(read, Ok(Found::Rows { parts, .. }) if parts[0].names == ["a/deep/1.png", "b/2.png"]));
    // One that leads elsewhere is as good as what it leads to.
    fs::remove_file(folder.path().join("b/3.png")).unwrap();
    symlink(folder.path().join("a/deep/1.png"), folder.path().join("b/3.png")).unwrap();
    assert!(matches!(pictures(folder.path()), Ok(Found::Rows { parts, .. }) if parts[0].names.len() == 3));
}

/// Not every file system has such names.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
    // Of files, names are only told.
    picture(&odd(b"\xff1.png"));
    picture(&odd(b"\xfe2.png"));
    assert!(matches!(pictures(folder.path()), Ok(Found::Rows { parts, .. }) if parts[0].names.len() == 2));
    // Of folders they are classes, of which two would be one.
    fs::remove_file(odd(b"\xff1.png")).unwrap();
    fs::remove_file(odd(b"\xfe2.png")).unwrap();
    picture(&odd(b"\xff/1.png"));
    picture(&odd(b"\xfe/1.png"));
    assert_says(&pictures(folder.path()).unwrap_err(), &["a folder whose name is no UTF-8"]);
    // A folder of tables and arrays with such a name among them.
    let others = tempfile::tempdir().unwrap();
    for name in [&b"\xfftrain.csv"[..], b"test.csv"] {
        fs::write(others.path().join(OsStr::from_bytes(name)), "a,b\n1,2\n3,4\n5,7\n").unwrap();
    }
    assert!(load(&options(others.path()), None, 0, None).is_ok_and(|data| data.train.rows + data.test.rows == 6));
}
