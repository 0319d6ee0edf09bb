//! Connections and channels.
//!
//! Encryption is set up here and not by the AMQP library, so that trust and identity are the same as everywhere else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::tcp::RustlsConnector;
use lapin::types::FieldTable;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties};

use super::Broker;
use crate::error::{chain, shown};
use crate::secret::scrub;
use crate::{Error, ErrorKind};

/// A connection with one channel.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Connection,
    pub(crate) channel: Channel,
}

impl Link {
    /// Connects and opens a channel, within the time for it.
    pub(crate) async fn open(broker: &Broker, purpose: &str) -> Result<Self, Error> {
        let deadline = broker.connect_timeout;
        match tokio::time::timeout(deadline, Self::connect(broker, purpose)).await {
            Ok(result) => result,
            Err(_) => Err(ErrorKind::Timeout { peer: broker.peer(), after: deadline }.into()),
        }
    }

    async fn connect(broker: &Broker, purpose: &str) -> Result<Self, Error> {
        let address = broker.address();
        let tls = if address.use_ssl { Some(RustlsConnector::from(Arc::new(broker.tls.client()?))) } else { None };
        let uri = AMQPUri {
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username: address.user, password: address.pass.expose().to_owned() },
                host: address.host,
                port: address.port,
            },
            vhost: address.vhost,
            query: AMQPQueryString {
                heartbeat: Some(u16::try_from(broker.heartbeat.as_secs()).unwrap_or(20).max(1)),
                ..AMQPQueryString::default()
            },
        };
        let name = format!("{} ({purpose})", broker.name);
        let options = ConnectionProperties::default().with_connection_name(name.into());
        let patience = broker.connect_timeout;
        let runtime = lapin::runtime::default_runtime().map_err(|error| broker.error(&error))?;
        let connect = async move |uri: AMQPUri, runtime| -> lapin::Result<AsyncTcpStream<_>> {
            let host = uri.authority.host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let connected = async {
                let mut stream = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
                for address in tokio::net::lookup_host((host.as_str(), uri.authority.port)).await? {
                    stream = AsyncTcpStream::connect(&runtime, address).await;
                    if stream.is_ok() {
                        break;
                    }
                }
                let stream = stream?;
                match &tls {
                    Some(tls) => stream.into_rustls(tls, &host).await,
                    None => Ok(stream),
                }
            };
            // The thread of the connection goes on by itself when nobody waits for it any more.
            match tokio::time::timeout(patience, connected).await {
                Ok(stream) => Ok(stream?),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        };
        let opened = Connection::connector(uri, runtime, connect, options).await;
        let connection = opened.map_err(|error| broker.error(&error))?;
        let channel = connection.create_channel().await.map_err(|error| broker.error(&error))?;
        Ok(Self { connection, channel })
    }

    /// Whether the queue exists, without making it.
    pub(crate) async fn declare_passively(&self, broker: &Broker, queue: &str) -> Result<(), Error> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(queue.into(), options, FieldTable::default());
        broker.within(declared).await.map(|_| ())
    }

    /// Whether both still stand.
    pub(crate) fn stands(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Says good-bye. The broker gives back what was not settled.
    pub(crate) async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.connection.close(200, "bye".into())).await;
    }
}

impl Broker {
    /// Waits for the broker, but not for ever.
    pub(crate) async fn within<T>(&self, answer: impl Future<Output = lapin::Result<T>>) -> Result<T, Error> {
        match tokio::time::timeout(self.confirm_timeout, answer).await {
            Ok(result) => result.map_err(|error| self.error(&error)),
            Err(_) => Err(ErrorKind::Timeout { peer: self.peer(), after: self.confirm_timeout }.into()),
        }
    }

    /// An error of the library in this crate's terms.
    pub(super) fn error(&self, error: &lapin::Error) -> Error {
        let peer = self.peer();
        let text = |error: &dyn std::error::Error| shown(&scrub(&chain(error), &[self.address().pass]));
        match error.kind() {
            lapin::ErrorKind::ProtocolError(said) => {
                let message = shown(said.get_message().as_str());
                return ErrorKind::Broker { code: said.get_id(), message }.into();
            }
            lapin::ErrorKind::IOError(io) | lapin::ErrorKind::RuntimeShutdownError(io) => {
                if io.kind() == io::ErrorKind::TimedOut {
                    return ErrorKind::Timeout { peer, after: self.connect_timeout }.into();
                }
                let what = text(&**io);
                let is_tls = io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
                // The other side's refusal comes as text alone.
                let refused = what.contains("received fatal alert");
                return if refused || (is_tls && what.contains("certificate")) {
                    ErrorKind::Certificate { peer, what }.into()
                } else {
                    ErrorKind::Transport { peer, what, unsent: false }.into()
                };
            }
            _ => {}
        }
        ErrorKind::Transport { peer, what: text(error), unsent: false }.into()
    }
}
