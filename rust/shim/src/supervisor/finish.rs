//! What is done when a program has ended.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    Supervisor,
    wait::{Event, Source},
};
use crate::{
    client::{Client, Role},
    config::Config,
    frame::Kind,
    record::{self, ExecRecord, ExitRecord},
    task::{CONTAINER, TaskId},
};

/// Records of execs that are kept; each health check leaves one.
const EXEC_RECORDS: usize = 128;

/// How long execs that survived the container's program are waited for after they were killed.
const LAST_EXECS: Duration = Duration::from_secs(2);

/// How long a full disk may keep the exit record in memory.
const RECORD_PATIENCE: Duration = Duration::from_secs(3);

/// How long a client may make no progress with the last output where the kernel cannot keep it for later.
const LINGER: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

impl Supervisor {
    /// See off every exec that has ended.
    pub(super) fn finish_execs(&mut self) {
        while let Some(index) = self
            .tasks
            .iter()
            .position(|task| task.exec.is_some() && task.ended.is_some())
        {
            let id = self.tasks[index].id;
            self.drain(id);
            let task = self.tasks.swap_remove(index);
            let (Some(name), Some(ended)) = (task.exec, task.ended) else {
                continue;
            };
            let record = ExecRecord {
                exit_code: ended.exit_code,
                pid: task.pid.as_raw_nonzero().get(),
                started_at: task.started_at.to_string(),
                finished_at: ended.at.to_string(),
            };
            self.keep_exec_record(name, &record);
            self.tell_exit(id, &record);
        }
    }

    /// The container's program has ended: tell the world, and leave nothing behind.
    ///
    /// Whoever holds this end of a conversation learns first. The lock goes last: when it is free, nothing of the container is left.
    pub(super) fn finish(mut self) {
        // The counter goes with the cgroup.
        let oom_killed = self.container.oom_killed();
        self.drain(CONTAINER);
        if let Some(log) = &mut self.log {
            log.finish();
        }
        let record = self.exit_record(oom_killed);
        let written = record::write(&self.config.exit_file, &record);
        self.hear_latecomers();
        self.tell_exit(CONTAINER, &record);
        self.container.delete();
        self.bury_execs();
        if written.is_err() {
            insist(&self.config, &self.bundle, &record);
        }
        let Self {
            clients,
            listener,
            lock,
            ..
        } = self;
        drop(listener);
        drop(lock);
        linger(clients);
    }

    /// Take the requests that came with the end, so that who asked to attach or to wait learns of it.
    ///
    /// Whoever comes later is refused and looks at the record: nobody is let in and left without an answer.
    fn hear_latecomers(&mut self) {
        self.listener.refuse();
        self.welcome();
        let asking = self
            .clients
            .iter()
            .filter(|client| client.role == Role::Asking);
        let flags = PollFlags::IN;
        for id in asking.map(|client| client.id).collect::<Vec<_>>() {
            self.attend(
                id,
                &Event {
                    source: Source::Client(id),
                    flags,
                },
            );
        }
    }

    fn exit_record(&self, oom_killed: bool) -> ExitRecord {
        let task = self.task(CONTAINER);
        let ended = task.and_then(|task| task.ended);
        ExitRecord {
            exit_code: ended.map_or(255, |ended| ended.exit_code),
            oom_killed,
            pid: task.map_or(0, |task| task.pid.as_raw_nonzero().get()),
            started_at: task.map_or_else(String::new, |task| task.started_at.to_string()),
            finished_at: ended.map_or_else(String::new, |ended| ended.at.to_string()),
            error: String::new(),
        }
    }

    /// The last frame of everyone who takes part in this task or waits for it, and of who is about to ask about the container.
    fn tell_exit(&mut self, id: TaskId, record: &impl serde::Serialize) {
        let concerned = |client: &&mut Client| match client.role {
            Role::Attached(task, _) => task == id,
            Role::Waiting | Role::Asking => id == CONTAINER,
            Role::Leaving => false,
        };
        for client in self.clients.iter_mut().filter(concerned) {
            client.send_json(Kind::Exit, record);
            client.role = Role::Leaving;
        }
    }

    fn keep_exec_record(&mut self, name: String, record: &ExecRecord) {
        let path = |name: &str| self.bundle.join(format!("exec-{name}.json"));
        // Nothing depends on it but a later question for the exit code.
        let _ = record::write(&path(&name), record);
        self.exec_records.push_back(name);
        if self.exec_records.len() > EXEC_RECORDS {
            let oldest = self.exec_records.pop_front();
            let _ = oldest.map(|name| std::fs::remove_file(path(&name)));
        }
    }

    /// Wait for execs outside the container's pid namespace, which did not die with its first process but with its cgroup.
    fn bury_execs(&mut self) {
        let deadline = Instant::now() + LAST_EXECS;
        loop {
            self.reap();
            self.finish_execs();
            if self.tasks.len() <= 1 || Instant::now() >= deadline {
                return;
            }
            sleep(Duration::from_millis(1));
        }
    }
}

/// Store a record that could not be written: beside the bundle, on another file system, at once; where it belongs, as soon as
/// there is room.
pub(super) fn insist(config: &Config, bundle: &std::path::Path, record: &ExitRecord) {
    let _ = record::write(&bundle.join("exit.json"), record);
    let deadline = Instant::now() + RECORD_PATIENCE;
    while Instant::now() < deadline && config.exit_file.parent().is_some_and(|dir| dir.exists()) {
        sleep(Duration::from_millis(100));
        if record::write(&config.exit_file, record).is_ok() {
            return;
        }
    }
}

/// Hand the last output to clients that read slowly. The container is over and nobody else waits for this.
///
/// The kernel takes it where it lets us; else this waits for them, but not for one that has stopped reading.
pub(super) fn linger(mut clients: Vec<Client>) {
    for client in &mut clients {
        client.role = Role::Leaving;
        client.hand_over();
    }
    loop {
        clients.iter_mut().for_each(Client::flush);
        clients.retain(|client| !client.is_over());
        if clients.is_empty() {
            return;
        }
        let mut fds: Vec<_> = clients
            .iter()
            .map(|client| PollFd::from_borrowed_fd(client.fd(), PollFlags::OUT))
            .collect();
        if !matches!(poll(&mut fds, Some(&LINGER)), Ok(1..)) {
            return;
        }
    }
}
