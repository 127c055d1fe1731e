package wire

import (
	"encoding/binary"
	"errors"
	"time"
)

// LeaseReport tells the granting daemon what a node has used of its shares, and
// asks for others. A node sends the next one only when the last was answered or
// given up.
type LeaseReport struct {
	// Instance differs for every start of the node, Seq grows with each report.
	Instance, Seq uint64
	// Epoch is the greatest LeaseReply.Epoch that the node has seen.
	Epoch uint64
	// Heard is how long ago the last reply was taken, 0 if there was none.
	Heard time.Duration
	// Bye says that the node stops: it takes nothing any more.
	Bye  bool
	Uses []LeaseUse
}

// LeaseUse is one counter of a node. Amounts are in the limit's unit.
type LeaseUse struct {
	// Counter is Limit.Counter, Period what Limit.Period said to the node.
	Counter, Period uint64
	// Held is the most that the node may have used by the time of the answer: its
	// share, or Used where that is more. Used is what it has used in the window.
	Held, Used int64
	// Demand is what it would use if nothing bounded it: in a sliding window, at a
	// time for what is in flight, and in ten seconds of a calendar period.
	Demand int64
	// Need is the largest single amount that its share had no room for since the
	// last report, 0 if there was none.
	Need int64
	// Refused counts the requests that were refused since the node started.
	Refused int64
	// Freed is when the oldest use leaves a sliding window, 0 for nothing used.
	Freed time.Duration
}

// LeaseReply sets a node's shares.
type LeaseReply struct {
	// Epoch grows with every daemon that begins to grant. Seq is the report's.
	Epoch, Seq uint64
	// Valid is how long, from the sending of the report, a share may be used whose
	// limit is closed in an outage.
	Valid  time.Duration
	Grants []LeaseGrant
}

// LeaseGrant is a node's share of one counter.
type LeaseGrant struct {
	Counter, Period uint64
	// Share is the most that the node may use in the window.
	Share int64
	// Ends is when the calendar period ends, from the sending of the report; 0
	// is never.
	Ends time.Duration
	// Dry says that the fleet has nothing left for the node; Retry is when it may
	// have, 0 if that is not known.
	Dry   bool
	Retry time.Duration
}

const leaseVersion = 1

// errLease says that a message is not readable.
var errLease = errors.New("lease: not readable")

// Append appends the report in its binary form.
func (r *LeaseReport) Append(dst []byte) []byte {
	dst = append(dst, leaseVersion)
	dst = appendUints(dst, r.Instance, r.Seq, r.Epoch, amount(r.Heard.Milliseconds()), bit(r.Bye), uint64(len(r.Uses)))
	for i := range r.Uses {
		u := &r.Uses[i]
		dst = binary.LittleEndian.AppendUint64(dst, u.Counter)
		dst = appendUints(dst, u.Period, amount(u.Held), amount(u.Used), amount(u.Demand), amount(u.Need), amount(u.Refused), amount(u.Freed.Milliseconds()))
	}
	return dst
}

// Append appends the reply in its binary form.
func (r *LeaseReply) Append(dst []byte) []byte {
	dst = append(dst, leaseVersion)
	dst = appendUints(dst, r.Epoch, r.Seq, amount(r.Valid.Milliseconds()), uint64(len(r.Grants)))
	for i := range r.Grants {
		g := &r.Grants[i]
		dst = binary.LittleEndian.AppendUint64(dst, g.Counter)
		dst = appendUints(dst, g.Period, amount(g.Share), amount(g.Ends.Milliseconds()), amount(g.Retry.Milliseconds())<<1|bit(g.Dry))
	}
	return dst
}

// DecodeLeaseReport reads a report.
func DecodeLeaseReport(b []byte) (*LeaseReport, error) {
	d := leaseReader{rest: b}
	d.version()
	r := &LeaseReport{Instance: d.uint(), Seq: d.uint(), Epoch: d.uint(), Heard: d.millis(), Bye: d.uint() == 1}
	for range d.count(15) {
		r.Uses = append(r.Uses, LeaseUse{
			Counter: d.id(), Period: d.uint(), Held: d.amount(), Used: d.amount(), Demand: d.amount(), Need: d.amount(), Refused: d.amount(), Freed: d.millis(),
		})
	}
	return r, d.end()
}

// DecodeLeaseReply reads a reply.
func DecodeLeaseReply(b []byte) (*LeaseReply, error) {
	d := leaseReader{rest: b}
	d.version()
	r := &LeaseReply{Epoch: d.uint(), Seq: d.uint(), Valid: d.millis()}
	for range d.count(12) {
		g := LeaseGrant{Counter: d.id(), Period: d.uint(), Share: d.amount(), Ends: d.millis()}
		retry := d.uint()
		g.Dry, g.Retry = retry&1 == 1, millis(retry>>1)
		r.Grants = append(r.Grants, g)
	}
	return r, d.end()
}

// AppendRecall appends a list of counters in its binary form.
func AppendRecall(dst []byte, counters []uint64) []byte {
	dst = binary.AppendUvarint(append(dst, leaseVersion), uint64(len(counters)))
	for _, c := range counters {
		dst = binary.LittleEndian.AppendUint64(dst, c)
	}
	return dst
}

// DecodeRecall reads a list of counters.
func DecodeRecall(b []byte) (counters []uint64, err error) {
	d := leaseReader{rest: b}
	d.version()
	for range d.count(8) {
		counters = append(counters, d.id())
	}
	return counters, d.end()
}

func appendUints(dst []byte, list ...uint64) []byte {
	for _, n := range list {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

// amount is a number that is not negative.
func amount(n int64) uint64 { return uint64(max(0, n)) } //nolint:gosec // it is not

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// leaseReader reads the binary form; what is not there is an error at the end.
type leaseReader struct {
	rest   []byte
	failed bool
}

func (d *leaseReader) version() {
	if len(d.rest) == 0 || d.rest[0] != leaseVersion {
		d.failed = true
		return
	}
	d.rest = d.rest[1:]
}

func (d *leaseReader) uint() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || d.failed {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *leaseReader) id() uint64 {
	if len(d.rest) < 8 {
		d.failed, d.rest = true, nil
		return 0
	}
	n := binary.LittleEndian.Uint64(d.rest)
	d.rest = d.rest[8:]
	return n
}

// maxAmount keeps sums of many nodes within an int64.
const maxAmount = 1 << 63 / 2

func (d *leaseReader) amount() int64 {
	n := d.uint()
	if n > maxAmount {
		d.failed = true
		return 0
	}
	return int64(n)
}

func (d *leaseReader) millis() time.Duration { return millis(d.uint()) }

// millis is at most a hundred years.
func millis(n uint64) time.Duration {
	const most = 100 * 365 * 24 * 60 * 60 * 1000
	return time.Duration(min(n, most)) * time.Millisecond //nolint:gosec // bounded
}

// count reads how many entries of at least size bytes follow.
func (d *leaseReader) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.rest)/size) {
		d.failed = true
		return 0
	}
	return int(n) //nolint:gosec // bounded by the message's length
}

func (d *leaseReader) end() error {
	if d.failed || len(d.rest) > 0 {
		return errLease
	}
	return nil
}
