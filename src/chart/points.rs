//! Many points as pixels: a map of 100,000 sentences, drawn anew for every frame of a pan.
//!
//! A point is a disc whose edge is smoothed; discs are made once a frame, for 4 x 4 places within a
//! pixel, and then only blended. No browser takes part, so that the same points give the same pixels
//! everywhere.

use crate::chart::plane_view::{Frame, View};

/// What a point is, beside its colour; bits.
pub const DIMMED: u8 = 1;
/// Drawn over the plain ones and at full strength.
pub const RAISED: u8 = 2;
/// Drawn last, larger.
pub const SELECTED: u8 = 4;
/// In a ring: its neighbours on the map are false.
pub const WARNED: u8 = 8;
/// In a ring of another colour: the sentence that is most often among others' nearest.
pub const HUB: u8 = 16;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Points and how they look.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud<'a> {
    /// `[n, 2]`, up is more; what is not finite is left out.
    pub positions: &'a [f32],
    /// A place in the palette for each point; 0, the quietest, where there are too few.
    pub colours: &'a [u8],
    /// Bits for each point; none where there are too few.
    pub flags: &'a [u8],
    pub palette: &'a [Colour],
    /// Higher places of the palette lie over lower ones. Otherwise only 0 lies below the others.
    pub ranked: bool,
    /// Pixels of the page.
    pub radius: f64,
    /// 0 to 1, of plain points; where many lie over each other it shows.
    pub opacity: f64,
    pub paper: Colour,
    pub warning: Colour,
    pub hub: Colour,
}

/// Places within a pixel, along each side, that discs are made for.
const PARTS: usize = 4;
/// Strength of points that step back.
const DIM: f64 = 0.16;
/// How much larger points that stand out are.
const LARGER: f64 = 1.3;

/// Draws the points on paper, `[height, width]` pixels of the device in red, green, blue and 255, row
/// by row from the top. `into` is written anew; keeping it from frame to frame spares its memory.
pub fn raster(cloud: &Cloud<'_>, view: &View, frame: Frame, into: &mut Vec<u8>) {
    let (width, height) = frame.pixels();
    let [red, green, blue] = cloud.paper;
    into.resize(width * height * 4, 255);
    // A line of paper, and then copies of it: that is a good deal faster than pixel by pixel.
    let line = [red, green, blue, 255].repeat(width);
    into.chunks_exact_mut((width * 4).max(1)).for_each(|row| row.copy_from_slice(&line));
    let mut sheet = Sheet { pixels: into, width, height };
    let sprites = Sprites::new(cloud, frame.ratio);
    for spot in &spots(cloud, view, frame, sprites.reach()) {
        let colour = cloud.palette.get(usize::from(spot.colour)).copied().unwrap_or_default();
        sprites.stamp(&mut sheet, spot, colour, cloud);
    }
}

/// How large points are drawn, in pixels of the page: they cover about a twentieth of the picture, and
/// grow somewhat as the visitor comes nearer. `zoom` is 1 where all points are in the picture.
pub fn radius(count: usize, (width, height): (f64, f64), zoom: f64) -> f64 {
    let area = width * height * 0.05 / count.max(1) as f64;
    let alone = (area / std::f64::consts::PI).sqrt().clamp(1.2, 5.0);
    (alone * zoom.max(0.25).sqrt()).clamp(1.0, 7.0)
}

/// How strong plain points are drawn.
pub fn opacity(count: usize) -> f64 {
    if count > 20_000 {
        0.5
    } else if count > 2_000 {
        0.7
    } else {
        0.9
    }
}

/// A point on the sheet.
#[derive(Debug, Clone, Copy, Default)]
struct Spot {
    /// Quarters of a pixel of the device, from the left and the top.
    x: i32,
    y: i32,
    flags: u8,
    colour: u8,
}

