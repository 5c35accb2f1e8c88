//! Who may talk to this server from a browser.
//!
//! Without a password, two things stand between a stranger's page and the files: the
//! `Host` must be one that this server has (else a name that is made to point here
//! would make that page the same origin), and a request that changes something, or a
//! socket, must come from this server's own pages.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;

/// The names under which a server may be addressed.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Arc<[String]>,
    any: bool,
}

impl Hosts {
    /// Allows these names, besides localhost and addresses; or any name at all.
    pub fn new(names: impl IntoIterator<Item = String>, any: bool) -> Self {
        let plain = |name: String| name.trim_end_matches('.').to_lowercase();
        Self {
            names: names.into_iter().map(plain).collect(),
            any,
        }
    }

    /// Whether a `Host` header, its port included, names this server. An address always
    /// does: to get here, no name was looked up that a stranger could have pointed here.
    pub fn allow(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') {
            return false;
        }
        let name = authority.host().trim_end_matches('.').to_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        self.any
            || name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
            || self.names.contains(&name)
    }
}

/// Whether a request with these headers comes from a page of this server, or from no
/// browser at all.
pub fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(origin) = headers.get(header::ORIGIN) else {
        return text(header::HeaderName::from_static("sec-fetch-site"))
            .is_none_or(|site| matches!(site, "same-origin" | "none"));
    };
    let Some((_, origin)) = origin.to_str().ok().and_then(|o| o.split_once("://")) else {
        return false;
    };
    text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(origin))
}

/// Refuses requests for other hosts, and changes asked for by other origins. The
/// socket says the latter with a close code of its own.
pub async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    if !host.is_some_and(|host| hosts.allow(host)) {
        let text = "This server does not go by that name. Its owner can add it to `hosts`.\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !reads && !same_origin(headers) {
        let text = "Changes are taken only from this server's own pages.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_listed_names_are_hosts_and_others_are_not() {
        let hosts = Hosts::new(["Files.Example.org".into()], false);
        for host in [
            "127.0.0.1:3000",
            "192.168.1.7",
            "[::1]:3000",
            "LOCALHOST",
            "a.localhost:3000",
            "files.example.org.:443",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
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
        assert!(Hosts::new([], true).allow("evil.example"));
    }

    #[test]
    fn another_origin_is_noticed() -> Result<(), Box<dyn std::error::Error>> {
        let from = |pairs: &[(&'static str, &str)]| -> Result<bool, header::InvalidHeaderValue> {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse()?);
            }
            Ok(same_origin(&headers))
        };
        let host = ("host", "127.0.0.1:3000");
        assert!(from(&[host])?);
        assert!(from(&[host, ("origin", "http://127.0.0.1:3000")])?);
        assert!(!from(&[host, ("origin", "http://127.0.0.1:4000")])?);
        assert!(!from(&[host, ("origin", "null")])?);
        assert!(!from(&[host, ("sec-fetch-site", "cross-site")])?);
        Ok(())
    }
}
