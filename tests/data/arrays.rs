//! Arrays as files: what NumPy itself wrote is in `numpy/`; IDX files and batches are written here, byte by byte.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::files::{gzip, idx_file};
use gpu_ae::data::format::array::{is_set, read};
use gpu_ae::data::format::npy::write_labels;
use gpu_ae::data::found::{Found, Listener, Part, Reading, Side};
use gpu_ae::data::{DataOptions, ImageShape, ValueKind};
use gpu_ae::error::{Error, Result};

/// Hears what is left out.
#[derive(Default)]
struct Notices(Vec<String>);

impl Listener for Notices {
    fn reading(&mut self, _: Reading) {}
    fn notice(&mut self, text: String) {
        self.0.push(text);
    }
}

fn numpy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy").join(name)
}

/// What is found at a path with these values of `--key` and `--label`.
fn with(path: &Path, key: Option<&str>, label: Option<&str>) -> Result<(ImageShape, Vec<String>, Vec<Part>, String)> {
    let options = DataOptions { key: key.map(String::from), label: label.map(String::from), ..DataOptions::of("here") };
    let mut notices = Notices::default();
    match read(path, &options, &mut notices)? {
        Some(Found::Rows { shape, classes, parts }) => Ok((shape, classes, parts, notices.0.join("; "))),
        _ => Err(Error::input(path, "nothing that this reads")),
    }
}

fn floats(part: &Part) -> Vec<f32> {
    let mut floats = Vec::new();
    part.values.append(0..part.values.len(), &mut floats);
    floats
}

#[track_caller]
fn refused(path: &Path, key: Option<&str>, label: Option<&str>, words: &[&str]) {
    let message = with(path, key, label).map(|found| found.2).unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
    assert!(message.len() < 800, "{message}");
}

#[test]
fn every_type_and_order_that_numpy_writes_is_read() {
    let mut read = 0;
    for file in ["every_type.npz", "every_type_packed.npz"] {
        for kind in ["uint", "int", "float", "bool"] {
            for bits in [8, 16, 32, 64] {
                for order in ["little", "big"] {
                    for layout in ["C", "F"] {
                        let name = if kind == "bool" { "bool".into() } else { format!("{kind}{bits}") };
                        let key = format!("{name}_{order}_{layout}");
                        let Ok((shape, classes, parts, _)) = with(&numpy(file), Some(&key), None) else { continue };
                        let value = |place: usize| match kind {
                            "uint" if bits == 8 => place as f32 * 21.0 / 255.0,
                            "uint" => place as f32 * 21.0,
                            "int" => place as f32 * 7.0 - 20.0,
                            "float" => place as f32 * 0.5 - 1.0,
                            _ => f32::from(u8::from(place.is_multiple_of(2))),
                        };
                        assert_eq!(floats(&parts[0]), (0..12).map(value).collect::<Vec<_>>(), "{key}");
                        assert_eq!((shape, classes.len()), (ImageShape::row(4), 0));
                        let is_byte = parts[0].values.kind() == ValueKind::Byte;
                        assert_eq!(is_byte, name == "uint8", "{key}");
                        read += 1;
                    }
                }
            }
        }
    }
    // Of each file 21 arrays in two layouts, where bool answers to four sizes.
    assert_eq!(read, 2 * 2 * (21 + 3));
}

#[test]
fn names_tell_rows_from_labels_and_sides() {
    let (shape, classes, parts, _) = with(&numpy("keras.npz"), None, None).unwrap();
    assert_eq!(shape, ImageShape { height: 4, width: 5, channels: 1 });
    assert_eq!(classes, ["0", "1", "2", "4", "5", "7"]);
    let sides: Vec<_> = parts.iter().map(|part| (part.side, part.values.len(), part.labels.clone())).collect();
    assert_eq!(sides, [(Side::Train, 80, vec![4, 0, 3, 1]), (Side::Test, 40, vec![5, 2])]);

    let (_, classes, parts, notices) = with(&numpy("texts.npz"), None, None).unwrap();
    assert_eq!((classes.join(" "), &parts[0].labels[..]), ("cat dog äö".into(), &[0, 1, 2, 0, 1, 0][..]));
    assert!(notices.contains("left out: names"), "{notices}");
    let (_, classes, parts, _) = with(&numpy("texts.npz"), None, Some("names")).unwrap();
    assert_eq!((classes.join(" "), parts[0].labels.len()), ("a bb".into(), 6));

    let (shape, classes, parts, _) = with(&numpy("unnamed.npz"), None, None).unwrap();
    assert_eq!((shape, classes.len(), &parts[0].labels[..]), (ImageShape::row(20), 3, &[0, 2, 1, 0, 0, 2][..]));

    let (_, classes, parts, _) = with(&numpy("medmnist.npz"), None, None).unwrap();
    let sides: Vec<_> = parts.iter().map(|part| (part.side, part.labels.len())).collect();
    assert_eq!((classes.len(), sides), (6, vec![(Side::Train, 3), (Side::Validation, 1), (Side::Test, 2)]));
    let of_all = with(&numpy("medmnist.npz"), Some("images"), Some("labels")).unwrap();
    assert_eq!(of_all.2, parts, "a name without its side means all sides");
    let (_, classes, parts, _) = with(&numpy("medmnist.npz"), Some("test_images"), None).unwrap();
    assert_eq!((classes.join(" "), parts.len()), ("4 5".into(), 1));
}