/// The points that touch the sheet, in the order of drawing: by what they are, by colour, from the top,
/// as given. From the top because a sheet is larger than what a processor has at hand: points in a
/// jumble would wait for memory, line by line.
fn spots(cloud: &Cloud<'_>, view: &View, frame: Frame, reach: f64) -> Vec<Spot> {
    let (width, height) = frame.pixels();
    let (scale, ratio) = (view.scale * frame.ratio, frame.ratio);
    let (middle_x, middle_y) = (frame.width * ratio / 2.0, frame.height * ratio / 2.0);
    let (right, bottom) = (width as f64 + reach, height as f64 + reach);
    let points = cloud.positions.as_chunks::<2>().0;
    let mut spots = Vec::with_capacity(points.len());
    spots.extend(points.iter().enumerate().filter_map(|(place, point)| {
        let [x, y] = point.map(f64::from);
        let x = middle_x + (x - view.centre[0]) * scale;
        let y = middle_y - (y - view.centre[1]) * scale;
        // What is not finite is nowhere.
        let is_seen = x > -reach && x < right && y > -reach && y < bottom;
        is_seen.then(|| Spot {
            x: (x * 4.0 + 0.5).floor() as i32,
            y: (y * 4.0 + 0.5).floor() as i32,
            flags: cloud.flags.get(place).copied().unwrap_or_default(),
            colour: cloud.colours.get(place).copied().unwrap_or_default(),
        })
    }));
    let above = reach.ceil() as i32 + 1;
    let lines = height + 2 * above as usize + 2;
    let spots = counted(spots, lines, |spot| ((spot.y >> 2) + above).max(0) as usize);
    counted(spots, 4 * 256, |spot| rank(spot, cloud.ranked))
}

/// What lies over what: points of a higher rank over those of a lower one.
fn rank(spot: &Spot, by_colour: bool) -> usize {
    let class = if spot.flags & SELECTED != 0 {
        3
    } else if spot.flags & RAISED != 0 {
        2
    } else {
        usize::from(spot.flags & DIMMED == 0)
    };
    let within = if by_colour { spot.colour } else { spot.colour.min(1) };
    class << 8 | usize::from(within)
}

/// Sorted by keys below `keys` (a greater one counts as the last): counted, and then laid out, which
/// keeps the order of equal ones.
fn counted(spots: Vec<Spot>, keys: usize, key: impl Fn(&Spot) -> usize) -> Vec<Spot> {
    let key = |spot: &Spot| key(spot).min(keys - 1);
    let mut starts = vec![0_usize; keys + 1];
    for spot in &spots {
        starts[key(spot) + 1] += 1;
    }
    // Often all are of one kind.
    if starts.contains(&spots.len()) {
        return spots;
    }
    for place in 1..starts.len() {
        starts[place] += starts[place - 1];
    }
    let mut sorted = vec![Spot::default(); spots.len()];
    for spot in &spots {
        let next = &mut starts[key(spot)];
        sorted[*next] = *spot;
        *next += 1;
    }
    sorted
}

/// The pixels that are drawn on.
struct Sheet<'a> {
    pixels: &'a mut [u8],
    width: usize,
    height: usize,
}

/// A piece of a line of a sprite, from its centre's pixel, and where its coverage is.
struct Span {
    down: i32,
    across: i32,
    from: u32,
    to: u32,
}

/// A disc or ring as coverage, 1 to 256, at each of the places within a pixel.
struct Sprite {
    /// Of each place within the pixel, down and then across.
    spans: [Vec<Span>; PARTS * PARTS],
    coverage: Vec<u16>,
}

impl Sprite {
    /// What lies between the radii `inner` and `outer`, at that strength.
    fn new(inner: f64, outer: f64, strength: f64) -> Self {
        let reach = outer.ceil() as i32;
        let mut coverage = Vec::new();
        let spans = std::array::from_fn(|variant| {
            let middle = |part: usize| part as f64 / PARTS as f64 - 0.5;
            let (y, x) = (middle(variant / PARTS), middle(variant % PARTS));
            let covered = |row: i32, column: i32| {
                let (dx, dy) = (f64::from(column) - x, f64::from(row) - y);
                let away = (dx * dx + dy * dy).sqrt();
                let share =
                    (outer + 0.5 - away).clamp(0.0, 1.0) * (away - inner + 0.5).clamp(0.0, 1.0);
                (share * strength * 256.0).round() as u16
            };
            let mut spans: Vec<Span> = Vec::new();
            for row in -reach..=reach {
                for column in -reach..=reach {
                    let share = covered(row, column);
                    if share == 0 {
                        continue;
                    }
                    coverage.push(share);
                    let to = coverage.len() as u32;
                    let goes_on = |span: &&mut Span| {
                        span.down == row && span.across + (span.to - span.from) as i32 == column
                    };
                    match spans.last_mut().filter(goes_on) {
                        Some(span) => span.to = to,
                        None => spans.push(Span { down: row, across: column, from: to - 1, to }),
                    }
                }
            }
            spans
        });
        Self { spans, coverage }
    }

