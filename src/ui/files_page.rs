//! x
use leptos::prelude::*;
/// x
#[component]
pub fn FilesPage() -> impl IntoView {
    view! { <p>"x"</p> }
}
