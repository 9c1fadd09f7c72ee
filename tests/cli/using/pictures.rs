//! Images drawn from a prior, along lines between codes, and along each dimension of them.

use super::*;

#[test]
fn images_are_generated_from_a_prior_or_a_mixture_and_repeat_by_seed() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |name: &str, file: &str, more: &[&dyn AsRef<Path>]| {
        let path = folder.path().join(file);
        let fixed: [&dyn AsRef<Path>; 6] = [&"generate", &run(name), &"--images", &"9", &"--out", &path];
        let told = ok(&[&fixed[..], more].concat());
        assert_eq!(size(&path).1, 3 * 87 - 3 + 32 + title(2));
        // Without the title, which names model and seed.
        let picture = image::open(&path).unwrap().crop_imm(0, title(2) + 16, 3 * 87 + 16, 3 * 87);
        (told, picture.into_bytes())
    };
    let (told, prior) = draw("vae", "a.png", &[]);
    assert!(!told.contains("mixture"), "{told}");
    assert!(prior == draw("vae", "b.png", &[&"--from", &"prior", &"--seed", &"0"]).1);
    assert!(prior != draw("vae", "b.png", &[&"--seed", &"1"]).1);
    let (told, mixture) = draw("plain", "c.png", &[&"--components", &"3"]);
    assert!(told.contains("mixture of 3") && told.contains(&ROWS.to_string()), "{told}");
    assert!(mixture == draw("plain", "d.png", &[&"--components", &"3"]).1);
    assert!(mixture != draw("plain", "d.png", &[&"--from", &"prior"]).1);
    let message = refused(&[&"generate", &run("plain"), &"--from", &"gibbs"]);
    assert!(message.contains("--from gibbs: expected a run of --model rbm"), "{message}");
    let message = refused(&[&"generate", &run("vae"), &"--components", &"3"]);
    assert!(message.contains("--components 3: has no effect") && message.contains("from the prior"), "{message}");
    let message = refused(&[&"generate", &run("plain"), &"--steps", &"3"]);
    assert!(message.contains("--steps 3: has no effect") && message.contains("--from gibbs"), "{message}");
}

#[test]
fn lines_lead_from_one_image_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.png");
    // Five images between two originals, each behind a gap.
    let width = |captions: u32| 7 * 87 - 3 + 2 * 16 + 32 + captions;
    ok(&[&"interpolate", &run("plain"), &"--between", &"0,1", &"--between", &"2,3", &"--steps", &"5", &"--out", &path]);
    let (found, height) = size(&path);
    assert!(
        (width(30)..width(140)).contains(&found) && (2 * 87 + 29 + title(2)..2 * 87 + 80 + title(2)).contains(&height),
        "{found} x {height}"
    );
    ok(&[&"interpolate", &run("plain"), &"--classes", &"1,8", &"--steps", &"5", &"--out", &path]);
    assert_eq!(size(&path).1, 84 + 32 + title(2));
    ok(&[&"interpolate", &run("vae"), &"--out", &path]);
    assert!(size(&path).1 > 10 * 87, "a line for every class");
    let message = refused(&[&"interpolate", &run("plain"), &"--between", &"0,100"]);
    assert!(message.contains("--between 100") && message.contains("0 to 99"), "{message}");
    let message = refused(&[&"interpolate", &run("plain"), &"--classes", &"1,11"]);
    assert!(message.contains("--classes 11") && message.contains("1, 2"), "{message}");
    assert!(refused(&[&"interpolate", &run("plain"), &"--between", &"3"]).contains("--between"));
}

#[test]
fn dimensions_are_drawn_by_what_they_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dimensions.png");
    for more in [&[][..], &["--row", "7"]] {
        let (path, run) = (path.to_str().unwrap(), run("vae"));
        let fixed = ["traverse", run.to_str().unwrap(), "--dimensions", "3", "--json", "--out", path];
        let told: Value = serde_json::from_str(&succeed(&[&fixed[..], more].concat())).unwrap();
        let told = told.as_array().unwrap();
        let effects: Vec<f64> = told.iter().map(|dimension| dimension["effect"].as_f64().unwrap()).collect();
        assert!(effects.is_sorted_by(|a, b| a >= b) && effects[0] > 0.0, "{effects:?}");
        let mut numbers: Vec<u64> = told.iter().map(|dimension| dimension["dimension"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4], "counted as test_kl_1 is");
    }
    assert_eq!(size(&path).1, 3 * 87 - 3 + 32 + 22 + title(1));
    let message = refused(&[&"traverse", &run("vae"), &"--row", &"100"]);
    assert!(message.contains("--row 100") && message.contains("0 to 99"), "{message}");
}