    fn disc(radius: f64, strength: f64) -> Self {
        Self::new(-1.0, radius, strength)
    }

    /// Blends a colour over the sheet, the centre at a spot.
    fn stamp(&self, sheet: &mut Sheet<'_>, &Spot { x, y, .. }: &Spot, colour: Colour) {
        let (width, height) = (sheet.width as i32, sheet.height as i32);
        for span in &self.spans[((y & 3) << 2 | x & 3) as usize] {
            let (line, left) = ((y >> 2) + span.down, (x >> 2) + span.across);
            let end = (left + (span.to - span.from) as i32).min(width);
            if line < 0 || line >= height || end <= left.max(0) {
                continue;
            }
            let start = line as usize * sheet.width;
            let (first, end) = (left.max(0) as usize, end as usize);
            let pixels = &mut sheet.pixels[4 * (start + first)..4 * (start + end)];
            let skipped = span.from as usize + (first as i32 - left) as usize;
            let shares = &self.coverage[skipped..span.to as usize];
            for (pixel, share) in pixels.as_chunks_mut::<4>().0.iter_mut().zip(shares) {
                blend(pixel, colour, u32::from(*share));
            }
        }
    }
}

/// `share` of 256 of a colour over a pixel: red and blue in one multiplication, green in another.
fn blend(pixel: &mut [u8; 4], [red, green, blue]: Colour, share: u32) {
    let below = u32::from_le_bytes(*pixel);
    let outer = u32::from(red) | u32::from(blue) << 16;
    let inner = u32::from(green);
    let rest = 256 - share;
    let outer = ((below & 0x00ff_00ff) * rest + outer * share) >> 8 & 0x00ff_00ff;
    let inner = (((below >> 8) & 0xff) * rest + inner * share) >> 8 & 0xff;
    *pixel = (outer | inner << 8 | 0xff00_0000).to_le_bytes();
}

/// Discs and rings of one frame.
struct Sprites {
    plain: Sprite,
    dimmed: Sprite,
    /// Of points that stand out, and the paper around them.
    large: Sprite,
    halo: Sprite,
    ring: Sprite,
    reach: f64,
}

impl Sprites {
    fn new(cloud: &Cloud<'_>, ratio: f64) -> Self {
        // A cloud without end would only take time; nobody sees more of a larger disc.
        let radius = (cloud.radius * ratio).clamp(0.5, 64.0);
        let large = radius * LARGER + 0.5 * ratio;
        let outer = (large + ratio).max(radius + 2.6 * ratio);
        Self {
            reach: outer + 2.0,
            plain: Sprite::disc(radius, cloud.opacity.clamp(0.0, 1.0)),
            dimmed: Sprite::disc(radius, DIM),
            large: Sprite::disc(large, 1.0),
            halo: Sprite::disc(large + ratio, 0.9),
            ring: Sprite::new(radius + 1.2 * ratio, radius + 2.6 * ratio, 0.9),
        }
    }

    /// Pixels of the device from a centre to the end of the largest.
    fn reach(&self) -> f64 {
        self.reach
    }

