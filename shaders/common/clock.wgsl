// Words of the clock; the host's side is src/ops/step/clock.rs.
const CLOCK_STEP: u32 = 0u;
const CLOCK_EPOCH: u32 = 1u;
const CLOCK_BATCH: u32 = 2u;
const CLOCK_VALID_ROWS: u32 = 3u;
const CLOCK_ROWS: u32 = 4u;
const CLOCK_BATCH_SIZE: u32 = 5u;
const CLOCK_SHUFFLE: u32 = 6u;
const CLOCK_BAD_STEP: u32 = 7u;
const CLOCK_BAD_TERM: u32 = 8u;
const CLOCK_CORRECTION1: u32 = 9u;
const CLOCK_CORRECTION2: u32 = 10u;
const CLOCK_SHUFFLE_KEY: u32 = 11u; // two words
const CLOCK_STEP_KEY: u32 = 13u;    // two words
const CLOCK_WINDOW: u32 = 15u;      // batches whose rows are there; 0: all
