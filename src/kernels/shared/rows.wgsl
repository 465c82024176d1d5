// A workgroup a row.
const THREADS: u32 = 64u;
// Rows in the first dimension of the grid: `gpu::recording::rows_grid`.
const ROW_SPAN: u32 = 32768u;
var<workgroup> partial: array<f32, THREADS>;

// The sum of all threads' values.
fn total(thread: u32, value: f32) -> f32 {
    // What was here before has been read.
    workgroupBarrier();
    partial[thread] = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            partial[thread] += partial[thread + half];
        }
    }
    workgroupBarrier();
    return partial[0];
}

