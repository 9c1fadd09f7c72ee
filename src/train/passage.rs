//! One way of a program through the rows of a split: batch after batch, in the order that a clock says.
//!
//! Where a device holds all rows, this is nothing but steps. Where it holds a window of them, the next window is written
//! behind the steps of this one, and read before that by a thread of its own: the device computes on while rows are on
//! their way.

use std::collections::VecDeque;
use std::sync::Arc;

use super::feed::Rows;
use super::reader::{Order, Reader};
use crate::device::{Device, ProgramId, Reading, Span, Timer, Trace};
use crate::error::Result;
use crate::ops::step::clock;

/// Windows whose steps may be under way at a time: what is written to a device is kept until it gets there.
const UNDER_WAY: usize = 2;

/// A program's way through rows.
pub(crate) struct Passage {
    program: ProgramId,
    streamed: Option<Streamed>,
    waits: Vec<Span>,
}

/// What rows need that come window by window.
struct Streamed {
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

impl Passage {
    /// The way of a program that holds all rows.
    pub fn of_all(program: ProgramId) -> Self {
        Passage { program, streamed: None, waits: Vec::new() }
    }

    /// The way of a program whose clock is this through rows that come window by window, for the sources of these names.
    /// They are read from now on, for so many steps if that is known.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn streamed(
        program: ProgramId,
        clock: [u32; clock::WORDS],
        rows: Arc<Rows>,
        sources: Vec<(String, String)>,
        steps: Option<u32>,
    ) -> Result<Self> {
        let order = Order::new(clock);
        let (step, ends) = (order.begin(), VecDeque::new());
        let mut streamed = Streamed { rows, sources, step, order, placed: None, reader: None, ends };
        let end = steps.map_or(u64::MAX, |steps| streamed.order.window_of(step + u64::from(steps.max(1)) - 1) + 1);
        streamed.reader = Some(streamed.start([streamed.order.window_of(step), end])?);
        Ok(Passage { program, streamed: Some(streamed), waits: Vec::new() })
    }

    /// Starts the next `steps` steps.
    ///
    /// # Errors
    /// When the device fails, or rows cannot be read.
    pub fn run(&mut self, device: &mut dyn Device, steps: u32) -> Result<()> {
        let program = self.program;
        self.each(device, steps, &mut |device, steps| device.run(program, steps))
    }

    /// Runs the next `steps` steps and takes the time of every dispatch.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn trace(&mut self, device: &mut dyn Device, steps: u32) -> Result<Trace> {
        let program = self.program;
        let mut whole = Trace { timer: Timer::Clock, dispatches: Vec::new(), host: Vec::new() };
        self.each(device, steps, &mut |device, steps| {
            let part = device.trace(program, steps)?;
            whole.timer = part.timer;
            whole.dispatches.extend(part.dispatches);
            whole.host.extend(part.host);
            Ok(())
        })?;
        Ok(whole)
    }

    /// The next `steps` steps, as many at a time as there are rows in place.
    fn each(
        &mut self,
        device: &mut dyn Device,
        steps: u32,
        run: &mut dyn FnMut(&mut dyn Device, u32) -> Result<()>,
    ) -> Result<()> {
        let Some(streamed) = &mut self.streamed else { return run(device, steps) };
        let mut left = u64::from(steps);
        while left > 0 {
            let window = streamed.order.window_of(streamed.step);
            if streamed.placed != Some(window) {
                self.waits.extend(streamed.place(device, self.program, window)?);
            }
            let end = streamed.order.end_of(window);
            let steps = left.min(end - streamed.step);
            run(device, steps as u32)?;
            left -= steps;
            streamed.step += steps;
            if streamed.step == end {
                streamed.ends.push_back(device.begin(self.program, &["clock"])?);
            }
        }
        Ok(())
    }

    /// Takes note that another program has overwritten the rows in place.
    pub fn displaced(&mut self) {
        if let Some(streamed) = &mut self.streamed {
            streamed.placed = None;
        }
    }

    /// How long rows were waited for since this was last asked, each time that they were.
    pub fn take_waits(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.waits)
    }
}

impl Streamed {
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
