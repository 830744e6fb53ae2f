//! The clock on the wall.

use symbolon_ambient::{Clock, SystemClock};
use symbolon_capability::{Zone, ZoneName};
use symbolon_codec::time::rfc3339;
use symbolon_vault::replica::LocalTime;

/// Now, in the zone of `TZ`, else of the machine, else in UTC.
pub fn now() -> LocalTime {
    at(SystemClock.unix_ms(), &zone())
}

/// A moment as people write it, to the minute.
pub fn shown(unix_ms: u64) -> String {
    at(unix_ms, &zone()).to_string()
}

fn at(unix_ms: u64, zone: &Zone) -> LocalTime {
    let shift_ms = i64::from(zone.offset(unix_ms)) * 1000;
    let text = rfc3339(unix_ms.saturating_add_signed(shift_ms));
    let two = |at: usize| text.get(at..at + 2).and_then(|part| part.parse::<u8>().ok());
    let read = || {
        let year = text.get(..4)?.parse().ok()?;
        LocalTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?)
    };
    // INFALLIBLE: `rfc3339` writes a day of the calendar, with four digits of the year.
    read().expect("a moment has a date")
}

fn zone() -> Zone {
    let named = std::env::var("TZ").ok();
    let named = named.and_then(|name| ZoneName::parse(name.trim_start_matches(':')));
    let file = match named {
        Some(ZoneName::Offset(seconds)) => return Zone::Offset(seconds),
        // The name has no dots and no empty parts, so it stays below the folder.
        Some(ZoneName::Named(name)) => format!("/usr/share/zoneinfo/{name}"),
        None => "/etc/localtime".to_owned(),
    };
    let size = std::fs::metadata(&file).map_or(0, |about| about.len());
    let bytes = (size <= FILE_BYTES_MAX).then(|| std::fs::read(&file).ok()).flatten();
    bytes.and_then(|bytes| Zone::from_tzif("local", &bytes)).unwrap_or(Zone::Offset(0))
}

/// The largest zone file has some 4 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_is_east_or_west_of_utc() {
        let ms = 1_795_169_161_042;
        for (seconds, shown) in [
            (0, "2026-11-20 10:06"),
            (14 * 3600, "2026-11-21 00:06"),
            (-11 * 3600, "2026-11-19 23:06"),
            (5 * 3600 + 1800, "2026-11-20 15:36"),
        ] {
            assert_eq!(at(ms, &Zone::Offset(seconds)).to_string(), shown);
        }
    }
}
