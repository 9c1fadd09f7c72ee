// Convolutions as one writes them first: one invocation a result, one element a load. Only here, as the measure of what
// tiles are worth. Images [N, H, W, C], weights [O, K, K, C / GROUPS]; constants as benches/conv.rs writes them.
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const OF_INPUT: u32 = INPUTS / GROUPS;
const OF_OUTPUT: u32 = OUTPUTS / GROUPS;

// y of x and w.
@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) at: vec3<u32>) {
    let o = at.x % OUTPUTS;
    let j = at.x / OUTPUTS % COLUMNS;
    let i = at.x / (OUTPUTS * COLUMNS) % ROWS;
    let image = at.x / (OUTPUTS * COLUMNS * ROWS);
    if image >= IMAGES {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < KERNEL; k++) {
        for (var l = 0u; l < KERNEL; l++) {
            let u = i * STRIDE + k - PADDING;
            let v = j * STRIDE + l - PADDING;
            if u < SIZE && v < SIZE {
                for (var c = 0u; c < OF_INPUT; c++) {
                    sum += a[((image * SIZE + u) * SIZE + v) * INPUTS + o / OF_OUTPUT * OF_INPUT + c]
                        * b[((o * KERNEL + k) * KERNEL + l) * OF_INPUT + c];
                }
            }
        }
    }
    result[at.x] = sum;
}

// dx of dy and w.
@compute @workgroup_size(64)
fn input_gradient(@builtin(global_invocation_id) at: vec3<u32>) {
    let c = at.x % INPUTS;
    let v = at.x / INPUTS % SIZE;
    let u = at.x / (INPUTS * SIZE) % SIZE;
    let image = at.x / (INPUTS * SIZE * SIZE);
    if image >= IMAGES {
        return;
    }
    let first = c / OF_INPUT * OF_OUTPUT;
    var sum = 0.0;
    for (var k = 0u; k < KERNEL; k++) {
        for (var l = 0u; l < KERNEL; l++) {
            let i = u + PADDING - k;
            let j = v + PADDING - l;
            if i % STRIDE == 0u && j % STRIDE == 0u && i / STRIDE < ROWS && j / STRIDE < COLUMNS {
                for (var o = first; o < first + OF_OUTPUT; o++) {
                    sum += a[((image * ROWS + i / STRIDE) * COLUMNS + j / STRIDE) * OUTPUTS + o]
                        * b[((o * KERNEL + k) * KERNEL + l) * OF_INPUT + c % OF_INPUT];
                }
            }
        }
    }
    result[at.x] = sum;
}

// dw of dy and x.
@compute @workgroup_size(64)
fn weight_gradient(@builtin(global_invocation_id) at: vec3<u32>) {
    let c = at.x % OF_INPUT;
    let l = at.x / OF_INPUT % KERNEL;
    let k = at.x / (OF_INPUT * KERNEL) % KERNEL;
    let o = at.x / (OF_INPUT * KERNEL * KERNEL);
    if o >= OUTPUTS {
        return;
    }
    var sum = 0.0;
    for (var image = 0u; image < IMAGES; image++) {
        for (var i = 0u; i < ROWS; i++) {
            for (var j = 0u; j < COLUMNS; j++) {
                let u = i * STRIDE + k - PADDING;
                let v = j * STRIDE + l - PADDING;
                if u < SIZE && v < SIZE {
                    sum += a[((image * ROWS + i) * COLUMNS + j) * OUTPUTS + o]
                        * b[((image * SIZE + u) * SIZE + v) * INPUTS + o / OF_OUTPUT * OF_INPUT + c];
                }
            }
        }
    }
    result[at.x] = sum;
}
