//! The few formats that control files come in.

use crate::{
    dir::number,
    stats::{Psi, PsiData},
};

/// The value of one key in a file of `key value` lines.
pub(crate) fn flat_value(text: &str, key: &str) -> Option<u64> {
    flat(text)
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

/// All pairs of a file of `key value` lines; lines of another shape are passed over.
pub(crate) fn flat(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (key, value) = line.split_once(' ')?;
        Some((key, number(value)?))
    })
}

/// A list of numbers such as `0-3,7`.
pub(crate) fn list(text: &str) -> Vec<u16> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

/// Pressure stall information: lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
pub(crate) fn psi(text: &str) -> Psi {
    let mut psi = Psi::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let data = match words.next() {
            Some("some") => &mut psi.some,
            Some("full") => &mut psi.full,
            _ => continue,
        };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            set_psi(data, key, value);
        }
    }
    psi
}

fn set_psi(data: &mut PsiData, key: &str, value: &str) {
    match key {
        "avg10" => data.avg10 = value.parse().unwrap_or(0.0),
        "avg60" => data.avg60 = value.parse().unwrap_or(0.0),
        "avg300" => data.avg300 = value.parse().unwrap_or(0.0),
        "total" => data.total = value.parse().unwrap_or(0),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_files() {
        let text = "populated 1\nfrozen 0\nodd\nmax max\nbad x\n";
        assert_eq!(flat_value(text, "populated"), Some(1));
        assert_eq!(flat_value(text, "max"), Some(u64::MAX));
        assert_eq!(flat_value(text, "froze"), None);
        assert_eq!(flat(text).count(), 3);
    }

    #[test]
    fn pressure() {
        let text = "some avg10=1.50 avg60=0.00 avg300=0.25 total=42\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        let psi = psi(text);
        assert_eq!(
            (
                psi.some.avg10,
                psi.some.avg300,
                psi.some.total,
                psi.full.total
            ),
            (1.5, 0.25, 42, 7)
        );
    }

    #[test]
    fn lists() {
        assert_eq!(list("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(list(""), [] as [u16; 0]);
        assert_eq!(list("x,1"), [1]);
    }
}