#[test]
fn what_is_ambiguous_or_no_number_is_refused_with_advice() {
    let every = numpy("every_type.npz");
    refused(&every, None, None, &["every_type.npz", "uint8_little_C [3, 4] of uint8", "--key NAME", "--label NAME"]);
    refused(&every, Some("z"), None, &["--key z: no such array", "uint8_little_C"]);
    refused(&numpy("keras.npz"), None, Some("z"), &["--label z: no such array", "y_train [4] of uint8"]);
    refused(&numpy("keras.npz"), Some("x_train"), Some("y_test"), &["'y_test'", "expected 4 labels"]);
    refused(&numpy("keras.npz"), Some("y_train"), None, &["[4] of uint8", "[rows, values]"]);
    refused(&numpy("object.npy"), None, None, &["object.npy", "never unpickled", "[2, 2] of object"]);
    refused(&numpy("records.npy"), None, None, &["records.npy", "no real numbers"]);
    refused(&numpy("pickled"), None, None, &["pickled", "never unpickled", "cifar-10-binary.tar.gz"]);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let zip = fs::read(numpy("keras.npz")).unwrap();
    refused(&at("cut.npz", &zip[..zip.len() - 30]), None, None, &["cut.npz", "intact .zip"]);
    // The flag of the first file that says it is encrypted, in front of it and in the directory.
    let directory = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let mut locked = zip.clone();
    (locked[6], locked[directory + 8]) = (locked[6] | 1, locked[directory + 8] | 1);
    refused(&at("locked.npz", &locked), None, None, &["locked.npz", "is encrypted"]);
    let npy = fs::read(numpy("version_3.npy")).unwrap();
    refused(
        &at("cut.npy", &npy[..npy.len() - 1]),
        None,
        None,
        &["truncated: expected 3 x 4 elements of float32", "found 47"],
    );
    refused(&at("grown.npy", &[&npy[..], b"x"].concat()), None, None, &["too long", "found more"]);
    let mut infinite = npy.clone();
    let length = infinite.len();
    infinite[length - 20..length - 16].copy_from_slice(&f32::INFINITY.to_le_bytes());
    refused(&at("infinite.npy", &infinite), None, None, &["infinite.npy", "row 1 has a value that is not finite"]);
    refused(&at("other.npy", b"PNG and more"), None, None, &["is no .npy file of NumPy"]);
}

#[test]
fn pytorchs_order_becomes_channels_last() {
    let (planes, last) = (numpy("planes.npy"), numpy("planes_last.npy"));
    let [first, second] = [planes, last].map(|path| with(&path, None, None).unwrap());
    assert_eq!((first.0, &first.2), (ImageShape { height: 4, width: 5, channels: 3 }, &second.2));
    assert!(first.3.contains("PyTorch's order") && second.3.is_empty(), "{}", first.3);
}

#[test]
fn labels_come_from_a_file_beside_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::copy(numpy("version_3.npy"), at("x.npy")).unwrap();
    write_labels(&at("y.npy"), &[3, 1, 3]).unwrap();
    assert!(with(&at("x.npy"), None, None).unwrap().1.is_empty());
    for label in ["y.npy", &at("y.npy").display().to_string()] {
        let (_, classes, parts, _) = with(&at("x.npy"), None, Some(label)).unwrap();
        assert_eq!((classes.join(" "), &parts[0].labels[..]), ("1 3".into(), &[1, 0, 1][..]));
    }
    refused(&at("x.npy"), None, Some("z.npy"), &["--label", "z.npy", "no such file"]);
    write_labels(&at("y.npy"), &[3, 1]).unwrap();
    refused(&at("x.npy"), None, Some("y.npy"), &["y.npy", "expected 3 labels", "x.npy"]);
    assert!(is_set(folder.path()), "a folder of arrays with known names");
    assert!(with(folder.path(), None, None).unwrap_err().to_string().contains("expected 3 labels"));
}

/// An IDX file of elements of another type.
fn typed(code: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut file = idx_file(dims, body);
    file[2] = code;
    file
}

