//! Pairs of sentences with scores for how alike they mean, written and scored by us for this page:
//! 0 about different things, 1 same subject, 2 related, 3 roughly alike but for something important,
//! 4 alike but for a detail, 5 the same. They are a small test, not a benchmark.

/// First sentence, second sentence, score from 0 to 5.
pub const SCORED: [(&str, &str, f32); 72] = [
    ("The boy is eating an apple.", "A boy eats an apple.", 5.0),
    ("He sold his car last week.", "Last week he sold his car.", 5.0),
    ("The shop shuts at six o'clock.", "At six the store closes.", 4.9),
    ("It is forbidden to smoke here.", "Smoking is not allowed here.", 4.9),
    ("The plane took off on time.", "The aircraft departed punctually.", 4.8),
    ("She is a physician.", "She works as a doctor.", 4.8),
    ("The house was built by my father.", "My father built the house.", 5.0),
    ("I could not find my keys.", "I was unable to find my keys.", 4.9),
    ("They cancelled the concert.", "The concert was called off.", 4.9),
    ("A man is chopping wood.", "A man cuts firewood with an axe.", 4.5),
    ("The children are playing in the park.", "Kids play in a public garden.", 4.4),
    ("Heavy rain flooded the streets.", "The roads were under water after a downpour.", 4.5),
    ("The film was very boring.", "The movie was dull.", 4.6),
    ("He quit his job yesterday.", "Yesterday he handed in his resignation.", 4.6),
    ("A woman is slicing onions.", "A woman is cutting vegetables.", 3.9),
    ("The dog ran across the field.", "A brown dog is running through the grass.", 3.8),
    ("She bought a new laptop.", "She got herself a new computer.", 4.2),
    ("The soldiers crossed the river at night.", "The troops crossed the river.", 4.0),
    ("Prices rose by two percent.", "Prices went up slightly.", 4.0),
    ("The teacher praised the pupil.", "The teacher was pleased with the student.", 3.9),
    ("Three people were hurt in the crash.", "The crash injured several people.", 4.0),
    ("He plays the piano every day.", "He practises the piano daily, mostly in the evening.", 4.0),
    ("The baby has fallen asleep.", "The baby is sleeping in its cot.", 4.1),
    ("We had dinner in an Italian restaurant.", "We ate at an Italian place.", 4.2),
    ("A man is playing a guitar.", "A man is playing a flute.", 2.9),
    ("The cat is on the chair.", "The cat is under the chair.", 3.0),
    ("She likes tea with milk.", "She likes tea without milk.", 3.0),
    ("The museum is open on Mondays.", "The museum is closed on Mondays.", 2.8),
    ("The team won the final.", "The team reached the final.", 3.3),
    ("He will arrive on Friday.", "He will arrive on Sunday.", 3.3),
    ("Two girls are dancing.", "One girl is dancing on a stage.", 3.2),
    ("The government lowered the tax on fuel.", "The government raised the tax on fuel.", 2.8),
    ("A boat is sailing on the sea.", "A ship lies in the harbour.", 2.7),
    ("She teaches mathematics at a school.", "She teaches at a school.", 3.5),
    ("The bread is fresh.", "The bread is stale.", 2.7),
    ("Most students passed the exam.", "Some students failed the exam.", 3.1),
    ("A man is riding a horse.", "A man is feeding a horse.", 2.4),
    ("The nurse is talking to a patient.", "The nurse is sitting in the canteen.", 1.8),
    ("He is repairing the roof.", "He is standing on the roof.", 2.3),
    ("The bus stopped at the red light.", "The bus broke down on the motorway.", 1.9),
    ("The violinist bowed to the audience.", "The audience left the hall.", 1.7),
    ("A chef is tasting the sauce.", "The waiter brings the menu.", 1.6),
    ("It snowed all night.", "The roads are icy this morning.", 2.3),
    ("The goalkeeper hurt his hand.", "The match ended in a draw.", 1.6),
    ("She is planting tulips.", "The garden needs watering.", 1.8),
    ("The company opened an office in Oslo.", "The company dismissed its director.", 1.5),
    ("I bought a ticket to Vienna.", "The train to Vienna was full.", 2.0),
    ("A child is drawing a house.", "A child is reading a comic.", 1.7),
    ("The sun sets behind the hills.", "The moon rose over the lake.", 1.5),
    ("He is allergic to cats.", "Cats sleep most of the day.", 1.3),
    ("The printer needs new ink.", "The computer is very slow today.", 1.2),
    ("A plumber fixed the tap.", "The electrician sent his bill.", 1.2),
    ("The pond is frozen.", "Ducks swim on the pond.", 1.5),
    ("Oil prices fell sharply.", "The bank raised its fees.", 1.0),
    ("The actress forgot her lines.", "The theatre was built of wood.", 1.0),
    ("She is knitting a scarf.", "He bought a woollen coat.", 1.1),
    ("A fisherman mends his net.", "The whale is a mammal.", 0.6),
    ("The king lost the battle.", "The queen wore a green dress.", 0.8),
    ("The lecture begins at nine.", "The canteen serves lunch at noon.", 0.7),
    ("The hikers reached the hut.", "The cyclist changed a tyre.", 0.7),
    ("A dog barks at the postman.", "The parcel weighs two kilos.", 0.5),
    ("The soup is too salty.", "The sea is rough today.", 0.2),
    ("He forgot his umbrella.", "The committee elected a chairwoman.", 0.0),
    ("Penguins cannot fly.", "The stock exchange is closed today.", 0.0),
    ("The wall is painted white.", "Her flight leaves before dawn.", 0.0),
    ("The jazz band played until late.", "Vitamin C is found in peppers.", 0.0),
    ("A cook is peeling potatoes.", "The senator gave a long speech.", 0.0),
    ("The clock struck midnight.", "Tigers hunt alone.", 0.1),
    ("My tooth hurts.", "The bridge is made of steel.", 0.0),
    ("The student solved the puzzle.", "The lawn was mown this morning.", 0.1),
    ("The baker kneads the dough.", "A comet passed the Earth.", 0.0),
    ("They adopted a kitten.", "The lorry carried gravel.", 0.1),
];

#[cfg(test)]
mod tests {
    use super::SCORED;

    #[test]
    fn scores_are_spread_and_sentences_are_distinct() {
        for low in 0..5_u8 {
            let low = f32::from(low);
            let inside = |score: f32| score >= low && (score < low + 1.0 || low == 4.0);
            let count = SCORED.iter().filter(|pair| inside(pair.2)).count();
            assert!(count >= 8, "{count} scores from {low}");
        }
        let sentences = SCORED.iter().flat_map(|pair| [pair.0, pair.1]);
        let distinct: std::collections::BTreeSet<&str> = sentences.collect();
        assert_eq!(distinct.len(), 2 * SCORED.len());
        assert!(SCORED.iter().filter(|pair| pair.2 > 4.0).count() >= 10, "for alignment");
    }
}
