//! The sets that stand beside MNIST: its relatives, and CIFAR. Checksums are those of the files as they are published, from
//! the lists of TensorFlow Datasets (`tensorflow_datasets/url_checksums`); mirrors are those that it, torchvision, Keras
//! and Swift for TensorFlow name.

use super::published::{Content, Published};
use crate::data::download::RemoteFile;
use crate::data::format::array::names::{FASHION, KUZUSHIJI};

/// MNIST's names and lengths with other checksums: training images and labels, test images and labels.
const fn four(sha256: [&'static str; 4]) -> [RemoteFile<'static>; 4] {
    const fn file(name: &'static str, bytes: u64, sha256: &'static str) -> RemoteFile<'static> {
        RemoteFile { name, bytes, sha256 }
    }
    [
        file("train-images-idx3-ubyte.gz", 47_040_016, sha256[0]),
        file("train-labels-idx1-ubyte.gz", 60_008, sha256[1]),
        file("t10k-images-idx3-ubyte.gz", 7_840_016, sha256[2]),
        file("t10k-labels-idx1-ubyte.gz", 10_008, sha256[3]),
    ]
}

/// Articles of clothing (Xiao, Rasul and Vollgraf 2017).
pub(in crate::data) const FASHION_MNIST: Published = Published {
    name: "fashion-mnist",
    title: "Fashion-MNIST",
    mirrors: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ],
    files: &four([
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ]),
    content: Content::Four { classes: FASHION, is_first: false },
};

/// Cursive Japanese (Clanuwat et al. 2018).
pub(in crate::data) const KMNIST: Published = Published {
    name: "kmnist",
    title: "KMNIST",
    mirrors: &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    files: &four([
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ]),
    content: Content::Four { classes: KUZUSHIJI, is_first: false },
};

/// Handwritten letters and digits (Cohen et al. 2017), of which the balanced split is taken.
pub(in crate::data) const EMNIST: Published = Published {
    name: "emnist",
    title: "EMNIST",
    mirrors: &["https://biometrics.nist.gov/cs_links/EMNIST/", "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"],
    files: &[RemoteFile {
        name: "gzip.zip",
        bytes: 561_753_746,
        sha256: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    }],
    content: Content::Pairs("balanced"),
};

/// Small photographs of ten kinds of things (Krizhevsky 2009).
pub(in crate::data) const CIFAR10: Published = Published {
    name: "cifar10",
    title: "CIFAR-10",
    mirrors: &[
        "https://www.cs.toronto.edu/~kriz/",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
    ],
    files: &[RemoteFile {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    }],
    content: Content::Batches("cifar-10-batches-bin"),
};

/// Small photographs of a hundred kinds of things (Krizhevsky 2009).
pub(in crate::data) const CIFAR100: Published = Published {
    name: "cifar100",
    title: "CIFAR-100",
    mirrors: &["https://www.cs.toronto.edu/~kriz/"],
    files: &[RemoteFile {
        name: "cifar-100-binary.tar.gz",
        bytes: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    }],
    content: Content::Batches("cifar-100-binary"),
};
