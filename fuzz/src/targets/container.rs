//! A container or, after a first byte that is odd, a deed.

use symbolon_container::{Deed, Framed};

pub fn run(data: &[u8]) {
    let Some((which, file)) = data.split_first() else { return };
    if which % 2 == 1 {
        let Ok(deed) = Deed::parse(file) else { return };
        assert_eq!(Deed::parse(deed.to_json().as_bytes()).expect("what was written is read"), deed);
        return;
    }
    let Ok(signed) = Framed::parse(file).and_then(Framed::verify) else { return };
    let total: usize = signed.layers().map(|(_, len)| len).sum();
    assert!(total < file.len() && signed.recipients().count() <= 8);
}
