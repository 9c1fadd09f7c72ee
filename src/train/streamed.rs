//! Rows that come to a device window by window: the next one is written behind the steps of this one, and read before that
//! by a thread of its own, so that the device computes on while rows are on their way.

use std::collections::VecDeque;
use std::sync::Arc;

use super::feed::Rows;
use super::reader::{Order, Reader};
use crate::device::{Device, ProgramId, Reading, Span};
use crate::error::Result;

/// Windows whose steps may be under way at a time: what is written to a device is kept until it gets there.
const UNDER_WAY: usize = 2;

/// What rows need that come window by window.
pub(crate) struct Streamed {
    rows: Arc<Rows>,
    /// Names of the program's sources, and what they are called of the rows.
    sources: Vec<(String, String)>,
    order: Order,
    /// Steps before the next one.
    step: u64,
    /// The window that is in place.
    placed: Option<u64>,
    reader: Option<Reader>,
    /// What is known once the steps of a window are done.
    ends: VecDeque<Reading>,
}

impl Streamed {
    /// The rows of a program that come in this order, for the sources of these names, which are read from now on, for so many steps
    /// if that is known.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(order: Order, rows: Arc<Rows>, sources: Vec<(String, String)>, steps: Option<u32>) -> Result<Self> {
        let (step, ends) = (order.begin(), VecDeque::new());
        let mut streamed = Streamed { rows, sources, step, order, placed: None, reader: None, ends };
        let end = steps.map_or(u64::MAX, |steps| streamed.order.window_of(step + u64::from(steps.max(1)) - 1) + 1);
        streamed.reader = Some(streamed.start([streamed.order.window_of(step), end])?);
        Ok(streamed)
    }

    /// Has the next `steps` steps run, as many at a time as there are rows in place; returns how long rows were waited for, each
    /// time that they were.
    ///
    /// # Errors
    /// When the device fails, or rows cannot be read.
    pub fn each(
        &mut self,
        device: &mut dyn Device,
        program: ProgramId,
        steps: u32,
        run: &mut dyn FnMut(&mut dyn Device, u32) -> Result<()>,
    ) -> Result<Vec<Span>> {
        let (mut left, mut waits) = (u64::from(steps), Vec::new());
        while left > 0 {
            let window = self.order.window_of(self.step);
            if self.placed != Some(window) {
                waits.extend(self.place(device, program, window)?);
            }
            let end = self.order.end_of(window);
            let steps = left.min(end - self.step);
            run(device, steps as u32)?;
            left -= steps;
            self.step += steps;
            if self.step == end {
                self.ends.push_back(device.begin(program, &["clock"])?);
            }
        }
        Ok(waits)
    }

    /// Takes note that another program has overwritten the rows in place.
    pub fn displaced(&mut self) {
        self.placed = None;
    }

    /// A reader of these windows.
    fn start(&self, windows: [u64; 2]) -> Result<Reader> {
        let names = self.sources.iter().map(|(_, what)| what.clone()).collect();
        Reader::start(self.rows.clone(), names, self.order.clone(), windows)
    }

    /// Puts a window in place, behind everything asked of the device so far; returns how long it was waited for.
    fn place(&mut self, device: &mut dyn Device, program: ProgramId, window: u64) -> Result<Option<Span>> {
        while self.ends.len() >= UNDER_WAY
            && let Some(end) = self.ends.pop_front()
        {
            device.end_read(end)?;
        }
        let reader = match self.reader.take().filter(|reader| reader.is_at(window)) {
            Some(reader) => reader,
            None => self.start([window, u64::MAX])?,
        };
        let reader = self.reader.insert(reader);
        let (bytes, wait) = reader.window()?;
        for ((name, _), bytes) in self.sources.iter().zip(&bytes) {
            device.write_part(program, name, 0, bytes)?;
        }
        reader.give_back(bytes);
        self.placed = Some(window);
        Ok(wait)
    }
}
