"""The default seccomp profile, in docker's format: what each group of calls is for, and who gets the rest.

Whatever is not named fails with EPERM, and what is younger than all that is named with ENOSYS.
The meaning is that of docker's default profile; a test compares the two call by call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FILES = """
    _llseek access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3
    faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown
    fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat
    fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64
    getxattr getxattrat ioctl lchown lchown32 lgetxattr link linkat listxattr listxattrat llistxattr
    lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat
    open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink
    readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile sendfile64
    setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range
    syncfs tee truncate truncate64 unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice
    write writev
"""
_EVENTS = """
    _newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
    epoll_wait_old eventfd eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup
    io_submit poll ppoll ppoll_time64 pselect6 pselect6_time64 select timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64
"""
_NETWORK = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
    recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
"""
_IPC = """
    futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list ipc membarrier
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
    mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 rseq semctl semget semop
    semtimedop semtimedop_time64 set_robust_list shmat shmctl shmdt shmget
"""
_MEMORY = """
    brk cachestat madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap
    mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
    remap_file_pages
"""
_PROCESSES = """
    execve execveat exit exit_group fork get_thread_area getpgid getpgrp getpid getppid getsid gettid
    pause pidfd_open process_mrelease process_vm_readv process_vm_writev ptrace restart_syscall
    set_thread_area set_tid_address setpgid setsid times umask uretprobe vfork wait4 waitid waitpid
"""
_SIGNALS = """
    kill pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd
    signalfd4 sigprocmask sigreturn tgkill tkill
"""
_SCHEDULING = """
    getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield setpriority setrlimit ugetrlimit
"""
_TIME = """
    adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer
    time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64
"""
_IDENTITY = """
    capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid
    getresgid32 getresuid getresuid32 getuid getuid32 landlock_add_rule landlock_create_ruleset
    landlock_restrict_self prctl seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
    setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
    setreuid32 setuid setuid32
"""
_SYSTEM = """
    getrandom listmount riscv_hwprobe statmount sysinfo uname
"""

_GROUPS = (
    _FILES,
    _EVENTS,
    _NETWORK,
    _IPC,
    _MEMORY,
    _PROCESSES,
    _SIGNALS,
    _SCHEDULING,
    _TIME,
    _IDENTITY,
    _SYSTEM,
)

_BY_CAPABILITY = {
    "CAP_SYS_ADMIN": """
        bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
        lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl
        quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
    """,
    "CAP_BPF": "bpf",
    "CAP_DAC_READ_SEARCH": "open_by_handle_at",
    "CAP_PERFMON": "perf_event_open",
    "CAP_SYSLOG": "syslog",
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_MODULE": "delete_module finit_module init_module",
    "CAP_SYS_NICE": "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_PTRACE": "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    "CAP_SYS_RAWIO": "ioperm iopl",
    "CAP_SYS_TIME": "clock_settime clock_settime64 settimeofday stime",
    "CAP_SYS_TTY_CONFIG": "vhangup",
}
"""Calls that come with a capability; the kernel checks the capability too, but its code is old and large."""

_BY_MACHINE = {
    "amd64": "arch_prctl modify_ldt",
    "arm64": "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
}

_AF_ALG = 38
"""Unprivileged doors into the kernel's cryptography: refused since they were found to be broken too often."""
_AF_VSOCK = 40
"""Leads to the hypervisor, past all network namespaces."""
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
"""PER_LINUX and PER_LINUX32, each with and without UNAME26, and the question which one is set."""
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_ENOSYS = 38
"""Makes C libraries fall back from clone3, whose flags lie behind a pointer, to clone."""

_ALLOW = "SCMP_ACT_ALLOW"


def _where(names: str, op: str, value: int) -> dict[str, Any]:
    return {
        "names": [names],
        "action": _ALLOW,
        "args": [{"index": 0, "value": value, "op": f"SCMP_CMP_{op}"}],
    }


_WITHOUT_ADMIN = {"excludes": {"caps": ["CAP_SYS_ADMIN"]}}

PROFILE: dict[str, Any] = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": 1,
    "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
    ],
    "syscalls": [
        {"names": " ".join(_GROUPS).split(), "action": _ALLOW},
        _where("socket", "LT", _AF_ALG),
        _where("socket", "EQ", _AF_ALG + 1),
        _where("socket", "GT", _AF_VSOCK),
        *(_where("personality", "EQ", value) for value in _PERSONALITIES),
        _where("clone", "MASKED_EQ", _NEW_NAMESPACES) | _WITHOUT_ADMIN,
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS} | _WITHOUT_ADMIN,
        *(
            {"names": names.split(), "action": _ALLOW, "includes": {"arches": [machine]}}
            for machine, names in _BY_MACHINE.items()
        ),
        *(
            {"names": names.split(), "action": _ALLOW, "includes": {"caps": [capability]}}
            for capability, names in _BY_CAPABILITY.items()
        ),
    ],
}
