//! What can be checked only once all steps are known: who needs whom, and that it ends.

use std::collections::{BTreeSet, HashMap};

use crate::error::FlowError;
use crate::flow::{Flow, Kind, Step};
use crate::inputs::Input;
use crate::parse::Draft;
use crate::path::{Path, Root};

/// Gives each reference its place, adds what is named to what is needed, and refuses cycles.
pub(crate) fn resolve(mut flow: Flow, mut drafts: Vec<Draft>) -> Result<Flow, FlowError> {
    let mut places = HashMap::with_capacity(drafts.len());
    for (place, draft) in drafts.iter().enumerate() {
        if places.insert(draft.step.id.clone(), place).is_some() {
            let what = format!("there are two steps {}", draft.step.id);
            return Err(FlowError::at(draft.at, what));
        }
    }
    let known = Known { places: &places, inputs: &flow.inputs };
    let mut named = vec![false; drafts.len()];
    for place in 0..drafts.len() {
        let mut needs = listed(&known, &drafts[place], flow.kind)?;
        let draft = &mut drafts[place];
        let mut wrong = None;
        let step = &mut draft.step;
        let mut own = false;
        let mut visit = |path: &mut Path, may_be_own: bool| match known.find(path) {
            Ok(Some(other)) if other == place && !may_be_own => {
                let what = format!("{path} is what this step itself gives");
                wrong.get_or_insert(FlowError::at(path.at(), what));
            }
            Ok(Some(other)) if other == place => own = true,
            Ok(Some(other)) if flow.kind == Kind::Pipeline && other > place => {
                let what = format!("{path} comes later: a pipeline runs as it stands");
                wrong.get_or_insert(FlowError::at(path.at(), what));
            }
            Ok(Some(other)) => {
                named[other] = true;
                needs.insert(other);
            }
            Ok(None) => {}
            Err(error) => drop(wrong.get_or_insert(error)),
        };
        step.call.with.each_path(&mut |path| visit(path, false));
        if let Some(when) = &mut step.when {
            when.each_path(&mut |path| visit(path, false));
        }
        if let Some(undo) = &mut step.undo {
            undo.with.each_path(&mut |path| visit(path, true));
        }
        named[place] |= own;
        if let Some(error) = wrong {
            return Err(error);
        }
        if flow.kind == Kind::Pipeline && place > 0 {
            needs = BTreeSet::from([place - 1]);
        }
        step.needs = needs.into_iter().collect();
    }
    let mut wrong = None;
    if let Some(output) = &mut flow.output {
        output.each_path(&mut |path| match known.find(path) {
            Ok(Some(other)) => named[other] = true,
            Ok(None) => {}
            Err(error) => drop(wrong.get_or_insert(error)),
        });
    }
    if let Some(error) = wrong {
        return Err(error);
    }
    let waves = waves(&drafts)?;
    let finish =
        |((draft, wave), is_named): ((Draft, usize), bool)| Step { wave, is_named, ..draft.step };
    flow.steps = drafts.into_iter().zip(waves).zip(named).map(finish).collect();
    Ok(flow)
}

struct Known<'k> {
    places: &'k HashMap<Box<str>, usize>,
    inputs: &'k [Input],
}

impl Known<'_> {
    /// The step that a path begins with, whose place it is given.
    fn find(&self, path: &mut Path) -> Result<Option<usize>, FlowError> {
        let at = path.at();
        if let Some(name) = path.input()
            && !self.inputs.iter().any(|input| *input.name == *name)
        {
            return Err(FlowError::at(at, format!("the flow has no input {name}"))
                .next(format!("inputs: {{{name}: string}}")));
        }
        let Root::Steps { id, place } = path.root_mut() else { return Ok(None) };
        let Some(found) = self.places.get(id) else {
            return Err(FlowError::at(at, format!("there is no step {id}")));
        };
        *place = *found;
        Ok(Some(*found))
    }
}

fn listed(known: &Known<'_>, draft: &Draft, kind: Kind) -> Result<BTreeSet<usize>, FlowError> {
    if let (Kind::Pipeline, Some(at)) = (kind, draft.needs_at) {
        return Err(FlowError::at(at, "in a pipeline each step needs the one before")
            .next("leave needs away, or take  kind: assembly_line"));
    }
    let place = |(id, at): &(Box<str>, (u64, u64))| {
        known.places.get(id).copied().ok_or_else(|| {
            let shown: String = id.chars().take(64).collect();
            FlowError::at(*at, format!("there is no step {shown}"))
        })
    };
    draft.needs.iter().map(place).collect()
}

/// The longest way to each step (Kahn's order). What is left over runs in a circle.
fn waves(drafts: &[Draft]) -> Result<Vec<usize>, FlowError> {
    let mut missing: Vec<usize> = drafts.iter().map(|d| d.step.needs.len()).collect();
    let mut needed_by = vec![Vec::new(); drafts.len()];
    for (place, draft) in drafts.iter().enumerate() {
        draft.step.needs.iter().for_each(|need| needed_by[*need].push(place));
    }
    let mut waves = vec![0; drafts.len()];
    let mut free: Vec<usize> = (0..drafts.len()).filter(|place| missing[*place] == 0).collect();
    let mut seen = 0;
    while let Some(place) = free.pop() {
        seen += 1;
        for next in &needed_by[place] {
            waves[*next] = waves[*next].max(waves[place] + 1);
            missing[*next] -= 1;
            if missing[*next] == 0 {
                free.push(*next);
            }
        }
    }
    if seen == drafts.len() { Ok(waves) } else { Err(cycle(drafts, &missing)) }
}

/// Names a circle: from any step that is left over, one that it needs is left over too.
fn cycle(drafts: &[Draft], missing: &[usize]) -> FlowError {
    let mut way: Vec<usize> = Vec::new();
    let mut place = missing.iter().position(|left| *left > 0).unwrap_or_default();
    while !way.contains(&place) {
        way.push(place);
        let left_over = drafts[place].step.needs.iter().find(|need| missing[**need] > 0);
        place = left_over.copied().unwrap_or(place);
    }
    let begin = way.iter().position(|p| *p == place).unwrap_or_default();
    let circle = &way[begin..];
    let shown = circle.iter().take(CYCLE_SHOWN).chain([&place]);
    let names: Vec<&str> = shown.map(|p| &*drafts[*p].step.id).collect();
    let more = if circle.len() > CYCLE_SHOWN { " (and others between)" } else { "" };
    let what = format!("steps need each other in a circle: {}{more}", names.join(" needs "));
    FlowError::at(drafts[place].at, what).next("take one of them out of needs, or of a template")
}

const CYCLE_SHOWN: usize = 12;
