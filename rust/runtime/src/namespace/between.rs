//! A process that enters a user namespace, from which nobody comes back, to have a child there in the caller's place.

use pyctr_sys::clone::{Clone, Cloned};
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid};

use crate::{
    error::{Context, Error, Result},
    sync::{Channel, Tag},
};

/// Clones through a process in between, which `enter`s user namespaces and makes the real child as the caller's: namespaces made
/// under somebody else's user namespace belong to it only if their maker is in it, and nobody ever comes back from there.
pub(crate) fn through_another(enter: impl FnOnce() -> Result<Cloned>) -> Result<Cloned> {
    let what = || "cannot clone a process into the user namespace";
    let (ours, theirs) = Channel::pair().context(what)?;
    let between = match Clone::default().spawn().context(what)? {
        Cloned::Parent(between, _) => between,
        Cloned::Child => match enter() {
            Ok(Cloned::Child) => return Ok(Cloned::Child),
            Ok(Cloned::Parent(pid, _)) => {
                let _ = theirs.send_with(Tag::Pid, &pid.as_raw_nonzero().to_string(), None);
                std::process::exit(0);
            }
            Err(error) => {
                theirs.fail(&error);
                std::process::exit(1);
            }
        },
    };
    drop(theirs);
    let answer = ours.receive();
    waitpid(Some(between), WaitOptions::empty()).context(what)?;
    let packet = answer.context(what)?;
    let packet = packet.ok_or_else(|| Error::setup(what(), "the process in between was killed"))?;
    if packet.tag == Tag::Failed {
        return Err(crate::sync::failure(&packet.text));
    }
    let pid = packet
        .text
        .parse()
        .ok()
        .filter(|_| packet.tag == Tag::Pid)
        .and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::setup(what(), "no process id"))?;
    // It is our child and not waited for, so the number cannot be anybody else's.
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).context(what)?;
    Ok(Cloned::Parent(pid, pidfd))
}