/// Writes files into a new folder, packed where their names say so.
fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let content = if name.ends_with(".gz") { gzip(content) } else { content.clone() };
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn idx_files_are_paired_by_their_names() {
    let images = |rows: u32| idx_file(&[rows, 2, 3], &(0..rows as u8 * 6).collect::<Vec<_>>());
    let set = folder(&[
        ("train-images-idx3-ubyte.gz", images(3)),
        ("train-labels.idx1-ubyte", idx_file(&[3], &[7, 2, 7])),
        ("t10k-images-idx3-ubyte", images(2)),
        ("t10k-images-idx3-ubyte.gz", images(2)),
        ("t10k-labels-idx1-ubyte.gz", idx_file(&[2], &[2, 9])),
        ("README", b"idx".to_vec()),
    ]);
    assert!(is_set(set.path()));
    let (shape, classes, parts, notices) = with(set.path(), None, None).unwrap();
    assert_eq!((shape, classes.join(" ")), (ImageShape { height: 2, width: 3, channels: 1 }, "2 7 9".into()));
    let sides: Vec<_> = parts.iter().map(|part| (part.side, part.labels.clone())).collect();
    assert_eq!(sides, [(Side::Test, vec![0, 2]), (Side::Train, vec![1, 0, 1])]);
    assert!(notices.contains("t10k-images-idx3-ubyte.gz is left out"), "{notices}");
    // One file alone finds its labels.
    let (_, _, parts, _) = with(&set.path().join("train-images-idx3-ubyte.gz"), None, None).unwrap();
    assert_eq!((parts.len(), &parts[0].labels[..]), (1, &[1, 0, 1][..]));
    refused(&set.path().join("train-labels.idx1-ubyte"), None, None, &["holds labels"]);
}

#[test]
fn emnist_is_turned_and_its_classes_are_letters() {
    let image = idx_file(&[1, 2, 3], &[1, 2, 3, 4, 5, 6]);
    let set = folder(&[
        ("emnist-letters-train-images-idx3-ubyte.gz", image.clone()),
        ("emnist-letters-train-labels-idx1-ubyte.gz", idx_file(&[1], &[26])),
        ("emnist-balanced-test-images-idx3-ubyte", image.clone()),
        ("emnist-balanced-test-labels-idx1-ubyte", idx_file(&[1], &[46])),
        ("emnist-digits-test-images-idx3-ubyte", image),
        ("emnist-digits-test-labels-idx1-ubyte", idx_file(&[1], &[10])),
    ]);
    refused(set.path(), None, None, &["several sets", "emnist-balanced, emnist-digits, emnist-letters", "--key"]);
    let (shape, classes, parts, _) = with(set.path(), Some("letters"), None).unwrap();
    assert_eq!((shape.height, shape.width, parts[0].values.raw()), (3, 2, &[1, 4, 2, 5, 3, 6][..]));
    assert_eq!((classes.len(), &classes[usize::from(parts[0].labels[0])][..]), (26, "z"));
    let (_, classes, parts, _) = with(set.path(), Some("balanced"), None).unwrap();
    assert_eq!((classes.len(), &classes[usize::from(parts[0].labels[0])][..]), (47, "t"));
    refused(set.path(), Some("digits"), None, &["row 0 has the label 10, expected 0 to 9"]);
    refused(set.path(), Some("mnist"), None, &["--key mnist", "emnist-letters"]);
}

#[test]
fn any_rank_and_type_of_idx_is_read() {
    let words: Vec<u8> = [-1i32, 7, 300, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
    let labels: Vec<u8> = (0..16i32).flat_map(|word| word.to_be_bytes()).collect();
    let set = folder(&[
        ("numbers", typed(0x0c, &[2, 2], &words)),
        ("deep", typed(0x09, &[2, 2, 1, 1, 2], &[0xff; 8])),
        ("qmnist-train-images-idx3-ubyte", idx_file(&[2, 1, 1], &[1, 2])),
        ("qmnist-train-labels-idx2-int.gz", typed(0x0c, &[2, 8], &labels)),
    ]);
    let (shape, _, parts, _) = with(&set.path().join("numbers"), None, None).unwrap();
    assert_eq!((shape, floats(&parts[0])), (ImageShape::row(2), vec![-1.0, 7.0, 300.0, 0.0]));
    let (shape, _, parts, _) = with(&set.path().join("deep"), None, None).unwrap();
    assert_eq!((shape, floats(&parts[0])), (ImageShape::row(4), vec![-1.0; 8]));
    let (_, classes, parts, _) = with(&set.path().join("qmnist-train-images-idx3-ubyte"), None, None).unwrap();
    assert_eq!((classes.join(" "), &parts[0].labels[..]), ("0 8".into(), &[0, 1][..]));
    refused(set.path(), None, None, &["several sets: deep, numbers, qmnist"]);
}

#[test]
fn what_unpacks_to_more_than_is_allowed_is_refused() {
    let set = folder(&[("bomb.gz", idx_file(&[300_000, 200_000], &[0; 1000]))]);
    refused(&set.path().join("bomb.gz"), None, None, &["4 GiB", "300000 x 200000", "data.most_pixels"]);
    let mut zip = zip::ZipWriter::new(fs::File::create(set.path().join("bomb.npz")).unwrap());
    zip.start_file("x.npy", zip::write::SimpleFileOptions::default()).unwrap();
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (300000, 200000), }";
    let head =
        [b"\x93NUMPY", &[1, 0][..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), &[0; 9999]].concat();
    zip.write_all(&head).unwrap();
    zip.finish().unwrap();
    refused(&set.path().join("bomb.npz"), None, None, &["'x'", "unpacks to 60000000000 bytes", "data.most_pixels"]);
    fs::write(set.path().join("bomb.npy"), gzip(&head)).unwrap();
    refused(&set.path().join("bomb.npy"), None, None, &["unpacks to", "data.most_pixels"]);
    // On the disk as it is, it is only cut off.
    fs::write(set.path().join("cut.idx"), idx_file(&[1000, 2000], &[0; 1000])).unwrap();
    refused(&set.path().join("cut.idx"), None, None, &["truncated", "found 1000"]);
}

