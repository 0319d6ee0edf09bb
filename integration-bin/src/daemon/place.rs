//! Small files that are replaced as a whole: the position in `alerts.json`, the state of the store.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::follow::Position;

/// Up to where alerts were dealt with.
const POSITION: &str = "alerts.position";

/// Where the run before stopped. `None` if there was none; an error if that cannot be read.
pub(crate) fn read(state: &Path) -> Result<Option<Position>, String> {
    let path = state.join(POSITION);
    match fs::read_to_string(&path) {
        Ok(text) => match text.parse() {
            Ok(position) => Ok(Some(position)),
            Err(_) => Err(format!("{}: is damaged", path.display())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Keeps a position.
pub(crate) fn keep(state: &Path, position: Position) -> io::Result<()> {
    replace(&state.join(POSITION), format!("{position}\n").as_bytes())
}

/// Puts a file in the place of another one; after a loss of power it is the one or the other.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(new, path)
}
