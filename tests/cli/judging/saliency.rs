//! `saliency`: maps of a classifier and of a code.

use super::{json, refuse_all, refused};

#[test]
fn right_and_wrong_images_stand_over_their_maps() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps.png");
    let more = ["--rows", "3", "--samples", "5", "--out", out.to_str().unwrap()];
    let shown = json("saliency", "classifier", &more);
    assert_eq!(shown, json("saliency", "classifier", &more));
    let rows = shown["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6, "{shown}");
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row["class"] == row["taken_for"], at < 3, "{row}");
        for key in ["half_in", "half_in_smoothed"] {
            assert!((0.01..0.5).contains(&row[key].as_f64().unwrap()), "{row}");
        }
    }
    assert_ne!(shown["half_in"], shown["half_in_smoothed"]);
    // Two kinds of three strips each.
    assert!(image::image_dimensions(&out).unwrap().1 > 6 * 84);
    // Without noise every copy is the image itself.
    let still = json("saliency", "classifier", &[&more[..], &["--noise", "0"]].concat());
    let [plain, smoothed] = ["half_in", "half_in_smoothed"].map(|key| still[key].as_f64().unwrap());
    assert!((plain - smoothed).abs() < 1e-6, "{still}");
}

#[test]
fn a_network_without_classes_is_asked_for_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps.png");
    let shown = json("saliency", "vae", &["--rows", "4", "--samples", "3", "--out", out.to_str().unwrap()]);
    assert_eq!((&shown["of"], shown["rows"].as_array().unwrap().len()), (&"the length of the code".into(), 4));
    assert!(shown["rows"][0]["taken_for"].is_null() && out.exists());
}

#[test]
fn what_has_no_map_is_refused() {
    assert!(refused("saliency", "nmn", &[]).contains("expected images"));
    refuse_all("saliency", &["--noise=-1", "--noise=nan", "--samples=0", "--rows=0", "--rows=x"]);
    assert!(refused("saliency", "classifier", &["--out", "maps.jpg"]).contains("--out"));
}
