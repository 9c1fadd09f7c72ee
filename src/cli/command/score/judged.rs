//! Which rows should be told from which.

use gpu_ae::Result;
use gpu_ae::data::Dataset;

use crate::cli::trained::class_of;

/// Which test rows are anomalies.
pub struct Judged {
    /// The class that is normal, if one is.
    pub normal: Option<String>,
    /// The class that is the anomaly, if one is.
    pub anomaly: Option<String>,
    /// Of each test row, whether it is one.
    pub anomalies: Vec<bool>,
}

impl Judged {
    /// As --normal and --anomaly say, or else the class that training was `without`; nothing if no class is said.
    pub fn of(asked: [&Option<String>; 2], without: Option<&str>, data: &Dataset) -> Result<Option<Self>> {
        let of = |flag: &str, name: &Option<String>| -> Result<Option<u16>> {
            name.as_ref().map(|name| class_of(flag, name, data)).transpose()
        };
        let (normal, asked) = (of("--normal", asked[0])?, of("--anomaly", asked[1])?);
        let left_out = without.and_then(|class| data.encoding.class(class));
        let left_out = left_out.filter(|class| normal.is_none() && data.test.labels.contains(class));
        let anomaly = asked.or(left_out);
        if normal.or(anomaly).is_none() {
            return Ok(None);
        }
        let is_anomaly = |label: &u16| normal.map_or(anomaly == Some(*label), |normal| normal != *label);
        let name = |class: u16| data.encoding.class_name(class).to_string();
        Ok(Some(Judged {
            normal: normal.map(name),
            anomaly: anomaly.map(name),
            anomalies: data.test.labels.iter().map(is_anomaly).collect(),
        }))
    }
}
