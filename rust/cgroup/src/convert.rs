//! The specification counts as version 1 does; these are the corresponding values of version 2.

/// `cpu.weight` (1 to 10000, default 100) from `cpu.shares` (2 to 262144, default 1024).
///
/// The curve that runc and crun agreed on: it meets the least, the default and the greatest value of both scales.
/// <https://github.com/kubernetes/kubernetes/issues/131216>
pub(crate) fn weight_of_shares(shares: u64) -> u64 {
    match shares {
        ..=2 => 1,
        3..262_144 => {
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            // Between 1 and 10000, so the conversion is exact.
            10_f64.powf(exponent).ceil() as u64
        }
        _ => 10_000,
    }
}

/// `io.weight` (1 to 10000) from a block weight (10 to 1000), linearly.
pub(crate) fn io_weight(weight: u16) -> u64 {
    1 + u64::from(weight.clamp(10, 1000) - 10) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_meet_at_the_ends_and_at_the_default() {
        let pairs = [
            (0, 1),
            (1, 1),
            (2, 1),
            (1024, 100),
            (262_144, 10_000),
            (1 << 40, 10_000),
        ];
        for (shares, weight) in pairs {
            assert_eq!(weight_of_shares(shares), weight, "{shares}");
        }
    }

    #[test]
    fn more_shares_never_weigh_less() {
        let weights: Vec<u64> = (0..300_000).map(weight_of_shares).collect();
        assert!(weights.is_sorted());
        assert!(weights.iter().all(|weight| (1..=10_000).contains(weight)));
    }

    #[test]
    fn block_weights() {
        assert_eq!([10, 500, 1000].map(io_weight), [1, 4950, 10_000]);
    }
}
