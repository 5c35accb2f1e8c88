//! Where a server is, as a person gives it: `http://host:3000`, perhaps with a path.

use std::fmt;
use std::str::FromStr;

use http::Uri;

use crate::protocol::id::FileId;

/// The address of a server: what stands behind `http://`, without a `/` at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// The text is not the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not say how to get there.
    #[error("the address of a server begins with http://")]
    Scheme,
    /// It asks for TLS.
    #[error(
        "https is not supported here yet; a tunnel like ssh -L 3000:127.0.0.1:3000 HOST makes \
         the server http://127.0.0.1:3000"
    )]
    Tls,
    /// It holds a name or a password.
    #[error("an address with a name or a password in it is not supported")]
    UserInfo,
    /// It goes on where nothing should follow.
    #[error("nothing may follow the path of an address")]
    Query,
    /// It cannot be read at all.
    #[error("this is not an address like http://127.0.0.1:3000")]
    Malformed,
}

impl Address {
    /// The address of the server's socket.
    pub fn socket(&self) -> String {
        format!("ws://{}/ws", self.0)
    }

    /// The link to a file, or to an upload while it runs.
    pub fn link(&self, id: FileId) -> String {
        format!("{self}/f/{id}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.split_once("://").map(|(scheme, _)| scheme) {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => {}
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => return Err(AddressError::Tls),
            _ => return Err(AddressError::Scheme),
        }
        let uri: Uri = text.parse().map_err(|_| AddressError::Malformed)?;
        let authority = uri.authority().ok_or(AddressError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::UserInfo);
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(AddressError::Query);
        }
        let port_follows = authority.as_str().len() > authority.host().len();
        if authority.host().is_empty() || (port_follows && authority.port_u16().is_none()) {
            return Err(AddressError::Malformed);
        }
        let host = authority.as_str().to_lowercase();
        Ok(Self(format!("{host}{}", uri.path().trim_end_matches('/'))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_leads_to_the_socket_and_to_files() {
        let address: Address = "http://Localhost:3000/".parse().unwrap();
        assert_eq!(address.socket(), "ws://localhost:3000/ws");
        assert_eq!(address.to_string(), "http://localhost:3000");
        let id = FileId::from_bytes([0; 16]);
        assert_eq!(
            address.link(id),
            "http://localhost:3000/f/AAAAAAAAAAAAAAAAAAAAAA"
        );
        let address: Address = "HTTP://[::1]:1/up/load/".parse().unwrap();
        assert_eq!(address.socket(), "ws://[::1]:1/up/load/ws");
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_name() {
        let refused = |text: &str| text.parse::<Address>().unwrap_err();
        assert_eq!(refused("localhost:3000"), AddressError::Scheme);
        assert_eq!(refused("ftp://a"), AddressError::Scheme);
        assert_eq!(refused("https://a"), AddressError::Tls);
        assert_eq!(refused("film.mkv"), AddressError::Scheme);
        assert_eq!(refused("http://"), AddressError::Malformed);
        assert_eq!(refused("http://a b"), AddressError::Malformed);
        assert_eq!(refused("http://a:99999"), AddressError::Malformed);
        assert_eq!(refused("http://a:"), AddressError::Malformed);
        assert_eq!(refused("http://me:word@a"), AddressError::UserInfo);
        assert_eq!(refused("http://a/?x"), AddressError::Query);
        assert_eq!(refused("http://a/#x"), AddressError::Query);
    }
}
