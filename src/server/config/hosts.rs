//! Which `Host` a request may name.
//!
//! A page of a stranger can give its own name the address of this server ("DNS
//! rebinding") and would then be of the same origin. It cannot do so without a name:
//! so addresses and localhost are always good, and names only if they are listed.

use std::net::IpAddr;

use http::uri::Authority;

/// The host names that are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Allows these names, besides localhost and addresses.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names = names.into_iter();
        Self(
            names
                .map(|name| name.trim_end_matches('.').to_lowercase())
                .collect(),
        )
    }

    /// Whether a request with this `Host` header, its port included, may be answered.
    pub fn allow(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') {
            return false;
        }
        let name = authority.host().trim_end_matches('.').to_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
            || self.0.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_listed_names_are_allowed() {
        let hosts = Hosts::new(["Files.Example.org".into()]);
        for host in [
            "127.0.0.1:3000",
            "192.168.1.7",
            "[::1]:3000",
            "localhost:3000",
            "LOCALHOST",
            "a.localhost",
            "files.example.org:443",
            "files.example.org.",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        let hosts = Hosts::default();
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "user@localhost",
            "notlocalhost",
            "",
            "a b",
            "/",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
    }
}
