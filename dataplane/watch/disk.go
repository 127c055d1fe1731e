package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// disk keeps the documents of the last good snapshot as they came: sealed,
// with their checksum. The one before is kept beside it, in case a file is
// damaged.
type disk struct{ dir string }

const before = ".before"

func (d disk) path(key string) string { return filepath.Join(d.dir, key+".gws") }

// load returns the kept documents, nil where there is none.
func (d disk) load() (*wire.Release, *wire.KeyTable, error) {
	if d.dir == "" {
		return nil, nil, nil
	}
	var errs []error
	var release *wire.Release
	body, err := d.read(wire.ReleaseKey)
	if err == nil && body != nil {
		release, err = wire.DecodeRelease(body)
	}
	errs = append(errs, err)
	var keys *wire.KeyTable
	body, err = d.read(wire.KeyTableKey)
	if err == nil && body != nil {
		keys, err = wire.DecodeKeyTable(body)
	}
	return release, keys, errors.Join(append(errs, err)...)
}

// written is when a document came to the disk, milliseconds since 1970; 0 if
// it is not there.
func (d disk) written(key string) int64 {
	info, err := os.Stat(d.path(key))
	if err != nil {
		return 0
	}
	return info.ModTime().UnixMilli()
}

// read returns the newest readable copy of a document, nil if there is none.
func (d disk) read(key string) ([]byte, error) {
	var errs []error
	for _, path := range []string{d.path(key), d.path(key) + before} {
		doc, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			var body []byte
			if body, err = bus.Open(key, doc); err == nil {
				return body, nil
			}
		}
		errs = append(errs, fmt.Errorf("%s: %w", path, err))
	}
	return nil, errors.Join(errs...)
}

// save replaces the documents that are not nil.
func (d disk) save(release, keys []byte) error {
	if d.dir == "" {
		return nil
	}
	return errors.Join(d.write(wire.ReleaseKey, release), d.write(wire.KeyTableKey, keys))
}

// write makes doc durable before anything of the old copy is given up.
func (d disk) write(key string, doc []byte) error {
	if doc == nil {
		return nil
	}
	path := d.path(key)
	tmp, err := os.CreateTemp(d.dir, key+".tmp*") // created with mode 0600
	if err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone after the rename
	_, err = tmp.Write(doc)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	if err := os.Rename(path, path+before); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	return syncDir(d.dir)
}

// syncDir makes renames durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(f.Sync(), f.Close())
}