    fn stamp(&self, sheet: &mut Sheet<'_>, at: &Spot, colour: Colour, cloud: &Cloud<'_>) {
        let flags = at.flags;
        if flags & (RAISED | SELECTED) != 0 {
            self.halo.stamp(sheet, at, cloud.paper);
            self.large.stamp(sheet, at, colour);
        } else if flags & DIMMED != 0 {
            self.dimmed.stamp(sheet, at, colour);
        } else {
            self.plain.stamp(sheet, at, colour);
        }
        // What steps back does not call.
        if flags & WARNED != 0 && flags & DIMMED == 0 {
            self.ring.stamp(sheet, at, cloud.warning);
        }
        if flags & HUB != 0 {
            self.ring.stamp(sheet, at, cloud.hub);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAPER: Colour = [255, 255, 255];
    const PALETTE: [Colour; 3] = [[128, 128, 128], [0, 0, 0], [200, 0, 0]];

    fn cloud<'a>(positions: &'a [f32], colours: &'a [u8], flags: &'a [u8]) -> Cloud<'a> {
        Cloud {
            positions,
            colours,
            flags,
            palette: &PALETTE,
            ranked: false,
            radius: 2.0,
            opacity: 1.0,
            paper: PAPER,
            warning: [0, 0, 200],
            hub: [0, 200, 0],
        }
    }

    fn drawn(cloud: &Cloud<'_>, view: &View, frame: Frame) -> Vec<u8> {
        let mut pixels = vec![7; 3];
        raster(cloud, view, frame, &mut pixels);
        pixels
    }

    fn frame(width: f64, height: f64) -> Frame {
        Frame { width, height, ratio: 1.0 }
    }

    const VIEW: View = View { centre: [0.0, 0.0], scale: 1.0 };

    /// How dark each pixel is, 0 to 9; nothing for paper.
    fn picture(pixels: &[u8], width: usize) -> String {
        let digits: Vec<char> = pixels
            .as_chunks::<4>()
            .0
            .iter()
            .map(|[red, ..]| match (255 - u32::from(*red)) * 10 / 256 {
                0 => '.',
                dark => char::from_digit(dark, 10).unwrap_or('?'),
            })
            .collect();
        digits.chunks(width).map(|row| row.iter().collect::<String>() + "\n").collect()
    }

    #[test]
    fn a_small_map_looks_as_it_was_looked_at() {
        let positions = [-5.0, 1.0, 0.5, -0.5, 5.0, 0.0, 5.0, 2.0, f32::NAN, 0.0];
        let colours = [1, 1, 0, 1];
        let flags = [0, SELECTED, 0, DIMMED];
        let pixels = drawn(&cloud(&positions, &colours, &flags), &VIEW, frame(16.0, 8.0));
        let expected = "\
............11..
.3993..464.1111.
.9998.79997.442.
.99954999994244.
.39916999996244.
.....4999994241.
......79997.....
.......464......
";
        let found = picture(&pixels, 16);
        assert_eq!(found, expected, "\n{found}");
    }

    #[test]
    fn what_stands_out_lies_over_the_rest() {
        let middle = |flags: &[u8], ranked: bool, colours: &[u8]| {
            let cloud = Cloud { ranked, ..cloud(&[0.0; 4], colours, flags) };
            let pixels = drawn(&cloud, &VIEW, frame(9.0, 9.0));
            let at = 4 * (4 * 9 + 4);
            [pixels[at], pixels[at + 1], pixels[at + 2]]
        };
        assert_eq!(middle(&[], false, &[1, 2]), PALETTE[2], "the later one");
        assert_eq!(middle(&[], false, &[2, 1]), PALETTE[1]);
        assert_eq!(middle(&[], true, &[2, 1]), PALETTE[2], "the higher one");
        assert_eq!(middle(&[], false, &[1, 0]), PALETTE[1], "0 is the quietest");
        assert_eq!(middle(&[SELECTED, 0], false, &[1, 2]), PALETTE[1]);
        assert_eq!(middle(&[SELECTED, RAISED], false, &[1, 2]), PALETTE[1]);
        assert_eq!(middle(&[RAISED, 0], false, &[0, 2]), PALETTE[0]);
        assert_eq!(middle(&[0, DIMMED], false, &[1, 2]), PALETTE[1]);
    }

