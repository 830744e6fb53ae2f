//! What is known of a person: from a file, or asked for at the terminal.

use std::path::PathBuf;

use symbolon_circuits::Date;
use symbolon_proof::{ClaimsError, Particular, Particulars};
use symbolon_secret::Secret;

use crate::failure::Failure;
use crate::{facts, out, prompt};

/// Where it comes from, without a document that can be read.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub struct KnownFrom {
    /// From a JSON file: birth_date, nationality, document_expiry, document_state, document_number; - is standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Ask at the terminal; nothing that is typed is shown
    #[arg(long)]
    pub form: bool,
}

/// Reads the file, or asks.
pub fn known(from: &KnownFrom, command: &str, today: Date) -> Result<Particulars, Failure> {
    if let Some(path) = &from.from {
        return Ok(Particulars::parse(&facts::read_secret(path)?, today)?);
    }
    if !prompt::is_possible() {
        let what = "nobody is at a terminal to be asked";
        return Err(Failure::usage(what).next(format!("{command} --from FILE")));
    }
    out::say("What is typed is not shown.");
    let mut answers = Vec::with_capacity(Particular::ASKED.len());
    for particular in Particular::ASKED {
        answers.push(asked(particular, today)?);
    }
    let answers = answers.try_into().map_err(|_| ClaimsError::NoPage)?;
    Ok(Particulars::new(answers, today)?)
}

/// Asks until the answer has its form, three times at most.
fn asked(particular: Particular, today: Date) -> Result<Secret<[u8]>, Failure> {
    let question = match particular {
        Particular::BirthDate => "Date of birth, as 1990-03-14: ",
        Particular::Nationality => "Nationality, as FRA: ",
        Particular::DocumentExpiry => "Last day of the document, as 2031-05-01: ",
        Particular::DocumentState => "State that issued the document, as FRA: ",
        _ => "Number of the document: ",
    };
    let mut left = TRIES;
    loop {
        let answer = prompt::hidden(question)?;
        left -= 1;
        match particular.check(&answer, today) {
            Ok(()) => return Ok(answer),
            Err(wrong) if left > 0 => out::say(&format!("Not taken: {wrong}.")),
            Err(wrong) => return Err(ClaimsError::Particular(wrong).into()),
        }
    }
}

const TRIES: u32 = 3;
