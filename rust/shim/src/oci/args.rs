//! The command line of an OCI runtime as data: flags are declared once, and parsing and help both read them.
//!
//! The grammar is that of runc and crun: `--name value`, `--name=value`, one dash works like two, `-x value`, booleans take
//! `=true` or `=false`. Where operands are the words of another program, options end at the first one (so that `exec ID ls -l` needs
//! no `--`); elsewhere they may follow it, as in `delete ID --force`.

use std::fmt::Write as _;

/// One option of a verb, or of the program itself.
#[derive(Debug)]
pub struct Flag {
    /// Names without dashes, the one that [`Parsed`] answers to first.
    pub names: &'static [&'static str],
    /// What the value is called in the help; empty for a switch.
    pub value: &'static str,
    /// One line of help.
    pub help: &'static str,
}

impl Flag {
    /// An option that takes a value.
    pub const fn value(
        names: &'static [&'static str],
        value: &'static str,
        help: &'static str,
    ) -> Self {
        Self { names, value, help }
    }

    /// An option that is there or not.
    pub const fn switch(names: &'static [&'static str], help: &'static str) -> Self {
        Self {
            names,
            value: "",
            help,
        }
    }
}

/// Where options may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the first operand.
    Front,
    /// Anywhere up to `--`.
    Anywhere,
}

/// A command line that was understood: the options in the order given, then the operands.
#[derive(Debug, Default)]
pub struct Parsed {
    options: Vec<(&'static str, String)>,
    /// What is left after the options.
    pub operands: Vec<String>,
    /// `--help` was among the options.
    pub help: bool,
}

impl Parsed {
    /// The last value given for an option.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next_back()
    }

    /// Every value given for an option, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.options
            .iter()
            .filter(move |(given, _)| *given == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The value of an option as a number.
    ///
    /// # Errors
    /// A sentence that names the option and the value.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.get(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| format!("invalid value \"{text}\" for --{name}: not a number"))
            })
            .transpose()
    }
}

/// Reads the options that `flags` declares from `words`.
///
/// # Errors
/// A sentence that names the word at fault.
pub fn parse(flags: &'static [Flag], place: Place, words: &[String]) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let Some(name) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            parsed.operands.push(word.clone());
            match place {
                Place::Front => break,
                Place::Anywhere => continue,
            }
        };
        let (name, inline) = split_value(name.strip_prefix('-').unwrap_or(name));
        if name == "help" || name == "h" {
            parsed.help = true;
            continue;
        }
        let flag = find(flags, name).ok_or_else(|| format!("unknown option \"{word}\""))?;
        let value = match (inline, flag.value) {
            (Some(value), "") if !["true", "false"].contains(&value) => {
                return Err(format!(
                    "invalid value \"{value}\" for --{name}: true or false"
                ));
            }
            (Some(value), _) => value.to_owned(),
            (None, "") => "true".to_owned(),
            (None, _) => words
                .next()
                .ok_or_else(|| format!("option \"{word}\" needs a value"))?
                .clone(),
        };
        parsed.options.push((flag.names[0], value));
    }
    parsed.operands.extend(words.cloned());
    Ok(parsed)
}

fn split_value(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    }
}

fn find(flags: &'static [Flag], name: &str) -> Option<&'static Flag> {
    flags.iter().find(|flag| flag.names.contains(&name))
}

/// The lines of help for a list of options.
pub fn describe(flags: &[Flag]) -> String {
    let mut text = String::new();
    for flag in flags {
        let mut names: Vec<String> = flag.names.iter().map(|name| dashed(name)).collect();
        names.sort_by_key(String::len);
        let mut left = names.join(", ");
        if !flag.value.is_empty() {
            let _ = write!(left, " {}", flag.value);
        }
        let _ = writeln!(text, "  {left:32} {}", flag.help);
    }
    text
}

fn dashed(name: &str) -> String {
    let dashes = if name.len() == 1 { "-" } else { "--" };
    format!("{dashes}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    static FLAGS: [Flag; 3] = [
        Flag::value(&["bundle", "b"], "DIR", "the bundle"),
        Flag::switch(&["detach", "d"], "do not wait"),
        Flag::value(&["env", "e"], "NAME=VALUE", "set a variable"),
    ];

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn takes_every_way_to_write_a_value() {
        for text in [
            "--bundle /b id",
            "--bundle=/b id",
            "-b /b id",
            "-b=/b id",
            "-bundle /b id",
        ] {
            let parsed = parse(&FLAGS, Place::Front, &words(text)).expect(text);
            assert_eq!(parsed.get("bundle"), Some("/b"), "{text}");
            assert_eq!(parsed.operands, ["id"], "{text}");
        }
    }

    #[test]
    fn ends_options_at_the_first_operand() {
        let parsed = parse(&FLAGS, Place::Front, &words("-d id ls -d --bundle x")).expect("parses");
        assert!(parsed.is_set("detach"));
        assert_eq!(parsed.operands, ["id", "ls", "-d", "--bundle", "x"]);
        let parsed = parse(&FLAGS, Place::Front, &words("-- -d")).expect("parses");
        assert_eq!(parsed.operands, ["-d"]);
    }

    #[test]
    fn takes_options_behind_operands_where_they_may_be() {
        let parsed = parse(&FLAGS, Place::Anywhere, &words("id -d x --bundle /b")).expect("parses");
        assert!(parsed.is_set("detach"));
        assert_eq!(parsed.get("bundle"), Some("/b"));
        assert_eq!(parsed.operands, ["id", "x"]);
        let parsed = parse(&FLAGS, Place::Anywhere, &words("id -- -d")).expect("parses");
        assert_eq!(parsed.operands, ["id", "-d"]);
    }

    #[test]
    fn keeps_repeated_values_in_order() {
        let parsed = parse(&FLAGS, Place::Front, &words("-e A=1 --env B=2=3 id")).expect("parses");
        assert_eq!(parsed.all("env").collect::<Vec<_>>(), ["A=1", "B=2=3"]);
    }

    #[test]
    fn names_the_word_at_fault() {
        for (text, reason) in [
            ("--bundel x", "unknown option \"--bundel\""),
            ("--bundle", "option \"--bundle\" needs a value"),
            (
                "--detach=maybe",
                "invalid value \"maybe\" for --detach: true or false",
            ),
        ] {
            assert_eq!(
                parse(&FLAGS, Place::Front, &words(text)).expect_err(text),
                reason
            );
        }
        assert!(
            !parse(&FLAGS, Place::Front, &words("--detach=false"))
                .expect("parses")
                .is_set("detach")
        );
    }

    #[test]
    fn describes_what_it_parses() {
        let help = describe(&FLAGS);
        assert!(help.contains("  -b, --bundle DIR "), "{help}");
        assert!(help.contains("  -d, --detach "), "{help}");
    }
}
