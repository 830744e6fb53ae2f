//! JSON from outside: bounded, without duplicate keys; and JSON for hashing: sorted, compact.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::CodecError;

/// A text that a document says of itself, such as its media type; nothing of the document is checked. None where it is no
/// JSON object within the bounds of [`parse_bounded`].
pub fn text_member(bytes: &[u8], max_bytes: usize, max_depth: usize, name: &str) -> Option<String> {
    let value = parse_bounded(bytes, max_bytes, max_depth).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

/// Parses one JSON value of at most `max_bytes`, nested at most `max_depth` levels.
///
/// # Errors
/// [`CodecError::TooLong`], [`CodecError::TooDeep`], [`CodecError::DuplicateKey`], or
/// [`CodecError::Encoding`] for what is not JSON.
pub fn parse_bounded(
    bytes: &[u8],
    max_bytes: usize,
    max_depth: usize,
) -> Result<Value, CodecError> {
    if bytes.len() > max_bytes {
        return Err(CodecError::TooLong { found: bytes.len(), max: max_bytes });
    }
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let value =
        Strict { depth: max_depth }.deserialize(&mut de).map_err(|e| sort(&e, max_depth))?;
    de.end().map_err(|_| CodecError::Encoding("JSON"))?;
    Ok(value)
}

/// Compact JSON with the keys of every object sorted by their bytes.
pub fn canonical(value: &Value) -> Vec<u8> {
    // serde_json's map is a BTreeMap unless `preserve_order` is on somewhere in the build; sorting
    // here keeps the bytes the same either way.
    let mut out = Vec::with_capacity(128);
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(k, _)| k.as_bytes());
            out.push(b'{');
            for (i, (k, v)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(&Value::String(k.clone()), out);
                out.push(b':');
                write(v, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (i, v) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(v, out);
            }
            out.push(b']');
        }
        // Writing a scalar into a Vec cannot fail.
        scalar => drop(serde_json::to_writer(out, scalar)),
    }
}

const DUPLICATE: &str = "symbolon: duplicate key";
const DEEP: &str = "symbolon: too deep";

fn sort(error: &serde_json::Error, max_depth: usize) -> CodecError {
    let text = error.to_string();
    if text.starts_with(DUPLICATE) {
        CodecError::DuplicateKey
    } else if text.starts_with(DEEP) || text.starts_with("recursion limit") {
        CodecError::TooDeep(max_depth)
    } else {
        CodecError::Encoding("JSON")
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        self.depth.checked_sub(1).map(|depth| Self { depth }).ok_or_else(|| E::custom(DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Value, D::Error> {
        de.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut out = Vec::new();
        while let Some(v) = seq.next_element_seed(inner)? {
            out.push(v);
        }
        Ok(Value::Array(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut out = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            if out.insert(key, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_duplicates_are_refused_each_with_its_own_error() {
        assert_eq!(parse_bounded(b"{\"a\":1,\"a\":2}", 99, 9), Err(CodecError::DuplicateKey));
        assert_eq!(parse_bounded(b"[[[1]]]", 99, 2), Err(CodecError::TooDeep(2)));
        assert!(parse_bounded(b"[[[1]]]", 99, 3).is_ok());
        assert_eq!(parse_bounded(b"[1]", 2, 9), Err(CodecError::TooLong { found: 3, max: 2 }));
        assert_eq!(parse_bounded(b"[1] 2", 99, 9), Err(CodecError::Encoding("JSON")));
        let deep = "[".repeat(100_000);
        assert!(parse_bounded(deep.as_bytes(), 1 << 20, 64).is_err());
    }

    #[test]
    fn canonical_does_not_depend_on_order() {
        let a = parse_bounded(br#"{"b":[1,{"y":null,"x":"\u00e9"}],"a":1.5}"#, 99, 9).unwrap();
        let b = parse_bounded(br#"{"a":1.5,"b":[1,{"x":"\u00e9","y":null}]}"#, 99, 9).unwrap();
        assert_eq!(canonical(&a), canonical(&b));
        assert_eq!(canonical(&a), "{\"a\":1.5,\"b\":[1,{\"x\":\"é\",\"y\":null}]}".as_bytes());
    }
}
