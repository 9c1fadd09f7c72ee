//! `gpu-ae plan`

use std::path::PathBuf;

use clap::ValueEnum;
use gpu_ae::data::shape;
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::model::holding::Holding;
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan};
use gpu_ae::shader::assemble;
use gpu_ae::{Result, whole_file};

use crate::cli::flags::{ConfigFlags, DeviceFlag};
use crate::cli::launch::unfit;
use crate::cli::output::say;

/// Kinds of machine a plan can be made for.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Discrete,
    Integrated,
    Software,
    Cpu,
}

/// Ways through a network.
#[derive(Clone, Copy, ValueEnum)]
enum Path {
    Layers,
    SmallNetwork,
}

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFlags,
    /// Kind of machine to plan for; none needs to be there
    #[arg(long = "for", value_name = "KIND", value_enum, default_value_t = Kind::Discrete)]
    kind: Kind,
    /// Layer by layer, or whole networks that fit in workgroup memory at once
    #[arg(long, value_enum, default_value_t = Path::Layers)]
    path: Path,
    /// Also write every shader of the plan, as assembled, into this folder
    #[arg(long, value_name = "DIR")]
    dump_shaders: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let other_data = args.config.data.data_dir.is_some();
    let mut config = args.config.clone().resolve(&DeviceFlag::default())?;
    args.config.data.check_used(&config.data)?;
    let other_rows = other_data || config.without.is_some() || config.deciding() == "validation";
    let shape = if other_rows {
        let data = config.load_data()?;
        config.follow_pixels(&data)?;
        DataShape::of(&data.train)
    } else {
        let data = shape(&config.data, config.data_dir.as_deref(), config.seed)?;
        config.follow_shape(&data, &config.data.short_name())?;
        DataShape { rows: data.train_rows, features: data.image.values(), kind: data.kind }
    };
    let kind = match args.kind {
        Kind::Discrete => DeviceKind::Discrete,
        Kind::Integrated => DeviceKind::Integrated,
        Kind::Software => DeviceKind::Software,
        Kind::Cpu => DeviceKind::Cpu,
    };
    let profile = DeviceProfile::portable(kind);
    let choices = match args.path {
        Path::Layers => Choices::by_kind(&profile),
        Path::SmallNetwork => Choices::small_network(),
    };
    let plan =
        Plan::chosen("train", &training(&config, Holding::whole(shape, profile.largest_source()))?, &profile, &choices)
            .map_err(unfit)?;
    if let Some(folder) = &args.dump_shaders {
        whole_file::make_folder(folder)?;
        for key in plan.shaders() {
            let file = folder.join(format!("{}.wgsl", key.label()));
            whole_file::write(&file, assemble(key)?.as_bytes(), "write the shader")?;
        }
    }
    say(plan.to_string().trim_end());
    Ok(())
}
