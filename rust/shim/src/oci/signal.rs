//! Names and numbers of signals, as people write them.

use rustix::process::Signal;

/// signal(7), by number from 1 on.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// First and last real-time signal that programs may use (signal(7); the C library keeps 32 and 33).
const REAL_TIME: (i32, i32) = (34, 64);

/// Reads `9`, `KILL`, `SIGKILL` or `SIGRTMIN+3`, in either case.
///
/// # Errors
/// A sentence that names the text.
pub fn parse(text: &str) -> Result<Signal, String> {
    let number = text.parse().ok().or_else(|| by_name(text));
    number
        .and_then(pyctr_sys::signals::from_number)
        .ok_or_else(|| format!("unknown signal \"{text}\""))
}

fn by_name(text: &str) -> Option<i32> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(offset) = name.strip_prefix("RTMIN") {
        return real_time(REAL_TIME.0, offset);
    }
    if let Some(offset) = name.strip_prefix("RTMAX") {
        return real_time(REAL_TIME.1, offset);
    }
    let index = NAMES.iter().position(|known| *known == name)?;
    i32::try_from(index + 1).ok()
}

fn real_time(base: i32, offset: &str) -> Option<i32> {
    if offset.is_empty() {
        return Some(base);
    }
    let number = base.checked_add(offset.parse().ok()?)?;
    (REAL_TIME.0..=REAL_TIME.1)
        .contains(&number)
        .then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_numbers() {
        for (text, number) in [
            ("9", 9),
            ("KILL", 9),
            ("SIGKILL", 9),
            ("sigterm", 15),
            ("CHLD", 17),
            ("SYS", 31),
            ("SIGRTMIN", 34),
            ("RTMIN+3", 37),
            ("SIGRTMAX-1", 63),
            ("40", 40),
        ] {
            assert_eq!(parse(text).map(Signal::as_raw), Ok(number), "{text}");
        }
        for text in [
            "", "0", "32", "65", "-1", "SIGFOO", "RTMIN+31", "RTMAX+1", "KILL ",
        ] {
            assert_eq!(parse(text), Err(format!("unknown signal \"{text}\"")));
        }
    }
}
