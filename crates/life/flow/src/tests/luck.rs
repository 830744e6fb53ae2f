//! Any flow, with any luck: what holds whatever happens.

use super::*;

/// A flow of any kind, without circles: a step needs only steps before it.
fn arb_flow() -> impl Strategy<Value = Flow> {
    let steps = prop::collection::vec(
        (prop::collection::vec(any::<prop::sample::Index>(), 0..4), 0..3_u32, any::<bool>()),
        1..24,
    );
    let kind = prop::sample::select(vec!["pipeline", "assembly_line", "radial_burst"]);
    let on_failure = prop::sample::select(vec!["stop", "continue", "rollback"]);
    let rollback = prop::sample::select(vec!["reverse", "selective", "manual"]);
    (steps, kind, on_failure, rollback, 1..6_usize).prop_map(
        |(steps, kind, on_failure, rollback, concurrency)| {
            let mut text = format!(
                "flow: any\nkind: {kind}\non_failure: {on_failure}\nrollback: {rollback}\n"
            );
            if kind != "pipeline" {
                text.push_str(&format!("concurrency: {concurrency}\n"));
            }
            text.push_str("steps:\n");
            for (at, (needs, times, has_undo)) in steps.iter().enumerate() {
                text.push_str(&format!("- id: s{at}\n  call: x.y\n"));
                if *times > 0 {
                    text.push_str(&format!("  retry: {{times: {times}, delay: 50ms}}\n"));
                }
                if *has_undo {
                    text.push_str("  undo: {call: x.undo}\n");
                }
                if kind != "pipeline" && at > 0 {
                    let needs: HashSet<usize> = needs.iter().map(|n| n.index(at)).collect();
                    let names: Vec<String> = needs.iter().map(|n| format!("s{n}")).collect();
                    text.push_str(&format!("  needs: [{}]\n", names.join(", ")));
                }
            }
            flow(&text)
        },
    )
}

/// What comes of an attempt.
#[derive(Clone, Copy, Debug)]
enum Luck {
    Good,
    Bad { may_repeat: bool },
    Unknown,
}

fn arb_luck() -> impl Strategy<Value = Vec<(Luck, usize)>> {
    let one = prop_oneof![
        8 => Just(Luck::Good),
        2 => any::<bool>().prop_map(|may_repeat| Luck::Bad { may_repeat }),
        1 => Just(Luck::Unknown),
    ];
    prop::collection::vec((one, any::<usize>()), 1..200)
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    done: Vec<usize>,
    undone: Vec<usize>,
    attempts: HashSet<(usize, u32, bool)>,
    failed: bool,
    unknown: bool,
}

/// Drives a run to its end, and checks what must hold on the way.
fn drive(run: &mut Run, luck: &[(Luck, usize)], cancel_after: Option<usize>) -> Seen {
    let (flow, rng) = (run.flow().clone(), SeededRng::new(3));
    let mut seen = Seen::default();
    let mut on_its_way: Vec<Start> = Vec::new();
    let mut luck = luck.iter().cycle();
    let mut now = 0;
    for tick in 0.. {
        assert!(tick < 10_000, "it does not end");
        while let Some(start) = run.next(now) {
            let work = start.work;
            assert!(
                seen.attempts.insert((work.step, work.attempt, work.is_undo)),
                "once: {work:?}"
            );
            let step = &flow.steps()[work.step];
            assert!(work.attempt <= step.retry().times + 1);
            if work.is_undo {
                assert!(on_its_way.is_empty(), "undone one after another");
                assert!(seen.done.contains(&work.step), "undone without having happened");
            } else {
                assert!(seen.undone.is_empty());
                let is_over = |need: &usize| run.states()[*need] == StepState::Done;
                assert!(step.needs().iter().all(is_over), "begins before what it needs");
            }
            on_its_way.push(start);
            assert!(on_its_way.len() <= flow.concurrency());
        }
        if cancel_after == Some(tick) {
            run.cancel();
        }
        if on_its_way.is_empty() {
            match (run.outcome(), run.wakes_at()) {
                (Some(_), _) => break,
                (None, Some(due)) => now = now.max(due),
                (None, None) => assert!(cancel_after == Some(tick), "nothing goes on"),
            }
            continue;
        }
        let (luck, which) = luck.next().expect("luck");
        let work = on_its_way.remove(which % on_its_way.len()).work;
        match *luck {
            Luck::Good => {
                run.done(work, good(json!(work.step)));
                let list = if work.is_undo { &mut seen.undone } else { &mut seen.done };
                list.push(work.step);
            }
            Luck::Unknown if !work.is_undo => {
                seen.unknown = true;
                run.uncertain(work, "no answer".to_owned());
            }
            Luck::Bad { may_repeat } => {
                seen.failed = true;
                run.failed(work, failure(may_repeat), now, &rng);
            }
            Luck::Unknown => run.failed(work, failure(false), now, &rng),
        }
    }
    seen
}

