//! Processes that a launcher of MPI has started side by side, which train one run together.

use gpu_ae::plan::Member;
#[cfg(feature = "mpi")]
use gpu_ae::train::group::{Exchange, Group, mpi::Processes};
use gpu_ae::train::group::{Together, follow};
use gpu_ae::{Error, Result};

use crate::cli::flags::DeviceFlag;
use crate::cli::interrupt::Signals;
use crate::cli::opened::open_device_of;

/// How processes train together.
#[derive(clap::Args)]
pub struct ProcessFlags {
    /// Under mpirun: normalise batches by the moments of all of their rows, rather than each process its share by those of that
    #[cfg(feature = "mpi")]
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    sync_norm: bool,
    /// Under mpirun: how gradients travel; bf16 halves what is sent, and changes the bits
    #[cfg(feature = "mpi")]
    #[arg(long, value_name = "TYPE", value_enum, default_value_t = Travel::F32)]
    exchange: Travel,
}

/// How gradients travel.
#[cfg(feature = "mpi")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Travel {
    /// As they are
    F32,
    /// Rounded to 16 bits, added as 32
    Bf16,
}

/// This process among those that train together.
pub struct Own {
    /// All of them, as it sees them.
    pub together: Together,
    /// The number of this process on its machine.
    local: usize,
    host: String,
}

/// What launchers tell the processes that they start, each under names of its own: how many there are.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"];

/// Which one this is, told by those that leave the number of all to MPI, or to Slurm.
const RANKS: [&str; 2] = ["PMIX_RANK", "PMI_RANK"];

/// How many of them there are on the same machine.
const LOCAL_SIZES: [&str; 2] = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"];

fn told(names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// How many processes of this launch share this machine's cores, where the launcher has not shared them out itself.
pub fn sharing_cores() -> usize {
    let local = told(&LOCAL_SIZES).unwrap_or(1).max(1);
    // A launcher that binds leaves each process fewer cores than it has itself.
    let allowed = |process: &str| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = |name: &str| status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_string()));
        Some((line("Cpus_allowed:")?, line("PPid:")?))
    };
    let is_bound = || {
        let (own, parent) = allowed("self")?;
        Some(own != allowed(&parent)?.0)
    };
    if local > 1 && is_bound().unwrap_or(false) { 1 } else { local }
}

/// How many processes a launcher of MPI has started, as far as it says so; none where there is no launcher.
pub fn launched() -> Option<usize> {
    let ranked = RANKS.iter().any(|name| std::env::var_os(name).is_some());
    told(&SIZES).or_else(|| told(&["SLURM_NTASKS"]).filter(|_| ranked)).filter(|size| *size > 1)
}

/// Refuses to be one of several that a launcher has started, of which nobody would know the others.
#[cfg(not(feature = "mpi"))]
pub fn refuse_launched() -> Result<()> {
    let Some(size) = launched() else { return Ok(()) };
    Err(Error::Usage(format!(
        "started {size} times by a launcher of MPI, but this program was built without MPI: \
         'cargo install --path . --features mpi' builds one whose processes work together"
    )))
}

impl ProcessFlags {
    /// Joins the other processes of a launch, if there are any.
    #[cfg(not(feature = "mpi"))]
    pub fn join(&self) -> Result<Option<Own>> {
        refuse_launched().map(|()| None)
    }

    /// Joins the other processes of a launch, if there are any.
    #[cfg(feature = "mpi")]
    pub fn join(&self) -> Result<Option<Own>> {
        if launched().is_none() {
            return Ok(None);
        }
        let processes = Processes::join(!self.sync_norm)?;
        let exchange = if self.exchange == Travel::Bf16 { Exchange::Bf16 } else { Exchange::F32 };
        let ([local, _], host) = (processes.local(), processes.host().to_string());
        let has_others = processes.member().has_others();
        Ok(has_others.then(|| Own { together: Together::new(Box::new(processes), exchange), local, host }))
    }
}

impl Own {
    /// Whether this is the process that has the run.
    pub fn leads(&self) -> bool {
        self.together.member().rank == 0
    }

    /// Makes the steps that the leader makes, on the device that is this process's of those that `flag` names; a signal is the
    /// leader's to obey.
    pub fn follow(self, flag: &DeviceFlag, signals: Signals) -> Result<()> {
        let Own { together, local, host } = self;
        let rank = together.member().rank;
        let _interrupt = signals.interrupt();
        let open = |config: &gpu_ae::config::RunConfig| {
            open_device_of(flag.of_process(local).as_deref().unwrap_or(&config.device), local, true)
        };
        follow(together, open).map_err(|error| Error::Failed(format!("process {rank} on {host}: {error}")))
    }

    /// Which of them it is.
    pub fn member(&self) -> Member {
        self.together.member()
    }

    /// What is named for it, of several devices.
    pub fn device(&self, flag: &DeviceFlag) -> DeviceFlag {
        DeviceFlag { device: flag.of_process(self.local) }
    }
}

/// Ends all processes if this one has left the others waiting for it, once its error was told.
#[cfg(feature = "mpi")]
pub fn end_those_left(code: u8) {
    gpu_ae::train::group::mpi::end_those_left(code);
}

/// Nobody waits.
#[cfg(not(feature = "mpi"))]
pub fn end_those_left(_code: u8) {}
