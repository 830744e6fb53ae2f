//! Bytes as OpenTimestamps writes them: numbers in groups of seven bits, lengths before bytes.

use super::error::OtsError;

/// Reads from the front.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    operations: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, operations: 0 }
    }

    /// Counts one operation or attestation against what a proof may have.
    pub(super) fn count(&mut self) -> Result<(), OtsError> {
        self.operations += 1;
        if self.operations > STEPS_MAX {
            return Err(OtsError::TooMuch { what: "steps", max: STEPS_MAX });
        }
        Ok(())
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], OtsError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(OtsError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], OtsError> {
        self.take(N)?.try_into().map_err(|_| OtsError::Short)
    }

    pub(super) fn byte(&mut self) -> Result<u8, OtsError> {
        Ok(self.array::<1>()?[0])
    }

    /// A number: seven bits a byte, the lowest first, in no more bytes than it needs.
    pub(super) fn number(&mut self) -> Result<u64, OtsError> {
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let is_long = byte == 0 && shift > 0;
                return if is_long { Err(OtsError::Number) } else { Ok(number) };
            }
        }
        Err(OtsError::Number)
    }

    pub(super) fn var_bytes(
        &mut self,
        what: &'static str,
        max: usize,
    ) -> Result<&'a [u8], OtsError> {
        let length = self.number()?;
        match usize::try_from(length) {
            Ok(length) if length <= max => self.take(length),
            _ => Err(OtsError::TooMuch { what, max }),
        }
    }

    pub(super) fn finish(&self) -> Result<(), OtsError> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(OtsError::Trailing(more)),
        }
    }
}

pub(super) fn write_number(to: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return to.push(low);
        }
        to.push(low | 0x80);
    }
}

pub(super) fn write_var_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    write_number(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

const STEPS_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_one_way() {
        for number in [0, 1, 127, 128, 300, 1 << 35, (1 << 63) - 1] {
            let mut written = Vec::new();
            write_number(&mut written, number);
            let mut reader = Reader::new(&written);
            assert_eq!(reader.number(), Ok(number));
            assert_eq!(reader.finish(), Ok(()));
        }
        assert_eq!(Reader::new(&[0x80, 0x00]).number(), Err(OtsError::Number), "two bytes for 0");
        assert_eq!(Reader::new(&[0xff; 9]).number(), Err(OtsError::Number), "over 63 bits");
        assert_eq!(Reader::new(&[0x80]).number(), Err(OtsError::Short));
    }
}
