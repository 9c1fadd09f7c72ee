//! What kernels and plans need to know of a device.

use crate::ops::ALIGNMENT;
use crate::shader::UNIFORM_BYTES;

/// What kind of machine runs a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A graphics card of its own.
    Discrete,
    /// Graphics that share the processor's memory.
    Integrated,
    /// Vulkan in software.
    Software,
    /// This program's own processor kernels.
    Cpu,
}

/// Which of several devices that learn together one is, each from its share of every batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number, from 0.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
    /// Whether each normalises its share of a batch by the moments of that alone, rather than by those of the batch.
    pub own_norms: bool,
}

impl Member {
    /// A device that learns by itself.
    pub const ALONE: Member = Member { rank: 0, size: 1, own_norms: false };

    /// Whether there are others.
    pub fn has_others(self) -> bool {
        self.size > 1
    }
}

/// Kind, limits and features of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceProfile {
    /// Kind of machine.
    pub kind: DeviceKind,
    /// Largest storage binding in bytes.
    pub max_binding: u64,
    /// Most storage buffers of one dispatch.
    pub max_storage_buffers: u32,
    /// Most workgroups along one dimension of a grid.
    pub max_groups: u32,
    /// Most invocations of a workgroup.
    pub max_workgroup: u32,
    /// Most bytes of memory that a workgroup shares.
    pub max_shared: u32,
    /// Invocations of a subgroup, where every kernel may rely on it: subgroup operations exist and
    /// smallest and largest size are one.
    pub subgroup: Option<u32>,
    /// Whether matrices of f16 can be multiplied cooperatively, 16 × 16 with sums in f32.
    pub cooperative_matrix: bool,
    /// Whether operands may be worth reading as texels of a texture that mirrors their buffer: software Vulkan reads buffers
    /// lane by lane in a loop, textures in a dozen instructions.
    pub texels: bool,
    /// Which of the devices that learn together it is.
    pub member: Member,
}

impl DeviceProfile {
    /// Bytes of the largest tensor with a buffer of its own: behind every buffer there is room for the rest of a uniform
    /// operand.
    pub fn largest_source(&self) -> u64 {
        self.max_binding.saturating_sub((UNIFORM_BYTES + ALIGNMENT) as u64)
    }

    /// The limits that every adapter offers.
    pub fn portable(kind: DeviceKind) -> Self {
        DeviceProfile {
            kind,
            max_binding: 128 << 20,
            max_storage_buffers: 8,
            max_groups: 65_535,
            max_workgroup: 256,
            max_shared: 16 << 10,
            subgroup: None,
            cooperative_matrix: false,
            texels: kind == DeviceKind::Software,
            member: Member::ALONE,
        }
    }
}
