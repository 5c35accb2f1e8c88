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

/// The names under which a server may be addressed.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Arc<[String]>,
    any: bool,
}

impl Hosts {
    /// Loopback names, IP addresses, and `names`; or any name at all.
    pub fn new(names: impl IntoIterator<Item = String>, any: bool) -> Self {
        Self {
            names: names.into_iter().map(|n| n.to_lowercase()).collect(),
            any,
        }
    }

    /// Whether the `Host` header, with or without a port, names this server. An address
    /// always does: no name was looked up to get here.
    fn allow(&self, host: &str) -> bool {
        let name = without_port(host).to_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        self.any
            || bare.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.names.contains(&name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
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
    fn a_foreign_name_is_no_host_of_ours() {
        let hosts = Hosts::new(["Files.example.org".to_owned()], false);
        for host in [
            "localhost:3000",
            "127.0.0.1:3000",
            "[::1]:3000",
            "files.example.org",
            "[::1]",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
        for host in [
            "attacker.example",
            "localhost.attacker.example",
            "127.0.0.1.attacker.example",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
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
