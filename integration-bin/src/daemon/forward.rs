//! Alerts that the per-alert program forwards, over a Unix socket: one small write, a byte or two in answer.
//!
//! What is sent: the length of the alert (four bytes, the lowest first), eight bytes that stand for the settings that
//! decide answers, for how many milliseconds somebody waits until it is begun with and until it is done (four bytes each),
//! and the alert. What is answered: [`NOTHING`], [`OTHER`], or [`BEGUN`] and then [`TAKEN`]. Whoever was told that it was
//! begun with waits longer, so that it is not looked up by both.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use alert_enricher::store::MatchError;

use super::Control;
use super::raise::{Answer, Work};
use super::settings::Output;
use super::sieve::{Sieve, damage};
use crate::journal::Journal;
use crate::settings::Settings;

/// Nothing is known about the alert.
pub(super) const NOTHING: u8 = b'0';
/// What is known was raised, or waits.
pub(super) const TAKEN: u8 = b'1';
/// It is being looked up.
pub(super) const BEGUN: u8 = b'.';
/// Somebody else has to look: the settings differ, or the text is no alert.
const OTHER: u8 = b'?';

const HEADER: usize = 4 + 8 + 4 + 4;
/// No alert is longer.
const LONGEST: usize = 16 << 20;
/// How long the resident program waits for an alert that was announced.
const READ: Duration = Duration::from_millis(250);
/// For so long the per-alert program waits until somebody begins with its alert.
const BEGIN: Duration = Duration::from_secs(2);
/// What is left of its time when it waits no longer for the end; what the resident one leaves of that; and what it leaves of
/// the time in which it may begin.
const REST: Duration = Duration::from_millis(200);
const MARGIN: Duration = Duration::from_millis(500);
const BEGIN_MARGIN: Duration = Duration::from_millis(250);
/// Nobody waits longer, whatever they say.
const LONGEST_PATIENCE: Duration = Duration::from_mins(5);
/// How long to sleep when nobody can be let in.
const IDLE: Duration = Duration::from_millis(100);

/// Where the socket is, below the folder for what waits.
pub(crate) fn path(state: &Path) -> PathBuf {
    state.join("resident.socket")
}

/// Gives an alert to the resident program. Answers whether it took care of it; if not, the caller has to. `platform` is
/// the address and the token that are given beside the settings.
pub(crate) fn forward(
    text: &[u8],
    settings: &Settings,
    platform: (Option<&str>, Option<&str>),
    state: &Path,
    deadline: Instant,
) -> bool {
    let handed = (|| {
        let mut stream = UnixStream::connect(path(state))?;
        let left = deadline.saturating_duration_since(Instant::now()) / 2;
        let begin = BEGIN.min(left).max(Duration::from_millis(50));
        let end =
            deadline.checked_sub(REST).map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
        stream.set_write_timeout(Some(begin))?;
        stream.set_read_timeout(Some(begin))?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let mut message = Vec::with_capacity(HEADER + text.len());
        message.extend_from_slice(&length.to_le_bytes());
        message.extend_from_slice(&settings.fingerprint(platform.0, platform.1).to_le_bytes());
        for time in [begin, end] {
            message.extend_from_slice(&u32::try_from(time.as_millis()).unwrap_or(u32::MAX).to_le_bytes());
        }
        message.extend_from_slice(text);
        stream.write_all(&message)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        if answer[0] == BEGUN {
            let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(REST);
            stream.set_read_timeout(Some(left.max(Duration::from_millis(50))))?;
            stream.read_exact(&mut answer)?;
        }
        Ok::<u8, io::Error>(answer[0])
    })();
    matches!(handed, Ok(NOTHING | TAKEN))
}

/// Wakes the one who waits for alerts, so that they see that the program ends.
pub(super) fn wake(state: &Path) {
    let _nobody_there = UnixStream::connect(path(state));
}

/// Takes what is forwarded.
pub(super) struct Listener {
    socket: UnixListener,
    path: PathBuf,
    fingerprint: u64,
}

impl Listener {
    /// Only one program is resident, so what is left of another one can go. There is none where events do not go into the
    /// manager's queue: whoever forwards an alert counts on it.
    pub(super) fn bind(state: &Path, settings: &Settings, token: Option<&str>) -> io::Result<Option<Self>> {
        let path = path(state);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if !settings.daemon.goes_to(Output::Queue) {
            return Ok(None);
        }
        let socket = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Some(Self { socket, path, fingerprint: settings.fingerprint(None, token) }))
    }

    /// Takes alerts until the program is to end.
    pub(super) fn run(&self, mut sieve: Sieve, work: &SyncSender<Work>, control: &Control, journal: &Journal) {
        loop {
            let accepted = self.socket.accept();
            if control.is_stopping() {
                break;
            }
            match accepted {
                // Whoever goes away without an alert has nothing to lose.
                Ok((stream, _)) => {
                    if let Err(error) = self.take(stream, &mut sieve, work, control) {
                        journal.debug(&format!("an alert that was forwarded: {error}"));
                    }
                }
                Err(error) => {
                    journal.warning(&format!("{}: {error}", self.path.display()));
                    std::thread::sleep(IDLE);
                }
            }
        }
        // From now on everybody looks for themselves.
        let _gone = std::fs::remove_file(&self.path);
    }

    fn take(
        &self,
        mut stream: UnixStream,
        sieve: &mut Sieve,
        work: &SyncSender<Work>,
        control: &Control,
    ) -> io::Result<()> {
        let came = Instant::now();
        stream.set_read_timeout(Some(READ))?;
        stream.set_write_timeout(Some(READ))?;
        let mut header = [0; HEADER];
        stream.read_exact(&mut header)?;
        let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let time = |at: usize, margin| {
            let time = Duration::from_millis(number(at).into());
            came + time.saturating_sub(margin).max(time / 2).min(LONGEST_PATIENCE)
        };
        let length = number(0) as usize;
        let settings = header[4..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let (until, end) = (time(12, BEGIN_MARGIN), time(16, MARGIN));
        if length > LONGEST || settings != self.fingerprint {
            return stream.write_all(&[OTHER]);
        }
        let mut bytes = Vec::new();
        (&stream).take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        sieve.refresh();
        match sieve.look(&text) {
            Ok(ids) if ids.is_empty() => stream.write_all(&[NOTHING]),
            Ok(ids) => {
                let answer = Some(Answer::Byte { stream, until, end });
                work.send(Work::Alert { text, ids, answer }).map_err(|_| io::Error::other("the program ends"))
            }
            Err(MatchError::Read(_)) => stream.write_all(&[OTHER]),
            Err(error) => {
                control.damaged(damage(&error));
                stream.write_all(&[OTHER])
            }
        }
    }
}
