//! Makes Rust of `locales/*.json`: a module `i18n` with the languages and every sentence in
//! each of them. A sentence that one of them lacks is an error.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use leptos_i18n_codegen::gen_code;
use leptos_i18n_parser::parse_locales::options::{Config, ParseOptions};
use leptos_i18n_parser::parse_locales::parse_locales;

/// The languages, each of which has its file; the first is for those who read none of them.
const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    let config = Config::new(LANGUAGES[0])?
        .add_locales(&LANGUAGES[1..])?
        .parse_options(ParseOptions::new().interpolate_display(true));
    let locales = parse_locales(None, config)?;
    let (errors, warnings) = locales.diag.borrow();
    let errors = errors.iter().map(ToString::to_string);
    let all: Vec<String> = errors
        .chain(warnings.iter().map(ToString::to_string))
        .collect();
    if !all.is_empty() {
        return Err(all.join("\n").into());
    }
    let attributes =
        "#![allow(missing_docs, dead_code, unused_imports, clippy::all, clippy::expect_used)]"
            .parse()?;
    let code = gen_code(&locales, None, false, Some(&attributes), false)?;
    let place = Path::new(&env::var("OUT_DIR")?).join("i18n.rs");
    Ok(fs::write(place, code.to_string())?)
}
