// A tile of 4 samples: the lanes of a vector.
const TILE: u32 = 4u;
alias Samples = vec4<f32>;
