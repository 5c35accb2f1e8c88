//! What a page of ours may load and do: the content security policy.

use leptos::config::{Env, LeptosOptions};
use leptos::nonce::use_nonce;
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;

use axum::http::{HeaderValue, header};

/// Gives the page that is being rendered its policy: everything comes from this server,
/// and inline scripts are those that carry the nonce of this response.
pub fn apply(options: &LeptosOptions) {
    let nonce = use_nonce()
        .map(|nonce| format!(" 'nonce-{nonce}'"))
        .unwrap_or_default();
    // While developing, pages listen for their own reload.
    let reload = match options.env {
        Env::DEV => format!(" ws://*:{}", options.reload_port),
        Env::PROD => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; worker-src 'self'; \
         connect-src 'self'{reload}; img-src 'self' blob: data:; media-src 'self' blob:; frame-src 'self'; style-src 'self' 'unsafe-inline'; \
         manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        expect_context::<ResponseOptions>().insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
