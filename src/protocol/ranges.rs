//! A set of numbers kept as ranges: which blocks of a file are there.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A set of `u64` as sorted, disjoint, non-empty ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RangeSet(Vec<Range<u64>>);

impl RangeSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of all numbers in `range`.
    pub fn full(range: Range<u64>) -> Self {
        let mut set = Self::new();
        set.insert(range);
        set
    }

    /// Its ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.0.iter().cloned()
    }

    /// Every number in it, in order.
    pub fn values(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().cloned().flatten()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|r| r.end - r.start).sum()
    }

    /// The smallest number in it.
    pub fn first(&self) -> Option<u64> {
        self.0.first().map(|r| r.start)
    }

    /// Whether `value` is in it.
    pub fn contains(&self, value: u64) -> bool {
        let at = self.0.partition_point(|r| r.end <= value);
        self.0.get(at).is_some_and(|r| r.start <= value)
    }

    /// Adds all numbers of `range`.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        // Every range that overlaps or touches the new one melts into it.
        let from = self.0.partition_point(|r| r.end < range.start);
        let to = self.0.partition_point(|r| r.start <= range.end);
        let merged = match self.0.get(from..to) {
            Some([first, .., last]) => first.start.min(range.start)..last.end.max(range.end),
            Some([only]) => only.start.min(range.start)..only.end.max(range.end),
            _ => range,
        };
        self.0.splice(from..to, [merged]);
    }

    /// Takes all numbers of `range` out.
    pub fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|r| r.end <= range.start);
        let to = self.0.partition_point(|r| r.start < range.end);
        let rest: Vec<_> = self.0[from..to]
            .iter()
            .flat_map(|r| {
                [
                    r.start..range.start.max(r.start),
                    range.end.min(r.end)..r.end,
                ]
            })
            .filter(|r| !r.is_empty())
            .collect();
        self.0.splice(from..to, rest);
    }

    /// What is in `within` but not in this set.
    pub fn complement(&self, within: Range<u64>) -> Self {
        let mut rest = Self::full(within);
        for range in &self.0 {
            rest.remove(range.clone());
        }
        rest
    }
}

impl FromIterator<u64> for RangeSet {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut set = Self::new();
        for value in values {
            set.insert(value..value.saturating_add(1));
        }
        set
    }
}

impl<'de> Deserialize<'de> for RangeSet {
    /// Accepts only what [`RangeSet`] itself would write.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ranges = Vec::<Range<u64>>::deserialize(deserializer)?;
        let sound = ranges.iter().all(|r| !r.is_empty())
            && ranges.windows(2).all(|pair| pair[0].end < pair[1].start);
        if sound {
            Ok(Self(ranges))
        } else {
            Err(serde::de::Error::custom(
                "ranges are empty, overlap or are out of order",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_as_a_set_of_numbers(
            steps in prop::collection::vec((any::<bool>(), 0u64..64, 0u64..16), 0..40)
        ) {
            let mut ranges = RangeSet::new();
            let mut model = BTreeSet::new();
            for (add, start, len) in steps {
                let range = start..start + len;
                if add {
                    ranges.insert(range.clone());
                    model.extend(range);
                } else {
                    ranges.remove(range.clone());
                    model.retain(|v| !range.contains(v));
                }
                prop_assert!(ranges.0.iter().all(|r| !r.is_empty()));
                prop_assert!(ranges.0.windows(2).all(|p| p[0].end < p[1].start));
            }
            prop_assert_eq!(ranges.values().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ranges.count(), model.len() as u64);
            prop_assert_eq!(ranges.first(), model.first().copied());
            for v in 0..80 {
                prop_assert_eq!(ranges.contains(v), model.contains(&v));
            }
            let rest = ranges.complement(0..80);
            prop_assert_eq!(rest.count() + ranges.count(), 80);
            prop_assert!(rest.values().all(|v| !model.contains(&v)));
            prop_assert_eq!(ranges.values().collect::<RangeSet>(), ranges);
        }
    }
}
