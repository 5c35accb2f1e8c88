//! A file that arrived: all that is known of it, and the proof.

use leptos::prelude::*;

use super::copy::CopyButton;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::moment::Moment;
use super::numbers::bytes;
use super::rows::split;
use super::title::PageTitle;
use crate::api::StoredFile;

/// The facts, the download, and how to check it.
#[component]
pub fn Stored(
    /// The file.
    file: StoredFile,
) -> impl IntoView {
    let language = Language::expect();
    let (folder, name) = split(&file.path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let digest = file.digest.to_string();
    let command = format!("b3sum {}", quoted(&name));
    // Below a thousand, both would say the same.
    let exact = move || {
        let exact = count!(language.get(), file.size, stored_file.bytes);
        (file.size >= 1000).then(|| view! { <span class="quiet exact">{exact}</span> })
    };
    let size = move || bytes(language.get(), file.size);
    let digest_of = name.clone();
    let copy = Signal::derive(move || td_string!(language.get(), copy.digest, name = &digest_of));
    let media_type = file.media_type.clone();
    view! {
        <PageTitle name=Signal::stored(name.clone())/>
        <article class="file-page" data-state="stored">
            <p class="file-page-folder">{folder}</p>
            <h1><bdi>{name.clone()}</bdi></h1>
            <p class="file-page-seal">
                <Picture icon=Icon::Proof/>
                {say!(stored_file.seal)}
            </p>
            <div class="file-page-ways">
                <a
                    class="button is-primary is-large"
                    href=format!("/f/{}/content", file.id)
                    download=name.clone()
                    rel="external"
                >
                    <Picture icon=Icon::Download/>
                    {move || td_string!(language.get(), stored_file.download, size = size())}
                </a>
                <a class="button is-large" href=format!("/f/{}/receipt", file.id) rel="external">
                    {say!(stored_file.receipt)}
                </a>
            </div>
            <dl class="sheet">
                <div>
                    <dt>{say!(stored_file.size)}</dt>
                    <dd>
                        {size}
                        {exact}
                    </dd>
                </div>
                <div hidden=media_type.is_empty()>
                    <dt>{say!(stored_file.media_type)}</dt>
                    <dd>{media_type.clone()}</dd>
                </div>
                <div>
                    <dt>{say!(stored_file.began)}</dt>
                    <dd><Moment millis=file.started/></dd>
                </div>
                <div>
                    <dt>{say!(stored_file.arrived)}</dt>
                    <dd><Moment millis=file.stored/></dd>
                </div>
                <div class="is-wide">
                    <dt>{say!(stored_file.digest)}</dt>
                    <dd>
                        <code class="digest">{digest.clone()}</code>
                        <CopyButton text=digest label=copy/>
                    </dd>
                </div>
                <div class="is-wide">
                    <dt>{say!(stored_file.check)}</dt>
                    <dd>
                        <code class="digest">{command.clone()}</code>
                        <CopyButton text=command label=say!(copy.command)/>
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
