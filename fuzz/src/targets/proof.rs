//! What a stranger sends as a question or as an answer: requests, presentations.

use symbolon_proof::{Policy, Presentation, Request};

pub fn run(data: &[u8]) {
    if let Ok(request) = Request::parse(data) {
        asked(&request);
    }
    if let Ok(presentation) = Presentation::parse(data) {
        let written = presentation.to_bytes();
        assert_eq!(Presentation::parse(&written).as_ref(), Ok(&presentation), "it reads back");
        asked(&presentation.request);
    }
}

/// What reads is written the same, and each part of it is what a holder is shown.
fn asked(request: &Request) {
    assert_eq!(Request::from_value(request.to_value()).as_ref(), Ok(request));
    assert_eq!(Policy::from_value(request.policy.to_value()).as_ref(), Ok(&request.policy));
    assert!(request.session().is_ok(), "what was read can be proven for");
    assert!(request.words().starts_with(request.audience.as_str()));
}
