//! Counting tests from what `cargo test` prints.

/// How many tests a stage ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Of those that passed: not at once, but alone.
    pub alone: usize,
}

impl Tally {
    /// One check of a stage that is no `cargo test`.
    pub fn pass(&mut self) {
        self.passed += 1;
    }

    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// So many had failed and have passed by themselves.
    pub fn passed_alone(&mut self, count: usize) {
        self.failed -= count;
        self.passed += count;
        self.alone += count;
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.alone += other.alone;
    }

    /// Adds a closing line of libtest, such as
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; ...`.
    pub fn read(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// The name in a line of libtest such as `test seals::open ... FAILED`.
pub fn failed_test(line: &str) -> Option<String> {
    Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_libtest_says() {
        let mut tally = Tally::default();
        tally.read("running 3 tests");
        tally.read("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s");
        tally.read("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s");
        assert_eq!(tally, Tally { passed: 5, failed: 4, skipped: 1, alone: 0 });
        tally.passed_alone(4);
        assert_eq!(tally, Tally { passed: 9, failed: 0, skipped: 1, alone: 4 });
    }

    #[test]
    fn names_what_failed() {
        assert_eq!(failed_test("test seals::open ... FAILED").as_deref(), Some("seals::open"));
        assert_eq!(failed_test("test seals::open ... ok"), None);
        assert_eq!(failed_test("test result: FAILED. 2 passed; 4 failed"), None);
    }
}
