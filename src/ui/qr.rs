//! A code that leads a phone's camera to an upload or a file. The server draws it when it is
//! asked for.

use leptos::prelude::*;

use super::ask::Ask;
use super::browser;
use super::icons::Icon;
use super::language::{Language, say, td_string};
use crate::protocol::id::FileId;

/// A button that shows the code; where no other device can come by this page's address, it
/// says so.
#[component]
pub fn PhoneCode(
    /// What it leads to.
    id: FileId,
    /// The file's name.
    name: String,
) -> impl IntoView {
    let language = Language::expect();
    let label = {
        let name = name.clone();
        Signal::derive(move || td_string!(language.get(), qr.show_for, name = &name))
    };
    let alone = browser::host().is_some_and(|host| is_loopback(&host));
    let host = browser::host().unwrap_or_default();
    view! {
        <div class="qr">
            <Ask label icon=Icon::Phone words=say!(qr.show)>
                <div class="qr-panel">
                    <div class="qr-alone" hidden=!alone>
                        <p>{move || td_string!(language.get(), qr.alone, host = &host)}</p>
                        <p>{say!(qr.alone_means)}</p>
                    </div>
                    <div class="qr-code" hidden=alone>
                        <img
                            src=(!alone).then(|| format!("/f/{id}/qr.svg"))
                            alt=say!(qr.picture)
                            width="224"
                            height="224"
                            loading="lazy"
                        />
                        <p>{say!(qr.means)}</p>
                    </div>
                </div>
            </Ask>
        </div>
    }
    .into_any()
}

/// Whether only this computer itself can come by an address.
fn is_loopback(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches([']', '.']);
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_computer_alone_is_known() {
        for host in [
            "localhost",
            "a.localhost",
            "127.0.0.1",
            "127.8.0.1",
            "[::1]",
            "0.0.0.0",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "192.168.1.2",
            "files.example",
            "[fe80::1]",
            "localhost.example",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
