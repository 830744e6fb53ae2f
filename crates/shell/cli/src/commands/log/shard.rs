//! `symbolon log shards`, `log shard`, `log export-shard` and `log check-shard`

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_audit::{Entry, Row};
use symbolon_broker::{Every, ShardView, ShardsView};
use symbolon_codec::time::rfc3339;
use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{
    Checkpoint, LogError, ShardFile, ShardFileError, Shards, Storage, TILE_WIDTH, WitnessKey,
    parse_vkey, read_shard, write_shard,
};
use symbolon_receipt::OperatorKey;
use symbolon_server::control::Op;
use symbolon_store::{Home, LogPlace, LogStorage};
use symbolon_witness::{Gathered, TilesError};

use super::Ctx;
use crate::commands::audit::{Ticker, show};
use crate::commands::verify::receipt::{operator_key, with_succession};
use crate::failure::Failure;
use crate::out;

/// Lists the shards.
pub fn list(ctx: &Ctx) -> Result<(), Failure> {
    show_all(ctx, &ctx.broker()?.ask_as_is(&Op::LogShards {})?)
}

#[derive(Debug, clap::Args)]
pub struct Divide {
    /// How long a shard is written to: month, quarter, year (in UTC), or never
    #[arg(long, value_name = "PERIOD", value_parser = every, required_unless_present = "now")]
    every: Option<Every>,
    /// Begin one now
    #[arg(long)]
    now: bool,
}

fn every(text: &str) -> Result<Every, String> {
    text.parse().map_err(|()| "month, quarter, year or never".to_owned())
}

impl Divide {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let op = Op::DivideLog { every: self.every, now: self.now };
        show_all(ctx, &ctx.broker()?.ask_as_is(&op)?)
    }
}

fn show_all(ctx: &Ctx, view: &ShardsView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    if view.shards.is_empty() {
        out::say("This log is one shard, and no other begins by itself.");
        out::say_next("symbolon log shard --every month");
        return Ok(());
    }
    let row = |shard: &ShardView| {
        let count = shard.next - shard.first;
        let here = match (shard.is_open, shard.here) {
            (true, _) => "written to".to_owned(),
            (_, 0) => "taken away".to_owned(),
            (_, here) if here == count => "here".to_owned(),
            (_, here) => format!("taken away, but for the last {here}"),
        };
        let bytes = shard.bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        [&shard.name, &shard.began, &shard.first.to_string(), &count.to_string(), &bytes, &here]
            .map(ToOwned::to_owned)
            .to_vec()
    };
    let rows: Vec<_> = view.shards.iter().map(row).collect();
    out::table(&["SHARD", "BEGAN", "FIRST", "ENTRIES", "BYTES", "WHERE"], &rows)?;
    match view.every {
        Every::Never => out::say("No shard begins by itself."),
        every => out::say(&format!("A shard begins with each {every}, in UTC.")),
    }
    let done = view.shards.iter().find(|shard| !shard.is_open && shard.here > 0);
    if let Some(shard) = done {
        let name = &shard.name;
        out::say_next(&format!("symbolon log export-shard {name} --out {name}.shard"));
    }
    Ok(())
}

#[derive(Debug, clap::Args)]
pub struct Export {
    /// The shard's name, or its period where it is the only one of it
    #[arg(value_name = "SHARD")]
    shard: String,
    /// A new file, its owner's alone (0600)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Then take the shard away from this home, and those before it: keep the files
    #[arg(long)]
    take_away: bool,
    /// The file of an older shard that goes with it, since it is too short to be taken away alone; again for each
    #[arg(long = "with", value_name = "FILE", requires = "take_away")]
    with: Vec<PathBuf>,
}

