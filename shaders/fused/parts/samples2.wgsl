// A tile of 2 samples: the lanes of a vector.
const TILE: u32 = 2u;
alias Samples = vec2<f32>;
