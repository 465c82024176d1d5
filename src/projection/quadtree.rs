//! Points of the plane in a tree, and how they push each other away.
//!
//! Barnes & Hut, Nature 1986, as t-SNE uses it (van der Maaten, JMLR 2014): points far away act
//! through their middle. The tree is flat: points are sorted along Morton's curve, a node is a range
//! of them, and nodes stand in the order of a walk. The points of a leaf go through the tree
//! together, so that what acts on them becomes a list that SIMD works off.

use crate::math::rows::LANES;

/// Points in a leaf, at most, unless they are all in one place.
const LEAF: u32 = 12;

/// Halvings of each side; places nearer than 2^-16 of the whole are one.
const DEPTH: u32 = 16;

/// Points of the plane in a tree.
#[derive(Debug, Clone, Default)]
pub struct Quadtree {
    /// Morton code, then which point; sorted.
    keys: Vec<u64>,
    /// The points in that order.
    x: Vec<f32>,
    y: Vec<f32>,
    nodes: Vec<Node>,
    /// Nodes that are leaves.
    leaves: Vec<u32>,
    stack: Vec<Span>,
    acting: Acting,
}

/// A node's points are those from `start` to `end`.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// First the sum of the points, then their middle.
    x: f32,
    y: f32,
    /// How many.
    mass: f32,
    /// The square of the longer side of the box around them.
    size: f32,
    low: [f32; 2],
    high: [f32; 2],
    start: u32,
    end: u32,
    /// Nodes below it, and itself: so many further stands the next that is not below it.
    skip: u32,
    parent: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Inner,
    Leaf,
    /// Many points in one place: always acts through its middle.
    Heap,
}

/// Part of the points on its way into the tree.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    depth: u32,
    parent: u32,
}

/// What acts on the points of a leaf.
#[derive(Debug, Clone, Default)]
struct Acting {
    x: Vec<f32>,
    y: Vec<f32>,
    mass: Vec<f32>,
}

impl Acting {
    fn clear(&mut self) {
        self.x.clear();
        self.y.clear();
        self.mass.clear();
    }

    fn push(&mut self, x: f32, y: f32, mass: f32) {
        self.x.push(x);
        self.y.push(y);
        self.mass.push(mass);
    }
}

impl Quadtree {
    /// Of points `[n, 2]`. Takes no memory once it has held as many.
    pub fn build(&mut self, points: &[f32]) {
        self.sort(points);
        self.divide();
        self.sum_up();
    }

    /// How many leaves there are to go through.
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// For every point i of a leaf the sum over all points j, itself included, of q and of
    /// q^2 (i - j), where q = 1 / (1 + |i - j|^2): `each(i, q, [x, y])`. A node whose box is smaller
    /// than `theta` times its distance from the leaf acts through its middle. How many products it
    /// took.
    pub fn push(
        &mut self,
        leaf: usize,
        theta: f32,
        mut each: impl FnMut(usize, f32, [f32; 2]),
    ) -> usize {
        let Some(leaf) = self.leaves.get(leaf).and_then(|leaf| self.nodes.get(*leaf as usize))
        else {
            return 0;
        };
        self.acting.clear();
        gather(&self.nodes, &self.x, &self.y, leaf, theta, &mut self.acting);
        for place in leaf.start as usize..leaf.end as usize {
            let (q, force) = self.acting.on(self.x[place], self.y[place]);
            each((self.keys[place] & u64::from(u32::MAX)) as usize, q, force);
        }
        self.acting.x.len() * (leaf.end - leaf.start) as usize
    }

