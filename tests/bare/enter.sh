# Makes the directory $1 the root of a machine of its own and becomes the command that follows.
# Run under `unshare --mount --pid --ipc --uts --fork`: pivot_root instead of chroot, because the kernel
# refuses user namespaces, which the jail needs, to a process in a chroot.
set -eu
tree=$1
shift
mount --bind "$tree" "$tree"
mkdir -p "$tree/.before" "$tree/proc" "$tree/sys" "$tree/dev"
mount -t proc proc "$tree/proc"
mount -t sysfs sysfs "$tree/sys" 2>/dev/null || mount --rbind /sys "$tree/sys"
mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
for name in null zero full random urandom tty; do
  : >"$tree/dev/$name"
  mount --bind "/dev/$name" "$tree/dev/$name"
done
ln -s /proc/self/fd "$tree/dev/fd"
ln -s /proc/self/fd/0 "$tree/dev/stdin"
ln -s /proc/self/fd/1 "$tree/dev/stdout"
ln -s /proc/self/fd/2 "$tree/dev/stderr"
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
ln -s pts/ptmx "$tree/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
cd "$tree"
pivot_root . .before
cd /
umount -l /.before
rmdir /.before 2>/dev/null || true
exec "$@"
