//! `attack`: accuracies that fit together, files, refusals.

use super::{json, refuse_all, refused, run};
use crate::program::checkpoint;

const SMALL: [&str; 8] = ["--rows", "40", "--restarts", "1", "--square", "30", "--steps", "5,2"];

#[test]
fn an_attack_says_what_is_left_and_writes_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("here");
    let before = std::fs::read(checkpoint(&run("classifier"))).unwrap();
    let more = [&SMALL[..], &["--epsilon", "32/255", "--out", out.to_str().unwrap()]].concat();
    let first = json("attack", "classifier", &more);
    assert_eq!(first, json("attack", "classifier", &more), "the same flags, the same attack");
    assert_eq!(std::fs::read(checkpoint(&run("classifier"))).unwrap(), before, "the network is as it was");

    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let clean = number(&first["clean_accuracy"]);
    let [two, five] = [0, 1].map(|at| &first["gradient"][at]);
    assert_eq!((two["steps"].as_u64(), five["steps"].as_u64()), (Some(2), Some(5)));
    for under in [two, five] {
        assert!(number(&under["accuracy"]) <= clean);
        assert!(number(&under["accuracy_with_restarts"]) <= number(&under["accuracy"]));
    }
    assert!(number(&five["accuracy"]) <= number(&two["accuracy"]));
    assert!(number(&five["accuracy"]) < clean, "an eighth of the range deceives some row: {first}");
    assert!(number(&first["worst_accuracy"]) <= number(&first["square_accuracy"]));
    assert_eq!(first["masked"], false);
    assert_eq!(number(&first["epsilon"]), 32.0 / 255.0);
    assert_eq!(number(&first["step"]), 8.0 / 255.0);
    let curve = first["curve"].as_array().unwrap();
    assert_eq!((curve.len(), number(&curve[0]["accuracy"])), (6, clean));
    assert!(curve.is_sorted_by(|a, b| number(&a["accuracy"]) >= number(&b["accuracy"])));
    assert!(number(&curve[5]["accuracy"]) < 0.2, "half of the range deceives nearly all: {first}");

    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text("attack.json")).unwrap(), first);
    assert_eq!(text("accuracy.csv").lines().count(), 7);
    let rows: Vec<String> = text("rows.csv").lines().map(String::from).collect();
    assert_eq!(rows.len(), 41);
    assert_eq!(rows[0], "row,name,class,taken_for,gradient_steps,gradient_steps_with_restarts,square_queries");
    let right = rows[1..].iter().filter(|row| row.split(',').nth(2) == row.split(',').nth(3)).count();
    assert_eq!(right as f64 / 40.0, clean);
    let held = |row: &&String| row.split(',').nth(2) == row.split(',').nth(3) && row.split(',').nth(5) == Some("");
    let held = rows[1..].iter().filter(held).count() as f64 / 40.0;
    assert_eq!(held, number(&five["accuracy_with_restarts"]));
    for picture in ["examples.png", "accuracy.png"] {
        assert!(image::image_dimensions(out.join(picture)).unwrap().0 > 400, "{picture}");
    }
}

#[test]
fn other_norms_and_targets_are_attacked_too() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let more = [&SMALL[..], &["--norm", "l2", "--epsilon", "3", "--targeted", "--out", out]].concat();
    let attacked = json("attack", "classifier", &more);
    assert_eq!((&attacked["norm"], &attacked["targeted"]), (&"l2".into(), &true.into()));
    let any =
        json("attack", "classifier", &more.iter().copied().filter(|word| *word != "--targeted").collect::<Vec<_>>());
    let left = |of: &serde_json::Value| of["gradient"][1]["accuracy"].as_f64().unwrap();
    assert!(left(&any) <= left(&attacked), "any class is easier than one: {any} {attacked}");
}

#[test]
fn what_cannot_be_attacked_is_refused() {
    let message = refused("attack", "vae", &[]);
    assert!(message.contains("expected a classifier") && message.contains("vae"), "{message}");
    assert!(!run("vae").join("attack").exists());
    let cases =
        ["--epsilon=0", "--epsilon=nan", "--epsilon=1/0", "--epsilon=-1", "--epsilon=x", "--step=inf", "--step=0"];
    refuse_all("attack", &cases);
    refuse_all("attack", &["--steps=0", "--steps=7,x", "--restarts=-1", "--square=x", "--rows=0", "--epsilons=0.1,-1"]);
    assert!(refused("attack", "classifier", &["--norm", "l3"]).contains("--norm"));
    assert!(!run("classifier").join("attack").exists(), "nothing is written where nothing was done");
}
