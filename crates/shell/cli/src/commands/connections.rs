//! `symbolon connections`

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Subcommand;
use symbolon_broker::{ConnectionView, VerifiedView};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// List connections, and check them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon connections
  symbolon connections --json
  symbolon connections verify --all")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Make one live, read-only call with each: what works, what ended, what is too wide
    #[command(after_help = "\
Examples
  symbolon connections verify github
  symbolon connections verify --all --json

Each call leaves a receipt, of the agent `owner`. Too wide is what the service says that the
credential may do, where the catalogue knows it to go far and no grant that stands uses it.
The exit code is 1 where a connection does not work.")]
    Verify {
        /// Which connections
        #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
        names: Vec<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
}

/// Calls at once: each may wait for a slow service.
const AT_ONCE: usize = 4;

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<ExitCode, Failure> {
        match self.step {
            Some(Step::Verify { names, all }) => verify(ctx, names, all),
            None => list(ctx).map(|()| ExitCode::SUCCESS),
        }
    }
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<ConnectionView> = ctx.broker()?.ask(&Op::Connections {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("No connections yet.");
        out::say_next("symbolon connect github");
        return Ok(());
    }
    let rows: Vec<_> = all
        .into_iter()
        .map(|it| {
            let auth = match it.ended {
                Some(word) => format!("{}, ended: {word}; connect again", it.auth),
                None => it.auth,
            };
            vec![it.name, it.service, it.base_url, auth, it.created, it.bound_to]
        })
        .collect();
    out::table(&["NAME", "SERVICE", "BASE URL", "AUTH", "CREATED", "BOUND TO"], &rows)
}

fn verify(ctx: &Ctx, names: Vec<String>, all: bool) -> Result<ExitCode, Failure> {
    let mut broker = ctx.broker()?;
    let known: Vec<ConnectionView> = broker.ask(&Op::Connections {})?;
    let names: Vec<String> = match all {
        true => known.into_iter().map(|it| it.name).collect(),
        false => names,
    };
    drop(broker);
    if names.is_empty() {
        if ctx.json {
            out::json(&names)?;
            return Ok(ExitCode::SUCCESS);
        }
        out::say("No connections yet.");
        out::say_next("symbolon connect github");
        return Ok(ExitCode::SUCCESS);
    }
    let views = ask_each(ctx, &names)?;
    let works = |it: &VerifiedView| matches!(&*it.outcome, "works" | "unchecked");
    let is_good = views.iter().all(works);
    if ctx.json {
        out::json(&views)?;
    } else {
        let rows: Vec<_> = views.iter().map(row).collect();
        out::table(
            &["NAME", "OUTCOME", "AS", "TOO WIDE", "ENDS", "LAST USED", "RECEIPT", "DETAIL"],
            &rows,
        )?;
        let failed = views.iter().filter(|it| !works(it)).find_map(|it| it.next.clone());
        if let Some(next) = failed {
            out::say_next(&next);
        } else if let Some(wide) = views.iter().find(|it| !it.too_wide.is_empty()) {
            out::say_next(&format!(
                "make a credential of {} without {}; symbolon connect {} --replace",
                wide.service,
                wide.too_wide.join(", "),
                wide.service
            ));
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Asks for each by name, some at once, and gives the answers in the order of the names.
fn ask_each(ctx: &Ctx, names: &[String]) -> Result<Vec<VerifiedView>, Failure> {
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..names.len()).collect());
    let done = Mutex::new((0..names.len()).map(|_| None).collect::<Vec<_>>());
    let worker = || -> Result<(), Failure> {
        let mut broker = ctx.broker()?;
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(at) = next else { return Ok(()) };
            let view: VerifiedView =
                broker.ask(&Op::VerifyConnection { name: names[at].clone() })?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done[at] = Some(view);
            let count = done.iter().flatten().count();
            if !ctx.json {
                out::say(&format!("{count}/{}  {}", names.len(), names[at]));
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE.min(names.len())).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(ended) => ended,
            Err(panicked) => std::panic::resume_unwind(panicked),
        })
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect())
}

fn row(it: &VerifiedView) -> Vec<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let wide = match (it.too_wide.is_empty(), &it.scopes) {
        (false, _) => it.too_wide.join(" "),
        (true, Some(_)) => "no".to_owned(),
        (true, None) => "not told".to_owned(),
    };
    let ends = match (&it.renewal, it.ends.as_ref().or(it.token_ends.as_ref())) {
        (Some(word), _) => format!("not renewed: {word}"),
        (None, Some(at)) => at.clone(),
        (None, None) => "-".to_owned(),
    };
    vec![
        it.name.clone(),
        it.outcome.replace('_', " "),
        or_none(&it.who),
        wide,
        ends,
        or_none(&it.last_used),
        it.receipt.map_or_else(|| "-".to_owned(), |n| n.to_string()),
        it.detail.clone(),
    ]
}
