//! `symbolon capsule wit`

use std::path::PathBuf;

use serde_json::json;
use symbolon_capsule_host::WIT;

use super::Ctx;
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::out;

/// Print the interfaces that a component is made against, as WIT
///
/// For the tools of your language that make components of the world `handler`: one function, from bytes to bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule wit --out capsule.wit
  componentize-py -d capsule.wit -w handler componentize --stub-wasi app -o app.wasm      a guest in Python
  symbolon capsule build app.wasm")]
pub struct Args {
    /// Where to write them: a new file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if let Some(out) = &self.out {
            NewFile::make(out)?.write(WIT.as_bytes())?;
        }
        match (&self.out, ctx.json) {
            (out, true) => out::json(&json!({ "wit": WIT, "written_to": out })),
            (None, false) => out::text(WIT.trim_end()),
            (Some(out), false) => {
                out::say(&format!(
                    "The interfaces are in {}; the world is `handler`.",
                    out.display()
                ));
                out::say_next("symbolon capsule build app.wasm, of what your tools make with them");
                Ok(())
            }
        }
    }
}
