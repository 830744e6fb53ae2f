//! `symbolon grants`

use std::collections::HashMap;

use clap::Subcommand;
use symbolon_broker::GrantView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// List grants, those under another below it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon grants
  symbolon grants --agent claude --json
  symbolon grants show 7")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show one grant, what is above it, and what is under it
    #[command(after_help = "Examples\n  symbolon grants show 7\n  symbolon grants show 7 --json")]
    Show {
        /// Its number
        #[arg(value_name = "N")]
        id: u64,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut all: Vec<GrantView> = ctx.broker()?.ask(&Op::Grants {})?;
        if let Some(Step::Show { id }) = self.step {
            return show(ctx, &all, id);
        }
        if let Some(agent) = &self.agent {
            all.retain(|it| it.agent == *agent);
        }
        if ctx.json {
            return out::json(&all);
        }
        if all.is_empty() {
            out::say("No grants.");
            out::say_next("symbolon grant claude github.issues.read --for 15m");
            return Ok(());
        }
        let rows: Vec<_> = as_trees(all).into_iter().map(row).collect();
        out::table(
            &["N", "AGENT", "CONNECTION", "SCOPES", "WITHIN", "ASKS", "EXPIRES", "STATE"],
            &rows,
        )
    }
}

fn show(ctx: &Ctx, all: &[GrantView], id: u64) -> Result<(), Failure> {
    let one = all.iter().find(|it| it.id == id).ok_or_else(|| {
        Failure::refused("no_grant", format!("there is no grant {id}")).next("symbolon grants")
    })?;
    if ctx.json {
        return out::json(one);
    }
    let below: Vec<String> = all
        .iter()
        .rev()
        .filter(|it| it.above.contains(&id))
        .map(|it| format!("{} of {}, {}", it.id, it.agent, it.state))
        .collect();
    let mut rows = vec![
        ("grant", format!("{}, {}", one.id, one.state)),
        ("says", one.sentence.clone()),
        ("asks", one.ask.join("; ")),
        (
            "made",
            match one.by_agent {
                true => format!("{} by the agent of grant {}", one.created, parent(one)),
                false => format!("{} by the owner", one.created),
            },
        ),
        ("ends", one.expires.clone()),
        (
            "hand on",
            match one.delegable {
                0 => "no".to_owned(),
                1 => "1 level".to_owned(),
                more => format!("{more} levels"),
            },
        ),
    ];
    rows.extend(one.inherited.iter().map(|it| ("above", it.clone())));
    rows.extend(below.into_iter().map(|it| ("under it", it)));
    out::pairs(&rows)
}

fn parent(it: &GrantView) -> u64 {
    it.above.last().copied().unwrap_or_default()
}

/// Newest roots first; what is under one comes below it, in the order in which it was made.
fn as_trees(all: Vec<GrantView>) -> Vec<GrantView> {
    let (mut roots, mut under): (Vec<_>, HashMap<u64, Vec<_>>) = Default::default();
    let numbers: Vec<u64> = all.iter().map(|it| it.id).collect();
    for it in all {
        // Of another agent's grant that is not listed it is shown as it stands.
        match it.above.iter().rev().find(|id| numbers.contains(id)) {
            Some(id) => under.entry(*id).or_default().push(it),
            None => roots.push(it),
        }
    }
    let mut found = Vec::new();
    let mut next: Vec<GrantView> = roots.into_iter().rev().collect();
    while let Some(it) = next.pop() {
        // Newest first as it came: the oldest is taken from the end first.
        next.extend(under.remove(&it.id).unwrap_or_default());
        found.push(it);
    }
    found
}

fn row(it: GrantView) -> Vec<String> {
    let mut within = it.limits;
    within.extend(it.budgets.iter().map(|b| {
        let renews = b.renews.as_ref().map(|at| format!(", more at {at}")).unwrap_or_default();
        format!("{} ({} left{renews})", b.budget, b.left)
    }));
    within.extend(it.cooldown_seconds.map(|s| format!("every {s} s")));
    within.extend(it.hours);
    within.extend(it.above.last().map(|id| format!("grant {id}")));
    let within = if within.is_empty() { "-".to_owned() } else { within.join("; ") };
    vec![
        format!("{}{}", "  ".repeat(it.above.len()), it.id),
        it.agent,
        it.connection,
        it.scopes.join(" "),
        within,
        it.ask.join("; "),
        it.expires,
        it.state,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_a_grant_stands_below_it() {
        let one = |id, above: &[u64]| GrantView { id, above: above.into(), ..GrantView::default() };
        let all = vec![
            one(7, &[]),
            one(6, &[1, 3]),
            one(5, &[2]),
            one(4, &[1]),
            one(3, &[1]),
            one(2, &[]),
            one(1, &[]),
        ];
        let order: Vec<u64> = as_trees(all.clone()).iter().map(|it| it.id).collect();
        assert_eq!(order, [7, 2, 5, 1, 3, 6, 4]);
        let without_root: Vec<GrantView> = all.into_iter().filter(|it| it.id != 1).collect();
        let order: Vec<u64> = as_trees(without_root).iter().map(|it| it.id).collect();
        assert_eq!(order, [7, 4, 3, 6, 2, 5]);
    }
}
