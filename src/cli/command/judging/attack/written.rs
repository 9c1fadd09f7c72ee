//! The folder of an attack.

use std::path::{Path, PathBuf};

use gpu_ae::report::{Series, share_plot, write_png};
use gpu_ae::study::attack::{Attack, Outcome};
use gpu_ae::{Error, Result, whole_file};

use super::{Attacked, drawn, restarts};
use crate::cli::trained::Trained;
use crate::cli::written::{OF_EACH_ROW, Table, of_each_row};

/// Writes what came of an attack on the first test rows, these pixels; the names of the files.
pub fn write(
    folder: &Path,
    trained: &Trained,
    attack: &Attack,
    attacked: &Attacked,
    (originals, outcomes): (&[f32], &[Outcome]),
) -> Result<Vec<PathBuf>> {
    let file = |name: &str| folder.join(name);
    let mut files = Vec::new();

    let mut table = Table::new(["epsilon", "accuracy", "accuracy_with_restarts"])?;
    for point in &attacked.curve {
        table.push([point.epsilon, point.accuracy, point.accuracy_with_restarts].map(|value| value.to_string()))?;
    }
    files.push(file("accuracy.csv"));
    table.write(&file("accuracy.csv"), "write the accuracies")?;

    let curve = |name: String, of: fn(&gpu_ae::study::attack::Point) -> f64| Series {
        name,
        points: attacked.curve.iter().map(|point| (point.epsilon, of(point))).collect(),
    };
    let mut curves = vec![curve(format!("{} steps from the row itself", attack.most()), |point| point.accuracy)];
    if attack.restarts > 0 {
        curves.push(curve(restarts(attack.restarts), |point| point.accuracy_with_restarts));
    }
    let title = format!(
        "Accuracy under the gradient attack ({}) on {} test rows of {}",
        attacked.norm,
        outcomes.len(),
        attacked.data
    );
    let plot = share_plot(&title, "epsilon, in pixels from 0 to 1", "accuracy", &curves)?;
    files.push(file("accuracy.png"));
    write_png(&file("accuracy.png"), &plot)?;

    let steps = ["taken_for", "gradient_steps", "gradient_steps_with_restarts", "square_queries"];
    let mut table = Table::new(OF_EACH_ROW.iter().chain(&steps))?;
    let encoding = &trained.data.encoding;
    for (row, outcome) in outcomes.iter().enumerate() {
        let counts = [outcome.plain, outcome.restarted, outcome.square];
        let counts = counts.map(|count| count.map_or(String::new(), |count| count.to_string()));
        let named = of_each_row(&trained.data.test, encoding, row);
        table.push(named.into_iter().chain([encoding.class_name(outcome.clean).to_string()]).chain(counts))?;
    }
    files.push(file("rows.csv"));
    table.write(&file("rows.csv"), "write the rows")?;

    if let Some(picture) = drawn::examples(trained, attack, originals, outcomes)? {
        files.push(file("examples.png"));
        write_png(&file("examples.png"), &picture)?;
    }

    let json = serde_json::to_string_pretty(attacked).map_err(|error| Error::Failed(format!("JSON: {error}")))?;
    files.push(file("attack.json"));
    whole_file::write(&file("attack.json"), format!("{json}\n").as_bytes(), "write what came of the attack")?;
    Ok(files)
}
