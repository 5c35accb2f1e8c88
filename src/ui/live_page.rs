//! x
use leptos::prelude::*;
/// x
#[component]
pub fn LivePage() -> impl IntoView {
    view! { <p>"x"</p> }
}
