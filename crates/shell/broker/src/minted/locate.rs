//! A place in a JSON document, found without copying what stands there.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use symbolon_capability::catalog::Pointer;

/// The whole document; its strings stay where they lie.
///
/// # Errors
/// Where it is no JSON, to its last byte.
pub(super) fn document(body: &[u8]) -> Result<&RawValue, NotJson> {
    serde_json::from_slice(body).map_err(|_| NotJson)
}

/// What stands at `pointer`; `None` where nothing does.
///
/// # Errors
/// Where a member on the way comes twice: of two, each reader takes the one it likes.
pub(super) fn at<'a>(
    document: &'a RawValue,
    pointer: &Pointer,
) -> Result<Option<&'a RawValue>, NotJson> {
    let mut value = document;
    for part in pointer.parts() {
        let mut json = serde_json::Deserializer::from_str(value.get());
        let step = Step(part);
        let found = match value.get().as_bytes().first() {
            Some(b'{') => json.deserialize_map(step),
            Some(b'[') => json.deserialize_seq(step),
            _ => return Ok(None),
        };
        // The parser's own words could quote what it found.
        let Some(next) = found.map_err(|_| NotJson)? else { return Ok(None) };
        value = next;
    }
    Ok(Some(value))
}

/// It is not JSON, or has a member twice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// One part of a pointer.
struct Step<'p>(&'p str);

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_meant) = map.next_key_seed(Named(self.0))? {
            let value: &RawValue = map.next_value()?;
            if is_meant && found.replace(value).is_some() {
                return Err(A::Error::custom("a member comes twice"));
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        // RFC 6901: digits without a leading zero.
        let index = self.0.parse::<usize>().ok().filter(|n| n.to_string() == self.0);
        let mut found = None;
        let mut n = 0;
        loop {
            if Some(n) == index {
                found = seq.next_element()?;
                if found.is_none() {
                    return Ok(None);
                }
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            n += 1;
        }
    }
}

/// Whether a member's name is this, however it is escaped.
struct Named<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(body: &'a str, pointer: &str) -> Result<Option<&'a str>, NotJson> {
        let document = document(body.as_bytes())?;
        Ok(at(document, &Pointer::parse(pointer).unwrap())?.map(RawValue::get))
    }

    #[test]
    fn places_are_found_as_they_lie() {
        let body = r#" {"a": {"b/c":[1, "x\n", {"": "y"}]}, "\u0074oken" : "t" , "n":null} "#;
        assert_eq!(found(body, "/token"), Ok(Some(r#""t""#)));
        assert_eq!(found(body, "/a/b~1c/1"), Ok(Some(r#""x\n""#)));
        assert_eq!(found(body, "/a/b~1c/2/"), Ok(Some(r#""y""#)));
        assert_eq!(found(body, "/n"), Ok(Some("null")));
        for missing in ["/b", "/a/b", "/a/b~1c/3", "/a/b~1c/01", "/a/b~1c/-", "/token/x", "/n/0"] {
            assert_eq!(found(body, missing), Ok(None), "{missing}");
        }
        let at = found(body, "/token").unwrap().unwrap();
        let offset = at.as_ptr().addr() - body.as_ptr().addr();
        assert_eq!(&body[offset..offset + at.len()], at, "not a copy");
    }

    #[test]
    fn what_two_readers_read_in_two_ways_is_refused() {
        for body in [
            "",
            "{",
            r#"{"a":"1"} x"#,
            r#"{"a":"1"}{"a":"1"}"#,
            r#"{"a":"1","a":"2"}"#,
            r#"{"a":"1","\u0061":"2"}"#,
            r#"{"a":"1","b":}"#,
            "{\"a\":\"\u{1}\"}",
            "\u{feff}{\"a\":\"1\"}",
            "{'a':1}",
        ] {
            assert_eq!(found(body, "/a"), Err(NotJson), "{body}");
        }
        assert!(document(b"{\"a\":\"\xff\"}").is_err());
        // Twice where nobody looks is the reader's own affair: both are searched for the secret.
        assert!(found(r#"{"b":1,"b":2,"a":"1"}"#, "/a").is_ok());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(found(&format!("{{\"b\":{deep},\"a\":1}}"), "/a"), Ok(Some("1")));
    }
}