fn batch(labels: &[&[u8]]) -> Vec<u8> {
    let image: Vec<u8> = (0..3072).map(|place| (place / 1024 * 80 + place % 50) as u8).collect();
    labels.iter().flat_map(|labels| [labels, &image[..]].concat()).collect()
}

#[test]
fn batches_of_cifar_are_read_with_their_sides_and_classes() {
    let ten = folder(&[
        ("data_batch_1.bin.gz", batch(&[&[3], &[9]])),
        ("data_batch_2.bin", batch(&[&[0]])),
        ("test_batch.bin", batch(&[&[1]])),
    ]);
    assert!(is_set(ten.path()));
    let (shape, classes, parts, _) = with(ten.path(), None, None).unwrap();
    assert_eq!((shape, &classes[9][..]), (ImageShape { height: 32, width: 32, channels: 3 }, "truck"));
    let sides: Vec<_> = parts.iter().map(|part| (part.side, part.labels.clone())).collect();
    assert_eq!(sides, [(Side::Train, vec![3, 9]), (Side::Train, vec![0]), (Side::Test, vec![1])]);
    assert_eq!(parts[1].values.raw()[..6], [0, 104, 208, 1, 105, 209]);
    refused(ten.path(), None, Some("coarse"), &["--label coarse", "CIFAR-10"]);

    let coarse = (0..20).map(|number| format!("group {number}\n")).collect::<String>();
    let hundred = folder(&[
        ("train.bin", batch(&[&[19, 99]])),
        ("test.bin", batch(&[&[0, 5]])),
        ("coarse_label_names.txt", coarse.into_bytes()),
        ("fine_label_names.txt", b"apple\n".to_vec()),
    ]);
    let (_, classes, parts, notices) = with(hundred.path(), None, None).unwrap();
    assert_eq!((&classes[99][..], classes.len(), &parts[1].labels[..]), ("worm", 100, &[99][..]));
    assert!(notices.contains("fine_label_names.txt is left out"), "{notices}");
    let (_, classes, parts, _) = with(hundred.path(), None, Some("coarse")).unwrap();
    assert_eq!((&classes[19][..], &parts[1].labels[..]), ("group 19", &[19][..]));
    refused(hundred.path(), None, Some("other"), &["--label other", "coarse or fine"]);
}

#[test]
fn batches_of_other_names_are_told_by_their_length_and_labels() {
    let set = folder(&[
        ("some.bin", batch(&[&[3], &[9]])),
        ("more.bin.gz", batch(&[&[19, 99]])),
        ("none.bin", batch(&[&[10]])),
        ("test_batch.bin", batch(&[&[10]])),
        ("data_batch_1.bin", vec![1; 100]),
    ]);
    assert_eq!(with(&set.path().join("some.bin"), None, None).unwrap().1.len(), 10);
    assert_eq!(with(&set.path().join("more.bin.gz"), None, None).unwrap().1.len(), 100);
    refused(&set.path().join("none.bin"), None, None, &["nothing that this reads"]);
    refused(&set.path().join("test_batch.bin"), None, None, &["row 0 has the label 10, expected labels below 10"]);
    refused(&set.path().join("data_batch_1.bin"), None, None, &["3,073", "found 100 bytes"]);
    let pickles = folder(&[("data_batch_1", vec![0x80, 2, b'}'])]);
    assert!(is_set(pickles.path()));
    refused(pickles.path(), None, None, &["never unpickled", "gpu-ae data fetch cifar10"]);
}
