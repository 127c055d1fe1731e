package spool

import (
	"os"
	"strings"
)

// Small returns options for segments of so many bytes, in which also little
// fits.
func (o Options) Small(segment int64) Options {
	o.segment = segment
	return o
}

// Synced is the last event that SyncAlways has on the disk.
func (s *Spool) Synced() uint64 {
	s.keeper.mu.Lock()
	defer s.keeper.mu.Unlock()
	return s.keeper.synced
}

// BreakJournal makes writes to the journal fail.
func (s *Spool) BreakJournal() error {
	for i, f := range s.now.journal.f {
		broken, err := os.Open(strings.TrimSuffix(f.Name(), ".new"))
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return err
		}
		s.now.journal.f[i] = broken
	}
	return nil
}

// Booted returns options as after another start of the machine.
func (o Options) Booted() Options {
	o.boot = "another"
	return o
}

// RecordOfEarlierVersions is a record whose checksum does not know of epochs.
func RecordOfEarlierVersions(number uint64, body []byte) []byte {
	return appendRecord(nil, 0, number, body)
}
