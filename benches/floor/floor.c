/* The kernel's own price of a container, without any engine: the floor that pyctr is measured against.
 *
 *   floor ROOTFS SCRATCH ROUNDS [net] [cgroup]
 *
 * Each round: clone3 with new mount, pid, uts, ipc, cgroup and time namespaces (and a network namespace with
 * `net`), an overlay of ROOTFS mounted on SCRATCH, pivot_root, exec of /bin/true, wait. With `cgroup` the child
 * is first put into a fresh cgroup in every hierarchy that is mounted, one after the other, and these are removed
 * afterwards.
 * Prints one line per round: microseconds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_HIERARCHIES 32

static char hierarchies[MAX_HIERARCHIES][128];
static int hierarchy_count;

static void die_in_child(const char *what) {
    dprintf(2, "floor: %s: %s\n", what, strerror(errno));
    _exit(125);
}

/* Every cgroup mount of the machine that lets us make a directory. */
static void find_hierarchies(void) {
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char source[128], target[128], type[64];
    if (!mounts) err(1, "/proc/self/mounts");
    while (hierarchy_count < MAX_HIERARCHIES &&
           fscanf(mounts, "%127s %127s %63s %*[^\n]", source, target, type) == 3)
        if (!strcmp(type, "cgroup") || !strcmp(type, "cgroup2"))
            strcpy(hierarchies[hierarchy_count++], target);
    fclose(mounts);
}

static void copy_parent_value(const char *mount, const char *key) {
    char path[512], value[256];
    snprintf(path, sizeof path, "%.127s/%s", mount, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return; /* not the cpuset hierarchy */
    ssize_t n = read(fd, value, sizeof value);
    close(fd);
    snprintf(path, sizeof path, "%.127s/pyctr-floor/%s", mount, key);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, n) != n) err(1, "%s", path);
    close(fd);
}

static void make_cgroups(void) {
    for (int i = 0; i < hierarchy_count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%.127s/pyctr-floor", hierarchies[i]);
        if (mkdir(path, 0755) && errno != EEXIST) err(1, "%s", path);
        copy_parent_value(hierarchies[i], "cpuset.cpus");
        copy_parent_value(hierarchies[i], "cpuset.mems");
    }
}

static void join_cgroups(pid_t pid) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d", pid);
    for (int i = 0; i < hierarchy_count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%.127s/pyctr-floor/cgroup.procs", hierarchies[i]);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, text, length) != length) err(1, "%s", path);
        close(fd);
    }
}

static void remove_cgroups(void) {
    for (int i = 0; i < hierarchy_count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%.127s/pyctr-floor", hierarchies[i]);
        if (rmdir(path)) warn("%s", path);
    }
}

static void child(const char *rootfs, const char *scratch, int gate) {
    char options[2048], merged[512], go;
    if (gate >= 0 && read(gate, &go, 1) != 1) die_in_child("gate");
    snprintf(merged, sizeof merged, "%s/merged", scratch);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", rootfs, scratch, scratch);
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0)) die_in_child("private");
    if (mount("overlay", merged, "overlay", 0, options)) die_in_child("overlay");
    if (chdir(merged)) die_in_child("chdir");
    if (mount("proc", "proc", "proc", 0, 0)) die_in_child("proc");
    if (syscall(SYS_pivot_root, ".", ".")) die_in_child("pivot_root");
    if (umount2(".", MNT_DETACH)) die_in_child("umount");
    char *argv[] = {"/bin/true", 0}, *envp[] = {0};
    execve(argv[0], argv, envp);
    die_in_child("exec");
}

static void round_trip(const char *rootfs, const char *scratch, int net, int cgroup) {
    int gate[2] = {-1, -1}, status;
    if (cgroup) {
        if (pipe2(gate, O_CLOEXEC)) err(1, "pipe2");
        make_cgroups();
    }
    struct clone_args args = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWTIME |
                 (net ? CLONE_NEWNET : 0),
        .exit_signal = SIGCHLD,
    };
    pid_t pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0) err(1, "clone3");
    if (!pid) child(rootfs, scratch, gate[0]);
    if (cgroup) {
        join_cgroups(pid);
        if (write(gate[1], "", 1) != 1) err(1, "gate");
        close(gate[0]);
        close(gate[1]);
    }
    if (waitpid(pid, &status, 0) != pid || status) errx(1, "the child ended with status %d", status);
    if (cgroup) remove_cgroups();
}

static void make_directory(const char *scratch, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    if (mkdir(path, 0755) && errno != EEXIST) err(1, "%s", path);
}

int main(int argc, char **argv) {
    int net = 0, cgroup = 0;
    if (argc < 4) errx(2, "usage: floor ROOTFS SCRATCH ROUNDS [net] [cgroup]");
    for (int i = 4; i < argc; i++) {
        net |= !strcmp(argv[i], "net");
        cgroup |= !strcmp(argv[i], "cgroup");
    }
    make_directory(argv[2], "upper");
    make_directory(argv[2], "work");
    make_directory(argv[2], "merged");
    if (cgroup) find_hierarchies();
    for (int i = 0; i < atoi(argv[3]); i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        round_trip(argv[1], argv[2], net, cgroup);
        clock_gettime(CLOCK_MONOTONIC, &after);
        printf("%.1f\n", (after.tv_sec - before.tv_sec) * 1e6 + (after.tv_nsec - before.tv_nsec) / 1e3);
    }
    return 0;
}
