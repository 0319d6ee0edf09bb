//! The manager's queue socket: one datagram per event.
//!
//! The manager may be restarting (the socket is missing or refuses), or busy (its queue is full and a send would wait
//! without end). Both are tried again until a deadline, because a program that waits longer stops all integrations.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the socket is below the manager's folder: since 4.2, and before.
const PLACES: [&str; 2] = ["queue/sockets/queue", "queue/ossec/queue"];

/// Why an event did not reach the manager.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// There is no socket, or nobody reads from it.
    #[error("{path}: the manager does not read from its queue socket ({source}); is wazuh-manager running?")]
    Away { path: PathBuf, source: io::Error },
    /// The manager's queue stayed full.
    #[error("{path}: the manager's queue stayed full for {} ms", waited.as_millis())]
    Full { path: PathBuf, waited: Duration },
    /// The program may not write there, or the message is too long for the socket.
    #[error("{path}: {source}; the program has to run as a member of the group `wazuh`")]
    Refused { path: PathBuf, source: io::Error },
}

impl SendError {
    /// Whether the same event may get through later.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Full { .. })
    }

    /// Whether it is this message that the socket does not take, whoever sends it.
    pub(crate) fn is_of_message(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if source.raw_os_error() == Some(libc_errno::EMSGSIZE))
    }
}

/// The queue socket of one manager.
#[derive(Debug)]
pub(crate) struct QueueSocket {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

/// Time between two attempts, doubled up to a limit.
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl QueueSocket {
    /// The socket at this path.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), socket: None }
    }

    /// Where the manager that lives in this folder has its socket: the place of its version that is there, else the newer
    /// one.
    pub(crate) fn of_manager(home: &Path) -> PathBuf {
        let place = PLACES.into_iter().find(|place| home.join(place).exists()).unwrap_or(PLACES[0]);
        home.join(place)
    }

    /// Sends one message, trying again until `deadline`.
    pub(crate) fn send(&mut self, message: &[u8], deadline: Instant) -> Result<(), SendError> {
        let started = Instant::now();
        let mut pause = PAUSE;
        loop {
            let error = match self.attempt(message) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_full = matches!(error.raw_os_error(), Some(libc_errno::EAGAIN | libc_errno::ENOBUFS));
            let is_away = matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotConnected
            ) || matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
            if is_away {
                // The manager makes a new socket when it starts.
                self.socket = None;
            }
            if !is_full && !is_away && error.kind() != io::ErrorKind::Interrupted {
                return Err(SendError::Refused { path: self.path.clone(), source: error });
            }
            if Instant::now() + pause >= deadline {
                let path = self.path.clone();
                return Err(if is_full {
                    SendError::Full { path, waited: started.elapsed() }
                } else {
                    SendError::Away { path, source: error }
                });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(&mut self, message: &[u8]) -> io::Result<()> {
        let socket = if let Some(socket) = &self.socket {
            socket
        } else {
            let socket = UnixDatagram::unbound()?;
            // A blocking send waits without limit while the queue is full.
            socket.set_nonblocking(true)?;
            socket.connect(&self.path)?;
            self.socket.insert(socket)
        };
        socket.send(message).map(drop)
    }
}

/// The two numbers of Linux that mean "full", of which `ErrorKind` knows only one, and the one for a message that is too
/// long.
mod libc_errno {
    pub(super) const EMSGSIZE: i32 = 90;
    pub(super) const EAGAIN: i32 = 11;
    pub(super) const ENOBUFS: i32 = 105;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(300)
    }

    #[test]
    fn a_message_is_a_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue");
        let manager = UnixDatagram::bind(&path).unwrap();
        QueueSocket::new(&path).send(b"1:opencti:{}", soon()).unwrap();
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"1:opencti:{}");
    }

    #[test]
    fn a_manager_that_is_away_or_busy_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue");
        let mut socket = QueueSocket::new(&path);
        let error = socket.send(b"x", soon()).unwrap_err();
        assert!(error.is_temporary() && matches!(error, SendError::Away { .. }), "{error}");

        let _manager = UnixDatagram::bind(&path).unwrap();
        let mut sent = 0;
        let error = loop {
            match socket.send(b"x", soon()) {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
        };
        assert!(sent > 0 && matches!(error, SendError::Full { .. }), "{error}");
    }

    #[test]
    fn a_manager_that_was_restarted_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue");
        let mut socket = QueueSocket::new(&path);
        let first = UnixDatagram::bind(&path).unwrap();
        socket.send(b"one", soon()).unwrap();
        drop(first);
        let restarted = {
            let path = path.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(30));
                std::fs::remove_file(&path).unwrap();
                let manager = UnixDatagram::bind(&path).unwrap();
                let mut buffer = [0; 8];
                let length = manager.recv(&mut buffer).unwrap();
                buffer[..length].to_vec()
            })
        };
        socket.send(b"two", Instant::now() + Duration::from_secs(10)).unwrap();
        assert_eq!(restarted.join().unwrap(), b"two");
    }

    #[test]
    fn only_a_message_that_is_too_long_is_to_blame_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue");
        let _manager = UnixDatagram::bind(&path).unwrap();
        let error = QueueSocket::new(&path).send(&vec![b'x'; 8 << 20], soon()).unwrap_err();
        assert!(error.is_of_message() && !error.is_temporary(), "{error}");
        // No socket at all, as a right that is missing, has nothing to do with the message.
        let error = QueueSocket::new(folder.path()).send(b"x", soon()).unwrap_err();
        assert!(!error.is_of_message(), "{error}");
    }

    #[test]
    fn the_place_follows_the_version() {
        let folder = tempfile::tempdir().unwrap();
        assert!(QueueSocket::of_manager(folder.path()).ends_with("queue/sockets/queue"));
        std::fs::create_dir_all(folder.path().join("queue/ossec/queue")).unwrap();
        assert!(QueueSocket::of_manager(folder.path()).ends_with("queue/ossec/queue"));
    }
}