    fn sort(&mut self, points: &[f32]) {
        let mut low = [f32::INFINITY; 2];
        let mut high = [f32::NEG_INFINITY; 2];
        let pairs = points.as_chunks::<2>().0;
        for point in pairs {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let cells = (1_u32 << DEPTH) as f32;
        let scale = cells / (high[0] - low[0]).max(high[1] - low[1]).max(f32::MIN_POSITIVE * cells);
        // The cast cuts, and makes 0 of what is no number.
        let cell = |value: f32, low: f32| (((value - low) * scale) as u32).min((1 << DEPTH) - 1);
        self.keys.clear();
        self.keys.extend(pairs.iter().enumerate().map(|(i, point)| {
            let code = spread(cell(point[0], low[0])) | spread(cell(point[1], low[1])) << 1;
            u64::from(code) << 32 | i as u64
        }));
        self.keys.sort_unstable();
        self.x.clear();
        self.y.clear();
        for key in &self.keys {
            let point = pairs[(key & u64::from(u32::MAX)) as usize];
            self.x.push(point[0]);
            self.y.push(point[1]);
        }
    }

    fn divide(&mut self) {
        self.nodes.clear();
        self.leaves.clear();
        self.stack.clear();
        let end = self.keys.len() as u32;
        if end > 0 {
            self.stack.push(Span { start: 0, end, depth: 0, parent: u32::MAX });
        }
        while let Some(mut span) = self.stack.pop() {
            // A node with all its points in one quarter is that quarter.
            while span.depth < DEPTH
                && self.digit(span.start, span.depth) == self.digit(span.end - 1, span.depth)
            {
                span.depth += 1;
            }
            let kind = match span.end - span.start {
                count if count <= LEAF => Kind::Leaf,
                _ if span.depth == DEPTH => Kind::Heap,
                _ => Kind::Inner,
            };
            let number = self.nodes.len() as u32;
            self.nodes.push(Node::new(span, kind));
            if kind == Kind::Inner {
                self.push_quarters(span, number);
            } else {
                self.leaves.push(number);
            }
        }
    }

    /// Puts a node's quarters that have points onto the stack, the first on top.
    fn push_quarters(&mut self, span: Span, parent: u32) {
        let mut end = span.end;
        for quarter in (0..4).rev() {
            let range = span.start as usize..end as usize;
            let below = |key: &u64| digit_of(*key, span.depth) < quarter;
            let start = span.start + self.keys[range].partition_point(below) as u32;
            if start < end {
                self.stack.push(Span { start, end, depth: span.depth + 1, parent });
            }
            end = start;
        }
    }

    fn digit(&self, place: u32, depth: u32) -> u64 {
        digit_of(self.keys[place as usize], depth)
    }

    /// Masses, middles and boxes, from the leaves up.
    fn sum_up(&mut self) {
        for number in (0..self.nodes.len()).rev() {
            let mut node = self.nodes[number];
            if node.kind != Kind::Inner {
                for place in node.start as usize..node.end as usize {
                    let point = [self.x[place], self.y[place]];
                    node.add(point, 1.0, point, point);
                }
            }
            if let Some(parent) = self.nodes.get_mut(node.parent as usize) {
                parent.add([node.x, node.y], node.mass, node.low, node.high);
                parent.skip += node.skip;
            }
            node.x /= node.mass;
            node.y /= node.mass;
            let side = (node.high[0] - node.low[0]).max(node.high[1] - node.low[1]);
            node.size = side * side;
            self.nodes[number] = node;
        }
    }
}

impl Node {
    fn new(span: Span, kind: Kind) -> Self {
        let Span { start, end, parent, .. } = span;
        Self {
            x: 0.0,
            y: 0.0,
            mass: 0.0,
            size: 0.0,
            low: [f32::INFINITY; 2],
            high: [f32::NEG_INFINITY; 2],
            start,
            end,
            skip: 1,
            parent,
            kind,
        }
    }

