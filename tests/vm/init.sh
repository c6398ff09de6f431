#!/bin/sh
# First process of the test machine: puts a writable layer over the host's files and runs the command there.
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs devtmpfs /dev
while read -r module; do $bb insmod "/lib/$module"; done </lib/order

# The host's files are only read; what is written stays in memory.
$bb mkdir /mnt/host /mnt/memory /mnt/root
$bb mount -t virtiofs -o ro host /mnt/host
$bb mount -t tmpfs -o mode=755 memory /mnt/memory
$bb mkdir /mnt/memory/upper /mnt/memory/work
$bb mount -t overlay -o lowerdir=/mnt/host,upperdir=/mnt/memory/upper,workdir=/mnt/memory/work root /mnt/root

cd /mnt/root || exit 1
$bb mount -t proc proc proc
$bb mount -t sysfs sysfs sys
$bb mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 sys/fs/cgroup
$bb mount -t devtmpfs devtmpfs dev
$bb mkdir -p dev/pts dev/shm dev/mqueue
$bb mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts dev/pts
$bb mount -t mqueue mqueue dev/mqueue
# An overlay cannot lie on an overlay: where containers and tests keep their files there is plain memory.
for directory in dev/shm run var/lib/pyctr vmtmp; do
    $bb mkdir -p $directory
    $bb mount -t tmpfs -o mode=1777 tmpfs $directory
done
$bb ip link set lo up
$bb umount /proc /sys
exec $bb switch_root /mnt/root /bin/sh -c '
    mount --make-rshared /
    # The command may not be in the top cgroup, whose processes would keep it from having children with limits.
    mkdir /sys/fs/cgroup/init && echo 0 >/sys/fs/cgroup/init/cgroup.procs
    export TMPDIR=/vmtmp
    "$(sed -n "s/.*pyctr.command=\([^ ]*\).*/\1/p" /proc/cmdline)"
    echo "pyctr-vm: status $?"
    echo o >/proc/sysrq-trigger
    sleep 60' </dev/console >/dev/console 2>&1