proptest! {
    #[test]
    fn any_run_of_any_flow_keeps_its_rules(
        flow in arb_flow(),
        luck in arb_luck(),
        cancel_after in prop::option::of(0..30_usize),
    ) {
        let flow = Arc::new(flow);
        let mut run = Run::new(flow.clone(), RunId([1; 16]), Map::new(), 0).expect("no inputs");
        let seen = drive(&mut run, &luck, cancel_after);
        let outcome = run.outcome().expect("it is over");
        prop_assert_eq!(seen.done.iter().collect::<HashSet<_>>().len(), seen.done.len(), "twice");
        if outcome == Outcome::Done {
            prop_assert_eq!(seen.done.len(), flow.steps().len());
        }
        if seen.unknown {
            prop_assert_eq!(outcome, Outcome::Uncertain);
        }
        if outcome == Outcome::Uncertain {
            prop_assert!(seen.undone.is_empty(), "nothing is undone before a person has said");
        }
        if outcome == Outcome::RolledBack && run.states().iter().all(|s| *s != StepState::Failed) {
            // Cancelled: all of it, in reverse.
            let undoable = |step: &&usize| flow.steps()[**step].undo().is_some();
            let wanted: Vec<usize> = seen.done.iter().rev().filter(undoable).copied().collect();
            prop_assert_eq!(&seen.undone, &wanted);
        }
        let order: Vec<_> = seen.undone.iter().map(|u| seen.done.iter().position(|d| d == u)).collect();
        prop_assert!(order.windows(2).all(|pair| pair[0] > pair[1]), "in reverse: {:?}", order);
    }

    /// Killed after any number of steps, and begun again with what happened, it does the rest and
    /// nothing twice.
    #[test]
    fn a_run_that_is_resumed_does_the_rest(flow in arb_flow(), killed_after in 0..30_usize) {
        let flow = Arc::new(flow);
        let new = || Run::new(flow.clone(), RunId([1; 16]), Map::new(), 0).expect("no inputs");
        let mut run = new();
        let mut happened: Vec<usize> = Vec::new();
        let mut on_its_way = Vec::new();
        while happened.len() < killed_after {
            while let Some(start) = run.next(0) {
                on_its_way.push(start.work);
            }
            let Some(work) = on_its_way.pop() else { break };
            run.done(work, good(json!(1)));
            happened.push(work.step);
        }
        let mut again = new();
        happened.iter().for_each(|step| again.restore_done(*step, None));
        let seen = drive(&mut again, &[(Luck::Good, 0)], None);
        prop_assert_eq!(again.outcome(), Some(Outcome::Done));
        let all: HashSet<usize> = happened.iter().chain(&seen.done).copied().collect();
        prop_assert_eq!(all.len(), flow.steps().len());
        prop_assert_eq!(happened.len() + seen.done.len(), flow.steps().len(), "a step twice");
    }
}
