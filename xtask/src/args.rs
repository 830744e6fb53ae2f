//! Arguments of one command: known flags, known options with a value, and what follows `--`.

use crate::Failure;

/// Parsed arguments. Anything unknown is refused at [`Args::parse`].
#[derive(Debug, Default)]
pub struct Args {
    flags: Vec<String>,
    options: Vec<(String, String)>,
    rest: Vec<String>,
}

impl Args {
    /// `flags` stand alone (`--check`), `options` take a value (`--only NAME` or `--only=NAME`).
    pub fn parse(
        command: &str,
        given: &[String],
        flags: &[&str],
        options: &[&str],
    ) -> Result<Self, Failure> {
        let help = || format!("cargo xtask {command} --help");
        let mut parsed = Self::default();
        let mut given = given.iter();
        while let Some(arg) = given.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            if arg == "--" {
                parsed.rest = given.by_ref().cloned().collect();
            } else if flags.contains(&arg.as_str()) {
                parsed.flags.push(arg.clone());
            } else if options.contains(&name) {
                let value = inline
                    .or_else(|| given.next().cloned())
                    .ok_or_else(|| Failure::new(format!("`{name}` needs a value")).next(help()))?;
                parsed.options.push((name.to_owned(), value));
            } else {
                return Err(Failure::new(format!("`{command}` does not know `{arg}`")).next(help()));
            }
        }
        Ok(parsed)
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    /// The last value given for `option`.
    pub fn value(&self, option: &str) -> Option<&str> {
        self.options.iter().rev().find(|(name, _)| name == option).map(|(_, value)| value.as_str())
    }

    /// What follows `--`.
    pub fn rest(&self) -> &[String] {
        &self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &[&str]) -> Result<Args, Failure> {
        let given: Vec<String> = given.iter().map(|arg| (*arg).to_owned()).collect();
        Args::parse("test", &given, &["--quick"], &["--only"])
    }

    #[test]
    fn reads_flags_options_and_the_rest() {
        let args = parse(&["--quick", "--only", "lint", "--", "--quick", "x"]).unwrap();
        assert!(args.has("--quick"));
        assert_eq!(args.value("--only"), Some("lint"));
        assert_eq!(args.rest(), ["--quick", "x"]);
        assert_eq!(parse(&["--only=deny"]).unwrap().value("--only"), Some("deny"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for given in [&["--slow"][..], &["--only"], &["word"]] {
            let failure = parse(given).unwrap_err().to_string();
            assert!(failure.contains("cargo xtask test --help"), "{failure}");
        }
    }
}
