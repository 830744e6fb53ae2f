//! The six messages (RFC 9807, sections 5 and 6), each of one length, read at the edge.

use std::fmt;

use super::{OpaqueError, Suite};

macro_rules! message {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub(super) opaque_ke::$name<Suite>);

        impl $name {
            /// Its length.
            pub const BYTES: usize = $bytes;

            /// Reads the message.
            ///
            /// # Errors
            /// [`OpaqueError::Malformed`] for another length, or where an element is not one of the
            /// group, not in its canonical form, or the identity.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpaqueError> {
                if bytes.len() != Self::BYTES {
                    return Err(OpaqueError::Malformed);
                }
                Ok(Self(opaque_ke::$name::deserialize(bytes)?))
            }

            /// Writes the message.
            pub fn to_bytes(&self) -> [u8; $bytes] {
                let mut out = [0; $bytes];
                out.copy_from_slice(&self.0.serialize());
                out
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

message! {
    /// From the client, to begin a registration: the blinded password.
    RegistrationRequest, 32
}
message! {
    /// From the server: the evaluated element and its public key.
    RegistrationResponse, 64
}
message! {
    /// From the client, to end a registration. The server keeps these bytes as the account's record.
    RegistrationUpload, 192
}
message! {
    /// From the client, to begin a login (KE1).
    CredentialRequest, 96
}
message! {
    /// From the server (KE2).
    CredentialResponse, 320
}
message! {
    /// From the client, to end a login (KE3).
    CredentialFinalization, 64
}
