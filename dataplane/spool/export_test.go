package spool

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

// Booted returns options as after another start of the machine.
func (o Options) Booted() Options {
	o.boot = "another"
	return o
}

// RecordOfEarlierVersions is a record whose checksum does not know of epochs.
func RecordOfEarlierVersions(number uint64, body []byte) []byte {
	return appendRecord(nil, 0, number, body)
}
