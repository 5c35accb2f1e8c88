//! Where files come in: large while there is nothing else to see, a strip above the
//! list once there is.

use leptos::attr::custom::custom_attribute;
use leptos::html::Input;
use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::words;
use crate::api::upload_limits;

/// The zone with its buttons, and what the server accepts.
#[component]
pub fn DropZone() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    // Rendered by the server; what the connection says later is newer.
    let limits = Resource::new(|| (), |()| upload_limits());
    Effect::new(move |_| {
        if let Some(Ok(limits)) = limits.get() {
            engine.expect_limits(limits);
        }
    });
    let strip = move || !engine.is_empty();
    view! {
        <section
            class="drop-zone needs-script"
            class:is-strip=strip
            aria-labelledby="drop-title"
            on:pointerenter=move |_| engine.expect_files()
            on:focusin=move |_| engine.expect_files()
        >
            <div class="drop-zone-sign"><Picture icon=Icon::Upload/></div>
            <div class="drop-zone-words" class:visually-hidden-narrow=strip>
                <h1 id="drop-title">
                    <span class="to-mouse">
                        {move || match strip() {
                            true => td_string!(language.get(), drop_zone.drop_more),
                            false => td_string!(language.get(), drop_zone.drop),
                        }}
                    </span>
                    <span class="to-finger">
                        {move || match strip() {
                            true => td_string!(language.get(), drop_zone.send_more),
                            false => td_string!(language.get(), drop_zone.send),
                        }}
                    </span>
                </h1>
                <p class="drop-zone-promise">{say!(drop_zone.promise)}</p>
                <Transition fallback=|| {
                    view! { <p class="drop-zone-limits">"\u{a0}"</p> }
                }>
                    <p class="drop-zone-limits">
                        {move || {
                            let rendered = limits.get().and_then(Result::ok);
                            let limits = engine.limits().or(rendered);
                            limits.map(|limits| words::limits(language.get(), &limits))
                        }}
                        <span class="to-mouse">{say!(drop_zone.pasting)}</span>
                    </p>
                </Transition>
            </div>
            <div class="drop-zone-buttons">
                <PickButton label=say!(drop_zone.choose_files) icon=Icon::File from=From::Files/>
                <PickButton label=say!(drop_zone.choose_folder) icon=Icon::Folder from=From::Folder/>
                <PickButton label=say!(drop_zone.camera) icon=Icon::Camera from=From::Camera/>
            </div>
        </section>
        <p class="notice is-bad" role="alert" hidden=move || engine.left_out() == 0>
            <Picture icon=Icon::Alert/>
            <span>
                {move || count!(language.get(), engine.left_out(), drop_zone.left_out)}
            </span>
            <button type="button" class="button small" on:click=move |_| engine.forget_left_out()>
                {say!(drop_zone.all_right)}
            </button>
        </p>
    }
    .into_any()
}

/// Where files come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// What most people want.
    Files,
    /// A folder, with all that is in it.
    Folder,
    /// The camera of a phone.
    Camera,
}

/// A file input that looks like a button.
#[component]
fn PickButton(label: Signal<&'static str>, icon: Icon, from: From) -> impl IntoView {
    let engine = Engine::expect();
    let input = NodeRef::<Input>::new();
    // What was picked before the page came to life is not lost.
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            browser::files_picked(engine, &input);
        }
    });
    let picked = move |_| {
        if let Some(input) = input.get_untracked() {
            browser::files_picked(engine, &input);
        }
    };
    let whole_folder = custom_attribute("webkitdirectory", from == From::Folder);
    let camera = from == From::Camera;
    let capture = custom_attribute("capture", camera.then_some("environment"));
    view! {
        <label
            class="button pick"
            class:is-primary=from == From::Files
            class:is-folder=from == From::Folder
            class:is-camera=camera
        >
            <Picture icon/>
            {label}
            <input
                {..whole_folder}
                {..capture}
                type="file"
                class="visually-hidden"
                accept=camera.then_some("image/*,video/*")
                multiple=!camera
                node_ref=input
                on:click=move |event| {
                    if from == From::Files {
                        browser::choosing(engine, None, &event);
                    }
                }
                on:change=picked
            />
        </label>
    }
    .into_any()
}
