//! `inspect`: ranks of the last layer, and what codes use.

use super::{json, refused, run};
use crate::program::succeed;

#[test]
fn the_last_layer_has_ranks_and_codes_have_entries() {
    let path = run("classifier");
    let path = path.to_str().unwrap();
    let layers: serde_json::Value = serde_json::from_str(&succeed(&["inspect", path, "--json"])).unwrap();
    let (last, others) = layers.as_array().unwrap().split_last().unwrap();
    assert!(others.iter().all(|layer| layer.get("singular_values").is_none()));
    let values: Vec<f64> = serde_json::from_value(last["singular_values"].clone()).unwrap();
    assert_eq!(values.len(), 10);
    assert!(values.is_sorted_by(|a, b| a >= b) && values[9] > 0.0, "{values:?}");
    let rank = |name: &str| last[name].as_f64().unwrap();
    assert!((1.0..=10.0).contains(&rank("effective_rank")) && rank("stable_rank") <= rank("participation_ratio"));

    let inspected = json("inspect", "classifier", &["--codes"]);
    assert_eq!(inspected["layers"], layers);
    let codes = &inspected["codes"];
    assert_eq!((codes["rows"].as_u64(), codes["width"].as_u64()), (Some(100), Some(128)));
    // Behind a ReLU some entries are 0.
    assert!((1.0..127.0).contains(&codes["non_zeros"].as_f64().unwrap()), "{codes}");
    let printed = succeed(&["inspect", path]);
    assert!(printed.contains("effective rank") && !printed.contains("entries"), "{printed}");
    assert!(refused("inspect", "classifier", &[]).contains("--device: has no effect without --codes"));
}
