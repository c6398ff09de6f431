//! Conversations: who comes, what they ask, who leaves.

use rustix::event::PollFlags;
use serde_json::json;

use super::{Event, MAX_CLIENTS, Supervisor};
use crate::{
    client::{Client, Role},
    failure::{CONFLICT, Failure, NOT_FOUND},
    frame::{Frame, Kind},
    request::{ExecRequest, Request, ResizeRequest, SignalRequest, parse},
    task::{CONTAINER, Task, TaskId},
};
use pyctr_runtime::clock::WallTime;

/// SIGKILL, the one signal that nothing may keep from its effect.
const KILL: i32 = 9;

impl Supervisor {
    /// Take in whoever waits at the socket.
    pub(super) fn welcome(&mut self) {
        while self.clients.len() < MAX_CLIENTS {
            let Some(socket) = self.listener.accept() else {
                return;
            };
            let id = self.next_id();
            self.clients.push(Client::new(id, socket, Role::Asking));
        }
    }

    /// See to one client.
    pub(super) fn attend(&mut self, id: u32, event: &Event) {
        let Some(index) = self.clients.iter().position(|client| client.id == id) else {
            return;
        };
        // Taken out, so that it can be talked to while everything else is at hand.
        let mut client = self.clients.swap_remove(index);
        if event.flags.intersects(PollFlags::HUP | PollFlags::ERR) {
            client.hung_up();
        }
        if event.flags.contains(PollFlags::OUT) {
            client.flush();
        }
        if client.is_reading()
            && event
                .flags
                .intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
        {
            client.receive(&mut self.scratch);
            self.scratch.clear();
            self.listen(&mut client);
            if !client.is_reading() {
                self.input_ended(&client);
            }
        }
        self.clients.push(client);
    }

    /// Serve every frame that has come; nonsense ends the conversation.
    fn listen(&mut self, client: &mut Client) {
        loop {
            match client.next_frame() {
                Ok(Some(frame)) => self.serve(client, &frame),
                Ok(None) => return,
                Err(error) => {
                    client.fail(&Failure::invalid(error.to_string()));
                    self.input_ended(client);
                    client.role = Role::Leaving;
                    return;
                }
            }
        }
    }

    /// Forget those with whom all is said.
    pub(super) fn dismiss_clients(&mut self) {
        self.clients.retain(|client| !client.is_over());
    }

    fn serve(&mut self, client: &mut Client, frame: &Frame) {
        let payload = &frame.payload;
        match (frame.kind, client.role) {
            (Kind::Stdin, _) => self.input(client, payload),
            (Kind::Request, Role::Asking) => {
                let answered =
                    Request::parse(payload).and_then(|request| self.answer(client, request));
                answered.unwrap_or_else(|failure| client.fail(&failure));
            }
            // These two have no answer: they may come when the program has just ended, which the client learns anyway.
            (Kind::Resize, Role::Attached(task, _)) => {
                let _ = parse(payload).and_then(|size| self.resize(task, &size));
            }
            (Kind::Signal, Role::Attached(task, _)) => {
                let _ = parse(payload).and_then(|signal| self.signal(task, &signal));
            }
            (kind, role) => client.fail(&Failure::invalid(format!(
                "{kind:?} frame from a client that is {role:?}"
            ))),
        }
    }

    fn answer(&mut self, client: &mut Client, request: Request) -> Result<(), Failure> {
        let mut reply = json!({});
        match request {
            Request::Start => {
                return Err(Failure::new(CONFLICT, "the container is started already"));
            }
            Request::Attach(streams) => client.role = Role::Attached(CONTAINER, streams),
            Request::Wait => client.role = Role::Waiting,
            Request::Exec(exec) => return self.exec(client, *exec),
            Request::Signal(request) => {
                self.signal(self.named(request.exec.as_deref())?, &request)?
            }
            Request::Resize(request) => {
                self.resize(self.named(request.exec.as_deref())?, &request)?
            }
            Request::State => reply = self.state(),
        }
        if client.role != Role::Waiting {
            client.send_json(Kind::Ok, &reply);
        }
        Ok(())
    }

    fn exec(&mut self, client: &mut Client, mut request: ExecRequest) -> Result<(), Failure> {
        if self.named(Some(&request.id)).is_ok() {
            return Err(Failure::new(
                CONFLICT,
                format!("exec {} runs already", request.id),
            ));
        }
        request.process.oom_score_adj = request.process.oom_score_adj.or(self.oom_score.before);
        let (pid, streams) = self.container.exec(&request)?;
        let id = TaskId(self.next_id());
        let started_at = WallTime::now();
        self.tasks.push(Task {
            id,
            exec: Some(request.id),
            pid,
            streams,
            started_at,
            ended: None,
        });
        client.send_json(Kind::Ok, &json!({"pid": pid.as_raw_nonzero()}));
        if !request.detach {
            client.role = Role::Attached(id, request.streams);
        }
        Ok(())
    }

    fn signal(&self, id: TaskId, request: &SignalRequest) -> Result<(), Failure> {
        self.task(id).ok_or_else(gone)?.signal(request)?;
        if request.signal == KILL {
            self.container.let_die();
        }
        Ok(())
    }

    fn resize(&self, id: TaskId, request: &ResizeRequest) -> Result<(), Failure> {
        let task = self.task(id).ok_or_else(gone)?;
        match task.streams.resize(request.rows, request.cols) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::new(CONFLICT, "the program has no terminal")),
            Err(error) => Err(Failure::engine(format!("resizing the terminal: {error}"))),
        }
    }

    fn state(&self) -> serde_json::Value {
        let container = self.task(CONTAINER);
        let execs = self.tasks.iter().filter_map(|task| {
            Some(json!({"id": task.exec.as_ref()?, "pid": task.pid.as_raw_nonzero()}))
        });
        json!({
            "pid": container.map(|task| task.pid.as_raw_nonzero()),
            "started_at": container.map(|task| task.started_at.to_string()),
            "execs": execs.collect::<Vec<_>>(),
            "log_dropped": self.log.as_ref().map_or(0, |log| log.dropped()),
        })
    }

    /// The task of an exec, or the container's for `None`.
    fn named(&self, exec: Option<&str>) -> Result<TaskId, Failure> {
        let Some(name) = exec else {
            return Ok(CONTAINER);
        };
        let task = self
            .tasks
            .iter()
            .find(|task| task.exec.as_deref() == Some(name));
        task.map(|task| task.id)
            .ok_or_else(|| Failure::new(NOT_FOUND, format!("no such exec: {name}")))
    }
}

fn gone() -> Failure {
    Failure::new(CONFLICT, "the program has ended")
}
