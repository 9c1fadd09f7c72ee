// Grids longer than 65,535 groups are folded to two dimensions by the host. This is the
// way back: the linear index of a workgroup. Indices past the work's end must return early.
fn group_index(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.x + group.y * groups.x;
}
