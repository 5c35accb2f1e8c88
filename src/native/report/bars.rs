//! Bars in two tones: what the server has received, and what is safe on its disk. One
//! for each file that moves, and one for all of them together.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::totals::Totals;
use crate::native::words;
use crate::protocol::sender::{Row, RowState};
use crate::units::{Bytes, Span};

/// How many cells a bar has.
const CELLS: u64 = 16;

const TEMPLATE: &str = "{prefix:24!} {tones} {wide_msg}";

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
            let mut bar = Bar::new(row.name(), row.size);
            bar.line = self.screen.insert(0, bar.line);
            bar
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
            let mut bar = Bar::new("Together", totals.size);
            bar.line = self.screen.add(bar.line);
            bar
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
    fn new(name: &str, size: u64) -> Self {
        let durable = Arc::new(AtomicU64::new(0));
        let shown = durable.clone();
        let tones = move |state: &ProgressState, f: &mut dyn Write| {
            let (size, durable) = (state.len().unwrap_or(0), shown.load(Ordering::Relaxed));
            let _ = f.write_str(&tones(durable, state.pos(), size));
        };
        let style = ProgressStyle::with_template(TEMPLATE)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("tones", tones);
        let line = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
        line.set_style(style);
        line.set_prefix(words::printable(name));
        Self { line, durable }
    }

    fn show(&self, received: u64, durable: u64, size: u64, message: String) {
        self.durable.store(durable, Ordering::Relaxed);
        self.line.set_length(size);
        self.line.set_message(message);
        self.line.set_position(received);
    }
}

/// A bar, and the durable share of it in per cent.
fn tones(durable: u64, received: u64, size: u64) -> String {
    let share = |bytes: u64, of: u64| match size {
        0 => of,
        size => (u128::from(bytes.min(size)) * u128::from(of) / u128::from(size)) as u64,
    };
    let (safe, there) = (share(durable, CELLS), share(received, CELLS));
    let cell = |at| match at {
        at if at < safe => '█',
        at if at < there => '▒',
        _ => '·',
    };
    let bar: String = (0..CELLS).map(cell).collect();
    format!("{bar} {:>3} %", share(durable, 100))
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
        RowState::Paused => "is paused from another device".to_owned(),
        state => state.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_two_tones_and_never_more_cells_than_it_has() {
        assert_eq!(tones(4, 10, 16), "████▒▒▒▒▒▒······  25 %");
        assert_eq!(tones(15, 16, 16), "███████████████▒  93 %");
        assert_eq!(tones(0, 0, 0), "████████████████ 100 %");
        assert_eq!(tones(0, u64::MAX, 1), "▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒   0 %");
    }
}
