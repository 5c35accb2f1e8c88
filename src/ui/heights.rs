//! How high the parts of a long list are, most of which nobody has seen: a Fenwick tree, so
//! that where a part begins, and which part is somewhere, takes a handful of steps.

/// Heights of the parts of a list, in pixels.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    each: Vec<f64>,
    /// At each index, counted from one, the sum of as many heights up to it as its lowest
    /// bit says.
    tree: Vec<f64>,
}

impl Heights {
    /// Of these parts.
    pub fn new(each: Vec<f64>) -> Self {
        let mut tree = vec![0.0; each.len() + 1];
        tree[1..].copy_from_slice(&each);
        for index in 1..tree.len() {
            let above = index + lowest_bit(index);
            if above < tree.len() {
                tree[above] += tree[index];
            }
        }
        Self { each, tree }
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// A part is this high.
    pub fn set(&mut self, part: usize, height: f64) {
        let Some(old) = self.each.get_mut(part) else {
            return;
        };
        let more = height - std::mem::replace(old, height);
        let mut index = part + 1;
        while index < self.tree.len() {
            self.tree[index] += more;
            index += lowest_bit(index);
        }
    }

    /// How high a part is.
    pub fn of(&self, part: usize) -> f64 {
        self.each.get(part).copied().unwrap_or_default()
    }

    /// Where a part begins: how high all those before it are together.
    pub fn before(&self, part: usize) -> f64 {
        let mut index = part.min(self.each.len());
        let mut sum = 0.0;
        while index > 0 {
            sum += self.tree[index];
            index -= lowest_bit(index);
        }
        sum
    }

    /// How high all are together.
    pub fn total(&self) -> f64 {
        self.before(self.each.len())
    }

    /// Which part is at a height: the first one, above; the last one, below.
    pub fn at(&self, y: f64) -> usize {
        let (mut index, mut left) = (0, y);
        let mut step = self.each.len().checked_ilog2().map_or(0, |log| 1 << log);
        while step > 0 {
            if let Some(sum) = self.tree.get(index + step)
                && *sum <= left
            {
                index += step;
                left -= sum;
            }
            step /= 2;
        }
        index.min(self.each.len().saturating_sub(1))
    }
}

fn lowest_bit(index: usize) -> usize {
    index & index.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_all_before() {
        for count in 0..40 {
            let each: Vec<f64> = (0..count).map(|n| f64::from(n % 7 + 1)).collect();
            let mut heights = Heights::new(each.clone());
            heights.set(3, 100.0);
            heights.set(1000, 5.0);
            let mut each = each;
            if let Some(third) = each.get_mut(3) {
                *third = 100.0;
            }
            let mut sum = 0.0;
            for (part, height) in each.iter().enumerate() {
                assert_eq!(heights.before(part), sum);
                assert_eq!(heights.at(sum), part);
                assert_eq!(heights.at(sum + height - 0.5), part);
                sum += height;
            }
            assert_eq!(heights.total(), sum);
            assert_eq!(heights.at(-1.0), 0);
            assert_eq!(heights.at(sum + 9.0), each.len().saturating_sub(1));
        }
    }
}
