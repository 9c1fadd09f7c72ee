//! Windows of rows, read by a thread of their own while the window before them is computed on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::feed::Rows;
use crate::device::Span;
use crate::error::{Error, Result};
use crate::ops::batch::batch_rows;
use crate::ops::step::clock;
use crate::plan::Member;

/// Windows that are read before anyone asks for them, beside the one that is being read.
const AHEAD: usize = 1;

/// How long a window is waited for before it is asked whether the reader still lives.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which rows come when: batch by batch in the order that a clock says, so many batches a window. No window holds
/// batches of two epochs. Of a batch that several learn from a window has the share of one of them.
#[derive(Clone)]
pub(crate) struct Order {
    clock: [u32; clock::WORDS],
    member: Member,
}

impl Order {
    /// The order in which batches come under this clock, and this member's rows of each.
    pub fn new(clock: [u32; clock::WORDS], member: Member) -> Self {
        Order { clock, member }
    }

    fn word(&self, at: usize) -> u64 {
        u64::from(self.clock[at])
    }

    fn batches(&self) -> u64 {
        self.word(clock::ROWS).div_ceil(self.word(clock::BATCH_SIZE).max(1)).max(1)
    }

    /// Windows of an epoch.
    fn windows(&self) -> u64 {
        self.batches().div_ceil(self.word(clock::WINDOW).max(1))
    }

    /// Steps before the clock's own, as if all of them had been of such batches.
    pub fn begin(&self) -> u64 {
        self.word(clock::EPOCH) * self.batches() + self.word(clock::BATCH)
    }

    /// The window that a step's batch is in.
    pub fn window_of(&self, step: u64) -> u64 {
        step / self.batches() * self.windows() + step % self.batches() / self.word(clock::WINDOW).max(1)
    }

    /// Steps before the first one behind a window.
    pub fn end_of(&self, window: u64) -> u64 {
        let (epoch, number) = (window / self.windows(), window % self.windows());
        epoch * self.batches() + ((number + 1) * self.word(clock::WINDOW)).min(self.batches())
    }

    /// The rows of a window in the order in which its batches take them.
    fn rows(&self, window: u64, rows: &mut Vec<u32>) {
        rows.clear();
        let end = self.end_of(window);
        let begin = window / self.windows() * self.batches() + window % self.windows() * self.word(clock::WINDOW);
        let batch_size = self.word(clock::BATCH_SIZE);
        // Its parts of a batch lie side by side.
        let share = batch_size as usize / self.member.size;
        let before = self.member.rank * share;
        for step in begin..end {
            let mut clock = self.clock;
            clock[clock::WINDOW] = 0;
            clock[clock::EPOCH] = (step / self.batches()) as u32;
            clock[clock::BATCH] = (step % self.batches()) as u32;
            let left = self.word(clock::ROWS) - step % self.batches() * batch_size;
            let valid = left.min(batch_size) as usize;
            clock[clock::VALID_ROWS] = valid as u32;
            let first = rows.len();
            rows.resize(first + valid.saturating_sub(before).min(share), 0);
            batch_rows::fill(&clock, before, &mut rows[first..]);
        }
    }
}

/// What a window holds, source by source.
pub(super) type Window = Vec<Vec<u8>>;

