//! Times as the Docker API prints them.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A point in time of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallTime {
    seconds: i64,
    nanoseconds: u32,
}

impl WallTime {
    /// The present.
    pub fn now() -> Self {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Realtime);
        Self {
            seconds: tv_sec,
            nanoseconds: tv_nsec as u32,
        }
    }
}

/// RFC 3339 in UTC with as many digits of the second as are not zero: Go's `time.RFC3339Nano`.
impl std::fmt::Display for WallTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = civil_date(self.seconds.div_euclid(86_400));
        let second_of_day = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanoseconds != 0 {
            let digits = format!("{:09}", self.nanoseconds);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Year, month and day of a count of days since 1970-01-01 in the Gregorian calendar.
///
/// Years are counted from March, which puts the leap day last; an era is the calendar's period of 400 years, 146,097 days.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let since_era_zero = days + 719_468;
    let era = since_era_zero.div_euclid(146_097);
    let day_of_era = since_era_zero.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64, nanoseconds: u32) -> String {
        WallTime {
            seconds,
            nanoseconds,
        }
        .to_string()
    }

    #[test]
    fn prints_what_go_prints() {
        assert_eq!(text(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_785_542_399, 120_000_000), "2026-07-31T23:59:59.12Z");
        assert_eq!(text(1_709_164_800, 1), "2024-02-29T00:00:00.000000001Z");
        assert_eq!(text(951_782_400, 0), "2000-02-29T00:00:00Z");
        assert_eq!(text(4_107_542_400, 0), "2100-03-01T00:00:00Z");
        assert_eq!(text(-1, 0), "1969-12-31T23:59:59Z");
    }
}
