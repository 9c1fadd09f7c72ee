//! Imports go down only.

use crate::source::{assert_none, code, files};

/// What every module may import. These import nothing but `error` themselves, and what FLOORS says.
const GROUND: &[&str] = &["error", "tensor", "rng", "eigen", "threads", "vectors", "spelling", "whole_file", "claim"];

/// The floors: each module of `src/`, a file or a folder, and the modules it may import beside itself
/// and the ground. `module::Item` admits that item alone, `*` admits everything.
const FLOORS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("tensor", &[]),
    ("rng", &[]),
    ("eigen", &["tensor"]),
    ("threads", &[]),
    ("vectors", &[]),
    ("spelling", &[]),
    ("coding", &["vectors"]),
    ("fault", &[]),
    ("whole_file", &["fault"]),
    ("claim", &["whole_file", "fault"]),
    ("shader", &[]),
    // WHAT. An operation's kernel names its shader, so ops see shader; graphs do not.
    ("graph", &[]),
    ("ops", &["shader", "graph"]),
    ("autodiff", &["graph", "ops"]),
    ("onnx", &["graph", "ops"]),
    // HOW
    ("plan", &["shader", "graph", "ops", "autodiff"]),
    // WHERE
    ("device", &["shader", "graph", "ops", "autodiff", "plan"]),
    // Recipes, and what they are fed.
    ("nn", &["graph", "ops", "autodiff"]),
    ("optim", &["graph", "ops", "autodiff"]),
    ("data", &["fault"]),
    ("config", &["graph", "ops", "autodiff", "nn", "data", "statistics"]),
    ("statistics", &[]),
    ("model", &["graph", "ops", "autodiff", "nn", "optim", "data", "config"]),
    ("train", &["shader", "graph", "ops", "onnx", "plan", "device", "nn", "data", "config", "model", "statistics"]),
    (
        "study",
        &[
            "coding",
            "graph",
            "ops",
            "autodiff",
            "plan",
            "device",
            "nn",
            "optim",
            "data",
            "config",
            "model",
            "train",
            "statistics",
        ],
    ),
    // The roof.
    ("report", &["data::ImageShape", "statistics"]),
    ("cli", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Names at the root of the crate that stand for a module's: re-exports and macros.
const AT_THE_ROOT: &[(&str, &str)] =
    &[("Error", "error"), ("Result", "error"), ("twin", "graph"), ("for_each_kernel", "ops")];

/// What follows each `crate::`, as `module::Item` or `module`; groups in braces are taken apart.
fn imports(code: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let flat: String = group
                .chars()
                .take_while(|&c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth >= 0
                })
                .collect();
            // Only the modules matter here; items of an inner group come out as names of no module.
            found.extend(flat.split([',', '{', '}']).map(|part| part.trim().to_string()).filter(|p| !p.is_empty()));
        } else {
            found.push(rest.chars().take_while(|&c| is_path(c)).collect());
        }
    }
    found
}

/// Why an import goes up, if it does.
fn objection(module: &str, import: &str) -> Option<String> {
    let allowed = FLOORS.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
    let Some(allowed) = allowed else { return Some(format!("module '{module}' stands on no floor: add it to FLOORS")) };
    let first = import.split("::").next().unwrap_or_default();
    let first = AT_THE_ROOT.iter().find(|(name, _)| *name == first).map_or(first, |(_, module)| module);
    let known = FLOORS.iter().any(|(name, _)| *name == first);
    let everyone = first == "error" || first == module;
    let ground = GROUND.contains(&first) && !GROUND.contains(&module);
    let listed = |rule: &&str| *rule == "*" || *rule == first || import == *rule;
    let fine = !known || everyone || ground || allowed.iter().any(listed);
    (!fine).then(|| format!("'{module}' must not import '{import}'"))
}

#[test]
fn imports_go_down_only() {
    let mut problems = Vec::new();
    for file in files("src", "rs") {
        for import in imports(&code(&file.text)) {
            problems.extend(objection(file.module(), &import).map(|why| format!("src/{}: {why}", file.path)));
        }
        problems.extend(objection(file.module(), "error").map(|why| format!("src/{}: {why}", file.path)));
    }
    assert_none(problems);
}

/// The reading itself, on what it must and must not see.
#[test]
fn the_rules_can_fail() {
    let text = "use crate::device::Device;\n// crate::plan\nfn f() { x.y(); } // .unwrap()\n#[cfg(test)]\nmod tests {\n    \
                use crate::train::A;\n}\nuse crate::{nn, plan::{Plan, Step}};\n";
    let code = code(text);
    assert!(!code.contains("unwrap") && !code.contains("train"), "{code}");
    let found = imports(&code);
    assert_eq!(found, ["device::Device", "nn", "plan::", "Plan", "Step"]);
    for import in ["device::Device", "nn", "plan::", "train::Loop", "data::format::idx"] {
        assert!(objection("ops", import).is_some(), "ops importing {import}");
    }
    assert!(objection("tensor", "rng").is_some() && objection("tensor", "error::Result").is_none());
    assert!(objection("tensor", "Error").is_none());
    assert!(objection("graph", "shader::ShaderKey").is_some() && objection("ops", "shader::ShaderKey").is_none());
    assert!(objection("report", "data::ImageShape").is_none() && objection("report", "data::format::idx").is_some());
    assert!(objection("data", "graph").is_some() && objection("plan", "device::Device").is_some());
    assert!(objection("cellar", "error").is_some(), "a module without a floor");
}
