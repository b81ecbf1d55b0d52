//! Builds the damage zoo: `damage-zoo FOLDER`.

use std::io::{self, Write};
use std::path::Path;

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).ok_or_else(|| io::Error::other("usage: damage-zoo FOLDER"))?;
    let mut out = io::stdout().lock();
    for (specimen, path) in damage_zoo::build(Path::new(&folder))? {
        let verdict = format!("{:?}", specimen.verdict);
        writeln!(out, "{verdict:<8} {:<48} {}", path.display(), specimen.damage)?;
    }
    Ok(())
}
