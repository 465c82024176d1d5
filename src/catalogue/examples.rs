//! Sentences that come with the page, all written for it. They are English because the default
//! model's vocabulary is.

use crate::catalogue::text::Text;

/// Two sentences that show one thing.
#[derive(Debug, Clone, Copy)]
pub struct PairExample {
    pub label: Text,
    /// What its score teaches.
    pub lesson: Text,
    pub sentences: (&'static str, &'static str),
}

/// A list that shows one thing.
#[derive(Debug, Clone, Copy)]
pub struct ListExample {
    pub label: Text,
    pub text: &'static str,
}

/// Pairs; the first is on the page at a first visit.
pub const PAIRS: [PairExample; 6] = [
    PairExample {
        label: Text::ExampleParaphrase,
        lesson: Text::LessonParaphrase,
        sentences: (
            "The bakery sells out of bread before nine.",
            "By nine in the morning the baker has no loaves left.",
        ),
    },
    PairExample {
        label: Text::ExampleNegation,
        lesson: Text::LessonNegation,
        sentences: ("The ferry sails in bad weather.", "The ferry does not sail in bad weather."),
    },
    PairExample {
        label: Text::ExampleWordOrder,
        lesson: Text::LessonWordOrder,
        sentences: ("The dog chased the boy.", "The boy chased the dog."),
    },
    PairExample {
        label: Text::ExampleTwoMeanings,
        lesson: Text::LessonTwoMeanings,
        sentences: ("She sat down on the bank of the river.", "She opened an account at the bank."),
    },
    PairExample {
        label: Text::ExampleSameTopic,
        lesson: Text::LessonSameTopic,
        sentences: (
            "Passengers waited an hour for the next train.",
            "The train to the coast was cancelled.",
        ),
    },
    PairExample {
        label: Text::ExampleUnrelated,
        lesson: Text::LessonUnrelated,
        sentences: ("Two otters float on their backs.", "The committee postponed the tax vote."),
    },
];

/// Lists for the matrix and for scored pairs.
pub const LISTS: [ListExample; 3] = [
    ListExample {
        label: Text::ExampleTopics,
        text: "A kettle of soup simmers on the stove.
The cook is heating a pot of broth.
Chop the onions before you warm the oil.
The striker scored in the last minute.
Our goalkeeper saved two penalties.
Fans sang long after the final whistle.
Rain is expected over the hills tonight.
The forecast says it will pour this evening.
A dry, cloudless week lies ahead.
The router drops the connection every hour.
My laptop cannot find the wireless network.
Restart the modem and try again.",
    },
    ListExample {
        label: Text::ExampleShades,
        text: "He closed the window.
He shut the window.
He did not close the window.
He opened the window.
The window was closed by him.
Someone closed a window.
He closed the door.
He closed his bank account.",
    },
    ListExample {
        label: Text::ExampleScored,
        text:
            "A child is building a tower of blocks.\tA kid stacks wooden blocks into a tower.\t4.8
The museum opens at ten.\tThe museum's doors open at ten o'clock.\t4.9
A woman is tuning a violin.\tA woman is playing a violin.\t3.2
The bridge was closed after the storm.\tThe storm kept the bridge shut.\t4.3
He repaired the old radio himself.\tHe sold the old radio himself.\t2.1
Bees gather nectar in spring.\tInsects visit flowers.\t2.9
The train left on time.\tThe train was an hour late.\t1.6
She painted the fence green.\tThe garden fence is now green.\t3.9
A cat sleeps on the piano.\tThe price of copper fell again.\t0.1
Snow covered the mountain road.\tThe pass was white with snow.\t4.1
The lecture was about volcanoes.\tThe recipe calls for two eggs.\t0.0
They are walking along the beach.\tA couple strolls by the sea.\t3.8",
    },
];

/// Forty sentences on forty subjects: what two of them score is the model's baseline for
/// "unrelated".
pub const UNRELATED: [&str; 40] = [
    "The glacier has retreated by nearly a kilometre.",
    "Please return the library book by Friday.",
    "Her violin needed a new set of strings.",
    "The senate rejected the amendment.",
    "Octopuses have three hearts.",
    "He forgot to water the tomato plants.",
    "The elevator is out of order again.",
    "Inflation slowed for the third month in a row.",
    "A triangle's angles add up to a half turn.",
    "The toddler refuses to wear shoes.",
    "Our flight was diverted because of fog.",
    "This wine tastes of cherries and smoke.",
    "The dentist recommended a softer brush.",
    "Archaeologists uncovered a mosaic floor.",
    "My phone's battery lasts only half a day.",
    "The choir rehearses on Tuesday evenings.",
    "Copper conducts electricity well.",
    "She won the chess tournament at fourteen.",
    "The landlord raised the rent.",
    "Mosquitoes breed in standing water.",
    "He proposed to her on the ferry.",
    "The novel is told by three narrators.",
    "Turn left after the petrol station.",
    "A fever usually passes within days.",
    "The satellite lost contact with the ground.",
    "Grandfather kept his medals in a drawer.",
    "The recipe calls for two cups of flour.",
    "Wolves have returned to the valley.",
    "The jury could not agree on a verdict.",
    "Their website crashes on old browsers.",
    "The marathon starts at the town hall.",
    "Silk is spun by caterpillars.",
    "The orchestra's budget was cut in half.",
    "I dreamed that I could breathe under water.",
    "The mechanic replaced the brake pads.",
    "Latin is still taught at this school.",
    "The volcano had been silent for centuries.",
    "He learned to knit during the winter.",
    "Customs officers opened every suitcase.",
    "The moon pulls the tide towards the shore.",
];

#[cfg(test)]
mod tests {
    use super::UNRELATED;

    #[test]
    fn the_baseline_sentences_are_all_different() {
        let distinct: std::collections::BTreeSet<_> = UNRELATED.iter().collect();
        assert_eq!(distinct.len(), UNRELATED.len());
    }
}
