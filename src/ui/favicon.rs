//! The icon in the tab: while there is progress, a ring that fills.
//!
//! A tab is seen above all when its page is not, so the ring goes on then; it moves in a few
//! steps, so that a long upload costs a handful of small changes. It lies on the tile of the
//! plain icon, and is as legible in a dark tab as in a light one.

use leptos::prelude::*;

use super::engine::Engine;

/// How many steps the ring has.
const STEPS: u8 = 24;

/// Keeps the icon up to date; shows nothing.
#[component]
pub fn Favicon() -> impl IntoView {
    let engine = Engine::expect();
    let step = Memo::new(move |_| {
        let totals = engine.totals();
        (totals.unfinished() > 0).then(|| step(totals.percent()))
    });
    Effect::new(move |plain: Option<Option<String>>| {
        let link = document().query_selector("link[rel=icon]").ok().flatten();
        let plain = plain
            .flatten()
            .or_else(|| link.as_ref()?.get_attribute("href"));
        let shown = step.get().map(ring).or_else(|| plain.clone());
        if let (Some(link), Some(shown)) = (link, shown)
            && link.get_attribute("href").as_ref() != Some(&shown)
        {
            _ = link.set_attribute("href", &shown);
        }
        plain
    });
}

/// The step of so many per cent.
fn step(percent: u8) -> u8 {
    u8::try_from(u16::from(percent) * u16::from(STEPS) / 100).unwrap_or(STEPS)
}

/// The icon with so many steps of the ring, as an address.
fn ring(step: u8) -> String {
    let done = match step {
        0 => String::new(),
        _ => arc("fff", &format!(" stroke-dasharray='{step} {STEPS}'")),
    };
    format!(
        "data:image/svg+xml,\
         %3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='none'%3E\
         %3Crect width='32' height='32' rx='8' fill='%23007969'/%3E{}{done}%3C/svg%3E",
        arc("3fa394", "")
    )
}

fn arc(colour: &str, dashes: &str) -> String {
    format!(
        "%3Ccircle cx='16' cy='16' r='9' stroke='%23{colour}' stroke-width='5' \
         pathLength='{STEPS}' transform='rotate(-90 16 16)'{dashes}/%3E"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_full_only_at_the_end_and_empty_at_the_beginning() {
        assert_eq!([step(0), step(4), step(5)], [0, 0, 1]);
        assert_eq!([step(50), step(99), step(100)], [12, 23, 24]);
        assert!(!ring(0).contains("dasharray"));
        assert!(ring(12).contains("stroke-dasharray='12 24'"));
    }

    #[test]
    fn the_address_has_nothing_that_would_end_it() {
        let address = ring(7);
        for sign in ['#', '<', '>', '"', '\n'] {
            assert!(!address.contains(sign), "{sign:?}");
        }
        assert!(
            !address
                .replace("%3C", "")
                .replace("%3E", "")
                .replace("%23", "")
                .contains('%')
        );
    }
}
