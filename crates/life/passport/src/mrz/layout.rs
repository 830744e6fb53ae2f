//! Where the fields are, by the size of the document.

use std::ops::Range;

use super::{Format, Mrz, MrzError, MrzField, Sex, check};
use crate::{Date, State};

/// A zone of a right size and of right characters.
pub struct Zone {
    format: Format,
    /// 90, 72 or 88 characters.
    text: Vec<u8>,
}

/// Places in the whole text, of all lines one after another.
struct Layout {
    line: usize,
    issuer: Range<usize>,
    names: Range<usize>,
    number: usize,
    nationality: Range<usize>,
    birth: usize,
    sex: usize,
    expiry: usize,
    /// The first takes what is too long for the number's nine places, in TD1 and TD2.
    optional: [Range<usize>; 2],
    composite: (&'static [Range<usize>], usize),
}

const NUMBER_LEN: usize = 9;
const DATE_LEN: usize = 6;

const TD1: Layout = Layout {
    line: 30,
    issuer: 2..5,
    number: 5,
    optional: [15..30, 48..59],
    birth: 30,
    sex: 37,
    expiry: 38,
    nationality: 45..48,
    names: 60..90,
    composite: (&[5..30, 30..37, 38..45, 48..59], 59),
};
const TD2: Layout = Layout {
    line: 36,
    issuer: 2..5,
    names: 5..36,
    number: 36,
    nationality: 46..49,
    birth: 49,
    sex: 56,
    expiry: 57,
    optional: [64..71, 71..71],
    composite: (&[36..46, 49..56, 57..71], 71),
};
const TD3: Layout = Layout {
    line: 44,
    issuer: 2..5,
    names: 5..44,
    number: 44,
    nationality: 54..57,
    birth: 57,
    sex: 64,
    expiry: 65,
    optional: [72..86, 86..86],
    composite: (&[44..54, 57..64, 65..87], 87),
};
/// The check digit of a passport's optional data.
const TD3_OPTIONAL_DIGIT: usize = 86;

impl Zone {
    pub fn of(text: &[u8]) -> Result<Self, MrzError> {
        let text = joined(text).ok_or(MrzError::Lines)?;
        let format = match text.len() {
            90 => Format::Td1,
            72 => Format::Td2,
            88 => Format::Td3,
            _ => return Err(MrzError::Lines),
        };
        let zone = Self { format, text };
        let is_strange = |byte: &u8| !matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'<');
        match zone.text.iter().position(is_strange) {
            Some(place) => {
                let line = zone.layout().line;
                Err(MrzError::Character { line: place / line + 1, column: place % line + 1 })
            }
            None => Ok(zone),
        }
    }

