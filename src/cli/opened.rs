//! Devices and finished runs, opened as flags say.

use std::path::Path;

use gpu_ae::data::{Dataset, Fingerprint};
use gpu_ae::device::{Device, open_one, wait};
use gpu_ae::train::{Checkpoint, RunDir, Session, Tuning};
use gpu_ae::{Error, Result};

use super::data_flags::DataFlags;
use super::flags::{ConfigFlags, DeviceFlag};
use super::output::complain;

/// Opens a device and passes its notice on.
pub fn open_device(name: &str, quiet: bool) -> Result<Box<dyn Device>> {
    open_device_of(name, 0, quiet)
}

/// The same for the process of this number on its machine, which takes that one of the adapters that are meant.
pub fn open_device_of(name: &str, local: usize, quiet: bool) -> Result<Box<dyn Device>> {
    let (device, notice) = wait(open_one(&name.parse()?, local))?;
    if let Some(notice) = notice.filter(|_| !quiet) {
        complain(&notice);
    }
    Ok(device)
}

/// A trained run, its configuration adjusted by flags; the run's own data and device unless they say
/// otherwise. Where there is a best epoch, the parameters are those of that one; where there are means of parameters, they are these.
pub fn open_run(path: &Path, data: &DataFlags, device: &DeviceFlag, quiet: bool) -> Result<(RunDir, Checkpoint)> {
    let run = RunDir::open_network(path)?;
    let mut checkpoint = Checkpoint::load(&run.checkpoint())?;
    if run.best_checkpoint().exists() {
        let best = Checkpoint::load(&run.best_checkpoint())?;
        if !quiet {
            let (name, epochs) = (run.best_checkpoint().display().to_string(), checkpoint.epoch());
            complain(&format!("using the best of {epochs} epochs, {}: {name}", best.epoch()));
        }
        // The configuration is the newest one, which a resumed run may have changed.
        checkpoint = checkpoint.with_state_of(best, &run.best_checkpoint())?;
    }
    checkpoint = checkpoint.judged()?;
    if data.is_other_than(&checkpoint.config.data) {
        // Classes of other data are none of those that were left out, and nothing is decided by its rows or learnt from them.
        (checkpoint.config.without, checkpoint.config.data.validation) = (None, None);
        checkpoint.config.classifier.iter_mut().for_each(|classifier| classifier.labels = 0);
    }
    if data.is_other_than(&checkpoint.config.data) || !data.reading.given().is_empty() {
        // Rows that are other ones on purpose are compared with none.
        checkpoint.rows = None;
    }
    data.apply_to_run(path, &mut checkpoint.config.data);
    let flags = ConfigFlags {
        data: DataFlags { data_dir: data.data_dir.clone(), ..DataFlags::default() },
        ..ConfigFlags::default()
    };
    flags.apply(device, &mut checkpoint.config)?;
    data.check_used(&checkpoint.config.data)?;
    Ok((run, checkpoint))
}

/// Refuses rows of another width than those that a network was trained on.
pub fn check_width(checkpoint: &Checkpoint, data: &Dataset) -> Result<()> {
    let (features, found) = (checkpoint.features()?, data.image().values());
    match found == features {
        true => Ok(()),
        false => Err(Error::Usage(format!(
            "--data {}: has {found} values a row, the model was trained on {features}",
            data.name
        ))),
    }
}

/// A session that evaluates a checkpoint's model on this data.
pub fn session_on(checkpoint: &Checkpoint, data: &Dataset, quiet: bool) -> Result<Session> {
    check_width(checkpoint, data)?;
    checkpoint.config.check_labels(data, checkpoint.encoding.as_ref())?;
    let made = checkpoint.rows.as_ref().filter(|_| !quiet);
    let labelled = checkpoint.config.classifier.is_some();
    if let Some(difference) = made.and_then(|made| made.difference(&Fingerprint::of(&data.train), labelled)) {
        let path = &checkpoint.config.data.path;
        complain(&format!("the run's data '{path}' has changed since it was trained on: {difference}"));
    }
    let device = open_device(&checkpoint.config.device, quiet)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut session = Session::for_evaluation(device, &checkpoint.config, data, &choices)?;
    wait(session.restore(&checkpoint.state))?;
    Ok(session)
}
