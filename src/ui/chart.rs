//! Curves over time, drawn as paths of an SVG that is stretched to the place it has.
//!
//! One path is one attribute: however long a curve is, a change of it costs one write and no
//! layout.

use std::fmt::Write;

use leptos::prelude::*;

/// How high a chart is in its own units.
pub const HEIGHT: f64 = 100.0;

/// One, two or five times a power of ten, which nothing up to `most` exceeds.
pub fn top(most: u64) -> u64 {
    let mut unit = 1u64;
    loop {
        for digit in [1, 2, 5] {
            let top = unit.saturating_mul(digit);
            if top >= most {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A curve through these points, each from left to right, and how high it is of `top`.
pub fn line(points: impl IntoIterator<Item = (f64, u64)>, top: u64) -> String {
    let mut path = String::new();
    for (x, value) in points {
        let verb = if path.is_empty() { 'M' } else { 'L' };
        let y = HEIGHT - value.min(top) as f64 / top.max(1) as f64 * HEIGHT;
        // Writing to a string does not fail.
        let _ = write!(path, "{verb}{x:.1} {y:.1}");
    }
    path
}

/// The same, with all that is below it.
pub fn area(points: impl IntoIterator<Item = (f64, u64)>, top: u64) -> String {
    let mut ends = None;
    let points = points.into_iter().inspect(|(x, _)| {
        let (first, _) = ends.unwrap_or((*x, *x));
        ends = Some((first, *x));
    });
    let mut path = line(points, top);
    if let Some((first, last)) = ends {
        let _ = write!(path, "L{last:.1} {HEIGHT}L{first:.1} {HEIGHT}Z");
    }
    path
}

/// Stripes from top to bottom, each from where it begins, and how wide; at least `least`.
pub fn stripes(stripes: impl IntoIterator<Item = (f64, f64)>, least: f64) -> String {
    let mut path = String::new();
    for (x, wide) in stripes {
        let wide = wide.max(least);
        let _ = write!(path, "M{x:.2} 0h{wide:.2}v{HEIGHT}h-{wide:.2}z");
    }
    path
}

/// The place of a chart: what is drawn in it is its children, `wide` units wide.
#[component]
pub fn Chart(
    /// How wide it is in its own units.
    #[prop(into)]
    wide: Signal<f64>,
    /// What it shows, in words.
    #[prop(into)]
    label: Signal<String>,
    /// What is drawn.
    children: Children,
) -> impl IntoView {
    view! {
        <svg
            class="chart"
            role="img"
            aria-label=label
            viewBox=move || format!("0 0 {:.2} {HEIGHT}", wide.get().max(1.0))
            preserveAspectRatio="none"
            focusable="false"
        >
            {children()}
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_with_a_round_number() {
        let tops = [0, 1, 2, 3, 7, 10, 11, 4_900_000, u64::MAX].map(top);
        assert_eq!(tops, [1, 1, 2, 5, 10, 10, 20, 5_000_000, u64::MAX]);
    }

    #[test]
    fn a_curve_stays_in_its_place() {
        assert_eq!(
            line([(0.5, 0), (1.5, 50), (2.5, 900)], 100),
            "M0.5 100.0L1.5 50.0L2.5 0.0"
        );
        assert_eq!(
            area([(0.5, 50), (1.5, 50)], 100),
            "M0.5 50.0L1.5 50.0L1.5 100L0.5 100Z"
        );
        assert_eq!(area([], 0), "");
        assert_eq!(
            stripes([(1.0, 0.0), (3.0, 2.0)], 0.5),
            "M1.00 0h0.50v100h-0.50zM3.00 0h2.00v100h-2.00z"
        );
    }
}
