//! `probe`: any model, few labels, other rows.

use gpu_ae::data::format::npy::write_rows;

use super::{FIXTURE, json, refuse_all, refused};

#[test]
fn codes_stand_beside_those_of_an_untrained_network_and_the_rows_themselves() {
    // Of an untrained network with a price on bits all codes would be 0 if they were rounded.
    for (name, width) in [("classifier", 128), ("vae", 4), ("coded", 128)] {
        let probed = json("probe", name, &["--k", "5"]);
        assert_eq!(probed, json("probe", name, &["--k", "5"]), "nothing is left to chance");
        assert_eq!((probed["train_rows"].as_u64(), probed["test_rows"].as_u64()), (Some(300), Some(100)));
        let all = probed["representations"].as_array().unwrap();
        let of: Vec<(&str, u64)> =
            all.iter().map(|it| (it["of"].as_str().unwrap(), it["width"].as_u64().unwrap())).collect();
        assert_eq!(of, [("codes", width), ("codes before training", width), ("rows as they are", 784)]);
        for it in all {
            assert_eq!(it["linear_converged"], true, "{it}");
            let better = |key: &str| it[key].as_f64().unwrap() > 0.2;
            assert!(better("linear_accuracy") && better("neighbours_accuracy"), "better than chance: {it}");
        }
        let linear = |at: usize| all[at]["linear_accuracy"].as_f64().unwrap();
        assert!(
            name != "classifier" || linear(0) > linear(1),
            "what was learnt with labels tells them better: {probed}"
        );
    }
}

#[test]
fn few_labels_and_other_rows() {
    let few = json("probe", "classifier", &["--labels", "5", "--k", "3", "--distance", "euclidean"]);
    assert_eq!((few["train_rows"].as_u64(), few["distance"].as_str()), (Some(50), Some("euclidean")));
    let folder = FIXTURE.data.path().join("mnist");
    let other = json("probe", "vae", &["--data", folder.to_str().unwrap(), "--rows", "100"]);
    assert_eq!((other["train_rows"].as_u64(), other["test_rows"].as_u64()), (Some(100), Some(100)));
}

#[test]
fn what_cannot_be_probed_is_refused() {
    refuse_all("probe", &["--l2=0", "--l2=nan", "--k=0", "--rows=0", "--labels=x", "--k=301", "--labels=100"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.npy");
    write_rows(&file, 784, &vec![0.5; 20 * 784]).unwrap();
    let message = refused("probe", "vae", &["--data", file.to_str().unwrap()]);
    assert!(message.contains("--data") && message.contains("expected rows with classes"), "{message}");
    write_rows(&file, 5, &[0.5; 100]).unwrap();
    refused("probe", "vae", &["--data", file.to_str().unwrap()]);
}
