//! Sketches against the index that they estimate, over texts that were copied and changed.

use symbolon_ambient::{Rng, SeededRng};

use super::*;

/// A text of so many words of a vocabulary of a thousand.
fn words(rng: &SeededRng, count: usize) -> Vec<String> {
    (0..count).map(|_| format!("word{}", draw(rng, 1000))).collect()
}

fn draw(rng: &SeededRng, below: u32) -> u32 {
    u32::from_be_bytes(rng.bytes()) % below
}

fn canonical(words: &[String]) -> CanonicalText {
    CanonicalText::of(&words.join(" ")).unwrap()
}

/// A copy in which each word is changed, left out or doubled with this chance in a thousand.
fn copied(rng: &SeededRng, text: &[String], permille: u32) -> Vec<String> {
    let mut out = Vec::new();
    for word in text {
        match draw(rng, 1000) {
            hit if hit >= permille => out.push(word.clone()),
            hit if hit % 3 == 0 => out.push(format!("new{}", draw(rng, 1000))),
            hit if hit % 3 == 1 => {}
            _ => out.extend([word.clone(), word.clone()]),
        }
    }
    out
}

fn compare(one: &CanonicalText, two: &CanonicalText, key: SketchKey) -> Estimate {
    Sketch::of(one, key).unwrap().compare(&Sketch::of(two, key).unwrap()).unwrap()
}

#[test]
fn the_error_is_what_the_spec_says_over_near_copies() {
    let rng = SeededRng::new(1);
    let (mut pairs, mut within_two, mut squares, mut expected, mut sum) = (0, 0, 0.0, 0.0, 0.0);
    let (mut wrong, mut clear) = (0, 0);
    for round in 0..ROUNDS {
        let text = words(&rng, 150 + draw(&rng, 200) as usize);
        let copy = copied(&rng, &text, round % 100 + 1);
        let (one, two) = (canonical(&text), canonical(&copy));
        let exact = jaccard(&one, &two).unwrap();
        let estimate = compare(&one, &two, SketchKey::make(&rng));
        let error = estimate.jaccard - exact;
        let variance = exact * (1.0 - exact) / SLOTS as f64;
        pairs += 1;
        within_two += i32::from(error.abs() <= 2.0 * variance.sqrt() + f64::EPSILON);
        squares += error * error;
        expected += variance;
        sum += error;
        if !estimate.is_near_a_border() {
            clear += 1;
            let of_exact = Estimate::new(exact).likeness();
            wrong += i32::from(estimate.likeness() != of_exact);
        }
    }
    let all = f64::from(ROUNDS);
    let (measured, stated) = ((squares / all).sqrt(), (expected / all).sqrt());
    println!("measured {measured:.4}, stated {stated:.4}, bias {:.4}", sum / all);
    println!("within two errors {within_two} of {pairs}; wrong {wrong} of {clear} clear ones");
    assert!((measured / stated - 1.0).abs() < 0.15, "measured {measured}, stated {stated}");
    assert!((sum / all).abs() < 0.005, "no bias: {}", sum / all);
    assert!(
        within_two * 100 >= pairs * 92,
        "19 of 20 within two standard errors, and some: {within_two}"
    );
    assert!(clear * 5 > pairs * 2 && wrong * 40 <= clear, "{wrong} of {clear}");
}

/// Each in a debug build some milliseconds.
const ROUNDS: u32 = 200;

#[test]
fn decisions_at_both_borders() {
    let likeness = |j| Estimate::new(j).likeness();
    assert_eq!(likeness(1.0), Likeness::Same);
    assert_eq!((likeness(0.9), likeness(0.899)), (Likeness::Same, Likeness::Alike));
    assert_eq!((likeness(0.7), likeness(0.699)), (Likeness::Alike, Likeness::Other));
    let near = |j| Estimate::new(j).is_near_a_border();
    assert!(near(0.69) && near(0.74) && near(0.87) && near(0.92));
    assert!(!near(1.0) && !near(0.8) && !near(0.6) && !near(0.0));
    let error = |j| (Estimate::new(j).standard_error * 1000.0).round();
    assert_eq!((error(0.7), error(0.9), error(1.0)), (29.0, 19.0, 0.0));
}

#[test]
fn what_does_not_matter_does_not_and_what_does_does() {
    let of = |text: &str| CanonicalText::of(text).unwrap();
    let one = of("# Title\n\nThe quick brown fox, jumps over the lazy dog.");
    let same = of("title: the QUICK brown fox jumps\nover (the) lazy dog");
    let estimate = compare(&one, &same, SketchKey::WITHIN);
    assert_eq!((estimate.jaccard, estimate.likeness()), (1.0, Likeness::Same));
    let other = of("A wholly different sentence about nothing in particular today.");
    assert_eq!(compare(&one, &other, SketchKey::WITHIN).likeness(), Likeness::Other);
    // Of few words all of them count.
    assert_eq!(compare(&of("Yes!"), &of("yes"), SketchKey::WITHIN).jaccard, 1.0);
    assert!(compare(&of("yes"), &of("no"), SketchKey::WITHIN).jaccard < 0.05);
    assert_eq!(Sketch::of(&of("--- *** !"), SketchKey::WITHIN), Err(SketchError::NoWords));
    assert_eq!(jaccard(&of("..."), &one), None);
}

#[test]
fn sketches_of_two_keys_say_nothing_of_each_other() {
    let rng = SeededRng::new(2);
    let text = canonical(&words(&rng, 300));
    let (a, b) = (SketchKey::make(&rng), SketchKey::make(&rng));
    let (one, two) = (Sketch::of(&text, a).unwrap(), Sketch::of(&text, b).unwrap());
    assert_eq!(one.compare(&two), Err(SketchError::Keys));
    let equal = one.slots.iter().zip(two.slots.iter()).filter(|(a, b)| a == b).count();
    assert_eq!(equal, 0);
}

#[test]
fn a_sketch_reads_back_and_nothing_else_does() {
    let rng = SeededRng::new(3);
    let sketch = Sketch::of(&canonical(&words(&rng, 40)), SketchKey::make(&rng)).unwrap();
    let json = sketch.to_json();
    assert!(json.len() < SKETCH_BYTES_MAX);
    assert_eq!(Sketch::parse(&json).unwrap(), sketch);
    let text = String::from_utf8(json).unwrap();
    for (from, to) in [("/v1", "/v2"), ("\"shingles\": 38", "\"shingles\": 0"), ("key", "kez")] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Sketch::parse(changed.as_bytes()).is_err(), "{to}");
    }
    let mut beyond = sketch;
    beyond.slots[0] = PRIME;
    assert!(matches!(Sketch::parse(&beyond.to_json()), Err(SketchError::Form(_))));
}

#[test]
fn a_permutation_is_one() {
    let (a, b) = permutation(0);
    assert_eq!(permuted(1, 0, PRIME - 1), PRIME - 1);
    assert_eq!(permuted(1, 1, PRIME - 1), 0);
    assert_eq!(permuted(2, 0, PRIME - 1), PRIME - 2);
    assert_eq!(permuted(PRIME - 1, 0, PRIME - 1), 1, "(-1)(-1)");
    assert_ne!(permuted(a, b, 1), permuted(a, b, 2));
    let slow =
        |x: u64| ((u128::from(a) * u128::from(x) + u128::from(b)) % u128::from(PRIME)) as u64;
    for x in [0, 1, 77, PRIME / 2, PRIME - 1] {
        assert_eq!(permuted(a, b, x), slow(x));
    }
}
