//! A device that is taken for another one than it is.

use std::collections::BTreeSet;

use gpu_ae::Result;
use gpu_ae::device::{Device, Identity, Later, Means, ProgramId, Reading, Trace};
use gpu_ae::plan::{DeviceProfile, Member, Plan};
use gpu_ae::shader::ShaderKey;

/// A device of which plans are told something else than what it is.
pub struct Disguised {
    device: Box<dyn Device>,
    profile: DeviceProfile,
}

impl Disguised {
    /// This device, whose profile is changed.
    pub fn of(device: Box<dyn Device>, change: impl FnOnce(&mut DeviceProfile)) -> Box<dyn Device> {
        let mut profile = device.profile().clone();
        change(&mut profile);
        Box::new(Disguised { device, profile })
    }
}

impl Device for Disguised {
    fn name(&self) -> &str {
        self.device.name()
    }
    fn identity(&self) -> Identity {
        self.device.identity()
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn load(&mut self, plan: Plan) -> Result<ProgramId> {
        self.device.load(plan)
    }
    fn prepare(&mut self, shaders: &BTreeSet<&ShaderKey>) -> Result<()> {
        self.device.prepare(shaders)
    }
    fn clear(&mut self) {
        self.device.clear();
    }
    fn plan(&self, program: ProgramId) -> &Plan {
        self.device.plan(program)
    }
    fn means(&self, program: ProgramId) -> Vec<Means> {
        self.device.means(program)
    }
    fn run(&mut self, program: ProgramId, times: u32) -> Result<()> {
        self.device.run(program, times)
    }
    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> Result<()> {
        self.device.run_stretch(program, stretch)
    }
    fn join(&mut self, member: Member) {
        self.profile.member = member;
        self.device.join(member);
    }
    fn traced(&mut self, program: ProgramId, times: u32) -> Later<'_, Trace> {
        self.device.traced(program, times)
    }
    fn idle(&mut self) -> Later<'_, ()> {
        self.device.idle()
    }
    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()> {
        self.device.write_bytes(program, arena, offset, bytes)
    }
    fn runs_ahead(&self) -> bool {
        self.device.runs_ahead()
    }
    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Result<Reading> {
        self.device.begin_read(program, ranges)
    }
    fn receive(&mut self, reading: Reading) -> Later<'_, Vec<u8>> {
        self.device.receive(reading)
    }
}
