//! `run`: create, start, wait and delete in one go.

use pyctr_runtime::Container;

use super::{
    Context, Outcome,
    args::{Flag, Parsed},
    create::{self, Announcement, Bundle, advise, warn},
    foreground,
};

/// The options of `run`: those of `create` and two of its own.
pub const FLAGS: [Flag; 11] = {
    let [
        bundle,
        config,
        console,
        pid_file,
        fds,
        pidfd,
        pivot,
        keyring,
        subreaper,
    ] = create::FLAGS;
    [
        bundle,
        config,
        console,
        pid_file,
        fds,
        pidfd,
        pivot,
        keyring,
        subreaper,
        Flag::switch(&["detach", "d"], "do not wait for the container"),
        Flag::switch(&["keep"], "do not delete the container when it has ended"),
    ]
};

/// Runs a container; in the foreground its exit status is that of the program.
pub fn run(context: &Context, parsed: &Parsed) -> Outcome {
    pyctr_runtime::reexec::reexec_from_readonly_mount()?;
    let bundle = Bundle::open(context, parsed)?;
    let mut options = bundle.options(context, parsed)?;
    let detach = parsed.is_set("detach");
    options.bare_lines = !detach && options.console_socket.is_none();
    foreground::check_terminal(&options.spec, options.console_socket.is_some(), detach)?;
    if let Some(process) = &mut options.spec.process {
        foreground::size_terminal(process, options.console_socket.is_some());
    }
    foreground::prepare(detach)?;
    let announce = Announcement::prepare(parsed)?;
    let (container, child) = pyctr_runtime::create(options)?.start()?;
    advise(context, &child.warnings);
    let status = announce.make(&child).and_then(|()| {
        if detach {
            Ok(0)
        } else {
            foreground::attend(&child)
        }
    });
    if !detach && !parsed.is_set("keep") || status.is_err() {
        delete(context, &container);
    }
    status
}

fn delete(context: &Context, container: &Container) {
    match container.delete(true) {
        Ok(warnings) => warn(context, &warnings),
        Err(error) => context.log.warning(&error.to_string()),
    }
}
