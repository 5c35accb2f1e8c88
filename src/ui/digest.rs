//! The digest of a file, and the line with which a shell checks a copy against it.

use leptos::prelude::*;

use super::copy::CopyButton;
use super::language::{about, say, td_string};

/// The digest and the line, each with a button that copies it.
#[component]
pub fn DigestFacts(
    /// The BLAKE3 of the file.
    digest: String,
    /// See [`check_line`].
    line: String,
    /// The file's name.
    name: String,
) -> impl IntoView {
    let copy = about(name.as_str(), |locale, name| {
        td_string!(locale, copy.digest, name)
    });
    let copy_line = about(name, |locale, name| {
        td_string!(locale, digest.copy_check, name)
    });
    view! {
        <dl class="digest-facts">
            <div>
                <dt>{say!(digest.title)}</dt>
                <dd>
                    <code class="digest">{digest.clone()}</code>
                    <CopyButton text=digest label=copy/>
                </dd>
            </div>
            <div>
                <dt>{say!(digest.check)}</dt>
                <dd>
                    <code class="digest">{line.clone()}</code>
                    <CopyButton text=line label=copy_line/>
                </dd>
            </div>
        </dl>
    }
    .into_any()
}

/// The line that checks the file `name` in the folder where the shell is.
pub fn check_line(digest: &str, name: &str) -> String {
    let name = name.replace('\'', r"'\''");
    format!("echo '{digest}  {name}' | b3sum --check")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(
            check_line("ab12", "a'; rm -rf ~ '"),
            r"echo 'ab12  a'\''; rm -rf ~ '\''' | b3sum --check"
        );
        assert_eq!(
            check_line("ab12", "-c 例.txt"),
            "echo 'ab12  -c 例.txt' | b3sum --check"
        );
    }
}
