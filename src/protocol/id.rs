//! Random 128-bit names: of a file, of a client, of a server's run, and the
//! secret that lets one continue an upload.
//!
//! On the wire they are 16 bytes; in text, 22 letters of URL-safe base 64.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text is not 22 letters of URL-safe base 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 22 letters, digits, '-' or '_' are expected")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes one of 16 bytes, which the caller draws at random.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() != 22 {
                    return Err(IdError);
                }
                let bytes = BASE64.decode(text).map_err(|_| IdError)?;
                bytes.try_into().map(Self).map_err(|_| IdError)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    BASE64.encode(self.0).serialize(serializer)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

macro_rules! public {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&BASE64.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

id! {
    /// Names an upload, and the file it becomes, in links and lists. Not a secret.
    FileId
}
public!(FileId);

id! {
    /// Names one engine of a client for as long as it runs.
    ClientId
}
public!(ClientId);

id! {
    /// Names one run of a server: another one means that its memory is gone.
    ServerId
}
public!(ServerId);

id! {
    /// The secret with which an upload is continued. Its `Debug` shows nothing of
    /// it and it has no `Display`, so that it cannot slip into a log.
    Token
}

impl Token {
    /// The secret as text, for a place that keeps secrets.
    pub fn reveal(&self) -> String {
        BASE64.encode(self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let id = FileId::from_bytes([7; 16]);
        assert_eq!(id.to_string().len(), 22);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("short".parse::<FileId>(), Err(IdError));
        // One text for each: the last letter has two bits, and no more.
        assert_eq!("BwcHBwcHBwcHBwcHBwcHBx".parse::<FileId>(), Err(IdError));
        assert_eq!("../../../../etc/passwd".parse::<FileId>(), Err(IdError));
    }

    #[test]
    fn a_token_does_not_show_itself() {
        assert_eq!(format!("{:?}", Token::from_bytes([1; 16])), "Token(…)");
    }
}
