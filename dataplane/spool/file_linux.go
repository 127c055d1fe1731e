package spool

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile allocates size bytes for the file and maps them; nil if the file
// system cannot or does not keep such a promise.
func mapFile(f *os.File, size int64) []byte {
	if !reserves(f) || unix.Fallocate(int(f.Fd()), 0, 0, size) != nil {
		return nil
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	// Requests would take a page fault every few events, and MAP_POPULATE only
	// spares those of reading. A kernel before 5.14 does not know it.
	_ = unix.Madvise(mapped, unix.MADV_POPULATE_WRITE)
	return mapped
}

// reserves reports whether the file system honors fallocate: on others a full
// disk would show itself only as a signal.
func reserves(f *os.File) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &st) != nil {
		return false
	}
	switch int64(st.Type) { //nolint:unconvert // its type differs between architectures
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// syncData returns when what was written to a file is on the disk. A file that
// is closed already was written before.
func syncData(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = unix.Fdatasync(int(fd)) })
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return errors.Join(err, failed)
}
