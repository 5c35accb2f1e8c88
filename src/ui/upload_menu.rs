//! What else can be done with something that waits: another name, another place.
//!
//! What is in the menu is built when it opens.

use leptos::ev;
use leptos::prelude::*;

use super::arrange::Shift;
use super::icons::{Icon, Picture};
use super::language::{Language, say, td_string};
use super::list::List;
use super::listing::Item;
use super::popup::Popup;

/// The button and its menu. Escape, or going elsewhere, closes it.
#[component]
pub fn UploadMenu(
    /// What it is about.
    item: Item,
    /// Its name.
    #[prop(into)]
    name: Signal<String>,
    /// Whether it can be called something else.
    #[prop(optional, into)]
    fresh: Signal<bool>,
    /// Whether it can be put elsewhere.
    #[prop(default = Signal::stored(true), into)]
    waits: Signal<bool>,
) -> impl IntoView {
    let language = Language::expect();
    let list = List::expect();
    let popup = Popup::default();
    let open = RwSignal::new(false);
    let label = move || td_string!(language.get(), upload_menu.label, name = name.get());
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && popup.is_open() {
            event.stop_propagation();
            popup.leave();
        }
    };
    let rename = move |_| {
        popup.close();
        list.edit(item);
    };
    let shift = move |shift| {
        move |_| {
            popup.close();
            list.focus(item, "menu");
            list.shift(item, shift, "menu");
        }
    };
    view! {
        <details
            class="menu"
            name="menu"
            node_ref=popup.place
            on:keydown=on_key
            on:toggle=move |_| open.set(popup.is_open())
            on:focusout=move |event| popup.on_focus_out(&event)
        >
            <summary
                class="button icon-button"
                aria-label=label
                title=label
                data-control="menu"
            >
                <Picture icon=Icon::More/>
            </summary>
            // It can take the focus, so that a click into it does not close it.
            <div class="menu-panel" tabindex="-1">
                <Show when=move || open.get()>
                    <Show when=move || fresh.get()>
                        <Choice icon=Icon::Pencil words=say!(upload_menu.rename) keys="F2" act=rename/>
                    </Show>
                    <Show when=move || waits.get()>
                        <Choice
                            icon=Icon::Top
                            words=say!(upload_menu.top)
                            act=shift(Shift::Top)
                        />
                        <Choice
                            icon=Icon::Up
                            words=say!(upload_menu.up)
                            keys="Alt+↑"
                            act=shift(Shift::Up)
                        />
                        <Choice
                            icon=Icon::Down
                            words=say!(upload_menu.down)
                            keys="Alt+↓"
                            act=shift(Shift::Down)
                        />
                        <Choice
                            icon=Icon::End
                            words=say!(upload_menu.end)
                            act=shift(Shift::End)
                        />
                    </Show>
                </Show>
            </div>
        </details>
    }
    .into_any()
}

/// One thing to do.
#[component]
fn Choice(
    icon: Icon,
    words: Signal<&'static str>,
    /// The keys that do it, too.
    #[prop(optional)]
    keys: &'static str,
    #[prop(into)] act: Callback<ev::MouseEvent>,
) -> impl IntoView {
    view! {
        <button type="button" class="menu-item" on:click=move |event| act.run(event)>
            <Picture icon/>
            {words}
            <kbd class="to-mouse" aria-hidden="true">{keys}</kbd>
        </button>
    }
    .into_any()
}
