//! What a run looks like: text and bars for a person, JSON for a script.

mod bars;
mod json;
mod text;
mod totals;

pub use json::Json;
pub use text::Text;

use super::event::{Event, Outcome};
use super::walk::Skipped;

/// Someone who is told what happens.
pub trait Report {
    /// Something in a folder is not sent.
    fn skipped(&mut self, skipped: &Skipped);

    /// Something happened.
    fn event(&mut self, event: Event);

    /// It is over.
    fn end(&mut self, outcome: &Outcome);
}