impl Export {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let source = Source::open(&home)?;
        let at = source.find(&self.shard)?;
        let name = source.shards.all()[at].name();
        if self.take_away {
            self.check_first(&source, at)?;
        }
        let end = source.shards.end(at).ok_or_else(|| {
            Failure::refused("shard", format!("the shard {name} is still written to"))
                .next("symbolon log shard --now")
        })?;
        let note = source.note(&home, end)?;
        let made = self.write(&source, at, &note).inspect_err(|failure| {
            if failure.code != "exists" {
                // What is half written shows nothing.
                let _ = fs::remove_file(&self.out);
            }
        })?;
        let view: Option<ShardsView> = match self.take_away {
            true => Some(ctx.broker()?.ask_as_is(&Op::GiveUpShard { name: name.clone() })?),
            false => None,
        };
        if ctx.json {
            let bytes = fs::metadata(&self.out).map(|it| it.len()).unwrap_or(0);
            return out::json(&json!({
                "shard": made.shard, "first": made.first, "next": made.next, "out": self.out, "bytes": bytes,
                "shards": view,
            }));
        }
        let (out, last) = (self.out.display(), made.next - 1);
        out::say(&format!("{out} has the shard {name}: entries {} to {last}.", made.first));
        if view.is_some() {
            out::say(
                "It was taken away here. Receipts of it are as good as before; what they say is in the file.",
            );
        }
        out::say_next(&format!("symbolon log check-shard {out} --key operator.pub, by anybody"));
        Ok(())
    }

    /// Shards are taken away from the oldest on, so that what is left is one piece. Of each that goes there is a file: it
    /// was written when the shard's first entries were taken away, or it is shown now.
    fn check_first(&self, source: &Source, at: usize) -> Result<(), Failure> {
        let shards = &source.shards;
        let (here, stays) = (shards.first(), first_after(shards, at));
        let is_here = shards.all()[at].first >= here && shards.end(at).is_some();
        if is_here && stays <= here {
            let what = "no 256 entries of it are here to be taken away: it goes with the next";
            return Err(Failure::refused("shard", what)
                .next("the same without --take-away; then the next with --take-away"));
        }
        let shown =
            self.with.iter().map(|file| source.read(file)).collect::<Result<Vec<_>, _>>()?;
        for (older, shard) in shards.all().iter().enumerate().take(at) {
            let goes = (here..stays).contains(&shard.first);
            let next = shards.end(older).unwrap_or(u64::MAX);
            let is_shown = |file: &ShardFile| (file.first, file.next) == (shard.first, next);
            if !goes || shown.iter().any(is_shown) {
                continue;
            }
            let older_name = shard.name();
            let what = format!("the shard {older_name} is older, and would go too without a file");
            let export = format!("symbolon log export-shard {older_name} --out {older_name}.shard");
            let next = match first_after(shards, older) > here {
                true => format!("{export} --take-away"),
                false => format!("{export}; then the same as now with --with {older_name}.shard"),
            };
            return Err(Failure::refused("shard", what).next(next));
        }
        Ok(())
    }

    /// Writes the file and reads it back as anybody would.
    fn write(&self, source: &Source, at: usize, note: &str) -> Result<ShardFile, Failure> {
        let failed = |error| failure(&self.out, error);
        let cannot = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::refused("exists", format!("{} is there already", self.out.display()))
                    .next("--out with a name that is free")
            }
            _ => Failure::file("write", &self.out, &error),
        };
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.out);
        let new = new.map_err(cannot)?;
        let ticker = Ticker::new("writing");
        let (first, end) = (source.shards.all()[at].first, source.shards.end(at).unwrap_or(0));
        let mut writer = BufWriter::with_capacity(1 << 20, &new);
        let told = &mut |done| ticker.tell(done, end - first);
        let made = write_shard(&source.storage, (&source.origin, at), note, &mut writer, told);
        let made = made.map_err(failed)?;
        writer.flush().map_err(cannot)?;
        drop(writer);
        new.sync_all().map_err(cannot)?;
        let folder = self.out.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|it| it.sync_all())
            .map_err(cannot)?;
        ticker.clear();
        match source.read(&self.out)? == made {
            true => Ok(made),
            false => Err(failed(ShardFileError::Form("it reads otherwise than it was written"))),
        }
    }
}

