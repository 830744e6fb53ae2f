//! The worked bytes of `specs/log.md`, made by a few lines of Python from the specification.

mod common;

use common::{ORIGIN, open};
use symbolon_log::{MemoryStorage, Storage};

#[test]
fn the_worked_example_of_the_specification() {
    let log = open(MemoryStorage::new()).unwrap();
    log.append(b"hello").unwrap();
    log.append(b"world").unwrap();
    log.commit().unwrap();
    assert_eq!(log.origin(), ORIGIN);
    let mut file = vec![0; log.storage().len().unwrap() as usize];
    log.storage().read(0, &mut file).unwrap();
    let hex: String = file.iter().map(|b| format!("{b:02x}")).collect();
    let expected = [
        "73796d626f6c6f6e2f6c6f672f76310a",
        "0000000568656c6c6fa83c2d4496ee5503b737b6b876577cdf",
        "00000005776f726c6421de417034c0fe60a2ae0b151b4617b7",
    ];
    assert_eq!(hex, expected.concat());
    assert_eq!(
        log.root(2).unwrap().to_string(),
        "24233339aadcedf287d262413f03c028eb8db397edd32a2878091151b99bf20f"
    );
}
