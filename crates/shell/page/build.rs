//! Makes a table of `web/dist`, as its `manifest.tsv` lists it: name, type, ETag. Without a manifest the table
//! is empty. The files are copied, so that a page that is built meanwhile does not pull them away.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = std::env::var("CARGO_MANIFEST_DIR")?;
    let dist = Path::new(&here).join("../../../web/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let manifest = match std::fs::read_to_string(dist.join("manifest.tsv")) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut table = String::from("pub(crate) static ASSETS: &[Asset] = &[\n");
    for (number, line) in manifest.lines().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, kind, etag] = fields[..] else {
            return Err(format!("manifest.tsv has the line {line:?}").into());
        };
        let copied = |ending: &str| -> std::io::Result<PathBuf> {
            let to = out.join(format!("{number}{ending}"));
            std::fs::copy(dist.join(format!("{name}{ending}")), &to).map(|_| to)
        };
        let coded = |ending: &str| match copied(ending) {
            Ok(file) => Ok(format!("Some(include_bytes!({file:?}))")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok("None".to_owned()),
            Err(error) => Err(error),
        };
        writeln!(
            table,
            "    Asset {{ path: {:?}, kind: {kind:?}, etag: {etag:?}, plain: include_bytes!({:?}), \
             br: {}, gzip: {} }},",
            format!("/{name}"),
            copied("")?,
            coded(".br")?,
            coded(".gz")?,
        )?;
    }
    table.push_str("];\n");
    std::fs::write(out.join("assets.rs"), table)?;
    Ok(())
}
