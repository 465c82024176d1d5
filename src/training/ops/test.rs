//! How the operations are checked: against candle's own operations and against finite differences.

use candle_core::{Device, Result, Tensor, Var};

/// Numbers between -`size` and `size` that look random.
pub fn tensor(shape: &[usize], seed: u32, size: f32) -> Tensor {
    let count: usize = shape.iter().product();
    let value = |place: usize| {
        let angle = (place as f32 + 1.0) * 12.9898 + seed as f32 * 78.233;
        let noise = angle.sin() * 43_758.547;
        size * (2.0 * (noise - noise.floor()) - 1.0)
    };
    Tensor::from_vec((0..count).map(value).collect(), shape, &Device::Cpu).unwrap()
}

pub fn assert_close(found: &Tensor, wanted: &Tensor, tolerance: f32) {
    assert_eq!(found.shape(), wanted.shape());
    let list = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (place, (found, wanted)) in list(found).into_iter().zip(list(wanted)).enumerate() {
        let allowed = tolerance * wanted.abs().max(1.0);
        assert!((found - wanted).abs() <= allowed, "{place}: {found} for {wanted}");
    }
}

/// A weighted sum of the output, so that every output number has a gradient of its own.
fn scalar(output: &Tensor) -> Result<Tensor> {
    (output * tensor(output.dims(), 99, 1.0))?.sum_all()
}

/// Checks an operation's values and all its gradients: against `plain`, made of candle's own
/// operations and differentiated by candle, and against central differences of `plain` in f64.
pub fn check_gradient(
    arguments: &[Tensor],
    ours: impl Fn(&[Tensor]) -> Result<Tensor>,
    plain: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let vars: Vec<Var> = arguments.iter().map(|a| Var::from_tensor(a).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let (found, wanted) = (ours(&tensors).unwrap(), plain(&tensors).unwrap());
    assert_close(&found, &wanted, 2e-5);
    let found = scalar(&found).unwrap().backward().unwrap();
    let wanted = scalar(&wanted).unwrap().backward().unwrap();
    for (position, var) in vars.iter().enumerate() {
        let gradient = found.get(var).expect("a gradient for every argument");
        assert_close(gradient, wanted.get(var).unwrap(), 1e-4);
        let differences = differences(arguments, position, &ours);
        assert_close(gradient, &differences, 2e-2);
    }
}

/// Central differences with respect to one argument. Single precision and a step of 1e-2 leave an
/// error of about 1e-3 for smooth operations on numbers near 1.
fn differences(
    arguments: &[Tensor],
    position: usize,
    operation: &impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Tensor {
    const STEP: f32 = 1e-2;
    let argument = &arguments[position];
    let numbers = argument.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let value_at = |place: usize, step: f32| {
        let mut moved = numbers.clone();
        moved[place] += step;
        let mut arguments = arguments.to_vec();
        arguments[position] = Tensor::from_vec(moved, argument.shape(), &Device::Cpu).unwrap();
        let output = operation(&arguments).unwrap().flatten_all().unwrap();
        let weights = tensor(output.dims(), 99, 1.0).to_vec1::<f32>().unwrap();
        let output = output.to_vec1::<f32>().unwrap();
        output.iter().zip(weights).map(|(o, w)| f64::from(*o) * f64::from(w)).sum::<f64>()
    };
    let slope =
        |place| ((value_at(place, STEP) - value_at(place, -STEP)) / (2.0 * f64::from(STEP))) as f32;
    let slopes: Vec<f32> = (0..numbers.len()).map(slope).collect();
    Tensor::from_vec(slopes, argument.shape(), &Device::Cpu).unwrap()
}