    #[test]
    fn warned_points_and_hubs_have_rings_unless_they_step_back() {
        let rings = |flags: u8| {
            let pixels = drawn(&cloud(&[0.0; 2], &[1], &[flags]), &VIEW, frame(15.0, 15.0));
            let pixels = pixels.as_chunks::<4>().0;
            let count =
                |wanted: fn(&[u8; 4]) -> bool| pixels.iter().filter(|it| wanted(it)).count();
            let blue = count(|[red, _, blue, _]| *blue > red.saturating_add(60));
            (blue, count(|[red, green, ..]| *green > red.saturating_add(60)))
        };
        assert_eq!(rings(0), (0, 0));
        assert!(rings(WARNED).0 > 12 && rings(WARNED).1 == 0);
        assert_eq!(rings(WARNED | DIMMED).0, 0);
        assert!(rings(HUB).1 > 12);
    }

    #[test]
    fn points_are_smaller_the_more_there_are_and_grow_with_the_zoom() {
        let size = (900.0, 600.0);
        let radii = [1, 300, 5_000, 100_000].map(|count| radius(count, size, 1.0));
        assert!(radii.is_sorted_by(|a, b| a >= b), "{radii:?}");
        assert!(radius(5_000, size, 4.0) > radius(5_000, size, 1.0));
        for zoom in [0.0, f64::MIN_POSITIVE, 1e9] {
            assert!((1.0..=7.0).contains(&radius(0, size, zoom)));
        }
    }

    /// Every pixel asks every point: the same picture of opaque points of one colour.
    fn plain_coverage(positions: &[f32], (width, height): (usize, usize), radius: f64) -> Vec<f64> {
        let mut covered = vec![0.0_f64; width * height];
        for point in positions.chunks_exact(2) {
            let x = width as f64 / 2.0 + f64::from(point[0]);
            let y = height as f64 / 2.0 - f64::from(point[1]);
            for (place, covered) in covered.iter_mut().enumerate() {
                let (dx, dy) = ((place % width) as f64 + 0.5 - x, (place / width) as f64 + 0.5 - y);
                let share = (radius + 0.5 - dx.hypot(dy)).clamp(0.0, 1.0);
                *covered += (1.0 - *covered) * share;
            }
        }
        covered
    }

    proptest! {
        #[test]
        fn pixels_are_those_of_a_plain_loop(
            positions in prop::collection::vec(-14.0_f32..14.0, 0..12),
            radius in 0.6_f64..4.0,
        ) {
            let (width, height) = (24, 17);
            let colours = vec![1; positions.len()];
            let cloud = Cloud { radius, ..cloud(&positions, &colours, &[]) };
            let pixels = drawn(&cloud, &VIEW, frame(width as f64, height as f64));
            // Every point may lie an eighth of a pixel from its place, along both sides: it covers what a
            // somewhat larger one covers at most, and at least what a smaller one does.
            const AWAY: f64 = 0.125 * std::f64::consts::SQRT_2;
            let within = [-AWAY, AWAY].map(|by| plain_coverage(&positions, (width, height), radius + by));
            let rounding = 0.01 * (positions.len() / 2) as f64 + 0.005;
            prop_assert_eq!(pixels.len(), 4 * width * height);
            for (place, pixel) in pixels.as_chunks::<4>().0.iter().enumerate() {
                let dark = 1.0 - f64::from(pixel[0]) / 255.0;
                let [least, most] = [within[0][place], within[1][place]];
                prop_assert!((least - rounding..=most + rounding).contains(&dark), "{least} {dark} {most}");
                prop_assert_eq!(pixel[3], 255);
            }
        }

        #[test]
        fn nothing_panics(
            positions in prop::collection::vec(any::<f32>(), 0..30),
            colours in prop::collection::vec(any::<u8>(), 0..20),
            flags in prop::collection::vec(any::<u8>(), 0..20),
            centre in [any::<f64>(), any::<f64>()],
            scale in any::<f64>(),
            radius in any::<f64>(),
            ratio in 0.5_f64..3.0,
        ) {
            let cloud = Cloud { radius, ..cloud(&positions, &colours, &flags) };
            let frame = Frame { width: 30.5, height: 20.0, ratio };
            let pixels = drawn(&cloud, &View { centre, scale }, frame);
            let (width, height) = frame.pixels();
            prop_assert_eq!(pixels.len(), 4 * width * height);
        }
    }
}
