//! x
use leptos::prelude::*;
/// x
#[component]
pub fn FilePage() -> impl IntoView {
    view! { <p>"x"</p> }
}
