//! Certificates and keys that are given as text or as a file.

use std::fs::File;
use std::io::Read as _;

/// No list of authorities is longer.
const LONGEST: u64 = 4 << 20;

/// The text that a secret or a certificate file holds.
pub(super) fn read_file(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    let length = read.map_err(|error| format!("{path} cannot be read: {error}"))?;
    if length as u64 > LONGEST { Err(format!("{path} is too long")) } else { Ok(text) }
}

/// The PEM text that a value is, or that the file it names holds.
pub(super) fn read(value: &str) -> Result<String, String> {
    if is_inline(value) {
        // Variables cannot hold line ends everywhere: `\n` stands for them.
        return Ok(value.replace("\\n", "\n"));
    }
    let text = read_file(value)?;
    if is_inline(&text) { Ok(text) } else { Err(format!("{value} holds no PEM (`-----BEGIN …`)")) }
}

/// Whether a value is the text itself.
pub(super) fn is_inline(value: &str) -> bool {
    value.contains("-----BEGIN ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_or_file() {
        assert_eq!(read("-----BEGIN CERTIFICATE-----\\nMIIB\\n").unwrap(), "-----BEGIN CERTIFICATE-----\nMIIB\n");
        assert!(read("/no/such/file").unwrap_err().starts_with("/no/such/file cannot be read: "));
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "geheim").unwrap();
        assert_eq!(read(path).unwrap_err(), format!("{path} holds no PEM (`-----BEGIN …`)"));
        std::fs::write(path, "text before\n-----BEGIN CERTIFICATE-----\n").unwrap();
        assert!(read(path).is_ok());
        assert!(read_file(std::env::temp_dir().to_str().unwrap()).is_err());
    }
}
