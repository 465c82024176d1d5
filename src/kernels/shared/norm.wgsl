// Layer norm of `hidden` numbers of `out` from `from` on, whose values this thread has added up to
// `sum`: over `norm`, gain [hidden] and offset [hidden].
fn normalise(start: u32, hidden: u32, epsilon: f32, thread: u32, sum: f32) {
    let mean = total(thread, sum) / f32(hidden);
    var squares = 0.0;
    for (var i = thread; i < hidden; i += THREADS) {
        let off = out[start + i] - mean;
        squares += off * off;
    }
    let scale = inverseSqrt(total(thread, squares) / f32(hidden) + epsilon);
    for (var i = thread; i < hidden; i += THREADS) {
        out[start + i] = (out[start + i] - mean) * scale * norm[i] + norm[hidden + i];
    }
}

