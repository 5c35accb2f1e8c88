//! The content of a file that arrived, shown in place: a picture, film, sound, text or a
//! PDF. The server decides what is shown, and as what; see [`View`].

use leptos::prelude::*;

use super::browser;
use super::icons::{Icon, Picture};
use super::language::{Language, about, say, td_string};
use super::words;
use crate::api::{StoredFile, TextView, read_text};
use crate::kind::{Shown, View};
use crate::protocol::id::FileId;

/// What is in a file. Nothing, if files of its kind are not shown.
#[component]
pub fn Stage(
    /// The file.
    file: StoredFile,
) -> impl IntoView {
    let Some(view) = View::of(&file.path) else {
        return ().into_any();
    };
    let name = file.name().to_owned();
    let href = format!("/f/{}/view", file.id);
    let failed = RwSignal::new(false);
    let content = match view.shown {
        Shown::Image => view! {
            <img class="stage-image" src=href alt=name on:error=move |_| failed.set(true)/>
        }
        .into_any(),
        Shown::Video => view! {
            <video
                class="stage-video"
                src=href
                controls
                playsinline
                preload="metadata"
                aria-label=name
                on:error=move |_| failed.set(true)
            ></video>
        }
        .into_any(),
        Shown::Audio => view! {
            <audio
                class="stage-audio"
                src=href
                controls
                preload="metadata"
                aria-label=name
                on:error=move |_| failed.set(true)
            ></audio>
        }
        .into_any(),
        Shown::Text => view! { <Text id=file.id name/> }.into_any(),
        Shown::Pdf => view! { <Pdf href name/> }.into_any(),
    };
    view! {
        <div class="stage" data-shown=word(view.shown) hidden=move || failed.get()>
            {content}
        </div>
        <p class="stage-failed" hidden=move || !failed.get()>
            <Picture icon=Icon::Alert/>
            {say!(stage.failed)}
        </p>
    }
    .into_any()
}

fn word(shown: Shown) -> &'static str {
    match shown {
        Shown::Image => "image",
        Shown::Video => "video",
        Shown::Audio => "audio",
        Shown::Text => "text",
        Shown::Pdf => "pdf",
    }
}

/// The beginning of a text.
#[component]
fn Text(id: FileId, name: String) -> impl IntoView {
    let text = Resource::new(move || id, read_text);
    let language = Language::expect();
    let label = about(name, |locale, name| td_string!(locale, stage.text_of, name));
    view! {
        <Suspense fallback=|| view! { <p class="quiet">{say!(page.looking)}</p> }>
            {move || Suspend::new(async move {
                match text.await {
                    Ok(TextView { text, more }) => view! {
                        // It scrolls, so it can have the focus.
                        <pre class="stage-text" tabindex="0" role="region" aria-label=label>
                            {text}
                        </pre>
                        <p class="stage-more" hidden=!more>{say!(stage.only_beginning)}</p>
                    }
                    .into_any(),
                    Err(error) => view! {
                        <p class="remark">{move || words::error(language.get(), &error)}</p>
                    }
                    .into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// A PDF in the browser's own reader, if it has one; and the way to a tab of its own.
#[component]
fn Pdf(href: String, name: String) -> impl IntoView {
    let reader = RwSignal::new(false);
    Effect::new(move |_| reader.set(browser::shows_pdf()));
    let frame = {
        let href = href.clone();
        move || {
            reader.get().then(|| {
                view! { <iframe class="stage-pdf" src=href.clone() title=name.clone()></iframe> }
            })
        }
    };
    view! {
        {frame}
        <p class="stage-more">
            <a href=href rel="external" target="_blank">{say!(stage.new_tab)}</a>
        </p>
    }
    .into_any()
}
