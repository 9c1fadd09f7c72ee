//! Every file is in a room, and no room is a hall.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{assert_none, files};

/// Most files of a folder.
const MOST_FILES: usize = 20;

/// The rooms: every folder that has files of its own, and what lives in it.
const ROOMS: &[&str] = &[
    "src",
    // Symmetric matrices.
    "src/eigen",
    // Symbols to bytes, in integers.
    "src/coding",
    // The file of codes.
    "src/coding/file",
    "src/coding/prior",
    // Arguments, and one call into the library for each command.
    "src/cli",
    "src/cli/command",
    // Runs on their way, and the processes that make them.
    "src/cli/launch",
    "src/cli/command/codes",
    "src/cli/command/data",
    // What a model is worth.
    "src/cli/command/judging",
    "src/cli/command/judging/attack",
    "src/cli/command/score",
    "src/cli/command/sweep",
    // A run on the whole screen of a terminal.
    "src/cli/live",
    // What is drawn of a run.
    "src/cli/pictures",
    // What can be asked of a run.
    "src/config",
    // Images changed while training.
    "src/config/augment",
    "src/config/file",
    // One file an objective: keys, checks, terms, what it tells.
    "src/config/objective",
    // What can be read, and how it reaches the device.
    "src/data",
    // Decoded rows, mapped.
    "src/data/cache",
    // How the columns of a table become values.
    "src/data/columns",
    // Kinds of files, each with its reader.
    "src/data/format",
    "src/data/format/array",
    "src/data/format/image",
    "src/data/format/table",
    "src/data/format/table/text",
    // Data sets that have a name.
    "src/data/set",
    "src/data/set/digits",
    // WHAT
    "src/graph",
    "src/ops",
    "src/ops/array",
    "src/ops/augment",
    "src/ops/batch",
    "src/ops/ceiling",
    "src/ops/conv",
    "src/ops/energy",
    "src/ops/entropy",
    "src/ops/fused",
    "src/ops/kernel",
    "src/ops/loss",
    "src/ops/matmul",
    "src/ops/norm",
    "src/ops/pool",
    "src/ops/random",
    "src/ops/rate",
    "src/ops/step",
    // Graphs for others to run.
    "src/onnx",
    "src/onnx/lowering",
    // HOW
    "src/plan",
    "src/plan/fuse",
    // WHERE
    "src/device",
    "src/device/cpu",
    "src/device/cpu/kernels",
    // Convolutions, cut into bands of images.
    "src/device/cpu/kernels/conv",
    "src/device/cpu/kernels/product",
    "src/device/gpu",
    "src/device/proof",
    "src/device/tune",
    // Plain functions over graphs.
    "src/nn",
    // One file a kind of block.
    "src/nn/block",
    "src/nn/losses",
    // Codes that are whole numbers, and the models of their distributions.
    "src/nn/rate",
    "src/optim",
    // A configuration becomes graphs.
    "src/model",
    // The one loop, and what it leaves.
    "src/train",
    "src/train/tuning",
    // Several processes that train one network.
    "src/train/group",
    "src/train/profile",
    "src/train/record",
    "src/train/room",
    // What people do with models, and the numbers they judge them by.
    "src/study",
    "src/study/attack",
    "src/study/pictures",
    "src/statistics",
    // Pictures, plots, tables.
    "src/report",
    // Coordinate systems, which plots are made of.
    "src/report/chart",
    // The cells of such a screen.
    "src/report/screen",
    // Kernels by family, each with the snippets that it alone uses.
    "shaders/array",
    "shaders/augment",
    "shaders/augment/parts",
    "shaders/batch",
    "shaders/batch/parts",
    "shaders/ceiling",
    "shaders/common",
    "shaders/conv",
    "shaders/conv/parts",
    "shaders/energy",
    "shaders/entropy",
    "shaders/entropy/parts",
    "shaders/fused",
    "shaders/fused/parts",
    "shaders/loss",
    "shaders/loss/parts",
    "shaders/matmul",
    "shaders/matmul/parts",
    "shaders/matmul/parts/left",
    "shaders/matmul/parts/right",
    "shaders/norm",
    "shaders/norm/parts",
    "shaders/pool",
    "shaders/pool/parts",
    "shaders/random",
    "shaders/random/parts",
    "shaders/rate",
    "shaders/rate/parts",
    "shaders/step",
    "shaders/step/parts",
];

#[test]
fn folders_are_no_halls() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (folder, extension) in [("src", "rs"), ("shaders", "wgsl")] {
        for file in files(folder, extension) {
            let parent = file.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            *counts.entry(format!("{folder}/{parent}")).or_default() += 1;
        }
    }
    let halls = counts.into_iter().filter(|(_, count)| *count > MOST_FILES);
    assert_none(halls.map(|(folder, count)| format!("{folder}: {count} files")).collect());
}

#[test]
fn every_file_is_in_a_room() {
    let mut problems = Vec::new();
    let mut empty: BTreeSet<&str> = ROOMS.iter().copied().collect();
    for (folder, extension) in [("src", "rs"), ("shaders", "wgsl")] {
        for file in files(folder, extension) {
            let parent = file.path.rsplit_once('/').map_or(String::new(), |(parent, _)| format!("/{parent}"));
            let room = format!("{folder}{parent}");
            match ROOMS.iter().find(|known| **known == room) {
                Some(known) => drop(empty.remove(known)),
                None => problems
                    .push(format!("{folder}/{}: '{room}' is no room: add it to ROOMS, or move the file", file.path)),
            }
        }
    }
    problems.extend(empty.into_iter().map(|room| format!("{room}: a room without a file")));
    assert_none(problems);
}
