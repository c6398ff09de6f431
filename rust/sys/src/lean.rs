//! Waiting while holding as little memory as possible.

use std::{io, ptr};

use rustix::event::{PollFd, Timespec};

/// Stack below the current frame that earlier, deeper calls may have dirtied; the kernel reserves far more for it.
const STACK_REACH: usize = 512 * 1024;

/// Give back what an idle process can do without, then wait in poll(2) as [`rustix::event::poll`] does.
///
/// Freed heap goes back to the kernel; so do dirty stack pages below this frame. The program's own clean pages (code and constants)
/// are unmapped: they stay in the page cache and fault back in when something happens. Must be called by a process with one
/// thread. Both calls are one function because returning to other code would fault other pages back in.
#[inline(never)]
pub fn poll(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> rustix::io::Result<usize> {
    // SAFETY: malloc_trim only returns free memory.
    unsafe { libc::malloc_trim(0) };
    let page = rustix::param::page_size();
    let segments = Segments::of_program();
    let here = ptr::from_ref(&segments).addr();
    // On the stack: were it a constant of the program, the kernel would fault its page in.
    let timeout = std::hint::black_box(timeout.copied());
    map_alone(poll as *const (), page);
    release(
        ((here & !(page - 1)) - page).saturating_sub(STACK_REACH),
        STACK_REACH,
    );
    for &(start, length) in segments.list() {
        release(start, length);
    }
    rustix::event::poll(fds, timeout.as_ref())
}

/// Make the code at `function`, at most a page long, a mapping of its own by giving it advice of its own.
///
/// A fault maps up to 64 KiB of file pages around it, but never beyond its mapping: so what runs while all else is unmapped brings
/// back two pages, not sixteen.
fn map_alone(function: *const (), page: usize) {
    let start = function.addr() & !(page - 1);
    // SAFETY: advice on how pages are read does not change what they hold.
    let _ = unsafe {
        rustix::mm::madvise(
            ptr::without_provenance_mut(start),
            2 * page,
            rustix::mm::Advice::Random,
        )
    };
}

/// Tell the kernel that this range's contents can be dropped (file pages) or are no longer needed (the unused stack).
#[inline(always)]
fn release(start: usize, length: usize) {
    // SAFETY: called only with the unused stack below the caller, a page away from its red zone, and with segments that are not
    // writable and so equal the file. Raw system call through an inlined wrapper: no frame is needed below this one.
    let _ = unsafe {
        rustix::mm::madvise(
            ptr::without_provenance_mut(start),
            length,
            rustix::mm::Advice::LinuxDontNeed,
        )
    };
}

/// The read-only parts of the running program, whole pages.
#[derive(Default)]
struct Segments {
    ranges: [(usize, usize); 4],
    used: usize,
}

impl Segments {
    fn of_program() -> Self {
        let mut segments = Self::default();
        // SAFETY: the callback gets the pointer to `segments` and does not outlive this call.
        unsafe { libc::dl_iterate_phdr(Some(collect), (&raw mut segments).cast()) };
        segments
    }

    fn list(&self) -> &[(usize, usize)] {
        &self.ranges[..self.used]
    }
}

/// Notes the segments of the first object, which is the program itself, and stops.
unsafe extern "C" fn collect(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: dl_iterate_phdr passes a valid description and our own pointer.
    let (info, segments) = unsafe { (&*info, &mut *data.cast::<Segments>()) };
    // SAFETY: the program headers are an array of that length in the loaded program.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let page = rustix::param::page_size();
    for header in headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0)
    {
        if segments.used == segments.ranges.len() {
            break;
        }
        let start = (info.dlpi_addr as usize + header.p_vaddr as usize) & !(page - 1);
        let end = (info.dlpi_addr as usize + (header.p_vaddr + header.p_memsz) as usize)
            .next_multiple_of(page);
        segments.ranges[segments.used] = (start, end - start);
        segments.used += 1;
    }
    1
}

/// Private memory plus this process's share of shared memory, in bytes, from `/proc/self/smaps_rollup`.
pub fn proportional_set_size() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let field = text.lines().find_map(|line| {
        line.strip_prefix("Pss:")?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    field
        .map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}
