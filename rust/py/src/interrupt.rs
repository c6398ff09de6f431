//! Long work that Ctrl-C can end.
//!
//! Python runs its signal handlers on the main thread and only between two instructions of its own: while Rust works
//! there, nothing would happen. So the work runs beside, and the calling thread asks Python now and then.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use pyctr_layer::stream::Cancel;
use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// How long a signal may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// Run `work` on a thread of its own, without the interpreter's lock, until it is done or a signal handler raises;
/// then it is cancelled, and the handler's exception is the outcome.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Cancel) -> T + Send,
) -> PyResult<T> {
    let cancel = &Cancel::new()?;
    let (done, changed) = &(Mutex::new(false), Condvar::new());
    let wait = || {
        let guard = done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, PATIENCE, |done| !*done);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    };
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let outcome = work(cancel);
            *done.lock().unwrap_or_else(PoisonError::into_inner) = true;
            changed.notify_one();
            outcome
        });
        let mut raised = None;
        while raised.is_none() && !py.detach(wait) && !worker.is_finished() {
            raised = py.check_signals().err();
        }
        if raised.is_some() {
            cancel.stop();
        }
        let outcome = py.detach(|| worker.join());
        match raised {
            Some(error) => Err(error),
            None => outcome.map_err(|_| PyRuntimeError::new_err("a worker thread panicked")),
        }
    })
}