    fn add(&mut self, sum: [f32; 2], mass: f32, low: [f32; 2], high: [f32; 2]) {
        self.x += sum[0];
        self.y += sum[1];
        self.mass += mass;
        for axis in 0..2 {
            self.low[axis] = self.low[axis].min(low[axis]);
            self.high[axis] = self.high[axis].max(high[axis]);
        }
    }
}

/// Walks the tree and lists what acts on a leaf.
fn gather(nodes: &[Node], x: &[f32], y: &[f32], leaf: &Node, theta: f32, acting: &mut Acting) {
    let theta = theta * theta;
    let mut next = 0;
    while let Some(node) = nodes.get(next) {
        // From the middle to the nearest point of the leaf's box.
        let away = |middle: f32, axis: usize| {
            (leaf.low[axis] - middle).max(middle - leaf.high[axis]).max(0.0)
        };
        let (dx, dy) = (away(node.x, 0), away(node.y, 1));
        let is_far = node.size < theta * (dx * dx + dy * dy);
        if is_far || node.kind == Kind::Heap {
            acting.push(node.x, node.y, node.mass);
            next += node.skip as usize;
        } else {
            if node.kind == Kind::Leaf {
                let range = node.start as usize..node.end as usize;
                acting.x.extend_from_slice(&x[range.clone()]);
                acting.y.extend_from_slice(&y[range.clone()]);
                acting.mass.extend(range.map(|_| 1.0));
            }
            next += 1;
        }
    }
    while !acting.x.len().is_multiple_of(LANES) {
        acting.push(0.0, 0.0, 0.0);
    }
}

impl Acting {
    /// Sums of m q and m q^2 (p - j), in lanes that every machine adds in the same order.
    #[inline]
    fn on(&self, x: f32, y: f32) -> (f32, [f32; 2]) {
        let (mut q_sum, mut x_sum, mut y_sum) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let ys = self.y.as_chunks::<LANES>().0;
        let masses = self.mass.as_chunks::<LANES>().0;
        for ((xs, ys), mass) in self.x.as_chunks::<LANES>().0.iter().zip(ys).zip(masses) {
            for lane in 0..LANES {
                let (dx, dy) = (x - xs[lane], y - ys[lane]);
                let q = 1.0 / (1.0 + dx * dx + dy * dy);
                let weight = mass[lane] * q;
                q_sum[lane] += weight;
                x_sum[lane] += weight * q * dx;
                y_sum[lane] += weight * q * dy;
            }
        }
        let sum = |sums: [f32; LANES]| (sums[0] + sums[1]) + (sums[2] + sums[3]);
        (sum(q_sum), [sum(x_sum), sum(y_sum)])
    }
}

/// Which quarter a point is in, at that depth.
fn digit_of(key: u64, depth: u32) -> u64 {
    (key >> (62 - 2 * depth)) & 3
}

/// Puts a zero before each of 16 bits.
fn spread(bits: u32) -> u32 {
    let bits = (bits | bits << 8) & 0x00ff_00ff;
    let bits = (bits | bits << 4) & 0x0f0f_0f0f;
    let bits = (bits | bits << 2) & 0x3333_3333;
    (bits | bits << 1) & 0x5555_5555
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;

    type Push = (f64, [f64; 2]);

    fn by_tree(points: &[f32], theta: f32) -> Vec<Push> {
        let mut tree = Quadtree::default();
        // What was there before must not matter.
        tree.build(&[3.0, 1.0, 2.0, 2.0]);
        tree.build(points);
        let mut found = vec![(f64::NAN, [f64::NAN; 2]); points.len() / 2];
        for leaf in 0..tree.leaves() {
            tree.push(leaf, theta, |i, q, force| {
                assert!(found[i].0.is_nan(), "{i} was met twice");
                found[i] = (f64::from(q), force.map(f64::from));
            });
        }
        found
    }

    fn by_pairs(points: &[f32]) -> Vec<Push> {
        let place = |i: usize| [f64::from(points[2 * i]), f64::from(points[2 * i + 1])];
        let count = points.len() / 2;
        let push = |i: usize| {
            let (mut sum, mut force) = (0.0, [0.0; 2]);
            for j in 0..count {
                let (a, b) = (place(i), place(j));
                let q = 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
                sum += q;
                force[0] += q * q * (a[0] - b[0]);
                force[1] += q * q * (a[1] - b[1]);
            }
            (sum, force)
        };
        (0..count).map(push).collect()
    }

    fn cloud(count: usize, spread: f32) -> Vec<f32> {
        let mut rng = Rng::new(count as u64);
        (0..2 * count).map(|_| spread * rng.normal() as f32).collect()
    }

    #[test]
    fn with_theta_0_it_is_the_sum_over_all_pairs() {
        for (count, spread) in [(0, 1.0), (1, 1.0), (2, 1.0), (13, 1e-4), (300, 10.0), (700, 1e3)] {
            let points = cloud(count, spread);
            for (i, (found, expected)) in
                by_tree(&points, 0.0).iter().zip(by_pairs(&points)).enumerate()
            {
                assert!((found.0 - expected.0).abs() < 1e-5 * expected.0, "{count} {i}");
                for axis in 0..2 {
                    let difference = (found.1[axis] - expected.1[axis]).abs();
                    assert!(difference < 2e-5 * expected.0, "{count} {i}: {difference}");
                }
            }
        }
    }

    #[test]
    fn with_theta_it_is_nearly_that() {
        for spread in [1e-3, 5.0, 50.0] {
            let points = cloud(2_000, spread);
            let (found, expected) = (by_tree(&points, 0.5), by_pairs(&points));
            let z = |all: &[Push]| all.iter().map(|push| push.0).sum::<f64>();
            let ratio = z(&found) / z(&expected);
            assert!((ratio - 1.0).abs() < 0.015, "{spread}: {ratio}");
            let size = |all: &mut dyn Iterator<Item = [f64; 2]>| {
                all.map(|force| force[0].powi(2) + force[1].powi(2)).sum::<f64>().sqrt()
            };
            let errors = found.iter().zip(&expected);
            let mut errors = errors.map(|(a, b)| [a.1[0] - b.1[0], a.1[1] - b.1[1]]);
            let error = size(&mut errors) / size(&mut expected.iter().map(|push| push.1));
            assert!(error < 0.03, "{spread}: {error}");
        }
    }

    #[test]
    fn points_in_one_place_do_not_take_forever() {
        let mut points = vec![0.25; 2 * 50_000];
        points.extend([1.25, 0.25]);
        let found = by_tree(&points, 0.5);
        assert!((found[0].0 - 50_000.5).abs() < 1.0 && found[0].1[1] == 0.0);
        assert!((found[0].1[0] + 0.25).abs() < 1e-3, "{:?}", found[0]);
        assert!((found[50_000].1[0] - 12_500.0).abs() < 10.0);
    }

    #[test]
    fn what_is_no_number_has_a_place() {
        let found = by_tree(&[f32::NAN, 1.0, f32::INFINITY, 2.0, 0.0, 0.0], 0.5);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn bits_are_spread() {
        assert_eq!([spread(0), spread(0b1011), spread(0xffff)], [0, 0b100_0101, 0x5555_5555]);
    }
}
