// What follows a layer's sum: 0: nothing; 1: GELU; 2: tanh.
override ACTIVATION: u32 = 0u;

// Abramowitz and Stegun 7.1.26: within 1.5e-7 of the error function.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
        + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - series * exp(-x * x));
}

fn activated(value: f32) -> f32 {
    if ACTIVATION == 1u {
        return 0.5 * value * (1.0 + erf(value * 0.70710678118));
    }
    if ACTIVATION == 2u {
        // Beyond, tanh is 1 to the last bit, and some drivers overflow.
        return tanh(clamp(value, -15.0, 15.0));
    }
    return value;
}

