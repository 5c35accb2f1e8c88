//! Bars in two tones: what the server has received, and what is safe on its disk. One
//! for each file that moves, and one for all of them together.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::totals::Totals;
use crate::native::words;
use crate::protocol::sender::{Row, RowState};
use crate::units::{Bytes, Span};

/// How many cells a bar has.
const CELLS: u64 = 24;

const TEMPLATE: &str = "{prefix:32!} {tones} {percent:>3} % {wide_msg}";

/// The bars on a terminal.
#[derive(Debug)]
pub struct Bars {
    screen: MultiProgress,
    files: HashMap<usize, Bar>,
    total: Option<Bar>,
}

#[derive(Debug)]
struct Bar {
    line: ProgressBar,
    durable: Arc<AtomicU64>,
}

impl Bars {
    pub fn new() -> Self {
        Self {
            screen: MultiProgress::new(),
            files: HashMap::new(),
            total: None,
        }
    }

    /// Does something beside the bars.
    pub fn beside(&self, act: impl FnOnce()) {
        self.screen.suspend(act);
    }

    pub fn moved(&mut self, index: usize, row: &Row) {
        // What only waits for its turn has no bar.
        if row.state == RowState::Queued {
            return;
        }
        let bar = self.files.entry(index).or_insert_with(|| {
            let place = self.screen.insert(0, ProgressBar::no_length());
            Bar::new(place, row.name(), row.size)
        });
        bar.show(row.received, row.durable, row.size, state(row));
    }

    pub fn settled(&mut self, index: usize) {
        if let Some(bar) = self.files.remove(&index) {
            bar.line.finish_and_clear();
            self.screen.remove(&bar.line);
        }
    }

    pub fn total(&mut self, totals: &Totals, message: String) {
        let bar = self.total.get_or_insert_with(|| {
            let place = self.screen.add(ProgressBar::no_length());
            Bar::new(place, "Together", totals.size)
        });
        bar.show(totals.received(), totals.durable(), totals.size, message);
    }

    pub fn clear(&mut self) {
        self.files.clear();
        self.total = None;
        // Without a terminal there is nothing to clear.
        let _ = self.screen.clear();
    }
}

impl Bar {
    fn new(line: ProgressBar, name: &str, size: u64) -> Self {
        let durable = Arc::new(AtomicU64::new(0));
        let shown = durable.clone();
        let tones = move |state: &ProgressState, f: &mut dyn Write| {
            let (size, durable) = (state.len().unwrap_or(0), shown.load(Ordering::Relaxed));
            let _ = f.write_str(&tones(durable, state.pos(), size));
        };
        let style = ProgressStyle::with_template(TEMPLATE)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("tones", tones);
        line.set_style(style);
        line.set_prefix(words::printable(name));
        line.set_length(size);
        Self { line, durable }
    }

    fn show(&self, received: u64, durable: u64, size: u64, message: String) {
        self.durable.store(durable, Ordering::Relaxed);
        self.line.set_length(size);
        self.line.set_message(message);
        self.line.set_position(received);
    }
}

fn tones(durable: u64, received: u64, size: u64) -> String {
    let cells = |bytes: u64| match size {
        0 => CELLS,
        size => (u128::from(bytes) * u128::from(CELLS) / u128::from(size)) as u64,
    };
    let (safe, there) = (cells(durable.min(size)), cells(received.min(size)));
    let cell = |at| match at {
        at if at < safe => '█',
        at if at < there => '▒',
        _ => '·',
    };
    (0..CELLS).map(cell).collect()
}

/// What stands beside a file's bar.
fn state(row: &Row) -> String {
    if let Some(trouble) = &row.trouble {
        return words::sentence(trouble);
    }
    match row.state {
        RowState::Sending if row.rate > 0 => {
            let left = Span(Duration::from_millis(row.left.unwrap_or(0)));
            format!("{}/s, {left} left", Bytes(row.rate))
        }
        RowState::Sending => "begins".to_owned(),
        RowState::Verifying => "is being verified".to_owned(),
        RowState::Waiting => "waits".to_owned(),
        state => state.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_two_tones_and_never_more_cells_than_it_has() {
        assert_eq!(tones(6, 12, 24), "██████▒▒▒▒▒▒············");
        assert_eq!(tones(23, 24, 24), "███████████████████████▒");
        assert_eq!(tones(0, 0, 0), "█".repeat(24));
        assert_eq!(tones(u64::MAX, u64::MAX, u64::MAX).chars().count(), 24);
    }
}
