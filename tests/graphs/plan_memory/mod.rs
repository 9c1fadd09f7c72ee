//! Memory of plans: where values lie and for how long, who shares it, and the limits of devices.

mod lifetimes;
mod limits;
mod replay;
mod sharing;

use gpu_ae::plan::{DeviceKind, DeviceProfile};

fn profile() -> DeviceProfile {
    DeviceProfile::portable(DeviceKind::Discrete)
}