/// Reads window after window.
pub(super) struct Reader {
    /// The window that comes next.
    next: u64,
    /// The first one that is not read.
    end: u64,
    windows: Option<Receiver<Result<Window>>>,
    /// Memory that is written on again.
    used: Option<SyncSender<Window>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Reads what is called `names` of these rows, from window `first` on until nobody asks any more, or `end` is reached.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(rows: Arc<Rows>, names: Vec<String>, order: Order, [first, end]: [u64; 2]) -> Result<Self> {
        let (hand, windows) = sync_channel(AHEAD);
        let (used, spare) = sync_channel::<Window>(AHEAD + 2);
        let work = move || {
            let mut numbers = Vec::new();
            for window in first..end {
                let mut memory = spare.try_recv().unwrap_or_default();
                memory.resize_with(names.len(), Vec::new);
                order.rows(window, &mut numbers);
                let mut read =
                    || names.iter().zip(&mut memory).try_for_each(|(name, out)| rows.copy(name, &numbers, out));
                let read = read();
                if hand.send(read.map(|()| memory)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("reader of rows".into()).spawn(work);
        let thread =
            thread.map_err(|error| Error::Failed(format!("the system gives no thread to read rows: {error}")))?;
        Ok(Reader { next: first, end, windows: Some(windows), used: Some(used), thread: Some(thread) })
    }

    /// Whether this window comes next.
    pub fn is_at(&self, window: u64) -> bool {
        self.next == window && window < self.end
    }

    /// The next window, and how long it was waited for, if it was not there yet.
    ///
    /// # Errors
    /// When there is no further one.
    pub fn window(&mut self) -> Result<(Window, Option<Span>)> {
        let ended = || Error::Failed("the reader of rows has ended".into());
        let windows = self.windows.as_ref().ok_or_else(ended)?;
        self.next += 1;
        match windows.try_recv() {
            Ok(window) => return Ok((window?, None)),
            Err(TryRecvError::Disconnected) => return Err(ended()),
            Err(TryRecvError::Empty) => {}
        }
        let begin = Instant::now();
        loop {
            match windows.recv_timeout(PATIENCE) {
                Ok(window) => return Ok((window?, Some(Span::since(begin)))),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Gives a window's memory back.
    pub fn give_back(&self, window: Window) {
        if let Some(used) = &self.used {
            // A reader that has ended needs none.
            let _ = used.try_send(window);
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // What it would hand over nobody takes, so it ends.
        self.windows = None;
        self.used = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{permute, threefry2x32};

    fn order(rows: usize, batch: usize, window: u32, shuffle: bool) -> Order {
        let mut words = clock::start(rows, batch, shuffle, 7);
        words[clock::WINDOW] = window;
        Order::new(words, Member::ALONE)
    }

    #[test]
    fn windows_follow_the_order_of_each_epoch_and_never_cross_its_end() {
        let order = order(23, 4, 4, true);
        // Batches of an epoch: 4 4 4 4 | 4 3.
        assert_eq!([0, 3, 4, 5, 6, 9, 10].map(|step| order.window_of(step)), [0, 0, 1, 1, 2, 2, 3]);
        assert_eq!([0, 1, 2, 3].map(|window| order.end_of(window)), [4, 6, 10, 12]);
        let mut rows = Vec::new();
        for epoch in 0..2u32 {
            let mut all = Vec::new();
            for window in 0..2 {
                order.rows(u64::from(2 * epoch + window), &mut rows);
                all.extend_from_slice(&rows);
            }
            let key = threefry2x32([order.clock[clock::SHUFFLE_KEY], order.clock[clock::SHUFFLE_KEY + 1]], [epoch, 0]);
            assert_eq!(all, (0..23).map(|i| permute(i, 23, key)).collect::<Vec<_>>(), "epoch {epoch}");
        }
    }

    #[test]
    fn without_a_shuffle_rows_come_by_number() {
        let mut rows = Vec::new();
        order(10, 3, 2, false).rows(1, &mut rows);
        assert_eq!(rows, [6, 7, 8, 9]);
    }

    #[test]
    fn members_have_the_rows_of_a_batch_between_them() {
        let whole = order(23, 4, 3, true);
        for window in 0..4 {
            let (mut all, mut own) = (Vec::new(), Vec::new());
            whole.rows(window, &mut all);
            let shares = [0, 1].map(|rank| {
                let of_member = Order { member: Member { rank, size: 2, own_norms: false }, ..whole.clone() };
                of_member.rows(window, &mut own);
                own.clone()
            });
            let mut together: Vec<u32> = Vec::new();
            for batch in 0..3 {
                for share in &shares {
                    together.extend(share.iter().skip(2 * batch).take(2));
                }
            }
            assert_eq!(together, all, "window {window}");
        }
    }
}
