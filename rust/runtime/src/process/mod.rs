//! A process inside the container, from its rights to its program.

pub(crate) mod capability;
pub(crate) mod environment;
pub(crate) mod launch;
pub(crate) mod limits;
mod lookup;
mod lsm;
pub(crate) mod notify;
pub(crate) mod scheduling;
pub(crate) mod stdio;
pub(crate) mod terminal;
mod user;
pub(crate) mod workdir;
