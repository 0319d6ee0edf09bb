//! The broker: messages from the platform, and bundles to it.
//!
//! [`Broker`] says how the broker is reached; [`AmqpSource`] and [`AmqpPublisher`] each keep a connection of their own
//! to it and make it again when it breaks. Queues and exchanges belong to the platform: nothing is declared here.

mod connect;
mod consumer;
mod publisher;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

pub(crate) use connect::Link;
pub use consumer::AmqpSource;
pub use publisher::AmqpPublisher;

use crate::tls::TlsConfig;
use crate::{Backoff, BrokerAddress, Notices};

/// How the broker is reached. Shared by source and publisher.
#[derive(Debug)]
#[non_exhaustive]
pub struct Broker {
    address: RwLock<BrokerAddress>,
    /// Trust and identity, where TLS is spoken.
    pub tls: TlsConfig,
    /// How connections are named in the broker's lists.
    pub name: String,
    /// How often a life sign is exchanged.
    pub heartbeat: Duration,
    /// How long connecting may take, from the first packet to the opened channel.
    pub connect_timeout: Duration,
    /// How long the broker may take to confirm something.
    pub confirm_timeout: Duration,
    /// Pauses between attempts to connect. They are not counted: the supervisor goes on.
    pub backoff: Backoff,
    /// Where broken and made connections are told.
    pub notices: Notices,
}

impl Broker {
    /// The defaults for an address.
    pub fn new(address: BrokerAddress) -> Self {
        Self {
            address: RwLock::new(address),
            tls: TlsConfig::default(),
            name: "opencti-client".to_owned(),
            heartbeat: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(15),
            confirm_timeout: Duration::from_secs(30),
            backoff: Backoff { retries: u32::MAX, first: Duration::from_millis(500), longest: Duration::from_secs(15) },
            notices: Notices::default(),
        }
    }

    /// The address as it is now.
    pub fn address(&self) -> BrokerAddress {
        self.address.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another address: the platform gave other credentials when the connector registered again. It counts from the
    /// next connection on.
    pub fn set_address(&self, address: BrokerAddress) {
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// The broker as it is named in messages.
    pub(crate) fn peer(&self) -> String {
        let address = self.address();
        format!("the message broker at {}:{}", address.host, address.port)
    }

    /// Whether the broker can be reached and takes the credentials; and the queue exists, if one is given.
    pub async fn check(&self, queue: Option<&str>) -> Result<(), crate::Error> {
        let link = Link::open(self, "check").await?;
        if let Some(queue) = queue {
            link.declare_passively(self, queue).await?;
        }
        link.close().await;
        Ok(())
    }
}