/// The first entry that stays where this shard is taken away: bundles of 256 go or stay as one.
fn first_after(shards: &Shards, at: usize) -> u64 {
    shards.end(at).unwrap_or(0) / TILE_WIDTH * TILE_WIDTH
}

/// A home's log, as a process reads it that does not write it.
struct Source {
    storage: LogStorage,
    shards: Shards,
    origin: String,
    operator: symbolon_crypto::VerifyingKey,
    /// With those that it had before: files were written under them.
    keys: OperatorKey,
}

impl Source {
    fn open(home: &Home) -> Result<Self, Failure> {
        let io = |path: PathBuf| move |source| Failure::from(TilesError::Io { path, source });
        let path = home.operator_pub();
        let text = fs::read_to_string(&path).map_err(io(path))?;
        let (origin, operator) = parse_vkey(text.trim_end()).map_err(TilesError::from)?;
        let place = LogPlace::of(home).map_err(|error| io(home.log())(error.into()))?;
        let storage = place.reader(&origin).map_err(io(home.log()))?;
        let shards = Shards::read(&storage).map_err(|error| failure(&home.log(), error.into()))?;
        let line = Some(home.operator_succession()).filter(|path| path.exists());
        let keys = with_succession(operator.into(), line.as_deref())?;
        Ok(Self { storage, shards, origin, operator, keys })
    }

    /// Reads a shard's file of this log.
    fn read(&self, path: &Path) -> Result<ShardFile, Failure> {
        let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
        let ticker = Ticker::new("reading back");
        let open = |note: &str, origin: &str| self.keys.checkpoint(note, origin);
        let mut file = BufReader::with_capacity(1 << 20, file);
        let read = read_shard(&mut file, open, |index, _| ticker.tell(index, 0));
        ticker.clear();
        let read = read.map_err(|error| failure(path, error))?;
        if read.origin != self.origin {
            let what = format!("{} is of the log {}", path.display(), read.origin);
            return Err(Failure::refused("other_log", what)
                .next("the file that export-shard wrote in this home"));
        }
        Ok(read)
    }

    fn find(&self, name: &str) -> Result<usize, Failure> {
        self.shards.find(name).ok_or_else(|| {
            let several = self.shards.all().iter().any(|shard| shard.period == name);
            let what = match several {
                true => format!("several shards began in {name}"),
                false => format!("this log has no shard {name}"),
            };
            Failure::refused("no_shard", what).next("symbolon log shards")
        })
    }

    /// A checkpoint that covers the entries before `next`, with what witnesses signed where some did.
    fn note(&self, home: &Home, next: u64) -> Result<String, Failure> {
        let covers = |note: &String| {
            let opened = Checkpoint::open(note, &self.operator, &self.origin);
            opened.is_ok_and(|checkpoint| checkpoint.size >= next)
        };
        let gathered = Gathered::open(&home.log(), &self.origin, &self.operator);
        if let Some(note) = gathered.covering(next - 1).filter(covers) {
            return Ok(note);
        }
        let bytes = self.storage.get("checkpoint", NOTE_BYTES_MAX as u64 + 1).ok().flatten();
        let note = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(covers);
        note.ok_or_else(|| {
            let what = "no signed checkpoint covers the shard yet";
            Failure::refused("no_checkpoint", what)
                .next("symbolon unlock, and the same a second later")
        })
    }
}

#[derive(Debug, clap::Args)]
pub struct Check {
    /// The shard's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The operator's public key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The keys that the operator had before and after the one of --key: its operator.succession
    #[arg(long, value_name = "FILE")]
    succession: Option<PathBuf>,
    /// A witness that has to have signed its checkpoint, as `symbolon witness` shows its key; again for each
    #[arg(long = "witness", value_name = "KEY")]
    witnesses: Vec<WitnessKey>,
    /// Show this entry of it
    #[arg(long, value_name = "N")]
    entry: Option<u64>,
}

