//! The alert store: its contract on both adapters, and what goes wrong between them and their data.

mod contract;
mod faults;
mod files;
mod server;
mod tls;
