//! A look in an address: `after.cls.4.whitened-32`.

use crate::protocol::lab::Treatment;
use crate::protocol::readout::{Pooling, Side};
use crate::state::geometry::Look;

/// In the place of a layer: the last one.
const LAST: &str = "last";

impl Look {
    /// Side, pooling, layer, and what is done to the vectors unless that is nothing.
    pub fn to_slug(self) -> String {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        let layer = self.layer.map_or(LAST.to_owned(), |layer| layer.to_string());
        let mut parts = vec![side.to_owned(), self.pooling.name().to_owned(), layer];
        parts.extend(treatment_slug(self.treatment));
        parts.join(".")
    }

    /// The look of that [`Look::to_slug`]; what stands at the end may be missing.
    pub fn from_slug(slug: &str) -> Option<Self> {
        let mut parts = slug.split('.');
        let side = match parts.next()? {
            "before" => Side::Before,
            "after" => Side::After,
            _ => return None,
        };
        let pooling = Pooling::from_name(parts.next()?)?;
        let layer = match parts.next() {
            None | Some(LAST) => None,
            Some(layer) => Some(layer.parse().ok()?),
        };
        let treatment = match parts.next() {
            None => Treatment::AsTheyAre,
            Some(slug) => treatment(slug)?,
        };
        parts.next().is_none().then_some(Self { side, pooling, layer, treatment })
    }
}

fn treatment_slug(treatment: Treatment) -> Option<String> {
    Some(match treatment {
        Treatment::AsTheyAre => return None,
        Treatment::Centred => "centred".to_owned(),
        Treatment::AllButTheTop { directions } => format!("top-{directions}"),
        Treatment::Whitened { keep: None } => "whitened".to_owned(),
        Treatment::Whitened { keep: Some(keep) } => format!("whitened-{keep}"),
    })
}

fn treatment(slug: &str) -> Option<Treatment> {
    let (name, number) = slug.split_once('-').unwrap_or((slug, ""));
    match (name, number) {
        ("raw", "") => Some(Treatment::AsTheyAre),
        ("centred", "") => Some(Treatment::Centred),
        ("whitened", "") => Some(Treatment::Whitened { keep: None }),
        ("whitened", keep) => Some(Treatment::Whitened { keep: Some(keep.parse().ok()?) }),
        ("top", directions) => {
            Some(Treatment::AllButTheTop { directions: directions.parse().ok()? })
        }
        _ => None,
    }
}

#[cfg(test)]
pub(in crate::state) mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof};

    use super::{Look, Pooling, Side, Treatment};

    /// Any look.
    pub(in crate::state) fn look() -> impl Strategy<Value = Look> {
        let sides = prop_oneof![Just(Side::Before), Just(Side::After)];
        let poolings = [Pooling::Cls, Pooling::Mean, Pooling::FirstLast, Pooling::ClsMlp];
        let poolings = proptest::sample::select(poolings.to_vec());
        let treatments = prop_oneof![
            Just(Treatment::AsTheyAre),
            Just(Treatment::Centred),
            any::<u16>().prop_map(|directions| Treatment::AllButTheTop { directions }),
            any::<Option<u16>>().prop_map(|keep| Treatment::Whitened { keep }),
        ];
        (sides, poolings, any::<Option<u16>>(), treatments)
            .prop_map(|(side, pooling, layer, treatment)| Look { side, pooling, layer, treatment })
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(look in look()) {
            proptest::prop_assert_eq!(Look::from_slug(&look.to_slug()), Some(look));
        }

        #[test]
        fn anything_is_read_or_refused(slug in "[a-z.0-9-]{0,30}") {
            let _ = Look::from_slug(&slug);
        }
    }

    #[test]
    fn a_slug_is_short_and_may_be_cut() {
        let look = Look::from_slug("after.cls").unwrap();
        assert_eq!(look.to_slug(), "after.cls.last");
        let look = Look::from_slug("before.first-last.4.whitened-32").unwrap();
        assert_eq!(
            (look.layer, look.to_slug().as_str()),
            (Some(4), "before.first-last.4.whitened-32")
        );
        for bad in [
            "",
            "after",
            "both.cls",
            "after.max",
            "after.cls.x",
            "after.cls.1.odd",
            "after.cls.1.raw.x",
        ] {
            assert_eq!(Look::from_slug(bad), None, "{bad}");
        }
    }
}
