//! Textures that mirror parts of buffers, for kernels that read texels ([`Access::Texels`]): software Vulkan reads a buffer
//! lane by lane in a loop, a texture in a dozen instructions, and copies from one to the other as fast as memory goes.
//!
//! A mirror is brought up to date before the first dispatch of a step that reads it, since anything may have written its buffer
//! between steps, and again before the first that reads it after a dispatch has written there.

use crate::ops::VECTOR;
use crate::plan::{PlannedBinding, PlannedDispatch};
use crate::shader::{Access, TEXEL_ROW};

/// How a mirror is bound.
pub(super) const BINDING: wgpu::BindingType = wgpu::BindingType::Texture {
    sample_type: wgpu::TextureSampleType::Float { filterable: false },
    view_dimension: wgpu::TextureViewDimension::D2,
    multisampled: false,
};

/// Bytes of a row of texels.
const ROW_BYTES: usize = TEXEL_ROW * VECTOR;

struct Mirror {
    arena: usize,
    offset: usize,
    bytes: usize,
    texture: wgpu::Texture,
    /// Whether it holds what its buffer holds, as far as the dispatches of a step have been gone through.
    is_fresh: bool,
}

/// The mirrors of a program.
#[derive(Default)]
pub(super) struct Mirrors(Vec<Mirror>);

impl Mirrors {
    /// The number of what mirrors a binding, made if there is none.
    fn number(&mut self, device: &wgpu::Device, binding: &PlannedBinding) -> usize {
        let &PlannedBinding { arena, offset, bytes, .. } = binding;
        let known = self.0.iter().position(|m| (m.arena, m.offset, m.bytes) == (arena, offset, bytes));
        known.unwrap_or_else(|| {
            let texture = device.create_texture(&wgpu::TextureDescriptor {
                label: Some("mirror"),
                size: extent(bytes),
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba32Float,
                usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            });
            self.0.push(Mirror { arena, offset, bytes, texture, is_fresh: false });
            self.0.len() - 1
        })
    }

    /// What a dispatch binds for a binding of texels.
    pub fn view(&mut self, device: &wgpu::Device, binding: &PlannedBinding) -> wgpu::TextureView {
        let number = self.number(device, binding);
        self.0[number].texture.create_view(&wgpu::TextureViewDescriptor::default())
    }

    /// Which mirrors must be brought up to date before the next dispatch of a step; takes note of what it writes.
    pub fn stale(&mut self, device: &wgpu::Device, dispatch: &PlannedDispatch) -> Vec<usize> {
        let mut stale = Vec::new();
        for binding in dispatch.bindings.iter().filter(|binding| binding.access == Access::Texels) {
            let number = self.number(device, binding);
            if !std::mem::replace(&mut self.0[number].is_fresh, true) {
                stale.push(number);
            }
        }
        for written in dispatch.bindings.iter().filter(|binding| binding.access == Access::ReadWrite) {
            self.written(written.arena, written.offset, written.bytes);
        }
        stale
    }

    /// Takes note of what is written.
    pub fn written(&mut self, arena: usize, offset: usize, bytes: usize) {
        for mirror in self.0.iter_mut().filter(|mirror| mirror.arena == arena) {
            mirror.is_fresh &= offset + bytes <= mirror.offset || mirror.offset + mirror.bytes <= offset;
        }
    }

    /// Records the copies that bring mirrors up to date.
    pub fn refresh(&self, encoder: &mut wgpu::CommandEncoder, stale: &[usize], buffers: &[wgpu::Buffer]) {
        for mirror in stale.iter().map(|&number| &self.0[number]) {
            // The last row may reach beyond what is mirrored, into the room behind every buffer.
            let layout = wgpu::TexelCopyBufferLayout {
                offset: mirror.offset as u64,
                bytes_per_row: Some(ROW_BYTES as u32),
                rows_per_image: None,
            };
            let from = wgpu::TexelCopyBufferInfo { buffer: &buffers[mirror.arena], layout };
            encoder.copy_buffer_to_texture(from, mirror.texture.as_image_copy(), extent(mirror.bytes));
        }
    }
}

/// The size of a texture for so many bytes.
fn extent(bytes: usize) -> wgpu::Extent3d {
    wgpu::Extent3d { width: TEXEL_ROW as u32, height: bytes.div_ceil(ROW_BYTES) as u32, depth_or_array_layers: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::gpu::timestamps::tests::bare;
    use crate::shader::ShaderKey;

    /// A dispatch that uses these parts of one arena.
    fn dispatch(uses: &[(usize, usize, Access)]) -> PlannedDispatch {
        let bind = |&(offset, bytes, access)| PlannedBinding { arena: 3, offset, bytes, access };
        let (shader, bindings) = (ShaderKey::plain("adam_step"), uses.iter().map(bind).collect());
        PlannedDispatch { shader, bindings, params: Vec::new(), groups: [1; 3] }
    }

    #[test]
    fn a_mirror_is_copied_where_it_is_first_read_and_behind_what_wrote_there() {
        let Some(gpu) = pollster::block_on(bare()) else {
            assert!(std::env::var_os("GPU_AE_REQUIRE_GPU").is_none(), "no adapter");
            return;
        };
        let (read, write) = (Access::Texels, Access::ReadWrite);
        let (first, second, both) = ((0, 512, read), (512, 512, read), (0, 1024, read));
        let mut mirrors = Mirrors::default();
        let mut stale = |uses: &[(usize, usize, Access)]| mirrors.stale(&gpu.device, &dispatch(uses));
        assert_eq!(stale(&[first, second]), [0, 1], "read for the first time");
        assert_eq!(stale(&[first, first]), [0; 0], "read again");
        assert_eq!(stale(&[both]), [2], "another part is another mirror");
        assert_eq!(stale(&[(512, 16, write)]), [0; 0], "a write needs no copy");
        assert_eq!(stale(&[first, second, both]), [1, 2], "what lies beside what was written is still right");
        assert_eq!(stale(&[first, (0, 512, write)]), [0; 0], "read as it was, and written, in one dispatch");
        assert_eq!(stale(&[first, second]), [0], "written by the dispatch that read it");
    }
}