    const fn layout(&self) -> &'static Layout {
        match self.format {
            Format::Td1 => &TD1,
            Format::Td2 => &TD2,
            Format::Td3 => &TD3,
        }
    }

    /// All check digits.
    pub fn check(&self) -> Result<(), MrzError> {
        let layout = self.layout();
        let dates = [(MrzField::Birth, layout.birth), (MrzField::Expiry, layout.expiry)];
        let (number, digit) = self.number();
        if check::digit(&number) != digit {
            return Err(MrzError::Check(MrzField::Number));
        }
        for (field, start) in dates {
            if check::digit(&self.text[start..start + DATE_LEN]) != self.text[start + DATE_LEN] {
                return Err(MrzError::Check(field));
            }
        }
        if self.format == Format::Td3 {
            let optional = &self.text[layout.optional[0].clone()];
            let digit = self.text[TD3_OPTIONAL_DIGIT];
            let may_be_left_out = digit == b'<' && optional.iter().all(|byte| *byte == b'<');
            if check::digit(optional) != digit && !may_be_left_out {
                return Err(MrzError::Check(MrzField::Optional));
            }
        }
        let (parts, place) = &layout.composite;
        let all = parts.iter().flat_map(|part| &self.text[part.clone()]);
        if check::digit(all) != self.text[*place] {
            return Err(MrzError::Check(MrzField::Composite));
        }
        Ok(())
    }

    /// The number and its check digit. One of more than nine characters goes on in the optional data,
    /// up to a filler, its check digit last, and has a filler where the digit would be (9303-5, note j).
    fn number(&self) -> (Vec<u8>, u8) {
        let start = self.layout().number;
        let (number, digit) =
            (self.text[start..start + NUMBER_LEN].to_vec(), self.text[start + NUMBER_LEN]);
        let rest = self.number_rest();
        match rest.split_last() {
            Some((digit, rest)) => ([number, rest.to_vec()].concat(), *digit),
            None => (number, digit),
        }
    }

    /// What of the number is in the optional data.
    fn number_rest(&self) -> &[u8] {
        let layout = self.layout();
        let is_long = self.format != Format::Td3 && self.text[layout.number + NUMBER_LEN] == b'<';
        let optional = &self.text[layout.optional[0].clone()];
        let end = optional.iter().position(|byte| *byte == b'<').unwrap_or(optional.len());
        if is_long { &optional[..end] } else { &[] }
    }

    /// What the fields say.
    pub fn read(&self, today: Date) -> Result<Mrz, MrzError> {
        let layout = self.layout();
        self.check_kind()?;
        let state = |range: &Range<usize>, field| {
            let code = [0, 1, 2].map(|place| self.text[range.start + place]);
            State::of(code).ok_or(MrzError::Field(field))
        };
        let (surname, given_names) = names(&self.text[layout.names.clone()])?;
        let number = filled(&self.number().0).ok_or(MrzError::Field(MrzField::Number))?;
        let sex = match self.text[layout.sex] {
            b'F' => Sex::Female,
            b'M' => Sex::Male,
            b'<' => Sex::Unspecified,
            _ => return Err(MrzError::Field(MrzField::Sex)),
        };
        let rest = self.number_rest().len();
        let optional = |range: &Range<usize>, from: usize| {
            let text = &self.text[range.start + from..range.end];
            filled(text).unwrap_or_default()
        };
        Ok(Mrz {
            format: self.format,
            issuer: state(&layout.issuer, MrzField::Issuer)?,
            nationality: state(&layout.nationality, MrzField::Nationality)?,
            birth: self.birth(today)?,
            expiry: self.expiry(today)?,
            optional: [optional(&layout.optional[0], rest), optional(&layout.optional[1], 0)],
            surname,
            given_names,
            number,
            sex,
        })
    }

    /// `P` is a passport, `A`, `C` and `I` are cards (9303-3, section 4.3 of parts 4 to 6); `V` after `I`
    /// or `A` is kept from documents of identity, and `AC` is a crew member's.
    fn check_kind(&self) -> Result<(), MrzError> {
        let is_known = match self.format {
            Format::Td3 => self.text[0] == b'P',
            Format::Td1 | Format::Td2 => {
                matches!(self.text[0], b'A' | b'C' | b'I') && self.text[1] != b'V'
            }
        };
        is_known.then_some(()).ok_or(MrzError::Field(MrzField::Kind))
    }

    /// Nobody was born after today, nor a hundred years and more before: who is older has a birth date
    /// that is told from a child's by nothing in the zone.
    fn birth(&self, today: Date) -> Result<Date, MrzError> {
        let start = self.layout().birth;
        let field = &self.text[start..start + DATE_LEN];
        if field.contains(&b'<') {
            return Err(MrzError::BirthIncomplete);
        }
        let at = |century| dated(field, century);
        let own = at(today.year() / 100).filter(|date| *date <= today);
        own.or_else(|| at(today.year() / 100 - 1)).ok_or(MrzError::Field(MrzField::Birth))
    }

    /// Of the century that brings it nearest to today: documents are good for some years.
    fn expiry(&self, today: Date) -> Result<Date, MrzError> {
        let start = self.layout().expiry;
        let field = &self.text[start..start + DATE_LEN];
        let century = today.year() / 100;
        let dates = [century - 1, century, century + 1].into_iter();
        let nearest = dates
            .filter_map(|century| dated(field, century))
            .min_by_key(|date| date.year().abs_diff(today.year()));
        nearest.ok_or(MrzError::Field(MrzField::Expiry))
    }
}

/// The characters of all lines. Either there are no ends of lines, or they are where they belong.
fn joined(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii_end();
    if !text.contains(&b'\n') {
        return Some(text.to_vec());
    }
    let lines: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let len = lines.first()?.len();
    let is_right = matches!((lines.len(), len), (3, 30) | (2, 36 | 44));
    (is_right && lines.iter().all(|line| line.len() == len)).then(|| lines.concat())
}

/// `YYMMDD` of a century.
fn dated(field: &[u8], century: u16) -> Option<Date> {
    let two = |place: usize| {
        let (tens, ones) = (field[place], field[place + 1]);
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
    };
    Date::new(century * 100 + u16::from(two(0)?), two(2)?, two(4)?)
}

/// Fillers between words are spaces. `None` where nothing else is there.
fn filled(text: &[u8]) -> Option<String> {
    let spaced = text.iter().map(|byte| if *byte == b'<' { ' ' } else { char::from(*byte) });
    let spaced: String = spaced.collect();
    let trimmed = spaced.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Primary and secondary identifiers, with two fillers between them. They have no digits.
fn names(field: &[u8]) -> Result<(String, String), MrzError> {
    let wrong = MrzError::Field(MrzField::Names);
    if field.iter().any(u8::is_ascii_digit) || field[0] == b'<' {
        return Err(wrong);
    }
    let border = field.windows(2).position(|pair| pair == b"<<").unwrap_or(field.len());
    let surname = filled(&field[..border]).ok_or(wrong)?;
    Ok((surname, filled(&field[border..]).unwrap_or_default()))
}
