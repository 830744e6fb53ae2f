//! Bytes of a wire type as base64url in JSON.

macro_rules! as_text {
    ($type:ident, $max:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&symbolon_codec::b64url::encode(&self.encode()))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                let bytes = symbolon_codec::b64url::decode(&text, $max)
                    .map_err(serde::de::Error::custom)?;
                Self::decode(&bytes).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(super) use as_text;
