//! The sentences that the lesson looks at, all written for it: twelve subjects of eight. In each
//! subject the first two say nearly the same in other words, and so do the third and fourth.

/// Sentences of one subject, in a row.
pub const OF_A_SUBJECT: usize = 8;

/// The sentences, subject by subject.
#[rustfmt::skip]
pub const SENTENCES: [&str; 96] = [
    // Kitchen
    "She simmers the tomato sauce for two hours.",
    "The sauce of tomatoes cooks slowly all afternoon.",
    "Sharpen the knife before you slice the bread.",
    "A blunt blade will not cut a loaf properly.",
    "The pancakes stuck to the bottom of the pan.",
    "Add a spoonful of vinegar to the lentils.",
    "He forgot the cake in the oven.",
    "Our neighbour pickles cucumbers every summer.",
    // Weather
    "Heavy snow closed the mountain pass last night.",
    "The road over the mountains is shut because it snowed.",
    "Tomorrow will be mild with a light breeze.",
    "Expect gentle wind and pleasant temperatures on the next day.",
    "A sudden hailstorm flattened the wheat.",
    "Thick fog hid the lighthouse from the ships.",
    "The drought has lasted since early spring.",
    "Thunder rolled over the lake at midnight.",
    // Football
    "The keeper parried the penalty in extra time.",
    "In added time the goalkeeper stopped a spot kick.",
    "Their captain was sent off for a late tackle.",
    "The referee showed the skipper a red card for a foul.",
    "The home side lost three matches in a row.",
    "A header from the corner decided the final.",
    "Supporters filled the stadium two hours early.",
    "The young winger signed for a club abroad.",
    // On the way
    "The night train to the coast leaves at eleven.",
    "At eleven a sleeper departs for the seaside.",
    "All flights were grounded because of a strike.",
    "No planes took off today as the crews stopped work.",
    "We changed buses twice to reach the village.",
    "The ferry was full, so they waited for the next one.",
    "A flat tyre delayed the cyclists near the border.",
    "Passengers complained about the crowded platform.",
    // Computers
    "The server crashed after the latest update.",
    "Since the new version was installed, the machine keeps failing.",
    "Choose a longer password for your account.",
    "Your login needs a stronger secret phrase.",
    "The printer prints every page twice.",
    "She wrote a script that renames a thousand files.",
    "My screen flickers when the battery is low.",
    "The programmer found the bug in a loop.",
    // Health
    "The nurse measured the patient's blood pressure.",
    "A carer checked how high the sick man's blood pressure was.",
    "He twisted his ankle on the stairs.",
    "She sprained her foot while climbing the steps.",
    "The vaccine protects children against measles.",
    "A surgeon replaced the worn hip joint.",
    "Sleep badly for a week and you catch every cold.",
    "The dentist filled two small cavities.",
    // Music
    "The violinist tuned her instrument before the concert.",
    "Ahead of the performance the fiddle player adjusted her strings.",
    "The choir rehearses in the old chapel on Mondays.",
    "Every Monday the singers practise in the ancient church.",
    "He learned the drums by listening to records.",
    "The opera ended with a long silence.",
    "A street musician played the accordion under the bridge.",
    "The band cancelled the second half of its tour.",
    // Animals
    "A heron stood motionless in the shallow water.",
    "In the shallows a wading bird waited without moving.",
    "The kitten fell asleep inside a shoe box.",
    "A young cat dozed off in a carton.",
    "Wolves have returned to the eastern forests.",
    "The octopus opened the jar from within.",
    "Bees visit the lavender until the sun goes down.",
    "A herd of elephants crossed the dry river bed.",
    // Space
    "The probe sent its first pictures of the icy moon.",
    "Images of the frozen satellite arrived from the spacecraft.",
    "Two galaxies will collide in four billion years.",
    "In billions of years a pair of star systems will merge.",
    "The telescope is cooled to almost absolute zero.",
    "A comet with a green tail is visible this week.",
    "Astronauts grow lettuce on the space station.",
    "The rover climbed out of the crater.",
    // Money
    "The central bank raised interest rates again.",
    "Borrowing became dearer after another increase by the bank of issue.",
    "House prices fell for the third month.",
    "For three months homes have been getting cheaper.",
    "The company will cut four hundred jobs.",
    "Shareholders rejected the merger by a wide margin.",
    "He keeps his savings in a tin under the bed.",
    "The shop gives a discount to students.",
    // Garden
    "Plant the tulip bulbs before the first frost.",
    "Put tulips into the ground before it freezes.",
    "Slugs ate all the young lettuces.",
    "The seedlings of the salad were devoured by snails.",
    "The old pear tree finally bears fruit.",
    "Water the ferns in the shade every evening.",
    "She trimmed the hedge into the shape of a dragon.",
    "Compost keeps the soil loose and dark.",
    // School
    "The pupils handed in their essays on Friday.",
    "On Friday the class submitted its compositions.",
    "The teacher explained fractions with slices of an apple.",
    "Using pieces of fruit, she taught what a half and a quarter are.",
    "The exam was easier than everyone had feared.",
    "A new library opened next to the gymnasium.",
    "Two boys were late because they missed the bell.",
    "The headmistress retires after thirty years.",
];

/// Of [`SENTENCES`]: seven that meet the reader's own in the lesson's small batch. The third and
/// fourth say nearly the same, so that one row has a hard rival.
pub const BATCH: [usize; 7] = [0, 17, 42, 43, 64, 72, 89];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BATCH, OF_A_SUBJECT, SENTENCES};

    #[test]
    fn sentences_are_distinct_and_fill_their_subjects() {
        let distinct: BTreeSet<&str> = SENTENCES.into_iter().collect();
        assert_eq!(distinct.len(), SENTENCES.len());
        assert_eq!(SENTENCES.len() % OF_A_SUBJECT, 0);
        assert!(SENTENCES.iter().all(|text| text.ends_with('.') && text.len() < 80));
    }

    #[test]
    fn the_batch_has_one_pair_that_says_nearly_the_same() {
        let distinct: BTreeSet<usize> = BATCH.into_iter().collect();
        assert!(distinct.len() == BATCH.len() && distinct.iter().all(|i| *i < SENTENCES.len()));
        assert_eq!((BATCH[2] / OF_A_SUBJECT, BATCH[3]), (BATCH[3] / OF_A_SUBJECT, BATCH[2] + 1));
    }
}