impl Check {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let key = with_succession(operator_key(&self.key)?, self.succession.as_deref())?;
        let file = File::open(&self.file).map_err(|e| Failure::file("read", &self.file, &e))?;
        let ticker = Ticker::new("reading");
        let mut asked = None;
        let mut input = BufReader::with_capacity(1 << 20, file);
        let open = |note: &str, origin: &str| key.checkpoint(note, origin);
        let read = read_shard(&mut input, open, |index, bytes| {
            ticker.tell(index, 0);
            if self.entry == Some(index) {
                asked = Some(Row { index, entry: Entry::read(bytes) });
            }
        });
        ticker.clear();
        let read = read.map_err(|error| failure(&self.file, error))?;
        if let Some(origin) = key.origin().filter(|origin| *origin != read.origin) {
            let what = format!("the shard is of the log {}, not of {origin}", read.origin);
            return Err(
                Failure::refused("other_log", what).next("--key with that log's operator.pub")
            );
        }
        let witnessed = self.witnessed(&read)?;
        let checkpoint = Checkpoint::dangerous_read_unverified(&read.checkpoint)
            .map_err(|error| failure(&self.file, error.into()))?;
        let row = match (self.entry, asked) {
            (Some(entry), None) => {
                let (first, last) = (read.first, read.next - 1);
                let what = format!("entry {entry} is not in it: it has {first} to {last}");
                return Err(Failure::refused("no_entry", what).next("symbolon log shards"));
            }
            (_, asked) => asked,
        };
        if ctx.json {
            return out::json(&json!({
                "verified": true, "shard": read.shard, "origin": read.origin, "first": read.first, "next": read.next,
                "checkpoint": { "size": checkpoint.size, "root": checkpoint.root },
                "witnesses": witnessed.iter().map(|(name, at)| json!({ "witness": name, "time": at })).collect::<Vec<_>>(),
                "entry": row.as_ref().map(show::row),
            }));
        }
        if let Some(row) = &row {
            let text = serde_json::to_string_pretty(&show::row(row));
            return out::text(&text.map_err(|e| Failure::environment("json", e.to_string()))?);
        }
        let mut facts = vec![
            ("verified", "yes: these are the log's entries, none missing".to_owned()),
            ("shard", read.shard),
            ("log", read.origin),
            ("entries", format!("{} to {}", read.first, read.next - 1)),
            ("checkpoint", format!("{} entries, root {}", checkpoint.size, checkpoint.root)),
        ];
        facts.extend(witnessed.into_iter().map(|(name, at)| ("witness", format!("{name}, {at}"))));
        out::pairs(&facts)
    }

    /// Every witness that was named signed its checkpoint.
    fn witnessed(&self, read: &ShardFile) -> Result<Vec<(String, String)>, Failure> {
        let each = self.witnesses.iter().map(|witness| {
            let signed = witness.verify(&read.checkpoint).map_err(|error| {
                Failure::not_final(format!("its checkpoint: {error}"))
                    .next("a file that was written after the witness signed")
            })?;
            Ok((witness.name().to_owned(), rfc3339(signed.unix_seconds().saturating_mul(1000))))
        });
        each.collect()
    }
}

fn failure(path: &Path, error: ShardFileError) -> Failure {
    let says = format!("{}: {error}", path.display());
    match error {
        ShardFileError::Io(source) => Failure::file("use", path, &source),
        ShardFileError::Log(LogError::Storage { .. }) => Failure::environment("log", says),
        ShardFileError::Log(LogError::TakenAway { .. }) => {
            Failure::refused("taken_away", says).next("the file that was written when it was")
        }
        ShardFileError::Log(_) => Failure::refused("log", says).next("symbolon doctor"),
        ShardFileError::Form(_) => {
            Failure::refused("shard_form", says).next("the whole file, as export-shard wrote it")
        }
        _ => Failure::refused("shard_refused", says)
            .next("another copy of the file; believe nothing that this one says"),
    }
}
