//! What one core can do without memory: the instruction of a kernel on registers alone.

use criterion::Criterion;

use crate::log::Log;

/// Measures the peaks of this processor; the table's shares refer to the highest of their kind.
pub fn bench(criterion: &mut Criterion, log: &mut Log) {
    let mut group = criterion.benchmark_group("register peak");
    #[cfg(target_arch = "x86_64")]
    x86::bench(&mut group, log);
    #[cfg(not(target_arch = "x86_64"))]
    println!("no register peak is measured on this architecture, so there are no shares: {log:?}");
    group.finish();
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "instructions that not every processor has, after asking for them")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m256i, __m512, __m512i, _mm256_dpbusd_avx_epi32, _mm256_dpbusd_epi32,
        _mm256_fmadd_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
        _mm512_set1_epi32, _mm512_set1_ps,
    };
    use std::hint::black_box;

    use criterion::BenchmarkGroup;
    use criterion::measurement::WallTime;

    use crate::log::{Log, Numbers, Peak};

    /// Independent sums: enough to hide what one instruction takes, few enough for the registers.
    const SUMS: usize = 12;
    const ROUNDS: usize = 1000;

    macro_rules! peak {
        ($name:ident, $features:literal, $vector:ty, $from:expr, |$sum:ident, $a:ident, $b:ident| $step:expr) => {
            #[target_feature(enable = $features)]
            fn $name() {
                let from = $from;
                let ($a, $b): ($vector, $vector) = (black_box(from), black_box(from));
                let mut sums = [from; SUMS];
                for _ in 0..ROUNDS {
                    for sum in &mut sums {
                        let $sum = *sum;
                        *sum = $step;
                    }
                }
                black_box(sums);
            }
        };
    }

    peak!(int8_avx, "avx2,avxvnni", __m256i, _mm256_set1_epi32(0x0102_0304), |sum, a, b| {
        _mm256_dpbusd_avx_epi32(sum, a, b)
    });
    peak!(int8_256, "avx512vnni,avx512vl", __m256i, _mm256_set1_epi32(0x0102_0304), |sum, a, b| {
        _mm256_dpbusd_epi32(sum, a, b)
    });
    peak!(int8_512, "avx512f,avx512vnni", __m512i, _mm512_set1_epi32(0x0102_0304), |sum, a, b| {
        _mm512_dpbusd_epi32(sum, a, b)
    });
    peak!(f32_256, "avx2,fma", __m256, _mm256_set1_ps(1e-3), |sum, a, b| {
        _mm256_fmadd_ps(a, b, sum)
    });
    peak!(f32_512, "avx512f", __m512, _mm512_set1_ps(1e-3), |sum, a, b| {
        _mm512_fmadd_ps(a, b, sum)
    });

    pub fn bench(group: &mut BenchmarkGroup<'_, WallTime>, log: &mut Log) {
        let mut measure = |name: &str, numbers: Numbers, lanes: usize, work: unsafe fn()| {
            let operations = (2 * SUMS * ROUNDS * lanes) as u64;
            // SAFETY: called below only where the processor has the instructions.
            log.measure(group, name, operations, Peak::Itself(numbers), || unsafe { work() });
        };
        let has_512 = is_x86_feature_detected!("avx512f");
        if is_x86_feature_detected!("avxvnni") && is_x86_feature_detected!("avx2") {
            measure("int8, AVX-VNNI, 256 bits", Numbers::Int8, 32, int8_avx);
        }
        if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl") {
            measure("int8, AVX-512 VNNI, 256 bits", Numbers::Int8, 32, int8_256);
        }
        if has_512 && is_x86_feature_detected!("avx512vnni") {
            measure("int8, AVX-512 VNNI, 512 bits", Numbers::Int8, 64, int8_512);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            measure("f32, FMA, 256 bits", Numbers::F32, 8, f32_256);
        }
        if has_512 {
            measure("f32, AVX-512, 512 bits", Numbers::F32, 16, f32_512);
        }
    }
}
