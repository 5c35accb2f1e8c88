//! A file that arrived: all that is known of it, and the proof.

use leptos::prelude::*;

use super::copy::CopyButton;
use super::icons::{Icon, Picture};
use super::moment::Moment;
use super::rows::split;
use super::title::PageTitle;
use super::words;
use crate::api::StoredFile;
use crate::units::Bytes;

/// The facts, the download, and how to check it.
#[component]
pub fn Stored(
    /// The file.
    file: StoredFile,
) -> impl IntoView {
    let (folder, name) = split(&file.path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let digest = file.digest.to_string();
    let command = format!("b3sum {}", quoted(&name));
    // Below a thousand, both would say the same.
    let exact = (file.size >= 1000).then(|| words::count(file.size, "byte", "bytes"));
    let media_type = file.media_type.clone();
    view! {
        <PageTitle name=name.clone()/>
        <article class="file-page" data-state="stored">
            <p class="file-page-folder">{folder}</p>
            <h1><bdi>{name.clone()}</bdi></h1>
            <p class="file-page-seal">
                <Picture icon=Icon::Proof/>
                "Complete, and proven identical to what was sent"
            </p>
            <div class="file-page-ways">
                <a
                    class="button is-primary is-large"
                    href=format!("/f/{}/content", file.id)
                    download=name.clone()
                    rel="external"
                >
                    <Picture icon=Icon::Download/>
                    {format!("Download {}", Bytes(file.size))}
                </a>
                <a class="button is-large" href=format!("/f/{}/receipt", file.id) rel="external">
                    "Receipt"
                </a>
            </div>
            <dl class="sheet">
                <div>
                    <dt>"Size"</dt>
                    <dd>
                        {Bytes(file.size).to_string()}
                        {exact.map(|exact| view! { <span class="quiet exact">{exact}</span> })}
                    </dd>
                </div>
                <div hidden=media_type.is_empty()>
                    <dt>"Type"</dt>
                    <dd>{media_type.clone()}</dd>
                </div>
                <div>
                    <dt>"Began"</dt>
                    <dd><Moment millis=file.started/></dd>
                </div>
                <div>
                    <dt>"Arrived"</dt>
                    <dd><Moment millis=file.stored/></dd>
                </div>
                <div class="is-wide">
                    <dt>"BLAKE3 digest"</dt>
                    <dd>
                        <code class="digest">{digest.clone()}</code>
                        <CopyButton text=digest label=format!("Copy the digest of {name}")/>
                    </dd>
                </div>
                <div class="is-wide">
                    <dt>"Check it yourself"</dt>
                    <dd>
                        <code class="digest">{command.clone()}</code>
                        <CopyButton text=command label="Copy the command"/>
                    </dd>
                </div>
            </dl>
        </article>
    }
    .into_any()
}

/// A name as a shell reads it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | ',');
    match name {
        name if !name.starts_with('-') && name.chars().all(plain) => name.to_owned(),
        name => format!("-- '{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quoted("film.mkv"), "film.mkv");
        assert_eq!(quoted("my film.mkv"), "-- 'my film.mkv'");
        assert_eq!(quoted("a'; rm -rf ~ '"), r"-- 'a'\''; rm -rf ~ '\'''");
        assert_eq!(quoted("-c"), "-- '-c'");
        assert_eq!(quoted("例.txt"), "例.txt");
    }
}
